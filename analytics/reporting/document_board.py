"""The board report: the period at a glance, and a page for each question a board asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
import sqlalchemy as sa

from analytics.checks.catalog import CHECKS
from analytics.core.filters import Filters
from analytics.core.findings import Severity
from analytics.core.quantity import BYTES, MINUTES, PERCENT, STUDIES, format_quantity
from analytics.core.results import MetricResult
from analytics.metrics.catalog import compute
from analytics.metrics.intervals import INTERVALS
from analytics.metrics.overview import attention, headlines
from analytics.reporting import document_charts as charts
from analytics.reporting.axes import label_of, words
from analytics.reporting.document import Block, Chart, Prose, Remark, Remarks, Section, Terms, Tile, Tiles, pdf, table
from analytics.reporting.document_reasons import (
    ASKED,
    backlog_reasons,
    operations,
    storage_reasons,
    turnaround_reasons,
    volume_reasons,
)
from analytics.reporting.drawing import before_the_bulk
from analytics.reporting.workbook import About
from analytics.warehouse.expressions import conditions, count_where, total
from analytics.warehouse.schema import check_runs, findings
from analytics.warehouse.store import Warehouse

SHOWN, FEWEST = 7, 8
"""Modalities told apart in a chart; the others are drawn as one."""
_TONES: dict[Severity, Any] = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "info"}


@dataclass(frozen=True)
class BoardFigures:
    """What the board report says, computed once for every format."""

    metrics: dict[str, MetricResult]
    checks: pd.DataFrame


def check_table(warehouse: Warehouse, filters: Filters) -> pd.DataFrame:
    """Return one row a check that has run.

    Returns
    -------
    DataFrame
        Columns ``check_id``, ``name``, ``severity``, ``category``, ``violated`` and ``denominator`` (of everything
        loaded), ``rate`` (percent), ``findings`` (those that the filters select); most severe and frequent first.
    """
    columns = [check_runs.c.check_id, total(check_runs.c.violated).label("violated"),
               total(check_runs.c.denominator).label("denominator"),
               count_where(check_runs.c.outcome == "failed").label("failed")]
    frame = warehouse.read(sa.select(*columns).group_by(check_runs.c.check_id))
    frame = frame[frame.check_id.isin([check.spec.id for check in CHECKS])]
    where = [findings.c[name].in_(values) for name, values in (
        ("site", filters.sites), ("modality", filters.modalities), ("station_name", filters.station_names)) if values]
    period = conditions(Filters(filters.date_from, filters.date_to), date_column=findings.c.found_date)
    found = warehouse.read(sa.select(findings.c.check_id, sa.func.count().label("findings"))
                           .where(*where, *period).group_by(findings.c.check_id))
    frame = frame.merge(found, on="check_id", how="left").fillna({"findings": 0}).astype({"findings": int})
    specs = [CHECKS[check_id].spec for check_id in frame.check_id]
    frame = frame.assign(name=[spec.name for spec in specs], severity=[str(spec.severity) for spec in specs],
                         category=[spec.category for spec in specs],
                         rate=100 * frame.violated / frame.denominator.where(frame.denominator > 0))
    order = {str(severity): place for place, severity in enumerate(Severity)}
    return (frame.assign(place=frame.severity.map(order))
            .sort_values(["place", "findings"], ascending=[True, False], kind="stable")
            .drop(columns="place").reset_index(drop=True))


def board_figures(warehouse: Warehouse, filters: Filters) -> BoardFigures:
    """Compute every figure of the board report."""
    def of(metric_id: str, **options: Any) -> MetricResult:
        return compute(metric_id, warehouse, filters, **options)

    found = [of("volume.studies_by_period", by="modality"), of("volume.by_modality"), of("volume.by_site"),
             *(of(interval.id) for interval in INTERVALS), of("backlog.unread_now"), of("storage.by_modality"),
             of("storage.per_archive"), of("storage.fill_forecast"), of("storage.fill_dates"),
             *(of(metric_id, **options) for metric_id, options in ASKED)]
    return BoardFigures({result.spec.id: result for result in found}, check_table(warehouse, filters))


def _grouped(result: MetricResult, dimension: str, columns: dict[str, str], title: str = "") -> Block:
    rows = [(words(dimension, row[dimension]), *(format_quantity(_number(row[name]), result.unit_of(name))
                                                 for name in columns)) for row in result.frame.to_dict("records")]
    return table([(label_of(dimension), "left"), *((label, "right") for label in columns.values())], rows, title,
                 _left_out(result))


def _number(value: Any) -> float | None:
    return None if pd.isna(value) else float(value)


def _left_out(result: MetricResult) -> str:
    left = "; ".join(f"{item.n:,} {item.reason}" for item in result.left_out if item.n)
    return f"Not counted: {left}." if left else ""


def _volume(figures: BoardFigures) -> list[Block]:
    result = figures.metrics["volume.studies_by_period"]
    frame = result.frame[result.frame.whole]
    early = before_the_bulk(frame, "period", "studies")
    frame = frame[~frame.period.isin(early.index)]
    before = f" Before these months: {early.sum():,.0f} studies in {len(early)} months." if len(early) else ""
    blocks: list[Block] = [Section("Volume")]
    if len(frame):
        largest = frame.groupby("modality").studies.sum().nlargest(SHOWN).index
        shown = frame.assign(modality=frame.modality.where(frame.modality.isin(largest), "OT"))
        blocks.append(Chart("Studies in each month, by modality", charts.stacked_months(
            shown.groupby(["period", "modality"], as_index=False).studies.sum(), "studies", STUDIES, "Studies",
            "modality"), f"{' '.join(result.notes)} OT gathers what is not shown by itself.{before}"))
    columns = {"studies": "Studies", "images": "Images", "bytes": "Bytes"}
    return [*blocks, _grouped(figures.metrics["volume.by_modality"], "modality", columns),
            _grouped(figures.metrics["volume.by_site"], "site", columns), *volume_reasons(figures.metrics)]


def _turnaround(figures: BoardFigures) -> list[Block]:
    result = figures.metrics[INTERVALS[0].id]
    frame = result.frame[result.frame.whole & (result.frame.n >= FEWEST)]
    blocks: list[Block] = [Section("Turnaround")]
    if len(frame):
        blocks.append(Chart(f"{result.spec.name} by month", charts.lines(
            frame, "period", {"median": "Median", "p90": "90th percentile"}, MINUTES, "Time to the final report"),
            " ".join((result.spec.definition, *result.notes))))
    rows = []
    for interval in INTERVALS:
        one = figures.metrics[interval.id]
        rows.append((one.spec.name, f"{interval.start_label} → {interval.end_label}",
                     format_quantity(one.headline, MINUTES), f"{one.n:,}", f"{int(one.frame.open.sum()):,}"))
    blocks.append(table([("Interval", "left"), ("From → to", "left"), ("Median", "right"), ("Ended", "right"),
                         ("Still open", "right")], rows, "Every named interval",
                        "There is never one turnaround time: each name has its own definition.", small=True))
    blocks += turnaround_reasons(figures.metrics)
    unread = figures.metrics["backlog.unread_now"]
    by = unread.dimensions[0]
    blocks.append(_grouped(unread, by, {"unread": "Unread", "median_age": "Median age", "oldest_age": "Oldest",
                                        "over_3_days": "Over 3 days"}, "Unread now"))
    return [*blocks, *backlog_reasons(figures.metrics)]


def _storage(figures: BoardFigures) -> list[Block]:
    archives, forecast = figures.metrics["storage.per_archive"], figures.metrics["storage.fill_forecast"]
    blocks: list[Block] = [Section("Storage")]
    if len(forecast.frame):
        blocks.append(Chart("Bytes held, and what is to come", charts.forecast(forecast.frame, BYTES),
                            " ".join(("The band holds the middle 80 % of simulated paths.", *forecast.notes))))
    if len(archives.frame):
        rows = [(str(row["archive"]), *(format_quantity(_number(row[name]), unit) for name, unit in (
            ("capacity", BYTES), ("used", BYTES), ("free", BYTES), ("fill", PERCENT))))
            for row in archives.frame.to_dict("records")]
        blocks.append(table([("Archive", "left"), *((name, "right") for name in ("Capacity", "Used", "Free", "Fill"))],
                            rows, "Archives", _left_out(archives)))
    blocks += [Prose(note) for note in figures.metrics["storage.fill_dates"].notes]
    blocks += storage_reasons(figures.metrics)
    stored = figures.metrics["storage.by_modality"]
    return [*blocks, _grouped(stored, "modality", {stored.value: "Bytes stored"}, "Stored by modality")]


def _checked(frame: pd.DataFrame, title: str, nothing: str) -> list[Block]:
    shown = frame[(frame.findings > 0) | (frame.failed > 0)]
    if not len(frame):
        return [Section(title), Prose(nothing)]
    rows = [(row.check_id, row.name, row.severity if not row.failed else "check failed", f"{row.findings:,}",
             format_quantity(_number(row.rate), PERCENT)) for row in shown.itertuples(index=False)]
    clean = int(((frame.findings == 0) & (frame.denominator > 0)).sum())
    if not rows:
        return [Section(title), Prose(f"{clean} checks looked and found nothing." if clean else nothing)]
    return [Section(title), table(
        [("Check", "tight"), ("What should hold", "left"), ("Severity", "tight"), ("Findings", "right"),
         ("Of all", "right")], rows, caption=f"{clean} further checks found nothing. Findings are those of the "
        "filters; the rate is of everything loaded.", small=True)]


def _definitions(figures: BoardFigures) -> list[Block]:
    lines = [(one.spec.name, f"{one.spec.definition} Source: {one.spec.citation}.")
             for one in figures.metrics.values()]
    used = figures.checks[figures.checks.findings > 0]
    lines += [(f"{spec.id} {spec.name}", f"{spec.definition} Source: {spec.citation}.")
              for spec in (CHECKS[check_id].spec for check_id in used.check_id)]
    return [Section("Definitions and sources"), Terms(tuple(lines))]


def board_report(warehouse: Warehouse, filters: Filters, about: About, subtitle: str) -> bytes:
    """Write the board report as PDF."""
    figures = board_figures(warehouse, filters)
    urgent = tuple(Remark(item.sentence, f"More on the page {item.page}.", _TONES[item.severity])
                   for item in attention(warehouse, filters))
    tiles = tuple(Tile(item.label, format_quantity(item.value, item.unit), _changed(item.change, item.note))
                  for item in headlines(warehouse, filters))
    image = figures.checks.category == "image"
    blocks: list[Block] = [
        Tiles(tiles), Section("What needs attention"),
        Remarks(urgent) if urgent else Prose("Nothing: every rule that was looked at is within its limits."),
        *_volume(figures), *_turnaround(figures), *_storage(figures), *operations(figures.metrics),
        *_checked(figures.checks[image], "Image quality", "No images have been measured yet; no check applies."),
        *_checked(figures.checks[~image], "Consistency", "No checks have run yet."),
        *_definitions(figures),
    ]
    return pdf(about, "Picture archive: report to the board", subtitle, blocks)


def _changed(change: float | None, note: str) -> str:
    return note if change is None else f"{change:+.1f} %. {note}" if note else f"{change:+.1f} %"
