"""Kaplan-Meier against the product limit in exact fractions, and where the library's own answers mislead."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as some
from statsmodels.duration.survfunc import SurvfuncRight

from analytics.metrics.survival import Estimate, kaplan_meier

Exams = list[tuple[int, bool]]
EXAMS = some.lists(some.tuples(some.integers(0, 40), some.booleans()), max_size=60)
"""Minutes of each exam, and whether it has ended; few minutes, so that many share one."""
FRACTIONS = some.sampled_from([Fraction(1, 2), Fraction(9, 10), Fraction(1, 4), Fraction(1, 3)])


def exact_curve(exams: Exams) -> list[tuple[int, Fraction]]:
    """Go through the exams one by one: after each end, the share still under way."""
    share, curve = Fraction(1), []
    for minute in sorted({minutes for minutes, ended in exams if ended}):
        at_risk = sum(minutes >= minute for minutes, _ in exams)
        ends = sum(minutes == minute and ended for minutes, ended in exams)
        share *= Fraction(at_risk - ends, at_risk)
        curve.append((minute, share))
    return curve


def exact_quantile(exams: Exams, fraction: Fraction) -> float | None:
    """The first time with no more than the rest under way; the middle of a level at just the rest."""
    curve = exact_curve(exams)
    for place, (minute, share) in enumerate(curve):
        if share == 1 - fraction and place + 1 < len(curve):
            return (minute + curve[place + 1][0]) / 2
        if share <= 1 - fraction:
            return minute
    return None


def counted(exams: Exams):
    return kaplan_meier([minutes for minutes, _ in exams], [ended for _, ended in exams],
                        [not ended for _, ended in exams])


def lognormal_exams(n: int, seed: int = 3) -> Exams:
    """Half as many again are open as a real list would hold, and the longest one is, so the curve ends above 0."""
    rng = np.random.default_rng(seed)
    whole, known = rng.lognormal(4, 1, n).round(), rng.lognormal(4.6, 1, n).round()
    return [*((int(min(a, b)), bool(a <= b)) for a, b in zip(whole, known, strict=True)), (100_000, False)]


@given(exams=EXAMS)
def test_the_curve_is_the_product_limit_in_exact_fractions(exams):
    curve = counted(exams)

    want = exact_curve(exams)
    assert list(curve.times) == [minute for minute, _ in want]
    assert curve.under_way == pytest.approx([float(share) for _, share in want], abs=1e-12)


@given(exams=EXAMS, fraction=FRACTIONS)
@example(exams=[(10, True), (20, True), (30, True), (40, True)], fraction=Fraction(1, 2))
@example(exams=[(minute, True) for minute in range(1, 31)], fraction=Fraction(9, 10))
def test_a_quantile_is_that_of_the_exact_curve_even_where_the_curve_is_level_at_it(exams, fraction):
    assert counted(exams).quantile(float(fraction)).value == exact_quantile(exams, fraction)


@given(minutes=some.lists(some.integers(0, 40), min_size=1, max_size=60))
def test_with_nothing_open_the_median_is_the_usual_one(minutes):
    assert kaplan_meier(minutes, np.ones(len(minutes))).quantile(0.5).value == np.median(minutes)


@given(exams=EXAMS.filter(lambda exams: any(ended for _, ended in exams)))
def test_open_exams_never_make_a_quantile_smaller_than_finished_ones_alone(exams):
    with_open, finished = counted(exams), counted([(minutes, ended) for minutes, ended in exams if ended])
    for fraction in (0.5, 0.9):
        value = with_open.quantile(fraction).value
        assert value is None or value >= finished.quantile(fraction).value


@given(exams=EXAMS)
def test_an_estimate_lies_within_its_limits(exams):
    curve = counted(exams)
    for fraction in (0.5, 0.9):
        one = curve.quantile(fraction)
        assert one.low is None or one.value is None or one.low <= one.value
        assert one.high is None or (one.value is not None and one.value <= one.high)
    for minute in range(0, 45, 5):
        share = curve.ended_within(minute)
        assert share.low is None or share.low - 1e-12 <= share.value <= share.high + 1e-12


@given(exams=EXAMS, seed=some.randoms())
def test_counts_say_the_same_as_exams_one_by_one_in_any_order(exams, seed):
    one_by_one = counted(exams)
    minutes = list({minutes for minutes, _ in exams})
    seed.shuffle(minutes)
    together = kaplan_meier(minutes, [exams.count((minute, True)) for minute in minutes],
                            [exams.count((minute, False)) for minute in minutes])

    assert np.array_equal(one_by_one.times, together.times)
    assert together.under_way == pytest.approx(one_by_one.under_way, abs=1e-12)
    assert together.low == pytest.approx(one_by_one.low, abs=1e-9, nan_ok=True)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("fraction", [0.25, 0.5, 0.75])
def test_limits_are_those_that_the_library_gives_for_exams_one_by_one(seed, fraction):
    exams = lognormal_exams(400, seed)
    library = SurvfuncRight([minutes for minutes, _ in exams], [int(ended) for _, ended in exams])

    ours = counted(exams).quantile(fraction)

    assert (ours.low, ours.high) == library.quantile_ci(fraction, method="cloglog")
    assert ours.value == library.quantile(fraction)


def test_the_library_s_limits_from_counts_are_too_wide_so_they_are_not_used():
    """Should this ever fail, the library's standard error with weights is right, and ``_limits`` can go."""
    exams = lognormal_exams(400)
    minutes, ended = [minutes for minutes, _ in exams], [int(ended) for _, ended in exams]
    one_by_one = SurvfuncRight(minutes, ended)
    weighted = SurvfuncRight(minutes, ended, freq_weights=np.ones(len(exams)))

    low, high = weighted.quantile_ci(0.75, method="cloglog")
    right_low, right_high = one_by_one.quantile_ci(0.75, method="cloglog")
    assert high - low > 1.5 * (right_high - right_low)


