"""Backlog: what is in the archive, ready to read, and has no final report."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pandas as pd
import sqlalchemy as sa

from analytics.core.filters import Filters
from analytics.core.quantity import EXAMS, MINUTES
from analytics.core.results import MetricResult, MetricSpec
from analytics.core.settings import load_settings
from analytics.metrics.base import METRICS, metric
from analytics.metrics.buckets import WAITING
from analytics.metrics.scope import Dimension, Scope, aggregate, undated
from analytics.warehouse.expressions import count_where, literal, local, minutes_between, quantile, total
from analytics.warehouse.schema import Instant, exams
from analytics.warehouse.store import Warehouse

ready_at = sa.func.coalesce(exams.c.images_prepared_at, exams.c.images_stored_at, type_=Instant)
_UNREAD = ("Exams with images ready to read (ImagesPrepared, else ImagesStoredInArchive) and no final report "
           "(Reported) at the snapshot's instant. Cancelled exams do not count, nor studies without an order: whether "
           "those were read is not known.")
_CITATION = "SIIM SWIM lexicon, 2015-06-18: ImagesPrepared (RID45914), Reported (RID45924)"


class Unread:
    """The exams that wait for a final report, and how long they have."""

    def __init__(self, warehouse: Warehouse, filters: Filters) -> None:
        self.warehouse = warehouse
        self.scope = Scope(warehouse, filters, ready_at.is_not(None))
        instant = sa.literal(self.scope.as_of, Instant) if self.scope.as_of else sa.cast(sa.null(), Instant)
        waiting = sa.and_(exams.c.reported_at.is_(None), exams.c.exam_cancelled_at.is_(None))
        self.condition = sa.and_(exams.c.has_order, waiting, ready_at <= instant)
        self.age = minutes_between(ready_at, instant)
        self.reasons = {
            "study without an order, so not known to be read": sa.and_(sa.not_(exams.c.has_order), waiting),
            "exam cancelled": sa.and_(exams.c.reported_at.is_(None), exams.c.exam_cancelled_at.is_not(None)),
            "ready to read after the last thing this snapshot knows of":
                sa.and_(exams.c.has_order, waiting, ready_at > instant),
        }

    def rows(self) -> sa.Select[Any]:
        """Return the unread exams, with ``minutes`` waited so far and ``age``, its bucket."""
        return self.scope.rows(self.condition, age=WAITING.of(self.age), minutes=self.age, available_at=ready_at,
                               has_preliminary=exams.c.prelim_publish_at.is_not(None))

    def result(self, metric_id: str, frame: pd.DataFrame, dimensions: tuple[str, ...]) -> MetricResult:
        """Return the answer of a metric whose groups are unread exams."""
        counted = int(frame.unread.sum())
        return MetricResult(
            METRICS[metric_id].spec, frame, "unread", dimensions, counted, self.warehouse.revision,
            {"median_age": MINUTES, "oldest_age": MINUTES}, self.scope.left_out(self.reasons), self.rows(),
            float(counted), as_of_note(self.scope.as_of))


def as_of_note(now: datetime | None) -> tuple[str, ...]:
    """Say the instant that an age is counted to."""
    return (f"As of {now:%Y-%m-%d %H:%M} UTC, the last thing this snapshot knows of.",) if now else ()


@metric(MetricSpec("backlog.unread_now", "Unread now", _UNREAD, EXAMS, "lower", _CITATION))
def unread_now(warehouse: Warehouse, filters: Filters, by: Dimension = "site") -> MetricResult:
    """Count the exams that wait for a final report, in each group.

    Returns
    -------
    MetricResult
        Columns ``by``, ``unread``, ``median_age``, ``oldest_age`` (minutes), ``with_preliminary`` (of them, with a
        preliminary report), ``over_3_days``.
    """
    unread = Unread(warehouse, filters)
    frame = warehouse.read(aggregate(unread.rows(), (by,), lambda c: {
        "unread": sa.func.count(), "median_age": quantile(c.minutes, 0.5),
        "oldest_age": sa.func.max(c.minutes, type_=sa.Double), "with_preliminary": count_where(c.has_preliminary),
        "over_3_days": count_where(c.minutes >= literal(3 * 1440.0)),
    })).sort_values("unread", ascending=False, kind="stable").reset_index(drop=True)
    return unread.result("backlog.unread_now", frame, (by,))


@metric(MetricSpec("backlog.unread_by_age", "Unread by age", f"{_UNREAD} By how long they have waited.", EXAMS,
                   "lower", _CITATION))
def unread_by_age(warehouse: Warehouse, filters: Filters, by: Dimension = "modality") -> MetricResult:
    """Count the unread exams by how long they have waited: columns ``age``, ``by``, ``unread``."""
    unread = Unread(warehouse, filters)
    frame = warehouse.read(aggregate(unread.rows(), ("age", by), lambda _: {"unread": sa.func.count()}))
    return unread.result("backlog.unread_by_age", WAITING.in_order(frame, "age"), ("age", by))


@metric(MetricSpec(
    "backlog.oldest", "Oldest unread", f"{_UNREAD} One row an exam with the minutes it has waited, the longest first.",
    MINUTES, "lower", _CITATION))
def oldest(warehouse: Warehouse, filters: Filters, limit: int = 100) -> MetricResult:
    """List the unread exams that have waited longest: the exam, ``minutes`` waited and ``has_preliminary``."""
    unread = Unread(warehouse, filters)
    rows = unread.rows()
    frame = warehouse.read(rows.order_by(rows.selected_columns.minutes.desc(), exams.c.exam_id).limit(limit))
    return MetricResult(
        METRICS["backlog.oldest"].spec, frame, "minutes", ("exam_id",), len(frame), warehouse.revision,
        left_out=unread.scope.left_out(unread.reasons), rows=rows,
        headline=float(frame.minutes.iloc[0]) if len(frame) else None, notes=as_of_note(unread.scope.as_of))


@metric(MetricSpec(
    "backlog.unread_over_time", "Unread at the end of each day",
    "Exams that were ready to read by the end of a day and had no final report by then, of those the other filters "
    "select: what had become ready less what had been reported. Exams with an order that are not cancelled, and whose "
    "report is not before their images were ready. Days on which nothing became ready or was reported are not listed.",
    EXAMS, "lower", _CITATION))
def unread_over_time(warehouse: Warehouse, filters: Filters, site_zone: str | None = None) -> MetricResult:
    """Count what was unread at the end of each day on the site's clock.

    The period chooses the days shown, never the exams: one from before can still have been unread. ``n`` and what is
    left out are therefore of all days.

    Returns
    -------
    MetricResult
        Columns ``day``, ``arrived``, ``reported``, ``unread``.
    """
    zone = site_zone or load_settings().site_zone
    unread = Scope(warehouse, undated(filters), ready_at.is_not(None))
    instant = sa.literal(unread.as_of, Instant) if unread.as_of else sa.cast(sa.null(), Instant)
    reversed_ = exams.c.reported_at < ready_at
    counted = sa.and_(exams.c.has_order, exams.c.exam_cancelled_at.is_(None))
    known = sa.and_(counted, ready_at <= instant)
    dated = unread.rows(known, sa.or_(exams.c.reported_at.is_(None), sa.not_(reversed_)),
                        ready_at=ready_at, reported_at=exams.c.reported_at)
    frame = warehouse.read(_running(dated, zone))
    counted_exams = int(frame.arrived.sum())
    shown = pd.Series(True, index=frame.index)
    if filters.date_from:
        shown &= frame.day >= pd.Timestamp(filters.date_from)
    if filters.date_to:
        shown &= frame.day <= pd.Timestamp(filters.date_to)
    frame = frame[shown].reset_index(drop=True)
    reasons = {
        "study without an order, so not known to be read": sa.not_(exams.c.has_order),
        "exam cancelled": sa.and_(exams.c.has_order, exams.c.exam_cancelled_at.is_not(None)),
        "ready to read after the last thing this snapshot knows of": sa.and_(counted, ready_at > instant),
        "report before the images were ready": sa.and_(known, reversed_),
    }
    return MetricResult(
        METRICS["backlog.unread_over_time"].spec, frame, "unread", ("day",), counted_exams,
        warehouse.revision, left_out=unread.left_out(reasons), rows=_on_each_day(dated, zone),
        headline=float(frame.unread.iloc[-1]) if len(frame) else None, notes=as_of_note(unread.as_of))


def _day(instant: sa.ColumnElement[Any], zone: str) -> sa.ColumnElement[Any]:
    return sa.cast(local(instant, zone), sa.Date)


def _days(dated: sa.Select[Any], zone: str) -> sa.Subquery:
    """Return how many exams became ready and how many were reported on each day on the site's clock."""
    both = dated.subquery("dated")
    one, none = literal(1), literal(0)
    steps = sa.union_all(
        sa.select(quarter_of(both.c.ready_at).label("quarter"), one.label("arrived"), none.label("reported")),
        sa.select(quarter_of(both.c.reported_at), none, one).where(both.c.reported_at.is_not(None)),
    ).subquery("steps")
    sums = (total(steps.c.arrived).label("arrived"), total(steps.c.reported).label("reported"))
    quarters = sa.select(steps.c.quarter, *sums).group_by(steps.c.quarter).subquery("quarters")
    dates = sa.select(_day(sa.func.to_timestamp(quarters.c.quarter, type_=Instant), zone).label("day"),
                      quarters.c.arrived, quarters.c.reported).subquery("dates")
    sums = (total(dates.c.arrived).label("arrived"), total(dates.c.reported).label("reported"))
    return sa.select(dates.c.day, *sums).group_by(dates.c.day).subquery("days")


