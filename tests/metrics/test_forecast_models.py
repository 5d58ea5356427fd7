"""The forecast's models: each against its library's own forecast or its closed form, and all on any history."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.tsa.exponential_smoothing.ets import ETSModel
from statsmodels.tsa.statespace.structural import UnobservedComponents

from analytics.metrics.forecast import History, outlook
from analytics.metrics.forecast_models import BY_ID, MODELS, draw_shared, mix
from analytics.metrics.projection import Array

MANY = 20_000


def drawn(name: str, values: Array, horizon: int, paths: int = MANY) -> Array:
    model = BY_ID[name]
    return model.draw(values, model.learn(values), horizon, paths, np.random.default_rng(1))


def wandering(months: int, wave: float = 0.0) -> Array:
    rng, month = np.random.default_rng(7), np.arange(months)
    walk = np.cumsum(rng.normal(0.01, 0.03, months)) + rng.normal(0, 0.03, months)
    return 5e8 * np.exp(walk + wave * np.sin(2 * np.pi * month / 12))


def test_the_seasonal_model_has_the_mean_and_spread_of_the_librarys_own_forecast() -> None:
    values = wandering(48, wave=0.3)
    exact = UnobservedComponents(
        np.log(values) - np.log(values).mean(), level="lldtrend", freq_seasonal=[{"period": 12, "harmonics": 2}],
        stochastic_freq_seasonal=[False]).fit(disp=False, maxiter=100, method="lbfgs").get_forecast(14)
    logs = np.log(drawn("season", values, 14)) - np.log(values).mean()
    assert logs.mean(axis=0) == pytest.approx(exact.predicted_mean, abs=0.01)
    assert logs.std(axis=0) == pytest.approx(exact.se_mean, rel=0.05)
    assert np.ptp(exact.predicted_mean) > 0.3, "the season is there to be drawn"


def test_the_damped_trend_has_the_middle_of_the_librarys_own_forecast() -> None:
    values = wandering(40)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exact = ETSModel(pd.Series(np.log(values)), error="add", trend="add", damped_trend=True).fit(disp=False)
    logs = np.log(drawn("damped", values, 12))
    assert logs.mean(axis=0) == pytest.approx(exact.forecast(12).to_numpy(), abs=0.02)
    band = exact.get_prediction(start=40, end=51).pred_int(alpha=0.2).to_numpy()
    width = np.quantile(logs, 0.9, axis=0) - np.quantile(logs, 0.1, axis=0)
    assert width == pytest.approx(band[:, 1] - band[:, 0], rel=0.15)


def test_the_walk_has_the_mean_and_variance_of_its_closed_form() -> None:
    """h steps of n known: mean h d, variance h s2 for the steps and h squared s2 / n for the drift not known."""
    values = wandering(31)
    steps, ahead = np.diff(np.log(values)), np.arange(1, 9)
    logs = np.log(drawn("walk", values, 8)) - np.log(values[-1])
    assert logs.mean(axis=0) == pytest.approx(ahead * steps.mean(), abs=0.005)
    expected = ahead * steps.var(ddof=1) + ahead**2 * steps.var() / 30
    assert logs.var(axis=0) == pytest.approx(expected, rel=0.06)


@pytest.mark.parametrize("name", list(BY_ID))
def test_what_was_learnt_earlier_is_drawn_from_the_end_of_the_longer_history(name: str) -> None:
    """From six months later on it forecasts about what it would, had it learnt then: not from where it learnt."""
    model, values = BY_ID[name], wandering(48)
    values[42:] *= 3
    middle = [np.median(model.draw(values, model.learn(known), 3, 2000, np.random.default_rng(1)))
              for known in (values[:42], values)]
    assert middle[0] > 1.6 * values[41]
    assert middle[0] == pytest.approx(middle[1], rel=0.45)


@given(st.lists(st.floats(1e-3, 1e15), min_size=24, max_size=40))
@settings(max_examples=25, deadline=None)
def test_any_history_is_forecast_in_numbers_that_can_be_added_up(history: list[float]) -> None:
    values = np.array(history)
    for model in MODELS:
        if model.fits(values):
            paths = model.draw(values, model.learn(values), 36, 40, np.random.default_rng(1))
            assert paths.shape == (40, 36) and np.isfinite(np.cumsum(paths * 31, axis=1)).all(), model.id
            assert paths.min() >= 0


def test_paths_are_taken_from_each_model_by_its_share() -> None:
    parts = {"level": np.zeros((1000, 2)), "walk": np.ones((1000, 2)), "season": np.full((1000, 2), 2.0)}
    taken = mix(parts, {"level": 0.2, "walk": 0.5, "season": 0.3})
    assert np.unique(taken[:, 0], return_counts=True)[1].tolist() == [200, 500, 300]
    assert len(draw_shared(wandering(36), {"level": 0.9996, "walk": 0.0004}, 3, paths=1000)) == 1000


@given(st.integers(1, 40), st.integers(14, 40), st.floats(0, 0.4))
@settings(max_examples=10, deadline=None)
def test_the_chance_by_month_agrees_with_the_days_an_archive_fills(room: int, months: int, wave: float) -> None:
    values = (wandering(months, wave) * 30).astype("int64")
    held = int(values.sum())
    when = pd.date_range("2023-01-01", periods=months, freq="MS")
    seen = outlook(History("Main", held + room * int(values[-1]), 0, when, values, 0, 0))
    assert seen is not None
    filled = seen.filled
    assert filled[-1] == pytest.approx(seen.chance) and (np.diff(filled) >= 0).all()
    for share, day in ((10, seen.early), (50, seen.median), (90, seen.late)):
        reached = np.flatnonzero(filled >= share)
        if day is None:
            assert not len(reached)
        else:
            first = seen.history.start + pd.DateOffset(months=int(reached[0]))
            assert first <= pd.Timestamp(day) <= first + pd.DateOffset(months=1)
