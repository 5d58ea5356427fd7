"""Turnaround: each named interval by period, with its open cases beside it."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from analytics.core.filters import Filters
from analytics.core.quantity import BUSINESS_MINUTES, EXAMS, MINUTES, PERCENT
from analytics.core.results import MetricResult, MetricSpec
from analytics.core.settings import load_settings
from analytics.metrics.base import METRICS, metric
from analytics.metrics.buckets import REPORT_TIMES, WAITING, Buckets
from analytics.metrics.business_hours import (
    AT_ANY_HOUR,
    CLOCK,
    EVERY_MINUTE,
    BusinessHours,
    BusinessMinutes,
    Hours,
    business_hours,
    spec_of,
)
from analytics.metrics.intervals import BY_ID, INTERVALS, TARGETS_CITATION, TARGETS_MINUTES, Interval
from analytics.metrics.periods import cut_note, whole_periods
from analytics.metrics.scope import Columns, Condition, Scope, aggregate
from analytics.warehouse.expressions import (
    Period,
    computed_once,
    count_where,
    literal,
    local,
    mean,
    minutes_between,
    period_start,
    quantile,
)
from analytics.warehouse.schema import Instant, exams
from analytics.warehouse.store import Warehouse

ACR_COLUMNS = dict(zip(REPORT_TIMES.labels, ("under_12_h", "from_12_to_24_h", "from_24_to_48_h", "over_48_h"),
                       strict=True))
OUTSIDE_NOTE = ("{at_once:,} of {n:,} finished exams take 0 minutes: they began and ended outside business hours, or "
                "at one instant. The ACR's classes are of the clock; here they hold business hours.")
_WAITING_HOURS = Buckets(WAITING.edges, ("< 1 h", "1-4 h", "4-12 h", "12-24 h", "24-72 h", "72-168 h", "> 168 h"))
"""The same with no days: 24 business hours are more than one."""
UNITS = {"n": EXAMS, "open": EXAMS, "within_target": PERCENT, **dict.fromkeys(ACR_COLUMNS.values(), EXAMS)}
OPEN_NOTE = ("{open:,} exams are still open. A figure of finished exams alone looks better than the truth, most of all "
             "in the latest period, where the slow ones are not finished yet; the median with open cases counts each "
             "at its age so far, which is a floor, and 'Turnaround with open exams counted' estimates it.")


Group = Literal["site", "modality", "station_name", "patient_class", "priority", "hour"]
"""What a turnaround can be split by; ``hour`` is that at which the interval starts, on the site's clock."""


class Judged:
    """An interval as conditions on ``exams``: which have ended, are open, or can not be measured.

    Attributes
    ----------
    ended, open : conditions; they do not depend on which minutes count.
    minutes, age : minutes of those that ended, and of those open up to the snapshot's instant.
    promised : minutes or age that a target is held against: those of the clock for `AT_ANY_HOUR`.
    reasons : mapping of reason to condition: what is neither.
    """

    def __init__(self, interval: Interval, now: datetime | None, business: BusinessHours | None = None) -> None:
        start, end = exams.c[interval.start], exams.c[interval.end]
        instant = sa.literal(now, Instant) if now else sa.cast(sa.null(), Instant)
        valid = sa.and_(exams.c.exam_cancelled_at.is_(None), start.is_not(None))
        passed = sa.or_(sa.false(), *(exams.c[name].is_not(None) for name in interval.passed))
        unfinished = sa.and_(valid, end.is_(None), sa.not_(passed))
        self.ended = sa.and_(valid, end >= start)
        self.open = sa.and_(unfinished, start <= instant)
        self.minutes, self.age = minutes_between(start, end), minutes_between(start, instant)
        self._source: sa.FromClause = exams
        self.promised = by_clock = sa.case((self.ended, self.minutes), (self.open, self.age))
        if business:
            counted = BusinessMinutes(business, start, end, now)
            self.minutes, self.age, self._source = counted.minutes, counted.age, counted.source
            at_any_hour = sa.or_(*(exams.c.priority == literal(code) for code in AT_ANY_HOUR))
            self.promised = sa.case(
                (at_any_hour, by_clock), else_=sa.case((self.ended, self.minutes), (self.open, self.age)))
        self.reasons = {
            "exam cancelled": exams.c.exam_cancelled_at.is_not(None),
            f"no time for '{interval.start_label}'": sa.and_(exams.c.exam_cancelled_at.is_(None), start.is_(None)),
            f"impossible: '{interval.end_label}' before '{interval.start_label}'": sa.and_(valid, end < start),
            f"'{interval.end_label}' not recorded though later steps are": sa.and_(valid, end.is_(None), passed),
            f"'{interval.start_label}' after the last thing this snapshot knows of":
                sa.and_(unfinished, start > instant),
        }

    def rows(self, scope: Scope, *where: Condition, **columns: sa.ColumnElement[Any]) -> sa.Select[Any]:
        """Return the exams of a scope, one row each, with columns that are made of this interval's expressions."""
        return scope.rows(*where, **columns).select_from(self._source)


