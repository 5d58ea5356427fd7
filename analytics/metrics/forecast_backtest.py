"""Back-test: what each model would have said at earlier months, against what came (rolling origin).

From each of the latest `ORIGINS` months that leave something to compare with, each model sees the months before it
and nothing else, and its paths are compared with the bytes that had come 1, 2, … 12 months later, all together: what
fills an archive is the sum (Tashman 2000, Int. J. Forecasting 16:437). Models are told apart by the interval score of
their 80 % and 95 % intervals (Gneiting & Raftery 2007, J. Am. Stat. Assoc. 102:359), which a narrow interval that
misses makes worse, and so does a wide one. Each takes part in the forecast by its score: the best alone is often the
one whose intervals were too narrow and had luck (docs/forecast-coverage.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from analytics.metrics.forecast_models import LEVEL, MODELS, mix
from analytics.metrics.projection import Array

ORIGINS = 24
STEPS = 12
FEWEST_LEARNT = 6
"""Months the first origin knows."""
FEWEST_ORIGINS = 6
"""Origins a model needs to be judged by; one that is not judged takes no part."""
LEARN_EVERY = 6
PATHS_TRIED = 400
SHARPNESS = 4
"""Power of the scores in the shares: about as many stretches of 12 months, and parts of one, as 24 origins hold that
do not overlap, each of which says the same once more."""
FRACTIONS = (0.025, 0.1, 0.5, 0.9, 0.975)
_BANDS = {80: (1, 3), 95: (0, 4)}
MIXED = "mixed"
_AHEAD = np.arange(1, STEPS + 1)


@dataclass(frozen=True)
class Trial:
    """One model's forecasts from earlier months.

    Attributes
    ----------
    origins : how many months each forecast knew.
    said : of shape (origins, steps, fractions): quantiles of the sum of that many months.
    came : of shape (origins, steps): the sum that came; not a number where it has not come yet.
    """

    origins: tuple[int, ...]
    said: Array
    came: Array

    def error(self, months: int | None = None) -> float | None:
        """Return how far the medians were off, in percent of what came; over one number of months, or over all."""
        chosen = slice(None) if months is None else slice(months - 1, months)
        came, said = self.came[:, chosen], self.said[:, chosen, FRACTIONS.index(0.5)]
        there = np.isfinite(came)
        whole = float(came[there].sum())
        return 100 * float(np.abs(said - came)[there].sum()) / whole if whole > 0 else None

    def covered(self, percent: int) -> float:
        """Return how often an interval held what came, in percent."""
        low, high = _BANDS[percent]
        there = np.isfinite(self.came)
        rounding = 1e-9 * self.came
        inside = (self.said[..., low] - rounding <= self.came) & (self.came <= self.said[..., high] + rounding)
        return 100 * float(inside[there].mean())

    def scores(self) -> Array:
        """Return the interval score of each origin and number of months, a month of it; smaller is better."""
        total = np.zeros_like(self.came)
        for percent, (low, high) in _BANDS.items():
            lower, upper = self.said[..., low], self.said[..., high]
            penalty = 2 / (1 - percent / 100)
            total += (upper - lower + penalty * np.maximum(lower - self.came, 0)
                      + penalty * np.maximum(self.came - upper, 0))
        return total / len(_BANDS) / _AHEAD

    def score(self) -> float:
        """Return the mean interval score, in percent of the bytes of a month."""
        a_month = float(np.nanmean(self.came / _AHEAD))
        return 100 * float(np.nanmean(self.scores())) / a_month if a_month else 0.0


@dataclass(frozen=True)
class Backtest:
    """How the models did on one history.

    Attributes
    ----------
    trials : by id of the model, and `MIXED`; empty where the history is too short to try.
    shares : of each model in the forecast; they sum to 1.
    best : id of the model with the best score.
    """

    trials: Mapping[str, Trial]
    shares: Mapping[str, float]
    best: str


def back_test(values: Array, days: Array, *, origins: int = ORIGINS) -> Backtest:
    """Try every model from each of the latest origins, and say by what share each takes part in the forecast.

    Parameters
    ----------
    values : array of shape (n,)
        Bytes a day, month by month.
    days : array of shape (n,)
        Days of each month.
    """
    first = max(FEWEST_LEARNT, len(values) - origins)
    if len(values) - first < FEWEST_ORIGINS:
        return Backtest({}, {LEVEL.id: 1.0}, LEVEL.id)
    sums = _sums(values, days, first)
    came = _came(values * days)
    trials = {name: Trial(tuple(drawn), np.array([_quantiles(paths) for paths in drawn.values()]), came[list(drawn)])
              for name, drawn in sums.items()}
    ratios = _ratios(trials, len(values))
    # The mix is tried as it would have been made then: with shares from what had come by then.
    mixed = {origin: _quantiles(mix({name: sums[name][origin] for name in then}, _shares(then)))
             for origin in sums[LEVEL.id] if len(then := _ratios(trials, origin)) > 1}
    if mixed:
        trials[MIXED] = Trial(tuple(mixed), np.array(list(mixed.values())), came[list(mixed)])
    return Backtest(trials, _shares(ratios), min(ratios, key=lambda name: ratios[name]))


def _sums(values: Array, days: Array, first: int) -> dict[str, dict[int, Array]]:
    """Return, by model and origin, the paths of the sums of the months that follow."""
    found: dict[str, dict[int, Array]] = {}
    learnt: dict[str, Any] = {}
    candidates = [model for model in MODELS if model.fits(values)]
    for origin in range(first, len(values)):
        # What follows the origin is cut off here, and never reaches a model.
        known, ahead = values[:origin], days[origin:origin + STEPS]
        for model in candidates:
            if not model.fits(known):
                continue
            if model.id not in learnt or (origin - first) % LEARN_EVERY == 0:
                learnt[model.id] = model.learn(known)
            paths = model.draw(known, learnt[model.id], STEPS, PATHS_TRIED, np.random.default_rng(origin))
            found.setdefault(model.id, {})[origin] = np.cumsum(paths[:, :len(ahead)] * ahead, axis=1)
    return found


def _came(added: Array) -> Array:
    """Return what came after each month, summed; of shape (months, steps)."""
    sums = np.full((len(added), STEPS), np.nan)
    for origin in range(len(added)):
        part = added[origin:origin + STEPS]
        sums[origin, :len(part)] = np.cumsum(part)
    return sums


def _quantiles(sums: Array) -> Array:
    said = np.full((STEPS, len(FRACTIONS)), np.nan)
    said[:sums.shape[1]] = np.quantile(sums, FRACTIONS, axis=0).T
    return said


def _ratios(trials: Mapping[str, Trial], known: int) -> dict[str, float]:
    """Return each model's score as a multiple of the local level's at the same origins, by what had come by then.

    Without those that cannot be judged yet.
    """
    scores = {name: np.where(np.add.outer(trial.origins, _AHEAD) <= known, trial.scores(), np.nan)
              for name, trial in trials.items()}
    usual = dict(zip(trials[LEVEL.id].origins, scores[LEVEL.id], strict=True))
    found = {}
    for name, trial in trials.items():
        if sum(origin < known for origin in trial.origins) < FEWEST_ORIGINS:
            continue
        own = float(np.nanmean(scores[name]))
        theirs = float(np.nanmean([usual[origin] for origin in trial.origins]))
        found[name] = own / theirs if theirs > 0 else 1.0 if name == LEVEL.id else np.inf
    return found


def _shares(ratios: Mapping[str, float]) -> dict[str, float]:
    """Return each model's share in the forecast: its ratio to the power of -`SHARPNESS`, scaled to sum to 1."""
    raw = {name: max(ratio, 1e-6) ** -SHARPNESS for name, ratio in ratios.items()}
    return {name: share / sum(raw.values()) for name, share in raw.items()}
