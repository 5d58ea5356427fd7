"""Each month beside the same month a year before: in studies, and adjusted for the working days of both."""

from __future__ import annotations

from datetime import date

import pandas as pd
import sqlalchemy as sa

from analytics.core.filters import Filters
from analytics.core.quantity import PERCENT, STUDIES
from analytics.core.results import LeftOut, MetricResult, MetricSpec
from analytics.metrics.base import METRICS, metric
from analytics.metrics.change_words import months_sentence, year_sentence
from analytics.metrics.periods import whole_periods
from analytics.metrics.scope import aggregate
from analytics.metrics.volume import WHAT_COUNTS, studies_in
from analytics.metrics.volume_days import (
    CLOSED,
    KINDS,
    LEAST_OF_BUSIEST,
    PER_DAY,
    SATURDAY,
    WORKING,
    WORKING_DAY,
    begins,
    counted,
    holiday_notes,
    kinds_of_days,
)
from analytics.warehouse.expressions import period_start
from analytics.warehouse.schema import exams
from analytics.warehouse.store import Warehouse

NO_STUDY, NO_MATCH = "There is no study yet.", "No study matches the filters."
_YEAR = 12
_STRAY = "in a month before the index begins"
_NOT_OVER = "in a month that is not over, or cut by the period chosen"
_NO_YEAR = "in a month without a whole month a year before"
_COLUMNS = ("period", "studies", "before", "change", "calendar", "adjusted", "working_days", "working_days_before",
            "per_working_day", "per_working_day_before")
_UNITS = {"studies": STUDIES, "before": STUDIES, "change": PERCENT, "calendar": PERCENT, "working_days": "d",
          "working_days_before": "d", "per_working_day": PER_DAY, "per_working_day_before": PER_DAY}


@metric(MetricSpec(
    "volume.year_on_year", "Year on year, adjusted for working days",
    "Studies of each month against the same month a year before, in percent: as counted (change), and adjusted for "
    "working days, which is the change of the studies per working day. A Saturday, and a Sunday or public holiday, "
    "counts as the part of a working day that its mean studies are of a working day's, over every day of the months "
    "compared; so what is done on those days counts, and counts for as much as it usually is. What the calendar alone "
    "would have made of it stands beside: (1 + change) = (1 + calendar) x (1 + adjusted). "
    f"{WORKING_DAY} A month is compared where it is over and within the period chosen, and the index covers the month "
    "a year before: this begins with the first month that holds a tenth of the busiest month's studies, and that "
    "month counts as whole where its first working day holds a tenth of its mean studies per working day. "
    f"{WHAT_COUNTS}",
    PERCENT, "neutral",
    "Estimated weights of kinds of days: Bell & Hillmer, J Am Stat Assoc 78, 1983; holidays as Sundays: Eurostat, ESS "
    "Guidelines on Seasonal Adjustment, 2015; holidays (Python)"))
