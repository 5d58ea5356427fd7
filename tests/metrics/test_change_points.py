"""Change points on series whose answer is known, and how often chance alone is taken for one."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from analytics.metrics.change_points import Change, bend, middle_slope, step, stretch

WEEKS = np.arange(104, dtype=float)
LEVEL = 0.05
"""The share of series without a change in which one may be seen, where p of this size counts."""


def _noise(seed: int, n: int = 104, alike: float = 0.0) -> np.ndarray:
    """Normal noise of variance 1, each value correlated with the one before."""
    drawn = np.random.default_rng(seed).normal(size=n + 50)
    for place in range(1, len(drawn)):
        drawn[place] = alike * drawn[place - 1] + np.sqrt(1 - alike**2) * drawn[place]
    return drawn[50:]


def _found(seen: Change | None) -> Change:
    assert seen is not None
    return seen


def test_a_step_without_noise_is_found_to_the_value() -> None:
    # 10 values of 3, then 6 of 5: the first changed is that at place 10
    seen = _found(step(np.array([3.0] * 10 + [5.0] * 6)))
    assert (seen.first, seen.last, seen.before, seen.after, seen.explained) == (10, 15, 3, 5, pytest.approx(1))


def test_a_bend_without_noise_is_found_to_the_value() -> None:
    # level 2 up to week 9, then 1.5 a week: 2 + 1.5 x 10 = 17 in week 19
    times = np.arange(20, dtype=float)
    seen = _found(bend(times, 2 + 1.5 * np.maximum(0, times - 9)))
    assert (seen.first, seen.before, seen.after, seen.slope) == (10, 2, pytest.approx(17), pytest.approx(1.5))


def test_a_stretch_without_noise_is_found_to_the_value() -> None:
    seen = _found(stretch(np.array([4.0] * 12 + [9.0] * 3 + [4.0] * 12), 2, 6))
    assert (seen.first, seen.last, seen.before, seen.after) == (12, 14, 4, 9)


def test_the_middle_slope_is_that_of_most_pairs() -> None:
    # pairs of (0, 0), (1, 1), (2, 2), (3, 30): slopes 1, 1, 10, 1, 14.5, 28; their median is (1 + 10) / 2 = 5.5
    slope, _ = middle_slope(np.arange(4.0), np.array([0.0, 1, 2, 30]))
    assert slope == 5.5


@pytest.mark.parametrize("seed", range(5))
def test_each_fit_is_that_of_another_implementation(seed: int) -> None:
    """Least squares by numpy at every place, one after the other; ranks and slope by scipy."""
    values = np.round(_noise(seed, 40, 0.3), 1)
    times, place = np.arange(40.0), np.arange(40)

    def explained(shape: np.ndarray, of: np.ndarray) -> float:
        squares = np.linalg.lstsq(np.column_stack([np.ones(40), shape]), of, rcond=None)[1]
        return float(1 - squares[0] / ((of - of.mean()) ** 2).sum())

    ranks = scipy.stats.rankdata(values)
    steps = {at: explained(place >= at, ranks) for at in range(4, 37)}
    bends = {at: explained(np.maximum(0, place - at), values) for at in range(3, 36)}
    stepped, bent = _found(step(values)), _found(bend(times, values))
    assert steps[stepped.first] == pytest.approx(max(steps.values())) == pytest.approx(stepped.explained)
    assert bends[bent.first - 1] == pytest.approx(max(bends.values())) == pytest.approx(bent.explained)
    assert bent.slope == pytest.approx(scipy.stats.theilslopes(values[bent.first - 1:], times[bent.first - 1:])[0])


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("place", [20, 60, 90])
def test_a_step_of_three_deviations_is_found_within_two_weeks(place: int, seed: int) -> None:
    seen = _found(step(_noise(seed) + 3 * (place <= WEEKS)))
    assert abs(seen.first - place) <= 2 and seen.p <= 0.001
    assert seen.after - seen.before == pytest.approx(3, abs=0.8)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("place", [30, 60, 85])
def test_a_bend_of_two_deviations_a_week_is_found_within_two_weeks(place: int, seed: int) -> None:
    seen = _found(bend(WEEKS, _noise(seed) - 2 * np.maximum(0, WEEKS - place)))
    assert abs(seen.first - 1 - place) <= 2 and seen.p <= 0.001 and seen.slope == pytest.approx(-2, abs=0.2)


@pytest.mark.parametrize("seed", range(10))
def test_a_stretch_of_three_deviations_is_found_within_two_weeks(seed: int) -> None:
    seen = _found(stretch(_noise(seed) + 3 * ((WEEKS >= 40) & (WEEKS < 45)), 2, 10))
    assert abs(seen.first - 40) <= 2 and abs(seen.last - 44) <= 2 and seen.p <= 0.01


def test_a_single_wild_value_is_no_step() -> None:
    values = _noise(1)
    values[50] = 1000
    assert _found(step(values)).p > LEVEL


@pytest.mark.parametrize("alike", [0.0, 0.3])
@pytest.mark.parametrize("kind", ["step", "bend", "stretch"])
def test_chance_is_rarely_taken_for_a_change(kind: str, alike: float) -> None:
    """In 200 series without a change, at most 5 % show one at p <= 0.01, even where weeks resemble the ones before.

    Measured: step 1 % and 3 % (correlation 0 and 0.3), bend 0 % and 1 %, stretch 2.5 % and 1.5 %.
    """
    find = {"step": step, "bend": lambda values: bend(WEEKS, values), "stretch": lambda values: stretch(values, 2, 10)}
    alarms = sum(_found(find[kind](_noise(1000 + seed, alike=alike))).p <= 0.01 for seed in range(200))
    assert alarms / 200 <= LEVEL


def test_too_few_or_equal_values_show_nothing() -> None:
    assert step(np.arange(11.0)) is None and step(np.ones(50)) is None
    assert bend(np.arange(11.0), np.arange(11.0)) is None and stretch(np.arange(3.0), 2, 5) is None
