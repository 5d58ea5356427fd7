"""The back-test: it never sees the future, scores as the definition says, and prefers what forecasts better."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.metrics.forecast_backtest import FRACTIONS, MIXED, STEPS, Trial, back_test
from analytics.metrics.forecast_words import NAMES, backtest_in_words
from benchmarks.forecast_histories import simulate

DAYS = np.full(80, 30.0)


def growing(months: int, *, wave: float = 0.0, noise: float = 0.05, seed: int = 1) -> np.ndarray:
    rng, month = np.random.default_rng(seed), np.arange(months)
    return 1e9 * 1.01**month * np.exp(wave * np.sin(2 * np.pi * month / 12)) * rng.lognormal(0, noise, months)


def test_no_model_sees_what_comes_after_the_month_it_forecasts_from() -> None:
    values = growing(48, wave=0.1)
    for changed_from in (30, 40):
        other = values.copy()
        other[changed_from:] *= np.linspace(3, 9, 48 - changed_from)
        seen, changed = (back_test(series, DAYS[:48]).trials for series in (values, other))
        assert set(seen) == set(NAMES)
        for name, trial in seen.items():
            before = [place for place, origin in enumerate(trial.origins) if origin <= changed_from]
            after = [place for place, origin in enumerate(trial.origins) if origin > changed_from]
            assert before and np.array_equal(trial.said[before], changed[name].said[before], equal_nan=True), name
            assert not np.array_equal(trial.said[after], changed[name].said[after], equal_nan=True), name


def test_each_forecast_is_compared_with_the_sum_of_the_bytes_that_followed() -> None:
    values, days = np.arange(1.0, 31.0) ** 1.5, np.arange(30.0) % 3 + 29
    trial = back_test(values, days).trials["level"]
    assert trial.origins == tuple(range(6, 30))
    for place, origin in enumerate(trial.origins):
        for months in range(1, STEPS + 1):
            there = origin + months <= 30
            sum_by_hand = sum(values[at] * days[at] for at in range(origin, origin + months)) if there else np.nan
            assert trial.came[place, months - 1] == pytest.approx(sum_by_hand, nan_ok=True)


@given(st.lists(st.floats(0, 100), min_size=5, max_size=5), st.floats(0, 100))
@settings(max_examples=50, deadline=None)
def test_the_score_is_that_of_the_quantiles(said: list[float], came: float) -> None:
    """An interval score is 2 / alpha times the pinball losses of its two ends (Gneiting & Raftery 2007)."""
    quantiles = sorted(said)
    loss = {fraction: max(fraction * (came - at), (fraction - 1) * (came - at))
            for fraction, at in zip(FRACTIONS, quantiles, strict=True)}
    expected = (2 / 0.2 * (loss[0.1] + loss[0.9]) + 2 / 0.05 * (loss[0.025] + loss[0.975])) / 2
    shown = np.full((1, STEPS, 5), np.nan)
    shown[0, 0], sums = quantiles, np.full((1, STEPS), np.nan)
    sums[0, 0] = came
    assert Trial((6,), shown, sums).scores()[0, 0] == pytest.approx(expected)


def test_a_season_is_found_where_there_is_one() -> None:
    tried = back_test(growing(48, wave=0.3), DAYS[:48])
    assert tried.best == "season" and tried.shares["season"] > 0.9
    assert tried.trials["season"].error() < tried.trials["level"].error() / 2  # type: ignore[operator]


def test_shares_sum_to_one_and_do_not_hang_on_the_unit() -> None:
    in_bytes, in_gigabytes = (back_test(growing(40) / unit, DAYS[:40]) for unit in (1.0, 1e9))
    assert sum(in_bytes.shares.values()) == pytest.approx(1)
    assert dict(in_bytes.shares) == pytest.approx(dict(in_gigabytes.shares), abs=0.03)
    assert in_bytes.best == max(in_bytes.shares, key=lambda name: in_bytes.shares[name])


@pytest.mark.parametrize("months, models", [
    (11, set()), (12, {"level"}), (17, {"level"}), (18, {"level", "walk", "damped"}),
    (29, {"level", "walk", "damped"}), (30, {"level", "walk", "damped", "season"})])
def test_a_model_takes_part_once_it_could_be_tried_from_six_months(months: int, models: set[str]) -> None:
    tried = back_test(growing(months), DAYS[:months])
    assert set(tried.shares) == (models or {"level"})
    assert bool(tried.trials) == bool(models)
    assert "no back-test" in backtest_in_words(tried)[0] if not models else "Best of" in backtest_in_words(tried)[0]


def test_a_month_without_a_byte_leaves_the_local_level_alone() -> None:
    values = growing(40)
    values[35] = 0
    tried = back_test(values, DAYS[:40])
    assert dict(tried.shares) == {"level": 1.0} and set(tried.trials) == {"level"}


def test_the_words_say_the_best_model_with_its_error_and_how_often_intervals_held() -> None:
    known, _ = simulate("season", 3)
    tried = back_test(known, DAYS[:len(known)])
    best, shares, mixed = backtest_in_words(tried)
    trial = tried.trials[tried.best]
    assert NAMES[tried.best] in best and f"off by {trial.error():.1f} %" in best
    assert f"its 80 % interval held {tried.trials[MIXED].covered(80):.0f} %" in mixed
    assert NAMES[max(tried.shares, key=lambda name: tried.shares[name])] in shares
