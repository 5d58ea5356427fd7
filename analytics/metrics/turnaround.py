"""Turnaround: each named interval by period, with its open cases beside it."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from analytics.core.filters import Filters
from analytics.core.quantity import EXAMS, MINUTES, PERCENT
from analytics.core.results import MetricResult, MetricSpec
from analytics.metrics.base import METRICS, metric
from analytics.metrics.buckets import REPORT_TIMES, WAITING
from analytics.metrics.intervals import BY_ID, INTERVALS, TARGETS_CITATION, TARGETS_MINUTES, Interval
from analytics.metrics.periods import cut_note, whole_periods
from analytics.metrics.scope import Columns, Dimension, Scope, aggregate
from analytics.warehouse.expressions import (
    Period,
    count_where,
    literal,
    mean,
    minutes_between,
    period_start,
    quantile,
)
from analytics.warehouse.schema import Instant, exams
from analytics.warehouse.store import Warehouse

ACR_COLUMNS = dict(zip(REPORT_TIMES.labels, ("under_12_h", "from_12_to_24_h", "from_24_to_48_h", "over_48_h"),
                       strict=True))
UNITS = {"n": EXAMS, "open": EXAMS, "within_target": PERCENT, **dict.fromkeys(ACR_COLUMNS.values(), EXAMS)}
OPEN_NOTE = ("{open:,} exams are still open. A figure of finished exams alone looks better than the truth, most of all "
             "in the latest period, where the slow ones are not finished yet; the median with open cases counts each "
             "at its age so far, which is a floor, and 'Turnaround with open exams counted' estimates it.")


class Judged:
    """An interval as conditions on ``exams``: which have ended, are open, or can not be measured.

    Attributes
    ----------
    ended, open : conditions.
    minutes, age : minutes of those that ended, and of those open up to the snapshot's instant.
    reasons : mapping of reason to condition: what is neither.
    """

    def __init__(self, interval: Interval, now: datetime | None) -> None:
        start, end = exams.c[interval.start], exams.c[interval.end]
        instant = sa.literal(now, Instant) if now else sa.cast(sa.null(), Instant)
        valid = sa.and_(exams.c.exam_cancelled_at.is_(None), start.is_not(None))
        passed = sa.or_(sa.false(), *(exams.c[name].is_not(None) for name in interval.passed))
        unfinished = sa.and_(valid, end.is_(None), sa.not_(passed))
        self.ended = sa.and_(valid, end >= start)
        self.open = sa.and_(unfinished, start <= instant)
        self.minutes, self.age = minutes_between(start, end), minutes_between(start, instant)
        self.reasons = {
            "exam cancelled": exams.c.exam_cancelled_at.is_not(None),
            f"no time for '{interval.start_label}'": sa.and_(exams.c.exam_cancelled_at.is_(None), start.is_(None)),
            f"impossible: '{interval.end_label}' before '{interval.start_label}'": sa.and_(valid, end < start),
            f"'{interval.end_label}' not recorded though later steps are": sa.and_(valid, end.is_(None), passed),
            f"'{interval.start_label}' after the last thing this snapshot knows of":
                sa.and_(unfinished, start > instant),
        }


def target_of(targets: Mapping[str, float]) -> sa.ColumnElement[Any]:
    """Return the minutes allowed to an exam by its priority; none where its priority has no target."""
    steps = [(exams.c.priority == literal(priority), literal(float(minutes))) for priority, minutes in targets.items()]
    return sa.case(*steps) if steps else sa.cast(sa.null(), sa.Double)


def _figures(columns: Columns) -> dict[str, sa.ColumnElement[Any]]:
    due = sa.or_(columns.minutes.is_not(None), columns.age > columns.target)
    kept = count_where(columns.minutes <= columns.target)
    of = count_where(sa.and_(columns.target.is_not(None), due))
    return {
        "n": sa.func.count(columns.minutes), "median": quantile(columns.minutes, 0.5),
        "p90": quantile(columns.minutes, 0.9), "mean": mean(columns.minutes),
        "open": sa.func.count(columns.age), "open_median_age": quantile(columns.age, 0.5),
        "median_with_open": quantile(sa.func.coalesce(columns.minutes, columns.age), 0.5),
        "within_target": 100.0 * sa.cast(kept, sa.Double) / sa.func.nullif(of, literal(0)),
        **{name: count_where(REPORT_TIMES.of(columns.minutes) == label) for label, name in ACR_COLUMNS.items()},
    }


def interval_turnaround(interval: Interval, warehouse: Warehouse, filters: Filters, /, period: Period = "month",
                        by: Dimension | None = None, targets: Mapping[str, float] | None = None) -> MetricResult:
    """Measure one interval in each period and group.

    Parameters
    ----------
    interval : Interval
    period, by : how exams are grouped, by exam date.
    targets : mapping, optional
        Minutes allowed by priority; `TARGETS_MINUTES` for intervals that end with the report, else none.

    Returns
    -------
    MetricResult
        Columns ``period``, ``by``, ``n`` (ended), ``median``, ``p90``, ``mean`` (minutes), ``open`` (count),
        ``open_median_age`` (minutes so far), ``median_with_open`` (open cases at their age so far: a floor of
        the truth), ``within_target`` (percent of ended, and of open ones already past theirs), the four ACR
        buckets, ``whole``. ``rows`` are the ended exams, with ``minutes`` and ``acr_class``, the bucket of each.
    """
    scope = Scope(warehouse, filters, exams.c.has_order)
    judged = Judged(interval, scope.as_of)
    allowed = targets if targets is not None else TARGETS_MINUTES if interval.is_report else {}
    columns: dict[str, sa.ColumnElement[Any]] = {
        "period": period_start(exams.c.exam_date, period),
        "minutes": sa.case((judged.ended, judged.minutes)), "age": sa.case((judged.open, judged.age)),
        "target": target_of(allowed),
    }
    measured = scope.rows(sa.or_(judged.ended, judged.open), **columns)
    dimensions = ("period", by) if by else ("period",)
    frame = warehouse.read(aggregate(measured, dimensions, _figures))
    frame["whole"] = whole_periods(frame.period, period, filters, scope.whole_until)
    in_all = aggregate(measured, (), lambda c: {
        "n": sa.func.count(c.minutes), "open": sa.func.count(c.age), "median": quantile(c.minutes, 0.5)})
    whole = warehouse.arrow(in_all).to_pylist()[0]
    notes = [OPEN_NOTE.format(**whole)] if whole["open"] else []
    if allowed:
        source = TARGETS_CITATION if allowed is TARGETS_MINUTES else "set by the site"
        notes.append(f"Targets: {source}. An open exam past its target counts as outside it.")
    return MetricResult(
        METRICS[interval.id].spec, frame, "median", dimensions, whole["n"], warehouse.revision, UNITS,
        scope.left_out(judged.reasons), scope.rows(judged.ended, **{
            **columns, "minutes": judged.minutes, "acr_class": REPORT_TIMES.of(judged.minutes)}),
        whole["median"], (*notes, *cut_note(frame.period, frame.whole, period)))


for _interval in INTERVALS:
    metric(MetricSpec(_interval.id, _interval.name, _interval.definition, MINUTES, "lower", _interval.citation,
                      _interval.rid))(functools.partial(interval_turnaround, _interval))


@metric(MetricSpec(
    "turnaround.open_cases", "Open cases by age",
    "Number of exams for which an interval has started and not ended at the snapshot's instant, by their age so far; "
    "cancelled exams and those whose later steps are recorded are not open.",
    EXAMS, "lower", "SIIM SWIM lexicon, 2015-06-18; age by the snapshot's own instant"))
def open_cases(warehouse: Warehouse, filters: Filters, interval: str = "turnaround.swim_rtat",
               by: Dimension = "modality") -> MetricResult:
    """Count the open cases of an interval by age so far; ``rows`` carries ``minutes`` so far.

    Returns
    -------
    MetricResult
        Columns ``age`` (bucket), ``by``, ``exams``.
    """
    scope = Scope(warehouse, filters, exams.c.has_order)
    judged = Judged(BY_ID[interval], scope.as_of)
    rows = scope.rows(judged.open, age=WAITING.of(judged.age), minutes=judged.age)
    frame = warehouse.read(aggregate(rows, ("age", by), lambda _: {"exams": sa.func.count()}))
    counted = int(frame.exams.sum())
    return MetricResult(
        METRICS["turnaround.open_cases"].spec, WAITING.in_order(frame, "age"), "exams", ("age", by), counted,
        warehouse.revision, left_out=scope.left_out(judged.reasons), rows=rows, headline=float(counted),
        notes=(f"{BY_ID[interval].name}: {BY_ID[interval].definition}",))
