"""Backlog at any instant, and what makes it grow: when exams become ready, and when they are reported."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import sqlalchemy as sa

from analytics.core.filters import Filters
from analytics.core.quantity import EXAMS
from analytics.core.results import MetricResult, MetricSpec
from analytics.core.settings import load_settings
from analytics.metrics.backlog import as_of_note, quarter_of, ready_at
from analytics.metrics.backlog_words import growth_sentence
from analytics.metrics.base import METRICS, metric
from analytics.metrics.buckets import WAITING
from analytics.metrics.scope import Dimension, Scope, aggregate, undated, whole_until
from analytics.metrics.windows import COMPARED_DAYS, chosen_days
from analytics.warehouse.expressions import count_where, literal, local, minutes_between, total
from analytics.warehouse.schema import Instant, exams
from analytics.warehouse.store import Warehouse

By = Literal["hour", "weekday"]
_CITATION = ("SIIM SWIM lexicon, 2015-06-18: ImagesPrepared (RID45914), Reported (RID45924); a queue is what came less "
             "what left (Little, Oper Res 1961;9:383-387)")
COUNTED = ("Exams with an order that are not cancelled, from when their images were ready (ImagesPrepared, else "
           "ImagesStoredInArchive) to their final report (Reported); a report before the images were ready, or dated "
           "after the last thing the snapshot knows of, is left out with its exam.")
CHANCE = 2.326
"""Standard errors by which arrivals exceed reports in an hour that is said to grow: 1 % of level hours do by chance."""


class Queue:
    """The exams that have waited or wait for a final report, whatever period the filters choose."""

    def __init__(self, warehouse: Warehouse, filters: Filters, site_zone: str | None = None) -> None:
        self.warehouse = warehouse
        self.zone = ZoneInfo(site_zone or load_settings().site_zone)
        self.scope = Scope(warehouse, undated(filters), ready_at.is_not(None))
        self.as_of = self.scope.as_of
        now = sa.literal(self.as_of, Instant) if self.as_of else sa.cast(sa.null(), Instant)
        counted = sa.and_(exams.c.has_order, exams.c.exam_cancelled_at.is_(None))
        known, end = sa.and_(counted, ready_at <= now), exams.c.reported_at
        self.condition = sa.and_(known, sa.or_(end.is_(None), sa.and_(end >= ready_at, end <= now)))
        self.reasons = {
            "study without an order, so not known to be read": sa.not_(exams.c.has_order),
            "exam cancelled": sa.and_(exams.c.has_order, exams.c.exam_cancelled_at.is_not(None)),
            "ready to read after the last thing this snapshot knows of": sa.and_(counted, ready_at > now),
            "report before the images were ready": sa.and_(known, end < ready_at),
            "report dated after the last thing this snapshot knows of": sa.and_(known, end >= ready_at, end > now),
        }

    def waiting_at(self, instant: datetime | None) -> sa.Select[Any]:
        """Return the exams that wait at an instant, with the ``minutes`` they have and ``age``, its bucket."""
        then = sa.literal(instant.astimezone(UTC), Instant) if instant else sa.cast(sa.null(), Instant)
        age = minutes_between(ready_at, then)
        return self.scope.rows(
            self.condition, ready_at <= then, sa.or_(exams.c.reported_at.is_(None), exams.c.reported_at > then),
            age=WAITING.of(age), minutes=age, available_at=ready_at)

    def span(self, filters: Filters, days: int) -> tuple[date, date] | None:
        """Return the days chosen, or else the last whole ones, as far as anything is known of them."""
        if self.as_of is None:
            return None
        over = whole_until(self.as_of, str(self.zone))
        assert over is not None
        first, last = chosen_days(filters, over, days)
        earliest = self.warehouse.scalar(sa.select(sa.func.min(
            self.scope.rows(self.condition, became=ready_at).subquery("known").c.became, type_=Instant)))
        if earliest is None:
            return None
        first = max(first, earliest.astimezone(self.zone).date())
        return (first, last) if first <= last else None

    def arrived(self, span: tuple[date, date] | None, by: By = "hour") -> sa.Select[Any]:
        """Return the exams that became ready in a span of days, with the hour and weekday of it."""
        clock = local(ready_at, str(self.zone))
        groups = {"weekday": sa.cast(sa.extract("isodow", clock), sa.Integer)}
        if by == "hour":
            groups["hour"] = sa.cast(sa.extract("hour", clock), sa.Integer)
        start, end = self._bounds(span) if span else (None, None)
        within = sa.and_(ready_at >= sa.literal(start, Instant), ready_at < sa.literal(end, Instant))
        return self.scope.rows(self.condition, within if span else sa.false(), **groups)

    def flow(self, span: tuple[date, date]) -> Flow:
        """Return what came and what left in each quarter of an hour of a span of days, and what waited before."""
        start, end = (sa.literal(instant, Instant) for instant in self._bounds(span))
        both = self.scope.rows(self.condition, became=ready_at, ended=exams.c.reported_at).subquery("both")
        columns: list[Any] = [
            count_where(both.c.became < start).label("came"), count_where(both.c.ended < start).label("left")]
        one, none = literal(1), literal(0)
        steps = sa.union_all(
            sa.select(quarter_of(both.c.became).label("quarter"), one.label("arrived"), none.label("reported")).where(
                both.c.became >= start, both.c.became < end),
            sa.select(quarter_of(both.c.ended), none, one).where(both.c.ended >= start, both.c.ended < end),
        ).subquery("steps")
        found = self.warehouse.read(sa.select(
            steps.c.quarter, total(steps.c.arrived).label("arrived"), total(steps.c.reported).label("reported"),
        ).group_by(steps.c.quarter).order_by(steps.c.quarter))
        row = self.warehouse.arrow(sa.select(*columns)).to_pylist()[0]
        return Flow(self._bounds(span), self.zone, int(row["came"]) - int(row["left"]), found)

    def _bounds(self, span: tuple[date, date]) -> tuple[datetime, datetime]:
        start, end = (datetime.combine(day, time(), self.zone).astimezone(UTC)
                      for day in (span[0], span[1] + timedelta(days=1)))
        return start, end


class Flow:
    """What came and what left, on the site's clock."""

    def __init__(self, bounds: tuple[datetime, datetime], zone: ZoneInfo, before: int, steps: pd.DataFrame) -> None:
        every = pd.date_range(*(pd.Timestamp(bound).tz_convert("UTC") for bound in bounds), freq="15min",
                              inclusive="left")
        counts = steps.set_index(pd.to_datetime(steps.quarter.astype(float), unit="s", utc=True))
        self._quarters = counts[["arrived", "reported"]].reindex(every, fill_value=0).astype("int64")
        self._clock = every.tz_convert(zone)
        self.before = before

    def by_day(self) -> pd.DataFrame:
        """Return every day with what ``arrived``, was ``reported`` and was ``unread`` at its end."""
        days = self._quarters.groupby(self._clock.date).sum()
        return days.assign(unread=self.before + (days.arrived - days.reported).cumsum())

    def by_hour_of_week(self, by: By = "hour") -> pd.DataFrame:
        """Return each hour of the week, or weekday, with how many ``hours`` of it there were and what came and left.

        Hours that a change of the clocks skips or repeats are counted as they were.
        """
        groups = {"weekday": self._clock.isocalendar().day.to_numpy().astype("int64")}
        if by == "hour":
            groups["hour"] = self._clock.hour.to_numpy().astype("int64")
        frame = self._quarters.reset_index(drop=True).assign(**groups, hours=0.25)
        return frame.groupby(list(groups), as_index=False)[["hours", "arrived", "reported"]].sum()


