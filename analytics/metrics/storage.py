"""Storage: bytes stored and added, by what they are, how old, how encoded and where; how full each archive is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd
import sqlalchemy as sa

from analytics.core.filters import Filters
from analytics.core.quantity import BYTES, IMAGES, PERCENT, STUDIES
from analytics.core.results import MetricResult, MetricSpec
from analytics.core.terms import TRANSFER_SYNTAXES
from analytics.metrics.archives import archive_of, read_archives
from analytics.metrics.base import METRICS, metric
from analytics.metrics.buckets import LAST_ACCESS, STUDY_AGE, Buckets
from analytics.metrics.periods import cut_note, whole_periods
from analytics.metrics.scope import Columns, Scope, aggregate
from analytics.warehouse.expressions import Period, count_where, minutes_between, period_start, total
from analytics.warehouse.schema import Instant, exams
from analytics.warehouse.store import Warehouse

added_on = sa.func.coalesce(exams.c.stored_date, exams.c.exam_date, type_=sa.Date)
size_known = sa.func.coalesce(exams.c.size_bytes, sa.literal_column("-1")) >= 0
_BYTES_OF = ("Bytes as stored of the studies that the filters select by the day the archive received them (the exam "
             "date where that is not known); a study counts once, and one whose size is not known is left out.")
SIZE_UNKNOWN = "size not known"
_CITATION = "Site's own index; bytes are decimal (1 TB = 10^12 B, IEC 80000-13:2008)"
UNITS = {"studies": STUDIES, "images": IMAGES, "reception_unknown": STUDIES}


def stored_in(warehouse: Warehouse, filters: Filters) -> Scope:
    """Return the stored studies that filters select by the day they were added."""
    return Scope(warehouse, filters, exams.c.has_study, day=added_on, noun="study")


def _volumes(columns: Columns) -> dict[str, sa.ColumnElement[Any]]:
    return {"bytes": total(columns.size_bytes), "studies": sa.func.count(),
            "images": total(columns.number_of_instances),
            "reception_unknown": count_where(columns.stored_date.is_(None))}


def _stored(warehouse: Warehouse, filters: Filters, metric_id: str, dimensions: tuple[str, ...],
            **columns: sa.ColumnElement[Any]) -> MetricResult:
    return _answer(stored_in(warehouse, filters), metric_id, dimensions, columns)


def _answer(scope: Scope, metric_id: str, dimensions: tuple[str, ...],
            columns: dict[str, sa.ColumnElement[Any]]) -> MetricResult:
    rows = scope.rows(size_known, size_bytes=exams.c.size_bytes, number_of_instances=exams.c.number_of_instances,
                      stored_date=exams.c.stored_date, **columns)
    frame = scope.warehouse.read(aggregate(rows, dimensions, _volumes))
    frame = frame.sort_values("bytes", ascending=False, kind="stable").reset_index(drop=True)
    assumed = int(frame.reception_unknown.sum())
    left_out = scope.left_out({SIZE_UNKNOWN: sa.not_(size_known)})
    unknown = frame.empty and any(item.reason == SIZE_UNKNOWN for item in left_out)  # which is not 0 bytes
    notes = (f"{assumed:,} studies have no time of reception; their exam date stands in for it.",) if assumed else ()
    return MetricResult(
        METRICS[metric_id].spec, frame, "bytes", dimensions, int(frame.studies.sum()), scope.warehouse.revision, UNITS,
        left_out, rows, None if unknown else float(frame.bytes.sum()), notes)


def _with_frame(result: MetricResult, frame: pd.DataFrame, *notes: str) -> MetricResult:
    return MetricResult(**{**vars(result), "frame": frame, "notes": (*result.notes, *notes)})


def _by_age(warehouse: Warehouse, filters: Filters, metric_id: str, buckets: Buckets,
            since: sa.ColumnElement[Any]) -> MetricResult:
    scope = stored_in(warehouse, filters)
    instant = sa.literal(scope.as_of, Instant) if scope.as_of else sa.cast(sa.null(), Instant)
    result = _answer(scope, metric_id, ("age",), {"age": buckets.of(minutes_between(since, instant))})
    return _with_frame(result, buckets.in_order(result.frame, "age"))


@metric(MetricSpec("storage.stored", "Stored", f"{_BYTES_OF} By site and storage tier.", BYTES, "neutral", _CITATION))
def stored(warehouse: Warehouse, filters: Filters) -> MetricResult:
    """Sum the bytes stored at each site and tier."""
    return _stored(warehouse, filters, "storage.stored", ("site", "storage_tier"),
                   storage_tier=exams.c.storage_tier)


@metric(MetricSpec("storage.added_by_period", "Added by period", f"{_BYTES_OF} By period and modality.", BYTES,
                   "neutral", _CITATION))
def added_by_period(warehouse: Warehouse, filters: Filters, period: Period = "month") -> MetricResult:
    """Sum the bytes added in each period by each modality; ``whole`` says whether all of a period is covered."""
    scope = stored_in(warehouse, filters)
    result = _answer(scope, "storage.added_by_period", ("period", "modality"),
                     {"period": period_start(added_on, period)})
    frame = result.frame.sort_values(["period", "modality"], kind="stable").reset_index(drop=True)
    frame["whole"] = whole_periods(frame.period, period, filters, scope.whole_until)
    return _with_frame(result, frame, *cut_note(frame.period, frame.whole, period))


@metric(MetricSpec("storage.by_modality", "Stored by modality", f"{_BYTES_OF} By modality.", BYTES, "neutral",
                   "DICOM PS3.3 2024e, C.7.3.1.1.1 (Modality)"))
def by_modality(warehouse: Warehouse, filters: Filters) -> MetricResult:
    """Sum the bytes stored of each modality, the largest first."""
    return _stored(warehouse, filters, "storage.by_modality", ("modality",))


@metric(MetricSpec("storage.by_tier", "Stored by tier", f"{_BYTES_OF} By storage tier.", BYTES, "neutral", _CITATION))
def by_tier(warehouse: Warehouse, filters: Filters) -> MetricResult:
    """Sum the bytes stored on each tier, the largest first."""
    return _stored(warehouse, filters, "storage.by_tier", ("storage_tier",), storage_tier=exams.c.storage_tier)


@metric(MetricSpec("storage.by_age", "Stored by age", f"{_BYTES_OF} By age: years of 365.25 days from the exam to the "
                   "snapshot's instant.", BYTES, "neutral", _CITATION))
def by_age(warehouse: Warehouse, filters: Filters) -> MetricResult:
    """Sum the bytes stored of each age of study, the youngest first."""
    return _by_age(warehouse, filters, "storage.by_age", STUDY_AGE, exams.c.exam_at)


@metric(MetricSpec("storage.by_last_access", "Stored by last access", f"{_BYTES_OF} By the time since the archive last "
                   "gave the study out; empty where it never did or does not say.", BYTES, "neutral", _CITATION))
def by_last_access(warehouse: Warehouse, filters: Filters) -> MetricResult:
    """Sum the bytes stored by the time since they were last asked for, the latest first."""
    return _by_age(warehouse, filters, "storage.by_last_access", LAST_ACCESS, exams.c.last_accessed_at)


@metric(MetricSpec("storage.by_transfer_syntax", "Stored by transfer syntax", f"{_BYTES_OF} By transfer syntax, with "
                   "whether it compresses and whether it loses.", BYTES, "neutral", "DICOM PS3.5 2024e, annex A"))
def by_transfer_syntax(warehouse: Warehouse, filters: Filters) -> MetricResult:
    """Sum the bytes of each transfer syntax: also ``name``, ``compressed`` and ``lossy`` (empty where not known)."""
    result = _stored(warehouse, filters, "storage.by_transfer_syntax", ("transfer_syntax_uid",),
                     transfer_syntax_uid=exams.c.transfer_syntax_uid)
    known = [TRANSFER_SYNTAXES.get(uid) if isinstance(uid, str) else None for uid in result.frame.transfer_syntax_uid]
    frame = result.frame.assign(
        name=[syntax.name if syntax else uid if isinstance(uid, str) else None
              for syntax, uid in zip(known, result.frame.transfer_syntax_uid, strict=True)],
        compressed=pd.array([syntax.compressed if syntax else None for syntax in known], dtype="boolean"),
        lossy=pd.array([syntax.lossy if syntax else None for syntax in known], dtype="boolean"))
    return _with_frame(result, frame)


@metric(MetricSpec(
    "storage.per_archive", "Archive fill",
    "Percent of an archive's capacity in use: what it held before the index begins and all studies it holds now, over "
    "its capacity. A study belongs to the archive most narrowly meant for its site and tier. Only the site filter "
    "applies, and only to the choice of archives: a fill level has no period and no modality.",
    PERCENT, "lower", _CITATION))
def per_archive(warehouse: Warehouse, filters: Filters) -> MetricResult:
    """Say how full each archive is.

    Returns
    -------
    MetricResult
        Columns ``archive``, ``site``, ``storage_tier``, ``capacity``, ``used_before``, ``stored``, ``used``, ``free``
        (bytes), ``fill`` (percent), ``studies``; the headline is the fill of all together.
    """
    scope = stored_in(warehouse, Filters())
    known = read_archives(warehouse, filters)
    everywhere = read_archives(warehouse, Filters())
    names = [item.name for item in known]
    archive = archive_of(everywhere)
    rows = scope.rows(size_known, archive.in_(names), size_bytes=exams.c.size_bytes, archive=archive)
    held = {row["archive"]: row for row in warehouse.arrow(aggregate(rows, ("archive",), lambda c: {
        "stored": total(c.size_bytes), "studies": sa.func.count()})).to_pylist()}

    def whole_numbers(values: Iterable[int]) -> pd.Series[int]:
        return pd.Series(list(values), dtype="int64")

    frame = pd.DataFrame({
        "archive": names, "site": [item.site for item in known], "storage_tier": [item.storage_tier for item in known],
        "capacity": whole_numbers(item.capacity_bytes for item in known),
        "used_before": whole_numbers(item.used_bytes_before for item in known),
        "stored": whole_numbers(held[name]["stored"] if name in held else 0 for name in names),
        "studies": whole_numbers(held[name]["studies"] if name in held else 0 for name in names),
    })
    frame["used"] = frame.used_before + frame.stored
    frame["free"] = frame.capacity - frame.used
    frame["fill"] = 100.0 * frame.used / frame.capacity
    notes = () if known else ("No archive's capacity is known: give the source a table of archives.",)
    return MetricResult(
        METRICS["storage.per_archive"].spec, frame, "fill", ("archive",), int(frame.studies.sum()),
        warehouse.revision, {**dict.fromkeys(("capacity", "used_before", "stored", "used", "free"), BYTES),
                             "studies": STUDIES},
        scope.left_out({"size not known": sa.not_(size_known),
                        "in no archive whose capacity is known": sa.and_(size_known, archive.is_(None))}),
        rows, 100.0 * frame.used.sum() / frame.capacity.sum() if len(frame) else None, notes)
