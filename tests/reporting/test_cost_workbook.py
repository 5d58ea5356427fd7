"""The cost workbook is live: changed in one cell and recalculated by LibreOffice, it says what Python says."""

from __future__ import annotations

import datetime as dt
import io
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest
from openpyxl.workbook import Workbook

from analytics.core.filters import Filters
from analytics.costs.appraisal import BORROWS, Appraisal, Verdict, appraise, sign_changes
from analytics.costs.assumptions import Assumptions
from analytics.costs.demand import Demand, Growth
from analytics.costs.options import LINES
from analytics.costs.price_book import PriceBook, load_price_book
from analytics.reporting.cost_layout import FIRST_YEAR_COLUMN, ROWS, TOTAL_ROW
from analytics.reporting.cost_summary import BLOCK, INDICATORS, NEVER, NO_COST, NO_RATE, UNCERTAIN, YEARLY
from analytics.reporting.cost_workbook import cost_workbook
from analytics.reporting.workbook import About
from tests.costs.cases import TB, book, demand, plain_assumptions
from tests.reporting.recalculate import recalculated

ABOUT = About("Storage options", dt.datetime(2026, 11, 1, tzinfo=dt.UTC), 3, Filters(), is_demo=True)
IDS = ("keep", "tier_deep", "tier_instant", "recompress", "recompress_tier_instant")


def grown() -> Demand:
    """Give a demand in which nothing is round."""
    case = demand([17.3, 23.1, 31.7, 42.2], [5.1, 6.2, 7.3, 8.4], capacity_tb=131)
    cohorts = case.cohorts.assign(studies=[40_100, 44_200, 47_300, 51_400], objects=[5e6, 6.1e6, 7.7e6, 9.3e6]).astype(
        float)
    plain = case.uncompressed.assign(MR=[1 * TB, 1.2 * TB, 1.3 * TB, 1.4 * TB], XA=[0.5 * TB] * 4)
    rates = {"studies": 0.046, "objects": 0.171, "bytes": 0.243}
    return replace(case, cohorts=cohorts, uncompressed=plain, hardware_age_years=2,
                   growth={name: Growth(rate, rate, rate, 36) for name, rate in rates.items()})


def tables(verdict: Verdict) -> dict[str, list[float]]:
    return {**{name: verdict.flow.lines[name].tolist() for name in LINES},
            **{name: verdict.flow.quantities[name].astype(float).tolist() for name in verdict.flow.quantities.columns}}


def compare(book: Workbook, appraisal: Appraisal) -> int:
    """Compare every cell of every option's sheet and every indicator; return how many were compared."""
    compared = 0
    for number, verdict in enumerate(appraisal.verdicts):
        sheet = book[verdict.flow.option.id]
        for name, values in tables(verdict).items():
            for year, value in enumerate(values):
                cell = sheet.cell(ROWS[name], FIRST_YEAR_COLUMN + 1 + year)
                assert cell.value == pytest.approx(value, rel=1e-9, abs=1e-6), f"{sheet.title}!{cell.coordinate} {name}"
                compared += 1
        for year, value in enumerate(verdict.flow.cost):
            assert sheet.cell(TOTAL_ROW, FIRST_YEAR_COLUMN + 1 + year).value == pytest.approx(value, rel=1e-9)
        compared += _compare_indicators(book, verdict, number)
    return compared


def _compare_indicators(book: Workbook, verdict: Verdict, number: int) -> int:
    cash, top = book["Cash flow"], 1 + number * BLOCK
    for year, value in enumerate(verdict.net):
        assert cash.cell(top + 2, FIRST_YEAR_COLUMN + 1 + year).value == pytest.approx(value, rel=1e-9, abs=1e-6)
    shown = {name: cash.cell(top + 1 + len(YEARLY) + at, 2).value for at, name in enumerate(INDICATORS)}
    expected: dict[str, float | str] = {
        "npv": verdict.npv, "payback": NEVER if verdict.payback_years is None else verdict.payback_years,
        "discounted_payback": NEVER if verdict.discounted_payback_years is None else verdict.discounted_payback_years,
        "bcr": NO_COST if verdict.benefit_cost_ratio is None else verdict.benefit_cost_ratio,
        "total_cost": verdict.total_cost, "present_cost": verdict.present_cost,
        "cost_per_study": verdict.cost_per_study,
    }
    several = sign_changes(verdict.net.to_numpy()) > 1
    expected["irr"] = UNCERTAIN if several else NO_RATE if verdict.irr.value is None else verdict.irr.value
    assert bool(shown["irr_note"]) == (several or verdict.irr.why == BORROWS)
    for name, value in expected.items():
        close = value if isinstance(value, str) else pytest.approx(value, rel=1e-7, abs=1e-6)
        assert shown[name] == close, f"{verdict.flow.option.id} {name}"
    return len(expected)


def case(assumptions: Assumptions | None = None, prices: PriceBook | None = None) -> Appraisal:
    return appraise(grown(), assumptions or Assumptions(), prices or load_price_book(), IDS)