@metric(MetricSpec(
    "backlog.at_instant", "Unread at an instant",
    f"Exams that were ready to read at an instant and had no final report by then. {COUNTED} An exam that was "
    "cancelled later is not counted either. By how long they had waited; the period of the filters does not apply, as "
    "the instant takes its place.", EXAMS, "lower", _CITATION))
def at_instant(warehouse: Warehouse, filters: Filters, instant: datetime | None = None, by: Dimension = "modality",
               site_zone: str | None = None) -> MetricResult:
    """Count what was unread at any past instant, by how long it had waited.

    Parameters
    ----------
    instant : datetime, optional
        A naive one is on the site's clock; that of the snapshot where not given or later.

    Returns
    -------
    MetricResult
        Columns ``age``, ``by``, ``unread``; at the snapshot's own instant those of `backlog.unread_by_age`.
    """
    queue = Queue(warehouse, filters, site_zone)
    if instant is not None and instant.tzinfo is None:
        instant = instant.replace(tzinfo=queue.zone)
    now = queue.as_of
    then = now if instant is None or now is None or instant >= now else instant
    rows = queue.waiting_at(then)
    frame = WAITING.in_order(warehouse.read(aggregate(rows, ("age", by), lambda _: {"unread": sa.func.count()})), "age")
    counted = int(frame.unread.sum())
    notes = as_of_note(now) if then == now or then is None else (
        f"As of {then.astimezone(queue.zone):%Y-%m-%d %H:%M} on the site's clock.",)
    return MetricResult(METRICS["backlog.at_instant"].spec, frame, "unread", ("age", by), counted, warehouse.revision,
                        left_out=queue.scope.left_out(queue.reasons), rows=rows, headline=float(counted), notes=notes)


