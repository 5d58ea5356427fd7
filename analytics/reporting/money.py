"""Figures of a cost-benefit appraisal: cash flow, what a verdict is made of, and what it depends on."""

from __future__ import annotations

from textwrap import wrap

import pandas as pd
import plotly.graph_objects as go

from analytics.core.quantity import format_quantity
from analytics.costs.appraisal import Appraisal, Verdict
from analytics.costs.options import LINES
from analytics.reporting.axes import ticks
from analytics.reporting.drawing import HOVER, blank, legend
from analytics.reporting.palette import BLUE, CATEGORIES, CORAL, GRAY, GREEN, OCHRE

LESS, MORE = GREEN, CORAL
_LINES_SHOWN, _HALF = 7, 0.5


def money_ticks(figure: go.Figure, low: float, high: float, currency: str, *, axis: str = "y") -> None:
    """Give an axis of money ticks that people read: ``USD 250k``, ``USD 1.5M``."""
    values, _ = ticks(min(low, 0.0), max(high, 0.0), "1")
    change = {"tickvals": values, "ticktext": [money_words(value, currency) for value in values]}
    (figure.update_yaxes if axis == "y" else figure.update_xaxes)(**change)


def money_words(value: float, currency: str) -> str:
    """Write an amount short: ``USD 1.5M``, ``-USD 250k``."""
    sign, size = ("-" if value < 0 else ""), abs(value)
    for step, letter in ((1e9, "bn"), (1e6, "M"), (1e3, "k")):
        if size >= step:
            return f"{sign}{currency} {size / step:.3g}{letter}"
    return f"{sign}{currency} {size:,.0f}"


def cash_flow_figure(appraisal: Appraisal, *, height: int = 360) -> go.Figure:
    """Draw what each option costs in each year, side by side."""
    figure, flows, currency = blank(height), appraisal.cash_flows(), appraisal.prices.currency
    for (option, cost), color in zip(flows.items(), CATEGORIES, strict=False):
        figure.add_bar(
            name=str(option), x=[f"Year {year}" for year in cost.index], y=cost.astype(float),
            marker={"color": color, "cornerradius": 2}, hovertemplate=HOVER,
            hovertext=[f"<b>{option}, year {year}</b><br>{format_quantity(float(value), currency)}"
                       for year, value in cost.items()])
    figure.update_layout(barmode="group", bargroupgap=0.08, **legend(True))
    money_ticks(figure, float(flows.min().min()), float(flows.max().max()), currency)
    figure.update_yaxes(title_text="Cost in the year")
    return figure


def accumulated_figure(appraisal: Appraisal, *, height: int = 320) -> go.Figure:
    """Draw each option's saving against the baseline, added up over the years: it pays back where it crosses zero."""
    figure, currency = blank(height), appraisal.prices.currency
    shown = [(verdict, color) for verdict, color in zip(appraisal.verdicts, CATEGORIES, strict=False)][1:]
    ends = []
    for verdict, color in shown:
        total = verdict.net.cumsum()
        ends += [float(total.min()), float(total.max())]
        title = verdict.flow.option.title
        figure.add_scatter(
            name=title, x=[f"Year {year}" for year in total.index], y=total.astype(float), mode="lines+markers",
            line={"color": color, "width": 2}, marker={"size": 6, "color": color}, hovertemplate=HOVER,
            hovertext=[f"<b>{title}, to the end of year {year}</b><br>{format_quantity(float(value), currency)} saved"
                       for year, value in total.items()])
    figure.add_hline(y=0, line_color=GRAY, line_width=1.4)
    figure.update_layout(**legend(True))
    money_ticks(figure, min(ends, default=0), max(ends, default=1), currency)
    figure.update_yaxes(title_text="Saved against the baseline")
    return figure


def waterfall(baseline: Verdict, option: Verdict, currency: str, *, height: int = 380) -> go.Figure:
    """Draw how an option's whole cost comes from the baseline's: which cost lines fall and which rise."""
    lines = (option.flow.lines - baseline.flow.lines).sum()
    small = lines.abs() < lines.abs().nlargest(_LINES_SHOWN).min()
    rest = float(lines[small].sum())
    lines = lines[~small & (lines.abs() > _HALF)].rename(index=LINES).sort_values()
    lines = pd.concat([lines, pd.Series({"Everything else": rest})]) if abs(rest) > _HALF else lines
    steps: list[tuple[str, float, float, str]] = [(baseline.flow.option.title, 0.0, baseline.total_cost, BLUE)]
    level = baseline.total_cost
    for name, change in lines.items():
        steps.append((str(name), level, float(change), LESS if change < 0 else MORE))
        level += float(change)
    steps.append((option.flow.option.title, 0.0, level, BLUE))
    figure = blank(height)
    figure.add_bar(
        x=["<br>".join(wrap(step[0], 14)) for step in steps], base=[step[1] for step in steps],
        y=[step[2] for step in steps], width=0.62,
        marker={"color": [step[3] for step in steps], "cornerradius": 2}, showlegend=False, hovertemplate=HOVER,
        text=[money_words(step[2], currency) for step in steps], textposition="outside", cliponaxis=False,
        hovertext=[f"<b>{name}</b><br>{format_quantity(change, currency)}" for name, _, change, _ in steps])
    high = max(start + max(change, 0) for _, start, change, _ in steps)
    money_ticks(figure, 0, high, currency)
    figure.update_yaxes(title_text="Cost over the horizon", range=[0, high * 1.12])
    figure.update_xaxes(type="category")
    return figure


def tornado_figure(swings: pd.DataFrame, npv: float, currency: str, *, top: int = 10) -> go.Figure:
    """Draw how far the net present value moves with each assumption alone.

    Parameters
    ----------
    swings : DataFrame
        Of `analytics.costs.sensitivity.tornado`.
    npv : float
        Net present value with every assumption as it is.
    """
    shown = swings.head(top)
    figure = blank(70 + 30 * max(len(shown), 2))
    for column, name, color in (("npv_low", "20 % lower", OCHRE), ("npv_high", "20 % higher", BLUE)):
        figure.add_bar(
            orientation="h", name=name, y=shown["driver"], base=[npv] * len(shown), x=shown[column] - npv,
            marker={"color": color, "cornerradius": 2}, hovertemplate=HOVER,
            hovertext=[f"<b>{driver}, {name}</b><br>Net present value {format_quantity(float(value), currency)}"
                       for driver, value in zip(shown["driver"], shown[column], strict=True)])
    figure.add_vline(x=npv, line_color=GRAY, line_width=1.4)
    figure.update_layout(barmode="overlay", **legend(True))
    ends = [npv, float(shown["npv_low"].min()), float(shown["npv_low"].max()),
            float(shown["npv_high"].min()), float(shown["npv_high"].max())] if len(shown) else [0.0, 1.0]
    values, _ = ticks(min(ends), max(ends), "1")
    figure.update_xaxes(tickvals=values, ticktext=[money_words(value, currency) for value in values],
                        title_text="Net present value against the baseline")
    figure.update_yaxes(autorange="reversed", showgrid=False, type="category")
    return figure
