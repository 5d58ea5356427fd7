"""The cost-benefit report: options compared, what they cost and save, what they rest on, how sure that is."""

from __future__ import annotations

from dataclasses import fields

import pandas as pd

from analytics.core.quantity import BYTES, format_quantity
from analytics.costs.appraisal import Appraisal, Verdict
from analytics.costs.assumptions import JPEG_LS_RATIOS
from analytics.costs.demand import Growth
from analytics.costs.options import LINES, growth_of, hardware_age
from analytics.costs.sensitivity import monte_carlo, tornado
from analytics.reporting import document_charts as charts
from analytics.reporting.document import (
    Block,
    Chart,
    PageBreak,
    Prose,
    Remark,
    Remarks,
    Section,
    Terms,
    Tile,
    Tiles,
    pdf,
    table,
)
from analytics.reporting.palette import CATEGORIES
from analytics.reporting.workbook import About

DEFINITIONS = (
    ("Net present value", "What the option saves against the baseline in each year, discounted to today and summed. "
     "Above zero the option pays."),
    ("Internal rate of return", "The discount rate at which the net present value is zero. Given only where there is "
     "exactly one."),
    ("Payback", "Years until the accumulated saving stays above zero; discounted payback uses discounted savings."),
    ("Benefit-cost ratio", "Present value of the cost lines that fall, divided by that of the cost lines that rise."),
    ("Total cost of ownership", "All cost over the horizon, not discounted. Year 0 is what is paid once, today. The "
     "array that stands today is paid for, and what stands at the end is given no value."),
    ("Sources of the methods", "HM Treasury, The Green Book (2022). Lossless JPEG-LS ratios: Clunie, SPIE 3980 (2000), "
     "n = 3,679. Access to prior studies by age: see the assumptions."),
)
RUNS = 200


def _years(value: float | None, horizon: int) -> str:
    return f"not in {horizon} years" if value is None else "at once" if value == 0 else f"{value:.1f} years"


def _rate(verdict: Verdict) -> str:
    if verdict.irr.value is None:
        return "none"
    return "over 1,000 %" if verdict.irr.value > 10 else f"{100 * verdict.irr.value:,.1f} %"


def _comparison(appraisal: Appraisal) -> Block:
    money, horizon = appraisal.prices.currency, int(appraisal.assumptions.horizon_years)
    rows = []
    for one in appraisal.verdicts:
        against = ("baseline", "", "", "", "") if one is appraisal.baseline else (
            format_quantity(one.npv, money), _rate(one), _years(one.payback_years, horizon),
            _years(one.discounted_payback_years, horizon),
            "no cost rises" if one.benefit_cost_ratio is None else f"{one.benefit_cost_ratio:.2f}")
        rows.append((one.flow.option.title, format_quantity(one.total_cost, money),
                     format_quantity(one.present_cost, money), *against, format_quantity(one.cost_per_study, money)))
    names = ("Option", "Total cost", "Present value", "NPV", "IRR", "Payback", "Discounted", "BCR", "Per study")
    return table([(name, "left" if name == "Option" else "right") for name in names], rows,
                 caption=" ".join(f"{one.flow.option.title}: {one.irr.why}" for one in appraisal.verdicts[1:]
                                  if one.irr.why), small=True)


def _cash_flows(appraisal: Appraisal) -> Block:
    flows, money = appraisal.cash_flows(), appraisal.prices.currency
    rows = [(f"Year {year}", *(f"{value:,.0f}" for value in row)) for year, row in zip(
        flows.index, flows.to_numpy(), strict=True)]
    rows.append(("Total", *(f"{value:,.0f}" for value in flows.sum())))
    return table([("Year", "left"), *((str(name), "right") for name in flows.columns)], rows,
                 f"Cost in each year ({money})", small=True)


def _cost_lines(appraisal: Appraisal) -> Block:
    totals = pd.DataFrame({one.flow.option.title: one.flow.lines.sum() for one in appraisal.verdicts})
    shown = totals[(totals.abs() > 0.5).any(axis=1)]
    rows = [(LINES[str(name)], *(f"{value:,.0f}" for value in row))
            for name, row in zip(shown.index, shown.to_numpy(), strict=True)]
    return table([("Cost line", "left"), *((str(name), "right") for name in totals.columns)], rows,
                 f"What the cost is made of, over the horizon ({appraisal.prices.currency})", small=True)


def _assumed(appraisal: Appraisal) -> Block:
    chosen, demand = appraisal.assumptions, appraisal.demand
    measured = {f"growth_{name}": growth_of(chosen, demand, name) for name in demand.growth}
    measured["hardware_age_years"] = hardware_age(chosen, demand)
    rows = []
    for one in fields(chosen):
        value, unit = getattr(chosen, one.name), one.metadata["unit"]
        source = one.metadata["source"] if value is None or value == one.default else "set for this appraisal"
        given = measured[one.name] if value is None else value
        text = f"{100 * given:.1f} % a year" if unit == "1/a" else f"{given:g}" + {
            "a": " years", "mo": " months", "TB": " TB"}.get(unit, "")
        rows.append((one.metadata["label"], text, source))
    return table([("Assumption", "left"), ("Value", "right"), ("Source", "left")], rows, "Assumptions", small=True)


def _prices(appraisal: Appraisal) -> Block:
    tiers = {one.flow.option.tier for one in appraisal.verdicts}
    unused = {f"{tier}_" for tier in ("hot", "infrequent", "instant", "flexible", "deep") if tier not in tiers}
    rows = [(price.item, f"{price.value:,g} {price.unit}", price.source, price.date.isoformat())
            for price in appraisal.prices if not any(price.id.startswith(prefix) for prefix in unused)]
    return table([("Price", "left"), ("Value", "right"), ("Source", "left"), ("As of", "right")], rows,
                 "Prices used", "Units are UCUM codes: mo month, a year, By byte.", small=True)


