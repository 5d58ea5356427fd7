"""One study: found by either number, its timeline in order, its findings errors first."""

from __future__ import annotations

import pytest

from analytics.core.errors import PacsmeterError
from analytics.metrics.study import (
    find_studies,
    study_copies,
    study_facts,
    study_findings,
    study_images,
    study_series,
    study_timeline,
)
from analytics.warehouse.schema import events, findings, instances, orders, series, studies
from analytics.warehouse.store import Store, Warehouse
from tests.spec.case import at
from tests.support import build

UID = "1.2.840.1"


def _finding(check: str, severity: str, **where: str) -> dict[str, str]:
    return {"check_id": check, "severity": severity, "category": "temporal", "evidence": "seen", **where}


@pytest.fixture
def warehouse(store: Store) -> Warehouse:
    return build(store, {
        studies: [
            {"study_instance_uid": UID, "patient_key": "p", "accession_number": "A_1", "name_key": "n",
             "study_at": at("2026-01-05 09:00"), "stored_at": at("2026-01-05 09:30")},
            {"study_instance_uid": "1.2.840.2", "patient_key": "p", "accession_number": "AX1",
             "study_at": at("2026-01-06 09:00")},
        ],
        orders: [{"accession_number": "A_1", "priority": "S"}],
        events: [{"accession_number": "A_1", "event": "Order", "event_at": at("2026-01-04 09:00"), "origin": "ORC-9"},
                 {"accession_number": "AX1", "event": "ProcedureStart", "event_at": at("2026-01-06 09:05"),
                  "origin": "MPPS (0040,0244)"},
                 {"accession_number": "A_1", "event": "Reported", "event_at": at("2026-01-05 10:00")},
                 {"accession_number": "A_1", "event": "Reported", "event_at": at("2026-01-05 11:00")}],
        series: [{"study_instance_uid": UID, "series_instance_uid": f"{UID}.{n}", "series_number": n} for n in (2, 1)],
        instances: [{"study_instance_uid": UID, "series_instance_uid": f"{UID}.1", "sop_instance_uid": f"{UID}.1.{n}",
                     "path": f"{n}.dcm", "instance_number": n} for n in (3, 1, 2)],
        findings: [_finding("TMP305", "warning", study_instance_uid=UID), _finding("TMP303", "error",
                                                                                  accession_number="A_1"),
                   _finding("TMP301", "error", study_instance_uid="1.2.840.2")],
    })


def test_a_study_is_found_by_uid_accession_number_or_their_beginning(warehouse: Warehouse) -> None:
    for text in (UID, f" {UID} ", "A_1"):
        assert find_studies(warehouse, text).study_instance_uid.tolist() == [UID], text
    assert find_studies(warehouse, "1.2.840").accession_number.tolist() == ["AX1", "A_1"]
    assert len(find_studies(warehouse, "A_")) == 1, "an underscore is itself, not any character"
    assert len(find_studies(warehouse, "")) == len(find_studies(warehouse, "nothing")) == 0


def test_the_timeline_is_in_order_and_keeps_repeated_events(warehouse: Warehouse) -> None:
    line = study_timeline(warehouse, UID)
    assert line.event.tolist() == ["Order", "StudyTime", "ReceivedByArchive", "Reported", "Reported"]
    assert line.minutes_since_first.tolist() == [0, 1440, 1470, 1500, 1560]
    assert line.rid.tolist() == ["RID45813", "", "", "RID45924", "RID45924"]
    assert line.origin.tolist()[0] == "ORC-9"
    assert line.counts.tolist() == [True, True, True, True, False], "of two final reports the first counts"


def test_a_study_without_an_order_has_the_events_of_the_archive_and_its_objects(warehouse: Warehouse) -> None:
    line = study_timeline(warehouse, "1.2.840.2")
    assert line.event.tolist() == ["StudyTime", "ProcedureStart"]
    assert line.counts.tolist() == [False, True], "the device's own report of the start stands before the study's time"


def test_series_and_images_come_by_number(warehouse: Warehouse) -> None:
    assert study_series(warehouse, UID).series_number.tolist() == [1, 2]
    assert study_images(warehouse, UID).instance_number.tolist() == [1, 2, 3]


def test_findings_name_the_study_or_its_order_errors_first(warehouse: Warehouse) -> None:
    assert study_findings(warehouse, UID).check_id.tolist() == ["TMP303", "TMP305"]


def test_no_pseudonym_of_a_name_is_shown(warehouse: Warehouse) -> None:
    assert not {"name_key", "birth_date_key"} & set(study_copies(warehouse, UID).columns)
    assert study_facts(warehouse, UID)["priority"] == "S"


def test_a_study_that_is_not_there_is_said_so(warehouse: Warehouse) -> None:
    with pytest.raises(PacsmeterError, match="No study has this UID"):
        study_timeline(warehouse, "9.9")