def test_the_values_in_the_file_are_those_computed() -> None:
    book = openpyxl.load_workbook(io.BytesIO(cost_workbook(case(), ABOUT)), data_only=True)
    assert compare(book, case()) > 1000


def test_no_cost_is_typed_in_as_a_number() -> None:
    book = openpyxl.load_workbook(io.BytesIO(cost_workbook(case(), ABOUT)))
    for option_id in IDS:
        for name in (*LINES, "bytes_held", "capacity_tb"):
            for year in range(8):
                assert str(book[option_id].cell(ROWS[name], FIRST_YEAR_COLUMN + 1 + year).value).startswith("=")


def test_a_rate_of_return_is_written_where_the_net_flow_changes_sign_once() -> None:
    paid_once = appraise(demand([10, 10], [10, 10], capacity_tb=20), plain_assumptions(),
                         book(hardware=100, recompression_project=1500), ("keep", "recompress"))
    written = openpyxl.load_workbook(io.BytesIO(cost_workbook(paid_once, ABOUT)), data_only=True)
    assert written["Summary"]["C5"].value == pytest.approx(0.446312, abs=1e-6)
    assert compare(written, paid_once) > 100


@pytest.mark.service("soffice")
def test_a_rate_of_return_recalculated_by_libreoffice_is_the_one_worked_by_hand(tmp_path: Path) -> None:
    paid_once = appraise(demand([10, 10], [10, 10], capacity_tb=20), plain_assumptions(),
                         book(hardware=100, recompression_project=1), ("keep", "recompress"))
    path = tmp_path / "costs.xlsx"
    path.write_bytes(cost_workbook(paid_once, ABOUT))
    book_ = openpyxl.load_workbook(path)
    book_["Inputs"][book_.defined_names["recompression_project"].attr_text.split("!")[1].replace("$", "")] = 1500
    book_.save(path)
    got = openpyxl.load_workbook(recalculated(path), data_only=True)["Summary"]
    assert got["C5"].value == pytest.approx(0.446312, abs=1e-6)
    assert got["D5"].value == pytest.approx(1.5)


@pytest.mark.service("soffice")
def test_an_option_that_saves_first_and_costs_later_has_its_caution_in_the_workbook(tmp_path: Path) -> None:
    borrows = appraise(demand([10, 10], [10, 10], capacity_tb=20), plain_assumptions(),
                       book(hardware=100, recompression_project=1500), ("recompress", "keep"))
    path = tmp_path / "costs.xlsx"
    path.write_bytes(cost_workbook(borrows, ABOUT))
    for read in (path, recalculated(path)):
        cash = openpyxl.load_workbook(read, data_only=True)["Cash flow"]
        notes = [cash.cell(row, 2).value for row in range(1, cash.max_row + 1) if cash.cell(row, 1).value == "Caution"]
        assert [note or "" for note in notes] == ["", BORROWS]


@pytest.mark.service("soffice")
def test_a_changed_input_recalculated_by_libreoffice_equals_python(tmp_path: Path) -> None:
    changed = {"instant_storage": 0.0051, "hardware": 333.0, "growth_bytes": 0.31, "discount_rate": 0.06,
               "tier_age_months": 31.0, "retention_years": 4.6, "refresh_years": 4.0, "instant_minimum_days": 900.0,
               "deep_overhead": 4000.0, "instant_minimum_object": 6000.0, "exit_share": 0.4, "inflation": 0.03,
               "recalls_per_study": 0.37, "cloud_price_change": -0.02, "hardware_price_change": -0.05, "max_fill": 0.8}
    path = tmp_path / "costs.xlsx"
    path.write_bytes(cost_workbook(case(), ABOUT))
    book = openpyxl.load_workbook(path)
    for name, value in changed.items():
        sheet, cell = book.defined_names[name].attr_text.split("!")
        book[sheet][cell.replace("$", "")] = value
    book.save(path)
    got = openpyxl.load_workbook(recalculated(path), data_only=True)
    prices = load_price_book()
    names = {price.id for price in prices}
    for name in names & changed.keys():
        prices = prices.with_price(name, changed[name], "test", dt.date(2026, 11, 1))
    figures = {name: int(value) if name == "refresh_years" else value for name, value in changed.items()
               if name not in names}
    expected = case(replace(Assumptions(), **figures), prices)  # type: ignore[arg-type]
    assert expected.verdicts[1].npv != pytest.approx(case().verdicts[1].npv, rel=0.01), "the change changes something"
    assert any(verdict.flow.lines.early_deletion.sum() > 0 for verdict in expected.verdicts)
    assert compare(got, expected) > 1000
    assert got["Summary"].cell(5, 2).value == pytest.approx(expected.verdicts[1].npv)
    errors = [f"{sheet.title}!{cell.coordinate}" for sheet in got for row in sheet.iter_rows() for cell in row
              if isinstance(cell.value, str) and cell.value.startswith(("#", "Err:"))]
    assert errors == []