def _growth(growth: Growth, used: float) -> str:
    if growth.rate is None or growth.low is None or growth.high is None or abs(growth.rate - used) > 1e-12:
        return "set for this appraisal"
    return f"95 %: {100 * growth.low:.1f} to {100 * growth.high:.1f} %; {growth.months} months"


def _demand(appraisal: Appraisal) -> Block:
    demand, chosen = appraisal.demand, appraisal.assumptions
    last = demand.cohorts.loc[0]
    plain = float(demand.uncompressed.to_numpy().sum())
    share = 100 * plain / demand.bytes_held if demand.bytes_held else 0.0
    encodable = float(demand.uncompressed[[name for name in demand.uncompressed if name in JPEG_LS_RATIOS]].sum().sum())
    rates = {name: growth_of(chosen, demand, name) for name in ("bytes", "studies")}
    return Tiles((
        Tile("Held today", format_quantity(demand.bytes_held, BYTES), f"on {demand.as_of.isoformat()}"),
        Tile("Added in twelve months", format_quantity(float(last["bytes"]), BYTES), f"{last['studies']:,.0f} studies"),
        Tile("Stored uncompressed", f"{share:.0f} %", f"{format_quantity(encodable, BYTES)} with a measured ratio"),
        Tile("Growth of bytes added", f"{100 * rates['bytes']:.1f} % a year",
             _growth(demand.growth["bytes"], rates["bytes"])),
        Tile("Growth of studies", f"{100 * rates['studies']:.1f} % a year",
             _growth(demand.growth["studies"], rates["studies"])),
        Tile("Held at the horizon", format_quantity(
            float(appraisal.baseline.flow.quantities.bytes_held.iloc[-1]), BYTES),
            f"after {chosen.horizon_years} years, kept as it is"),
    ))


def _answer(appraisal: Appraisal) -> Block:
    best, money = appraisal.best, appraisal.prices.currency
    if best is appraisal.baseline:
        head = f"{best.flow.option.title} costs least: {format_quantity(best.present_cost, money)} in today's money."
        text = "No option compared has a net present value above zero."
    else:
        head = (f"{best.flow.option.title} costs least: it saves {format_quantity(best.npv, money)} in today's money "
                f"over {appraisal.assumptions.horizon_years} years.")
        text = (f"It costs {format_quantity(best.present_cost, money)}, where keeping everything on site costs "
                f"{format_quantity(appraisal.baseline.present_cost, money)}.")
    assumed = len(appraisal.prices.assumed)
    return Remarks((Remark(head, text), Remark(
        f"{assumed} of {len(appraisal.prices.prices)} prices are assumptions",
        "Replace them with your own quotes before you decide; the sensitivity below shows which matter most.",
        "warning")))


def _sensitivity(appraisal: Appraisal) -> list[Block]:
    if len(appraisal.verdicts) < 2:
        return []
    chosen = max(appraisal.verdicts[1:], key=lambda one: one.npv)
    option, money = chosen.flow.option, appraisal.prices.currency
    spread = monte_carlo(appraisal, option.id, draws=RUNS)
    swings = tornado(appraisal, option.id)
    low, middle, high = (format_quantity(value, money) for value in (spread.low, spread.median, spread.high))
    return [
        Section("How sure is that"),
        Chart(f"{option.title}: net present value when one assumption changes by 20 %",
              charts.swings(swings[swings.swing > 0.5].head(10), chosen.npv, money),
              f"The gray line is the net present value as appraised, {format_quantity(chosen.npv, money)}."),
        Prose("When all of these vary at once (each a triangle of 20 % around its value, independently, "
              f"{spread.draws} draws, seed {spread.seed}), the net present value lies between {low} and {high} in nine "
              f"draws of ten, with a median of {middle}; the option pays in {100 * spread.pays:.0f} % of them."),
    ]


def cost_report(appraisal: Appraisal, about: About) -> bytes:
    """Write the cost-benefit report as PDF."""
    saved = pd.DataFrame({one.flow.option.title: one.net.cumsum() for one in appraisal.verdicts[1:]})
    money = appraisal.prices.currency
    blocks: list[Block] = [
        _answer(appraisal), Section("What has to be stored"), _demand(appraisal),
        Section("The options compared"), _comparison(appraisal),
        Terms(tuple((one.flow.option.title, one.flow.option.description) for one in appraisal.verdicts)),
        Chart("Cost in each year", charts.grouped_years(appraisal.cash_flows(), money, money)),
    ]
    if len(saved.columns):
        blocks.append(Chart("Saved against the baseline, accumulated", charts.lines(
            saved.reset_index(), "year", {name: name for name in saved.columns}, money, money, dates=False,
            colors=CATEGORIES[1:])))
    blocks += [_cash_flows(appraisal), _cost_lines(appraisal), *_sensitivity(appraisal), PageBreak(),
               Section("What it rests on"), _assumed(appraisal), _prices(appraisal), Section("Definitions"),
               Terms(DEFINITIONS)]
    subtitle = (f"{appraisal.assumptions.horizon_years} years from {appraisal.demand.as_of.isoformat()}, discounted at "
                f"{100 * appraisal.assumptions.discount_rate:.1f} % a year, in {money}")
    return pdf(about, "Storage cost and benefit", subtitle, blocks)
