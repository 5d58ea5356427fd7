"""Charts side by side have one scale: the pile of bars, not its highest part, decides."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest

from analytics.reporting.scales import same_scale


def piled(*heights: float) -> go.Figure:
    figure = go.Figure([go.Bar(x=["Jan"], y=[height]) for height in heights])
    return figure.update_layout(barmode="stack").update_yaxes(tickvals=[0, sum(heights)], ticktext=["0", "all"])


def test_the_higher_pile_sets_the_scale_and_the_ticks_of_both():
    small, large = piled(1, 2), piled(10, 20, 30)
    same_scale(small, large)
    assert small.layout.yaxis.range == large.layout.yaxis.range == (0, pytest.approx(60 * 1.06))
    assert small.layout.yaxis.tickvals == (0, 60)


def test_lines_below_nothing_stay_in_view():
    below = go.Figure(go.Scatter(x=[1, 2], y=np.array([-5.0, 3.0])))
    above = go.Figure(go.Scatter(x=[1, 2], y=[None, 8]))
    same_scale(below, above)
    assert below.layout.yaxis.range == above.layout.yaxis.range == (-5, pytest.approx(8.48))


def test_levels_far_from_nothing_keep_their_changes_in_view_and_amounts_keep_nothing():
    first, second = (go.Figure(go.Scatter(x=[1, 2], y=values)) for values in ([100, 110], [104, 106]))
    same_scale(first, second)
    assert first.layout.yaxis.range == second.layout.yaxis.range == (pytest.approx(99.4), pytest.approx(110.6))
    for figure in (first, second):
        figure.update_yaxes(range=None, rangemode="tozero")
    same_scale(first, second)
    assert first.layout.yaxis.range == (0, pytest.approx(110 * 1.06))


def listed(*names: str, height: int = 100) -> go.Figure:
    figure = go.Figure(go.Bar(orientation="h", y=list(names), x=[1] * len(names))).update_layout(height=height)
    return figure.update_yaxes(categoryorder="array", categoryarray=list(names)[::-1])


def test_groups_listed_one_below_the_other_stand_in_the_same_lines():
    first, second = listed("A", "B", "C", height=300), listed("C", "D", height=200)
    same_scale(first, second)
    for figure in (first, second):
        assert figure.layout.yaxis.categoryarray == ("D", "C", "B", "A"), "an axis counts from below"
        assert figure.layout.yaxis.range == (-0.5, 3.5) and figure.layout.height == 400


def test_steps_that_follow_from_each_other_keep_their_order():
    first, second = (listed(*names).update_yaxes(autorange="reversed") for names in (("A", "B"), ("B", "C")))
    same_scale(first, second)
    assert first.layout.yaxis.categoryarray == ("B", "A")


def test_the_wider_range_sets_the_ticks():
    low = go.Figure(go.Bar(orientation="h", y=["A"], x=[1])).update_xaxes(range=[-3, 2], tickvals=[-3], ticktext=["a"])
    high = go.Figure(go.Bar(orientation="h", y=["A"], x=[1])).update_xaxes(range=[-1, 2], tickvals=[-1], ticktext=["b"])
    same_scale(low, high)
    assert high.layout.xaxis.range == (-3, 2) and high.layout.xaxis.tickvals == (-3,)


def test_horizontal_bars_share_the_range_that_leaves_room_for_their_words():
    first = go.Figure(go.Bar(orientation="h", y=["CT"], x=[4])).update_xaxes(range=[0, 5])
    second = go.Figure(go.Bar(orientation="h", y=["MR"], x=[40])).update_xaxes(range=[0, 46])
    same_scale(first, second)
    assert first.layout.xaxis.range == second.layout.xaxis.range == (0, 46)
    assert first.layout.yaxis.range is None


def test_heat_maps_share_what_their_full_color_means():
    first, second = (go.Figure(go.Bar(x=[0], y=[1], base=[0], marker={"color": [most], "cmin": 0})) for most in (3, 7))
    same_scale(first, second)
    assert first.data[0].marker.cmax == second.data[0].marker.cmax == 7
    assert first.layout.yaxis.range is None


def test_marks_beside_names_are_measured_along_the_other_axis():
    first, second = (go.Figure(go.Scatter(x=[most], y=["Stat"], mode="markers")) for most in (3.0, 5.0))
    same_scale(first, second)
    assert first.layout.xaxis.range == (0, pytest.approx(5.3)) and first.layout.yaxis.range is None
