"""Sources: the proof that each was read whole, and every record that could not be used."""

from __future__ import annotations

import pandas as pd
import sqlalchemy as sa

from analytics.core.filters import Filters
from analytics.core.results import LeftOut, MetricResult, MetricSpec
from analytics.metrics.base import METRICS, metric
from analytics.warehouse.schema import covered_parts, quarantine
from analytics.warehouse.store import Warehouse

RECORDS = "{record}"


@metric(MetricSpec(
    "sources.coverage", "What was asked for",
    "Records that a source gave for each range of study dates it was asked for, by calendar year. Each range was read "
    "whole: an answer that came back full was asked for again in smaller ranges. Sources that give everything in one "
    "piece (a database, an export, a folder) have no ranges. Filters do not apply.",
    RECORDS, "neutral", "DICOM PS3.4 2024e, C.2.2.2.5 Range Matching; PS3.18 2024e, 8.3.4.4 (a server may limit its "
    "answer)"))
def coverage(warehouse: Warehouse, filters: Filters) -> MetricResult:
    """Count the ranges that each source was read in.

    Returns
    -------
    MetricResult
        Columns ``source_id``, ``year`` (empty for what has no date), ``covered_from``, ``covered_to``, ``parts``
        (ranges), ``records``, ``read_at`` (UTC, the earliest).
    """
    year = sa.cast(sa.extract("year", covered_parts.c.covered_from), sa.Integer)
    rows = sa.select(*covered_parts.columns, year.label("year")).subquery("parts_by_year")
    frame = warehouse.read(sa.select(
        rows.c.source_id, rows.c.year, sa.func.min(rows.c.covered_from).label("covered_from"),
        sa.func.max(rows.c.covered_to).label("covered_to"), sa.func.count().label("parts"),
        sa.type_coerce(sa.func.sum(rows.c.records), sa.BigInteger).label("records"),
        sa.func.min(rows.c.read_at).label("read_at"),
    ).group_by(rows.c.source_id, rows.c.year).order_by(rows.c.source_id, rows.c.year.desc()))
    counted = int(frame.records.sum())
    return MetricResult(METRICS["sources.coverage"].spec, frame, "records", ("source_id", "year"), counted,
                        warehouse.revision, {"parts": "{range}"}, headline=float(counted))


@metric(MetricSpec(
    "sources.left_out_records", "Each record left out",
    "Every record in quarantine: where it is, and why it could not be used. It is tried again by every load, a "
    "message when its file has changed, and leaves when it is in order or gone from its source. Filters do not apply.",
    RECORDS, "lower", "Record of each load, as the source gave it"))
def left_out_records(warehouse: Warehouse, filters: Filters, limit: int = 5_000) -> MetricResult:
    """List the records in quarantine, the latest first: ``source_id``, ``locator``, ``reason_code``, ``reason``,
    ``seen_at``; each counts as one."""
    frame = warehouse.read(sa.select(
        quarantine.c.source_id, quarantine.c.locator, quarantine.c.reason_code, quarantine.c.reason,
        quarantine.c.seen_at, sa.literal_column("1", sa.Integer).label("records"),
    ).order_by(quarantine.c.seen_at.desc(), quarantine.c.source_id, quarantine.c.locator).limit(limit))
    every = warehouse.count(quarantine)
    more = (LeftOut(f"records beyond the first {limit:,} of this list", every - len(frame)),)
    return MetricResult(METRICS["sources.left_out_records"].spec, frame.astype({"records": pd.Int64Dtype()}), "records",
                        ("source_id", "locator", "reason_code"), len(frame), warehouse.revision,
                        left_out=more if every > len(frame) else (), headline=float(every))
