"""Forecast of storage: what an archive will hold, the day it fills, each with an interval, and how it was chosen."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analytics.core.errors import PacsmeterError
from analytics.core.filters import Filters
from analytics.core.quantity import BYTES, PERCENT
from analytics.core.results import MetricResult, MetricSpec
from analytics.metrics.base import METRICS, metric
from analytics.metrics.forecast_backtest import MIXED, Backtest
from analytics.metrics.forecast_history import History as History
from analytics.metrics.forecast_history import histories as histories
from analytics.metrics.forecast_history import together as together
from analytics.metrics.forecast_outlook import HORIZON_MONTHS, tried
from analytics.metrics.forecast_outlook import Outlook as Outlook
from analytics.metrics.forecast_outlook import fills_in_words as fills_in_words
from analytics.metrics.forecast_outlook import outlook as outlook
from analytics.metrics.forecast_words import NAMES, backtest_in_words
from analytics.metrics.projection import FEWEST_MONTHS
from analytics.warehouse.store import Warehouse

_INTERVALS = {"lower95": 0.025, "lower80": 0.1, "forecast": 0.5, "upper80": 0.9, "upper95": 0.975}
_FULL = {"full_early": "early", "full_median": "median", "full_late": "late"}
_CITATION = ("Models: Harvey, Forecasting, Structural Time Series Models and the Kalman Filter, 1989, and Hyndman et "
             "al., Forecasting with Exponential Smoothing, 2008, as in statsmodels; intervals by simulation; "
             "back-test: Tashman, Int. J. Forecasting 16:437, 2000; score: Gneiting & Raftery, J. Am. Stat. Assoc. "
             "102:359, 2007")
_HOW = ("Paths are drawn from several models by how each did in a back-test on the archive's own history. Only the "
        "site filter applies.")


def _named(warehouse: Warehouse, filters: Filters, archive: str | None) -> list[History]:
    """Return the histories of one archive, or of all; an archive that is not there is said."""
    found = [item for item in histories(warehouse, filters) if archive in (None, item.name)]
    if archive and not found:
        raise PacsmeterError("There is no archive of this name with studies in it", "Choose one of the archives.",
                             archive)
    return found


@metric(MetricSpec(
    "storage.fill_forecast", "Forecast of storage",
    "Bytes an archive will hold at the end of each month: the median of simulated paths, with the middle 80 % and 95 % "
    "of them. It learns from bytes added a day in each whole month; the month that is not over, and a first month that "
    "begins late, are not learnt from; all archives together, over the months that all of them cover (one that held "
    f"nothing before its first study covers those before it too). {_HOW}",
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
    found = _named(warehouse, filters, archive)
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
    past_tried = tried(chosen)
    return MetricResult(
        spec, frame[names], "forecast", ("month",), len(chosen.months), warehouse.revision,
        headline=float(frame.forecast.iloc[-1]), notes=(
            fills_in_words(seen), *(backtest_in_words(past_tried) if past_tried else ()),
            f"The month from {chosen.start:%Y-%m-%d} on is not over, and so not learnt from."))


@metric(MetricSpec(
    "storage.fill_dates", "Day each archive fills",
    "Share of the simulated paths of an archive that reach its capacity within the horizon, the day on which half of "
    "them have, and the days of the first and the last tenth (80 % interval). Within a month a path is a straight "
    "line; in the month that is not over it begins at what is held on the snapshot's day. " + _HOW,
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


@metric(MetricSpec(
    "storage.fill_distribution", "Chance that an archive has filled",
    "Share of the simulated paths of an archive that have reached its capacity by the end of each month. " + _HOW,
    PERCENT, "lower", _CITATION))
def fill_distribution(warehouse: Warehouse, filters: Filters, horizon_months: int = HORIZON_MONTHS) -> MetricResult:
    """Say how likely each archive is full at the end of each month to come.

    Returns
    -------
    MetricResult
        Columns ``archive``, ``month`` (first day), ``chance`` (percent); the headline is the highest of them.
    """
    parts = [pd.DataFrame({
        "archive": seen.history.name, "month": pd.date_range(seen.history.start, periods=horizon_months, freq="MS"),
        "chance": seen.filled})
        for history in histories(warehouse, filters) if (seen := outlook(history, horizon_months))]
    frame = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["archive", "month", "chance"])
    return MetricResult(
        METRICS["storage.fill_distribution"].spec, frame, "chance", ("archive", "month"), len(parts),
        warehouse.revision, headline=float(frame.chance.max()) if parts else None,
        notes=("The day on which half of the paths have filled is the one that the forecast names.",) if parts else ())


@metric(MetricSpec(
    "storage.forecast_models", "Models of the forecast, back-tested",
    "How far each model's median was off the bytes added in the 1 to 12 months after earlier months of the archive's "
    "own history, in percent of what was added (sum of the differences by sum of what came). From each of the latest "
    "24 months a model sees only what came before. Beside it, how often the 80 % and 95 % intervals held, the interval "
    "score (width, and 2/alpha times each miss, in percent of a month's bytes), and the share of the forecast's paths "
    "that the model gives: its score to the power of -4, scaled to 100 %. A model that could be tried from fewer than "
    "6 months takes no part; where a month brought nothing, only the local level does. Only the site filter applies.",
    PERCENT, "lower", _CITATION))
def forecast_models(warehouse: Warehouse, filters: Filters, archive: str | None = None) -> MetricResult:
    """Compare the forecast's models on the history of one archive, or of each.

    Returns
    -------
    MetricResult
        Columns ``archive``, ``model``, ``share``, ``error``, ``held_80_percent``, ``held_95_percent``, ``score``,
        ``error_3_months``, ``error_12_months`` (all percent), ``tried_from`` (earlier months); the best model comes
        first, the forecast itself last; the headline is the best model's error, of one archive.

    Raises
    ------
    PacsmeterError
        No archive has that name.
    """
    found = [(item.name, seen) for item in _named(warehouse, filters, archive) if (seen := tried(item))]
    rows = [row for name, seen in found for row in _compared(name, seen)]
    names = ["archive", "model", "share", "error", "held_80_percent", "held_95_percent", "score", "error_3_months",
             "error_12_months", "tried_from"]
    frame = pd.DataFrame(rows, columns=names)
    return MetricResult(
        METRICS["storage.forecast_models"].spec, frame, "error", ("archive", "model"), len(frame), warehouse.revision,
        units={"tried_from": "mo"}, headline=frame.error.iloc[0] if len(found) == 1 and len(frame) else None,
        notes=tuple(f"{name}: {line}" if len(found) > 1 else line
                    for name, seen in found for line in backtest_in_words(seen)))


def _compared(archive: str, seen: Backtest) -> list[dict[str, object]]:
    ranked = sorted(seen.trials.items(), key=lambda item: (item[0] == MIXED, -seen.shares.get(item[0], 0.0)))
    return [{
        "archive": archive, "model": NAMES[name], "error": trial.error(), "error_3_months": trial.error(3),
        "error_12_months": trial.error(12), "held_80_percent": trial.covered(80),
        "held_95_percent": trial.covered(95), "score": trial.score(),
        "share": np.nan if name == MIXED else 100 * seen.shares.get(name, 0.0), "tried_from": len(trial.origins),
    } for name, trial in ranked]
