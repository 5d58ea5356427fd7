"""How long something takes when some of it has not ended yet: quantiles and shares by Kaplan-Meier.

What is open now has lasted at least its age (it is right-censored): it counts as being under way up to that age, and
says nothing about later. Leaving it out makes the figure look better than the truth; so does counting it at its age.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm
from statsmodels.duration.survfunc import SurvfuncRight

Array = NDArray[np.float64]
_Z = float(norm.ppf(0.975))
_SAME = 1e-9
"""Shares closer than this are the same: the library multiplies by way of logarithms, which leaves noise."""


@dataclass(frozen=True)
class Estimate:
    """A quantile and its 95 % limits, in the unit of the durations; ``None`` where the curve does not get there.

    Attributes
    ----------
    value : ``None`` is *not reached*: more than the rest is still under way at the longest time followed.
    low, high : a missing ``high`` is an interval that is open above; both are missing where nothing can be said.
    """

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Curve:
    """The share still under way after each time at which something ended, with pointwise 95 % limits.

    Attributes
    ----------
    times : increasing.
    under_way, low, high : shares from 0 to 1; the limits are NaN where all has ended, where they are not defined.
    followed : longest duration or age of all; nothing is known past it.
    """

    times: Array
    under_way: Array
    low: Array
    high: Array
    followed: float

    def quantile(self, fraction: float) -> Estimate:
        """Return the time within which a fraction has ended.

        It is the first time at which no more than the rest is under way. Where the curve is level at just the rest,
        it is the middle of that level, as in R's ``survfit``: with nothing open, the median is then the usual one.
        The limits are those of Brookmeyer and Crowley, where the pointwise limits cross the same height.
        """
        rest = 1.0 - fraction
        return Estimate(self._reaches(rest), self._crosses(self.low, rest), self._crosses(self.high, rest))

    def _reaches(self, rest: float) -> float | None:
        reached = np.flatnonzero(self.under_way <= rest + _SAME)
        if not reached.size:
            return None
        first = reached[0]
        level = abs(self.under_way[first] - rest) <= _SAME and first + 1 < len(self.times)
        return float((self.times[first] + self.times[first + 1]) / 2 if level else self.times[first])

    def _crosses(self, limit: Array, rest: float) -> float | None:
        crossed = np.flatnonzero(limit <= rest)  # a limit that is not defined crosses nothing
        return float(self.times[crossed[0]]) if crossed.size else None

    def ended_within(self, time: float) -> Estimate:
        """Return the share that has ended within a time, and its 95 % limits; ``None`` past what was followed."""
        if not time <= self.followed:
            return Estimate(None, None, None)
        place = int(np.searchsorted(self.times, time, side="right")) - 1
        if place < 0:
            return Estimate(0.0, None, None)
        low, high = (None if math.isnan(value) else 1.0 - float(value) for value in (self.high[place], self.low[place]))
        return Estimate(1.0 - float(self.under_way[place]), low, high)


def kaplan_meier(durations: Any, ended: Any, still_open: Any = None) -> Curve:
    """Estimate the curve from how many ended at, and how many are open at, each duration.

    Parameters
    ----------
    durations : array_like of float
        Not negative, in any order; one may stand there twice.
    ended, still_open : array_like of int
        How many ended after just that long, and how many are open at that age. What ended and what is open at the
        same duration: the end comes first.

    Returns
    -------
    Curve
        Kaplan and Meier's product limit by statsmodels, pointwise limits from Greenwood's variance on the
        log(-log) scale (Kalbfleisch and Prentice), which never leave 0 to 1.
    """
    times = np.asarray(durations, dtype=float)
    counts = [np.asarray(ended, dtype=float), np.zeros_like(times) if still_open is None else
              np.asarray(still_open, dtype=float)]
    time, weight = np.tile(times, 2), np.concatenate(counts)
    status = np.repeat([1, 0], len(times))
    held = weight > 0
    followed = float(time[held].max()) if held.any() else math.nan
    if not (held & (status == 1)).any():
        nothing = np.empty(0)
        return Curve(nothing, nothing, nothing, nothing, followed)
    fit = SurvfuncRight(time[held], status[held], freq_weights=weight[held])
    low, high = _limits(fit.surv_prob, fit.n_risk, fit.n_events)
    return Curve(fit.surv_times, fit.surv_prob, low, high, followed)


def _limits(under_way: Array, at_risk: Array, ends: Array) -> tuple[Array, Array]:
    # Not the library's own surv_prob_se: with weights it is Tsiatis' standard error of log S and not of S, and
    # quantile_ci, which takes it for that of S, then gives limits that are far too wide.
    some_left = at_risk > ends
    with np.errstate(divide="ignore", invalid="ignore"):
        greenwood = np.cumsum(np.where(some_left, ends / (at_risk * (at_risk - ends)), np.nan))
        spread = np.exp(_Z * np.sqrt(greenwood) / np.abs(np.log(under_way)))
        low, high = under_way ** spread, under_way ** (1 / spread)
    return np.where(some_left, low, np.nan), np.where(some_left, high, np.nan)