def _running(dated: sa.Select[Any], zone: str) -> sa.Select[Any]:
    """Return each day's arrivals and reports, and the running difference."""
    days = _days(dated, zone)
    running = sa.func.sum(days.c.arrived - days.c.reported).over(order_by=days.c.day)
    return sa.select(days.c.day, days.c.arrived, days.c.reported,
                     sa.cast(running, sa.BigInteger).label("unread")).order_by(days.c.day)


def quarter_of(instant: sa.ColumnElement[Any]) -> sa.ColumnElement[float]:
    """Return the second at which an instant's quarter of an hour begins.

    Every zone's offset is a multiple of one, so the day of a quarter is that of each instant in it, and the slow step
    from instant to day is taken a few ten thousand times and not once an exam.
    """
    seconds = sa.cast(sa.extract("epoch", instant), sa.Double)
    return sa.type_coerce(sa.func.floor(seconds / literal(900.0)) * literal(900.0), sa.Double)


def _on_each_day(dated: sa.Select[Any], zone: str) -> sa.Select[Any]:
    """Return the exams unread at the end of each day, one row for each day they were."""
    both, days = dated.subquery("dated"), _days(dated, zone)
    next_day = sa.cast(days.c.day + literal(1), sa.DateTime)
    midnight = sa.func.timezone(literal(zone), next_day, type_=Instant)
    ends = sa.select(days.c.day, midnight.label("ends_at")).subquery("ends")
    waiting = sa.and_(both.c.ready_at < ends.c.ends_at,
                      sa.or_(both.c.reported_at.is_(None), both.c.reported_at >= ends.c.ends_at))
    return sa.select(ends.c.day, *both.columns).select_from(ends.join(both, waiting))
