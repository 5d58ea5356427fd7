"""Figures of volume: the others stand last, months stand beside the year before, and a change has its date."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analytics.core.quantity import STUDIES
from analytics.core.results import MetricResult, MetricSpec
from analytics.metrics.volume import HOURS
from analytics.reporting.palette import GRAY
from analytics.reporting.volume_figures import SHOWN, by_period, changes, years

SPEC = MetricSpec("t.t", "Studies", "Studies in a test, counted by nothing.", STUDIES, "neutral", "none")


def _result(frame: pd.DataFrame, value: str, *dimensions: str) -> MetricResult:
    return MetricResult(SPEC, frame, value, dimensions, len(frame), 1)


def test_the_others_are_drawn_last_and_gray():
    frame = pd.DataFrame({"period": pd.Timestamp("2026-01-01"), "description": ["others", "XR Chest", "CT Head"],
                          "studies": [90, 20, 10]})
    figure = by_period(_result(frame, "studies", "period", "description"), "description")
    assert [one.name for one in figure.data] == ["XR Chest", "CT Head", "others"]
    assert [one.marker.color == GRAY for one in figure.data] == [False, False, True]


def test_parts_of_the_day_are_drawn_in_their_order():
    frame = pd.DataFrame({"period": pd.Timestamp("2026-01-01"), "hours": [HOURS[4], HOURS[2], HOURS[7]],
                          "studies": [1, 2, 3]})
    figure = by_period(_result(frame, "studies", "period", "hours"), "hours")
    assert [one.name for one in figure.data] == [HOURS[2], HOURS[4], HOURS[7]]


def test_a_month_says_both_years_and_both_changes():
    frame = pd.DataFrame({
        "period": [pd.Timestamp("2026-01-01")], "studies": [49], "before": [50], "change": [-2.0], "calendar": [-2.0],
        "adjusted": [0.0], "working_days": [22], "working_days_before": [23], "per_working_day": [2.0],
        "per_working_day_before": [2.0]})
    figure = years(_result(frame, "adjusted", "period"))
    drawn = {one.name: list(one.y) for one in figure.data}
    assert drawn == {"A year before": [50], "Studies": [49], "Change per working day": [0], "Change as counted": [-2]}
    assert "Jan 2025: 50 in 23" in figure.data[1].hovertext[0] and "-2.0 %" in figure.data[1].hovertext[0]
    assert figure.data[0].customdata is None  # a click there would lead to the studies of the wrong year


def _weeks(names: list[str], changed: str) -> pd.DataFrame:
    weeks = pd.date_range("2026-01-05", periods=30, freq="W-MON")
    parts = []
    for size, name in enumerate(names, start=1):
        part = pd.DataFrame({"period": weeks, "modality": name, "studies": 5 * size, "working_days": 5,
                             "per_working_day": float(size), "level": float(size), "kind": None, "earliest": pd.NaT,
                             "latest": pd.NaT, "level_after": np.nan, "p": np.nan, "said": None})
        if name == changed:
            part.loc[12, ["kind", "earliest", "latest", "level_after", "p", "said"]] = [
                "step", weeks[11], weeks[14], 1.0, 0.001, "It changed."]
        parts.append(part)
    return pd.concat(parts)


def test_a_change_is_marked_with_its_date_and_its_interval():
    figure = changes(_result(_weeks(["CT"], "CT"), "per_working_day", "period", "modality"))
    (mark,) = [one for one in figure.data if one.mode == "markers+text" and len(one.x)]
    assert (list(mark.x), list(mark.text), list(mark.hovertext)) == (["2026-03-30"], ["30 Mar 2026"], ["It changed."])
    assert any(list(one.x) == ["2026-03-23", "2026-04-13"] for one in figure.data)


def test_of_many_series_those_with_a_change_are_drawn_first():
    names = [f"M{number}" for number in range(1, 11)]  # the smallest of ten has the change
    figure = changes(_result(_weeks(names, "M1"), "per_working_day", "period", "modality"))
    drawn = {one.name for one in figure.data if one.showlegend is not False}
    assert len(drawn) == SHOWN and "M1" in drawn and "M10" in drawn and "M5" not in drawn


def test_series_whose_site_nobody_knows_are_drawn():
    frame = _weeks(["CT"], "CT").assign(site=None)
    figure = changes(_result(frame, "per_working_day", "period", "site"))
    assert len(figure.data) > 1
