"""Sensitivity: each driver moves what it should, by what it should."""

from __future__ import annotations

import pytest

from analytics.costs.appraisal import appraise
from analytics.costs.sensitivity import drivers, monte_carlo, tornado
from tests.costs.cases import book, demand, plain_assumptions

CASE = appraise(demand([10] * 4, capacity_tb=40), plain_assumptions(),
                book(instant_storage=0.001, network_link=10, hardware=100), ("keep", "tier_instant"))


def test_a_driver_moves_the_net_present_value_by_its_own_present_cost() -> None:
    got = tornado(CASE, "tier_instant").set_index("driver")
    storage = sum(cost / 1.1 ** year for year, cost in CASE.verdicts[1].flow.lines.cloud_storage.items())
    assert got.loc["Price of cloud storage", "npv_low"] - CASE.verdicts[1].npv == pytest.approx(0.2 * storage)
    assert got.loc["Price of cloud storage", "swing"] == pytest.approx(0.4 * storage)
    assert got.loc["Electricity", "swing"] == 0
    assert got.swing.is_monotonic_decreasing


def test_only_what_an_option_uses_is_varied() -> None:
    assert "Recompression project" not in {one.label for one in drivers(CASE, "tier_instant")}
    assert "Price of egress" not in {one.label for one in drivers(CASE, "recompress")}


def test_the_same_seed_draws_the_same_and_the_spread_holds_the_verdict() -> None:
    one, two, other = (monte_carlo(CASE, "tier_instant", draws=60, seed=seed) for seed in (1, 1, 2))
    assert one == two != other
    assert one.low < CASE.verdicts[1].npv < one.high


def test_without_a_spread_every_draw_is_the_verdict() -> None:
    got = monte_carlo(CASE, "tier_instant", share=1e-12, draws=3)
    assert (got.low, got.high) == pytest.approx((CASE.verdicts[1].npv, CASE.verdicts[1].npv))
