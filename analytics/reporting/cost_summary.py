"""The sheets *Cash flow* and *Summary* of the cost workbook: net flows and every indicator, as formulas."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from analytics.costs.appraisal import BORROWS, CENT, Appraisal, Verdict
from analytics.reporting.cost_layout import FIRST_YEAR_COLUMN, ROWS, TOTAL_ROW, Styles
from analytics.reporting.palette import CATEGORIES
from analytics.reporting.workbook import About

NEVER, NO_RATE, UNCERTAIN, NO_COST = "not within the horizon", "none", "may not be unique", "no cost rises"
YEARLY = ("cost", "net", "accumulated", "discounted", "accumulated_discounted", "below_zero", "discounted_below_zero",
          "sign", "sign_change")
INDICATORS: dict[str, str] = {
    "npv": "Net present value", "irr": "Internal rate of return", "irr_note": "Caution", "payback": "Payback (years)",
    "discounted_payback": "Discounted payback (years)", "bcr": "Benefit-cost ratio",
    "total_cost": "Total cost of ownership", "present_cost": "Present value of cost",
    "cost_per_study": "Cost per study",
}
_LABELS = {
    "cost": "Cost", "net": "Net against the baseline", "accumulated": "Accumulated", "discounted": "Discounted net",
    "accumulated_discounted": "Accumulated, discounted", "below_zero": "Year if accumulated is below zero",
    "discounted_below_zero": "The same, discounted", "sign": "Sign of the last net flow", "sign_change": "Changes sign",
}
BLOCK = 1 + len(YEARLY) + len(INDICATORS) + 1


@dataclass(frozen=True)
class _Block:
    """One option's rows on the sheet *Cash flow*."""

    top: int
    verdict: Verdict
    baseline_id: str
    horizon: int

    def row(self, name: str) -> int:
        return self.top + 1 + [*YEARLY, *INDICATORS].index(name)

    def cell(self, name: str, year: int) -> str:
        return f"{xl_col_to_name(FIRST_YEAR_COLUMN + year)}{self.row(name)}"

    def span(self, name: str, start: int = 0) -> str:
        return f"{self.cell(name, start)}:{self.cell(name, self.horizon)}"

    def source(self, row: int, start: int = 0) -> str:
        first, last = (xl_col_to_name(FIRST_YEAR_COLUMN + year) for year in (start, self.horizon))
        return f"{self.verdict.flow.option.id}!{first}{row}:{last}{row}"


def _yearly(block: _Block, name: str, year: int) -> str:
    column = xl_col_to_name(FIRST_YEAR_COLUMN + year)
    before = block.cell(name, max(year - 1, 0))
    option, first = block.verdict.flow.option.id, year == 0
    net, sign = block.cell("net", year), block.cell("sign", year)
    formulas: dict[str, str] = {
        "cost": f"{option}!{column}{TOTAL_ROW}",
        "net": f"{block.baseline_id}!{column}{TOTAL_ROW}-{option}!{column}{TOTAL_ROW}",
        "accumulated": net if first else f"{before}+{net}",
        "discounted": f"{net}*{option}!{column}{ROWS['discount']}",
        "accumulated_discounted": block.cell("discounted", year) if first else (
            f"{before}+{block.cell('discounted', year)}"),
        "below_zero": f"IF({block.cell('accumulated', year)}<-{CENT},{year},-1)",
        "discounted_below_zero": f"IF({block.cell('accumulated_discounted', year)}<-{CENT},{year},-1)",
        "sign": f"IF(ABS({net})<{CENT},{'0' if first else before},SIGN({net}))",
        "sign_change": "0" if first else (
            f"IF(AND({block.cell('sign', year - 1)}<>0,{sign}<>{block.cell('sign', year - 1)}),1,0)"),
    }
    return formulas[name]


