"""Figures: readable axes, words on hover, and the group behind each mark."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as some

from analytics.core.results import MetricResult, MetricSpec
from analytics.reporting import checks, figures
from analytics.reporting.axes import period_of, period_words, ticks, words
from analytics.reporting.palette import modality_ink

BYTES = MetricSpec("storage.test", "Stored", "Bytes.", "By", "neutral", "a test")
MONTHS = pd.to_datetime(["2026-01-01", "2026-02-01"])


def result(frame: pd.DataFrame, *dimensions: str, spec: MetricSpec = BYTES, value: str = "bytes") -> MetricResult:
    return MetricResult(spec, frame, value, dimensions, len(frame), 7)


@pytest.fixture
def by_month() -> MetricResult:
    return result(pd.DataFrame({
        "period": [*MONTHS, *MONTHS], "modality": ["CT", "CT", "MR", "MR"], "bytes": [2e12, 3e12, 1e12, 5e11],
        "whole": [True, False, True, False]}), "period", "modality")


@pytest.mark.parametrize(("low", "high", "unit", "expected"), [
    (0, 3.6e12, "By", ["0", "1 TB", "2 TB", "3 TB", "4 TB"]),
    (0, 300, "min", ["0", "1 h", "2 h", "3 h", "4 h", "5 h"]),
    (0, 2880, "min", ["0", "12 h", "1 d", "1 d 12 h", "2 d"]),
    (-1.6, -0.8, "min", ["-1 min 40 s", "-1 min 30 s", "-1 min 20 s", "-1 min 10 s", "-1 min", "-50 s", "-40 s"]),
    (0, 4, "{study}", ["0", "1", "2", "3", "4"]),
    (0, 4000, "{study}", ["0", "1,000", "2,000", "3,000", "4,000"]),
    (0, 1, "%", ["0", "0.2 %", "0.4 %", "0.6 %", "0.8 %", "1.0 %"]),
])
def test_ticks_stand_at_round_numbers_of_the_unit(low, high, unit, expected):
    assert ticks(low, high, unit)[1] == expected


@given(low=some.floats(-1e12, 1e12), span=some.floats(0.01, 1e15),
       unit=some.sampled_from(["By", "min", "%", "{study}", "1", "USD"]))
def test_ticks_cover_the_data_and_are_not_too_many(low, span, unit):
    values, texts = ticks(low, low + span, unit)

    assert values[0] <= low + 1e-6 * span and values[-1] >= low + span * (1 - 1e-6)
    assert len(values) == len(texts) <= 14


@pytest.mark.parametrize(("starts", "period"), [
    (["2026-01-01", "2026-02-01"], "month"), (["2026-01-01", "2026-04-01"], "quarter"),
    (["2025-01-01", "2026-01-01"], "year"), (["2026-01-05", "2026-01-12"], "week"),
    (["2026-01-05", "2026-01-06"], "day"), (["2026-01-01"], "month"),
])
def test_a_period_is_told_from_its_starts(starts, period):
    assert period_of(pd.to_datetime(starts)) == period


def test_periods_and_groups_are_said_in_words():
    assert period_words(date(2026, 4, 1), "quarter") == "Q2 2026"
    assert words("priority", "S") == "Stat"
    assert words("exam_weekday", 7) == "Sunday"
    assert words("site", None) == words("site", float("nan")) == words("site", "") == "not stated"


def test_each_mark_carries_its_group(by_month):
    first = figures.bars(by_month, "period", "modality").data[0]

    assert list(first.customdata) == [{"period": "2026-01-01", "modality": "CT"},
                                      {"period": "2026-02-01", "modality": "CT"}]


def test_a_group_without_a_value_is_carried_as_nothing():
    frame = pd.DataFrame({"site": ["North", None], "bytes": [2.0, 1.0]})

    assert figures.ranked(result(frame, "site"), "site").data[0].customdata[1] == {"site": None}


def test_hover_names_a_value_that_is_not_the_main_one(by_month):
    by_month.frame["at_least"] = [1e12, 2e12, 5e11, 1e11]
    [bar] = figures.ranked(by_month, "modality", value="at_least", top=1).data
    assert bar.hovertext[0] == "<b>Feb 2026 · CT</b><br>At least: 2.0 TB"


def test_hover_says_the_value_as_people_write_it(by_month):
    assert figures.bars(by_month, "period", "modality").data[0].hovertext[0] == "<b>Jan 2026 · CT</b><br>Stored: 2.0 TB"


def test_a_modality_is_drawn_in_its_color(by_month):
    colors = {trace.name: trace.marker.color for trace in figures.bars(by_month, "period", "modality").data}

    assert colors == {code: modality_ink(code).color for code in ("CT", "MR")}


def test_a_period_that_is_not_whole_is_drawn_fainter(by_month):
    opacity = figures.bars(by_month, "period", "modality").data[0].marker.opacity

    assert opacity[0] == 1 and opacity[1] < 1


def test_stacked_bars_leave_room_for_the_whole_stack(by_month):
    assert figures.bars(by_month, "period", "modality").layout.yaxis.tickvals[-1] >= 3.5e12


def test_a_figure_sets_no_font_color_and_no_background(by_month):
    layout = figures.bars(by_month, "period", "modality").layout

    assert layout.font.color is None
    assert layout.paper_bgcolor == layout.plot_bgcolor == "rgba(0,0,0,0)"


def test_buckets_keep_their_natural_order():
    frame = pd.DataFrame({"age": ["< 1 h", "1-4 h", "> 7 d"], "modality": ["MR", "CT", "CT"], "bytes": [1.0, 2.0, 9.0]})
    figure = figures.bars(result(frame, "age", "modality"), "age", "modality")

    assert list(figure.layout.xaxis.categoryarray) == ["< 1 h", "1-4 h", "> 7 d"]


def test_each_cell_of_a_heat_map_can_be_followed():
    frame = pd.DataFrame({"exam_weekday": [1, 7], "exam_hour": [8, 23], "bytes": [5, 1]})
    cells = figures.heat_map(result(frame, "exam_weekday", "exam_hour")).data[0]

    assert list(cells.customdata) == [{"exam_weekday": 1, "exam_hour": 8}, {"exam_weekday": 7, "exam_hour": 23}]
    assert cells.base[1] < 7 < cells.base[1] + cells.y[1] + 0.1


def test_open_cases_stand_beside_an_interval():
    spec = MetricSpec("turnaround.test", "Turnaround", "Minutes.", "min", "lower", "a test")
    frame = pd.DataFrame({"period": MONTHS, "median": [60.0, 50.0], "p90": [600.0, 500.0], "n": [10, 8],
                          "open": [0, 4]})
    figure = figures.interval(result(frame, "period", spec=spec, value="median"), "period", open_cases="open")

    assert list(figure.data[-1].y) == [0.0, 4.0]
    assert figure.data[-1].name == "Still open"


def test_shares_sum_to_the_whole_and_an_empty_period_is_not_a_fault():
    frame = pd.DataFrame({"period": MONTHS, "soon": [3, 0], "late": [1, 0]})
    figure = figures.shares(result(frame, "period", value="soon"), "period", {"soon": "Soon", "late": "Late"})

    assert [list(trace.y) for trace in figure.data] == [[75.0, 0.0], [25.0, 0.0]]


def test_a_few_old_studies_do_not_squeeze_the_rest_and_are_told():
    periods = pd.to_datetime(["1998-03-01", *pd.date_range("2024-01-01", periods=24, freq="MS")])
    frame = pd.DataFrame({"period": periods, "bytes": [1.0, *[1000.0] * 24]})
    layout = figures.bars(result(frame, "period"), "period").layout

    assert layout.xaxis.range[0] >= "2023"
    assert "1 month with 1 B in all" in layout.annotations[0].text


def test_a_full_archive_is_marked():
    frame = pd.DataFrame({"archive": ["A", "B"], "used": [95, 10], "free": [5, 90], "capacity": [100, 100],
                          "fill": [95.0, 10.0]})
    spec = MetricSpec("storage.per_archive", "Fill", "Percent.", "%", "lower", "a test")
    colors = figures.fills(result(frame, "archive", spec=spec, value="fill")).data[1].marker.color

    assert colors[0] == figures.level_color(95) != colors[1] == figures.level_color(10)


@pytest.mark.parametrize("draw", [
    lambda empty: figures.bars(empty, "period"), lambda empty: figures.lines(empty, "period"),
    lambda empty: figures.ranked(empty, "period"), lambda empty: figures.spotlight(empty, "period", "modality"),
])
def test_nothing_is_drawn_as_an_empty_figure(draw):
    frame = pd.DataFrame({"period": pd.to_datetime([]), "modality": [], "bytes": pd.Series([], dtype=float)})

    assert sum(len(trace.x) for trace in draw(result(frame, "period", "modality")).data) == 0


def test_a_share_leads_to_its_class_alone(by_month: MetricResult):
    frame = pd.DataFrame({"period": MONTHS, "fast": [3, 1], "slow": [1, 0]})
    figure = figures.shares(result(frame, "period", value="fast"), "period", {"fast": "< 12 h", "slow": "> 48 h"},
                            group="acr_class")

    assert [trace.customdata[0] for trace in figure.data] == [
        {"period": "2026-01-01", "acr_class": "< 12 h"}, {"period": "2026-01-01", "acr_class": "> 48 h"}]


def test_open_cases_do_not_lead_to_finished_ones():
    frame = pd.DataFrame({"period": MONTHS, "median": [3.0, 4.0], "p90": [9.0, 9.0], "n": [3, 1], "open": [0, 2]})
    figure = figures.interval(result(frame, "period", value="median"), "period", open_cases="open")

    assert [trace.customdata is None for trace in figure.data] == [False, False, True]


def test_marks_of_a_check_say_their_device_and_their_month():
    counts = pd.DataFrame({"site": ["North"], "modality": [None], "station_name": ["CT1"], "violated": [2],
                           "denominator": [4], "rate": [50.0], "month": MONTHS[:1]})

    assert checks.by_device(counts).data[0].customdata[0] == {
        "site": "North", "modality": None, "station_name": "CT1"}
    assert checks.by_month(counts).data[0].customdata[0] == {"month": "2026-01-01"}
