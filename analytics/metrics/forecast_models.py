"""Models of a monthly series, of different nature, each of which draws the paths it thinks possible.

Pure: arrays in, arrays out. A model learns once and draws from the end of the series it learnt from, or of one that
goes on from there: the back-test learns anew from every sixth origin only, always from what came before it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from statsmodels.tools.sm_exceptions import ConvergenceWarning, EstimationWarning
from statsmodels.tsa.exponential_smoothing.ets import ETSModel

from analytics.metrics.projection import (
    FEWEST_MONTHS,
    PATHS,
    Array,
    draw_level,
    drawn_from,
    fitted,
    is_straight,
    learn_level,
    moved_on,
)

YEAR = 12
_FEWEST_STEPS = 12
_FEWEST_YEARS = 2
_WAVES = 2
_FARTHEST = 20.0
"""A path's growth or fall as a logarithm: some 500 million times."""


@dataclass(frozen=True)
class Model:
    """One way to see what is to come.

    Attributes
    ----------
    id, name : permanent id, and its name as a page states it.
    fewest : months it needs.
    learn : estimates from a series whatever `draw` needs to know of it.
    draw : paths, of shape (paths, horizon), from the end of a series, with what was learnt.
    """

    id: str
    name: str
    fewest: int
    learn: Callable[[Array], Any]
    draw: Callable[[Array, Any, int, int, np.random.Generator], Array]

    def fits(self, values: Array) -> bool:
        """Tell whether the model can learn from a series: long enough, and for all but the first, above 0."""
        return len(values) >= self.fewest and (
            self is LEVEL or (float(np.min(values)) > 0 and not is_straight(values)))


def _nothing(_: Array) -> None:
    """Learn nothing: the model has no parameter that is searched for."""


def draw_walk(values: Array, _: None, horizon: int, paths: int, rng: np.random.Generator) -> Array:
    """Go on from the latest month by steps like those of the past, drawn with replacement, on the logarithms.

    The drift is drawn too, from a past that is drawn again, so that not knowing it is part of the interval.
    """
    steps = np.diff(np.log(values))
    drift = rng.choice(steps, (paths, len(steps))).mean(axis=1)
    moves = rng.choice(steps - steps.mean(), (paths, horizon)) * np.sqrt(len(steps) / (len(steps) - 1))
    return _from_logs(np.cumsum(drift[:, None] + moves, axis=1), float(np.log(values[-1])))


def learn_damped(values: Array) -> tuple[Any, float]:
    """Estimate exponential smoothing with a damped trend on the logarithms (ETS(A,Ad,N), Hyndman et al. 2008)."""
    center = float(np.mean(np.log(values)))
    with warnings.catch_warnings():
        # Smoothing at a bound of its range is a usual outcome here, not a fault.
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", EstimationWarning)
        return _damped(values, center).fit(disp=False).params, center


def draw_damped(values: Array, learnt: tuple[Any, float], horizon: int, paths: int, rng: np.random.Generator) -> Array:
    """Draw paths of a damped trend, with errors drawn from those of the past."""
    params, center = learnt
    fit = _damped(values, center).smooth(params)
    errors = rng.choice(fit.resid, (horizon, paths))
    drawn = fit.simulate(horizon, anchor="end", repetitions=paths, random_errors=errors)
    return _from_logs(np.asarray(drawn).reshape(horizon, paths).T, center)


def _damped(values: Array, center: float) -> Any:
    return ETSModel(np.log(values) - center, error="add", trend="add", damped_trend=True)


def learn_season(values: Array) -> tuple[Any, float]:
    """Estimate a local level with drift and a season of the year, two waves, on the logarithms."""
    center = float(np.mean(np.log(values)))
    return fitted(np.log(values) - center, freq_seasonal=[{"period": YEAR, "harmonics": _WAVES}],
                  stochastic_freq_seasonal=[False]), center


def draw_season(values: Array, learnt: tuple[Any, float], horizon: int, paths: int, rng: np.random.Generator) -> Array:
    """Draw paths of a level that wanders and drifts, with the season that comes back each year."""
    fit, center = learnt
    drawn = drawn_from(moved_on(fit, np.log(values) - center), horizon, paths, rng)
    return _from_logs(drawn, center)


def _from_logs(drawn: Array, center: float) -> Array:
    """Return values from logarithms less a center; a path ends its growth before numbers end."""
    return np.exp(center) * np.exp(np.clip(drawn, -_FARTHEST, _FARTHEST))


LEVEL = Model("level", "local level with drift", FEWEST_MONTHS, learn_level, draw_level)
MODELS = (
    LEVEL,
    Model("walk", "random walk with drift", _FEWEST_STEPS, _nothing, draw_walk),
    Model("damped", "exponential smoothing with damped trend", _FEWEST_STEPS, learn_damped, draw_damped),
    Model("season", "local level with drift and season of the year", _FEWEST_YEARS * YEAR, learn_season, draw_season),
)
BY_ID = {model.id: model for model in MODELS}


def draw_shared(values: Array, shares: Mapping[str, float], horizon: int, *, paths: int = PATHS,
                seed: int = 1) -> Array:
    """Draw paths from several models, of each by its share."""
    counted = {name: share for name, share in shares.items() if round(paths * share)}
    drawn = {name: BY_ID[name].draw(values, BY_ID[name].learn(values), horizon, paths, np.random.default_rng(seed))
             for name in counted}
    return mix(drawn, {name: share / sum(counted.values()) for name, share in counted.items()})


def mix(drawn: Mapping[str, Array], shares: Mapping[str, float]) -> Array:
    """Take paths of each model by its share: as many in all as each has drawn."""
    paths = len(next(iter(drawn.values())))
    ends = np.round(paths * np.cumsum(list(shares.values()))).astype(int)
    counts = np.diff([0, *ends])
    return np.concatenate([drawn[name][:count] for name, count in zip(shares, counts, strict=True)])
