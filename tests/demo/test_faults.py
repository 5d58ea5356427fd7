"""What was planted is in the export, and nothing else violates a check."""

from __future__ import annotations

import json

import pytest

from analytics.demo import plan
from tests.demo.conftest import Export
from tests.demo.violations import FIND


@pytest.mark.parametrize("check_id", sorted(FIND))
def test_exactly_the_planted_rows_violate(export: Export, check_id: str) -> None:
    planted = {key for fault in export.truth.faults if fault.check_id == check_id and "image:" not in fault.kind
               for key in fault.keys}
    assert planted
    assert FIND[check_id](export) == planted


def test_every_kind_of_the_plan_is_planted_at_its_rate(export: Export) -> None:
    planted = {fault.check_id: fault for fault in export.truth.faults if not fault.kind.startswith("image:")}
    assert set(plan.FAULT_RATES) | {"REC605", "TMP306", "TMP309"} == set(planted)
    exams = len(export.studies)
    for check_id, rate in (("IDN208", 0.002), ("REC602", 0.0015), ("TMP303", 0.001)):
        assert planted[check_id].planted == pytest.approx(rate * exams, rel=0.1, abs=2)


def test_a_patient_with_a_fault_is_listed_with_all_studies(export: Export) -> None:
    for fault in export.truth.faults:
        if fault.key == "patient_id":
            for patient_id in fault.keys:
                listed = set(fault.studies[patient_id])
                own = export.studies.loc[export.studies["PAT_ID"] == patient_id, "STUDY_UID"]
                assert set(own) <= listed
                assert listed <= set(export.studies["STUDY_UID"])


def test_the_truth_file_says_how_many(export: Export) -> None:
    content = json.loads((export.folder / "truth.json").read_text())
    assert all(fault["planted"] == len(fault["keys"]) for fault in content["faults"])
    assert content["counts"]["studies"] == len(export.studies)
    assert content["counts"]["series"] == len(export.series)
    assert content["counts"]["ris"] == len(export.ris)