@metric(MetricSpec(
    "backlog.rates", "Growth of the queue by hour of the week",
    "Exams that become ready to read less those that are reported, an hour, in each hour of the week on the site's "
    f"clock: above 0 the queue grows. {COUNTED} Over the period chosen, else the last {COMPARED_DAYS} whole days, as "
    "far as exams are known. A mark leads to the exams that became ready in its hour.", "{exam}/h", "neutral",
    _CITATION))
def rates(warehouse: Warehouse, filters: Filters, by: By = "hour", site_zone: str | None = None) -> MetricResult:
    """Say in which hours of the week the queue grows and in which it is read off.

    Returns
    -------
    MetricResult
        Columns ``weekday``, ``hour`` (where ``by`` it), ``hours`` (of the window), ``arrived``, ``reported``, both
        also ``_per_hour``, ``growth`` (an hour), ``grows`` (beyond chance). The first note says the hours that do.
    """
    queue = Queue(warehouse, filters, site_zone)
    span = queue.span(filters, COMPARED_DAYS)
    dimensions = ("weekday", "hour") if by == "hour" else ("weekday",)
    frame = pd.DataFrame({name: pd.Series(dtype="int64") for name in (*dimensions, "hours", "arrived", "reported")})
    if span:
        frame = queue.flow(span).by_hour_of_week(by)
    change = (frame.arrived - frame.reported).astype(float)
    frame = frame.assign(
        arrived_per_hour=frame.arrived / frame.hours, reported_per_hour=frame.reported / frame.hours,
        growth=change / frame.hours, grows=_grows(frame))
    notes = (growth_sentence(_together(frame, by), (span[1] - span[0]).days + 1),
             f"Days from {span[0]} to {span[1]}.") if span else ()
    arrived = int(frame.arrived.sum())
    whole = float(change.sum() / frame.hours.sum()) if arrived else None
    return MetricResult(
        METRICS["backlog.rates"].spec, frame, "growth", dimensions, arrived, warehouse.revision,
        {"hours": "h", "arrived": EXAMS, "reported": EXAMS}, queue.scope.left_out(queue.reasons),
        queue.arrived(span, by), whole, (*notes, "Hours are said in which what came exceeds what was reported by more "
                                         f"than {CHANCE} standard errors, both counted as Poisson; the hours of Monday "
                                         "to Friday are taken together, and so are those of the weekend."))


def _grows(frame: pd.DataFrame) -> pd.Series[bool]:
    change = (frame.arrived - frame.reported).astype(float)
    return change > CHANCE * np.sqrt((frame.arrived + frame.reported).astype(float))


def _together(frame: pd.DataFrame, by: By) -> pd.DataFrame:
    """Return the frame with each hour judged with those of the same part of the week: one cell holds too few exams."""
    if by == "weekday":
        return frame
    part = [frame.weekday > 5, frame.hour]
    sums = frame[["arrived", "reported"]].groupby(part).transform("sum")
    return frame.assign(grows=_grows(sums))
