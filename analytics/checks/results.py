"""What the checks found, as pages, notebooks and reports read it.

Findings and their denominators carry site, modality, station and date, so these filters apply to both. Patient
class and priority are the order's, not the finding's: they are passed over here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import pandas as pd
import sqlalchemy as sa

from analytics.checks.catalog import CHECKS
from analytics.checks.runner import outcome_of
from analytics.core.filters import Filters
from analytics.core.findings import CheckRun, Outcome, Severity
from analytics.warehouse.expressions import conditions, literal, period_start, total
from analytics.warehouse.schema import check_counts, check_runs, exams, findings
from analytics.warehouse.store import Warehouse

EVERYTHING = Filters()
DEFAULT_LIMIT = 1_000
Mark = Sequence[tuple[str, Any]]
"""What a mark on a chart of findings stands for: ``site``, ``modality``, ``station_name`` or ``month`` (its first day,
or its ISO text), each with its value; ``None`` is the group without one."""
_DEVICE = ("site", "modality", "station_name")


def _kept(filters: Filters, table: sa.Table) -> list[sa.ColumnElement[bool]]:
    return conditions(filters.where(patient_classes=(), priorities=()), table, table.c.found_date)


def _marked(mark: Mark) -> list[sa.ColumnElement[bool]]:
    return [_same(period_start(findings.c.found_date, "month"), date.fromisoformat(str(value)[:10]))
            if name == "month" else _same(findings.c[name], value) for name, value in mark]


def _same(column: sa.ColumnElement[Any], value: Any) -> sa.ColumnElement[bool]:
    return column.is_(None) if value is None else column == value


def _counted() -> tuple[sa.Label[int], sa.Label[int]]:
    return total(check_counts.c.violated).label("violated"), total(check_counts.c.denominator).label("denominator")


def _rate(frame: pd.DataFrame) -> pd.Series:
    """Return violated / denominator in percent, missing where nothing was looked at."""
    looked_at = frame["denominator"].astype("Float64")
    return (100 * frame["violated"].astype("Float64") / looked_at.mask(looked_at == 0)).astype("Float64")


def read_checks(warehouse: Warehouse) -> list[CheckRun]:
    """Return how the last run of each check ended, over all sources, in the order of their ids."""
    rows = warehouse.read(sa.select(
        check_runs.c.check_id, sa.func.max(check_runs.c.error).label("error"),
        total(check_runs.c.violated).label("violated"), total(check_runs.c.denominator).label("denominator"),
    ).group_by(check_runs.c.check_id).order_by(check_runs.c.check_id))
    return [
        CheckRun(row.check_id, Outcome.FAILED, 0, 0, row.error) if isinstance(row.error, str)
        else outcome_of(row.check_id, int(row.violated), int(row.denominator))
        for row in rows.itertuples()
    ]


def check_summary(warehouse: Warehouse, filters: Filters = EVERYTHING) -> pd.DataFrame:
    """Return one row a check that was run: what it found of what it looked at.

    Parameters
    ----------
    warehouse : Warehouse
    filters : Filters
        Dates, sites, modalities and stations; violations and denominator are both of these alone.

    Returns
    -------
    DataFrame
        ``check_id``, ``name``, ``severity``, ``category``, ``violated``, ``denominator``, ``rate`` (percent,
        missing where nothing applies), ``outcome`` (of `Outcome`), ``error``; in the order of the ids.
    """
    counted = warehouse.read(sa.select(check_counts.c.check_id, *_counted()).where(
        *_kept(filters, check_counts)).group_by(check_counts.c.check_id)).set_index("check_id")
    rows: list[dict[str, Any]] = []
    for run in read_checks(warehouse):
        if run.check_id not in CHECKS:
            continue
        spec = CHECKS[run.check_id].spec
        seen = counted.loc[run.check_id] if run.check_id in counted.index else {"violated": 0, "denominator": 0}
        ended = run if run.outcome is Outcome.FAILED else outcome_of(
            run.check_id, int(seen["violated"]), int(seen["denominator"]))
        rows.append({
            "check_id": spec.id, "name": spec.name, "severity": spec.severity.value, "category": spec.category,
            "violated": ended.violated, "denominator": ended.denominator, "rate": ended.rate,
            "outcome": ended.outcome.value, "error": ended.error})
    names = ("check_id", "name", "severity", "category", "violated", "denominator", "rate", "outcome", "error")
    frame = pd.DataFrame(rows, columns=list(names))
    return frame.astype({"violated": "int64", "denominator": "int64", "rate": "Float64"})


def findings_of(warehouse: Warehouse, check_id: str | None = None, filters: Filters = EVERYTHING,
                limit: int = DEFAULT_LIMIT, study_instance_uid: str | None = None, mark: Mark = ()) -> pd.DataFrame:
    """Return findings, the latest first.

    Parameters
    ----------
    warehouse : Warehouse
    check_id : str, optional
        One check; all where not given.
    filters : Filters
    limit : int
        At most so many rows.
    study_instance_uid : str, optional
        One study.
    mark : sequence of (name, value)
        One group of a chart; see `Mark`.

    Returns
    -------
    DataFrame
        The columns of ``findings``, and ``name``, what should hold.
    """
    wanted = [*_kept(filters, findings), *_marked(mark)]
    if check_id is not None:
        wanted.append(findings.c.check_id == check_id)
    if study_instance_uid is not None:
        wanted.append(findings.c.study_instance_uid == study_instance_uid)
    order = (findings.c.found_date.desc().nulls_last(), findings.c.check_id, findings.c.study_instance_uid,
             findings.c.series_instance_uid, findings.c.sop_instance_uid, findings.c.path)
    frame = warehouse.read(sa.select(findings).where(*wanted).order_by(*order).limit(limit))
    names = [CHECKS[one].spec.name if one in CHECKS else "" for one in frame["check_id"]]
    frame.insert(1, "name", pd.Series(names, index=frame.index, dtype=object))
    return frame


def count_findings(warehouse: Warehouse, check_id: str, filters: Filters = EVERYTHING, mark: Mark = ()) -> int:
    """Count the findings of a check, or those behind one mark, of which `findings_of` returns the latest."""
    return warehouse.count(sa.select(findings.c.check_id).where(
        findings.c.check_id == check_id, *_kept(filters, findings), *_marked(mark)))


def studies_with_findings(warehouse: Warehouse, filters: Filters = EVERYTHING, limit: int = 200) -> pd.DataFrame:
    """Return the studies that checks have findings about: those with an error first, then the latest.

    Returns
    -------
    DataFrame
        ``study_instance_uid``, ``accession_number``, ``exam_date``, ``site``, ``modality``, ``station_name``,
        ``severity`` (the worst of its findings), ``findings`` (count), ``checks`` (their ids); one row a study.
        A finding that names no study is not counted.
    """
    rank = sa.case(*((findings.c.severity == literal(severity.value), literal(place))
                     for place, severity in enumerate(Severity)), else_=literal(len(Severity)))
    grouped = sa.select(
        findings.c.study_instance_uid, sa.func.min(rank).label("worst"), sa.func.count().label("findings"),
        *(sa.func.max(findings.c[name]).label(name) for name in ("accession_number", *_DEVICE, "found_date")),
        sa.func.string_agg(sa.distinct(findings.c.check_id), literal(" ")).label("checks"),
    ).where(findings.c.study_instance_uid.is_not(None), *_kept(filters, findings)).group_by(
        findings.c.study_instance_uid).subquery("grouped")
    known = {name: sa.func.coalesce(exams.c[name], grouped.c[name]).label(name)
             for name in ("accession_number", *_DEVICE)}
    day = sa.func.coalesce(exams.c.exam_date, grouped.c.found_date).label("exam_date")
    frame = warehouse.read(sa.select(
        grouped.c.study_instance_uid, known["accession_number"], day, *(known[name] for name in _DEVICE),
        grouped.c.worst, grouped.c.findings, grouped.c.checks,
    ).select_from(grouped.outerjoin(exams, exams.c.study_instance_uid == grouped.c.study_instance_uid)).order_by(
        grouped.c.worst, day.desc().nulls_last(), grouped.c.study_instance_uid).limit(limit))
    names = dict(enumerate(severity.value for severity in Severity))
    frame.insert(6, "severity", frame.pop("worst").map(names))
    frame["checks"] = [" ".join(sorted(ids.split())) for ids in frame["checks"]]
    return frame


def findings_by_device(warehouse: Warehouse, filters: Filters = EVERYTHING,
                       check_id: str | None = None) -> pd.DataFrame:
    """Return how often each check is violated on each device.

    Returns
    -------
    DataFrame
        ``check_id``, ``name``, ``severity``, ``site``, ``modality``, ``station_name``, ``violated``,
        ``denominator``, ``rate`` (percent); devices without a station name are left out.
    """
    device = [check_counts.c[name] for name in _DEVICE]
    wanted = [*_kept(filters, check_counts), check_counts.c.station_name.is_not(None)]
    if check_id is not None:
        wanted.append(check_counts.c.check_id == check_id)
    frame = warehouse.read(sa.select(check_counts.c.check_id, *device, *_counted()).where(*wanted).group_by(
        check_counts.c.check_id, *device).order_by(check_counts.c.check_id, *device))
    specs = [CHECKS[one].spec if one in CHECKS else None for one in frame["check_id"]]
    frame.insert(1, "name", pd.Series([spec.name if spec else "" for spec in specs], dtype=object))
    frame.insert(2, "severity", pd.Series([spec.severity.value if spec else "" for spec in specs], dtype=object))
    frame["rate"] = _rate(frame)
    return frame


def findings_by_month(warehouse: Warehouse, filters: Filters = EVERYTHING,
                      check_id: str | None = None) -> pd.DataFrame:
    """Return how often each check is violated in each calendar month of the exam.

    Returns
    -------
    DataFrame
        ``check_id``, ``month`` (its first day), ``violated``, ``denominator``, ``rate`` (percent).
    """
    month = period_start(check_counts.c.found_date, "month")
    wanted = [*_kept(filters, check_counts), check_counts.c.found_date.is_not(None)]
    if check_id is not None:
        wanted.append(check_counts.c.check_id == check_id)
    frame = warehouse.read(sa.select(check_counts.c.check_id, month.label("month"), *_counted()).where(
        *wanted).group_by(check_counts.c.check_id, month).order_by(check_counts.c.check_id, month))
    frame["rate"] = _rate(frame)
    return frame