def groups_of(interval: Interval, by: Group | None, site_zone: str | None) -> dict[str, sa.ColumnElement[Any]]:
    """Return the columns that a split needs besides those every select of exams has."""
    if by != "hour":
        return {}
    start = local(exams.c[interval.start], site_zone or load_settings().site_zone)
    return {"hour": sa.cast(sa.extract("hour", start), sa.Integer)}


def hour_note(interval: Interval, by: Group | None) -> tuple[str, ...]:
    """Say which hour an exam's is, where exams are split by it."""
    return (f"The hour is that of '{interval.start_label}', on the site's clock.",) if by == "hour" else ()


def target_of(targets: Mapping[str, float]) -> sa.ColumnElement[Any]:
    """Return the minutes allowed to an exam by its priority; none where its priority has no target."""
    steps = [(exams.c.priority == literal(priority), literal(float(minutes))) for priority, minutes in targets.items()]
    return sa.case(*steps) if steps else sa.cast(sa.null(), sa.Double)


def _figures(columns: Columns) -> dict[str, sa.ColumnElement[Any]]:
    kept = count_where(sa.and_(columns.minutes.is_not(None), columns.over <= literal(0.0)))
    of = count_where(sa.or_(sa.and_(columns.minutes.is_not(None), columns.over.is_not(None)),
                            columns.over > literal(0.0)))
    return {
        "n": sa.func.count(columns.minutes), "median": quantile(columns.minutes, 0.5),
        "p90": quantile(columns.minutes, 0.9), "mean": mean(columns.minutes),
        "open": sa.func.count(columns.age), "open_median_age": quantile(columns.age, 0.5),
        "median_with_open": quantile(sa.func.coalesce(columns.minutes, columns.age), 0.5),
        "within_target": 100.0 * sa.cast(kept, sa.Double) / sa.func.nullif(of, literal(0)),
        **{name: count_where(REPORT_TIMES.of(columns.minutes) == label) for label, name in ACR_COLUMNS.items()},
    }


