"""Sources: how fresh each is, what its loads did and left out, whether clocks agree, how long transfers take."""

from __future__ import annotations

from typing import Any

import pandas as pd
import sqlalchemy as sa

from analytics.core.filters import Filters
from analytics.core.quantity import EXAMS, MINUTES
from analytics.core.results import LeftOut, MetricResult, MetricSpec
from analytics.metrics.base import METRICS, metric
from analytics.metrics.scope import Columns, Scope, aggregate, as_of
from analytics.warehouse.expressions import Period, literal, minutes_between, period_start, quantile
from analytics.warehouse.schema import Instant, events, exams, loads, quarantine, sources, studies
from analytics.warehouse.store import Warehouse

FEWEST_EXAMS = 20
"""A median of fewer exams says little about a clock."""
_DAY = 1440.0
_LOADS_CITATION = "Record of each load, as the source gave it"


@metric(MetricSpec(
    "sources.freshness", "Age of the latest data",
    "Minutes from the latest thing that a source holds (archive reception or workflow event, appointments excepted) to "
    "the latest that any source does. Filters do not apply: freshness is the source's.",
    MINUTES, "lower", _LOADS_CITATION))
def freshness(warehouse: Warehouse, filters: Filters) -> MetricResult:
    """Say of each source how far behind it is.

    Returns
    -------
    MetricResult
        Columns ``source_id``, ``kind``, ``is_demo``, ``last_loaded_at``, ``latest_at`` (UTC), ``behind`` (minutes),
        ``studies``, ``events``, ``quarantined``.
    """
    now = as_of(warehouse)
    frame = warehouse.read(sa.select(
        sources.c.source_id, sources.c.kind, sources.c.is_demo, sources.c.last_loaded_at).order_by(sources.c.source_id))
    limit = sa.literal(now, Instant) if now else sa.cast(sa.null(), Instant)
    not_appointment = events.c.event != literal("ApptTime")
    known = {
        "studies": warehouse.arrow(_latest(studies, studies.c.stored_at, studies.c.stored_at <= limit)),
        "events": warehouse.arrow(_latest(events, events.c.event_at,
                                          sa.and_(events.c.event_at <= limit, not_appointment))),
        "quarantined": warehouse.arrow(sa.select(
            quarantine.c.source_id, sa.func.count().label("n")).group_by(quarantine.c.source_id)),
    }
    found = {name: {row["source_id"]: row for row in table.to_pylist()} for name, table in known.items()}
    latest = [max((row["latest_at"] for name in ("studies", "events")
                   if (row := found[name].get(source)) and row["latest_at"]), default=None)
              for source in frame.source_id]
    frame["latest_at"] = pd.Series(latest, dtype="datetime64[us, UTC]")
    frame["behind"] = (pd.Timestamp(now) - frame.latest_at).dt.total_seconds() / 60 if now else float("nan")
    for name, rows in found.items():
        frame[name] = pd.Series([rows[source]["n"] if source in rows else 0 for source in frame.source_id],
                                dtype="int64")
    return MetricResult(
        METRICS["sources.freshness"].spec, frame, "behind", ("source_id",), len(frame), warehouse.revision,
        {"studies": "{study}", "events": "{event}", "quarantined": "{record}"},
        headline=float(frame.behind.max()) if len(frame) and frame.behind.notna().any() else None)


def _latest(table: sa.Table, instant: sa.ColumnElement[Any], known: sa.ColumnElement[bool]) -> sa.Select[Any]:
    return sa.select(table.c.source_id, sa.func.count().label("n"),
                     sa.func.max(sa.case((known, instant)), type_=Instant).label("latest_at")
                     ).group_by(table.c.source_id)


@metric(MetricSpec(
    "sources.loads", "Loads", "Records read by each load, with what it added, changed, removed and left out; the "
    "latest load first. Filters do not apply.", "{record}", "neutral", _LOADS_CITATION))
def load_history(warehouse: Warehouse, filters: Filters, limit: int = 200) -> MetricResult:
    """List the latest loads."""
    frame = warehouse.read(sa.select(loads).order_by(loads.c.finished_at.desc(), loads.c.load_id).limit(limit))
    left = int(frame.left_out.sum())
    return MetricResult(
        METRICS["sources.loads"].spec, frame, "records_read", ("load_id",), len(frame), warehouse.revision,
        left_out=(LeftOut("records in quarantine, with the reason for each", left),) if left else (),
        headline=float(frame.records_read.sum()))


@metric(MetricSpec(
    "sources.quarantine", "Records left out", "Records that could not be used, by source and reason, the most frequent "
    "first. Filters do not apply: such a record has no site or date that can be trusted.", "{record}", "lower",
    _LOADS_CITATION))
