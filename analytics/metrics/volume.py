"""Volume: how many studies, series, images and bytes, by period, modality, site, device and hour."""

from __future__ import annotations

from typing import Any, Literal

import pandas as pd
import sqlalchemy as sa

from analytics.core.filters import Filters
from analytics.core.quantity import BYTES, IMAGES, PERCENT, SERIES, STUDIES
from analytics.core.results import MetricResult, MetricSpec
from analytics.metrics.base import METRICS, metric
from analytics.metrics.periods import cut_note, whole_periods
from analytics.metrics.scope import Columns, Dimension, Scope, aggregate
from analytics.metrics.windows import COMPARED_DAYS, NOTHING_YET, Against, compared
from analytics.warehouse.expressions import Period, count_where, literal, period_start, total
from analytics.warehouse.schema import exams
from analytics.warehouse.store import Warehouse

WHAT_COUNTS = ("A study counts once, however many sources hold it, on its exam date (start from the RIS, else the "
                "study's own date, else when the archive received it); orders without images do not count.")
_CITATION = "DICOM PS3.3 2024e, A.1.2 (information model: study, series, instance); site's own index"
Split = Dimension | Literal["description", "hours", "exam_weekday"]
OTHERS = "others"
HOURS = tuple(f"{first:02d}:00-{first + 2:02d}:59" for first in range(0, 24, 3))
"""Parts of the day of three hours: a chart of 24 colors cannot be read."""
UNITS = {"series": SERIES, "images": IMAGES, "bytes": BYTES}


def studies_in(warehouse: Warehouse, filters: Filters) -> Scope:
    """Return the studies that filters select by exam date."""
    return Scope(warehouse, filters, exams.c.has_study, noun="study")


def _study_rows(scope: Scope, **dimensions: sa.ColumnElement[Any]) -> sa.Select[Any]:
    return scope.rows(number_of_series=exams.c.number_of_series, number_of_instances=exams.c.number_of_instances,
                      size_bytes=exams.c.size_bytes, **dimensions)


def _split(by: Split) -> dict[str, sa.ColumnElement[Any]]:
    """Return the column of a split under its name, where rows do not carry it anyway."""
    if by == "hours":
        hour = exams.c.exam_hour
        parts = [(hour < literal(3 * place + 3), literal(words)) for place, words in enumerate(HOURS)]
        return {"hours": sa.case((hour.is_(None), sa.null()), *parts)}
    return {"exam_weekday": exams.c.exam_weekday} if by == "exam_weekday" else {}


def _folded(scope: Scope, by: Split, top: int | None) -> tuple[dict[str, sa.ColumnElement[Any]], tuple[str, ...]]:
    """Return the column of a split in which all but the largest groups are one, and the note that says so."""
    split = _split(by)
    if top is None or by == "exam_weekday":
        return split, ()
    held = scope.warehouse.arrow(aggregate(
        _study_rows(scope, **split), (by,), lambda _: {"studies": sa.func.count()})).to_pylist()
    held.sort(key=lambda row: (-row["studies"], str(row[by])))
    if len(held) <= top + 1:
        return split, ()
    column = split[by] if by in split else exams.c[by]
    kept = [row[by] for row in held[:top]]
    named = column.in_([name for name in kept if name is not None])
    whole = sa.case((column.is_(None), sa.null() if None in kept else literal(OTHERS)), (named, column),
                    else_=literal(OTHERS))
    rest = held[top:]
    note = f"{OTHERS.capitalize()}: {len(rest):,} groups with {sum(row['studies'] for row in rest):,} studies in all."
    return {by: whole}, (note,)


def _volumes(columns: Columns) -> dict[str, sa.ColumnElement[Any]]:
    return {
        "studies": sa.func.count(), "series": total(columns.number_of_series),
        "images": total(columns.number_of_instances), "bytes": total(columns.size_bytes),
        "size_unknown": count_where(columns.size_bytes.is_(None)),
    }


