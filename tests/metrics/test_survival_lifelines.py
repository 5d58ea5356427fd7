"""Kaplan-Meier against lifelines, which computes it and its limits by code of its own.

They agree wherever both say something. Three conventions differ, each with a test of its own:

- **A curve that is level at just the wanted height.** lifelines takes the first time at which the share is no more than
  that, so the level's beginning; ours is the level's middle, as in R's ``survfit`` and as the usual median. lifelines
  compares without a tolerance, so rounding can also take it to the level's end (infinity, where nothing ends later).
- **After the last end, where nothing is open.** No share is left and Greenwood's variance is not defined. lifelines
  takes both limits as 0, so that a limit always falls there at the latest; ours, as R's, are missing.
- **Not reached.** lifelines says infinity; ours is missing, and so are limits before the first end (1 to 1 there).
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given
from lifelines import KaplanMeierFitter
from lifelines.utils import median_survival_times, qth_survival_times

from analytics.metrics.survival import Curve, kaplan_meier
from tests.metrics.test_survival import EXAMS, Exams, counted, exact_curve, lognormal_exams

pytestmark = pytest.mark.filterwarnings("ignore:Approximating using `survival_function_`")
SOME_ENDED = EXAMS.filter(lambda exams: any(ended for _, ended in exams))
SHARES = (0.5, 0.9)
SEEDS = range(12)


def fitted(exams: Exams) -> KaplanMeierFitter:
    minutes, ended = zip(*exams, strict=True)
    return KaplanMeierFitter(alpha=0.05).fit(minutes, ended)


def none_left_after(exams: Exams) -> float:
    """The time after which no exam is left, where the last of all has ended; else infinity."""
    last = max(minutes for minutes, _ in exams)
    return last if all(ended for minutes, ended in exams if minutes == last) else math.inf


def level(exams: Exams, rest: float) -> tuple[float, float] | None:
    """From when to when the exact curve is at just a height; to infinity where nothing ends later."""
    curve = exact_curve(exams)
    times = [*(minute for minute, _ in curve), math.inf]
    return next(((minute, times[place + 1]) for place, (minute, share) in enumerate(curve)
                 if abs(float(share) - rest) < 1e-12), None)


def limits_of(theirs: KaplanMeierFitter, rest: float) -> list[float]:
    """When the lower and the upper limit of the share fall to a height, by lifelines' own reckoning."""
    bands = theirs.confidence_interval_
    crossed = median_survival_times(bands) if rest == 0.5 else qth_survival_times(rest, bands)
    return [float(value) for value in crossed.iloc[0]]


def compare(exams: Exams, ours: Curve, fraction: float) -> None:
    """Hold a quantile and its limits to lifelines', by the three conventions above."""
    theirs, rest = fitted(exams), round(1 - fraction, 12)
    one, said = ours.quantile(fraction), theirs.percentile(rest)
    ends = level(exams, rest)
    if ends:
        assert said in ends and one.value == (ends[0] if math.isinf(ends[1]) else sum(ends) / 2)
    else:
        assert said == (math.inf if one.value is None else one.value)
    for our_limit, their_limit in zip((one.low, one.high), limits_of(theirs, rest), strict=True):
        unsaid = math.isinf(their_limit) or their_limit == none_left_after(exams)
        assert our_limit == (None if unsaid else their_limit)


@given(exams=SOME_ENDED)
@example(exams=[(0, True), (0, False), (0, True), (7, True)])
@example(exams=[(5, True)] * 3 + [(5, False)] * 2 + [(9, False)])
@example(exams=[(10, True), (20, True), (30, True), (40, True)])
def test_the_quantiles_and_their_limits_are_those_of_lifelines(exams):
    for fraction in SHARES:
        compare(exams, counted(exams), fraction)


@given(exams=SOME_ENDED)
def test_the_shares_and_their_limits_are_those_of_lifelines_at_every_end(exams):
    theirs, ours = fitted(exams), counted(exams)
    bands = theirs.confidence_interval_
    for time in ours.times:
        share, (low, high) = ours.ended_within(time), 1 - bands.loc[time].to_numpy()[::-1]
        assert share.value == pytest.approx(1 - theirs.predict(time), abs=1e-12)
        if time == none_left_after(exams):
            assert share.low is None and share.high is None
        else:
            assert (share.low, share.high) == pytest.approx((low, high), abs=1e-9)


@pytest.mark.parametrize("seed", SEEDS)
def test_on_a_few_hundred_exams_with_ties_every_figure_is_that_of_lifelines(seed):
    """The longest of these is open, so that none is excused by the last end; limits of the median are never missing."""
    exams = [(min(minutes, 500), ended and minutes < 500) for minutes, ended in lognormal_exams(600, seed)]
    assert len({minutes for minutes, _ in exams}) < len(exams) / 2 and none_left_after(exams) == math.inf
    ours, theirs = counted(exams), fitted(exams)

    for fraction in (*SHARES, 0.25, 0.75):
        compare(exams, ours, fraction)
    median = ours.quantile(0.5)
    assert [median.low, median.high] == limits_of(theirs, 0.5) and median.value == theirs.median_survival_time_
    for time in range(10, 500, 35):
        assert ours.ended_within(time).value == pytest.approx(1 - theirs.predict(time), abs=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
def test_counts_at_each_minute_are_those_of_lifelines_with_weights(seed):
    """The warehouse hands over counts and never exams one by one: so do we to lifelines."""
    rng = np.random.default_rng(seed)
    minutes = np.arange(1, 120)
    ended, still_open = rng.poisson(400 * np.exp(-minutes / 25)), rng.poisson(40, len(minutes))
    ours = kaplan_meier(minutes, ended, still_open)
    theirs = KaplanMeierFitter().fit(np.tile(minutes, 2), np.repeat([1, 0], len(minutes)),
                                     weights=np.concatenate([ended, still_open]))

    assert ours.under_way == pytest.approx(theirs.survival_function_.loc[ours.times].to_numpy().ravel(), abs=1e-12)
    bands = theirs.confidence_interval_.loc[ours.times].to_numpy()
    assert ours.low == pytest.approx(bands[:, 0], abs=1e-9) and ours.high == pytest.approx(bands[:, 1], abs=1e-9)
    for fraction, one in ((fraction, ours.quantile(fraction)) for fraction in (0.25, 0.5, 0.75)):
        assert one.value == theirs.percentile(1 - fraction)
        assert [one.low, one.high] == limits_of(theirs, 1 - fraction)


def test_where_the_curve_is_level_at_a_half_lifelines_takes_its_beginning_and_ours_its_middle():
    exams = [(10, True), (20, True), (30, True), (40, True)]

    assert fitted(exams).median_survival_time_ == 20.0
    assert counted(exams).quantile(0.5).value == 25.0 == np.median([10, 20, 30, 40])


def test_where_all_have_ended_lifelines_closes_the_limits_at_the_last_end_and_ours_are_missing():
    exams = [(10, True), (20, True), (30, True)]

    assert fitted(exams).confidence_interval_.loc[30].tolist() == [0.0, 0.0]
    assert limits_of(fitted(exams), 0.5)[1] == 30.0 and counted(exams).quantile(0.5).high is None


def test_what_is_not_reached_is_infinity_for_lifelines_and_missing_for_ours():
    exams = [(10, True), (30, False), (30, False)]

    assert math.isinf(fitted(exams).median_survival_time_) and counted(exams).quantile(0.5).value is None
    assert fitted(exams).confidence_interval_.loc[0].tolist() == [1.0, 1.0]
    assert counted(exams).ended_within(5).low is None
