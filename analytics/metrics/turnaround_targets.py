"""Turnaround against its targets: who kept them, who did not, and the worst of these; and times that cannot be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from analytics.core.filters import Filters
from analytics.core.quantity import BUSINESS_MINUTES, EXAMS, MINUTES, PERCENT
from analytics.core.results import MetricResult, MetricSpec
from analytics.metrics.base import METRICS, metric
from analytics.metrics.business_hours import AT_ANY_HOUR, CLOCK, EVERY_MINUTE, Hours, business_hours, spec_of
from analytics.metrics.intervals import BY_ID, TARGETS_CITATION, TARGETS_MINUTES
from analytics.metrics.scope import Scope, aggregate
from analytics.metrics.turnaround import Group, Judged, groups_of, hour_note, target_of
from analytics.warehouse.expressions import computed_once, count_where, literal, quantile
from analytics.warehouse.schema import exams
from analytics.warehouse.store import Warehouse

KEPT, LATE, OVERDUE, NOT_DUE = "in time", "late", "open and overdue", "open, not due yet"
_JUDGED = ("Against the time allowed by priority an exam is in time or late where the interval has ended, and overdue "
           "or not due yet where it is open at the snapshot's instant. Cancelled exams, impossible intervals (the end "
           f"before the start) and exams whose priority has no target are left out and counted. {EVERY_MINUTE}")
_NO_TARGET = "no target for its priority"
Targets = Mapping[str, float] | None


class _Targets:
    """The exams of an interval that have a target, each with how it stands to it."""

    def __init__(self, warehouse: Warehouse, filters: Filters, interval: str, targets: Targets, hours: Hours,
                 by: Group | None = None, site_zone: str | None = None) -> None:
        self.interval = BY_ID[interval]
        report = TARGETS_MINUTES if self.interval.is_report else {}
        self.allowed = dict(report if targets is None else targets)
        self.source = TARGETS_CITATION if targets is None else "set by the site"
        self.scope = Scope(warehouse, filters, exams.c.has_order)
        self.warehouse, self.business = warehouse, business_hours(hours, site_zone)
        judged = Judged(self.interval, self.scope.as_of, self.business)
        target, minutes = target_of(self.allowed), judged.promised
        past = minutes > target
        outcome = sa.case((sa.and_(judged.ended, past), literal(LATE)), (judged.ended, literal(KEPT)),
                          (past, literal(OVERDUE)), else_=literal(NOT_DUE))
        counted = sa.or_(judged.ended, judged.open)
        has_target = exams.c.priority.in_(list(self.allowed)) if self.allowed else sa.false()
        self.rows = judged.rows(self.scope, counted, has_target, outcome=outcome, minutes=minutes, target=target,
                                over=minutes - target, **self._clock(), **groups_of(self.interval, by, site_zone))
        without = sa.and_(counted, sa.or_(sa.not_(has_target), exams.c.priority.is_(None)))
        self.left_out = self.scope.left_out({**judged.reasons, _NO_TARGET: without})

    def _clock(self) -> dict[str, sa.ColumnElement[Any]]:
        if not self.business:
            return {}
        at_any_hour = sa.or_(*(exams.c.priority == literal(code) for code in AT_ANY_HOUR))
        return {"counted": sa.case((at_any_hour, literal("all hours")), else_=literal("business hours"))}

    def spec(self, metric_id: str) -> MetricSpec:
        """Return what a metric is, and which minutes count in it."""
        return spec_of(METRICS[metric_id].spec, self.business)

    @property
    def units(self) -> dict[str, str]:
        """Return the units of the columns of ``rows``."""
        return dict.fromkeys(("minutes", "target", "over"), BUSINESS_MINUTES if self.business else MINUTES)

    @property
    def notes(self) -> tuple[str, ...]:
        """Say what is measured and where the targets are from."""
        said = f"{self.interval.name}: from '{self.interval.start_label}' to '{self.interval.end_label}'."
        if not self.allowed:
            return (said, "No target is stated for this interval: give your own by priority.")
        held = self.business.target_notes(self.allowed) if self.business else ()
        return (said, " ".join((f"Targets: {self.source}.", *held)))


@metric(MetricSpec(
    "turnaround.breaches", "Targets kept and missed",
    f"Percent of the exams that are due which were in time. {_JUDGED} Exams not due yet do not count.", PERCENT,
    "higher", TARGETS_CITATION))
def breaches(warehouse: Warehouse, filters: Filters, interval: str = "turnaround.swim_rtat", by: Group = "priority",
             targets: Targets = None, hours: Hours = CLOCK, site_zone: str | None = None) -> MetricResult:
    """Count in each group the exams in time, late, overdue and not due yet.

    Parameters
    ----------
    interval : str
        Id of its metric.
    targets : mapping, optional
        Minutes allowed by priority; those of `TARGETS_CITATION` for intervals that end with the report.
    hours : str
        Which minutes count: ``clock``, ``business``, or a site's own business hours, such as ``7:30-19``. Priorities
        of `AT_ANY_HOUR` are held against the clock always.

    Returns
    -------
    MetricResult
        Columns ``by``, ``exams``, ``in_time``, ``late``, ``overdue``, ``not_due``, ``kept`` (percent), ``median_over``
        (minutes past the target, of the late and the overdue). ``rows`` carries ``outcome``.
    """
    held = _Targets(warehouse, filters, interval, targets, hours, by, site_zone)
    names = {"in_time": KEPT, "late": LATE, "overdue": OVERDUE, "not_due": NOT_DUE}
    frame = warehouse.read(aggregate(computed_once(held.rows), (by,), lambda c: {
        "exams": sa.func.count(), **{name: count_where(c.outcome == literal(said)) for name, said in names.items()},
        "median_over": quantile(sa.case((c.over > literal(0.0), c.over)), 0.5)}))
    due = (frame.exams - frame.not_due).astype(float)
    frame["kept"] = 100.0 * frame.in_time / due.where(due > 0)
    in_all, kept = float(due.sum()), float(frame.in_time.sum())
    return MetricResult(
        held.spec("turnaround.breaches"), frame, "kept", (by,), int(frame.exams.sum()), warehouse.revision,
        {**dict.fromkeys(("exams", *names), EXAMS), "median_over": held.units["over"], **held.units}, held.left_out,
        held.rows, 100.0 * kept / in_all if in_all else None, (*hour_note(held.interval, by), *held.notes))


@metric(MetricSpec(
    "turnaround.worst", "Farthest past their target",
    f"Minutes by which an exam is past its target, one row an exam, the farthest first. {_JUDGED}", MINUTES, "lower",
    TARGETS_CITATION))
def worst(warehouse: Warehouse, filters: Filters, interval: str = "turnaround.swim_rtat", targets: Targets = None,
          limit: int = 100, hours: Hours = CLOCK, site_zone: str | None = None) -> MetricResult:
    """List the exams farthest past their target: the exam, ``outcome``, ``minutes`` so far, ``target``, ``over``.

    With business hours, ``counted`` says of each exam whether its minutes are those or the clock's.
    """
    held = _Targets(warehouse, filters, interval, targets, hours, site_zone=site_zone)
    missed = computed_once(held.rows).subquery("missed")
    past: sa.Select[Any] = sa.select(*missed.columns).where(missed.c.over > literal(0.0))
    frame = warehouse.read(past.order_by(missed.c.over.desc(), missed.c.exam_id).limit(limit))
    return MetricResult(
        held.spec("turnaround.worst"), frame, "over", ("exam_id",), len(frame), warehouse.revision, held.units,
        held.left_out, past, float(frame.over.iloc[0]) if len(frame) else None,
        held.notes)


@metric(MetricSpec(
    "turnaround.impossible", "Impossible intervals",
    "Minutes by which an interval's end lies before its start, one row an exam, the farthest first: times that no "
    "figure counts, to be put right at their source. Cancelled exams are not listed.", MINUTES, "lower",
    "SIIM SWIM lexicon, 2015-06-18: the order of its events"))
def impossible(warehouse: Warehouse, filters: Filters, interval: str = "turnaround.swim_rtat",
               limit: int = 500) -> MetricResult:
    """List the exams whose interval cannot be: the exam, ``starts_at``, ``ends_at`` (UTC), ``reversed`` (minutes)."""
    one = BY_ID[interval]
    scope = Scope(warehouse, filters, exams.c.has_order)
    start, end = exams.c[one.start], exams.c[one.end]
    minutes = -Judged(one, scope.as_of).minutes
    rows = scope.rows(exams.c.exam_cancelled_at.is_(None), end < start, starts_at=start, ends_at=end, reversed=minutes)
    frame = warehouse.read(rows.order_by(minutes.desc(), exams.c.exam_id).limit(limit))
    counted = warehouse.count(rows)
    return MetricResult(
        METRICS["turnaround.impossible"].spec, frame, "reversed", ("exam_id",), counted, warehouse.revision,
        left_out=scope.left_out(), rows=rows, headline=float(frame.reversed.iloc[0]) if len(frame) else None,
        notes=(f"{one.name}: '{one.end_label}' before '{one.start_label}'.",))
