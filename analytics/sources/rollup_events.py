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

    An exam of several performed steps starts with its first and is complete with its last. A report is final when it
    was first verified. Objects without an accession number tell of no exam.

    Returns
    -------
    Select
        The columns of ``events``: ``origin`` is ``MPPS (0040,0244)``, ``MPPS (0040,0250)``, ``image (0040,0244)`` or
        ``SR (0040,A030)``. Where two origins tell one event at the same instant, the row is the MPPS's.
    """
    earliest, latest = sa.func.min, sa.func.max
    told = sa.union_all(
        _told(source_id, "ProcedureStart", "MPPS (0040,0244)", earliest(_HELD.performed_start_at), _IS_MPPS),
        _told(source_id, "ImagingComplete", "MPPS (0040,0250)", latest(_HELD.performed_end_at), _IS_MPPS),
        _told(source_id, "ProcedureStart", "image (0040,0244)", earliest(_HELD.performed_start_at), _IS_ACQUIRED),
        _told(source_id, "Reported", "SR (0040,A030)", earliest(_HELD.verified_at), _IS_REPORT),
    ).subquery("told")
    key = [told.c[column.name] for column in events.primary_key.columns]
    # ``events`` has one row an instant. Of the two origins of a start the MPPS's is the shorter; letters alone would
    # leave it to the database's collation.
    place = sa.func.row_number().over(partition_by=key, order_by=(sa.func.length(told.c.origin), told.c.origin))
    ranked = sa.select(*told.columns, place.label("place")).subquery("ranked")
    return sa.select(*(ranked.c[column.name] for column in events.columns)).where(ranked.c.place == literal(1))


def _told(source_id: str, event: str, origin: str, at: sa.ColumnElement[Any],
          told_by: sa.ColumnElement[Any]) -> sa.Select[Any]:
    number = _HELD.accession_number
    return sa.select(
        _HELD.source_id, number, literal(event).label("event"), at.label("event_at"), literal(origin).label("origin"),
    ).where(_HELD.source_id == source_id, told_by, number.is_not(None), number != literal("")).group_by(
        _HELD.source_id, number).having(at.is_not(None))
