"""The cost-benefit appraisal as an Excel workbook whose formulas are live: change an input, and everything follows."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import fields

import numpy as np
import pandas as pd
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from analytics.costs.appraisal import Appraisal, Verdict
from analytics.costs.assumptions import JPEG_LS_RATIOS, PRIOR_ACCESS
from analytics.costs.options import LINES, capacity_today, growth_of, hardware_age, prior_share
from analytics.costs.price_book import TIER_FIGURES
from analytics.reporting.cost_layout import FIRST_YEAR_COLUMN, ROWS, TOTAL_ROW, YEAR_ROW, Styles
from analytics.reporting.cost_sheet import COSTS, QUANTITIES, Cohorts, Place
from analytics.reporting.cost_summary import write_cash_flow, write_summary
from analytics.reporting.workbook import About, open_workbook, write_about


def _inputs(book: Workbook, styles: Styles, appraisal: Appraisal) -> dict[str, float]:
    """Write every assumption and price as a named cell that can be edited; return the names and values."""
    sheet = book.add_worksheet("Inputs")
    named: dict[str, float] = {}
    for column, width in enumerate((52, 14, 18, 60, 12, 60)):
        sheet.set_column(column, column, width)
    sheet.write_string(0, 0, "Inputs: change a blue cell, and every sheet follows", styles.title)
    row = _header(sheet, styles, 2, ("Assumption", "Value", "Unit", "Source"))
    demand, chosen = appraisal.demand, appraisal.assumptions
    measured = {f"growth_{name}": growth_of(chosen, demand, name) for name in demand.growth}
    measured["hardware_age_years"] = hardware_age(chosen, demand)
    for one in fields(chosen):
        value = getattr(chosen, one.name)
        source = one.metadata["source"] if value is None or one.default is not None else "set by hand"
        given = float(measured.get(one.name, value))
        sheet.write_string(row, 0, one.metadata["label"])
        if one.name == "horizon_years":
            sheet.write_number(row, 1, given)
            source = "fixed in this workbook: make another for another horizon"
        else:
            _named(book, sheet, styles, row, one.name, given, named)
        sheet.write_string(row, 2, one.metadata["unit"])
        sheet.write_string(row, 3, source)
        row += 1
    sheet.write_string(row, 0, "Capacity of the arrays today, one copy")
    _named(book, sheet, styles, row, "capacity_today_tb", capacity_today(demand, chosen), named)
    sheet.write_string(row, 2, "TB")
    sheet.write_string(row, 3, "the archives recorded" if demand.capacity_bytes is not None
                       else "not recorded: the steps that what is held needs")
    row = _header(sheet, styles, row + 2, ("Price", "Value", "Unit", "Source", "As of", "Note"))
    for price in appraisal.prices:
        sheet.write_string(row, 0, price.item)
        _named(book, sheet, styles, row, price.id, price.value, named)
        for column, text in enumerate((price.unit, price.source, price.date.isoformat(), price.note), start=2):
            sheet.write_string(row, column, text)
        row += 1
    row = _header(sheet, styles, row + 1, (
        "Requests for studies older than one year, up to this age (years)", "Share", "", "Source"))
    first = row
    for upto, share in PRIOR_ACCESS:
        sheet.write_number(row, 0, upto, styles.input)
        sheet.write_number(row, 1, share, styles.input)
        row += 1
    past = f"($A${first + 1}:$A${row}-tier_age_months/12)"
    sheet.write_string(row, 0, "Share of them past the tier age")
    sheet.write_formula(row, 1, f"=SUMPRODUCT($B${first + 1}:$B${row}*(({past}>0)*({past}<1)*{past}+({past}>=1)))",
                        styles.factor, prior_share(chosen.tier_age_months / 12))
    book.define_name("prior_share", f"=Inputs!$B${row + 1}")
    row = _header(sheet, styles, row + 2, ("Lossless JPEG-LS ratio (1: not recompressed)", "Ratio", "", "Source"))
    for modality in map(str, demand.uncompressed.columns):
        sheet.write_string(row, 0, modality)
        sheet.write_number(row, 1, JPEG_LS_RATIOS.get(modality, 1.0), styles.input)
        sheet.write_string(row, 3, "Clunie 2000, n = 3,679" if modality in JPEG_LS_RATIOS else "no measured ratio")
        named[f"ratio of {modality}"] = row + 1
        row += 1
    sheet.freeze_panes(1, 0)
    sheet.fit_to_pages(1, 0)
    return named


def _header(sheet: Worksheet, styles: Styles, row: int, titles: Sequence[str]) -> int:
    for column, title in enumerate(titles):
        sheet.write_string(row, column, title, styles.head)
    return row + 1


def _named(book: Workbook, sheet: Worksheet, styles: Styles, row: int, name: str, value: float,
           named: dict[str, float]) -> None:
    sheet.write_number(row, 1, value, styles.input)
    book.define_name(name, f"=Inputs!$B${row + 1}")
    named[name] = value


def _demand(book: Workbook, styles: Styles, appraisal: Appraisal, named: Mapping[str, float]) -> Cohorts:
    """Write the cohorts: what was measured as numbers, what is projected as formulas of its growth."""
    sheet, demand = book.add_worksheet("Demand"), appraisal.demand
    modalities = [str(name) for name in demand.uncompressed.columns]
    sheet.write_string(0, 0, "What has to be stored: by twelve months, 0 being the last measured", styles.title)
    _header(sheet, styles, 2, ("Cohort", "Studies", "Images", "Bytes", "Bytes that recompression saves",
                               "Bytes that can be recompressed",
                               *(f"Uncompressed {name} (bytes)" for name in modalities)))
    sheet.set_column(0, 0, 10)
    sheet.set_column(1, 5 + len(modalities), 22)
    oldest, horizon = int(demand.cohorts.index.min()), int(appraisal.assumptions.horizon_years)
    zero, last = 4 - oldest, 4 - oldest + horizon
    ratios = [f"Inputs!$B${int(named[f'ratio of {name}'])}" for name in modalities]
    growth = {name: growth_of(appraisal.assumptions, demand, name) for name in demand.growth}
    factor = {name: JPEG_LS_RATIOS.get(name, 1.0) for name in modalities}
    for row, cohort in enumerate(range(oldest, horizon + 1), start=4):
        sheet.write_number(row - 1, 0, cohort)
        known = min(cohort, 0)
        plain = {}
        for column, name in enumerate(("studies", "objects", "bytes", *modalities), start=1):
            table = demand.cohorts if column <= 3 else demand.uncompressed
            place, rate = (column, name) if column <= 3 else (column + 2, "bytes")
            value = float(table.loc[known, name]) * (1 + growth[rate]) ** (cohort - known)
            plain[name] = value
            if cohort <= 0:
                sheet.write_number(row - 1, place, value, styles.input)
            else:
                letter = xl_col_to_name(place)
                sheet.write_formula(row - 1, place, f"={letter}${zero}*(1+growth_{rate})^$A{row}", styles.number, value)
        cells = [f"{xl_col_to_name(6 + index)}{row}" for index in range(len(modalities))]
        saved = "+".join(f"{cell}*(1-1/{ratio})" for cell, ratio in zip(cells, ratios, strict=True)) or "0"
        encodable = "+".join(f"{cell}*({ratio}>1)" for cell, ratio in zip(cells, ratios, strict=True)) or "0"
        sheet.write_formula(row - 1, 4, f"={saved}", styles.number,
                            sum(plain[name] * (1 - 1 / factor[name]) for name in modalities))
        sheet.write_formula(row - 1, 5, f"={encodable}", styles.number,
                            sum(plain[name] for name in modalities if factor[name] > 1))
    sheet.freeze_panes(3, 1)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    return Cohorts(*(f"Demand!${letter}$4:${letter}${last}" for letter in "ABCDEF"))


def _option(book: Workbook, styles: Styles, appraisal: Appraisal, verdict: Verdict, cohorts: Cohorts) -> None:
    """Write one option: its quantities and cost lines by year, as formulas of the inputs."""
    option, flow, horizon = verdict.flow.option, verdict.flow, int(appraisal.assumptions.horizon_years)
    sheet = book.add_worksheet(option.id)
    sheet.set_column(0, 0, 36)
    sheet.set_column(1, 1, 8)
    sheet.set_column(2, horizon + 5, 17)
    sheet.write_string(0, 0, option.title, styles.title)
    sheet.write_string(1, 0, option.description)
    for row, (label, flag) in enumerate((("Tiers to the cloud (1: yes)", option.tier is not None),
                                         ("Recompresses (1: yes)", option.recompress)), start=2):
        sheet.write_string(row, 0, label)
        sheet.write_number(row, 1, int(flag), styles.number)
    for column, figure in enumerate(TIER_FIGURES, start=4):
        sheet.write_string(1, column, figure.replace("_", " "), styles.head)
        value = appraisal.prices[f"{option.tier}_{figure}"] if option.tier else 0.0
        sheet.write_formula(2, column, f"={option.tier}_{figure}" if option.tier else "=0", None, value)
    names, rows = [*QUANTITIES, *LINES], ROWS
    values = _values(appraisal, flow.quantities).join(flow.lines)
    sheet.write_string(YEAR_ROW - 1, 0, "Year", styles.head)
    sheet.write_string(rows["hardware"] - 2, 0, f"Cost ({appraisal.prices.currency})", styles.head)
    for name in names:
        sheet.write_string(rows[name] - 1, 0, QUANTITIES[name][0] if name in QUANTITIES else LINES[name])
    sheet.write_string(TOTAL_ROW - 1, 0, "Total cost", styles.bold)
    for year in range(horizon + 1):
        at = FIRST_YEAR_COLUMN + year
        place = Place(xl_col_to_name(at), xl_col_to_name(at - 1), rows, cohorts, year == 0, year == horizon)
        sheet.write_number(YEAR_ROW - 1, at, year, styles.head)
        for name in names:
            formula = QUANTITIES[name][1](place) if name in QUANTITIES else COSTS[name](place)
            style = styles.money if name in LINES else styles.factor if values[name].max() < 10 else styles.number
            sheet.write_formula(rows[name] - 1, at, f"={formula}", style, float(values.loc[year, name]))
        sheet.write_formula(TOTAL_ROW - 1, at, f"=SUM({place['hardware']}:{place['recompression']})", styles.total,
                            float(flow.cost[year]))
    _present_values(sheet, styles, appraisal, verdict)
    sheet.freeze_panes(YEAR_ROW, 2)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)


def _values(appraisal: Appraisal, quantities: pd.DataFrame) -> pd.DataFrame:
    """Return the quantities with the indices that the sheet shows beside them."""
    chosen, years = appraisal.assumptions, quantities.index.to_numpy(dtype=float)
    later = np.maximum(years - 1, 0)
    return quantities.assign(
        price_index=(1 + chosen.inflation) ** later, hardware_index=(1 + chosen.hardware_price_change) ** later,
        cloud_index=(1 + chosen.cloud_price_change) ** later, discount=(1 + chosen.discount_rate) ** -years)


def _present_values(sheet: Worksheet, styles: Styles, appraisal: Appraisal, verdict: Verdict) -> None:
    """Write each line's present value, and by how much it falls below the baseline's."""
    horizon = int(appraisal.assumptions.horizon_years)
    column = FIRST_YEAR_COLUMN + horizon + 1
    first, last, present = (xl_col_to_name(at) for at in (FIRST_YEAR_COLUMN, column - 1, column))
    sheet.write_string(ROWS["hardware"] - 2, column, "Present value", styles.head)
    sheet.write_string(ROWS["hardware"] - 2, column + 1, "Saved against the baseline", styles.head)
    factors = (1 + appraisal.assumptions.discount_rate) ** -verdict.flow.lines.index.to_numpy(dtype=float)
    worth = verdict.flow.lines.mul(factors, axis=0).sum()
    base = appraisal.baseline.flow.lines.mul(factors, axis=0).sum()
    discount = f"${first}${ROWS['discount']}:${last}${ROWS['discount']}"
    for name in LINES:
        row = ROWS[name]
        sheet.write_formula(row - 1, column, f"=SUMPRODUCT({first}{row}:{last}{row}*{discount})", styles.money,
                            float(worth[name]))
        sheet.write_formula(row - 1, column + 1,
                            f"={appraisal.baseline.flow.option.id}!{present}{row}-{present}{row}", styles.money,
                            float(base[name] - worth[name]))


def cost_workbook(appraisal: Appraisal, about: About) -> bytes:
    """Write an appraisal as a workbook with live formulas; each formula also carries its computed value.

    Sheets: *Summary*, *Inputs* (named, editable), *Demand*, one for each option, *Cash flow*, *About*.
    """
    target = io.BytesIO()
    with open_workbook(target, about.title) as book:
        styles = Styles(book, appraisal.prices.currency)
        summary = book.add_worksheet("Summary")
        named = _inputs(book, styles, appraisal)
        cohorts = _demand(book, styles, appraisal, named)
        for verdict in appraisal.verdicts:
            _option(book, styles, appraisal, verdict, cohorts)
        cells = write_cash_flow(book, styles, appraisal)
        write_summary(book, summary, styles, appraisal, cells, about)
        write_about(book, about)
    return target.getvalue()
