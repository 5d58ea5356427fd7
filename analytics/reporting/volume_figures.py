"""Figures of volume: by period and group, each month beside the year before, and when a series changed."""

from __future__ import annotations

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from analytics.core.quantity import PERCENT, format_quantity
from analytics.core.results import MetricResult
from analytics.core.terms import WEEKDAYS
from analytics.metrics.volume import HOURS, OTHERS
from analytics.reporting.axes import period_words, ticks, words
from analytics.reporting.drawing import HEIGHT, HOVER, blank, legend, mark_of, parts_of, plain, positions, value_axis
from analytics.reporting.figures import bars
from analytics.reporting.palette import BLUE, FAINT, GRAY, OCHRE

_ORDER = (*HOURS, *WEEKDAYS)
SHOWN = 6
"""Series drawn at once; each has a line of its own."""


def by_period(result: MetricResult, by: str, *, value: str | None = None, height: int = HEIGHT) -> go.Figure:
    """Draw periods as stacked bars; parts of the day and days in their order, the others last and gray."""
    figure = bars(result, "period", by, value=value, height=height)
    figure.data = sorted(figure.data, key=lambda one: (
        one.name == OTHERS, _ORDER.index(one.name) if one.name in _ORDER else -1))
    figure.update_traces(marker_color=GRAY, marker_pattern_shape="", selector={"name": OTHERS})
    return figure


def years(result: MetricResult, *, height: int = 420) -> go.Figure:
    """Draw each month beside the same month a year before, and below them the change, as counted and adjusted."""
    figure, frame = blank(height), result.frame
    places, marks = positions(frame, "period"), [mark_of(result, row) for _, row in frame.iterrows()]
    said = [_month(row) for row in frame.itertuples()]
    for column, name, color in (("before", "A year before", FAINT), ("studies", "Studies", BLUE)):
        figure.add_bar(name=name, x=places, y=frame[column].astype(float), marker={"color": color, "cornerradius": 2},
                       customdata=marks if column == "studies" else None, hovertext=said, hovertemplate=HOVER)
    figure.add_bar(name="Change per working day", x=places, y=frame["adjusted"].astype(float), yaxis="y2",
                   marker={"color": OCHRE, "cornerradius": 2}, customdata=marks, hovertext=said, hovertemplate=HOVER)
    figure.add_scatter(name="Change as counted", x=places, y=frame["change"].astype(float), yaxis="y2", mode="markers",
                       marker={"size": 7, "color": GRAY, "symbol": "diamond"}, customdata=marks, hovertext=said,
                       hovertemplate=HOVER)
    value_axis(figure, float(frame[["studies", "before"]].max().max()), "{study}", "Studies a month")
    changes = pd.concat([frame["adjusted"], frame["change"], pd.Series([0.0])]).astype(float).dropna()
    values, texts = ticks(float(changes.min()), float(changes.max()), PERCENT, 3)
    figure.update_layout(
        barmode="group", bargap=0.25, **legend(True), yaxis={"domain": [0.44, 1]},
        yaxis2={"domain": [0, 0.34], "tickvals": values, "ticktext": texts, "gridcolor": FAINT, "zeroline": True,
                "zerolinecolor": GRAY, "title_text": "Year on year", "title_font_size": 12, "tickfont_size": 12,
                "automargin": True},
        xaxis={"anchor": "y2"})
    return figure


def _month(row: Any) -> str:
    before = row.period - pd.DateOffset(years=1)
    return (f"<b>{period_words(row.period, 'month')}</b><br>{row.studies:,} studies in {row.working_days:,} working "
            f"days<br>{period_words(before, 'month')}: {row.before:,} in {row.working_days_before:,}"
            f"<br>Change as counted: {format_quantity(plain(row.change), PERCENT)}"
            f"<br>Of it the calendar: {format_quantity(plain(row.calendar), PERCENT)}"
            f"<br>Per working day: {format_quantity(plain(row.adjusted), PERCENT)}")


def changes(result: MetricResult, *, height: int = 380) -> go.Figure:
    """Draw weekly series, the level of each, and the weeks in which it changed with their dates and intervals."""
    figure, frame = blank(height), _shown(result)
    groups = [name for name in result.dimensions if name != "period"]
    frame = frame.assign(series=[" · ".join(words(name, row[name]) for name in groups) or "All studies"
                                 for _, row in frame.iterrows()])
    for name, ink, part in parts_of(result, frame, "modality" if groups == ["modality"] else "series", "studies"):
        places = positions(part, "period")
        figure.add_scatter(
            name=name, x=places, y=part["per_working_day"].astype(float), mode="lines+markers", legendgroup=name,
            line={"color": ink.color, "width": 1, "dash": ink.dash}, opacity=0.45, showlegend=False,
            marker={"size": 4, "color": ink.color}, customdata=[mark_of(result, row) for _, row in part.iterrows()],
            hovertext=[f"<b>{name} · {period_words(row.period, 'week')}</b><br>{row.per_working_day:,.1f} studies a "
                       f"working day<br>{row.studies:,} studies in {row.working_days:,} working days"
                       for row in part.itertuples()], hovertemplate=HOVER)
        figure.add_scatter(
            name=name, x=places, y=part["level"].astype(float), mode="lines", legendgroup=name, hoverinfo="skip",
            line={"color": ink.color, "width": 2.5, "dash": ink.dash})
        _marks(figure, part[part["kind"].isin(["step", "bend"])], name, ink.color)
    high = float(frame["per_working_day"].max()) if len(frame) else 1.0
    value_axis(figure, high, "{study}", "Studies a working day")
    figure.update_yaxes(rangemode="tozero")
    figure.update_layout(**legend(bool(groups)))
    return figure


def _shown(result: MetricResult) -> pd.DataFrame:
    """Return the series that are drawn: those with a change, the surest first, and then the largest."""
    groups = [name for name in result.dimensions if name != "period"]
    if not groups or result.frame.empty:
        return result.frame
    # By number: a merge by names fails where no study has any
    number = result.frame.groupby(groups, dropna=False, sort=False).ngroup()
    held = result.frame.groupby(number).agg(p=("p", "min"), studies=("studies", "sum"))
    held = held.sort_values(["p", "studies"], ascending=[True, False], na_position="last", kind="stable").head(SHOWN)
    return result.frame[number.isin(held.index)].sort_values("period", kind="stable")


def _marks(figure: go.Figure, found: pd.DataFrame, name: str, color: str) -> None:
    """Mark changes on their level, each with its date, and a bar over the weeks between which it lies."""
    for row in found.itertuples():
        figure.add_scatter(
            x=[plain(row.earliest), plain(row.latest)], y=[row.level] * 2, mode="lines", legendgroup=name,
            showlegend=False, hoverinfo="skip", line={"color": color, "width": 5}, opacity=0.5)
    figure.add_scatter(
        name=name, x=[plain(day) for day in found["period"]], y=found["level"].astype(float), mode="markers+text",
        text=[period_words(day, "day") for day in found["period"]], textposition="top center", legendgroup=name,
        showlegend=False, marker={"size": 11, "symbol": "diamond", "color": color}, hovertext=list(found["said"]),
        hovertemplate=HOVER, cliponaxis=False)
