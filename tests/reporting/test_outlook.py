"""The figure of the forecast's models: each model's two intervals stand where they held, beside where they should."""

from __future__ import annotations

import pandas as pd

from analytics.core.results import MetricResult, MetricSpec
from analytics.reporting.drawings import drawing, drawing_of
from analytics.reporting.outlook import held

SPEC = MetricSpec("storage.forecast_models", "Models", "A test.", "%", "lower", "a test")


def models(*archives: str) -> MetricResult:
    frame = pd.DataFrame([
        {"archive": archive, "model": model, "error": 4.2, "score": 30.0, "held_80_percent": low,
         "held_95_percent": high}
        for archive in archives for model, low, high in (("walk", 90.0, 99.0), ("level", 70.0, 88.0))])
    return MetricResult(SPEC, frame, "error", ("archive", "model"), len(frame), 7)


def test_each_interval_stands_where_it_held_and_a_line_where_it_should() -> None:
    figure = held(models("Main"))
    assert [list(trace.x) for trace in figure.data] == [[90.0, 70.0], [99.0, 88.0]]
    assert [shape.x0 for shape in figure.layout.shapes] == [80, 95]
    assert list(figure.data[0].y) == ["walk", "level"]
    assert "80 % interval held: 90.0 %" in figure.data[0].hovertext[0]


def test_models_of_several_archives_are_told_apart() -> None:
    assert list(held(models("Main", "Old")).data[0].y) == ["Main · walk", "Main · level", "Old · walk", "Old · level"]


def test_the_figure_can_be_pinned() -> None:
    assert drawing_of(drawing(held).to_json())(models("Main")).data[0].name == "Held by the 80 % interval"
