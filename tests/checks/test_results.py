"""What pages read: violations and denominators of the same rows, under every filter."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest
import sqlalchemy as sa

from analytics.checks.recall import compare_with_truth
from analytics.checks.results import (
    check_summary,
    count_findings,
    findings_by_device,
    findings_by_month,
    findings_of,
    read_checks,
    studies_with_findings,
)
from analytics.checks.runner import run_checks
from analytics.core.filters import Filters
from analytics.core.findings import Outcome
from analytics.warehouse.schema import check_runs, findings, sources, studies
from analytics.warehouse.store import Store, Warehouse
from tests.support import build

NORTH, SOUTH = {"site": "North", "station_name": "CT1", "modality": "CT"}, {"site": "South", "station_name": "MR1",
                                                                           "modality": "MR"}

RUN = ("DCM101", "IDN201", "IDN208", "REC605")


def study(number: int, patient: str, accession: str, place: dict[str, str], month: int) -> dict[str, object]:
    return {"study_instance_uid": str(number), "patient_key": patient, "accession_number": accession, **place,
            "study_at": dt.datetime(2026, month, 1, 10, tzinfo=dt.UTC)}


@pytest.fixture
def warehouse(store: Store) -> Warehouse:
    """Give five studies: of North one without a patient ID in March; of South one without accession in April."""
    build(store, {
        sources: [{"kind": "index_export", "location": "here", "is_demo": True}],
        studies: [study(1, "a", "A1", NORTH, 3), study(2, "", "A2", NORTH, 3), study(3, "b", "A3", NORTH, 4),
                  study(4, "c", "A4", SOUTH, 3), study(5, "d", "", SOUTH, 4)]}).close()
    with store.draft() as draft:
        run_checks(draft, ids=RUN)
    return store.current()


def of(frame: pd.DataFrame, check_id: str) -> list[object]:
    row = frame[frame["check_id"] == check_id].iloc[0]
    return [row["violated"], row["denominator"], row["outcome"]]


def test_a_summary_counts_what_the_filters_keep_on_both_sides_of_the_rate(warehouse: Warehouse) -> None:
    assert of(check_summary(warehouse), "IDN201") == [1, 5, "violated"]
    assert of(check_summary(warehouse, Filters(sites=("North",))), "IDN201") == [1, 3, "violated"]
    assert of(check_summary(warehouse, Filters(station_names=("MR1",))), "IDN201") == [0, 2, "passed"]
    assert of(check_summary(warehouse, Filters(date_from=dt.date(2026, 4, 1))), "IDN208") == [1, 2, "violated"]
    assert of(check_summary(warehouse, Filters(modalities=("US",))), "IDN208") == [0, 0, "not applicable"]


def test_class_and_priority_are_no_filters_of_findings(warehouse: Warehouse) -> None:
    pd.testing.assert_frame_equal(
        check_summary(warehouse, Filters(patient_classes=("I",), priorities=("S",))), check_summary(warehouse))


def test_a_rate_of_nothing_is_missing(warehouse: Warehouse) -> None:
    frame = check_summary(warehouse).set_index("check_id")
    assert frame.loc["IDN201", "rate"] == 20
    assert pd.isna(frame.loc["DCM101", "rate"])


def test_findings_are_those_of_a_check_a_study_and_the_filters(warehouse: Warehouse) -> None:
    assert findings_of(warehouse, "IDN201")["study_instance_uid"].tolist() == ["2"]
    assert set(findings_of(warehouse, study_instance_uid="5")["check_id"]) == {"IDN208"}
    assert findings_of(warehouse, filters=Filters(sites=("South",)))["study_instance_uid"].tolist() == ["5"]
    assert len(findings_of(warehouse, limit=1)) == 1
    assert findings_of(warehouse, "IDN201")["name"].tolist() == [
        "The patient has an ID that is not missing and not a placeholder"]


def test_a_device_has_its_own_rate(warehouse: Warehouse) -> None:
    frame = findings_by_device(warehouse, check_id="IDN208")
    assert frame[["station_name", "violated", "denominator", "rate"]].values.tolist() == [
        ["CT1", 0, 3, 0.0], ["MR1", 1, 2, 50.0]]


def test_a_month_has_its_own_rate(warehouse: Warehouse) -> None:
    frame = findings_by_month(warehouse, Filters(sites=("North",)), "IDN201")
    assert [(row.month.month, row.violated, row.denominator) for row in frame.itertuples()] == [(3, 1, 2), (4, 0, 1)]


@pytest.mark.parametrize(("mark", "uids"), [
    ([("site", "North"), ("modality", "CT"), ("station_name", "CT1")], ["2"]), ([("station_name", "MR1")], []),
    ([("month", "2026-03-01")], ["2"]), ([("month", dt.date(2026, 4, 1))], []), ([("station_name", None)], [])])
def test_a_mark_leads_to_its_own_findings(warehouse: Warehouse, mark: list[tuple[str, object]],
                                          uids: list[str]) -> None:
    assert findings_of(warehouse, "IDN201", mark=mark)["study_instance_uid"].tolist() == uids
    assert count_findings(warehouse, "IDN201", mark=mark) == len(uids)


def test_every_mark_of_a_chart_has_as_many_findings_as_it_says(warehouse: Warehouse) -> None:
    for check_id in RUN:
        for row in findings_by_device(warehouse, check_id=check_id).itertuples():
            mark = [("site", row.site), ("modality", row.modality), ("station_name", row.station_name)]
            assert count_findings(warehouse, check_id, mark=mark) == row.violated
        for row in findings_by_month(warehouse, check_id=check_id).itertuples():
            assert count_findings(warehouse, check_id, mark=[("month", f"{row.month:%Y-%m-%d}")]) == row.violated


def test_studies_with_findings_are_those_with_an_error_first_then_the_latest(store: Store) -> None:
    def found(uid: str | None, check_id: str, severity: str, day: int, **more: object) -> dict[str, object]:
        return {"check_id": check_id, "severity": severity, "category": "identity", "study_instance_uid": uid,
                "found_date": dt.date(2026, 3, day), "evidence": "seen", **NORTH, **more}

    warehouse = build(store, {studies: [study(2, "a", "A2", SOUTH, 4)], findings: [
        found("1", "IDN201", "warning", 9), found("2", "IDN201", "warning", 1), found("2", "IDN208", "error", 1),
        found("2", "IDN201", "info", 1), found("3", "IDN201", "warning", 20), found("4", "TMP301", "error", 2),
        found("5", "TMP301", "info", 30), found(None, "REC605", "error", 31)]})
    frame = studies_with_findings(warehouse)
    assert frame[["study_instance_uid", "severity", "findings", "checks"]].values.tolist() == [
        ["2", "error", 3, "IDN201 IDN208"], ["4", "error", 1, "TMP301"], ["3", "warning", 1, "IDN201"],
        ["1", "warning", 1, "IDN201"], ["5", "info", 1, "TMP301"]]
    # What the archive says of a study goes before what one finding says.
    assert frame.loc[0, ["site", "modality", "station_name", "accession_number"]].tolist() == [
        "South", "MR", "MR1", "A2"]
    assert frame.loc[0, "exam_date"] == pd.Timestamp(2026, 4, 1)
    assert studies_with_findings(warehouse, limit=1)["study_instance_uid"].tolist() == ["2"]
    assert studies_with_findings(warehouse, Filters(sites=("South",))).empty


def test_a_check_that_failed_is_shown_as_failed(store: Store, warehouse: Warehouse) -> None:
    with store.draft() as draft:
        draft.execute(sa.update(check_runs).where(check_runs.c.check_id == "IDN201").values(
            outcome="failed", error="DataError: x"))
    fresh = store.current()
    assert of(check_summary(fresh), "IDN201") == [0, 0, "failed"]
    assert [run.outcome for run in read_checks(fresh) if run.check_id == "IDN201"] == [Outcome.FAILED]


def test_recall_counts_planted_found_and_what_was_not_planted(warehouse: Warehouse) -> None:
    truth = {"faults": [
        {"check_id": "IDN201", "kind": "no ID", "key": "study_instance_uid", "keys": ["2", "3"]},
        {"check_id": "IDN208", "kind": "no number", "key": "study_instance_uid", "keys": []},
        {"check_id": "REC605", "kind": "spelling", "key": "station_name", "keys": ["5"]},
    ]}
    frame = compare_with_truth(warehouse, truth).set_index("check_id")
    assert frame.loc["IDN201", ["planted", "found", "recall", "false_positives"]].tolist() == [2, 1, 50.0, 0]
    assert frame.loc["IDN208", ["planted", "found", "false_positives", "explained"]].tolist() == [0, 0, 1, 0]
    assert pd.isna(frame.loc["IDN208", "recall"])


def test_recall_takes_patients_by_their_studies_and_months_by_station(warehouse: Warehouse) -> None:
    truth = {"faults": [
        {"check_id": "IDN201", "kind": "by patient", "key": "patient_id", "keys": ["raw"], "studies": {"raw": ["2"]}},
        {"check_id": "IDN201", "kind": "by month", "key": "station_name and month", "keys": ["CT1 2026-03"]},
        {"check_id": "IDN208", "kind": "elsewhere", "key": "accession_number", "keys": ["A9"]},
    ]}
    frame = compare_with_truth(warehouse, truth).set_index("kind")
    assert frame.loc[["by patient", "by month"], "found"].tolist() == [1, 1]
    assert frame.loc[["by patient", "elsewhere"], "false_positives"].tolist() == [0, 1]


def test_recall_looks_at_the_demo_alone(store: Store, warehouse: Warehouse) -> None:
    with store.draft() as draft:
        draft.execute(sa.update(sources).values(is_demo=False))
    truth = {"faults": [{"check_id": "IDN201", "kind": "no ID", "key": "study_instance_uid", "keys": ["2"]}]}
    assert compare_with_truth(store.current(), truth)["found"].tolist() == [0]
