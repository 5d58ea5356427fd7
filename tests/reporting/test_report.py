"""Reports: the figures on paper are those the metrics give, and say what they are of."""

from __future__ import annotations

import datetime as dt
import io
import subprocess
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from analytics.checks.catalog import CHECKS
from analytics.core.errors import PacsmeterError
from analytics.core.filters import Filters
from analytics.core.quantity import BYTES, MINUTES, format_quantity
from analytics.core.settings import Settings
from analytics.costs.appraisal import appraise
from analytics.costs.assumptions import Assumptions
from analytics.costs.demand import measured_demand
from analytics.costs.price_book import load_price_book
from analytics.metrics.catalog import compute
from analytics.reporting.document_reasons import ASKED
from analytics.reporting.report import REPORTS, Scenario, make_report
from analytics.warehouse.schema import archives, check_runs, events, findings, orders, sources, studies
from analytics.warehouse.store import Store, Warehouse
from tests.support import build, need, which

MADE = dt.datetime(2031, 5, 6, 7, 8, tzinfo=dt.UTC)
ASSUMED = Assumptions(growth_bytes=0.2, growth_objects=0.15, growth_studies=0.05)
PLAIN = "1.2.840.10008.1.2.1"


def rows(months: int = 15) -> dict:
    """Give one CT and one MR a month, each read two hours after it was ready, and one that is unread."""
    first = dt.datetime(2025, 1, 10, 9, tzinfo=dt.UTC)
    stored, ordered, happened = [], [], []
    for number in range(2 * months):
        year, month = divmod(number // 2, 12)
        at = first.replace(year=2025 + year, month=month + 1)
        accession = f"A{number}"
        stored.append({"study_instance_uid": f"1.2.{number}", "patient_key": "p", "accession_number": accession,
                       "site": "North *#$_[@x]", "modality": "CT" if number % 2 else "MR", "study_at": at,
                       "study_date": at.date(), "stored_at": at + dt.timedelta(hours=1), "transfer_syntax_uid": PLAIN,
                       "number_of_series": 2, "number_of_instances": 300, "size_bytes": 150_000_000 + number})
        ordered.append({"accession_number": accession, "site": "North *#$_[@x]", "priority": "R",
                        "modality": stored[-1]["modality"]})
        steps = {"ProcedureStart": 0, "ImagingComplete": 30, "ImagesPrepared": 40, "Reported": 160}
        if number == 2 * months - 1:
            del steps["Reported"]
        happened += [{"accession_number": accession, "event": name, "event_at": at + dt.timedelta(minutes=minutes)}
                     for name, minutes in steps.items()]
    check = next(iter(CHECKS)).spec
    return {
        studies: stored, orders: ordered, events: happened,
        sources: [{"kind": "index_export", "location": "x", "is_demo": True}],
        archives: [{"archive": "MAIN", "capacity_bytes": 10_000_000_000, "used_bytes_before": 1_000_000_000,
                    "in_service_date": dt.date(2024, 1, 1)}],
        check_runs: [{"check_id": check.id, "outcome": "violated", "violated": 3, "denominator": 30, "error": ""}],
        findings: [{"check_id": check.id, "severity": str(check.severity), "category": check.category,
                    "evidence": "seen", "found_date": dt.date(2025, 3, 10), "site": "North *#$_[@x]"}] * 3,
    }


@pytest.fixture
def warehouse(duck_store: Store) -> Warehouse:
    return build(duck_store, rows())


def text_of(content: bytes, folder: Path) -> str:
    program = need(which("pdftotext"), "pdftotext", "apt-get install poppler-utils")
    file = folder / "report.pdf"
    file.write_bytes(content)
    shown = subprocess.run([program, "-layout", str(file), "-"], check=True, capture_output=True, text=True).stdout
    return " ".join(shown.split())


def made(warehouse: Warehouse, settings: Settings, report_id: str, format_: str,
         filters: Filters = Filters()) -> bytes:
    return make_report(report_id, format_, warehouse, filters, settings, made_at=MADE, scenario=Scenario(ASSUMED))


def test_the_board_report_holds_the_figures_of_the_metrics(warehouse: Warehouse, settings: Settings,
                                                           tmp_path: Path) -> None:
    text = text_of(made(warehouse, settings, "board", "pdf"), tmp_path)
    stored = compute("storage.by_modality", warehouse, Filters())
    turnaround = compute("turnaround.swim_rtat", warehouse, Filters())
    assert turnaround.headline == 120
    for figure in (format_quantity(stored.headline, BYTES), format_quantity(turnaround.headline, MINUTES),
                   *(format_quantity(float(size), BYTES) for size in stored.frame[stored.value])):
        assert figure in text
    check = next(iter(CHECKS)).spec
    for said in (check.id, check.name, "10.0 %", "What needs attention", turnaround.spec.citation.split(":")[0],
                 "MAIN"):
        assert said in text
    assert compute("storage.per_archive", warehouse, Filters()).frame.fill[0] == pytest.approx(55, abs=0.1)
    assert "55.0 %" in text


def test_the_board_report_says_why(warehouse: Warehouse, settings: Settings, tmp_path: Path) -> None:
    text = text_of(made(warehouse, settings, "board", "pdf"), tmp_path)
    for metric_id, options in ASKED:
        result = compute(metric_id, warehouse, Filters(), **options)
        assert " ".join(result.spec.definition.split())[:60] in text, f"the definition of {metric_id}"
    waiting = compute("backlog.clearance", warehouse, Filters())
    assert " ".join(waiting.notes[0].split()) in text
    drivers = compute("volume.drivers", warehouse, Filters())
    assert len(drivers.frame) == 0 or "What drove the change" in text
    links = compute("network.by_site", warehouse, Filters())
    assert len(links.frame) and all(format_quantity(float(value), links.unit_of("link_now")) in text
                                    for value in links.frame.link_now)


def test_the_board_report_is_made_for_a_period_of_which_no_day_is_over(warehouse: Warehouse, settings: Settings,
                                                                      tmp_path: Path) -> None:
    for format_ in REPORTS["board"].formats:
        assert made(warehouse, settings, "board", format_, Filters(date_from=dt.date(2031, 1, 1)))


def test_a_report_says_which_snapshot_filters_and_dates_it_is_of(warehouse: Warehouse, settings: Settings,
                                                                 tmp_path: Path) -> None:
    filters = Filters(dt.date(2025, 2, 1), dt.date(2026, 2, 28), modalities=("CT",))
    for report_id in REPORTS:
        text = text_of(made(warehouse, settings, report_id, "pdf", filters), tmp_path)
        for said in (f"snapshot {warehouse.revision}", "modalities: CT", "date from: 2025-02-01", "Demo hospital",
                     "made at 6 May 2031, 07:08 UTC", "1 of "):
            assert said in text
        assert str(dt.datetime.now(dt.UTC).date()) not in text


def test_text_from_the_data_never_acts_as_markup(warehouse: Warehouse, settings: Settings, tmp_path: Path) -> None:
    filters = Filters(sites=("North *#$_[@x]",))
    assert "North *#$_[@x]" in text_of(made(warehouse, settings, "cost_benefit", "pdf", filters), tmp_path)


def test_the_cost_report_holds_the_figures_of_the_appraisal(warehouse: Warehouse, settings: Settings,
                                                            tmp_path: Path) -> None:
    text = text_of(made(warehouse, settings, "cost_benefit", "pdf"), tmp_path)
    prices = load_price_book()
    expected = appraise(measured_demand(warehouse, Filters()), ASSUMED, prices)
    for one in expected.verdicts:
        assert f"USD {one.total_cost:,.0f}" in text
        assert all(f"{value:,.0f}" in text for value in one.flow.cost)
        if one is not expected.baseline:
            assert format_quantity(one.npv, "USD") in text
    for price in (prices.price("instant_storage"), prices.price("hardware")):
        assert price.item in text
        assert price.date.isoformat() in text
    assert f"{len(prices.assumed)} of {len(prices.prices)} prices are assumptions" in text


def test_money_is_never_converted_and_the_report_says_so(warehouse: Warehouse, settings: Settings,
                                                         tmp_path: Path) -> None:
    there = settings.model_copy(update={"currency": "GBP"})
    text = text_of(made(warehouse, there, "cost_benefit", "pdf"), tmp_path)
    assert "in USD and the site counts in GBP: nothing was converted" in text
    assert "nothing was converted" not in text_of(made(warehouse, settings, "cost_benefit", "pdf"), tmp_path)


def test_the_same_request_gives_the_same_document(warehouse: Warehouse, settings: Settings, tmp_path: Path) -> None:
    one, two = (text_of(made(warehouse, settings, "cost_benefit", "pdf"), tmp_path) for _ in range(2))
    assert one == two


def test_the_pages_are_a4_and_every_font_is_inside(warehouse: Warehouse, settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "report.pdf"
    file.write_bytes(made(warehouse, settings, "cost_benefit", "pdf"))
    info = subprocess.run([need(which("pdfinfo"), "pdfinfo", "apt-get install poppler-utils"), str(file)], check=True,
                          capture_output=True, text=True).stdout
    fonts = subprocess.run([need(which("pdffonts"), "pdffonts", "apt-get install poppler-utils"), str(file)],
                           check=True, capture_output=True, text=True).stdout.splitlines()[2:]
    assert "A4" in info
    assert fonts
    assert all("Libertinus" in line and line.split()[-5] == "yes" for line in fonts)


def test_the_workbooks_hold_the_same_figures(warehouse: Warehouse, settings: Settings) -> None:
    board = openpyxl.load_workbook(io.BytesIO(made(warehouse, settings, "board", "xlsx")))
    sheet = board["Stored by modality"]
    header = [cell.value for cell in sheet[1]]
    stored = compute("storage.by_modality", warehouse, Filters())
    assert [row[header.index(stored.value)].value for row in sheet.iter_rows(min_row=2)] == stored.frame[
        stored.value].tolist()
    costs = openpyxl.load_workbook(io.BytesIO(made(warehouse, settings, "cost_benefit", "xlsx")), data_only=True)
    expected = appraise(measured_demand(warehouse, Filters()), ASSUMED, load_price_book())
    assert costs["Summary"]["B5"].value == pytest.approx(expected.verdicts[1].npv)


def test_what_is_not_there_is_refused_with_what_is(warehouse: Warehouse, settings: Settings) -> None:
    with pytest.raises(PacsmeterError, match="board, cost_benefit"):
        make_report("budget", "pdf", warehouse, Filters(), settings)
    with pytest.raises(PacsmeterError, match="pdf, xlsx"):
        make_report("board", "docx", warehouse, Filters(), settings)


def test_a_few_old_studies_do_not_squeeze_the_chart_of_volume() -> None:
    from analytics.reporting.drawing import before_the_bulk

    months = pd.to_datetime(["1997-04-01", *pd.date_range("2024-01-01", periods=24, freq="MS")])
    frame = pd.DataFrame({"period": months, "studies": [1, *[1000] * 24]})
    assert before_the_bulk(frame, "period", "studies").to_dict() == {months[0]: 1.0}
    assert before_the_bulk(frame.iloc[1:], "period", "studies").empty
