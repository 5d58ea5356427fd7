"""A metric's result as a Plotly figure: one way to draw each kind of question.

Figures are transparent and set no font color of their own, so that they sit on a light and on a dark page. Every
mark says itself in words on hover, and carries its group (``customdata``: a mapping of the dimensions' values), so
that a click can be followed to the studies behind it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from analytics.core.quantity import BYTES, PERCENT, format_quantity
from analytics.core.results import MetricResult
from analytics.reporting.axes import ticks, words
from analytics.reporting.drawing import (
    HEIGHT,
    HOVER,
    MANY,
    axis_name,
    blank,
    category_words,
    holds_dates,
    hover_words,
    in_legend,
    keep_in_view,
    keep_order,
    legend,
    mark_of,
    opacities,
    parts_of,
    plain,
    positions,
    value_axis,
    week_axes,
)
from analytics.reporting.palette import BAD, BLUE, CATEGORIES, CORAL, FAINT, GRAY, ORDERED, SEQUENCE, WATCH, Ink, inks


def bars(result: MetricResult, x: str, color: str | None = None, *, value: str | None = None,
         stacked: bool = True, height: int = HEIGHT) -> go.Figure:
    """Draw a value by period or category as bars, stacked or side by side by ``color``."""
    value, figure = value or result.value, blank(height)
    for name, ink, part in parts_of(result, result.frame, color, value):
        figure.add_bar(
            name=name, x=positions(part, x), y=part[value].astype(float), hovertext=hover_words(result, part, [value]),
            hovertemplate=HOVER, customdata=[mark_of(result, row) for _, row in part.iterrows()],
            showlegend=in_legend(part, result.frame, value),
            marker={"color": ink.color, "line_width": 0, "cornerradius": 2, "opacity": opacities(part), "pattern": {
                "shape": ink.pattern, "fillmode": "overlay", "fgcolor": "rgba(255,255,255,0.65)", "size": 6}},
        )
    keep_order(figure, result.frame, x)
    heights = result.frame.groupby(x, dropna=False)[value].sum() if stacked else result.frame[value]
    figure.update_layout(barmode="stack" if stacked else "group", **legend(color is not None))
    high = float(heights.max() or 1) if len(heights) else 1.0
    value_axis(figure, high, result.unit_of(value), axis_name(result, value))
    keep_in_view(figure, result.frame, x, value, result.unit_of(value))
    return figure


def lines(result: MetricResult, x: str, color: str | None = None, *, value: str | None = None, fill: bool = False,
          height: int = HEIGHT) -> go.Figure:
    """Draw a value over time as a line for each ``color``; ``fill`` stacks them as areas."""
    value, figure = value or result.value, blank(height)
    for name, ink, part in parts_of(result, result.frame, color, value):
        ordered = part.sort_values(x)
        figure.add_scatter(
            name=name, x=positions(ordered, x), y=ordered[value].astype(float), mode="lines+markers",
            line={"color": ink.color, "width": 2 if len(part) <= MANY else 1.4, "dash": ink.dash},
            marker={"size": 5, "color": ink.color, "opacity": 1 if len(part) <= MANY else 0},
            stackgroup="all" if fill else None,
            hovertext=hover_words(result, ordered, [value]),
            customdata=[mark_of(result, row) for _, row in ordered.iterrows()],
            hovertemplate=HOVER,
        )
    totals = result.frame.groupby(x)[value].sum() if fill else result.frame[value]
    figure.update_layout(**legend(color is not None))
    value_axis(figure, float(totals.max()) if len(totals) else 1, result.unit_of(value), axis_name(result, value),
                low=float(totals.min()) if len(totals) else 0)
    figure.update_yaxes(rangemode="tozero")
    weight = value if fill or "n" not in result.frame else "n"
    keep_in_view(figure, result.frame, x, weight, result.unit_of(weight))
    return figure


def spotlight(result: MetricResult, x: str, group: str, *, value: str | None = None, top: int = 5,
              height: int = HEIGHT) -> go.Figure:
    """Draw many groups over time as thin gray lines, and in color those that end farthest from the usual.

    The usual is the median of all groups' latest values; the difference is in either direction.
    """
    value, figure = value or result.value, blank(height)
    frame = result.frame.dropna(subset=[value]).sort_values(x)
    latest = frame.groupby(group)[value].last().astype(float)
    far = list((latest - latest.median()).abs().sort_values(ascending=False, kind="stable").index[:top])
    ink = dict(zip(far, CATEGORIES, strict=False))
    for name in [*(other for other in latest.index if other not in ink), *reversed(far)]:
        part = frame[frame[group] == name]
        figure.add_scatter(
            name=words(group, name), x=positions(part, x), y=part[value].astype(float), mode="lines+markers",
            line={"color": ink.get(name, FAINT), "width": 2 if name in ink else 1}, showlegend=name in ink,
            marker={"size": 5, "color": ink.get(name, FAINT), "opacity": 1 if name in ink else 0},
            hovertext=hover_words(result, part, [value]), hovertemplate=HOVER,
            customdata=[mark_of(result, row) for _, row in part.iterrows()])
    figure.update_layout(**legend(True))
    if len(frame):
        value_axis(figure, float(frame[value].max()), result.unit_of(value), axis_name(result, value),
                   low=float(frame[value].min()))
    return figure


def heat_map(result: MetricResult, x: str = "exam_hour", y: str = "exam_weekday", *, height: int = 300) -> go.Figure:
    """Draw an amount by hour and weekday: one hue, faint to full. Each cell is a bar, so that it can be clicked."""
    figure, frame = blank(height), result.frame
    values = frame[result.value].astype(float)
    figure.add_bar(
        x=frame[x].astype(int), y=[0.94] * len(frame), base=frame[y].astype(int) - 0.97, width=0.94,
        marker={"color": values, "colorscale": SEQUENCE, "cmin": 0, "line_width": 0, "cornerradius": 3},
        customdata=[mark_of(result, row) for _, row in frame.iterrows()], showlegend=False,
        hovertext=hover_words(result, frame, [result.value]), hovertemplate=HOVER,
    )
    week_axes(figure)
    return figure


def ranked(result: MetricResult, y: str, *, value: str | None = None, top: int = 15, height: int | None = None,
           ) -> go.Figure:
    """Draw categories as horizontal bars, the largest on top, with the value written beside each."""
    value = value or result.value
    frame = result.frame.dropna(subset=[value]).sort_values(value, ascending=False, kind="stable").head(top)
    figure = blank(height or 60 + 28 * max(len(frame), 2))
    ink = inks(y, [str(plain(item) or "") for item in frame[y]]) if y == "modality" else {}
    unit = result.unit_of(value)
    figure.add_bar(
        orientation="h", y=[words(y, item) for item in frame[y]], x=frame[value].astype(float), showlegend=False,
        marker={"color": [ink.get(str(item), Ink(BLUE)).color for item in frame[y]], "cornerradius": 2},
        text=[format_quantity(plain(item), unit) for item in frame[value]], textposition="outside", cliponaxis=False,
        customdata=[mark_of(result, row) for _, row in frame.iterrows()],
        hovertext=hover_words(result, frame, [value]), hovertemplate=HOVER,
    )
    high = float(frame[value].max()) if len(frame) else 1.0
    low = min(0.0, float(frame[value].min())) if len(frame) else 0.0
    room = 0.16 * (max(high, 0.0) - low or 1.0)
    figure.update_xaxes(range=[low - room if low < 0 else 0, max(high, 0.0) + room])
    value_axis(figure, max(high, 0.0), unit, axis_name(result, value), axis="x", low=low)
    figure.update_yaxes(autorange="reversed", showgrid=False, title_text="", type="category")
    return figure


def fills(result: MetricResult, *, height: int | None = None) -> go.Figure:
    """Draw how full each archive is, out of its whole capacity."""
    frame, figure = result.frame, blank(height or 56 + 62 * max(len(result.frame), 1))
    names = [f"<b>{words('archive', row.archive)}</b><br>{format_quantity(plain(row.used), BYTES)} of "
             f"{format_quantity(plain(row.capacity), BYTES)}" for row in frame.itertuples()]
    filled, thick = frame["fill"].astype(float), 0.46 if len(frame) > 1 else 0.26
    figure.add_bar(orientation="h", y=names, x=[100] * len(frame), marker={"color": FAINT, "cornerradius": 4},
                   width=thick, hoverinfo="skip", showlegend=False)
    figure.add_bar(orientation="h", y=names, x=filled, width=thick, showlegend=False, hovertemplate=HOVER,
                   marker={"color": [level_color(fill) for fill in filled], "cornerradius": 4},
                   customdata=[mark_of(result, row) for _, row in frame.iterrows()],
                   hovertext=hover_words(result, frame, ["fill", "used", "free", "capacity"]))
    figure.add_scatter(x=[max(100.0, fill) + 1 for fill in filled], y=names, mode="text", hoverinfo="skip",
                       text=[format_quantity(fill, PERCENT) for fill in filled], textposition="middle right",
                       showlegend=False)
    figure.update_layout(barmode="overlay")
    figure.update_xaxes(tickvals=[0, 25, 50, 75, 100], ticktext=["0", "25 %", "50 %", "75 %", "100 %"],
                        range=[0, max(100.0, float(filled.max())) + 18 if len(frame) else 118])
    figure.update_yaxes(autorange="reversed", showgrid=False, type="category")
    return figure


def level_color(percent: float) -> str:
    """Return the color of a fill level: past 90 % it cannot wait, past 80 % it is to be watched."""
    return BAD if percent >= 90 else WATCH if percent >= 80 else BLUE


def shares(result: MetricResult, x: str, columns: Mapping[str, str], *, group: str | None = None,
           height: int = 300) -> go.Figure:
    """Draw how each period's exams divide into ordered classes, the best first, as percent.

    Parameters
    ----------
    columns : mapping
        Count column of the frame to its words, in order.
    group : str, optional
        Column of ``result.rows`` that says an exam's class in those words, so that a mark leads to its class alone.
    """
    figure, frame = blank(height), result.frame.sort_values(x)
    counts = frame[list(columns)].astype(float)
    whole = counts.sum(axis=1)
    marks = [mark_of(result, row) for _, row in frame.iterrows()]
    periods = category_words(frame, x)
    for (column, name), color in zip(columns.items(), ORDERED, strict=False):
        part = (100 * counts[column] / whole).fillna(0)
        figure.add_bar(
            name=name, x=positions(frame, x), y=part, marker={"color": color, "line_width": 0},
            customdata=[{**mark, group: name} if group else mark for mark in marks],
            hovertext=[f"<b>{period}</b><br>{name}: {share:.1f} % ({count:,.0f} of {total:,.0f})"
                       for period, share, count, total in zip(periods, part, counts[column], whole, strict=True)],
            hovertemplate=HOVER)
    figure.update_layout(barmode="stack", **legend(True))
    figure.update_yaxes(tickvals=[0, 25, 50, 75, 100], ticktext=["0", "25 %", "50 %", "75 %", "100 %"],
                        title_text="Share of finished exams", range=[0, 100])
    return figure


def interval(result: MetricResult, x: str, *, median: str = "median", p90: str = "p90", open_cases: str | None = None,
             height: int = 380) -> go.Figure:
    """Draw a turnaround interval: median and 90th percentile, and below them the cases that are still open.

    The open cases stand in the same figure because an interval of finished cases alone looks best when the
    slowest are not finished.
    """
    frame = result.frame.sort_values(x) if holds_dates(result.frame, x) else result.frame
    figure = blank(height)
    places = positions(frame, x)
    marks = [mark_of(result, row) for _, row in frame.iterrows()]
    hover = hover_words(result, frame, [name for name in (median, p90, "n", open_cases or "") if name in frame.columns])
    over_time = holds_dates(frame, x)
    for column, name, color, symbol in ((p90, "90th percentile", CORAL, "diamond"), (median, "Median", BLUE, "circle")):
        figure.add_scatter(
            name=name, x=places, y=frame[column].astype(float), mode="lines+markers" if over_time else "markers",
            line={"color": color, "width": 2, "dash": "dot" if column == p90 else "solid"},
            marker={"size": 6 if over_time else 11, "symbol": symbol, "color": color},
            customdata=marks, hovertext=hover, hovertemplate=HOVER,
        )
    high = float(pd.concat([frame[p90], frame[median]]).max()) if len(frame) else 1.0
    value_axis(figure, high or 1, result.unit_of(median), result.spec.name)
    figure.update_yaxes(rangemode="tozero")
    figure.update_layout(**legend(True))
    keep_in_view(figure, frame, x, "n", result.unit_of("n"))
    if open_cases:
        _open_panel(figure, frame, places, hover, open_cases)
    return figure


def _open_panel(figure: go.Figure, frame: pd.DataFrame, places: list[Any], hover: list[str], column: str) -> None:
    # No group on these marks: the rows behind the result are its finished exams, not the open ones.
    figure.add_bar(name="Still open", x=places, y=frame[column].astype(float), yaxis="y2", marker_color=GRAY,
                   hovertext=hover, hovertemplate=HOVER)
    values, texts = ticks(0, float(frame[column].max() or 1), "{exam}", 2)
    figure.update_layout(
        yaxis={"domain": [0.3, 1]},
        yaxis2={"domain": [0, 0.2], "tickvals": values, "ticktext": texts, "gridcolor": FAINT, "zeroline": False,
                "title_text": "Open", "title_font_size": 12, "tickfont_size": 12, "automargin": True},
        xaxis={"anchor": "y2"},
    )