def _yearly_values(verdict: Verdict, rate: float) -> dict[str, np.ndarray]:
    net = verdict.net.to_numpy()
    years = np.arange(len(net))
    discounted = net * (1 + rate) ** -years.astype(float)
    sums = np.cumsum(net), np.cumsum(discounted)
    sign = np.sign(np.where(np.abs(net) < CENT, 0, net))
    for year in years[1:]:
        sign[year] = sign[year] or sign[year - 1]
    change = np.concatenate([[0], (sign[1:] != sign[:-1]) & (sign[:-1] != 0)])
    return {"cost": verdict.flow.cost.to_numpy(), "net": net, "accumulated": sums[0], "discounted": discounted,
            "accumulated_discounted": sums[1], "below_zero": np.where(sums[0] < -CENT, years, -1),
            "discounted_below_zero": np.where(sums[1] < -CENT, years, -1), "sign": sign, "sign_change": change}


def _payback(block: _Block, flags: str, accumulated: str, flow: str) -> str:
    last = f"MAX({block.span(flags)})"
    return (f'IF({last}<0,0,IF({last}={block.horizon},"{NEVER}",{last}-INDEX({block.span(accumulated)},{last}+1)'
            f"/INDEX({block.span(flow)},{last}+2)))")


def _indicator(block: _Block, name: str) -> str:
    net, changes = block.span("net"), f"SUM({block.span('sign_change')})"
    saved_column = xl_col_to_name(FIRST_YEAR_COLUMN + block.horizon + 2)
    saved = f"{block.verdict.flow.option.id}!{saved_column}{ROWS['hardware']}:{saved_column}{ROWS['recompression']}"
    rises = f'SUMIF({saved},"<-{CENT}")'
    guess = f"{block.verdict.irr.value:.6f}" if block.verdict.irr.value is not None else "0.1"
    formulas: dict[str, str] = {
        "npv": f"{block.cell('net', 0)}+NPV(discount_rate,{block.span('net', 1)})",
        "irr": f'IF({changes}=0,"{NO_RATE}",IF({changes}>1,"{UNCERTAIN}",'
               f'IFERROR(IRR({net},{guess}),IFERROR(IRR({net}),"{NO_RATE}"))))',
        "irr_note": f'IF({changes}>1,"The net flow changes sign "&{changes}&" times: several rates of return may fit. '
                    'Judge by net present value.",'
                    f'IF(AND({changes}=1,{block.cell("sign", block.horizon)}<0),"{BORROWS}",""))',
        "payback": _payback(block, "below_zero", "accumulated", "net"),
        "discounted_payback": _payback(block, "discounted_below_zero", "accumulated_discounted", "discounted"),
        "bcr": f'IF({rises}<0,SUMIF({saved},">{CENT}")/-{rises},"{NO_COST}")',
        "total_cost": f"SUM({block.span('cost')})",
        "present_cost": f"SUMPRODUCT({block.span('cost')}*{block.source(ROWS['discount'])})",
        "cost_per_study": f"B{block.row('total_cost')}/SUM({block.source(ROWS['studies_added'], 1)})",
    }
    return formulas[name]


def _indicator_value(verdict: Verdict, name: str, changes: int) -> float | str:
    def years(value: float | None) -> float | str:
        return NEVER if value is None else value

    if name == "irr":
        return UNCERTAIN if changes > 1 else NO_RATE if verdict.irr.value is None else verdict.irr.value
    if name == "irr_note":
        return (f"The net flow changes sign {changes} times: several rates of return may fit. "
                "Judge by net present value.") if changes > 1 else BORROWS if verdict.irr.why == BORROWS else ""
    values: dict[str, Callable[[], float | str]] = {
        "npv": lambda: verdict.npv, "payback": lambda: years(verdict.payback_years),
        "discounted_payback": lambda: years(verdict.discounted_payback_years),
        "bcr": lambda: NO_COST if verdict.benefit_cost_ratio is None else verdict.benefit_cost_ratio,
        "total_cost": lambda: verdict.total_cost, "present_cost": lambda: verdict.present_cost,
        "cost_per_study": lambda: verdict.cost_per_study,
    }
    return values[name]()


def _style(styles: Styles, name: str) -> Format:
    return {"irr": styles.percent, "irr_note": styles.warning, "payback": styles.years, "bcr": styles.ratio,
            "discounted_payback": styles.years, "cost_per_study": styles.cents}.get(name, styles.money)


