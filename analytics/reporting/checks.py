"""Figures of what the checks found: how often each is violated, on which device, and since when."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from analytics.core.quantity import PERCENT, format_quantity
from analytics.reporting.axes import axis_title, ticks, words
from analytics.reporting.drawing import HOVER, blank, legend, plain
from analytics.reporting.palette import BLUE, inks

_TOP = 20


def _said(row: object, head: str) -> str:
    return (f"<b>{head}</b><br>{format_quantity(plain(row.rate), PERCENT)}: "  # type: ignore[attr-defined]
            f"{int(row.violated):,} of {int(row.denominator):,}")  # type: ignore[attr-defined]


def rates(summary: pd.DataFrame) -> go.Figure:
    """Draw the rate of each check that has findings, colored by severity; the axis is logarithmic.

    Parameters
    ----------
    summary : DataFrame
        Rows of `analytics.checks.results.check_summary` with findings, the highest rate first.
    """
    shown = summary.head(_TOP)
    figure = blank(86 + 27 * max(len(shown), 2))
    for severity, ink in inks("severity", ["error", "warning", "info"]).items():
        part = shown[shown.severity == severity]
        if part.empty:
            continue
        figure.add_bar(
            orientation="h", name=severity.capitalize(), y=[_short(row) for row in part.itertuples()],
            x=part.rate.astype(float), marker={"color": ink.color, "cornerradius": 2}, hovertemplate=HOVER,
            text=[f"{_percent(float(row.rate))} · {int(row.violated):,}" for row in part.itertuples()],
            textposition="outside", cliponaxis=False, hovertext=[_said(row, row.name) for row in part.itertuples()],
            customdata=[{"check": row.check_id} for row in part.itertuples()])
    decades = [0.0001, 0.001, 0.01, 0.1, 1.0, 10.0, 100.0]
    lowest = float(shown.rate.astype(float).min()) if len(shown) else 0.1
    first = next((low for low in reversed(decades) if low < lowest), decades[0])
    kept = [value for value in decades if value >= first]
    figure.update_layout(barmode="overlay", **legend(True))
    figure.update_xaxes(type="log", tickvals=kept, ticktext=[_percent(value) for value in kept], showgrid=True,
                        title_text="Share of the rows looked at (logarithmic)",
                        range=[_power(kept[0]), 2.45])
    figure.update_yaxes(type="category", categoryorder="array", showgrid=False,
                        categoryarray=[_short(row) for row in reversed(list(shown.itertuples()))])
    return figure


def _short(row: object) -> str:
    name = str(row.name)  # type: ignore[attr-defined]
    return f"{row.check_id}  {name if len(name) <= 52 else name[:50].rstrip() + '…'}"  # type: ignore[attr-defined]


def _power(value: float) -> float:
    return float(f"{value:e}".split("e")[1])


def _percent(value: float) -> str:
    return f"{value:.2g} %" if value < 10 else f"{value:.3g} %"


def by_device(counts: pd.DataFrame, *, top: int = 12) -> go.Figure:
    """Draw the rate of one check on each device, the highest first.

    Parameters
    ----------
    counts : DataFrame
        Of `analytics.checks.results.findings_by_device` for one check.
    """
    shown = counts[counts.violated > 0].sort_values("rate", ascending=False).head(top)
    figure = blank(70 + 27 * max(len(shown), 3))
    colors = inks("modality", [str(plain(item) or "") for item in shown.modality])
    figure.add_bar(
        orientation="h", y=[words("station_name", item) for item in shown.station_name], x=shown.rate.astype(float),
        marker={"color": [colors[str(plain(item) or "")].color for item in shown.modality], "cornerradius": 2},
        text=[f"{int(row.violated):,} of {int(row.denominator):,}" for row in shown.itertuples()], hovertemplate=HOVER,
        textposition="outside", cliponaxis=False, showlegend=False,
        customdata=[{name: plain(getattr(row, name)) for name in ("site", "modality", "station_name")}
                    for row in shown.itertuples()],
        hovertext=[_said(row, words("station_name", row.station_name)) for row in shown.itertuples()])
    high = float(shown.rate.astype(float).max()) if len(shown) else 1.0
    values, texts = ticks(0, high, PERCENT)
    figure.update_xaxes(tickvals=values, ticktext=texts, range=[0, high * 1.25], title_text="Violated, by device")
    figure.update_yaxes(type="category", autorange="reversed", showgrid=False)
    return figure


def by_month(counts: pd.DataFrame) -> go.Figure:
    """Draw the rate of one check over the months of the exams.

    Parameters
    ----------
    counts : DataFrame
        Of `analytics.checks.results.findings_by_month` for one check.
    """
    figure = blank(300)
    shown = counts[counts.denominator > 0].sort_values("month")
    figure.add_scatter(
        x=[plain(month) for month in shown.month], y=shown.rate.astype(float), mode="lines+markers", showlegend=False,
        line={"color": BLUE, "width": 2}, marker={"size": 5, "color": BLUE}, hovertemplate=HOVER,
        customdata=[{"month": plain(row.month)} for row in shown.itertuples()],
        hovertext=[_said(row, f"{row.month:%b %Y}") for row in shown.itertuples()])
    high = float(shown.rate.astype(float).max()) if len(shown) else 1.0
    values, texts = ticks(0, high or 1.0, PERCENT)
    figure.update_yaxes(tickvals=values, ticktext=texts, rangemode="tozero",
                        title_text=axis_title("Violated, by month of the exam", PERCENT))
    return figure
