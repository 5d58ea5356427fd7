"""Projecting a monthly series: many paths it may take, from which every interval and date is read.

Pure: arrays in, arrays out. The model is a local level with drift (a structural time series, Harvey 1989), once on
the values, growing by an amount a month, and once on their logarithms, growing by a rate; paths are drawn from both
in proportion to their Akaike weights (Burnham & Anderson 2002), so that not knowing which is right is part of the
interval. The Kalman filter starts diffuse, so not knowing level and drift is part of it too.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

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
    rng = np.random.default_rng(seed)
    scale = float(np.mean(values)) or 1.0
    scaled = np.asarray(values, dtype=float) / scale
    if len(scaled) < FEWEST_FOR_STRUCTURAL or _is_straight(scaled):
        return Projection("linear trend (ordinary least squares)", scale * _line_paths(scaled, horizon, paths, rng))
    amount = _fitted(scaled)
    if scaled.min() <= 0:
        drawn = _drawn(amount, horizon, paths, rng)
        return Projection("local level with drift (linear growth)", scale * np.maximum(drawn, 0))
    rate = _fitted(np.log(scaled))
    # The likelihood of the logarithms, as one of the values themselves.
    rate_aic = rate.aic + 2 * float(np.log(scaled[_DIFFUSE_STATES:]).sum())
    weight = 1 / (1 + np.exp(np.clip((amount.aic - rate_aic) / -2, -50, 50)))
    by_rate = rng.random(paths) < weight
    drawn = np.where(by_rate[:, None], np.exp(np.clip(_drawn(rate, horizon, paths, rng), -50, 50)),
                     _drawn(amount, horizon, paths, rng))
    name = f"local level with drift: exponential growth {100 * weight:.0f} %, linear {100 * (1 - weight):.0f} %"
    return Projection(name, scale * np.maximum(drawn, 0))


def backtest(values: Array, *, steps: int = 3, origins: int = 6) -> tuple[float | None, int]:
    """Return the mean absolute percentage error of forecasts from earlier months, and from how many of them.

    From each of the last months that leave ``steps`` to compare with, the series is projected as if what came after
    were not known (rolling origin), and the median of each step is compared with what came.

    Returns
    -------
    error : float or None
        In percent; ``None`` where the series is too short to try.
    origins : int
    """
    first = max(FEWEST_MONTHS * 2, len(values) - steps - origins + 1)
    starts = range(first, len(values) - steps + 1)
    errors: list[float] = []
    for start in starts:
        actual = values[start:start + steps]
        expected = project(values[:start], steps, paths=400).quantile(0.5)
        errors += [abs(guess - seen) / seen for guess, seen in zip(expected, actual, strict=True) if seen > 0]
    return (100 * float(np.mean(errors)), len(starts)) if errors else (None, 0)


def _is_straight(values: Array) -> bool:
    steps = np.arange(len(values))
    residual = values - np.polyval(np.polyfit(steps, values, 1), steps)
    return bool(np.std(residual) < 1e-6)


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


def _fitted(values: Array):  # type: ignore[no-untyped-def]  # statsmodels gives no types
    with warnings.catch_warnings():
        # Variances at their bound of 0 are a usual outcome here, not a fault.
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", EstimationWarning)
        return UnobservedComponents(values, level="lldtrend").fit(disp=False, maxiter=100, method="lbfgs")


def _drawn(fit, horizon: int, paths: int, rng: np.random.Generator) -> Array:  # type: ignore[no-untyped-def]
    """Draw paths from a fitted model; all at once, which its own simulation does one by one."""
    variance = dict(zip(fit.model.param_names, fit.params, strict=True))
    level, drift = rng.multivariate_normal(fit.predicted_state[:, -1], fit.predicted_state_cov[:, :, -1], paths).T
    moves = np.sqrt(variance["sigma2.level"]) * rng.standard_normal((paths, horizon - 1))
    steps = np.column_stack([level, drift[:, None] + moves])
    return np.cumsum(steps, axis=1) + np.sqrt(variance["sigma2.irregular"]) * rng.standard_normal((paths, horizon))
