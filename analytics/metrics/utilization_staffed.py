"""Utilization of staffed hours: what is in use, what lies outside, and what in between could take another exam."""

from __future__ import annotations

from datetime import timedelta

import pandas as pd
import sqlalchemy as sa

from analytics.core.filters import Filters
from analytics.core.quantity import EXAMS, MINUTES, PERCENT
from analytics.core.results import MetricResult, MetricSpec
from analytics.core.settings import load_settings
from analytics.metrics.base import METRICS, metric
from analytics.metrics.scope import Scope, aggregate, undated
from analytics.metrics.utilization import Timed
from analytics.metrics.windows import COMPARED_DAYS, chosen_days
from analytics.metrics.working_days import is_working_day, public_holidays
from analytics.warehouse.expressions import literal, local, quantile
from analytics.warehouse.schema import exams
from analytics.warehouse.store import Warehouse

OPENS, CLOSES = 8, 18
"""Staffed hours on the site's clock, Monday to Friday: 50 h a week, as published capacity planning assumes."""
TURNOVER_MINUTES = 5.0
"""Minutes between two exams in which the room is made ready; an assumption that a site replaces with its own."""
_DEVICE = ("site", "station_name")
"""Not its modality as well: a misspelled one of a single exam would be a second device, staffed like the first."""
_CITATION = "SIIM SWIM lexicon, 2015-06-18: ModalityUtilization = sum(exam complete - procedure start) / " \
            "sum(scheduled availability); overlapping exams of a device count once"


class _Window:
    """The staffed days of a window, and how the exams of each device lie in their hours."""

    def __init__(self, warehouse: Warehouse, filters: Filters, opens: int, closes: int, zone: str) -> None:
        until = Scope(warehouse, filters, exams.c.has_order).whole_until
        first, last = chosen_days(filters, until) if until else (None, None)
        days = [first + timedelta(days=n) for n in range((last - first).days + 1)] if first and last else []
        closed = public_holidays(load_settings().holidays, days)
        self.days = [day for day in days if is_working_day(day, closed)]
        self.opens, self.closes = literal(60.0 * opens), literal(60.0 * closes)
        self.minutes = 60.0 * (closes - opens)
        self.warehouse, self._filters = warehouse, filters
        self.timed = Timed(warehouse, filters.where(date_from=first, date_to=last) if days else filters)
        clock = local(exams.c.procedure_start_at, zone)
        day = sa.cast(clock, sa.Date)
        starts = sa.cast(sa.extract("epoch", clock - sa.cast(day, sa.DateTime)), sa.Double) / literal(60.0)
        staffed = day.in_(self.days) if self.days else sa.false()
        self.rows = self.timed.rows(day=day, starts=starts, staffed=sa.case((staffed, literal(1)), else_=literal(0)))

    def devices(self) -> pd.DataFrame:
        """Return each device's exams, median minutes, and hours of use at any time."""
        return self.warehouse.read(aggregate(self.rows, _DEVICE, lambda c: {
            "exams": sa.func.count(), "median_duration": quantile(c.minutes, 0.5),
            "all_minutes": sa.func.sum(c.minutes, type_=sa.Double)}))

    def staffed_days(self) -> pd.DataFrame:
        """Return on how many days of the window each device was staffed: none from before its first exam of all."""
        ever = Timed(self.warehouse, undated(self._filters)).rows()
        first = self.warehouse.read(aggregate(ever, _DEVICE, lambda c: {
            "first_day": sa.func.min(c.exam_date, type_=sa.Date)}))
        counts = [sum(pd.Timestamp(day) >= begins for day in self.days) for begins in pd.to_datetime(first.first_day)]
        return first[list(_DEVICE)].assign(days=pd.Series(counts, dtype="int64"))

    def gaps(self) -> pd.DataFrame:
        """Return how often each device had a gap of so many minutes within staffed hours, days without exams aside.

        Columns are the device's, ``gap`` (minutes) and ``times``.
        """
        inner = self.rows.subquery("timed")
        ends = inner.c.starts + inner.c.minutes
        inside = sa.select(
            *(inner.c[name] for name in (*_DEVICE, "day")),
            sa.func.greatest(inner.c.starts, self.opens, type_=sa.Double).label("begins"),
            sa.func.least(ends, self.closes, type_=sa.Double).label("ends"),
        ).where(inner.c.staffed == literal(1), inner.c.starts < self.closes, ends > self.opens).subquery("inside")
        own = [inside.c[name] for name in (*_DEVICE, "day")]
        before = sa.func.max(inside.c.ends, type_=sa.Double).over(
            partition_by=own, order_by=(inside.c.begins, inside.c.ends), rows=(None, -1))
        steps = sa.select(*own, (inside.c.begins - sa.func.coalesce(before, self.opens)).label("gap"))
        after = self.closes - sa.func.max(inside.c.ends, type_=sa.Double)
        latest = sa.select(*own, after.label("gap")).group_by(*own)
        every = sa.union_all(steps, latest).subquery("gaps")
        device = [every.c[name] for name in _DEVICE]
        found = sa.select(*device, every.c.gap, sa.func.count().label("times")).where(
            every.c.gap > literal(0.0)).group_by(*device, every.c.gap)
        return self.warehouse.read(found)

    def used_days(self) -> pd.DataFrame:
        """Return on how many staffed days each device was in use within the hours."""
        inner = self.rows.subquery("timed")
        device = [inner.c[name] for name in _DEVICE]
        within = sa.and_(inner.c.staffed == literal(1), inner.c.starts < self.closes,
                         inner.c.starts + inner.c.minutes > self.opens)
        return self.warehouse.read(sa.select(*device, sa.func.count(sa.distinct(inner.c.day)).label("used")).where(
            within).group_by(*device))


