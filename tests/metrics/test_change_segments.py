"""Weeks of change on series whose answer is known: overdispersed counts with a weekly and a yearly season."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from analytics.metrics.change_segments import History, best, history, season, unchanged
from analytics.metrics.volume_series import holm, shuffles_for

N = 120
WEEKS = np.arange(float(N))
LIMIT = 0.01
SERIES = 100
Shape = Callable[[np.ndarray], np.ndarray]


def _counts(seed: int, shape: Shape, *, mean: float = 30.0, yearly: float = 0.1, alike: float = 0.0) -> np.ndarray:
    """Studies a working day: gamma-Poisson (negative binomial) counts of five days, busier on Mondays than on Fridays.

    ``alike`` is the correlation of a week's rate with that of the week before.
    """
    rng = np.random.default_rng(seed)
    drift = rng.normal(size=N)
    for week in range(1, N):
        drift[week] = alike * drift[week - 1] + np.sqrt(1 - alike**2) * drift[week]
    rate = mean * shape(WEEKS) * (1 + yearly * np.sin(2 * np.pi * WEEKS / 52.18)) * np.exp(0.08 * drift * (alike > 0))
    days = rate[:, None] * np.array([1.1, 1.05, 1.0, 0.95, 0.9])
    return np.asarray(rng.poisson(rng.gamma(20, days / 20)).mean(axis=1))


def _history(values: np.ndarray) -> History:
    top = best(WEEKS, values, season(WEEKS), 1999)
    if top is None or top.kind == "line" or top.p > LIMIT:
        return unchanged(WEEKS, values, steady=False)
    return history(WEEKS, values, top, LIMIT, 1999)


def _flat(weeks: np.ndarray) -> np.ndarray:
    return np.ones_like(weeks)


@pytest.mark.parametrize(("mean", "alike", "allowed"), [(30, 0.0, 0.01), (2, 0.0, 0.01), (30, 0.3, 0.02)])
def test_no_change_is_seen_where_there_is_none(mean: float, alike: float, allowed: float) -> None:
    """Of 200 series without a change, at most the stated share (p of 0.01) shows one.

    The yearly wave is of 10 %. Where weeks resemble the ones before (0.3), twice that is allowed, as the correction for
    it is known only from the series itself.
    """
    found = sum(bool(_history(_counts(seed, _flat, mean=mean, alike=alike)).changes) for seed in range(200))
    assert found / 200 <= allowed


def test_a_step_shows_through_the_time_of_the_year() -> None:
    """A step of 30 % under a yearly wave of 30 %: found in most series, and in none where the wave is left in."""
    series = [_counts(seed, lambda weeks: 1 + 0.3 * (weeks >= 60), yearly=0.3) for seed in range(30)]
    blind = [best(WEEKS, values, np.full((N, 1), N**-0.5), 1999) for values in series]
    assert sum(seen is not None and seen.kind != "line" and seen.p <= LIMIT for seen in blind) <= 3
    assert sum(bool(_history(values).changes) for values in series) >= 15


@pytest.mark.parametrize("place", [30, 60, 95])
def test_the_date_of_a_step_lies_in_its_interval_at_the_stated_rate(place: int) -> None:
    """A step of 40 % in counts that vary by 13 %: found, as a step, near its week, which is in the interval in 90 %."""
    found = [one for seed in range(SERIES) for one in
             _history(_counts(seed, lambda weeks: 1 + 0.4 * (weeks >= place))).changes[:1]]
    steps = [one for one in found if one.kind == "step"]
    assert len(steps) >= 0.85 * SERIES
    assert np.median([abs(one.first - place) for one in steps]) <= 1
    assert sum(one.earliest <= place <= one.latest for one in steps) >= 0.9 * len(steps)
    assert np.median([one.latest - one.earliest for one in steps]) <= 16
    assert np.median([one.before for one in steps]) == pytest.approx(30, rel=0.03)
    assert np.median([one.after for one in steps]) == pytest.approx(42, rel=0.03)


def test_the_date_of_a_bend_lies_in_its_interval_at_the_stated_rate() -> None:
    """From week 50 on 2 % of the level more each week: 0.6 of 30 studies a working day."""
    found = [one for seed in range(SERIES) for one in
             _history(_counts(seed, lambda weeks: 1 + 0.02 * np.maximum(0, weeks - 50), yearly=0.0)).changes[:1]]
    bends = [one for one in found if one.kind == "bend"]
    assert len(bends) >= 0.95 * SERIES
    assert sum(one.earliest <= 50 <= one.latest for one in bends) >= 0.9 * len(bends)
    assert np.median([one.slope for one in bends]) == pytest.approx(0.6, rel=0.1)


def test_steady_growth_is_not_taken_for_a_step_in_its_middle() -> None:
    """A tenth more a year: a straight line, and no week to name, in 19 of 20 series."""
    seen = [_history(_counts(seed, lambda weeks: 1 + 0.1 * weeks / 52.18)).changes for seed in range(SERIES)]
    assert sum(bool(changes) for changes in seen) <= 0.05 * SERIES


def test_two_steps_are_found_apart() -> None:
    """A scanner more, and later half of what it brought gone: from 30 to 60 in week 40, to 45 in week 80; in most."""
    seen = [_history(_counts(seed, lambda weeks: 1 + 1.0 * (weeks >= 40) - 0.5 * (weeks >= 80))).changes
            for seed in range(20)]
    both = [(one, other) for one, other in (changes for changes in seen if len(changes) == 2)]
    assert len(both) >= 14
    for one, other in both:
        assert (one.kind, other.kind) == ("step", "step") and abs(one.first - 40) <= 2 and abs(other.first - 80) <= 4
        assert one.after == other.before
        assert [one.before, one.after, other.after] == pytest.approx([30, 60, 45], rel=0.15)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.lists(st.tuples(st.integers(5, 115), st.floats(0, 3)), max_size=6))
def test_whatever_happened_changes_are_in_order_and_apart(seed: int, happened: list[tuple[int, float]]) -> None:
    def shape(weeks: np.ndarray) -> np.ndarray:
        level = np.ones_like(weeks)
        for place, size in sorted(happened):
            level[place:] = size
        return level

    seen = _history(_counts(seed, shape))
    bounds = [0, *(one.first for one in seen.changes), N]
    assert all(later - earlier >= 7 for earlier, later in itertools.pairwise(bounds))
    assert all(one.earliest <= one.first <= one.latest and min(one.before, one.after) >= 0 for one in seen.changes)
    assert len(seen.level) == N and np.isfinite(seen.level).all()


def test_what_is_gone_has_a_level_of_nothing() -> None:
    for seed in range(20):  # whose time of the year, if it were taken out of nothing, would look like a change
        (gone,) = _history(_counts(seed, lambda weeks: np.where(weeks < 80, 1.0, 0.0))).changes
        assert gone.after == 0 and gone.earliest <= 80 <= gone.latest and gone.before == pytest.approx(30, rel=0.07)


def test_what_passes_is_no_change_for_good() -> None:
    """A scanner that stands still for 12 weeks and then works as before."""
    assert not _history(_counts(2, lambda weeks: 1 - 1.0 * ((weeks >= 50) & (weeks < 62)), yearly=0.0)).changes


def test_too_few_weeks_or_equal_ones_show_nothing() -> None:
    assert best(WEEKS[:23], WEEKS[:23], season(WEEKS[:23]), 1999) is None
    assert best(WEEKS, np.ones(N), season(WEEKS), 1999) is None


def test_the_time_of_the_year_is_taken_out_of_two_years_or_more() -> None:
    assert season(np.arange(103.0)).shape == (103, 1) and season(np.arange(104.0)).shape == (104, 5)
    columns = season(WEEKS)
    assert np.allclose(columns.T @ columns, np.eye(5))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_p_is_corrected_as_another_implementation_does(p: list[float]) -> None:
    assert np.allclose(holm(p), multipletests(p, method="holm")[1])


def test_enough_shuffles_are_made_for_a_small_p_to_be_seen() -> None:
    for series in (1, 10, 50):
        assert 2 * series / (1 + shuffles_for(series, LIMIT)) <= LIMIT / 4
