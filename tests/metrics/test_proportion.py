"""Limits of a share, against two other libraries."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from statsmodels.stats.proportion import proportion_confint

from analytics.metrics.proportion import wilson

CASES = st.integers(1, 100_000).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of)))


@given(CASES, st.sampled_from([0.8, 0.95, 0.99]))
def test_the_limits_are_those_of_scipy_and_statsmodels(case: tuple[int, int], confidence: float) -> None:
    count, of = case
    low, high = wilson([count], [of], confidence)
    theirs = binomtest(count, of).proportion_ci(confidence, "wilson")
    assert (low[0], high[0]) == pytest.approx((theirs.low, theirs.high), rel=1e-9, abs=1e-12)
    others = proportion_confint(count, of, alpha=1 - confidence, method="wilson")
    assert (low[0], high[0]) == pytest.approx(others, rel=1e-9, abs=1e-12)


@given(CASES)
def test_the_share_lies_between_its_limits(case: tuple[int, int]) -> None:
    low, high = wilson(*case)
    assert 0 <= low <= case[0] / case[1] <= high <= 1


def test_one_of_three_ranks_below_a_tenth_of_a_thousand() -> None:
    low, _ = wilson([1, 100], [3, 1000])
    assert low[0] < low[1]


def test_of_none_nothing_is_known() -> None:
    assert [float(limit[0]) for limit in wilson(np.array([0]), np.array([0]))] == [0.0, 1.0]
