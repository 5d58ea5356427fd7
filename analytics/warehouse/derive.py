"""Deriving ``exams``: one row an exam, from the studies of every source and the orders and events of the RIS."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from analytics.core.swim import EVENTS
from analytics.warehouse.event_times import (
    event_times,
    is_contested,
    place_of,
    starts_told_by_devices,
    statements,
)
from analytics.warehouse.expressions import literal, local
from analytics.warehouse.merged_patients import patient_after_mergers, survivors
from analytics.warehouse.schema import exams, orders, sources, studies
from analytics.warehouse.store import Draft

_one: sa.ColumnElement[Any] = sa.literal_column("1")


def _once(table: sa.Table, key: sa.ColumnElement[Any], *best: sa.ColumnElement[Any]) -> sa.Subquery:
    """Keep one row of each key: the one that comes first by ``best``."""
    rank = sa.func.row_number().over(partition_by=key, order_by=best).label("rank_in_key")
    ranked = sa.select(*table.columns, rank).subquery()
    return sa.select(*(ranked.c[c.name] for c in table.columns)).where(ranked.c.rank_in_key == _one).subquery()


def _orders() -> sa.Subquery:
    """Keep one order of each accession number: of several sources the one that counts first for an order."""
    place = place_of(literal("Order"), sources.c.kind, literal("")).label("place")
    placed = sa.select(*orders.columns, place).select_from(
        orders.outerjoin(sources, sources.c.source_id == orders.c.source_id)).subquery("placed")
    rank = sa.func.row_number().over(
        partition_by=placed.c.accession_number, order_by=(placed.c.place, placed.c.source_id)).label("rank_in_key")
    ranked = sa.select(*(placed.c[column.name] for column in orders.columns), rank).subquery()
    return sa.select(*(ranked.c[column.name] for column in orders.columns)).where(
        ranked.c.rank_in_key == _one).subquery()


def exam_select(site_zone: str, times: sa.Subquery, device_starts: sa.Subquery | None = None) -> sa.Select[Any]:
    """Return the select that makes ``exams``.

    A study that several sources hold counts once: the row with the most instances. Studies and orders meet by
    accession number; where several studies carry one accession, the first takes the order and the others have
    none. Of an order that several sources have, the RIS's counts, then FHIR's; of one rank, by their id.

    Where several sources tell one event, the one that stands nearest to where it happens counts: for the exam's start
    and completion the device's own report (MPPS), then the event repository (SOLE), then the RIS; for the
    report the RIS, then SOLE, then the structured report in the archive; for order, appointment and arrival the
    RIS, then SOLE, then FHIR (`analytics.core.precedence`). Sources of one rank go by their id. Of what the one
    source gives, the first instant counts. What an object in an archive tells makes no order of its own.

    ``exam_at`` is the exam's start, else the study's own time or, where the device's clock is ahead of it, when the
    archive received the study, else the arrival, the appointment or the order. ``patient_key`` is the patient's after
    the mergers that sources told of.

    Parameters
    ----------
    site_zone : str
        IANA zone of the site's clock.
    times : Subquery
        As `analytics.warehouse.event_times.event_times` returns it.
    device_starts : Subquery, optional
        As `starts_told_by_devices` returns it, where objects in an archive tell any event.
    """
    study = _once(studies, studies.c.study_instance_uid,
                  sa.func.coalesce(studies.c.number_of_instances, sa.literal_column("0")).desc(),
                  studies.c.source_id, studies.c.patient_key)
    order = _orders()
    first = sa.func.row_number().over(
        partition_by=study.c.accession_number, order_by=(study.c.study_at, study.c.study_instance_uid))
    takes_order = sa.case((sa.and_(study.c.accession_number.is_not(None), study.c.accession_number != "",
                                   first == _one), study.c.accession_number))
    keyed = sa.select(*study.columns, takes_order.label("order_key")).subquery("keyed")
    # An exam that has events but no order row is still an exam of the RIS, unless an image alone tells them.
    ordered = sa.select(
        sa.func.coalesce(order.c.accession_number, times.c.accession_number).label("order_number"),
        sa.or_(order.c.accession_number.is_not(None), times.c.is_of_ris).label("is_of_ris"),
        *(order.c[name] for name in ("source_id", "patient_key", "patient_sex", "patient_birth_year", "site",
                                     "modality", "station_name", "priority", "patient_class",
                                     "procedure_description")),
        *(times.c[event.column] for event in EVENTS),
    ).select_from(order.join(times, order.c.accession_number == times.c.accession_number, full=True)).subquery("ris")

    def either(name: str) -> sa.ColumnElement[Any]:
        return sa.func.coalesce(keyed.c[name], ordered.c[name])

    merged = survivors()
    no_id: sa.ColumnElement[Any] = sa.literal_column("''")  # a study without a PatientID has its patient from the order
    patient = sa.func.coalesce(sa.func.nullif(keyed.c.patient_key, no_id), ordered.c.patient_key, keyed.c.patient_key)
    stored = sa.func.coalesce(ordered.c.images_stored_at, keyed.c.stored_at)
    exam_at = sa.func.coalesce(ordered.c.procedure_start_at,
                               sa.func.least(keyed.c.study_at, keyed.c.stored_at),  # the empty one does not count
                               ordered.c.arrived_at, ordered.c.appt_time_at, ordered.c.order_at)
    values: dict[str, sa.ColumnElement[Any]] = {
        "exam_id": sa.func.coalesce(keyed.c.study_instance_uid, sa.literal_column("'order:'") + ordered.c.order_number),
        "has_study": keyed.c.study_instance_uid.is_not(None),
        "has_order": sa.func.coalesce(ordered.c.is_of_ris, sa.false()),
        "patient_key": patient_after_mergers(patient, merged),
        "accession_number": sa.func.coalesce(keyed.c.accession_number, ordered.c.order_number),
        "priority": ordered.c.priority, "patient_class": ordered.c.patient_class,
        "description": sa.func.coalesce(ordered.c.procedure_description, keyed.c.study_description),
        "exam_at": exam_at,
        "exam_date": sa.cast(local(exam_at, site_zone), sa.Date),
        "exam_hour": sa.cast(sa.extract("hour", local(exam_at, site_zone)), sa.Integer),
        "exam_weekday": sa.cast(sa.extract("isodow", local(exam_at, site_zone)), sa.Integer),
        "stored_date": sa.cast(local(keyed.c.stored_at, site_zone), sa.Date),
        "images_stored_at": stored,
        "is_start_by_device": device_starts.c.first_at.is_not(None) if device_starts is not None else sa.false(),
    }
    for name in ("source_id", "patient_sex", "patient_birth_year", "site", "modality", "station_name"):
        values[name] = either(name)
    for name in ("study_instance_uid", "study_at", "number_of_series", "number_of_instances", "size_bytes",
                 "transfer_syntax_uid", "storage_tier", "stored_at", "last_accessed_at", "expires_date"):
        values[name] = keyed.c[name]
    for event in EVENTS:
        values.setdefault(event.column, ordered.c[event.column])
    joined = keyed.join(ordered, keyed.c.order_key == ordered.c.order_number, full=True).outerjoin(
        merged, patient == merged.c.merged_key)
    if device_starts is not None:
        joined = joined.outerjoin(device_starts, sa.and_(
            device_starts.c.accession_number == ordered.c.order_number,
            device_starts.c.first_at == ordered.c.procedure_start_at))
    return sa.select(*(values[column.name].label(column.name) for column in exams.columns)).select_from(
        joined).where(sa.or_(keyed.c.study_instance_uid.is_not(None), ordered.c.is_of_ris))


def derive_exams(draft: Draft, site_zone: str) -> None:
    """Make ``exams`` anew from the facts in a draft, in one step."""
    told = statements(draft)
    times = event_times(told, contested=len(told) > len({one.event for one in told}) and is_contested(draft))
    device_starts = starts_told_by_devices() if any(one.origin for one in told) else None
    with draft.transaction():
        draft.execute(sa.delete(exams))
        names = [column.name for column in exams.columns]
        # In the order of their dates: a period is then read without the rest.
        found = exam_select(site_zone, times, device_starts).order_by(sa.literal_column("exam_date"))
        draft.execute(sa.insert(exams).from_select(names, found, include_defaults=False))
