"""The reports: what there is, and making one. The page and the command line both come here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from analytics.core.errors import PacsmeterError
from analytics.core.filters import Filters
from analytics.core.settings import Settings
from analytics.costs.appraisal import Appraisal, appraise
from analytics.costs.assumptions import Assumptions
from analytics.costs.demand import measured_demand
from analytics.costs.options import COMPARED
from analytics.costs.price_book import PriceBook, load_price_book
from analytics.metrics.scope import as_of
from analytics.reporting.cost_workbook import cost_workbook
from analytics.reporting.document_board import board_figures, board_report
from analytics.reporting.document_costs import cost_report
from analytics.reporting.workbook import About, table_workbook
from analytics.warehouse.expressions import count_where
from analytics.warehouse.schema import sources
from analytics.warehouse.store import Warehouse, now_utc

PDF, XLSX = "pdf", "xlsx"
MEDIA_TYPES = {PDF: "application/pdf", XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}


@dataclass(frozen=True)
class Scenario:
    """What a cost-benefit report appraises, where it is not the defaults."""

    assumptions: Assumptions = field(default_factory=Assumptions)
    prices: PriceBook | None = None
    option_ids: tuple[str, ...] = COMPARED


@dataclass(frozen=True)
class Request:
    """One report asked for."""

    warehouse: Warehouse
    filters: Filters
    settings: Settings
    about: About
    scenario: Scenario

    @property
    def subtitle(self) -> str:
        """Return the period and the filters in one line."""
        first, last = self.filters.date_from, self.filters.date_to
        until = last or self.about.data_until
        period = f"{first or 'All data'} to {until}" if until else "No data yet"
        chosen = [value for name, values in self.filters.to_query().items() if not name.startswith("date_")
                  for value in values]
        return f"{period} · {', '.join(chosen) if chosen else 'everything in the archive'}"


@dataclass(frozen=True)
class Report:
    """A report in the catalog."""

    id: str
    title: str
    description: str
    formats: tuple[str, ...]
    makers: dict[str, Callable[[Request], bytes]]


def _board_pdf(request: Request) -> bytes:
    return board_report(request.warehouse, request.filters, request.about, request.subtitle)


def _board_workbook(request: Request) -> bytes:
    figures = board_figures(request.warehouse, request.filters)
    sheets = {result.spec.name: result.frame for result in figures.metrics.values()} | {"Checks": figures.checks}
    units = {result.spec.name: {column: result.unit_of(column) for column in (result.value, *result.units)}
             for result in figures.metrics.values()} | {"Checks": {"rate": "%"}}
    notes = tuple(f"{one.spec.name}: {one.spec.definition} Source: {one.spec.citation}."
                  for one in figures.metrics.values())
    about = About(**{**vars(request.about), "notes": notes})
    return table_workbook(sheets, about, request.settings.site_zone, units)


def _appraisal(request: Request) -> Appraisal:
    chosen = request.scenario
    return appraise(measured_demand(request.warehouse, request.filters), chosen.assumptions,
                    chosen.prices or load_price_book(), chosen.option_ids)


def _about(request: Request, appraisal: Appraisal) -> About:
    book, site, notes = appraisal.prices.currency, request.settings.currency, appraisal.demand.notes
    if book != site:
        notes += (f"The price book is in {book} and the site counts in {site}: nothing was converted. Replace the "
                  "prices, or set PACSMETER_CURRENCY.",)
    return About(**{**vars(request.about), "left_out": appraisal.demand.left_out, "notes": notes,
                    "data_until": appraisal.demand.as_of})


def _cost_pdf(request: Request) -> bytes:
    appraisal = _appraisal(request)
    return cost_report(appraisal, _about(request, appraisal))


def _cost_workbook(request: Request) -> bytes:
    appraisal = _appraisal(request)
    return cost_workbook(appraisal, _about(request, appraisal))


REPORTS: dict[str, Report] = {report.id: report for report in (
    Report("board", "Report to the board",
           "The period at a glance: volume, turnaround, storage and its forecast, image quality, consistency, and "
           "what needs attention.", (PDF, XLSX), {PDF: _board_pdf, XLSX: _board_workbook}),
    Report("cost_benefit", "Which storage pays",
           "Storage options compared: yearly cash flow, NPV, IRR, payback, benefit-cost ratio, sensitivity, and every "
           "price with its source. The workbook's formulas are live.", (PDF, XLSX),
           {PDF: _cost_pdf, XLSX: _cost_workbook}),
)}


def _is_demo(warehouse: Warehouse) -> bool:
    return bool(warehouse.scalar(sa.select(count_where(sources.c.is_demo.is_(True)))))


def make_report(report_id: str, format: str, warehouse: Warehouse, filters: Filters, settings: Settings, *,
                scenario: Scenario | None = None, made_at: datetime | None = None) -> bytes:
    """Make a report.

    Parameters
    ----------
    report_id : str
        Id of `REPORTS`.
    format : str
        ``pdf`` or ``xlsx``.
    scenario : Scenario, optional
        What a cost-benefit report appraises; the shipped price book and assumptions where not given.
    made_at : datetime, optional
        What the report says of when it was made; now where not given.

    Raises
    ------
    PacsmeterError
        There is no such report or it has no such format; or there is nothing to report on.
    """
    if report_id not in REPORTS:
        raise PacsmeterError("There is no such report", f"Choose from: {', '.join(REPORTS)}.", report_id)
    report = REPORTS[report_id]
    if format not in report.makers:
        raise PacsmeterError(f"The report cannot be made as {format or 'a file without an ending'!r}",
                             f"Choose from: {', '.join(report.formats)}.", report_id)
    instant = as_of(warehouse)
    zone = ZoneInfo(settings.site_zone)
    about = About(title=report.title, made_at=(made_at or now_utc()).astimezone(zone), revision=warehouse.revision,
                  filters=filters, data_until=instant.astimezone(zone).date() if instant else None,
                  is_demo=_is_demo(warehouse))
    return report.makers[format](Request(warehouse, filters, settings, about, scenario or Scenario()))