@metric(MetricSpec(
    "utilization.staffed", "Use of staffed hours",
    f"Percent of a device's staffed hours ({OPENS}:00 to {CLOSES}:00 on the site's clock, Monday to Friday without "
    "public holidays, unless set) in which an exam ran, from ProcedureStart to ImagingComplete; exams that overlap "
    "count once. Beside it the idle hours, how many more exams of the device's median length and the turnover would "
    "fit into its gaps, and the hours of exams outside staffed hours. Days on which it made nothing are idle, from its "
    "first exam of all on. Where no "
    f"period is chosen: the last {COMPARED_DAYS} whole days. Exams without both times, that end before they start or "
    "last a day or more are left out and counted.", PERCENT, "neutral", _CITATION, "RID45978"))
def staffed_hours(warehouse: Warehouse, filters: Filters, opens: int = OPENS, closes: int = CLOSES,
                  turnover: float = TURNOVER_MINUTES, site_zone: str | None = None) -> MetricResult:
    """Measure how much of its staffed hours each device is in use, and what its gaps could take.

    Parameters
    ----------
    opens, closes : int
        Hours of the day between which every device is staffed.
    turnover : float
        Minutes that each further exam needs besides its own.

    Returns
    -------
    MetricResult
        Columns ``site``, ``station_name``, ``exams``, ``median_duration`` (minutes), ``staffed``,
        ``busy``, ``idle``, ``outside`` (hours), ``slots`` (further exams that would fit), ``utilization`` (percent).
    """
    window = _Window(warehouse, filters, opens, closes, site_zone or load_settings().site_zone)
    frame = window.devices().merge(window.used_days(), on=list(_DEVICE), how="left")
    frame = frame.merge(window.staffed_days(), on=list(_DEVICE))
    days = frame.pop("days")
    unused = days - frame.pop("used").fillna(0)
    gaps = window.gaps().merge(frame[[*_DEVICE, "median_duration"]], on=list(_DEVICE))
    empty = frame[[*_DEVICE, "median_duration"]].assign(gap=window.minutes, times=unused)
    every = pd.concat([gaps, empty], ignore_index=True) if len(gaps) else empty
    every["idle"] = every.gap * every.times
    every["slots"] = every.gap // (every.median_duration + turnover) * every.times
    sums = every.groupby(list(_DEVICE), dropna=False)[["idle", "slots"]].sum().reset_index()
    frame = frame.merge(sums, on=list(_DEVICE))
    frame["staffed"], frame["idle"] = window.minutes * days / 60, frame.idle.astype(float) / 60
    frame["busy"] = frame.staffed - frame.idle
    frame["outside"] = (frame.pop("all_minutes").astype(float) / 60 - frame.busy).clip(lower=0.0)
    frame["slots"] = frame.slots.astype("int64")
    frame["utilization"] = 100.0 * frame.busy / frame.staffed.where(frame.staffed > 0)
    frame = frame.sort_values("utilization", ascending=False, kind="stable").reset_index(drop=True)
    whole = float(frame.staffed.sum())
    hours = dict.fromkeys(("staffed", "busy", "idle", "outside"), "h")
    notes = (f"Every device is taken as staffed from {opens}:00 to {closes}:00 on {len(window.days):,} working days, "
             f"from its first exam on; a further exam takes the device's median and {turnover:g} minutes.",
             "Exams that overlap count in the hours outside as well.") if len(frame) else ()
    return MetricResult(
        METRICS["utilization.staffed"].spec, frame, "utilization", _DEVICE, int(frame.exams.sum()), warehouse.revision,
        {"exams": EXAMS, "slots": EXAMS, "median_duration": MINUTES, **hours}, window.timed.left_out, window.rows,
        100.0 * float(frame.busy.sum()) / whole if whole else None, notes)
