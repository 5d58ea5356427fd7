"""What every figure is drawn with: a blank figure, readable axes, words on hover, and the group behind each mark."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from analytics.core.quantity import format_quantity
from analytics.core.results import MetricResult
from analytics.core.terms import WEEKDAYS
from analytics.reporting.axes import axis_title, is_missing, label_of, period_of, period_words, ticks, words
from analytics.reporting.palette import BLUE, FAINT, Ink, inks, natural_order

HEIGHT = 340
MANY = 60
"""Points on a line past which each is no longer drawn by itself."""
HOVER = "%{hovertext}<extra></extra>"
_SPARSE, _FEWEST_TO_TRIM, _LEAST_IN_LEGEND = 0.005, 6, 0.002
MARGIN = {"l": 4, "r": 8, "t": 6, "b": 4}


def blank(height: int = HEIGHT) -> go.Figure:
    """Return a figure without data: transparent, faint grid, a click selects a mark."""
    figure = go.Figure()
    grid = {"gridcolor": FAINT, "zeroline": False, "automargin": True, "title_font_size": 12, "tickfont_size": 12}
    figure.update_layout(
        height=height, margin=MARGIN, paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)",
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "title_text": "", "font_size": 12},
        hoverlabel={"align": "left"}, bargap=0.18, clickmode="event+select", dragmode=False,
        xaxis={**grid, "showgrid": False}, yaxis=grid,
    )
    return figure


def legend(shown: bool) -> dict[str, Any]:
    """Give a legend its room above the plot, and none where there is no legend."""
    return {"showlegend": shown, "margin": {**MARGIN, "t": 34 if shown else MARGIN["t"]}}


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


def holds_dates(frame: pd.DataFrame, column: str) -> bool:
    """Whether a column of a frame holds dates."""
    return pd.api.types.is_datetime64_any_dtype(frame[column]) or (
        len(frame) > 0 and isinstance(frame[column].iloc[0], date))


def category_words(frame: pd.DataFrame, column: str) -> list[str]:
    """Return the words for each value of a column; a date is named by how long its period is."""
    if holds_dates(frame, column):
        period = period_of(frame[column])
        return [period_words(day, period) for day in frame[column]]
    return [words(column, value) for value in frame[column]]


def hover_words(result: MetricResult, frame: pd.DataFrame, columns: Sequence[str]) -> list[str]:
    """Say each row in words: its group, then each value with its unit."""
    groups = [category_words(frame, name) for name in result.dimensions]
    lines = []
    for place in range(len(frame)):
        head = " · ".join(group[place] for group in groups)
        values = "<br>".join(
            f"{label_of(name) if len(columns) > 1 else axis_name(result, name)}: "
            f"{format_quantity(plain(frame[name].iloc[place]), result.unit_of(name))}" for name in columns)
        lines.append(f"<b>{head}</b><br>{values}" if head else values)
    return lines


def value_axis(figure: go.Figure, high: float, unit: str, name: str, *, low: float = 0.0, axis: str = "y",
                selector: dict[str, int] | None = None) -> None:
    """Give the axis of values ticks at round numbers, and a title that says the unit where the ticks do not."""
    values, texts = ticks(min(low, 0.0) if low <= 0 else low, high, unit)
    change = {"tickvals": values, "ticktext": texts, "title_text": axis_title(name, unit)}
    update = figure.update_yaxes if axis == "y" else figure.update_xaxes
    update(**change, **(selector or {}))


def week_axes(figure: go.Figure) -> None:
    """Give a map of the week its axes: hours along, from Monday down."""
    figure.update_xaxes(tickvals=list(range(0, 24, 3)), ticktext=[f"{hour:02d}:00" for hour in range(0, 24, 3)],
                        title_text=label_of("hour"), range=[-0.6, 23.6])
    figure.update_yaxes(tickvals=[day + 0.5 for day in range(7)], ticktext=[day[:3] for day in WEEKDAYS],
                        range=[7, 0], showgrid=False, title_text="")


def order_of(frame: pd.DataFrame, color: str, value: str) -> list[Any]:
    """Order a color's categories by how much they hold, most first."""
    held = list(frame.groupby(color, dropna=False)[value].sum().sort_values(ascending=False, kind="stable").index)
    natural = natural_order(color)
    return sorted(held, key=lambda item: natural.index(item) if item in natural else len(natural))


