"""Indicators against tables worked by hand, and against implementations of their own."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.optimize import brentq

from analytics.core.errors import PacsmeterError
from analytics.costs.appraisal import appraise, internal_rate, net_present_value, payback, sign_changes
from tests.costs.cases import book, demand, plain_assumptions

flows_ = st.lists(st.floats(-1e6, 1e6).map(lambda value: round(value, 2)), min_size=2, max_size=12)


def discounted(rate: float, flows: list[float]) -> float:
    """Sum the present values one at a time: an implementation of its own."""
    present = 0.0
    for year, flow in enumerate(flows):
        present += flow / (1 + rate) ** year
    return present


def test_net_present_value_of_a_table_worked_by_hand() -> None:
    # -100 + 60 / 1.1 + 60 / 1.21 = -100 + 54.5455 + 49.5868
    assert net_present_value(0.1, np.array([-100, 60, 60])) == pytest.approx(4.13223, abs=1e-5)


def test_internal_rate_of_a_table_worked_by_hand() -> None:
    # -100 + 110 x = 0 -> x = 1 / 1.1; and -1000 + 300 (x + x2 + x3 + x4 + x5): 15.2382 % in every textbook table
    assert internal_rate(np.array([-100, 110])).value == pytest.approx(0.1)
    assert internal_rate(np.array([-1000, 300, 300, 300, 300, 300])).value == pytest.approx(0.152382, abs=1e-6)


def test_no_internal_rate_is_said_and_why() -> None:
    saves, costs, same = (internal_rate(np.array(flows)) for flows in ([0.0, 5, 7], [-3.0, 0, -1], [0.0, 0, 0]))
    assert (saves.value, costs.value, same.value) == (None, None, None)
    assert "saves in every year" in saves.why
    assert "costs more in every year" in costs.why
    assert "what the baseline costs" in same.why


def test_several_internal_rates_are_all_given_and_none_is_the_answer() -> None:
    # -1000 + 2500 x - 1540 x2 = 0 has x = 1/1.1 and x = 1/1.4: 10 % and 40 %
    rate = internal_rate(np.array([-1000.0, 2500, -1540]))
    assert rate.value is None
    assert rate.all == pytest.approx((0.1, 0.4))
    assert "2 rates" in rate.why


def test_several_changes_of_sign_with_one_rate_give_it_with_a_note() -> None:
    flows = np.array([-100.0, 200, -1, 50])
    rate = internal_rate(flows)
    assert rate.value is not None
    assert net_present_value(rate.value, flows) == pytest.approx(0, abs=1e-6)
    assert "changes sign 3 times" in rate.why


@pytest.mark.parametrize(("flows", "years"), [
    ([-100, 40, 40, 40], 2.5), ([-100, 100], 1), ([0, 10, 10], 0), ([-100, 10, 10], None),
    ([-10, 30, -40, 80], 2.25), ([10, -30, 5], None), ([0, 0, 0], 0)])
def test_payback_is_when_the_sum_stays_above_zero(flows: list[float], years: float | None) -> None:
    assert payback(np.array(flows, dtype=float)) == (None if years is None else pytest.approx(years))


def test_signs_are_counted_over_zeros() -> None:
    assert sign_changes(np.array([-1, 0, 0, 2, 0, 3, -1, 0.001])) == 2


def test_a_whole_appraisal_worked_by_hand() -> None:
    # Keep: 10 TB a year at 100 a TB: 1000, 1000, 1000. Recompress: pays 1500 today; all CT, ratio 4: held 5, 7.5, 10,
    # 12.5 of 20 TB: buys nothing. Net: -1500, +1000, +1000, +1000 at 10 %.
    result = appraise(demand([10, 10], [10, 10], capacity_tb=20), plain_assumptions(),
                      book(hardware=100, recompression_project=1500), ("keep", "recompress"))
    keep, pack = result.verdicts
    assert pack.net.tolist() == [-1500, 1000, 1000, 1000]
    assert keep.total_cost == 3000
    assert keep.present_cost == pytest.approx(1000 / 1.1 + 1000 / 1.21 + 1000 / 1.331)
    assert pack.npv == pytest.approx(-1500 + 2486.85199, abs=1e-4)
    assert pack.irr.value == pytest.approx(0.446312, abs=1e-6)   # 0.691414 + 0.478053 + 0.330532 = 1.5
    assert pack.payback_years == pytest.approx(1.5)
    assert pack.discounted_payback_years == pytest.approx(1 + (1500 - 909.0909) / 826.4463, abs=1e-5)
    assert pack.benefit_cost_ratio == pytest.approx(2486.85199 / 1500, abs=1e-6)
    assert pack.cost_per_study == pytest.approx(1500 / 300)
    assert (keep.npv, keep.irr.value, keep.benefit_cost_ratio) == (0, None, None)
    assert result.best is pack


def test_an_option_that_is_not_there_is_refused() -> None:
    with pytest.raises(PacsmeterError, match="tape"):
        appraise(demand([10]), plain_assumptions(), book(), ("keep", "tape"))


@given(st.floats(0, 0.5), flows_)
def test_npv_equals_direct_discounting(rate: float, flows: list[float]) -> None:
    assert net_present_value(rate, np.array(flows)) == pytest.approx(discounted(rate, flows), rel=1e-9, abs=1e-6)


@given(flows_)
def test_without_discounting_npv_is_the_sum(flows: list[float]) -> None:
    assert net_present_value(0.0, np.array(flows)) == pytest.approx(sum(flows), rel=1e-9, abs=1e-6)


@given(st.floats(0, 0.5), st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), min_size=2, max_size=10),
       st.floats(-10, 10))
def test_npv_is_linear(rate: float, pairs: list[tuple[float, float]], factor: float) -> None:
    one, two = (np.array(flows) for flows in zip(*pairs, strict=True))
    together = net_present_value(rate, one + factor * two)
    apart = net_present_value(rate, one) + factor * net_present_value(rate, two)
    assert together == pytest.approx(apart, rel=1e-9, abs=1e-3)


@given(st.floats(1, 1e6), st.lists(st.floats(0, 1e6), min_size=1, max_size=12))
def test_npv_at_the_internal_rate_is_zero_and_the_rate_is_the_one_bisection_finds(
        paid: float, saved: list[float]) -> None:
    flows = np.array([-paid, *saved])
    assume(sum(saved) > paid / 50 and min(value for value in saved if value > 0) > 1)
    rate = internal_rate(flows)
    assert rate.value is not None
    assert net_present_value(rate.value, flows) == pytest.approx(0, abs=1e-6 * abs(flows).sum())
    found = brentq(lambda guess: discounted(guess, list(flows)), -0.999, 1e7, xtol=1e-12)
    assert rate.value == pytest.approx(found, rel=1e-5, abs=1e-7)


@given(flows_)
def test_every_rate_found_is_a_root_and_one_change_of_sign_has_exactly_one(flows: list[float]) -> None:
    array = np.array([value if abs(value) >= 1 else 0.0 for value in flows])
    rate = internal_rate(array)
    for root in rate.all:
        assert root > -1
    if sign_changes(array) == 0:
        assert rate.all == ()
    if sign_changes(array) == 1:
        assert rate.value is not None


def test_a_rate_of_flows_that_save_first_and_cost_later_is_said_to_be_one_of_borrowing() -> None:
    # +100 today, -150 in a year: 50 %. At 10 % the option loses (100 - 136.36), though 50 % is above 10 %.
    rate = internal_rate(np.array([100.0, -150]))
    assert rate.value == pytest.approx(0.5)
    assert "pays only where the discount rate is above" in rate.why
    assert internal_rate(np.array([-100.0, 150])).why == ""
