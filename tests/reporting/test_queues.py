"""Figures of a queue: a sign is seen, and two of them stand on one scale."""

from __future__ import annotations

import pandas as pd

from analytics.core.results import MetricResult
from analytics.metrics.catalog import METRICS
from analytics.reporting.drawings import drawing, drawing_of
from analytics.reporting.queues import growth_map, scenarios
from analytics.reporting.scales import same_scale


def growth(*values: float) -> MetricResult:
    frame = pd.DataFrame({"weekday": 1, "hour": range(len(values)), "growth": values, "arrived_per_hour": 9.0,
                          "reported_per_hour": 7.0})
    return MetricResult(METRICS["backlog.rates"].spec, frame, "growth", ("weekday", "hour"), 3, 1)


def test_nothing_stays_in_the_middle_of_the_colors() -> None:
    marker = growth_map(growth(-3.0, 0.0, 1.0)).data[0].marker
    assert (marker.cmin, marker.cmax) == (-3.0, 3.0)


def test_two_of_them_give_one_color_to_one_amount() -> None:
    first, second = growth_map(growth(-3.0, 1.0)), growth_map(growth(2.0, -0.5))
    same_scale(first, second)
    assert {(one.data[0].marker.cmin, one.data[0].marker.cmax) for one in (first, second)} == {(-3.0, 3.0)}


def test_a_cell_says_both_rates_and_carries_its_group() -> None:
    cell = growth_map(growth(2.0)).data[0]
    assert cell.customdata[0] == {"weekday": 1, "hour": 0}
    assert "Monday · 00:00" in cell.hovertext[0] and "Arrived per hour: 9" in cell.hovertext[0]


def test_each_scenario_is_a_line_over_weeks_and_can_be_pinned() -> None:
    frame = pd.DataFrame({"scenario": ["As now", "As now", "With"], "week": [0, 1, 0], "unread": [10.0, 8.4, 10.0]})
    result = MetricResult(METRICS["backlog.one_more_shift"].spec, frame, "unread", ("scenario", "week"), 10, 1)
    figure = drawing_of(drawing(scenarios).to_json())(result)

    assert [trace.name for trace in figure.data] == ["As now", "With"]
    assert "8 unread after 1 week" in figure.data[0].hovertext[1] and list(figure.data[0].x) == [0, 1]