def _result(metric_id: str, scope: Scope, frame: pd.DataFrame, rows: sa.Select[Any], dimensions: tuple[str, ...],
            notes: tuple[str, ...] = ()) -> MetricResult:
    counted = int(frame.studies.sum())
    unknown = int(frame.size_unknown.sum())
    if unknown:
        notes = (*notes, f"{unknown:,} studies have no known size; bytes leave them out.")
    return MetricResult(
        METRICS[metric_id].spec, frame, "studies", dimensions, counted, scope.warehouse.revision,
        UNITS, scope.left_out(), rows, float(counted), notes)


def _by(warehouse: Warehouse, filters: Filters, metric_id: str, dimensions: tuple[str, ...]) -> MetricResult:
    scope = studies_in(warehouse, filters)
    rows = _study_rows(scope)
    frame = warehouse.read(aggregate(rows, dimensions, _volumes))
    frame = frame.sort_values("studies", ascending=False, kind="stable").reset_index(drop=True)
    return _result(metric_id, scope, frame, rows, dimensions)


@metric(MetricSpec(
    "volume.studies_by_period", "Studies by period",
    "Number of studies in each period, and their series, images and bytes; where they are split, the groups with the "
    f"most studies stand alone and all others are one, so that the sum stays whole. {WHAT_COUNTS}",
    STUDIES, "neutral", _CITATION))
def studies_by_period(warehouse: Warehouse, filters: Filters, period: Period = "month",
                      by: Split | None = None, top: int | None = None) -> MetricResult:
    """Count studies in each day, ISO week, month, quarter or year, and in each group of ``by``.

    Parameters
    ----------
    by : column, optional
        ``description`` is the procedure; ``hours`` are parts of the day of three hours on the site's clock.
    top : int, optional
        Groups that stand alone, those with the most studies; all others are one, ``others``. Weekdays are seven.

    Returns
    -------
    MetricResult
        Columns ``period`` (first day), ``by``, ``studies``, ``series``, ``images``, ``bytes``, ``size_unknown``
        (studies whose size is not known) and ``whole`` (the period is all covered).
    """
    scope = studies_in(warehouse, filters)
    split, note = _folded(scope, by, top) if by else ({}, ())
    rows = _study_rows(scope, period=period_start(exams.c.exam_date, period), **split)
    dimensions = ("period", by) if by else ("period",)
    frame = warehouse.read(aggregate(rows, dimensions, _volumes))
    frame["whole"] = whole_periods(frame.period, period, filters, scope.whole_until)
    return _result("volume.studies_by_period", scope, frame, rows, dimensions,
                   (*cut_note(frame.period, frame.whole, period), *note))


@metric(MetricSpec(
    "volume.by_modality", "Studies by modality",
    f"Number of studies of each modality, and their series, images and bytes. {WHAT_COUNTS}",
    STUDIES, "neutral", "DICOM PS3.3 2024e, C.7.3.1.1.1 (Modality)"))
def by_modality(warehouse: Warehouse, filters: Filters) -> MetricResult:
    """Count studies by modality, the most frequent first."""
    return _by(warehouse, filters, "volume.by_modality", ("modality",))


@metric(MetricSpec(
    "volume.by_site", "Studies by site",
    f"Number of studies of each site, and their series, images and bytes. {WHAT_COUNTS}",
    STUDIES, "neutral", _CITATION))
def by_site(warehouse: Warehouse, filters: Filters) -> MetricResult:
    """Count studies by site, the busiest first."""
    return _by(warehouse, filters, "volume.by_site", ("site",))


@metric(MetricSpec(
    "volume.by_device", "Studies by device",
    "Number of studies of each device (Station Name, with its site and modality), and their series, images and "
    f"bytes. {WHAT_COUNTS}",
    STUDIES, "neutral", "DICOM PS3.3 2024e, C.7.5.1 (Station Name (0008,1010))"))
def by_device(warehouse: Warehouse, filters: Filters) -> MetricResult:
    """Count studies by device, the busiest first."""
    return _by(warehouse, filters, "volume.by_device", ("site", "station_name", "modality"))