def interval_turnaround(interval: Interval, warehouse: Warehouse, filters: Filters, /, period: Period = "month",
                        by: Group | None = None, targets: Mapping[str, float] | None = None, hours: Hours = CLOCK,
                        site_zone: str | None = None) -> MetricResult:
    """Measure one interval in each period and group.

    Parameters
    ----------
    interval : Interval
    period, by : how exams are grouped, by exam date.
    targets : mapping, optional
        Minutes allowed by priority; `TARGETS_MINUTES` for intervals that end with the report, else none.
    hours : str
        Which minutes count: ``clock``, ``business``, or a site's own business hours, such as ``7:30-19``.
    site_zone : str, optional
        Of the hours; that of the settings where not given.

    Returns
    -------
    MetricResult
        Columns ``period``, ``by``, ``n`` (ended), ``median``, ``p90``, ``mean`` (minutes), ``open`` (count),
        ``open_median_age`` (minutes so far), ``median_with_open`` (open cases at their age so far: a floor of
        the truth), ``within_target`` (percent of ended, and of open ones already past theirs), the four ACR
        buckets, ``whole``. ``rows`` are the ended exams, with ``minutes``, ``over`` (minutes past the target) and
        ``acr_class``, the bucket of each.
    """
    scope = Scope(warehouse, filters, exams.c.has_order)
    business = business_hours(hours, site_zone)
    judged = Judged(interval, scope.as_of, business)
    allowed = targets if targets is not None else TARGETS_MINUTES if interval.is_report else {}
    columns: dict[str, sa.ColumnElement[Any]] = {
        "period": period_start(exams.c.exam_date, period), **groups_of(interval, by, site_zone),
        "minutes": sa.case((judged.ended, judged.minutes)), "age": sa.case((judged.open, judged.age)),
        "target": target_of(allowed), "over": judged.promised - target_of(allowed),
    }
    measured = computed_once(judged.rows(scope, sa.or_(judged.ended, judged.open), **columns))
    dimensions = ("period", by) if by else ("period",)
    frame = warehouse.read(aggregate(measured, dimensions, _figures))
    frame["whole"] = whole_periods(frame.period, period, filters, scope.whole_until)
    in_all = aggregate(measured, (), lambda c: {
        "n": sa.func.count(c.minutes), "open": sa.func.count(c.age), "median": quantile(c.minutes, 0.5),
        "at_once": count_where(c.minutes == literal(0.0))})
    whole = warehouse.arrow(in_all).to_pylist()[0]
    notes = [OPEN_NOTE.format(**whole)] if whole["open"] else []
    if allowed:
        source = TARGETS_CITATION if allowed is TARGETS_MINUTES else "set by the site"
        notes.append(f"Targets: {source}. An open exam past its target counts as outside it.")
    if business:
        notes += [*business.notes, *business.target_notes(allowed), OUTSIDE_NOTE.format(**whole)]
    spec = spec_of(METRICS[interval.id].spec, business)
    minutes = dict.fromkeys(("minutes", "age", "target", "over"), spec.unit)
    return MetricResult(
        spec, frame, "median", dimensions, whole["n"], warehouse.revision, UNITS | minutes,
        scope.left_out(judged.reasons), judged.rows(scope, judged.ended, **{
            **columns, "minutes": judged.minutes, "acr_class": REPORT_TIMES.of(judged.minutes)}),
        whole["median"], (*notes, *hour_note(interval, by), *cut_note(frame.period, frame.whole, period)))


for _interval in INTERVALS:
    metric(MetricSpec(_interval.id, _interval.name, _interval.definition, MINUTES, "lower", _interval.citation,
                      _interval.rid))(functools.partial(interval_turnaround, _interval))


@metric(MetricSpec(
    "turnaround.open_cases", "Open cases by age",
    "Number of exams for which an interval has started and not ended at the snapshot's instant, by their age so far; "
    f"cancelled exams and those whose later steps are recorded are not open. {EVERY_MINUTE}",
    EXAMS, "lower", "SIIM SWIM lexicon, 2015-06-18; age by the snapshot's own instant"))
def open_cases(warehouse: Warehouse, filters: Filters, interval: str = "turnaround.swim_rtat", by: Group = "modality",
               hours: Hours = CLOCK, site_zone: str | None = None) -> MetricResult:
    """Count the open cases of an interval by age so far; ``rows`` carries ``minutes`` so far.

    Returns
    -------
    MetricResult
        Columns ``age`` (bucket), ``by``, ``exams``.
    """
    scope, one = Scope(warehouse, filters, exams.c.has_order), BY_ID[interval]
    business = business_hours(hours, site_zone)
    judged = Judged(one, scope.as_of, business)
    ages = _WAITING_HOURS if business else WAITING
    rows = judged.rows(scope, judged.open, age=ages.of(judged.age), minutes=judged.age,
                       **groups_of(one, by, site_zone))
    frame = warehouse.read(aggregate(rows, ("age", by), lambda _: {"exams": sa.func.count()}))
    counted = int(frame.exams.sum())
    return MetricResult(
        spec_of(METRICS["turnaround.open_cases"].spec, business), ages.in_order(frame, "age"), "exams", ("age", by),
        counted, warehouse.revision, {"minutes": BUSINESS_MINUTES if business else MINUTES},
        scope.left_out(judged.reasons), rows, float(counted),
        (f"{one.name}: {one.definition.replace(EVERY_MINUTE, '').strip()}", *(business.notes if business else ()),
         *hour_note(one, by)))
