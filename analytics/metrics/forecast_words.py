"""What a back-test says, in sentences: which model did best, how far off it was, and how honest the intervals are."""

from __future__ import annotations

from collections.abc import Mapping

from analytics.metrics.forecast_backtest import FEWEST_LEARNT, FEWEST_ORIGINS, MIXED, STEPS, Backtest, Trial
from analytics.metrics.forecast_models import BY_ID

NAMES = {name: model.name for name, model in BY_ID.items()} | {MIXED: "all models, by their shares: the forecast"}
_SMALLEST = 0.005


def shares_in_words(shares: Mapping[str, float]) -> str:
    """Say which models a forecast is drawn from, the largest share first."""
    ranked = sorted(shares.items(), key=lambda item: -item[1])
    said = [f"{NAMES[name]} {100 * share:.0f} %" for name, share in ranked if share >= _SMALLEST]
    return ", ".join(said) if len(said) > 1 else NAMES[ranked[0][0]]


def backtest_in_words(tried: Backtest) -> tuple[str, ...]:
    """Say which model did best with its error, and how often the forecast's intervals held."""
    if not tried.trials:
        return (f"Fewer than {FEWEST_LEARNT + FEWEST_ORIGINS} whole months are too few to try models on: a straight "
                "trend alone, and no back-test.",)
    best = tried.trials[tried.best]
    said = [f"Best of {len(tried.shares)} models in the back-test: {NAMES[tried.best]}. From each of "
            f"{len(best.origins)} earlier months, 1 to {STEPS} months ahead, {_held(best)}."]
    if len(tried.shares) > 1:
        said.append(f"The forecast takes paths from each model by its score there: {shares_in_words(tried.shares)}.")
        if MIXED in tried.trials:
            mixed = tried.trials[MIXED]
            said.append(f"Tried in the same way from {len(mixed.origins)} earlier months, with the shares it would "
                        f"have had then, {_held(mixed)}.")
    return tuple(said)


def _held(trial: Trial) -> str:
    error = trial.error()
    off = f"it was off by {error:.1f} % of the bytes that came" if error is not None else "nothing came"
    return (f"{off}; its 80 % interval held {trial.covered(80):.0f} % of them, "
            f"its 95 % interval {trial.covered(95):.0f} %")
