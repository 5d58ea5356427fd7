"""What a load takes away: each study that is gone from its source, and each that became smaller.

A study is known by its UID, whatever patient it is filed under: a corrected PatientID takes nothing away. What comes
back is no longer counted: ``removals`` lists no study as gone that its source holds, none as smaller that is back at
what it was, and of one that is back in part no more than what is still missing.
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
_SIZES = ("number_of_instances", "size_bytes")
_STAYS, _WENT, _AFTER = "stays", "went", "after"
"""Rows of before whose key stays and whose key goes; rows of after."""


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
    session.analyze((studies,))  # every step below is planned blindly without it
    suspects = _table_of(session, "removal_suspects", _suspects(latest, source_id, complete=complete))
    compared = _compared(latest, suspects, source_id, complete=complete).subquery("compared")
    gone = compared.c.rows_after == literal(0)
    images_before, images_after = _before(compared, "number_of_instances"), compared.c.number_of_instances_after
    bytes_before, bytes_after = _before(compared, "size_bytes"), compared.c.size_bytes_after
    fewer_images = sa.func.coalesce(images_after < images_before, sa.false())
    smaller = sa.case((sa.and_(bytes_before.is_not(None), bytes_after.is_not(None)), bytes_after < bytes_before),
                      else_=fewer_images)
    what = sa.case((gone, literal(GONE)), (fewer_images, literal(FEWER_IMAGES)), else_=literal(FEWER_BYTES))
    values: dict[str, sa.ColumnElement[Any]] = {
        "source_id": sa.literal(source_id), "study_instance_uid": compared.c.study_instance_uid,
        "load_id": sa.literal(load_id), "what": what, **{name: compared.c[name] for name in _AS_IT_WAS},
        # A study that is smaller may have more images than before: none of them is gone
        "number_of_instances": sa.case((gone, images_before), (fewer_images, images_before - images_after),
                                       (images_after >= images_before, literal(0))),
        "size_bytes": sa.case((gone, bytes_before), else_=bytes_before - bytes_after),
        "instances_before": images_before, "size_bytes_before": bytes_before,
    }
    found = sa.select(*(values[column.name].label(column.name) for column in removals.columns)).where(
        sa.or_(gone, smaller))
    names = [column.name for column in removals.columns]
    session.execute(sa.insert(removals).from_select(names, found, include_defaults=False))
    session.execute(sa.schema.DropTable(suspects))


def _same_key(latest: sa.Table) -> sa.ColumnElement[bool]:
    return sa.and_(*(studies.c[name] == latest.c[name] for name in _KEY))


def _suspects(latest: sa.Table, source_id: str, *, complete: bool) -> sa.Select[Any]:
    """Return the studies of which a row goes or becomes smaller: few, so that what follows is quick."""
    loses = sa.or_(latest.c.study_instance_uid.is_(None), latest.c.size_bytes < studies.c.size_bytes,
                   latest.c.number_of_instances < studies.c.number_of_instances)
    return sa.select(studies.c.study_instance_uid).distinct().select_from(
        studies.join(latest, _same_key(latest), isouter=complete)).where(studies.c.source_id == source_id, loses)


def _compared(latest: sa.Table, suspects: sa.Table, source_id: str, *, complete: bool) -> sa.Select[Any]:
    """Add up each suspect's rows of before and after, in one pass over both.

    Of what a merge that is not complete does not name, all stays: it is on neither side.
    """
    uid, suspect = "study_instance_uid", suspects.c.study_instance_uid
    side = sa.case((latest.c[uid].is_(None), literal(_WENT)), else_=literal(_STAYS))
    before = sa.select(studies.c[uid], side.label("side"), *(studies.c[name] for name in (*_SIZES, *_AS_IT_WAS)))
    named = studies.join(suspects, suspect == studies.c[uid]).join(latest, _same_key(latest), isouter=complete)
    unsaid = (sa.cast(sa.null(), studies.c[name].type).label(name) for name in _AS_IT_WAS)
    after = sa.select(latest.c[uid], literal(_AFTER).label("side"), *(latest.c[name] for name in _SIZES), *unsaid)
    rows = sa.union_all(before.select_from(named).where(studies.c.source_id == source_id),
                        after.select_from(latest.join(suspects, suspect == latest.c[uid]))).subquery("sides")
    sums = (_known_sum(rows.c[name], rows.c.side == literal(which)).label(f"{name}_{which}")
            for name in _SIZES for which in (_STAYS, _WENT, _AFTER))
    return sa.select(
        rows.c[uid], *(sa.func.min(rows.c[name]).label(name) for name in _AS_IT_WAS), *sums,
        sa.func.count(sa.case((rows.c.side == literal(_AFTER), 1))).label("rows_after")).group_by(rows.c[uid])


def _before(compared: sa.Subquery, name: str) -> sa.ColumnElement[Any]:
    """Return what a study was: a row that goes while another stays is held to be the same images, filed anew.

    An export of a part that corrects a PatientID adds the new row and cannot take the old one away.
    """
    stays, went = compared.c[f"{name}_{_STAYS}"], compared.c[f"{name}_{_WENT}"]
    return sa.case((stays >= went, stays), (stays < went, went))


def _known_sum(column: sa.ColumnElement[Any], counts: sa.ColumnElement[bool] | None = None) -> sa.ColumnElement[Any]:
    """Add up the rows of a study, which may be filed under several patients; a sum of which a part is unknown is."""
    one, value = literal(1), column
    if counts is not None:
        one, value = sa.case((counts, literal(1))), sa.case((counts, column))
    known = sa.func.coalesce(sa.cast(sa.func.sum(value), sa.BigInteger), literal(0))
    return sa.case((sa.func.count(value) == sa.func.count(one), known))


def _table_of(session: Session, name: str, rows: sa.Select[Any]) -> sa.Table:
    """Keep rows in a table of their own, of which the planner knows how many there are."""
    table = sa.Table(name, sa.MetaData(), *(sa.Column(column.name, column.type) for column in rows.selected_columns))
    session.execute(sa.schema.DropTable(table, if_exists=True))
    session.execute(sa.schema.CreateTable(table))
    session.execute(sa.insert(table).from_select([column.name for column in table.columns], rows,
                                                 include_defaults=False))
    session.analyze((table,))
    return table


def forget_returned(session: Session, latest: sa.Table, source_id: str) -> None:
    """Let go of what is written down of studies that a source has again, or more of; inside the step of the merge.

    Parameters
    ----------
    session : Session
    latest : Table
        The studies that the load gave, one row a key.
    source_id : str
    """
    session.analyze((removals,))
    uid = latest.c.study_instance_uid
    of_source = sa.select(removals.c.study_instance_uid).where(removals.c.source_id == source_id)
    back = _table_of(session, "removals_back", sa.select(
        uid, *(_known_sum(latest.c[name]).label(name) for name in _SIZES)).where(uid.in_(of_source)).group_by(uid))
    same = sa.and_(removals.c.source_id == source_id, back.c.study_instance_uid == removals.c.study_instance_uid)
    whole = sa.or_(
        removals.c.what == literal(GONE),
        sa.and_(removals.c.what == literal(FEWER_IMAGES), back.c.number_of_instances >= removals.c.instances_before),
        sa.and_(removals.c.what == literal(FEWER_BYTES), back.c.size_bytes >= removals.c.size_bytes_before))
    session.execute(sa.delete(removals).where(
        sa.exists(sa.select(sa.literal(1)).select_from(back).where(same, whole))))
    missing = {"number_of_instances": removals.c.instances_before - back.c.number_of_instances,
               "size_bytes": removals.c.size_bytes_before - back.c.size_bytes}
    still = {name: _at_most(removals.c[name], value) for name, value in missing.items()}
    session.execute(sa.update(removals).where(
        same, sa.or_(*(missing[name] < removals.c[name] for name in _SIZES))).values(still))
    session.execute(sa.schema.DropTable(back))


def _at_most(noted: sa.ColumnElement[Any], missing: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    return sa.case((sa.and_(missing < literal(0), noted.is_not(None)), literal(0)), (missing < noted, missing),
                   else_=noted)
