"""Figures of turnaround with the open exams counted, beside the finished ones alone."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from analytics.core.quantity import EXAMS, MINUTES, PERCENT, format_quantity
from analytics.core.results import MetricResult
from analytics.metrics.survival import Estimate
from analytics.metrics.turnaround_words import limits_words, written
from analytics.reporting.axes import is_missing, words
from analytics.reporting.drawing import HEIGHT, HOVER, blank, legend, mark_of, plain, value_axis
from analytics.reporting.palette import BLUE, GRAY

COUNTED, FINISHED = "Open exams counted", "Finished exams alone"
_BAND = "rgba(0,120,180,0.18)"
_TICKS = (5.0, 15.0, 60.0, 240.0, 1440.0, 5760.0, 20160.0)


def share_curve(result: MetricResult, *, height: int = HEIGHT) -> go.Figure:
    """Draw the share finished within each time as steps, with its 95 % band, on an axis that widens short times."""
    frame, figure = result.frame, blank(height)
    known, unit = frame.dropna(subset=["share_low", "share_high"]), result.unit_of("within")
    step = {"shape": "hv", "width": 0}
    figure.add_scatter(x=known.within, y=known.share_high, mode="lines", line=step, hoverinfo="skip", showlegend=False)
    figure.add_scatter(x=known.within, y=known.share_low, mode="lines", line=step, hoverinfo="skip", fill="tonexty",
                       fillcolor=_BAND, name="95 %")
    for column, name, color, dash in (("share_finished", FINISHED, GRAY, "dot"), ("share", COUNTED, BLUE, "solid")):
        figure.add_scatter(
            x=frame.within, y=frame[column], mode="lines+markers", name=name, marker={"size": 5, "color": color},
            line={"shape": "hv", "color": color, "width": 2, "dash": dash}, hovertemplate=HOVER,
            customdata=[mark_of(result, row) for _, row in frame.iterrows()],
            hovertext=[_share_words(row, unit) for _, row in frame.iterrows()])
    shown = [tick for tick in _TICKS if tick <= (frame.within.max() if len(frame) else 0)]
    figure.update_xaxes(type="log", tickvals=shown, ticktext=[format_quantity(tick, unit) for tick in shown])
    value_axis(figure, 100.0, PERCENT, result.spec.name)
    figure.update_yaxes(range=[0, 102])
    figure.update_layout(**legend(True))
    return figure


def _share_words(row: pd.Series, unit: str) -> str:
    low, high = (format_quantity(row[name], PERCENT) for name in ("share_low", "share_high"))
    limits = "" if is_missing(row["share_low"]) else f" (95 %: {low} to {high})"
    return (f"<b>within {format_quantity(row['within'], unit)}</b><br>{COUNTED}: "
            f"{format_quantity(row['share'], PERCENT)}{limits}<br>{FINISHED}: "
            f"{format_quantity(row['share_finished'], PERCENT)}")


def medians(result: MetricResult, by: str, *, top: int = 15) -> go.Figure:
    """Draw the median of each group with its 95 % limits, and beside it that of the finished exams alone.

    A median that is not reached has no mark of its own: its limits go on to the right, and it is said so there. The
    groups with the most exams are drawn.
    """
    frame = result.frame.sort_values("exams", ascending=False, kind="stable").head(top)
    if by == "hour":
        frame = result.frame.sort_values(by)
    figure = blank(max(HEIGHT - 60, 70 + 26 * len(frame)))
    names = [words(by, plain(value)) for value in frame[by]]
    marks = [mark_of(result, row) for _, row in frame.iterrows()]
    unit = result.spec.unit
    hover = [f"<b>{name}</b><br>{COUNTED}: {row['median_said']}<br>{FINISHED}: "
             f"{format_quantity(row['median_finished'], unit)}<br>{format_quantity(row['exams'], EXAMS)} exams, "
             f"{format_quantity(row['open'], EXAMS)} open"
             for name, (_, row) in zip(names, frame.iterrows(), strict=True)]
    edge = _edge(frame)
    for name, (_, row) in zip(names, frame.iterrows(), strict=True):
        if not is_missing(row["median_low"]):
            high = edge if is_missing(row["median_high"]) else row["median_high"]
            figure.add_scatter(x=[row["median_low"], high], y=[name, name], mode="lines", hoverinfo="skip",
                               line={"color": BLUE, "width": 3}, opacity=0.45, showlegend=False)
    for column, label, color, symbol in (("median_finished", FINISHED, GRAY, "circle-open"),
                                         ("median", COUNTED, BLUE, "diamond")):
        figure.add_scatter(x=frame[column].astype(float), y=names, mode="markers", name=label, hovertext=hover,
                           hovertemplate=HOVER, customdata=marks, marker={"size": 10, "color": color, "symbol": symbol})
    lost = [name for name, value in zip(names, frame["median"], strict=True) if is_missing(value)]
    figure.add_scatter(x=[edge] * len(lost), y=lost, mode="text", text=["not reached"] * len(lost),
                       textposition="top left", hoverinfo="skip", showlegend=False, textfont_size=11)
    value_axis(figure, edge, unit, result.spec.name, axis="x")
    figure.update_xaxes(range=[0, edge * 1.04], title_text="Median")
    figure.update_yaxes(type="category", categoryorder="array", categoryarray=names[::-1], showgrid=False)
    figure.update_layout(**legend(True))
    return figure


def _edge(frame: pd.DataFrame) -> float:
    """Return the right end of the axis: past every figure that is known."""
    known = frame[["median", "median_low", "median_high", "median_finished"]].to_numpy(dtype=float).ravel()
    return float(1.1 * max((value for value in known if value == value), default=1.0)) or 1.0


def estimate_of(row: pd.Series, name: str, unit: str = MINUTES) -> tuple[str, str]:
    """Return an estimate of a row of ``turnaround.with_open_cases`` in words, and its 95 % limits."""
    value, low, high = (None if is_missing(row[one]) else float(row[one]) for one in (name, f"{name}_low",
                                                                                      f"{name}_high"))
    return written(value, unit), limits_words(Estimate(value, low, high), unit)
