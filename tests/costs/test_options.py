"""What each option costs, against tables worked by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.core.errors import PacsmeterError
from analytics.costs.assumptions import JPEG_LS_RATIOS, Assumptions
from analytics.costs.options import KEEP, OPTIONS, RECOMPRESS, cash_flow, older_than, prior_share
from tests.costs.cases import TB, book, demand, plain_assumptions

INSTANT = OPTIONS["tier_instant"]


def test_keeping_on_site_buys_steps_when_full_and_refreshes_on_schedule() -> None:
    # 20 TB held in 25 TB; 10 TB more each year: 30, 40, 50 TB held. Refresh in year 2 (every 2 years, new today).
    flow = cash_flow(KEEP, demand([10, 10], capacity_tb=25), plain_assumptions(refresh_years=2),
                     book(hardware=100, copies=2, maintenance=10, onsite_migration=3, floor_space=1, admin_salary=1000,
                          onsite_admin=0.5))
    assert flow.quantities.capacity_tb.tolist() == [25, 35, 40, 50]
    assert flow.lines.hardware.tolist() == [0, 10 * 2 * 100, 40 * 2 * 100, 10 * 2 * 100]
    assert flow.lines.maintenance.tolist() == [0, 35 * 2 * 10, 40 * 2 * 10, 50 * 2 * 10]
    assert flow.lines.onsite_migration.tolist() == [0, 0, 40 * 3, 0]
    assert flow.lines.floor_space.tolist() == [0, 70, 80, 100]
    assert flow.lines.staff.tolist() == [0, 500, 500, 500]
    assert flow.cost.tolist() == [0, 2000 + 700 + 70 + 500, 8000 + 800 + 120 + 80 + 500, 2000 + 1000 + 100 + 500]


def test_power_counts_the_room_and_the_replica() -> None:
    flow = cash_flow(KEEP, demand([10], capacity_tb=100), plain_assumptions(),
                     book(electricity=0.2, array_power=5, pue=1.5, copies=2))
    assert flow.lines.power_cooling[1] == pytest.approx(100 * 2 * 5 * 1.5 / 1000 * 8766 * 0.2)


def test_an_array_overdue_for_its_refresh_is_refreshed_in_year_one() -> None:
    flow = cash_flow(KEEP, demand([10], capacity_tb=100), plain_assumptions(refresh_years=5, hardware_age_years=9),
                     book(hardware=1))
    assert flow.lines.hardware.tolist() == [0, 20, 10, 10]


def test_the_fill_limit_expands_before_the_array_is_full() -> None:
    flow = cash_flow(KEEP, demand([80], capacity_tb=100), plain_assumptions(max_fill=0.8, growth_bytes=-0.5),
                     book(hardware=1))
    assert flow.quantities.capacity_tb[1] == 150, "120 TB at 80 % need 150 TB"


def test_prices_stand_in_year_one_and_change_after() -> None:
    flow = cash_flow(KEEP, demand([10], capacity_tb=100), plain_assumptions(inflation=0.1),
                     book(admin_salary=100, onsite_admin=1))
    assert flow.lines.staff.tolist() == pytest.approx([0, 100, 110, 121])


def test_growth_compounds_from_the_last_twelve_months() -> None:
    flow = cash_flow(KEEP, demand([10, 10], growth=0.5), plain_assumptions(), book())
    assert (flow.quantities.bytes_added / TB).tolist() == pytest.approx([10, 15, 22.5, 33.75])
    assert (flow.quantities.bytes_held / TB).tolist() == pytest.approx([20, 35, 57.5, 91.25])


def test_retention_removes_what_is_past_it() -> None:
    flow = cash_flow(KEEP, demand([10, 10, 10]), plain_assumptions(retention_years=2.5), book())
    assert (flow.quantities.bytes_held / TB).tolist() == [25, 25, 25, 25], "two whole years and half of the third"


def test_tiering_moves_by_age_and_pays_each_line() -> None:
    # Four cohorts of 12 TB; studies past 24 months are cold: 24 TB today, 12 TB more each year.
    flow = cash_flow(INSTANT, demand([12, 12, 12, 12]), plain_assumptions(recalls_per_study=0.5, exit_share=0.5), book(
        instant_storage=0.01, instant_retrieval=0.02, instant_transition=5, egress=0.1, network_link=7,
        cloud_migration=2, cloud_admin=0.1, onsite_admin=0.2, admin_salary=1000))
    assert (flow.quantities.bytes_cold / TB).tolist() == [24, 36, 48, 60]
    assert (flow.quantities.bytes_on_site / TB).tolist() == [24, 24, 24, 24]
    assert flow.lines.cloud_migration.tolist() == [24 * 2, 0, 0, 0]
    assert flow.lines.cloud_transition.tolist() == pytest.approx([2000 / 1000 * 5, 5, 5, 5])
    assert flow.lines.cloud_storage.tolist() == pytest.approx(
        [0, 30_000 * 0.01 * 12, 42_000 * 0.01 * 12, 54_000 * 0.01 * 12]), "mean of the year's start and end"
    recalled_gb = 100 * 0.5 * 0.52 * 120
    assert flow.lines.cloud_retrieval.tolist() == pytest.approx([0, *[recalled_gb * 0.02] * 3])
    assert flow.lines.egress.tolist() == pytest.approx([0, *[recalled_gb * 0.1] * 3])
    assert flow.lines.network_link.tolist() == [0, 7, 7, 7]
    assert flow.lines.staff.tolist() == pytest.approx([0, 300, 300, 300])
    assert flow.lines.exit.tolist() == pytest.approx([0, 0, 0, 60_000 * (0.02 + 0.1) * 0.5]), "retrieved and sent"


def test_small_objects_are_charged_at_the_smallest_size_and_each_has_its_overhead() -> None:
    tiny = demand([1e-6, 1e-6, 1e-6, 1e-6])      # 1 MB in 1,000 images: 1 kB each
    flow = cash_flow(INSTANT, tiny, plain_assumptions(), book(instant_minimum_object=128, instant_overhead=40))
    assert flow.quantities.bytes_billed[0] == pytest.approx(2000 * (128_000 + 40_000))
    packed = cash_flow(INSTANT, tiny, plain_assumptions(objects_per_image=0.1), book(instant_minimum_object=128))
    assert packed.quantities.bytes_billed[0] == pytest.approx(200 * 128_000)


def test_what_is_deleted_before_the_minimum_time_is_charged_to_it() -> None:
    # Cold from 24 months, kept 24.6 months: the 90 days are cut short by 90 - 18.2625 days.
    flow = cash_flow(INSTANT, demand([10, 10, 10]), plain_assumptions(retention_years=2.05),
                     book(instant_storage=0.01, instant_minimum_days=90))
    months = (90 - 0.05 * 365.25) / 30.4375
    assert flow.lines.early_deletion.tolist() == pytest.approx([0, *[10_000 * 0.01 * months] * 3])
    assert flow.lines.cloud_transition.sum() == 0
    assert (flow.quantities.objects_moved.round(6)).tolist() == [50, 1000, 1000, 1000]


def test_tiering_lets_the_array_shrink_only_at_a_refresh() -> None:
    flow = cash_flow(INSTANT, demand([10] * 4, capacity_tb=50), plain_assumptions(refresh_years=3), book(hardware=1))
    assert flow.quantities.capacity_tb.tolist() == [50, 50, 50, 20]


def test_recompressing_touches_only_what_is_uncompressed() -> None:
    # 10 TB a year, of which 8 TB uncompressed CT: 8 / 4 + 2 = 4 TB.
    flow = cash_flow(RECOMPRESS, demand([10, 10], [8, 8]), plain_assumptions(),
                     book(recompression=5, recompression_project=1000))
    assert (flow.quantities.bytes_held / TB).tolist() == pytest.approx([8, 12, 16, 20])
    assert flow.lines.recompression.tolist() == pytest.approx([1000 + 16 * 5, 40, 40, 40])


def test_a_modality_without_a_measured_ratio_is_left_as_it_is() -> None:
    case = demand([10], [8])
    case = type(case)(**{**vars(case), "uncompressed": case.uncompressed.rename(columns={"CT": "XA"})})
    flow = cash_flow(RECOMPRESS, case, plain_assumptions(), book(recompression=5))
    assert flow.quantities.bytes_held[0] == 10 * TB
    assert flow.lines.recompression.sum() == 0


def test_ratios_are_those_of_the_paper() -> None:
    assert JPEG_LS_RATIOS == {"CT": 4.00, "MR": 3.59, "NM": 5.98, "US": 3.4, "CR": 3.64, "DX": 2.43, "MG": 2.62}


@pytest.mark.parametrize(("years", "share"), [(1, 1.0), (2, 0.52), (2.5, 0.41), (7, 0.0), (9, 0.0)])
def test_prior_access_past_an_age(years: float, share: float) -> None:
    assert prior_share(years) == pytest.approx(share)


def test_a_growth_nobody_measured_or_set_is_asked_for() -> None:
    case = demand([10])
    unmeasured = type(case)(**{**vars(case), "growth": {name: type(growth)(None, None, None, 5)
                                                        for name, growth in case.growth.items()}})
    with pytest.raises(PacsmeterError, match="5 whole months"):
        cash_flow(KEEP, unmeasured, plain_assumptions(), book())


@pytest.mark.parametrize("changes", [{"discount_rate": 3.5}, {"horizon_years": 2.5}, {"tier_age_months": 6},
                                     {"retention_years": 2, "tier_age_months": 36}, {"max_fill": 0}])
def test_an_assumption_out_of_its_limits_is_refused(changes: dict[str, float]) -> None:
    with pytest.raises(PacsmeterError):
        Assumptions(**changes)  # type: ignore[arg-type]


def test_assumptions_survive_json_and_an_unknown_one_is_refused() -> None:
    given_ = Assumptions(growth_bytes=0.2, tier_age_months=36)
    assert Assumptions.from_json(given_.to_json()) == given_
    with pytest.raises(PacsmeterError, match="colour"):
        Assumptions.from_json('{"colour": 1}')


@given(st.lists(st.floats(0, 100), min_size=1, max_size=6), st.floats(-0.4, 1), st.floats(1, 20), st.floats(12, 60))
def test_bytes_are_never_lost_between_site_and_cloud(tb: list[float], growth: float, retention: float,
                                                     tier_age: float) -> None:
    assumptions = plain_assumptions(retention_years=max(retention, tier_age / 12), tier_age_months=tier_age)
    case = demand(tb, growth=growth)
    here, tiered = (cash_flow(option, case, assumptions, book()).quantities for option in (KEEP, INSTANT))
    assert np.allclose(tiered.bytes_on_site + tiered.bytes_cold, here.bytes_on_site, rtol=1e-9, atol=1)
    assert (tiered.bytes_cold >= -1).all() and (tiered.objects_moved >= -1e-6).all()


@given(st.floats(0, 30), st.floats(1, 30))
def test_the_share_older_than_an_age_lies_between_none_and_all(age: float, years: float) -> None:
    share = older_than(np.array([age, age + 1]), years)
    assert 0 <= share[0] <= share[1] <= 1
