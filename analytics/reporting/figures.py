"""A metric's result as a Plotly figure: one way to draw each kind of question.

Figures are transparent and set no font color of their own, so that they sit on a light and on a dark page. Every
mark says itself in words on hover, and carries its group (``customdata``: a mapping of the dimensions' values), so
that a click can be followed to the studies behind it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from analytics.core.quantity import format_quantity
from analytics.core.results import MetricResult
from analytics.reporting.axes import (
    WEEKDAYS, axis_title, is_missing, label_of, period_of, period_words, ticks, words,
)
from analytics.reporting.palette import BLUE, CORAL, FAINT, GRAY, SEQUENCE, Ink, inks

HEIGHT = 340
_MARGIN = {"l": 8, "r": 12, "t": 28, "b": 8}


def _blank(height: int = HEIGHT) -> go.Figure:
    figure = go.Figure()
    grid = {"gridcolor": FAINT, "zeroline": False, "automargin": True, "title_font_size": 12, "tickfont_size": 12}
    figure.update_layout(
        height=height, margin=_MARGIN, paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)",
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "title_text": "", "font_size": 12},
        hoverlabel={"align": "left"}, bargap=0.18, clickmode="event+select", dragmode=False,
        xaxis={**grid, "showgrid": False}, yaxis=grid,
    )
    return figure


def plain(value: Any) -> Any:
    """Return a group's value as JSON can carry it; a date is its ISO form, nothing is ``None``."""
    if is_missing(value):
        return None
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return value.item() if hasattr(value, "item") else value


def mark_of(result: MetricResult, row: Any) -> dict[str, Any]:
    """Return the group that one row of a result's frame stands for."""
    return {name: plain(row[name]) for name in result.dimensions}


def _dates(frame: pd.DataFrame, column: str) -> bool:
    return pd.api.types.is_datetime64_any_dtype(frame[column]) or (
        len(frame) > 0 and isinstance(frame[column].iloc[0], date))


def _category_words(frame: pd.DataFrame, column: str) -> list[str]:
    if _dates(frame, column):
        period = period_of(frame[column])
        return [period_words(day, period) for day in frame[column]]
    return [words(column, value) for value in frame[column]]


def _hover(result: MetricResult, frame: pd.DataFrame, columns: Sequence[str]) -> list[str]:
    """Say each row in words: its group, then each value with its unit."""
    groups = [_category_words(frame, name) for name in result.dimensions]
    lines = []
    for place in range(len(frame)):
        head = " · ".join(group[place] for group in groups)
        values = "<br>".join(
            f"{label_of(name) if len(columns) > 1 else result.spec.name}: "
            f"{format_quantity(plain(frame[name].iloc[place]), result.unit_of(name))}" for name in columns)
        lines.append(f"<b>{head}</b><br>{values}" if head else values)
    return lines


def _value_axis(figure: go.Figure, high: float, unit: str, name: str, *, low: float = 0.0, axis: str = "y",
                selector: dict[str, int] | None = None) -> None:
    values, texts = ticks(min(low, 0.0) if low <= 0 else low, high, unit)
    change = {"tickvals": values, "ticktext": texts, "title_text": axis_title(name, unit)}
    update = figure.update_yaxes if axis == "y" else figure.update_xaxes
    update(**change, **(selector or {}))


def _order(frame: pd.DataFrame, color: str, value: str) -> list[Any]:
    """Order a color's categories by how much they hold, most first."""
    return list(frame.groupby(color, dropna=False)[value].sum().sort_values(ascending=False, kind="stable").index)


def _split(result: MetricResult, frame: pd.DataFrame, color: str | None, value: str,
           ) -> list[tuple[str, Ink, pd.DataFrame]]:
    """Return the frame's parts by color: name, ink, rows."""
    if color is None:
        return [(result.spec.name, Ink(BLUE), frame)]
    order = _order(frame, color, value)
    ink = inks(color, [str(plain(item) or "") for item in order])
    return [
        (words(color, item), ink[str(plain(item) or "")],
         frame[frame[color].isna() if is_missing(item) else frame[color] == item]) for item in order
    ]


