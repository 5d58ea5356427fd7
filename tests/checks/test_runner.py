"""The runner: what it keeps, what it replaces, and what a check that fails leaves behind."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from analytics.checks.base import Check
from analytics.checks.catalog import CHECKS
from analytics.checks.runner import run_check, run_checks
from analytics.checks.wording import evidence, violated
from analytics.core.errors import PacsmeterError
from analytics.core.findings import CheckRun, CheckSpec, Outcome, Severity
from analytics.warehouse.expressions import literal
from analytics.warehouse.schema import check_counts, check_runs, events, findings, series, studies
from analytics.warehouse.store import Draft, Store
from tests.support import build, put

SPEC = CheckSpec(
    id="DCM199", name="Every study has a description", severity=Severity.WARNING, category="conformance",
    definition="Denominator: studies. Violated where there is none.", citation="none, made for this test",
    fix_technologist="nothing to do", fix_administrator="nothing to do")
DAY = dt.datetime(2026, 3, 1, 10, tzinfo=dt.UTC)


class Sound(Check):
    """Not in the catalog: it has no ``spec`` of its own in its body."""

    def candidates(self) -> sa.Select[Any]:
        return sa.select(
            studies.c.source_id, studies.c.study_instance_uid, violated(studies.c.study_description.is_(None)),
            evidence("no description"))


class Failing(Sound):
    def candidates(self) -> sa.Select[Any]:
        broken = sa.cast(studies.c.study_instance_uid, sa.Integer) / literal(0)
        return sa.select(studies.c.source_id, violated(broken > literal(0)),
                         evidence(sa.cast(sa.cast(literal("no number"), sa.Integer), sa.String)))


Sound.spec = Failing.spec = SPEC


@pytest.fixture
def draft(store: Store) -> Iterator[Draft]:
    """Give a draft of three studies, one without a description."""
    build(store, {studies: [
        {"study_instance_uid": "1", "patient_key": "p", "study_description": "CT Head", "source_id": "a"},
        {"study_instance_uid": "2", "patient_key": "p", "source_id": "a", "site": "North", "modality": "CT",
         "station_name": "CT1", "study_at": DAY},
        {"study_instance_uid": "3", "patient_key": "p", "study_description": "CT Head", "source_id": "b"},
    ]}).close()
    with store.draft() as opened:
        yield opened


def test_counts_are_kept_by_source(draft: Draft) -> None:
    assert run_check(draft, Sound()) == CheckRun("DCM199", Outcome.VIOLATED, 1, 3)
    rows = draft.read(sa.select(check_runs).order_by(check_runs.c.source_id))
    assert rows[["source_id", "outcome", "violated", "denominator"]].values.tolist() == [
        ["a", "violated", 1, 2], ["b", "passed", 0, 1]]


def test_a_finding_takes_place_and_date_from_its_exam(draft: Draft) -> None:
    run_check(draft, Sound())
    found = draft.read(sa.select(findings)).to_dict("records")
    assert [(row["site"], row["modality"], row["station_name"], row["found_date"].date().isoformat(), row["severity"],
             row["evidence"]) for row in found] == [("North", "CT", "CT1", "2026-03-01", "warning", "no description")]


def test_what_a_candidate_says_of_its_place_comes_before_its_exam(draft: Draft) -> None:
    class Elsewhere(Sound):
        def candidates(self) -> sa.Select[Any]:
            return super().candidates().add_columns(literal("MR7").label("station_name"))

    Elsewhere.spec = SPEC
    run_check(draft, Elsewhere())
    found = draft.read(sa.select(findings.c.station_name, findings.c.site))
    assert found.values.tolist() == [["MR7", "North"]]


def test_nothing_to_look_at_is_not_applicable(draft: Draft) -> None:
    class Nowhere(Sound):
        def candidates(self) -> sa.Select[Any]:
            return super().candidates().where(sa.false())

    Nowhere.spec = SPEC
    run = run_check(draft, Nowhere())
    assert (run.outcome, run.rate) == (Outcome.NOT_APPLICABLE, None)
    assert draft.read(sa.select(check_runs.c.source_id, check_runs.c.outcome)).values.tolist() == [
        ["", "not applicable"]]


def test_running_again_replaces(draft: Draft) -> None:
    for _ in range(2):
        run_check(draft, Sound())
        assert [draft.count(table) for table in (check_runs, check_counts, findings)] == [2, 3, 1]
    put(draft, {studies: [{"study_instance_uid": "2", "patient_key": "p", "study_description": "CT"}]}, "a")
    assert run_check(draft, Sound()).outcome is Outcome.PASSED
    assert [draft.count(table) for table in (check_runs, check_counts, findings)] == [2, 3, 0]


def test_a_check_that_fails_is_said_to_and_leaves_nothing_of_its_own(draft: Draft) -> None:
    run_check(draft, Sound())
    run = run_check(draft, Failing())
    assert run.outcome is Outcome.FAILED
    assert run.error and "\n" not in run.error
    assert [draft.count(table) for table in (check_counts, findings)] == [0, 0]
    assert draft.read(sa.select(check_runs.c.outcome, check_runs.c.error)).values.tolist() == [["failed", run.error]]


def test_a_check_that_fails_stops_no_other(draft: Draft, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = type(CHECKS["IDN201"])
    monkeypatch.setattr(broken, "candidates", Failing.candidates)
    runs = {run.check_id: run for run in run_checks(draft, ids=["IDN201", "IDN206"])}
    assert runs["IDN201"].outcome is Outcome.FAILED
    assert (runs["IDN206"].outcome, runs["IDN206"].denominator) == (Outcome.PASSED, 3)


def test_an_unknown_check_is_an_error_that_says_where_to_look(draft: Draft) -> None:
    with pytest.raises(PacsmeterError, match="check list"):
        run_checks(draft, ids=["DCM999"])


def test_what_a_retired_check_found_is_forgotten_when_all_run(duck_store: Store) -> None:
    build(duck_store, {studies: [{"study_instance_uid": "1", "patient_key": "p"}]}).close()
    with duck_store.draft() as opened:
        run_check(opened, Sound())
        run_checks(opened)
        for table in (check_runs, check_counts, findings):
            assert opened.count(sa.select(table.c.check_id).where(table.c.check_id == "DCM199")) == 0


def test_an_exam_known_by_its_events_alone_has_no_source(duck_store: Store) -> None:
    build(duck_store, {events: [
        {"accession_number": "A", "event": "ProcedureStart", "event_at": DAY},
        {"accession_number": "A", "event": "ImagingComplete", "event_at": DAY - dt.timedelta(hours=1)}]}).close()
    with duck_store.draft() as opened:
        run_checks(opened, ids=["TMP303"])
        assert opened.read(sa.select(findings.c.source_id, findings.c.accession_number)).values.tolist() == [["", "A"]]


def test_rows_with_nothing_but_their_keys_make_no_check_fail(store: Store) -> None:
    build(store, {studies: [{"study_instance_uid": "1", "patient_key": ""}],
                  series: [{"study_instance_uid": "1", "series_instance_uid": "2"}]}).close()
    with store.draft() as opened:
        assert [run for run in run_checks(opened) if run.violated or run.error] == []