def test_the_interval_of_a_median_covers_the_truth_about_95_times_in_100():
    rng, truth, covered = np.random.default_rng(5), math.exp(4), 0
    for _ in range(400):
        whole, known = rng.lognormal(4, 1, 150), rng.lognormal(4.6, 1, 150)
        one = kaplan_meier(np.minimum(whole, known), whole <= known, whole > known).quantile(0.5)
        covered += one.low <= truth <= (one.high or math.inf)
    assert 0.92 <= covered / 400 <= 0.98


def test_a_curve_that_never_falls_to_a_half_has_no_median():
    one = kaplan_meier([10, 20, 30], [1, 1, 0], [0, 0, 5]).quantile(0.5)

    assert one.value is None and one.high is None


def test_where_nothing_has_ended_nothing_is_estimated():
    nothing = Estimate(None, None, None)

    assert kaplan_meier([5, 9], [0, 0], [3, 1]).quantile(0.5) == nothing
    assert kaplan_meier([], []).quantile(0.5) == nothing and kaplan_meier([], []).ended_within(5) == nothing


def test_a_million_exams_that_end_in_few_minutes_have_limits_and_not_nothing():
    """The library finds no time inside the interval then, and gives NaN."""
    one = kaplan_meier([1, 2, 3, 4], [200_000, 400_000, 200_000, 100_000], [0, 0, 0, 100_000]).quantile(0.5)

    assert one == Estimate(2.0, 2.0, 2.0)


def test_an_exam_open_at_the_minute_another_ends_is_still_counted_among_those_at_risk():
    assert kaplan_meier([10, 10], [1, 0], [0, 1]).under_way == pytest.approx([0.5])
    assert kaplan_meier([9, 10], [0, 1], [1, 0]).under_way == pytest.approx([0.0])


def test_no_share_is_said_past_the_longest_time_followed():
    curve = kaplan_meier([10, 30], [1, 0], [0, 1])

    assert curve.ended_within(30).value == 0.5
    assert curve.ended_within(31) == Estimate(None, None, None)
