"""Running the checks: each counts its candidates and keeps its violations, all inside the database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from analytics.checks.base import FINDING_COLUMNS, Check
from analytics.checks.catalog import CHECKS
from analytics.core.findings import CheckRun, Outcome
from analytics.core.progress import Progress, silent
from analytics.warehouse.engine import table_schema
from analytics.warehouse.expressions import count_where, literal
from analytics.warehouse.schema import check_counts, check_runs, exams, findings
from analytics.warehouse.store import Draft

_FROM_EXAM = {"site": "site", "modality": "modality", "station_name": "station_name", "found_date": "exam_date"}
_GROUP = ("source_id", *_FROM_EXAM)
_KEPT = (check_counts, findings, check_runs)
_LONGEST_ERROR = 200


def run_checks(draft: Draft, *, ids: Iterable[str] | None = None, progress: Progress = silent) -> list[CheckRun]:
    """Run checks over a draft and keep what they find, in place of what an earlier run found.

    Parameters
    ----------
    draft : Draft
    ids : iterable of str, optional
        The checks to run; all of the catalog where not given.
    progress : Progress

    Returns
    -------
    list of CheckRun
        One a check, in the order of their ids. A check that itself fails has the outcome ``FAILED`` with one
        line that says why, and leaves nothing of its own behind; the others run on.

    Raises
    ------
    PacsmeterError
        There is no check with an id that was asked for.
    """
    chosen = list(CHECKS) if ids is None else [CHECKS[check_id] for check_id in ids]
    if ids is None:
        _forget_retired(draft)
    draft.analyze()
    runs = []
    for done, check in enumerate(chosen):
        progress("checking", done, len(chosen))
        runs.append(run_check(draft, check))
    progress("checking", len(chosen), len(chosen))
    return runs


def run_check(draft: Draft, check: Check) -> CheckRun:
    """Run one check in one step: all that it found is kept, or its failure alone."""
    try:
        with draft.transaction():
            return _run(draft, check)
    except Exception as error:  # whatever a check does wrong is its own outcome, and stops no other
        failed = CheckRun(check.spec.id, Outcome.FAILED, 0, 0, _one_line(error))
        with draft.transaction():
            _forget(draft, check.spec.id)
            _record(draft, {"": failed})
        return failed


def _run(draft: Draft, check: Check) -> CheckRun:
    _forget(draft, check.spec.id)
    rows = placed(check.candidates()).subquery("placed")
    _insert(draft, check_counts, sa.select(
        literal(check.spec.id).label("check_id"), *(rows.c[name] for name in _GROUP),
        count_where(rows.c.violated).label("violated"), sa.func.count().label("denominator"),
    ).group_by(*(rows.c[name] for name in _GROUP)))
    by_source = _totals(draft, check.spec.id)
    if any(run.violated for run in by_source.values()):
        _insert(draft, findings, sa.select(
            literal(check.spec.id).label("check_id"), literal(check.spec.severity.value).label("severity"),
            literal(check.spec.category).label("category"), *(rows.c[name] for name in FINDING_COLUMNS),
            rows.c.evidence).where(rows.c.violated))
    _record(draft, by_source or {"": outcome_of(check.spec.id, 0, 0)})
    return outcome_of(check.spec.id, sum(run.violated for run in by_source.values()),
                      sum(run.denominator for run in by_source.values()))


def placed(candidates: sa.Select[Any]) -> sa.Select[Any]:
    """Give candidates every column of a finding; the place and date they leave out are their exam's."""
    rows = candidates.subquery("candidates")
    joined: sa.FromClause = rows
    missing = set(_FROM_EXAM) - set(rows.c.keys())
    if missing and "study_instance_uid" in rows.c:
        joined = rows.join(exams, rows.c.study_instance_uid == exams.c.study_instance_uid, isouter=True)

    def column(name: str) -> sa.ColumnElement[Any]:
        own = rows.c.get(name)
        if name == "source_id":  # an exam known by its events alone has no source of its own
            return sa.func.coalesce(rows.c.source_id, literal(""))
        exam = exams.c[_FROM_EXAM[name]] if name in _FROM_EXAM and joined is not rows else None
        if own is None:
            return exam if exam is not None else sa.cast(sa.null(), findings.c[name].type)
        return sa.func.coalesce(own, exam) if exam is not None else own

    return sa.select(*(column(name).label(name) for name in FINDING_COLUMNS),
                     rows.c.violated, rows.c.evidence).select_from(joined)


def outcome_of(check_id: str, violated: int, denominator: int) -> CheckRun:
    """Return how a run ended by its counts: nothing looked at is *not applicable*, never passed."""
    outcome = (Outcome.VIOLATED if violated else Outcome.PASSED) if denominator else Outcome.NOT_APPLICABLE
    return CheckRun(check_id, outcome, violated, denominator)


def _totals(draft: Draft, check_id: str) -> dict[str, CheckRun]:
    counted = draft.read(
        sa.select(check_counts.c.source_id, sa.func.sum(check_counts.c.violated).label("violated"),
                  sa.func.sum(check_counts.c.denominator).label("denominator"))
        .where(check_counts.c.check_id == check_id).group_by(check_counts.c.source_id))
    return {row.source_id: outcome_of(check_id, int(row.violated), int(row.denominator))
            for row in counted.itertuples()}


def _record(draft: Draft, by_source: Mapping[str, CheckRun]) -> None:
    rows = [{"check_id": run.check_id, "source_id": source_id, "outcome": run.outcome.value,
             "violated": run.violated, "denominator": run.denominator, "error": run.error or None}
            for source_id, run in by_source.items()]
    draft.append(check_runs, pa.RecordBatch.from_pylist(rows, schema=table_schema(check_runs)))


def _insert(draft: Draft, table: sa.Table, rows: sa.Select[Any]) -> None:
    draft.execute(sa.insert(table).from_select(
        [column.name for column in rows.selected_columns], rows, include_defaults=False))


def _forget(draft: Draft, check_id: str) -> None:
    for table in _KEPT:
        draft.execute(sa.delete(table).where(table.c.check_id == check_id))


def _forget_retired(draft: Draft) -> None:
    known = [check.spec.id for check in CHECKS]
    with draft.transaction():
        for table in _KEPT:
            draft.execute(sa.delete(table).where(table.c.check_id.not_in(known)))


def _one_line(error: Exception) -> str:
    first = (str(error).strip().splitlines() or [""])[0]
    return f"{type(error).__name__}: {first}"[:_LONGEST_ERROR]
