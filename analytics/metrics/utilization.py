"""Utilization: how much of its planned time a device is in use, and how long its exams take."""

from __future__ import annotations

from typing import Any

import pandas as pd
import sqlalchemy as sa

from analytics.core.filters import Filters
from analytics.core.quantity import EXAMS, MINUTES, PERCENT
from analytics.core.results import MetricResult, MetricSpec
from analytics.metrics.base import METRICS, metric
from analytics.metrics.periods import cut_note, whole_periods
from analytics.metrics.scope import Columns, Scope, aggregate
from analytics.warehouse.expressions import Period, literal, minutes_between, period_start, quantile
from analytics.warehouse.schema import exams
from analytics.warehouse.store import Warehouse

HOURS_A_WEEK = 50.0
"""Planned hours of a scanner, as published capacity planning assumes; a site sets its own."""
LONGEST_EXAM_MINUTES = 1440.0
_TIMED = ("Exams with a start (ProcedureStart) and a completion (ImagingComplete), not cancelled; those that end "
          "before they start or last a day or more are left out and counted.")


class Timed:
    """The exams whose duration is known and can be."""

    def __init__(self, warehouse: Warehouse, filters: Filters) -> None:
        start, end = exams.c.procedure_start_at, exams.c.imaging_complete_at
        self.scope = Scope(warehouse, filters, sa.and_(exams.c.has_order, exams.c.exam_cancelled_at.is_(None)))
        minutes = minutes_between(start, end)
        both = sa.and_(start.is_not(None), end.is_not(None))
        self.possible = sa.and_(both, end >= start, minutes < literal(LONGEST_EXAM_MINUTES))
        self.minutes = minutes
        self.left_out = self.scope.left_out({
            "no start or no completion": sa.not_(both),
            "impossible: completed before it started": sa.and_(both, end < start),
            "lasts a day or more": sa.and_(both, minutes >= literal(LONGEST_EXAM_MINUTES)),
        })

    def rows(self, **columns: sa.ColumnElement[Any]) -> sa.Select[Any]:
        """Return the timed exams with their ``minutes``."""
        return self.scope.rows(self.possible, minutes=self.minutes, **columns)


@metric(MetricSpec(
    "utilization.by_device", "Utilization by device",
    "Sum of exam durations (ImagingComplete - ProcedureStart) over the planned hours: a set number of hours a week "
    f"(here {HOURS_A_WEEK:g}, unless set) from the device's first to its last exam day in the period, both included. "
    f"{_TIMED} Overlapping exams count each, so that it can exceed 100 %.",
    PERCENT, "neutral", "SIIM SWIM lexicon, 2015-06-18: ModalityUtilization = sum(exam complete - procedure start) / "
    "sum(scheduled availability)", "RID45978"))
def by_device(warehouse: Warehouse, filters: Filters, hours_a_week: float = HOURS_A_WEEK) -> MetricResult:
    """Measure how much of its planned time each device is in use.

    Returns
    -------
    MetricResult
        Columns ``site``, ``station_name``, ``exams``, ``median_duration`` (minutes), ``busy``,
        ``planned`` (hours), ``utilization`` (percent).
    """
    timed = Timed(warehouse, filters)
    rows = timed.rows()
    dimensions = ("site", "station_name")
    frame = warehouse.read(aggregate(rows, dimensions, lambda c: {
        "exams": sa.func.count(), "median_duration": quantile(c.minutes, 0.5),
        "busy": sa.func.sum(c.minutes, type_=sa.Double) / literal(60.0),
        "first_day": sa.func.min(c.exam_date, type_=sa.Date), "last_day": sa.func.max(c.exam_date, type_=sa.Date)}))
    days = (pd.to_datetime(frame.last_day) - pd.to_datetime(frame.first_day)).dt.days + 1
    frame["planned"] = hours_a_week * days / 7.0
    frame["utilization"] = 100.0 * frame.busy / frame.planned
    frame = frame.drop(columns=["first_day", "last_day"])
    planned = float(frame.planned.sum())
    return MetricResult(
        METRICS["utilization.by_device"].spec, frame, "utilization", dimensions, int(frame.exams.sum()),
        warehouse.revision, {"exams": EXAMS, "median_duration": MINUTES, "busy": "h", "planned": "h"}, timed.left_out,
        rows, 100.0 * float(frame.busy.sum()) / planned if planned else None,
        (f"Planned time is assumed to be {hours_a_week:g} h a week for every device; give your own if it differs.",))


@metric(MetricSpec(
    "utilization.duration_by_period", "Exam duration by device",
    f"Median minutes from ProcedureStart to ImagingComplete on each device in each period. {_TIMED}",
    MINUTES, "lower", "SIIM SWIM lexicon, 2015-06-18: AcquisitionDuration", "RID45981"))
def duration_by_period(warehouse: Warehouse, filters: Filters, period: Period = "month") -> MetricResult:
    """Measure how long exams take on each device in each period: a scanner that begins to fail shows here.

    Returns
    -------
    MetricResult
        Columns ``period``, ``site``, ``station_name``, ``modality``, ``median``, ``p90`` (minutes), ``exams``,
        ``whole``.
    """
    timed = Timed(warehouse, filters)
    rows = timed.rows(period=period_start(exams.c.exam_date, period))
    dimensions = ("period", "site", "station_name", "modality")

    def middle(c: Columns) -> dict[str, sa.ColumnElement[Any]]:
        return {"median": quantile(c.minutes, 0.5), "exams": sa.func.count()}

    frame = warehouse.read(aggregate(rows, dimensions, lambda c: {**middle(c), "p90": quantile(c.minutes, 0.9)}))
    whole = warehouse.arrow(aggregate(rows, (), middle)).to_pylist()[0]
    frame["whole"] = whole_periods(frame.period, period, filters, timed.scope.whole_until)
    return MetricResult(
        METRICS["utilization.duration_by_period"].spec, frame, "median", dimensions, whole["exams"],
        warehouse.revision, {"exams": EXAMS}, timed.left_out, rows, whole["median"],
        cut_note(frame.period, frame.whole, period))
