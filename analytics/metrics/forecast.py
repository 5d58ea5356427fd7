"""Forecast of storage: what an archive will hold, and the day it fills, each with an interval."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache

import numpy as np
import pandas as pd
import sqlalchemy as sa
from numpy.typing import NDArray

from analytics.core.errors import PacsmeterError
from analytics.core.filters import Filters
from analytics.core.quantity import BYTES, PERCENT
from analytics.core.results import MetricResult, MetricSpec
from analytics.metrics.archives import archive_of, read_archives
from analytics.metrics.base import METRICS, metric
from analytics.metrics.projection import FEWEST_MONTHS, Projection, backtest, project
from analytics.metrics.scope import aggregate
from analytics.metrics.storage import added_on, size_known, stored_in
from analytics.warehouse.expressions import period_start, total
from analytics.warehouse.schema import exams
from analytics.warehouse.store import Warehouse

HORIZON_MONTHS = 36
REMEMBERED = 32
"""Outlooks kept in memory, about half a megabyte each; a page asks for one an archive, and one of all together."""
_FITTING = threading.Lock()
_INTERVALS = {"lower95": 0.025, "lower80": 0.1, "forecast": 0.5, "upper80": 0.9, "upper95": 0.975}
_FULL = {"full_early": "early", "full_median": "median", "full_late": "late"}
_CITATION = ("Harvey, Forecasting, Structural Time Series Models and the Kalman Filter, 1989 (local level with drift), "
             "as in statsmodels; intervals by simulation")


@dataclass(frozen=True)
class History:
    """What one archive, or all together, has taken in, month by month.

    Attributes
    ----------
    name : of the archive, or ``all archives``.
    capacity, used_before : bytes.
    months : first day of each whole month that the forecast learns from.
    added : bytes added in each of them.
    earlier : bytes added before them (a first month that is not whole).
    current : bytes added so far in the month that is not over.
    """

    name: str
    capacity: int
    used_before: int
    months: pd.DatetimeIndex
    added: NDArray[np.int64]
    earlier: int
    current: int

    @property
    def content(self) -> tuple[object, ...]:
        """Return everything the history says, as a key: equal where two histories say the same."""
        return (self.name, self.capacity, self.used_before, self.earlier, self.current,
                tuple(self.months), tuple(self.added.tolist()))

    @property
    def used(self) -> NDArray[np.int64]:
        """Return the bytes in use at the end of each month."""
        return self.used_before + self.earlier + np.cumsum(self.added)

    @property
    def start(self) -> pd.Timestamp:
        """Return the first day that is forecast."""
        return self.months[-1] + pd.DateOffset(months=1)


@dataclass(frozen=True)
class Outlook:
    """When an archive fills.

    Attributes
    ----------
    early, median, late : 10th, 50th and 90th percentile of the day; ``None`` beyond the horizon.
    chance : share of the paths that fill within the horizon, in percent.
    """

    history: History
    projection: Projection
    early: date | None
    median: date | None
    late: date | None
    chance: float


def histories(warehouse: Warehouse, filters: Filters) -> list[History]:
    """Return the history of each archive that serves the sites filtered for, and whose studies have sizes."""
    known = read_archives(warehouse, filters)
    scope = stored_in(warehouse, Filters())
    rows = scope.rows(size_known, size_bytes=exams.c.size_bytes, added_on=added_on,
                      month=period_start(added_on, "month"),
                      archive=archive_of(read_archives(warehouse, Filters())))
    table = warehouse.read(aggregate(rows, ("archive", "month"), lambda c: {
        "added": total(c.size_bytes), "first_day": sa.func.min(c.added_on, type_=sa.Date)}))
    found = []
    for archive in known:
        mine = table[table.archive == archive.name]
        if len(mine) and scope.whole_until:
            found.append(_history(archive.name, archive.capacity_bytes, archive.used_bytes_before, mine,
                                  scope.whole_until))
    return found


def _history(name: str, capacity: int, used_before: int, table: pd.DataFrame, first_open_day: date) -> History:
    month_now = pd.Timestamp(first_open_day).to_period("M").to_timestamp()
    added = table.set_index("month").added.astype("int64")
    first = table.month.min()
    begins_whole = (table.first_day.min() - first).days < 3
    learnt_from = first if begins_whole else first + pd.DateOffset(months=1)
    months = pd.date_range(learnt_from, month_now - pd.DateOffset(months=1), freq="MS")
    return History(
        name, capacity, used_before, months, added.reindex(months, fill_value=0).to_numpy(),
        int(added[added.index < learnt_from].sum()), int(added[added.index >= month_now].sum()))


def together(found: list[History]) -> History:
    """Add the histories of several archives up, over the months that all of them cover."""
    months = found[0].months
    for history in found[1:]:
        months = months.union(history.months)
    added = sum(pd.Series(item.added, item.months).reindex(months, fill_value=0) for item in found)
    return History("all archives", sum(item.capacity for item in found), sum(item.used_before for item in found),
                   months, np.asarray(added, dtype="int64"), sum(item.earlier for item in found),
                   sum(item.current for item in found))


@dataclass(frozen=True)
class _Question:
    """A history as the key of what was learnt from it."""

    content: tuple[object, ...]
    history: History = field(compare=False)


def outlook(history: History, horizon_months: int = HORIZON_MONTHS) -> Outlook | None:
    """Project an archive and say when it fills; ``None`` where its history is too short.

    The latest `REMEMBERED` answers are kept by the history's content, so that the pages of one snapshot fit each
    archive once. They are shared between threads: their paths cannot be written to.
    """
    # One at a time: a thread that asks what another one is fitting waits for it, and does not fit it again.
    with _FITTING:
        return _outlook(_Question(history.content, history), horizon_months)


def _backtest(history: History) -> tuple[float | None, int]:
    with _FITTING:
        return _backtested(_Question(history.content, history))


@lru_cache(REMEMBERED)
def _backtested(asked: _Question) -> tuple[float | None, int]:
    history = asked.history
    return backtest(history.added / history.months.days_in_month.to_numpy())


@lru_cache(REMEMBERED)
def _outlook(asked: _Question, horizon_months: int) -> Outlook | None:
    history = asked.history
    if len(history.months) < FEWEST_MONTHS:
        return None
    ahead = pd.date_range(history.start, periods=horizon_months, freq="MS")
    a_day = project(history.added / history.months.days_in_month.to_numpy(), horizon_months)
    added = a_day.paths * ahead.days_in_month.to_numpy()
    # What the month that is not over has already taken in, it can not give back.
    added[:, 0] = np.maximum(added[:, 0], history.current)
    used = history.used[-1] + np.cumsum(added, axis=1)
    used.setflags(write=False)
    fills = _fills_after(used, added, history.capacity)
    early, median, late = (_day(history.start, float(np.quantile(fills, fraction, method="inverted_cdf")))
                           for fraction in (0.1, 0.5, 0.9))
    return Outlook(history, Projection(a_day.model, used), early, median, late,
                   100 * float(np.isfinite(fills).mean()))


def _fills_after(used: NDArray[np.float64], added: NDArray[np.float64], capacity: int) -> NDArray[np.float64]:
    """Return the months until each path reaches the capacity, with the part of the last one; infinite where never."""
    full = used >= capacity
    month = full.argmax(axis=1)
    path = np.arange(len(used))
    before = used[path, month] - added[path, month]
    with np.errstate(invalid="ignore", divide="ignore"):
        part = np.clip((capacity - before) / added[path, month], 0, 1)
    return np.where(full.any(axis=1), month + np.nan_to_num(part), np.inf)


def _day(start: pd.Timestamp, months: float) -> date | None:
    if not np.isfinite(months):
        return None
    first = start + pd.DateOffset(months=int(months))
    return (first + timedelta(days=round(months % 1 * first.days_in_month, 6))).date()


@metric(MetricSpec(
    "storage.fill_forecast", "Forecast of storage",
    "Bytes an archive will hold at the end of each month: the median of simulated paths, with the middle 80 % and 95 % "
    "of them. It learns from bytes added a day in each whole month; the month that is not over, and a first month that "
    "begins late, are not learnt from. Only the site filter applies.",
    BYTES, "neutral", _CITATION))
def fill_forecast(warehouse: Warehouse, filters: Filters, archive: str | None = None,
                  horizon_months: int = HORIZON_MONTHS) -> MetricResult:
    """Forecast what one archive, or all of them together, will hold.

    Returns
    -------
    MetricResult
        Columns ``month`` (first day), ``observed``, ``forecast``, ``lower80``, ``upper80``, ``lower95``,
        ``upper95``, ``capacity`` (bytes at the end of the month), and in every row the day that it fills,
        ``full_early``, ``full_median``, ``full_late`` (empty beyond the horizon); the headline is the median at the
        horizon.

    Raises
    ------
    PacsmeterError
        No archive has that name.
    """
    found = [item for item in histories(warehouse, filters) if archive in (None, item.name)]
    if archive and not found:
        raise PacsmeterError("There is no archive of this name with studies in it", "Choose one of the archives.",
                             archive)
    chosen = (found[0] if len(found) == 1 else together(found)) if found else None
    seen = outlook(chosen, horizon_months) if chosen else None
    spec = METRICS["storage.fill_forecast"].spec
    names = ["month", "observed", *_INTERVALS, "capacity", *_FULL]
    if chosen is None or seen is None:
        return MetricResult(spec, pd.DataFrame(columns=names), "forecast", ("month",), 0, warehouse.revision,
                            notes=(f"A forecast needs an archive of known capacity and {FEWEST_MONTHS} whole months.",))
    past = pd.DataFrame({"month": chosen.months, "observed": chosen.used})
    ahead = pd.DataFrame({
        "month": pd.date_range(chosen.start, periods=horizon_months, freq="MS"),
        **{name: seen.projection.quantile(fraction) for name, fraction in _INTERVALS.items()}})
    frame = pd.concat([past.astype({"observed": "float64"}), ahead], ignore_index=True).assign(
        capacity=chosen.capacity, **{name: pd.Timestamp(getattr(seen, part)) for name, part in _FULL.items()})
    error, origins = _backtest(chosen)
    tried = (f"Back-test: forecasts of 3 months from each of {origins} earlier months were off by {error:.1f} % of a "
             "month's bytes on average.") if error is not None else "The history is too short to back-test."
    return MetricResult(
        spec, frame[names], "forecast", ("month",), len(chosen.months), warehouse.revision,
        headline=float(frame.forecast.iloc[-1]), notes=(
            fills_in_words(seen), f"Model: {seen.projection.model}, from {len(chosen.months)} whole months; the season "
            "of the year is not part of it.", tried,
            f"The month from {chosen.start:%Y-%m-%d} on is not over, and so not learnt from."))


def fills_in_words(seen: Outlook) -> str:
    """Say when an archive fills, with the interval, in one sentence."""
    def written(day: date | None) -> str:
        return f"{day.day} {day:%b %Y}" if day else "later than the forecast reaches"

    if seen.history.used[-1] + seen.history.current >= seen.history.capacity:
        return f"{seen.history.name} is full."
    if seen.median is None:
        months = seen.projection.paths.shape[1]
        return f"{seen.history.name} has a {seen.chance:.0f} % chance of filling within {months} months."
    return f"{seen.history.name} fills on {written(seen.median)} (80 %: {written(seen.early)} – {written(seen.late)})."


@metric(MetricSpec(
    "storage.fill_dates", "Day each archive fills",
    "Share of the simulated paths of an archive that reach its capacity within the horizon, the day on which half of "
    "them have, and the days of the first and the last tenth (80 % interval). Only the site filter applies.",
    PERCENT, "lower", _CITATION))
def fill_dates(warehouse: Warehouse, filters: Filters, horizon_months: int = HORIZON_MONTHS) -> MetricResult:
    """Say when each archive fills.

    Returns
    -------
    MetricResult
        Columns ``archive``, ``early``, ``median``, ``late`` (dates, empty beyond the horizon), ``chance`` (percent).
    """
    known = histories(warehouse, filters)
    seen = [item for history in known if (item := outlook(history, horizon_months))]
    frame = pd.DataFrame([
        {"archive": item.history.name, "early": pd.Timestamp(item.early), "median": pd.Timestamp(item.median),
         "late": pd.Timestamp(item.late), "chance": item.chance} for item in seen
    ], columns=["archive", "early", "median", "late", "chance"])
    return MetricResult(
        METRICS["storage.fill_dates"].spec, frame, "chance", ("archive",), len(frame), warehouse.revision,
        headline=float(frame.chance.max()) if len(frame) else None,
        notes=tuple(fills_in_words(item) for item in seen))
