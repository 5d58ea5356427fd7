"""Waterfalls: each step begins where the one before ended, and carries the group it stands for."""

from __future__ import annotations

import pandas as pd
import pytest

from analytics.core.results import MetricResult, MetricSpec
from analytics.reporting import waterfall
from analytics.reporting.waterfall import LESS, MORE, WHOLE, Step

STUDIES = MetricSpec("volume.test", "Change", "Studies.", "{study}", "neutral", "a test")


@pytest.fixture
def change() -> MetricResult:
    return MetricResult(STUDIES, pd.DataFrame({
        "site": ["North", "North", "South", "South"], "modality": ["CT", "CT", "MR", "MR"],
        "station_name": ["CT1", "CT2", "MR1", None], "change": [-10, 290, -30, 5],
        "state": ["", "new", "gone", ""]}), "change", ("site", "modality", "station_name"), 0, 7)


def bars(figure):
    """Every bar of a figure: name, from, to, text, group."""
    return [(bar.y[place], bar.base[place], bar.base[place] + bar.x[place], bar.text[place],
             bar.customdata[place] if bar.customdata else None) for bar in figure.data for place in range(len(bar.y))]


def test_steps_join_and_the_whole_is_where_they_end(change):
    assert bars(waterfall.drivers(change, ["site", "modality"])) == [
        ("North · CT", 0, 280, "+280", {"site": "North", "modality": "CT"}),
        ("South · MR", 280, 255, "-25", {"site": "South", "modality": "MR"}),
        ("Change in all", 0, 255, "+255", None)]


def test_a_device_is_named_as_new_or_gone_and_none_is_a_group(change):
    names = [name for name, *_ in bars(waterfall.drivers(change, ["site", "station_name"]))]

    assert names == ["North · CT2 (new)", "South · MR1 (gone)", "North · CT1", "South · not stated", "Change in all"]


def test_the_others_are_one_step_that_leads_nowhere(change):
    steps = bars(waterfall.drivers(change, ["site", "station_name"], top=2))

    assert [(name, text) for name, _, _, text, _ in steps] == [
        ("North · CT2 (new)", "+290"), ("South · MR1 (gone)", "-30"), ("2 others", "-5"), ("Change in all", "+255")]
    assert [mark is None for *_, mark in steps] == [False, False, True, True]


def test_more_and_less_and_the_whole_differ_in_color():
    figure = waterfall.waterfall([Step("a", 3), Step("b", -1)], "{study}")

    assert [color for bar in figure.data for color in bar.marker.color] == [MORE, LESS, WHOLE]


def test_the_axis_reaches_every_step_below_and_above_zero():
    low, high = waterfall.waterfall([Step("a", -50), Step("b", 80), Step("c", -10)], "{study}").layout.xaxis.range

    assert low < -50 and high > 30


def test_effects_sum_over_the_groups_as_printed():
    frame = pd.DataFrame({"modality": ["CT", "MR"], "change": [700, 340], "from_a": [240, 100], "from_b": [460, 240]})
    result = MetricResult(MetricSpec("storage.test", "Change", "Bytes.", "By", "neutral", "a test"), frame, "change",
                          ("modality",), 0, 7)

    steps = bars(waterfall.effects(result, {"from_a": "first", "from_b": "second"}))
    assert [(name, text) for name, _, _, text, _ in steps] == [
        ("First", "+0.3 kB"), ("Second", "+0.7 kB"), ("Change in all", "+1.0 kB")]