@metric(MetricSpec(
    "volume.hour_by_weekday", "Studies by weekday and hour",
    "Number of studies that began in each hour of each weekday on the site's clock, and the mean on one such "
    f"weekday: the count divided by how often that weekday occurs from the first to the last day with a study. "
    f"{WHAT_COUNTS}",
    STUDIES, "neutral", "ISO 8601-1:2019 (weekdays, Monday is 1); site's own index"))
def hour_by_weekday(warehouse: Warehouse, filters: Filters) -> MetricResult:
    """Count studies in the 168 hours of a week.

    Returns
    -------
    MetricResult
        168 rows: ``exam_weekday`` (1 Monday … 7 Sunday), ``exam_hour`` (0-23), ``studies``, ``mean``.
    """
    scope = studies_in(warehouse, filters)
    rows = scope.rows(exams.c.exam_hour.is_not(None), exam_weekday=exams.c.exam_weekday, exam_hour=exams.c.exam_hour)
    dimensions = ("exam_weekday", "exam_hour")
    found = warehouse.read(aggregate(rows, dimensions, lambda _: {"studies": sa.func.count()}))
    grid = pd.MultiIndex.from_product([range(1, 8), range(24)], names=dimensions)
    frame = found.set_index(list(dimensions)).reindex(grid, fill_value=0).reset_index()
    window = scope.window()
    days = pd.date_range(*window).dayofweek.value_counts() if window else pd.Series(dtype=float)
    frame["mean"] = (frame.studies / (frame.exam_weekday - 1).map(days)).astype(float)
    counted = int(frame.studies.sum())
    return MetricResult(
        METRICS["volume.hour_by_weekday"].spec, frame, "studies", dimensions, counted, warehouse.revision,
        left_out=scope.left_out({"study without a time of day": exams.c.exam_hour.is_(None)}), rows=rows,
        headline=float(counted))


@metric(MetricSpec(
    "volume.change", "Change in studies",
    "Studies of a window of days less those of an equally long window before it, in all and for each group; the "
    f"groups' changes sum to the whole change. Where no period is chosen: the last {COMPARED_DAYS} whole days. "
    f"{WHAT_COUNTS}",
    STUDIES, "neutral", _CITATION))
def change(warehouse: Warehouse, filters: Filters, by: Split = "modality",
           against: Against = "before") -> MetricResult:
    """Compare a window with the one just before it, or with the same weekdays a year (52 weeks) before.

    Returns
    -------
    MetricResult
        Columns ``by``, ``this``, ``before``, ``change``, ``contribution`` (percent of all studies before);
        the largest change first. ``rows`` carries ``window``: ``this`` or ``before``.

    Raises
    ------
    PacsmeterError
        ``against="year"`` with a window longer than 52 weeks: the two would overlap.
    """
    windows = compared(studies_in(warehouse, filters), against)
    spec = METRICS["volume.change"].spec
    if windows is None:
        empty = pd.DataFrame({by: [], "this": [], "before": [], "change": [], "contribution": []})
        return MetricResult(spec, empty, "change", (by,), 0, warehouse.revision, notes=(NOTHING_YET,))
    scope = studies_in(warehouse, filters.where(date_from=windows.before_first, date_to=windows.last))
    day = exams.c.exam_date
    rows = scope.rows(sa.or_(windows.in_this(day), windows.in_before(day)), window=windows.window(day),
                      **_split(by))
    frame = warehouse.read(aggregate(rows, (by,), lambda c: {
        "this": count_where(c.window == "this"), "before": count_where(c.window == "before")}))
    frame["change"] = frame.this - frame.before
    before, difference = int(frame.before.sum()), int(frame.change.sum())
    frame["contribution"] = 100 * frame.change / before if before else float("nan")
    frame = frame.sort_values("change", key=abs, ascending=False, kind="stable").reset_index(drop=True)
    return MetricResult(
        spec, frame, "change", (by,), int(frame.this.sum()), warehouse.revision, {"contribution": PERCENT},
        scope.left_out(), rows, float(difference),
        (str(windows),))
