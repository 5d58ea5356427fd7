"""Figures of a queue: when in the week it grows, and what waits under each scenario."""

from __future__ import annotations

import plotly.graph_objects as go

from analytics.core.quantity import format_quantity
from analytics.core.results import MetricResult
from analytics.reporting.axes import ticks
from analytics.reporting.drawing import HEIGHT, HOVER, blank, hover_words, legend, mark_of, value_axis, week_axes
from analytics.reporting.palette import BLUE, CATEGORIES, CORAL

SIGNED: tuple[tuple[float, str], ...] = (
    (0.0, BLUE), (0.25, "rgba(0,120,180,0.5)"), (0.5, "rgba(123,133,143,0.08)"), (0.75, "rgba(228,96,84,0.5)"),
    (1.0, CORAL))
"""Below 0 one hue, above it another, and almost nothing at it: a sign is seen before an amount."""


def growth_map(result: MetricResult, *, height: int = 320) -> go.Figure:
    """Draw a signed amount by hour and weekday. Each cell is a bar, so that it can be clicked."""
    figure, frame = blank(height), result.frame
    values = frame[result.value].astype(float)
    most = float(values.abs().max() or 1.0)
    places, texts = ticks(-most, most, result.spec.unit, 4)
    figure.add_bar(
        x=frame.hour.astype(int), y=[0.94] * len(frame), base=frame.weekday.astype(int) - 0.97, width=0.94,
        marker={"color": values, "colorscale": SIGNED, "cmin": -most, "cmax": most, "line_width": 0, "cornerradius": 3,
                "showscale": True, "colorbar": {"thickness": 10, "outlinewidth": 0, "tickvals": places,
                                                "ticktext": texts}},
        customdata=[mark_of(result, row) for _, row in frame.iterrows()], showlegend=False,
        hovertext=hover_words(result, frame, [result.value, "arrived_per_hour", "reported_per_hour"]),
        hovertemplate=HOVER)
    week_axes(figure)
    return figure


def scenarios(result: MetricResult, *, height: int = HEIGHT) -> go.Figure:
    """Draw what waits after some weeks as a line for each scenario."""
    figure, frame = blank(height), result.frame
    for (name, part), color in zip(frame.groupby("scenario", sort=False), CATEGORIES, strict=False):
        said = [format_quantity(round(float(value)), result.spec.unit) for value in part.unread]
        figure.add_scatter(
            name=str(name), x=part.week.astype(int), y=part.unread.astype(float), mode="lines+markers",
            line={"color": color, "width": 2}, marker={"size": 7, "color": color},
            customdata=[mark_of(result, row) for _, row in part.iterrows()], hovertemplate=HOVER,
            hovertext=[f"<b>{name}</b><br>{number} unread after {week} week{'s' * (week != 1)}"
                       for number, week in zip(said, part.week, strict=True)])
    weeks = sorted(set(frame.week))
    figure.update_xaxes(tickvals=weeks, ticktext=[str(week) for week in weeks], title_text="Weeks from now")
    value_axis(figure, float(frame.unread.max() or 1), result.spec.unit, "Unread exams")
    figure.update_yaxes(rangemode="tozero")
    figure.update_layout(**legend(True))
    return figure