def write_cash_flow(book: Workbook, styles: Styles, appraisal: Appraisal) -> list[_Block]:
    """Write the sheet *Cash flow*: a block for each option, net flows by year and the indicators under them."""
    sheet, horizon = book.add_worksheet("Cash flow"), int(appraisal.assumptions.horizon_years)
    sheet.set_column(0, 0, 36)
    sheet.set_column(1, 1, 20)
    sheet.set_column(2, horizon + 2, 16)
    blocks = []
    for number, verdict in enumerate(appraisal.verdicts):
        block = _Block(1 + number * BLOCK, verdict, appraisal.baseline.flow.option.id, horizon)
        blocks.append(block)
        sheet.write_string(block.top - 1, 0, verdict.flow.option.title, styles.head)
        values = _yearly_values(verdict, appraisal.assumptions.discount_rate)
        for year in range(horizon + 1):
            sheet.write_number(block.top - 1, FIRST_YEAR_COLUMN + year, year, styles.head)
            for name in YEARLY:
                style = styles.money if YEARLY.index(name) < 5 else styles.number
                sheet.write_formula(block.row(name) - 1, FIRST_YEAR_COLUMN + year, f"={_yearly(block, name, year)}",
                                    style, float(values[name][year]))
        for name in YEARLY:
            sheet.write_string(block.row(name) - 1, 0, _LABELS[name])
        for name, label in INDICATORS.items():
            sheet.write_string(block.row(name) - 1, 0, label, styles.bold)
            sheet.write_formula(block.row(name) - 1, 1, f"={_indicator(block, name)}", _style(styles, name),
                                _indicator_value(verdict, name, int(values["sign_change"].sum())))
    sheet.freeze_panes(0, 2)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    return blocks


def write_summary(book: Workbook, sheet: Worksheet, styles: Styles, appraisal: Appraisal, blocks: list[_Block],
                  about: About) -> None:
    """Write the first sheet: one row an option with every indicator, a chart, and what to know before believing it."""
    sheet.set_column(0, 0, 36)
    sheet.set_column(1, len(INDICATORS), 22)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.write_string(0, 0, about.title, styles.title)
    if about.is_demo:
        sheet.write_string(1, 0, "Demo hospital: invented data.", styles.warning)
    shown = [name for name in INDICATORS if name != "irr_note"]
    for column, title in enumerate(["Option", *(INDICATORS[name] for name in shown)]):
        sheet.write_string(2, column, title, styles.head)
    for row, block in enumerate(blocks, start=3):
        sheet.write_string(row, 0, block.verdict.flow.option.title)
        changes = int(_yearly_values(block.verdict, appraisal.assumptions.discount_rate)["sign_change"].sum())
        for column, name in enumerate(shown, start=1):
            sheet.write_formula(row, column, f"='Cash flow'!$B${block.row(name)}", _style(styles, name),
                                _indicator_value(block.verdict, name, changes))
    _chart(book, sheet, blocks, row=len(blocks) + 5, currency=appraisal.prices.currency)
    sheet.write_string(len(blocks) + 4, 0, f"{len(appraisal.prices.assumed)} of {len(appraisal.prices.prices)} prices "
                       "are assumptions: replace them with your quotes on the sheet Inputs.", styles.bold)


def _chart(book: Workbook, sheet: Worksheet, blocks: list[_Block], row: int, currency: str) -> None:
    chart = book.add_chart({"type": "line"})
    first, last = FIRST_YEAR_COLUMN, FIRST_YEAR_COLUMN + blocks[0].horizon
    for block, color in zip(blocks[1:], CATEGORIES[1:], strict=False):
        at = block.row("accumulated") - 1
        chart.add_series({"name": ["Cash flow", block.top - 1, 0], "line": {"color": color, "width": 2.25},
                          "marker": {"type": "circle", "size": 5, "fill": {"color": color}, "border": {"color": color}},
                          "categories": ["Cash flow", block.top - 1, first, block.top - 1, last],
                          "values": ["Cash flow", at, first, at, last]})
    chart.set_title({"name": "Saved against the baseline, accumulated", "name_font": {"size": 12}})
    chart.set_x_axis({"name": "Year", "label_position": "low"})
    chart.set_y_axis({"name": currency, "num_format": "#,##0", "major_gridlines": {"visible": True,
                                                                                  "line": {"color": "#E0E0E0"}}})
    chart.set_size({"width": 860, "height": 380})
    chart.set_legend({"position": "bottom"})
    sheet.insert_chart(row, 0, chart)