def year_on_year(warehouse: Warehouse, filters: Filters) -> MetricResult:
    """Compare each whole month with the same month a year before, which may lie before the period chosen.

    Returns
    -------
    MetricResult
        Columns ``period`` (first day of the month), ``studies``, ``before``, ``change``, ``calendar`` and
        ``adjusted`` (percent; empty where the month before holds no study), ``working_days``,
        ``working_days_before``, ``per_working_day``, ``per_working_day_before``. The first notes say the latest
        month, and the last twelve, in words.
    """
    spec = METRICS["volume.year_on_year"].spec
    history = studies_in(warehouse, filters.where(date_from=None))
    found = warehouse.read(aggregate(history.rows(), ("exam_date",), lambda _: {"studies": sa.func.count()}))
    daily = pd.Series(found.studies.to_numpy(dtype="int64"), index=pd.DatetimeIndex(found.exam_date))
    scope = studies_in(warehouse, filters)
    months = _months(daily, filters, history.whole_until)
    compared = months[months.whole & months.covered_before]
    if compared.empty:
        said: tuple[str, ...] = ("No whole month has a whole month a year before it." if len(months)
                                 else NO_STUDY if filters == Filters() else NO_MATCH,)
        rows = scope.rows(sa.false(), period=period_start(exams.c.exam_date, "month"))
        frame = pd.DataFrame({name: [] for name in _COLUMNS})
    else:
        first, last = compared.index[0], compared.index[-1] + pd.offsets.MonthEnd(1)
        rows = scope.rows(exams.c.exam_date >= first.date(), exams.c.exam_date <= last.date(),
                          period=period_start(exams.c.exam_date, "month"))
        weights = _weights(daily, months, compared)
        frame = _compared(months, compared, weights)
        said = (year_sentence(frame), *months_sentence(*_totals(months, compared.tail(_YEAR), weights)),
                *_weights_note(weights))
    return MetricResult(
        spec, frame, "adjusted", ("period",), int(frame.studies.sum()), warehouse.revision, _UNITS,
        (*scope.left_out(), *_left_out(daily, months, filters)), rows,
        None if frame.empty or pd.isna(frame.adjusted.iloc[-1]) else float(frame.adjusted.iloc[-1]),
        (*said, *_uncompared(months, filters), *(holiday_notes() if len(months) else ())))


def _months(daily: pd.Series[int], filters: Filters, whole_until: date | None) -> pd.DataFrame:
    """Count the studies and the days of each kind in every month, and say which months are covered."""
    if daily.empty:
        return pd.DataFrame({name: [] for name in ("studies", *KINDS, "whole", "known", "covered_before")})
    month = daily.index.to_period("M").to_timestamp()
    counts = daily.groupby(month).sum()
    last = max(counts.index[-1], _last_day(filters, whole_until) or counts.index[-1])
    counts = counts.reindex(pd.date_range(counts.index[0], last, freq="MS"), fill_value=0)
    kinds = kinds_of_days(counts.index[0], counts.index[-1] + pd.offsets.MonthEnd(1))
    months = pd.crosstab(kinds.index.to_period("M").to_timestamp(), kinds.to_numpy()).reindex(
        columns=list(KINDS), fill_value=0)
    months["studies"] = counts
    starts = pd.Series(counts.index, index=counts.index)
    months["whole"] = whole_periods(starts, "month", filters, whole_until)
    months["known"] = starts >= pd.Timestamp(str(begins(counts)))
    covered = starts >= _first_covered(daily, counts, kinds)
    months["covered_before"] = covered.shift(_YEAR, fill_value=False)
    return months


def _last_day(filters: Filters, whole_until: date | None) -> pd.Timestamp | None:
    """Return the last day that is over and in the period chosen: a device that fell silent has months of nothing."""
    if whole_until is None:
        return None
    over = pd.Timestamp(whole_until) - pd.Timedelta(days=1)
    return min(over, pd.Timestamp(filters.date_to)) if filters.date_to else over


def _weights(daily: pd.Series[int], months: pd.DataFrame, compared: pd.DataFrame) -> dict[str, float]:
    """Return the mean studies of a day of each kind, over every day of the months compared."""
    used = compared.index.union(compared.index - pd.DateOffset(months=_YEAR))
    kinds = kinds_of_days(used[0], used[-1] + pd.offsets.MonthEnd(1))
    daily = daily.reindex(kinds.index, fill_value=0)
    inside = kinds.index.to_period("M").to_timestamp().isin(used)
    held, number = daily[inside].groupby(kinds[inside]).sum(), months.loc[used, list(KINDS)].sum()
    return {kind: float(held.get(kind, 0)) / number[kind] if number[kind] else 0.0 for kind in KINDS}


def _expected(days: pd.DataFrame, weights: dict[str, float]) -> pd.Series[float]:
    """Return what days hold where each is as its kind is on average."""
    return sum((days[kind] * weights[kind] for kind in KINDS), start=pd.Series(0.0, index=days.index))


