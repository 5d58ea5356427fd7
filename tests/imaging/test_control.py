"""Control charts against a table worked by hand, and the select against the arithmetic."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from analytics.core.filters import Filters
from analytics.imaging.control import (
    BEYOND,
    FOUR_OF_FIVE,
    RUN,
    TWO_OF_THREE,
    Limits,
    control_chart,
    ewma,
    run_rules,
    xmr_limits,
)
from analytics.imaging.points import chart_points
from analytics.warehouse.schema import image_measures
from analytics.warehouse.store import Store
from tests.support import build

# Worked by hand. Values 39 41 41 41 43 44 41 42 40 41: sum 413, mean 41.3.
# Moving ranges 2 0 0 2 1 3 1 2 1: sum 12, mean 12/9 = 1.3333, median 1.
# Limits 41.3 -+ 2.66 * 1.3333 = 37.7533 and 44.8467; range limit 3.267 * 1.3333 = 4.3560.
BY_HAND = (39, 41, 41, 41, 43, 44, 41, 42, 40, 41)
UNIT = Limits(center=0, lower=-3, upper=3, sigma=1, range_upper=3.686, n=20)
START = dt.datetime(2026, 1, 5, 9, tzinfo=dt.UTC)


def test_limits_of_the_table_worked_by_hand() -> None:
    limits = xmr_limits(BY_HAND)
    assert limits is not None
    assert (limits.center, limits.lower, limits.upper) == pytest.approx((41.3, 37.75333, 44.84667), abs=1e-5)
    assert limits.range_upper == pytest.approx(4.356, abs=1e-9)
    robust = xmr_limits(BY_HAND, robust=True)
    assert robust is not None
    assert robust.upper == pytest.approx(41.3 + 3 * 1 / 0.954)


def test_a_drift_after_the_baseline_does_not_widen_the_limits() -> None:
    drifting = [*BY_HAND, *BY_HAND, *range(45, 65)]
    assert xmr_limits(drifting) == xmr_limits(drifting[:20])
    assert xmr_limits(drifting, baseline=40) != xmr_limits(drifting)


def test_no_limits_from_too_few_points_or_from_none_that_vary() -> None:
    assert xmr_limits(BY_HAND[:9]) is None
    assert xmr_limits([5.0] * 20) is None


def test_limits_hold_997_of_1000_normal_values() -> None:
    values = np.random.default_rng(3).normal(50, 4, 20_000)
    limits = xmr_limits(values, baseline=10_000)
    assert limits is not None
    assert limits.sigma == pytest.approx(4, rel=0.02)
    assert np.mean([rule == BEYOND for rule in run_rules(values, limits)]) == pytest.approx(0.0027, abs=0.0015)


@pytest.mark.parametrize(("values", "rules"), [
    ([0.5, 3.1, -3.1, -0.5, 0.2, 3.0], ["", BEYOND, BEYOND, "", "", ""]),
    ([0.5] * 9, [""] * 7 + [RUN] * 2),
    ([0.5] * 7 + [-0.5] + [0.5], [""] * 9),
    ([2.5, 0, 2.5], ["", "", TWO_OF_THREE]),
    ([2.5, 0, -2.5], ["", "", ""]),
    ([1.5, 1.5, -1.5, 1.5, 1.5], ["", "", "", "", FOUR_OF_FIVE]),
    ([1.5, 1.5, 1.5, 1.5, 0.0], ["", "", "", FOUR_OF_FIVE, ""]),
])
def test_run_rules(values: list[float], rules: list[str]) -> None:
    assert run_rules(values, UNIT) == rules


def test_ewma_of_the_first_points_worked_by_hand() -> None:
    # z1 = 0.2 * 1 = 0.2; z2 = 0.2 * 2 + 0.8 * 0.2 = 0.56
    # half1 = 2.7 * sqrt(0.2/1.8 * (1 - 0.64)) = 2.7 * 0.2 = 0.54; half2 = 2.7 * sqrt(0.1111 * (1 - 0.4096)) = 0.69154
    got = ewma([1, 2], UNIT)
    assert got["ewma"].tolist() == pytest.approx([0.2, 0.56])
    assert got["ewma_upper"].tolist() == pytest.approx([0.54, 0.69154], abs=1e-5)
    assert got["ewma_lower"].tolist() == pytest.approx([-0.54, -0.69154], abs=1e-5)


def point(number: int, value: float | None, **changes: Any) -> dict[str, Any]:
    return {"sop_instance_uid": f"1.{number}", "series_instance_uid": f"2.{number}",
            "study_instance_uid": f"3.{number}", "measure": "noise", "modality": "CT", "station_name": "CT1",
            "protocol_name": "HEAD", "algorithm": "a 1", "unit": "1", "value": value,
            "acquired_at": START + dt.timedelta(days=number), **changes}


def test_the_select_and_the_arithmetic_agree(store: Store) -> None:
    values = np.random.default_rng(5).normal(30, 3, 60).round(3)
    warehouse = build(store, {image_measures: [
        *(point(n, float(value)) for n, value in enumerate(values)),
        *(point(n + 100, float(value) * 2, protocol_name="CHEST") for n, value in enumerate(values[:12])),
        *(point(n + 200, float(value), station_name="CT2") for n, value in enumerate(values[:9])),
    ]})
    points = chart_points("noise")
    got = warehouse.read(sa.select(points).order_by(points.c.acquired_at))
    for (station, protocol), chart in got.groupby(["station_name", "protocol_name"]):
        limits = xmr_limits(chart["value"])
        if station == "CT2":
            assert limits is None and chart["upper"].isna().all()
            continue
        assert limits is not None
        row = chart.iloc[-1]
        assert (row["center"], row["lower"], row["upper"], row["range_upper"]) == pytest.approx(
            (limits.center, limits.lower, limits.upper, limits.range_upper), rel=1e-12), protocol
        assert chart["moving_range"].tolist()[1:] == pytest.approx(np.abs(np.diff(chart["value"])).tolist())


def test_a_point_is_the_median_image_of_its_series(store: Store) -> None:
    slices = [point(n, value, series_instance_uid="2.1") for n, value in enumerate((90.0, 10.0, 20.0, 30.0))]
    warehouse = build(store, {image_measures: [*slices, point(9, 55.0), point(10, None)]})
    points = chart_points("noise")
    got = warehouse.read(sa.select(points.c.sop_instance_uid, points.c.value).order_by(points.c.value))
    assert got.values.tolist() == [["1.2", 20.0], ["1.9", 55.0]]


def test_a_chart_keeps_its_limits_when_fewer_dates_are_shown(store: Store) -> None:
    warehouse = build(store, {image_measures: [
        *(point(n, float(value)) for n, value in enumerate([*BY_HAND, 60.0])),
        *(point(n + 50, 1.0, protocol_name="CHEST") for n in range(3)),
    ]})
    whole = control_chart(warehouse, Filters(), "noise", "CT1", "HEAD")
    # Eleven points, all of them baseline: the wild last one is in the mean too. 473/11 = 43, ranges (12 + 19)/10 = 3.1
    assert whole["center"].unique().tolist() == [43]
    assert whole["upper"].tolist() == pytest.approx([43 + 2.66 * 3.1] * 11)
    assert whole["sop_instance_uid"][whole["out_of_limits"]].tolist() == ["1.10"]
    assert whole["rule"].iloc[-1] == BEYOND
    late = control_chart(warehouse, Filters(date_from=dt.date(2026, 1, 14)), "noise", "CT1", "HEAD")
    assert late["upper"].tolist() == pytest.approx([43 + 2.66 * 3.1] * 2)
    both = control_chart(warehouse, Filters(), "noise", "CT1")
    assert both["chart"].unique().tolist() == ["CHEST, a 1", "HEAD, a 1"]
    assert control_chart(warehouse, Filters(), "noise", "nowhere").empty
