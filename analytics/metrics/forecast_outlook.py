"""When an archive fills: the paths its use may take, and the day each of them reaches the capacity."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analytics.metrics.fill_days import day_after, months_to_full
from analytics.metrics.forecast_backtest import Backtest, back_test
from analytics.metrics.forecast_history import History
from analytics.metrics.forecast_models import draw_shared
from analytics.metrics.forecast_words import shares_in_words
from analytics.metrics.projection import FEWEST_MONTHS, Projection

HORIZON_MONTHS = 36
REMEMBERED = 32
"""Outlooks kept in memory, about half a megabyte each; a page asks for one an archive, and one of all together."""
_FITTING = threading.Lock()


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

    @property
    def filled(self) -> NDArray[np.float64]:
        """Return the share of the paths that have filled by the end of each month, in percent."""
        return 100 * np.asarray((self.projection.paths >= self.history.capacity).mean(axis=0))


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


def tried(history: History) -> Backtest | None:
    """Try every model on a history's own past; ``None`` where it is too short to forecast at all.

    Kept and shared as an outlook is, which asks for it too.
    """
    with _FITTING:
        return _tried(_Question(history.content, history)) if len(history.months) >= FEWEST_MONTHS else None


@lru_cache(REMEMBERED)
def _tried(asked: _Question) -> Backtest:
    return back_test(asked.history.a_day, asked.history.months.days_in_month.to_numpy())


@lru_cache(REMEMBERED)
def _outlook(asked: _Question, horizon_months: int) -> Outlook | None:
    history = asked.history
    if len(history.months) < FEWEST_MONTHS:
        return None
    ahead = pd.date_range(history.start, periods=horizon_months, freq="MS")
    shares = _tried(asked).shares
    added = draw_shared(history.a_day, shares, horizon_months) * ahead.days_in_month.to_numpy()
    # What the month that is not over has already taken in, it can not give back.
    added[:, 0] = np.maximum(added[:, 0], history.current)
    used = history.used[-1] + np.cumsum(added, axis=1)
    used.setflags(write=False)
    fills = months_to_full(used, float(history.used[-1]), history.capacity, history.current, history.gone)
    early, median, late = (day_after(history.start, float(np.quantile(fills, fraction, method="inverted_cdf")))
                           for fraction in (0.1, 0.5, 0.9))
    return Outlook(history, Projection(shares_in_words(shares), used), early, median, late,
                   100 * float(np.isfinite(fills).mean()))


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
