"""Deriving ``exams``: one row an exam, from the studies of every source and the orders and events of the RIS."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from analytics.core.swim import EVENTS
from analytics.warehouse.expressions import local
from analytics.warehouse.schema import events, exams, orders, studies
from analytics.warehouse.store import Draft

_one: sa.ColumnElement[Any] = sa.literal_column("1")


def _once(table: sa.Table, key: sa.ColumnElement[Any], *best: sa.ColumnElement[Any]) -> sa.Subquery:
    """Keep one row of each key: the one that comes first by ``best``."""
    rank = sa.func.row_number().over(partition_by=key, order_by=best).label("rank_in_key")
    ranked = sa.select(*table.columns, rank).subquery()
    return sa.select(*(ranked.c[c.name] for c in table.columns)).where(ranked.c.rank_in_key == _one).subquery()


def _event_columns() -> sa.Subquery:
    """Pivot the events: the first instant of each event of an exam."""
    instants = [
        sa.func.min(sa.case((events.c.event == sa.literal_column(f"'{event.name}'"), events.c.event_at)))
        .label(event.column) for event in EVENTS
    ]
    return sa.select(events.c.accession_number, *instants).group_by(events.c.accession_number).subquery("event_times")


def exam_select(site_zone: str) -> sa.Select[Any]:
    """Return the select that makes ``exams``.

    A study that several sources hold counts once: the row with the most instances. Studies and orders meet by
    accession number; where several studies carry one accession, the first takes the order and the others have
    none. ``exam_at`` is the exam's start from the RIS, else the study's own time, else when the archive
    received it, else the appointment or the order.
    """
    study = _once(studies, studies.c.study_instance_uid,
                  sa.func.coalesce(studies.c.number_of_instances, sa.literal_column("0")).desc(),
                  studies.c.source_id, studies.c.patient_key)
    order = _once(orders, orders.c.accession_number, orders.c.source_id)
    first = sa.func.row_number().over(
        partition_by=study.c.accession_number, order_by=(study.c.study_at, study.c.study_instance_uid))
    takes_order = sa.case((sa.and_(study.c.accession_number.is_not(None), study.c.accession_number != "",
                                   first == _one), study.c.accession_number))
    keyed = sa.select(*study.columns, takes_order.label("order_key")).subquery("keyed")
    times = _event_columns()
    # An exam that has events but no order row is still an exam of the RIS.
    ordered = sa.select(
        sa.func.coalesce(order.c.accession_number, times.c.accession_number).label("order_number"),
        *(order.c[name] for name in ("source_id", "patient_key", "patient_sex", "patient_birth_year", "site",
                                     "modality", "station_name", "priority", "patient_class",
                                     "procedure_description")),
        *(times.c[event.column] for event in EVENTS),
    ).select_from(order.join(times, order.c.accession_number == times.c.accession_number, full=True)).subquery("ris")

    def either(name: str) -> sa.ColumnElement[Any]:
        return sa.func.coalesce(keyed.c[name], ordered.c[name])

    stored = sa.func.coalesce(ordered.c.images_stored_at, keyed.c.stored_at)
    exam_at = sa.func.coalesce(ordered.c.procedure_start_at, keyed.c.study_at, keyed.c.stored_at,
                               ordered.c.arrived_at, ordered.c.appt_time_at, ordered.c.order_at)
    values: dict[str, sa.ColumnElement[Any]] = {
        "exam_id": sa.func.coalesce(keyed.c.study_instance_uid, sa.literal_column("'order:'") + ordered.c.order_number),
        "has_study": keyed.c.study_instance_uid.is_not(None),
        "has_order": ordered.c.order_number.is_not(None),
        "accession_number": sa.func.coalesce(keyed.c.accession_number, ordered.c.order_number),
        "priority": ordered.c.priority, "patient_class": ordered.c.patient_class,
        "description": sa.func.coalesce(ordered.c.procedure_description, keyed.c.study_description),
        "exam_at": exam_at,
        "exam_date": sa.cast(local(exam_at, site_zone), sa.Date),
        "exam_hour": sa.cast(sa.extract("hour", local(exam_at, site_zone)), sa.Integer),
        "exam_weekday": sa.cast(sa.extract("isodow", local(exam_at, site_zone)), sa.Integer),
        "stored_date": sa.cast(local(keyed.c.stored_at, site_zone), sa.Date),
        "images_stored_at": stored,
    }
    for name in ("source_id", "patient_key", "patient_sex", "patient_birth_year", "site", "modality", "station_name"):
        values[name] = either(name)
    for name in ("study_instance_uid", "number_of_series", "number_of_instances", "size_bytes",
                 "transfer_syntax_uid", "storage_tier", "stored_at", "last_accessed_at"):
        values[name] = keyed.c[name]
    for event in EVENTS:
        values.setdefault(event.column, ordered.c[event.column])
    joined = keyed.join(ordered, keyed.c.order_key == ordered.c.order_number, full=True)
    return sa.select(*(values[column.name].label(column.name) for column in exams.columns)).select_from(joined)


def derive_exams(draft: Draft, site_zone: str) -> None:
    """Make ``exams`` anew from the facts in a draft, in one step."""
    with draft.transaction():
        draft.execute(sa.delete(exams))
        names = [column.name for column in exams.columns]
        draft.execute(sa.insert(exams).from_select(names, exam_select(site_zone), include_defaults=False))