def in_legend(part: pd.DataFrame, frame: pd.DataFrame, value: str) -> bool:
    """Whether a category is large enough to stand in the legend; on hover each says its own name."""
    return float(part[value].sum()) >= _LEAST_IN_LEGEND * float(frame[value].sum() or 1)


def parts_of(result: MetricResult, frame: pd.DataFrame, color: str | None, value: str,
           ) -> list[tuple[str, Ink, pd.DataFrame]]:
    """Return the frame's parts by color: name, ink, rows."""
    if color is None:
        return [(result.spec.name, Ink(BLUE), frame)]
    order = order_of(frame, color, value)
    ink = inks(color, [str(plain(item) or "") for item in order])
    return [
        (words(color, item), ink[str(plain(item) or "")],
         frame[frame[color].isna() if is_missing(item) else frame[color] == item]) for item in order
    ]


def opacities(frame: pd.DataFrame) -> list[float]:
    """Draw a period that is not whole fainter, so that nobody reads a fall into it."""
    return [1.0] * len(frame) if "whole" not in frame else [1.0 if whole else 0.45 for whole in frame["whole"]]


def keep_order(figure: go.Figure, frame: pd.DataFrame, x: str) -> None:
    """Keep categories in the order of the frame, whichever trace names them first."""
    if not holds_dates(frame, x):
        figure.update_xaxes(type="category", categoryorder="array",
                            categoryarray=list(dict.fromkeys(words(x, item) for item in frame[x])))


def axis_name(result: MetricResult, value: str) -> str:
    """Return what an axis of values is called."""
    return result.spec.name if value == result.value else label_of(value)


def positions(frame: pd.DataFrame, x: str) -> list[Any]:
    """Return where marks stand along the axis of groups."""
    return [plain(item) for item in frame[x]] if holds_dates(frame, x) else [words(x, item) for item in frame[x]]


def before_the_bulk(frame: pd.DataFrame, x: str, weight: str) -> pd.Series[float]:
    """Return what each early period holds that would squeeze the rest of a time axis to one side; mostly none.

    Those are a handful of old studies, years before the bulk.
    """
    held = frame.groupby(x)[weight].sum().astype(float).sort_index()
    nothing = held.iloc[:0]
    if not holds_dates(frame, x) or len(frame) < _FEWEST_TO_TRIM or held.sum() <= 0:
        return nothing
    early = held[held.cumsum() <= _SPARSE * held.sum()]
    if early.empty:
        return nothing
    first, last, bulk = held.index[0], held.index[-1], held.index[len(early)]
    return nothing if (bulk - first) < (last - first) / 4 else early


def keep_in_view(figure: go.Figure, frame: pd.DataFrame, x: str, weight: str, unit: str) -> None:
    """Begin a time axis where the bulk begins, and say what lies before.

    A handful of old studies would otherwise squeeze everything else to one side. Nothing is left out: the table
    and the axis's history hold all of it.

    Parameters
    ----------
    weight, unit : str
        Column that says how much a period holds, and its UCUM unit.
    """
    early = before_the_bulk(frame, x, weight)
    if early.empty:
        return
    held = frame.groupby(x)[weight].sum().sort_index()
    last, bulk = held.index[-1], held.index[len(early)]
    step = (last - bulk) / max(len(held) - len(early), 1)
    figure.update_xaxes(range=[plain(bulk - step), plain(last + step)])
    figure.add_annotation(
        text=f"◂ earlier, in the table: {len(early):,} {period_of(held.index)}{'s' if len(early) > 1 else ''} with "
             f"{format_quantity(float(early.sum()), unit)} in all",
        xref="paper", yref="paper", x=1, y=0, yshift=-24, xanchor="right", yanchor="top", showarrow=False, font_size=11)
    figure.update_layout(margin_b=44)
