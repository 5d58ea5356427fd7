"""When the studies a working day changed for good, by series: each change with its date, and how sure it is."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Literal

import pandas as pd
import sqlalchemy as sa

from analytics.core.filters import Filters
from analytics.core.quantity import STUDIES
from analytics.core.results import MetricResult, MetricSpec
from analytics.core.settings import load_settings
from analytics.metrics.base import METRICS, metric
from analytics.metrics.change_segments import SHORTEST
from analytics.metrics.scope import aggregate
from analytics.metrics.volume import WHAT_COUNTS, studies_in
from analytics.metrics.volume_days import PER_DAY, WORKING, WORKING_DAY, holiday_notes, kinds_of_days
from analytics.metrics.volume_series import BY_CHANCE, FEWEST, FOUND, Line, look, weeks_of
from analytics.metrics.working_days import public_holidays
from analytics.warehouse.expressions import literal, period_start
from analytics.warehouse.schema import exams
from analytics.warehouse.store import Warehouse

Series = Literal["all", "modality", "site", "site modality", "device"]
_GROUPS: dict[str, tuple[str, ...]] = {
    "all": (), "modality": ("modality",), "site": ("site",), "site modality": ("site", "modality"),
    "device": ("site", "station_name")}
LOOKED_BACK = 156
"""Weeks: three years, so that the time of the year is seen three times."""


@metric(MetricSpec(
    "volume.change_points", "Studies a working day, and when they changed",
    f"Studies on working days of each week, divided by its working days, over the {LOOKED_BACK} whole weeks up to the "
    "end of the period chosen, for each series (all studies, or each modality, site or device); and the weeks from "
    f"which a series stood on another level (step) or turned from a level into a slope (bend), for {SHORTEST} weeks at "
    f"least. {WORKING_DAY} Weekends and public holidays are left out. Waves of a year and of half a year are taken out "
    "of two years or more. The p of a change is how often shuffled weeks show as much anywhere in the series, less "
    "credit for weeks that resemble the ones before; it counts both shapes and, after Holm, the number of series "
    f"looked at. A change is named where p is at most {BY_CHANCE}; then each side of it is looked at alike. Where a "
    "straight line fits as well as a step or a bend, no week is named; what passed again within months, as a closure, "
    "is not looked for, and steps that follow each other the same way may be seen as one bend. The dates "
    f"between which a change lies are its 90 % interval. A series of fewer than {FEWEST} studies is not looked at; the "
    f"others are looked at from their second week on, as the first is seldom whole. {WHAT_COUNTS}",
    PER_DAY, "neutral",
    "Hinkley, Biometrika 57, 1970 (step) and 56, 1969 (bend); Good, Permutation Tests, 2000; Holm, Scand J Stat 6, "
    "1979; Hušková & Kirch, J Time Ser Anal 29, 2008 (interval)"))
def change_points(warehouse: Warehouse, filters: Filters, by: Series = "all") -> MetricResult:
    """Find when the studies a working day of each series changed for good.

    Returns
    -------
    MetricResult
        One row a week and series: ``period`` (the week's Monday), those of ``by``, ``studies``, ``working_days``,
        ``per_working_day``, ``level`` (less the time of the year). In the week of a change also ``kind`` (``step``,
        ``bend``, or ``first`` where the series begins), ``earliest``, ``latest``, ``level_before``, ``level_after``,
        ``slope`` (a month), ``p`` and ``said``, the change in words. The notes say all of them, the latest first.
    """
    groups = _GROUPS[by]
    dimensions = ("period", *groups)
    everything = studies_in(warehouse, filters)
    span = _span(filters, everything.whole_until)
    if span is None:
        rows = everything.rows(sa.false(), period=period_start(exams.c.exam_date, "week"))
        empty = pd.DataFrame({name: [] for name in (*dimensions, "studies", "working_days", "per_working_day", *FOUND)})
        return MetricResult(METRICS["volume.change_points"].spec, empty, "per_working_day", dimensions, 0,
                            warehouse.revision, _units(), everything.left_out(), rows, None,
                            ("There is no whole week yet.",))
    scope = studies_in(warehouse, filters.where(date_from=span[0], date_to=span[1]))
    works = _works(span)
    rows = scope.rows(works, period=period_start(exams.c.exam_date, "week"))
    found = warehouse.read(aggregate(rows, dimensions, lambda _: {"studies": sa.func.count()}))
    kinds = kinds_of_days(pd.Timestamp(span[0]), pd.Timestamp(span[1]))
    days = (kinds == WORKING).resample("W-MON", closed="left", label="left").sum()
    series = _lines(found, groups, days[days > 0])
    notes = look(series)
    frame = weeks_of(series, groups)
    working = int(frame.drop_duplicates("period").working_days.sum()) if len(frame) else 0
    return MetricResult(
        METRICS["volume.change_points"].spec, frame, "per_working_day", dimensions, int(frame.studies.sum()),
        warehouse.revision, _units(), scope.left_out({"on a weekend or public holiday": sa.not_(works)}), rows,
        int(frame.studies.sum()) / working if working else None,
        (*notes, *holiday_notes()) if len(frame) else ("No study matches on a working day of these weeks.",))


def _units() -> dict[str, str]:
    return {"studies": STUDIES, "working_days": "d", "p": "1"}


def _span(filters: Filters, whole_until: date | None) -> tuple[date, date] | None:
    """Return the first Monday and the last Sunday of what is looked at."""
    if whole_until is None:
        return None
    last = min(whole_until - timedelta(days=1), filters.date_to or date.max)
    sunday = last - timedelta(days=last.isoweekday() % 7)
    return sunday - timedelta(days=7 * LOOKED_BACK - 1), sunday


def _works(span: tuple[date, date]) -> sa.ColumnElement[bool]:
    day = exams.c.exam_date
    closed = public_holidays(load_settings().holidays, [one.date() for one in pd.date_range(*span)])
    return sa.and_(sa.extract("isodow", day) <= literal(5), day.not_in(sorted(closed)))


def _lines(found: pd.DataFrame, groups: tuple[str, ...], days: pd.Series[int]) -> list[Line]:
    """Make a series of each group, the largest first; a week without a study of it is a week of nothing."""
    def counts(part: pd.DataFrame) -> pd.Series[int]:
        return pd.Series(part.studies.to_numpy(dtype="int64"), index=pd.DatetimeIndex(part.period))

    if not groups:
        return [Line(groups, (), counts(found), days)] if len(found) else []
    lines = [Line(groups, key, counts(part), days) for key, part in found.groupby(list(groups), dropna=False)]
    return sorted(lines, key=lambda line: -int(line.counts.sum()))