def bars(result: MetricResult, x: str, color: str | None = None, *, value: str | None = None,
         stacked: bool = True, height: int = HEIGHT) -> go.Figure:
    """Draw a value by period or category as bars, stacked or side by side by ``color``."""
    value, figure = value or result.value, _blank(height)
    for name, ink, part in _split(result, result.frame, color, value):
        figure.add_bar(
            name=name, x=_positions(part, x), y=part[value].astype(float), hovertext=_hover(result, part, [value]),
            customdata=[mark_of(result, row) for _, row in part.iterrows()], hovertemplate="%{hovertext}<extra></extra>",
            marker={"color": ink.color, "pattern": {"shape": ink.pattern, "fgcolor": "rgba(255,255,255,0.7)"},
                    "line_width": 0, "cornerradius": 2},
        )
    heights = result.frame.groupby(x, dropna=False)[value].sum() if stacked else result.frame[value]
    figure.update_layout(barmode="stack" if stacked else "group", showlegend=color is not None)
    _value_axis(figure, float(heights.max() or 1) if len(heights) else 1, result.unit_of(value), _axis_name(result, value))
    return figure


def _axis_name(result: MetricResult, value: str) -> str:
    return result.spec.name if value == result.value else label_of(value)


def _positions(frame: pd.DataFrame, x: str) -> list[Any]:
    return [plain(item) for item in frame[x]] if _dates(frame, x) else [words(x, item) for item in frame[x]]


def lines(result: MetricResult, x: str, color: str | None = None, *, value: str | None = None, fill: bool = False,
          height: int = HEIGHT) -> go.Figure:
    """Draw a value over time as a line for each ``color``; ``fill`` stacks them as areas."""
    value, figure = value or result.value, _blank(height)
    for name, ink, part in _split(result, result.frame, color, value):
        ordered = part.sort_values(x)
        figure.add_scatter(
            name=name, x=_positions(ordered, x), y=ordered[value].astype(float), mode="lines+markers",
            line={"color": ink.color, "width": 2, "dash": ink.dash}, marker={"size": 5, "color": ink.color},
            stackgroup="all" if fill else None, hovertext=_hover(result, ordered, [value]),
            customdata=[mark_of(result, row) for _, row in ordered.iterrows()],
            hovertemplate="%{hovertext}<extra></extra>",
        )
    totals = result.frame.groupby(x)[value].sum() if fill else result.frame[value]
    figure.update_layout(showlegend=color is not None)
    _value_axis(figure, float(totals.max()) if len(totals) else 1, result.unit_of(value), _axis_name(result, value),
                low=float(totals.min()) if len(totals) else 0)
    figure.update_yaxes(rangemode="tozero")
    return figure


def heat_map(result: MetricResult, x: str = "exam_hour", y: str = "exam_weekday", *, height: int = 300) -> go.Figure:
    """Draw an amount by hour and weekday: one hue, faint to full. Each cell is a bar, so that it can be clicked."""
    figure, frame = _blank(height), result.frame
    values = frame[result.value].astype(float)
    figure.add_bar(
        x=frame[x].astype(int), y=[0.94] * len(frame), base=frame[y].astype(int) - 0.97, width=0.94,
        marker={"color": values, "colorscale": SEQUENCE, "cmin": 0, "line_width": 0, "cornerradius": 3},
        customdata=[mark_of(result, row) for _, row in frame.iterrows()], showlegend=False,
        hovertext=_hover(result, frame, [result.value]), hovertemplate="%{hovertext}<extra></extra>",
    )
    figure.update_xaxes(tickvals=list(range(0, 24, 3)), ticktext=[f"{hour:02d}:00" for hour in range(0, 24, 3)],
                        title_text=label_of(x), range=[-0.6, 23.6])
    figure.update_yaxes(tickvals=[day + 0.5 for day in range(7)], ticktext=[day[:3] for day in WEEKDAYS],
                        range=[7, 0], showgrid=False, title_text="")
    return figure


