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
