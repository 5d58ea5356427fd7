"""Figures of what is to come and of what drifts: the forecast fan of storage, and the control chart of a device."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from analytics.core.quantity import format_quantity
from analytics.core.results import MetricResult
from analytics.reporting.axes import axis_title, ticks
from analytics.reporting.drawing import HOVER, blank, hover_words, legend, mark_of, plain, positions, value_axis
from analytics.reporting.palette import BLUE, CORAL, GRAY, OCHRE

_FANS = (("lower95", "upper95", "95 % of paths", 0.13), ("lower80", "upper80", "80 % of paths", 0.24))


def fan(result: MetricResult, *, height: int = 380) -> go.Figure:
    """Draw what an archive held and will hold, with intervals, its capacity, and the day it fills.

    Parameters
    ----------
    result : MetricResult
        Of ``storage.fill_forecast``.
    """
    figure, frame = blank(height), result.frame
    ahead, past = frame.dropna(subset=["forecast"]), frame.dropna(subset=["observed"])
    for low, high, name, strength in _FANS:
        figure.add_scatter(
            x=[*positions(ahead, "month"), *reversed(positions(ahead, "month"))],
            y=[*ahead[high].astype(float), *reversed(ahead[low].astype(float).tolist())], fill="toself", name=name,
            fillcolor=f"rgba(0,120,180,{strength})", line_width=0, hoverinfo="skip", mode="lines")
    for part, column, name, dash in ((past, "observed", "Held", "solid"), (ahead, "forecast", "Forecast", "dash")):
        figure.add_scatter(
            x=positions(part, "month"), y=part[column].astype(float), name=name, mode="lines+markers",
            line={"color": BLUE, "width": 2, "dash": dash}, marker={"size": 4, "color": BLUE},
            hovertext=hover_words(result, part, [column]), hovertemplate=HOVER,
            customdata=[mark_of(result, row) for _, row in part.iterrows()])
    if len(frame):
        _capacity(figure, frame)
        value_axis(figure, float(frame[["upper95", "capacity"]].astype(float).max().max()), result.spec.unit,
                   "In use at the end of the month")
        figure.update_yaxes(rangemode="tozero")
    figure.update_layout(**legend(True))
    return figure


def _capacity(figure: go.Figure, frame: pd.DataFrame) -> None:
    """Draw the capacity as a line, and on it the day that it is reached, with its interval."""
    capacity, months = float(frame["capacity"].iloc[0]), positions(frame, "month")
    figure.add_scatter(x=[months[0], months[-1]], y=[capacity] * 2, mode="lines", name="Capacity",
                       line={"color": CORAL, "width": 2}, hoverinfo="skip")
    fills = {name: frame[f"full_{name}"].iloc[0] for name in ("early", "median", "late")}
    if pd.isna(fills["median"]):
        return
    days = {name: plain(day) for name, day in fills.items()}
    figure.add_scatter(
        x=[days["early"] or days["median"], days["late"] or months[-1]], y=[capacity] * 2, mode="lines",
        line={"color": CORAL, "width": 8}, opacity=0.45, showlegend=False, hoverinfo="skip")
    figure.add_scatter(
        x=[days["median"]], y=[capacity], mode="markers+text", text=[f"<b>full {fills['median']:%-d %b %Y}</b> "],
        textposition="top left", marker={"size": 12, "symbol": "diamond", "color": CORAL}, showlegend=False,
        hovertext=[f"<b>Full on {fills['median']:%-d %b %Y}</b><br>80 %: {days['early']} – {days['late'] or 'later'}"],
        hovertemplate=HOVER)


def held(result: MetricResult, *, height: int | None = None) -> go.Figure:
    """Draw how often each model's 80 % and 95 % intervals held, against how often they should have.

    Parameters
    ----------
    result : MetricResult
        Of ``storage.forecast_models``.
    """
    frame, several = result.frame, result.frame["archive"].nunique() > 1
    figure = blank(height or 84 + 34 * max(len(frame), 2))
    names = [f"{row.archive} · {row.model}" if several else str(row.model) for row in frame.itertuples()]
    for percent, color, symbol in ((80, BLUE, "circle"), (95, OCHRE, "diamond")):
        column = f"held_{percent}_percent"
        figure.add_vline(x=percent, line={"color": color, "width": 1.4, "dash": "dash"})
        figure.add_scatter(
            x=frame[column].astype(float), y=names, mode="markers", name=f"Held by the {percent} % interval",
            marker={"size": 10, "color": color, "symbol": symbol}, hovertemplate=HOVER,
            hovertext=hover_words(result, frame, ["held_80_percent", "held_95_percent", "error", "score"]),
            customdata=[mark_of(result, row) for _, row in frame.iterrows()])
    figure.update_xaxes(range=[-2, 102], tickvals=[0, 20, 40, 60, 80, 95], ticksuffix=" %",
                        title_text="Sums that lay within the interval; the dashed lines are where they should be")
    figure.update_yaxes(autorange="reversed", showgrid=False, type="category")
    figure.update_layout(**legend(True))
    return figure


def control(chart: pd.DataFrame, name: str, unit: str, *, height: int = 330) -> go.Figure:
    """Draw one control chart: values in time, center and limits, moving average, and the points that break a rule.

    Parameters
    ----------
    chart : DataFrame
        One ``chart`` of `analytics.imaging.control.control_chart`.
    name, unit : str
        The measure's name and UCUM unit.
    """
    figure = blank(height)
    when = [instant.isoformat() for instant in chart["acquired_at"]]
    lines = (("center", "Center", GRAY, "solid"), ("lower", "Limits", CORAL, "dash"),
             ("upper", "Limits", CORAL, "dash"))
    for column, label, color, dash in lines:
        figure.add_scatter(x=when, y=chart[column].astype(float), mode="lines", name=label, hoverinfo="skip",
                           line={"color": color, "width": 1.4, "dash": dash}, showlegend=column != "upper")
    figure.add_scatter(x=when, y=chart["ewma"].astype(float), mode="lines", name="Moving average (EWMA)",
                       line={"color": OCHRE, "width": 1.6, "dash": "dot"}, hoverinfo="skip")
    broken = chart["rule"].ne("")
    for part, label, color, symbol in ((chart[~broken], "Series", BLUE, "circle"),
                                       (chart[broken], "Breaks a rule", CORAL, "diamond")):
        figure.add_scatter(
            x=[instant.isoformat() for instant in part["acquired_at"]], y=part["value"].astype(float), mode="markers",
            name=label, marker={"size": 8 if symbol == "diamond" else 6, "color": color, "symbol": symbol},
            customdata=[{"study_instance_uid": plain(row.study_instance_uid),
                         "sop_instance_uid": plain(row.sop_instance_uid)} for row in part.itertuples()],
            hovertext=[f"<b>{row.acquired_at:%-d %b %Y %H:%M}</b><br>{name}: {format_quantity(plain(row.value), unit)}"
                       + (f"<br>{row.rule}" if row.rule else "") for row in part.itertuples()], hovertemplate=HOVER)
    values = chart[["value", "lower", "upper"]].astype(float)
    low, high = float(values.min().min()), float(values.max().max())
    at, texts = ticks(low, high, unit)
    figure.update_yaxes(tickvals=at, ticktext=texts, title_text=axis_title(name, unit))
    figure.update_layout(**legend(True))
    return figure