def ranked(result: MetricResult, y: str, *, value: str | None = None, top: int = 15, height: int | None = None,
           ) -> go.Figure:
    """Draw categories as horizontal bars, the largest on top, with the value written beside each."""
    value = value or result.value
    frame = result.frame.dropna(subset=[value]).sort_values(value, ascending=False, kind="stable").head(top)
    figure = _blank(height or 60 + 28 * max(len(frame), 2))
    ink = inks(y, [str(plain(item) or "") for item in frame[y]]) if y == "modality" else {}
    unit = result.unit_of(value)
    figure.add_bar(
        orientation="h", y=[words(y, item) for item in frame[y]], x=frame[value].astype(float), showlegend=False,
        marker={"color": [ink.get(str(item), Ink(BLUE)).color for item in frame[y]], "cornerradius": 2},
        text=[format_quantity(plain(item), unit) for item in frame[value]], textposition="outside", cliponaxis=False,
        customdata=[mark_of(result, row) for _, row in frame.iterrows()],
        hovertext=_hover(result, frame, [value]), hovertemplate="%{hovertext}<extra></extra>",
    )
    high = float(frame[value].max()) if len(frame) else 1.0
    _value_axis(figure, high, unit, _axis_name(result, value), axis="x")
    figure.update_xaxes(range=[min(0.0, float(frame[value].min()) if len(frame) else 0) * 1.15, (high or 1) * 1.18])
    figure.update_yaxes(autorange="reversed", showgrid=False, title_text="", type="category")
    return figure


def interval(result: MetricResult, x: str, *, median: str = "median", p90: str = "p90", open_cases: str | None = None,
             height: int = 380) -> go.Figure:
    """Draw a turnaround interval: median and 90th percentile, and below them the cases that are still open.

    The open cases stand in the same figure because an interval of finished cases alone looks best when the
    slowest are not finished.
    """
    frame = result.frame.sort_values(x) if _dates(result.frame, x) else result.frame
    figure = _blank(height)
    places = _positions(frame, x)
    marks = [mark_of(result, row) for _, row in frame.iterrows()]
    hover = _hover(result, frame, [name for name in (median, p90, "n", open_cases) if name in frame.columns])
    over_time = _dates(frame, x)
    for column, name, color, symbol in ((p90, "90th percentile", CORAL, "diamond"), (median, "Median", BLUE, "circle")):
        figure.add_scatter(
            name=name, x=places, y=frame[column].astype(float), mode="lines+markers" if over_time else "markers",
            line={"color": color, "width": 2, "dash": "dot" if column == p90 else "solid"},
            marker={"size": 6 if over_time else 11, "symbol": symbol, "color": color},
            customdata=marks, hovertext=hover, hovertemplate="%{hovertext}<extra></extra>",
        )
    high = float(pd.concat([frame[p90], frame[median]]).max()) if len(frame) else 1.0
    _value_axis(figure, high or 1, result.unit_of(median), result.spec.name)
    figure.update_yaxes(rangemode="tozero")
    if open_cases:
        _open_panel(figure, frame, places, marks, hover, open_cases)
    return figure


def _open_panel(figure: go.Figure, frame: pd.DataFrame, places: list[Any], marks: list[dict[str, Any]],
                hover: list[str], column: str) -> None:
    figure.add_bar(name="Still open", x=places, y=frame[column].astype(float), yaxis="y2", marker_color=GRAY,
                   customdata=marks, hovertext=hover, hovertemplate="%{hovertext}<extra></extra>")
    values, texts = ticks(0, float(frame[column].max() or 1), "{exam}", 2)
    figure.update_layout(
        yaxis={"domain": [0.3, 1]},
        yaxis2={"domain": [0, 0.2], "tickvals": values, "ticktext": texts, "gridcolor": FAINT, "zeroline": False,
                "title_text": "Open", "title_font_size": 12, "tickfont_size": 12, "automargin": True},
        xaxis={"anchor": "y2"},
    )
