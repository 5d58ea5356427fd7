"""Kaplan-Meier against scipy's `ecdf`, which computes the curve and its limits by code of its own.

The product takes the curve from statsmodels and has its limits from a formula written out. scipy has both, from exams
one by one. It says no quantiles: here they are read off its curve and its limits by the definition in words, the first
time at which the share is no more than the rest, and the middle of a level at just the rest.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from scipy.stats import CensoredData, ecdf

from analytics.metrics.survival import Curve, kaplan_meier
from tests.metrics.test_survival import EXAMS, Exams, counted, lognormal_exams

pytestmark = pytest.mark.filterwarnings("ignore:The confidence interval is undefined")
SOME_ENDED = EXAMS.filter(lambda exams: any(ended for _, ended in exams))
FRACTIONS = (0.25, 0.5, 0.75, 0.9)
SEEDS = range(12)
Theirs = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def by_scipy(minutes: np.ndarray, ended: np.ndarray) -> Theirs:
    """Times at which something ended, the share under way after each, and its lower and upper limit."""
    found = ecdf(CensoredData(uncensored=minutes[ended], right=minutes[~ended])).sf
    limits = found.confidence_interval(confidence_level=0.95, method="log-log")
    ends = np.isin(found.quantiles, minutes[ended])
    return (found.quantiles[ends], found.probabilities[ends], limits.low.probabilities[ends],
            limits.high.probabilities[ends])


def of(exams: Exams) -> Theirs:
    minutes, ended = (np.array(column) for column in zip(*exams, strict=True))
    return by_scipy(minutes.astype(float), ended.astype(bool))


def first_below(times: np.ndarray, shares: np.ndarray, rest: float) -> float | None:
    below = np.flatnonzero(shares <= rest + 1e-12)
    return float(times[below[0]]) if below.size else None


def quantile(theirs: Theirs, rest: float) -> float | None:
    times, shares, *_ = theirs
    level = np.flatnonzero(np.abs(shares - rest) <= 1e-12)
    if level.size and level[0] + 1 < len(times):
        return float(times[level[0]] + times[level[0] + 1]) / 2
    return first_below(times, shares, rest)


def agree(ours: Curve, theirs: Theirs) -> None:
    times, shares, low, high = theirs
    assert ours.times.tolist() == times.tolist()
    assert ours.under_way == pytest.approx(shares, abs=1e-12)
    assert ours.low == pytest.approx(low, abs=1e-9, nan_ok=True)
    assert ours.high == pytest.approx(high, abs=1e-9, nan_ok=True)
    for fraction in FRACTIONS:
        rest = 1.0 - fraction
        one = ours.quantile(fraction)
        assert (one.value, one.low, one.high) == (
            quantile(theirs, rest), first_below(times, low, rest), first_below(times, high, rest))


@given(exams=SOME_ENDED)
@example(exams=[(0, True), (0, False), (0, True), (7, True)])
@example(exams=[(5, True)] * 3 + [(5, False)] * 2 + [(9, False)])
@example(exams=[(10, True), (20, True), (30, True), (40, True)])
@example(exams=[(10, True), (30, False), (30, False)])
def test_the_curve_its_limits_and_every_quantile_are_those_of_scipy(exams):
    agree(counted(exams), of(exams))


@pytest.mark.parametrize("seed", SEEDS)
def test_on_a_few_hundred_exams_with_ties_every_figure_is_that_of_scipy(seed):
    exams = [(min(minutes, 500), ended and minutes < 500) for minutes, ended in lognormal_exams(600, seed)]
    assert len({minutes for minutes, _ in exams}) < len(exams) / 2
    theirs = of(exams)
    agree(counted(exams), theirs)
    median = counted(exams).quantile(0.5)
    assert None not in (median.value, median.low, median.high)


@pytest.mark.parametrize("seed", SEEDS)
def test_counts_at_each_minute_give_what_scipy_gives_for_the_exams_one_by_one(seed):
    rng = np.random.default_rng(seed)
    minutes = np.arange(1, 120)
    ended, still_open = rng.poisson(400 * np.exp(-minutes / 25)), rng.poisson(40, len(minutes))
    each = np.concatenate([np.repeat(minutes, ended), np.repeat(minutes, still_open)]).astype(float)
    agree(kaplan_meier(minutes, ended, still_open), by_scipy(each, np.arange(len(each)) < ended.sum()))
