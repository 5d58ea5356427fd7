"""What a load takes away: each study that is gone from its source, and each that became smaller.

A study is known by its UID, whatever patient it is filed under: a corrected PatientID takes nothing away. What comes
back is no longer counted as gone, so ``removals`` never lists a study as gone that its source holds.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from analytics.warehouse.engine import Session
from analytics.warehouse.expressions import literal
from analytics.warehouse.schema import removals, studies

GONE, FEWER_IMAGES, FEWER_BYTES = "gone", "fewer_images", "fewer_bytes"
"""The whole study; some of its images; its bytes alone, as after compression."""
_KEY = ("source_id", "study_instance_uid", "patient_key")
_AS_IT_WAS = ("site", "modality", "station_name", "study_date", "stored_at")


def note_removals(session: Session, latest: sa.Table, source_id: str, load_id: str, *, complete: bool) -> None:
    """Keep what a merge of studies is about to take away; inside its step, before it takes anything.

    Parameters
    ----------
    session : Session
    latest : Table
        The studies as they will be, one row a key.
    source_id, load_id : str
    complete : bool
        Whether studies that ``latest`` does not have go.
    """
    same_key = sa.and_(*(studies.c[name] == latest.c[name] for name in _KEY))
    suspects = _suspects(latest, same_key, source_id, complete=complete)
    # Of what a merge that is not complete does not name, all stays: it is on neither side
    named = sa.true() if complete else sa.exists(sa.select(sa.literal(1)).select_from(latest).where(same_key))
    before = _by_study(studies, _AS_IT_WAS, studies.c.source_id == source_id,
                       studies.c.study_instance_uid.in_(suspects), named).subquery("before_load")
    after = _by_study(latest, (), latest.c.study_instance_uid.in_(suspects)).subquery("after_load")
    is_gone = after.c.study_instance_uid.is_(None)
    images_before, images_after = before.c.number_of_instances, after.c.number_of_instances
    fewer_images = sa.func.coalesce(images_after < images_before, sa.false())
    size_known = sa.and_(before.c.size_bytes.is_not(None), after.c.size_bytes.is_not(None))
    smaller = sa.case((size_known, after.c.size_bytes < before.c.size_bytes), else_=fewer_images)
    values: dict[str, sa.ColumnElement[Any]] = {
        "source_id": sa.literal(source_id), "study_instance_uid": before.c.study_instance_uid,
        "load_id": sa.literal(load_id),
        "what": sa.case((is_gone, literal(GONE)), (fewer_images, literal(FEWER_IMAGES)), else_=literal(FEWER_BYTES)),
        **{name: before.c[name] for name in _AS_IT_WAS},
        "number_of_instances": sa.case((is_gone, images_before), else_=images_before - images_after),
        "size_bytes": sa.case((is_gone, before.c.size_bytes), else_=before.c.size_bytes - after.c.size_bytes),
    }
    found = sa.select(*(values[column.name].label(column.name) for column in removals.columns)).select_from(
        before.outerjoin(after, before.c.study_instance_uid == after.c.study_instance_uid)).where(
        sa.or_(is_gone, smaller))
    session.execute(sa.insert(removals).from_select(list(values), found, include_defaults=False))


def _suspects(latest: sa.Table, same_key: sa.ColumnElement[bool], source_id: str, *, complete: bool) -> sa.Select[Any]:
    """Return the studies of which a row goes or becomes smaller: few, so that what follows is quick."""
    loses = sa.or_(latest.c.study_instance_uid.is_(None), latest.c.size_bytes < studies.c.size_bytes,
                   latest.c.number_of_instances < studies.c.number_of_instances)
    return sa.select(studies.c.study_instance_uid).select_from(
        studies.join(latest, same_key, isouter=complete)).where(studies.c.source_id == source_id, loses)


def _by_study(table: sa.Table, names: tuple[str, ...], *where: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """Add up the rows of a study, which may be filed under several patients; a sum of which a part is unknown is."""
    def known_sum(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        every = sa.func.count(column) == sa.func.count()
        return sa.case((every, sa.cast(sa.func.sum(column), sa.BigInteger)))

    uid = table.c.study_instance_uid
    columns = [*(sa.func.min(table.c[name]).label(name) for name in names),
               *(known_sum(table.c[name]).label(name) for name in ("number_of_instances", "size_bytes"))]
    return sa.select(uid, *columns).where(*where).group_by(uid)


def forget_returned(session: Session, source_id: str) -> None:
    """Let go of what is written down as gone of the studies that a source has again; inside the step of the merge."""
    back = sa.exists(sa.select(sa.literal(1)).select_from(studies).where(
        studies.c.source_id == source_id, studies.c.study_instance_uid == removals.c.study_instance_uid))
    session.execute(sa.delete(removals).where(
        removals.c.source_id == source_id, removals.c.what == literal(GONE), back))
