"""The forecast's model: what it must give where the answer is known, and how often its intervals hold."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.metrics.forecast import History, fills_in_words, outlook
from analytics.metrics.projection import drawn_from, fitted, project

QUANTILES = (0.025, 0.1, 0.9, 0.975)


def _history(kind: str, seed: int, n: int) -> np.ndarray:
    rng, month = np.random.default_rng(seed), np.arange(n)
    if kind == "linear":
        return (100 + 1.5 * month) * rng.lognormal(0, 0.05, n)
    if kind == "exponential":
        return 100 * 1.02**month * rng.lognormal(0, 0.05, n)
    return 100 + np.cumsum(1.5 + rng.normal(0, 3, n)) + rng.normal(0, 5, n)


@given(st.floats(1, 1e12), st.floats(0, 1e10), st.integers(3, 40))
@settings(max_examples=30, deadline=None)
def test_a_straight_line_goes_on_straight(start: float, step: float, n: int) -> None:
    projected = project(start + step * np.arange(n), 6, paths=50)
    expected = start + step * np.arange(n, n + 6)
    assert projected.paths == pytest.approx(np.tile(expected, (50, 1)), rel=1e-4)


@pytest.mark.parametrize("n", [8, 35])
def test_intervals_hold_about_as_often_as_they_say(n: int) -> None:
    # 20 histories a kind: 80 % intervals hold in 48 of 60 with a standard deviation of 3.1, 95 % in 57 with 1.7.
    # A short history is harder, so the bounds leave four deviations below.
    hold80 = hold95 = 0
    for kind in ("linear", "exponential", "random walk"):
        for seed in range(20):
            history = _history(kind, seed, n + 12)
            whole_year = history[n:].sum()
            low95, low80, high80, high95 = np.quantile(project(history[:n], 12, paths=400).paths.sum(axis=1), QUANTILES)
            hold80 += low80 <= whole_year <= high80
            hold95 += low95 <= whole_year <= high95
    assert 36 <= hold80 <= 58
    assert 50 <= hold95 <= 60


def test_paths_have_the_mean_and_spread_of_the_models_own_forecast() -> None:
    fit = fitted(_history("random walk", 5, 36) / 100)
    drawn = drawn_from(fit, 12, 20_000, np.random.default_rng(1))
    exact = fit.get_forecast(12)
    assert drawn.mean(axis=0) == pytest.approx(exact.predicted_mean, abs=0.02)
    assert drawn.std(axis=0) == pytest.approx(exact.se_mean, rel=0.05)


def test_which_growth_fits_better_weighs_more() -> None:
    month = np.arange(36)
    rng = np.random.default_rng(1)
    doubling = 100 * 1.06**month * rng.lognormal(0, 0.02, 36)
    assert "exponential growth 100 %" in project(doubling, 6, paths=10).model


def test_nothing_is_ever_taken_back() -> None:
    falling = np.array([9.0, 7.5, 4.0, 2.5, 1.0])
    assert project(falling, 24).paths.min() >= 0


def test_the_same_history_gives_the_same_paths() -> None:
    history = _history("random walk", 3, 24)
    assert np.array_equal(project(history, 6).paths, project(history, 6).paths)


def test_too_short_a_history_is_refused() -> None:
    with pytest.raises(ValueError, match="too few"):
        project(np.ones(2), 3)


def test_an_archive_that_the_month_not_over_has_filled_is_full_now() -> None:
    months = pd.date_range("2025-01-01", periods=6, freq="MS")
    added = 100 * months.days_in_month.to_numpy()

    def sentence(current: int) -> str:
        seen = outlook(History("NORTH", 24_000, 1_900, months, added, 0, current))
        assert seen is not None
        return fills_in_words(seen)

    # 1,900 and 18,100 are in use when July begins, and 4,000 are free
    assert sentence(current=3_999).startswith("NORTH fills on")
    assert sentence(current=4_000) == "NORTH is full."
