"""Projecting a monthly series: many paths it may take, from which every interval and date is read.

Pure: arrays in, arrays out. The model is a local level with drift (a structural time series, Harvey 1989), once on
the values, growing by an amount a month, and once on their logarithms, growing by a rate; paths are drawn from both
in proportion to their Akaike weights (Burnham & Anderson 2002), so that not knowing which is right is part of the
interval. The Kalman filter starts diffuse, so not knowing level and drift is part of it too.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from statsmodels.tools.sm_exceptions import ConvergenceWarning, EstimationWarning
from statsmodels.tsa.statespace.structural import UnobservedComponents

FEWEST_MONTHS = 3
FEWEST_FOR_STRUCTURAL = 12
PATHS = 2000
_DIFFUSE_STATES = 2
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Projection:
    """Paths of the months to come.

    Attributes
    ----------
    model : its name, as a report states it.
    paths : one row a path, one column a month; never negative.
    """

    model: str
    paths: Array

    def quantile(self, fraction: float) -> Array:
        """Return the quantile of each month over the paths."""
        return np.quantile(self.paths, fraction, axis=0)


@dataclass(frozen=True)
class Level:
    """What a local level with drift has learnt from a series; it can be drawn from a longer one too.

    Attributes
    ----------
    scale : what the values were divided by.
    amount, rate : the fits on the values and on their logarithms; none where the values are few, straight, or 0.
    weight : of the one on the logarithms.
    """

    scale: float
    amount: Any = None
    rate: Any = None
    weight: float = 0.0

    @property
    def name(self) -> str:
        """Return the model's name, as a report states it."""
        if self.amount is None:
            return "linear trend (ordinary least squares)"
        if self.rate is None:
            return "local level with drift (linear growth)"
        rate = round(100 * self.weight)
        return f"local level with drift: exponential growth {rate} %, linear {100 - rate} %"


def project(values: Array, horizon: int, *, paths: int = PATHS, seed: int = 1) -> Projection:
    """Project a series of at least `FEWEST_MONTHS` values.

    Parameters
    ----------
    values : array of shape (n,)
        Equally spaced and not negative, such as bytes added a day, month by month.
    horizon : int
        Number of further steps.
    seed : int
        The same seed gives the same paths.

    Raises
    ------
    ValueError
        There are fewer than `FEWEST_MONTHS` values.
    """
    if len(values) < FEWEST_MONTHS:
        raise ValueError(f"{len(values)} values are too few to project; {FEWEST_MONTHS} are needed")
    learnt = learn_level(values)
    return Projection(learnt.name, draw_level(values, learnt, horizon, paths, np.random.default_rng(seed)))


def learn_level(values: Array) -> Level:
    """Estimate the variances of a local level with drift, on the values and on their logarithms."""
    scale = float(np.mean(values)) or 1.0
    scaled = np.asarray(values, dtype=float) / scale
    if len(scaled) < FEWEST_FOR_STRUCTURAL or is_straight(scaled):
        return Level(scale)
    amount = fitted(scaled)
    if scaled.min() <= 0:
        return Level(scale, amount)
    rate = fitted(np.log(scaled))
    # The likelihood of the logarithms, as one of the values themselves.
    rate_aic = rate.aic + 2 * float(np.log(scaled[_DIFFUSE_STATES:]).sum())
    return Level(scale, amount, rate, float(1 / (1 + np.exp(np.clip((amount.aic - rate_aic) / -2, -50, 50)))))


def draw_level(values: Array, learnt: Level, horizon: int, paths: int, rng: np.random.Generator) -> Array:
    """Draw paths from the end of a series: the one learnt from, or one that goes on from there."""
    scaled = np.asarray(values, dtype=float) / learnt.scale
    if learnt.amount is None:
        return learnt.scale * _line_paths(scaled, horizon, paths, rng)
    by_rate = np.zeros(paths, dtype=bool)
    if learnt.rate is not None and scaled.min() > 0:
        by_rate = rng.random(paths) < learnt.weight
    drawn = np.empty((paths, horizon))
    for fit, chosen in ((learnt.amount, ~by_rate), (learnt.rate, by_rate)):
        if chosen.any():
            logs = fit is learnt.rate
            at_end = moved_on(fit, np.log(scaled) if logs else scaled)
            some = drawn_from(at_end, horizon, int(chosen.sum()), rng)
            drawn[chosen] = np.exp(np.clip(some, -50, 50)) if logs else some
    return learnt.scale * np.maximum(drawn, 0)


def is_straight(values: Array) -> bool:
    """Tell whether values lie on one line, so that a likelihood has nothing to estimate a variance from."""
    steps = np.arange(len(values))
    residual = values - np.polyval(np.polyfit(steps, values, 1), steps)
    return bool(np.std(residual) < 1e-6 * (np.mean(np.abs(values)) or 1.0))


def _line_paths(values: Array, horizon: int, paths: int, rng: np.random.Generator) -> Array:
    """Draw lines from the posterior of a regression on time (Gelman et al., BDA3 14.2), and noise about them."""
    n = len(values)
    design = np.column_stack([np.ones(n), np.arange(n)])
    estimate, *_ = np.linalg.lstsq(design, values, rcond=None)
    freedom = n - 2
    sum_of_squares = float(((values - design @ estimate) ** 2).sum())
    sigma = np.sqrt(sum_of_squares / rng.chisquare(freedom, paths))
    root = np.linalg.cholesky(np.linalg.inv(design.T @ design))
    lines = estimate + sigma[:, None] * (rng.standard_normal((paths, 2)) @ root.T)
    ahead = np.column_stack([np.ones(horizon), np.arange(n, n + horizon)])
    return np.maximum(lines @ ahead.T + sigma[:, None] * rng.standard_normal((paths, horizon)), 0)


def fitted(values: Array, **season: Any):  # type: ignore[no-untyped-def]  # statsmodels gives no types
    """Fit a local level with drift, and with a season where one is described, by maximum likelihood."""
    with warnings.catch_warnings():
        # Variances at their bound of 0 are a usual outcome here, not a fault.
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", EstimationWarning)
        # Two variances: the simplex finds what L-BFGS-B does, in a tenth of the time where cores are busy.
        return UnobservedComponents(values, level="lldtrend", **season).fit(disp=False, maxiter=200, method="nm")


def moved_on(fit, values: Array):  # type: ignore[no-untyped-def]
    """Return the fit with its variances as they are, filtered over a series that goes on."""
    return fit if len(values) == fit.nobs else fit.apply(values)


def drawn_from(fit, horizon: int, paths: int, rng: np.random.Generator) -> Array:  # type: ignore[no-untyped-def]
    """Draw paths from a fitted model; all at once, which its own simulation does one by one.

    The first state is the level and the second its drift; what follows them, a season that repeats itself, only turns.
    """
    variance = dict(zip(fit.model.param_names, fit.params, strict=True))
    moves = np.sqrt(variance["sigma2.level"]) * rng.standard_normal((horizon, paths))
    turn, seen = fit.model["transition"], fit.model["design"][0]
    state = rng.multivariate_normal(fit.predicted_state[:, -1], fit.predicted_state_cov[:, :, -1], paths).T
    steps = np.empty((horizon, paths))
    for step in range(horizon):
        steps[step] = seen @ state
        state = turn @ state
        state[0] += moves[step]
    return steps.T + np.sqrt(variance["sigma2.irregular"]) * rng.standard_normal((paths, horizon))
