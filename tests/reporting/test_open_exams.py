"""Figures of open exams: the band holds the curve, and what is not reached is said and not drawn as a number."""

from __future__ import annotations

import pandas as pd
import pytest

from analytics.core.results import MetricResult
from analytics.metrics.catalog import METRICS
from analytics.reporting import open_exams

NOTHING = float("nan")


@pytest.fixture
def by_priority() -> MetricResult:
    frame = pd.DataFrame({
        "priority": ["S", "R"], "exams": [50, 90], "n": [40, 30], "open": [10, 60], "median": [60.0, NOTHING],
        "median_low": [50.0, 300.0], "median_high": [80.0, NOTHING], "p90": [NOTHING, NOTHING],
        "p90_low": [NOTHING, NOTHING], "p90_high": [NOTHING, NOTHING], "median_finished": [55.0, 100.0],
        "p90_finished": [90.0, 200.0],
        "median_said": ["1 h (95 %: 50 min to 1 h 20 min)", "not reached (95 %: 5 h or more)"]})
    return MetricResult(METRICS["turnaround.with_open_cases"].spec, frame, "median", ("priority",), 140, 7)


@pytest.fixture
def shares() -> MetricResult:
    frame = pd.DataFrame({
        "within": [5.0, 60.0, 1440.0], "share": [0.0, 40.0, 80.0], "share_low": [NOTHING, 35.0, 70.0],
        "share_high": [NOTHING, 46.0, 88.0], "share_finished": [0.0, 50.0, 100.0]})
    return MetricResult(METRICS["turnaround.share_within"].spec, frame, "share", (), 140, 7, {"within": "min"})


def named(figure, name):
    return next(trace for trace in figure.data if trace.name == name)


def test_a_median_that_is_not_reached_has_no_mark_and_is_said_so(by_priority):
    figure = open_exams.medians(by_priority, "priority")

    drawn = dict(zip(named(figure, open_exams.COUNTED).y, named(figure, open_exams.COUNTED).x, strict=True))
    assert drawn["Stat"] == 60.0 and pd.isna(drawn["Routine"])
    said = [(where, what) for trace in figure.data if trace.mode == "text"
            for where, what in zip(trace.y, trace.text, strict=True)]
    assert said == [("Routine", "not reached")]


def test_an_interval_that_is_open_above_goes_on_to_the_edge(by_priority):
    figure = open_exams.medians(by_priority, "priority")

    bars = {trace.y[0]: tuple(trace.x) for trace in figure.data if trace.mode == "lines"}
    assert bars["Stat"] == (50.0, 80.0)
    assert bars["Routine"][0] == 300.0 and bars["Routine"][1] > 300.0


def test_a_mark_of_a_group_carries_it(by_priority):
    counted = named(open_exams.medians(by_priority, "priority"), open_exams.COUNTED)

    assert list(counted.customdata) == [{"priority": "R"}, {"priority": "S"}]
    assert counted.hovertext[0] == ("<b>Routine</b><br>Open exams counted: not reached (95 %: 5 h or more)<br>"
                                    "Finished exams alone: 1 h 40 min<br>90 exams, 60 open")


def test_the_band_is_drawn_where_it_is_known_and_holds_the_curve(shares):
    figure = open_exams.share_curve(shares)

    upper, lower = figure.data[0], named(figure, "95 %")
    assert list(upper.x) == list(lower.x) == [60.0, 1440.0] and lower.fill == "tonexty"
    curve = dict(zip(named(figure, open_exams.COUNTED).x, named(figure, open_exams.COUNTED).y, strict=True))
    assert all(low < curve[x] < high for x, low, high in zip(lower.x, lower.y, upper.y, strict=True))


def test_a_point_of_the_curve_says_itself_beside_the_finished_ones(shares):
    counted = named(open_exams.share_curve(shares), open_exams.COUNTED)

    assert counted.hovertext[1] == ("<b>within 1 h</b><br>Open exams counted: 40.0 % (95 %: 35.0 % to 46.0 %)<br>"
                                    "Finished exams alone: 50.0 %")
    assert "95 %" not in counted.hovertext[0]


def test_an_estimate_is_written_with_its_limits(by_priority):
    stat, routine = (by_priority.frame.iloc[place] for place in (0, 1))

    assert open_exams.estimate_of(stat, "median") == ("1 h", "95 %: 50 min to 1 h 20 min")
    assert open_exams.estimate_of(routine, "median") == ("not reached", "95 %: 5 h or more")
    assert open_exams.estimate_of(stat, "p90") == ("not reached", "95 % limits: too few to say")
