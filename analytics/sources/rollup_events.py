"""Events of a source of files, made from the objects it holds: they change and go as their objects do."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from analytics.core.terms import MPPS_SOP_CLASS, NOT_ACQUIRED, REPORT_SOP_CLASSES
from analytics.warehouse.expressions import literal
from analytics.warehouse.schema import events, instances

_HELD = instances.c
_IS_MPPS = _HELD.sop_class_uid == literal(MPPS_SOP_CLASS)
_IS_REPORT = _HELD.sop_class_uid.in_([literal(uid) for uid in sorted(REPORT_SOP_CLASSES)])
_IS_ACQUIRED = sa.and_(
    _HELD.has_pixel_data, sa.func.coalesce(_HELD.modality, literal("")).not_in(
        [literal(code) for code in sorted(NOT_ACQUIRED)]))


def event_rows(source_id: str) -> sa.Select[Any]:
    """Return the events that the objects of a source tell, one row an accession number, event and origin.

    An exam of several performed steps starts with its first and is complete with its last, and not while one is in
    progress; a step that was discontinued made no exam. A report is final when it was first verified. Objects without
    an accession number tell of no exam.

    Returns
    -------
    Select
        The columns of ``events``: ``origin`` is ``MPPS (0040,0244)``, ``MPPS (0040,0250)``, ``image (0040,0244)`` or
        ``SR (0040,A030)``. Where two origins tell one event at the same instant, the row is the MPPS's.
    """
    earliest = sa.func.min
    steps, images, reports = _steps(source_id), _objects(source_id, _IS_ACQUIRED), _objects(source_id, _IS_REPORT)
    done = steps.c.performed_end_at
    told = sa.union_all(
        _told(steps, "ProcedureStart", "MPPS (0040,0244)", earliest(steps.c.performed_start_at)),
        # A step in progress has no end yet.
        _told(steps, "ImagingComplete", "MPPS (0040,0250)",
              sa.case((sa.func.count(done) == sa.func.count(), sa.func.max(done)))),
        _told(images, "ProcedureStart", "image (0040,0244)", earliest(images.c.performed_start_at)),
        _told(reports, "Reported", "SR (0040,A030)", earliest(reports.c.verified_at)),
    ).subquery("told")
    key = [told.c[column.name] for column in events.primary_key.columns]
    # ``events`` has one row an instant. Of the two origins of a start the MPPS's is the shorter; letters alone would
    # leave it to the database's collation.
    place = sa.func.row_number().over(partition_by=key, order_by=(sa.func.length(told.c.origin), told.c.origin))
    ranked = sa.select(*told.columns, place.label("place")).subquery("ranked")
    return sa.select(*(ranked.c[column.name] for column in events.columns)).where(ranked.c.place == literal(1))


def _objects(source_id: str, told_by: sa.ColumnElement[bool]) -> sa.Subquery:
    """Return the objects of one kind that name an exam."""
    return sa.select(
        _HELD.source_id, _HELD.accession_number, _HELD.sop_instance_uid, _HELD.performed_start_at,
        _HELD.performed_end_at, _HELD.verified_at,
    ).where(_HELD.source_id == source_id, told_by, _HELD.accession_number.is_not(None),
            _HELD.accession_number != literal("")).subquery()


def _steps(source_id: str) -> sa.Subquery:
    """Return the performed steps: a step may lie in one file as it began and in another as it ended.

    A file that gives neither start nor end is of a step that was discontinued, whatever another says of its beginning.
    """
    files = _objects(source_id, _IS_MPPS)
    says_nothing = sa.and_(files.c.performed_start_at.is_(None), files.c.performed_end_at.is_(None))
    return sa.select(
        files.c.source_id, files.c.accession_number,
        sa.func.min(files.c.performed_start_at).label("performed_start_at"),
        sa.func.max(files.c.performed_end_at).label("performed_end_at"),
    ).group_by(files.c.source_id, files.c.accession_number, files.c.sop_instance_uid).having(
        sa.func.sum(sa.case((says_nothing, literal(1)), else_=literal(0))) == literal(0)).subquery("steps")


def _told(objects: sa.Subquery, event: str, origin: str, at: sa.ColumnElement[Any]) -> sa.Select[Any]:
    return sa.select(
        objects.c.source_id, objects.c.accession_number, literal(event).label("event"), at.label("event_at"),
        literal(origin).label("origin"),
    ).group_by(objects.c.source_id, objects.c.accession_number).having(at.is_not(None))