def _compared(months: pd.DataFrame, compared: pd.DataFrame, weights: dict[str, float]) -> pd.DataFrame:
    earlier = months.loc[compared.index - pd.DateOffset(months=_YEAR)].set_axis(compared.index)
    expected, expected_before = _expected(compared, weights), _expected(earlier, weights)
    now, before = compared.studies.astype(float), earlier.studies.astype(float)
    of_working_day = weights[WORKING] or float("nan")
    rate, rate_before = now / expected, before / expected_before
    return pd.DataFrame({
        "period": compared.index, "studies": compared.studies, "before": earlier.studies,
        "change": _percent(now, before), "calendar": _percent(expected, expected_before),
        "adjusted": _percent(rate, rate_before), "working_days": compared[WORKING],
        "working_days_before": earlier[WORKING], "per_working_day": rate * of_working_day,
        "per_working_day_before": rate_before * of_working_day}).reset_index(drop=True)


def _percent(now: pd.Series[float], before: pd.Series[float]) -> pd.Series[float]:
    return (100 * (now / before.where(before > 0) - 1)).astype(float)


def _totals(months: pd.DataFrame, latest: pd.DataFrame, weights: dict[str, float]) -> tuple[int, int, int, float]:
    """Return how many months there are, their studies, those a year before, and the adjusted change of both."""
    earlier = months.loc[latest.index - pd.DateOffset(months=_YEAR)]
    now, before = int(latest.studies.sum()), int(earlier.studies.sum())
    calendar = _expected(latest, weights).sum() / (_expected(earlier, weights).sum() or float("nan"))
    return len(latest), now, before, 100 * (now / before / calendar - 1) if before else float("nan")


def _weights_note(weights: dict[str, float]) -> tuple[str, ...]:
    if not weights[WORKING]:
        return ("No study of these is of a working day, so there is no number a working day.",)
    parts = [weights[kind] / weights[WORKING] for kind in (SATURDAY, CLOSED)]
    return (f"In the months compared, a Saturday holds {parts[0]:.2f} of a working day's studies, a {CLOSED} "
            f"{parts[1]:.2f}.",)


def _reasons(months: pd.DataFrame) -> dict[str, pd.Series[bool]]:
    """Return why months are not compared; each has one reason at most."""
    return {_STRAY: ~months.known, _NOT_OVER: months.known & ~months.whole,
            _NO_YEAR: months.known & months.whole & ~months.covered_before}


def _uncompared(months: pd.DataFrame, filters: Filters) -> tuple[str, ...]:
    """Count the months of the period chosen that are not compared, with the reason."""
    chosen = _in_period(months, filters)
    parts = counted([(int(held.sum()), reason.removeprefix("in a month ")) for reason, held in _reasons(chosen).items()
                     if reason != _STRAY])
    return (f"Months not compared: {parts}.",) if parts else ()


def _left_out(daily: pd.Series[int], months: pd.DataFrame, filters: Filters) -> tuple[LeftOut, ...]:
    """Count the studies of the period chosen that are in months not compared."""
    if filters.date_from:
        daily = daily[daily.index >= pd.Timestamp(filters.date_from)]
    held = daily.groupby(daily.index.to_period("M").to_timestamp()).sum().reindex(months.index, fill_value=0)
    return tuple(LeftOut(reason, int(held[inside].sum())) for reason, inside in _reasons(months).items()
                 if held[inside].sum())


def _in_period(months: pd.DataFrame, filters: Filters) -> pd.DataFrame:
    if not filters.date_from or months.empty:
        return months
    return months[months.index >= pd.Timestamp(filters.date_from).to_period("M").to_timestamp()]


def _first_covered(daily: pd.Series[int], counts: pd.Series[int], kinds: pd.Series[str]) -> pd.Timestamp:
    first = pd.Timestamp(str(begins(counts)))
    here = kinds[first:first + pd.offsets.MonthEnd(1)]
    working = daily.reindex(here.index[here == WORKING], fill_value=0)
    whole = len(working) and working.iloc[0] > 0 and working.iloc[0] >= LEAST_OF_BUSIEST * working.mean()
    return first if whole else first + pd.DateOffset(months=1)