def quarantine_reasons(warehouse: Warehouse, filters: Filters) -> MetricResult:
    """Count the records in quarantine: ``source_id``, ``reason_code``, ``records``, one ``example`` and its reason."""
    frame = warehouse.read(sa.select(
        quarantine.c.source_id, quarantine.c.reason_code, sa.func.count().label("records"),
        sa.func.min(quarantine.c.locator, type_=sa.String).label("example"),
        sa.func.min(quarantine.c.reason, type_=sa.String).label("reason"),
    ).group_by(quarantine.c.source_id, quarantine.c.reason_code))
    frame = frame.sort_values("records", ascending=False, kind="stable").reset_index(drop=True)
    counted = int(frame.records.sum())
    return MetricResult(METRICS["sources.quarantine"].spec, frame, "records", ("source_id", "reason_code"), counted,
                        warehouse.revision, headline=float(counted))


@metric(MetricSpec(
    "sources.clock_offset", "Clock offset of scanners",
    "Median minutes by which a device's own study time (Study Date and Time) is ahead of the start that the RIS "
    "recorded (ProcedureStart), in each month of exams that have both; behind is negative. Exams more than a day apart "
    "are left out (a wrong date, not a clock), and so are those whose start the device itself reported (MPPS: the same "
    f"clock), and months with fewer than {FEWEST_EXAMS} exams.",
    MINUTES, "neutral", "DICOM PS3.17 2024e, R.6.3 (clocks not synchronized are 5-10 min off)", "RID46001"))
def clock_offset(warehouse: Warehouse, filters: Filters, period: Period = "month",
                 fewest: int = FEWEST_EXAMS) -> MetricResult:
    """Measure how far each device's clock is off in each period.

    Returns
    -------
    MetricResult
        Columns ``period``, ``site``, ``station_name``, ``offset``, ``p10``, ``p90`` (minutes), ``exams``. The
        headline is the offset farthest from 0 in each device's latest period.
    """
    scope = Scope(warehouse, filters, sa.and_(
        exams.c.has_study, exams.c.has_order, exams.c.procedure_start_at.is_not(None)))
    offset = minutes_between(exams.c.procedure_start_at, exams.c.study_at)
    by_itself = sa.func.coalesce(exams.c.is_start_by_device, sa.false())
    rows = scope.rows(
        sa.func.abs(offset) <= literal(_DAY), sa.not_(by_itself),
        exams.c.station_name.is_not(None), period=period_start(exams.c.exam_date, period), offset=offset)
    dimensions = ("period", "site", "station_name")
    every = warehouse.read(aggregate(rows, dimensions, lambda c: {
        "offset": quantile(c.offset, 0.5), "p10": quantile(c.offset, 0.1), "p90": quantile(c.offset, 0.9),
        "exams": sa.func.count()}))
    frame = every[every.exams >= fewest].reset_index(drop=True)
    few = int(every.exams.sum() - frame.exams.sum())
    same_clock = warehouse.count(scope.rows(by_itself))
    incomparable = warehouse.count(scope.rows()) - same_clock - int(every.exams.sum())
    left = [LeftOut(f"in a month with fewer than {fewest} exams of the device", few),
            LeftOut("start reported by the device itself", same_clock),
            LeftOut("no study time or device, or more than a day apart", incomparable)]
    latest = frame.groupby(["site", "station_name"], dropna=False).offset.last() if len(frame) else frame.offset
    return MetricResult(
        METRICS["sources.clock_offset"].spec, frame, "offset", dimensions, int(frame.exams.sum()), warehouse.revision,
        {"exams": EXAMS}, (*scope.left_out(), *(item for item in left if item.n)), rows,
        float(max(latest, key=abs)) if len(frame) else None)


@metric(MetricSpec(
    "sources.transfer_delay", "Transfer delay",
    "Minutes from ImagingComplete (exam completed) to the archive's reception of the study, by device and month of "
    "exams that have both; a reception before the end of the exam is left out and counted.",
    MINUTES, "lower", "SIIM SWIM lexicon, 2015-06-18: Modality->PACS", "RID45983"))
def transfer_delay(warehouse: Warehouse, filters: Filters, period: Period = "month") -> MetricResult:
    """Measure how long images take into the archive: ``period``, ``site``, ``station_name``, ``median``, ``p90``."""
    scope = Scope(warehouse, filters, sa.and_(
        exams.c.has_study, exams.c.has_order, exams.c.stored_at.is_not(None), exams.c.imaging_complete_at.is_not(None)))
    delay = minutes_between(exams.c.imaging_complete_at, exams.c.stored_at)
    reversed_ = exams.c.stored_at < exams.c.imaging_complete_at
    rows = scope.rows(sa.not_(reversed_), period=period_start(exams.c.exam_date, period), minutes=delay)
    dimensions = ("period", "site", "station_name")

    def middle(c: Columns) -> dict[str, sa.ColumnElement[Any]]:
        return {"median": quantile(c.minutes, 0.5), "n": sa.func.count()}

    frame = warehouse.read(aggregate(rows, dimensions, lambda c: {**middle(c), "p90": quantile(c.minutes, 0.9)}))
    whole = warehouse.arrow(aggregate(rows, (), middle)).to_pylist()[0]
    return MetricResult(
        METRICS["sources.transfer_delay"].spec, frame, "median", dimensions, whole["n"], warehouse.revision,
        {"n": EXAMS}, scope.left_out({"received before the exam was complete": reversed_}), rows, whole["median"])
