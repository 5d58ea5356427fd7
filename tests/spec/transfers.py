"""Transfers that were not whole, by hand. The archive of North last received something on 10 March 2026 at 12:00.

    no  device  study  what is known of it                                       counted as
    1   CT1     yes    the archive marks it partial                              said to be incomplete
    2   CT1     yes    check REC603 found that its counts differ; February       counts differ
    3   CT1     yes    both                                                      said to be incomplete, once
    4   CT1     yes    some of its objects were rejected                         whole; rejected stands beside
    5   CT1     yes    another archive's copy of it is partial                   whole
    6   CT1     no     complete on 5 March                                       nothing arrived
    7   CT1     no     complete on 9 March at 13:00, 23 hours before             not due yet
    8   CT1     no     complete, and cancelled                                   never done
    9   CT1     no     not complete                                              never done
    10  ECG1    no     an ECG: the archive has none                              not sent as a rule
    11  CT1     no     complete on 1 January, before the archive's first CT      before its time
    12  CT1     no     same patient, day, site and modality as 5                 images are under another number
    13  MR1     yes    whole
    14  MR1     yes    received on 10 March at 12:00                             not due yet
    15  none    no     no modality named                                         not sent as a rule
    16  DX1     yes    whole
    17  DX1     no     ordered as CR, which DX is as well: 1 of 2 arrived        nothing arrived
    18  US1     yes    whole
    19  US1     no     1 of 3 ultrasounds arrived: fewer than every second       not sent as a rule
    20  US1     no     the same

Expected are 1 to 6 (CT1: 4 of 6 not whole), 13 (MR1: 0 of 1), 16 and 17 (DX1: 1 of 2), 18 (US1: 0 of 1): 5 of 10.
The limits are those of statsmodels, proportion_confint(method="wilson").
"""

from __future__ import annotations

from typing import Any

from analytics.core.filters import Filters
from analytics.warehouse.schema import exams, findings, studies
from tests.spec.case import Case, Tables, day, exam


def made(number: int, station: str | None, modality: str | None, when: str = "2026-03-03 09:00", *,
         stored: str | None = None, complete: str | None = None, study: bool = True, **more: Any) -> dict[str, Any]:
    return exam(number, when, study=study, site="North", station_name=station, modality=modality,
                imaging_complete_at=complete or when, stored_at=(stored or when) if study else None, **more)


def lost(number: int, station: str | None, modality: str | None, when: str = "2026-03-05 09:00",
         **more: Any) -> dict[str, Any]:
    return made(number, station, modality, when, study=False, **more)


def copy(number: int, source: str = "archive", **states: str) -> dict[str, Any]:
    return {"source_id": source, "study_instance_uid": f"1.2.{number}", "patient_key": f"p{number}", **states}


def differs(number: int) -> dict[str, Any]:
    return {"check_id": "REC603", "source_id": "archive", "severity": "error", "category": "reconciliation",
            "study_instance_uid": f"1.2.{number}", "evidence": "study says 9 instances, its 2 series 8"}


TABLES: Tables = {
    exams: [
        made(1, "CT1", "CT", "2026-02-20 09:00"), made(2, "CT1", "CT", "2026-02-21 09:00"), made(3, "CT1", "CT"),
        made(4, "CT1", "CT"), made(5, "CT1", "CT", "2026-03-04 09:00"), lost(6, "CT1", "CT"),
        lost(7, "CT1", "CT", "2026-03-08 09:00", complete="2026-03-09 13:00"),
        lost(8, "CT1", "CT", exam_cancelled_at="2026-03-05 10:00"),
        lost(9, "CT1", "CT") | {"imaging_complete_at": None}, lost(10, "ECG1", "ECG"),
        lost(11, "CT1", "CT", "2026-01-01 09:00"), lost(12, "CT1", "CT", "2026-03-04 11:00") | {"patient_key": "p5"},
        made(13, "MR1", "MR"), made(14, "MR1", "MR", "2026-03-10 11:00", stored="2026-03-10 12:00"),
        lost(15, None, None), made(16, "DX1", "DX"), lost(17, "DX1", "CR"),
        made(18, "US1", "US"), lost(19, "US1", "US"), lost(20, "US1", "US"),
    ],
    studies: [copy(1, completeness="partial"), copy(2, completeness="complete"), copy(3, completeness="partial"),
              copy(4, completeness="unknown", rejection_state="partial"), copy(5, rejection_state="none"),
              copy(5, "second", completeness="partial")],
    findings: [differs(2), differs(3)],
}
LEFT_OUT = {
    "completed or received less than 24 hours before the last thing that the site's archive received": 2,
    "complete without images, of a modality that its site does not send to the archive as a rule, or that no order "
    "names": 4,
    "complete without images, before the archive's first study of its site and modality": 1,
    "complete without images of its own, while the patient has another study of that day, site and modality: one study "
    "for several orders, or a wrong accession number (checks REC601 and REC602)": 1,
}
NORTH = {"site": "North"}
CASES = [
    Case("sources.incomplete_transfers", [
        {**NORTH, "station_name": "CT1", "rate": 100 * 4 / 6, "at_least": 29.999331513839184,
         "at_most": 90.32285888942195, "incomplete": 4, "expected": 6, "nothing_arrived": 1, "said_incomplete": 2,
         "counts_differ": 1, "rejected": 1},
        {**NORTH, "station_name": "DX1", "rate": 50.0, "at_least": 9.453120573423074, "at_most": 90.54687942657693,
         "incomplete": 1, "expected": 2, "nothing_arrived": 1, "said_incomplete": 0, "counts_differ": 0, "rejected": 0},
        {**NORTH, "station_name": "MR1", "rate": 0.0, "at_least": 0.0, "at_most": 79.34506856227626, "incomplete": 0,
         "expected": 1, "nothing_arrived": 0, "said_incomplete": 0, "counts_differ": 0, "rejected": 0},
        {**NORTH, "station_name": "US1", "rate": 0.0, "at_least": 0.0, "at_most": 79.34506856227626, "incomplete": 0,
         "expected": 1, "nothing_arrived": 0, "said_incomplete": 0, "counts_differ": 0, "rejected": 0},
    ], headline=50.0, n=10, left_out=LEFT_OUT),
    Case("sources.incomplete_transfers", [
        {"way": "nothing arrived", "incomplete": 2, "expected": 10, "rate": 20.0},
        {"way": "said to be incomplete", "incomplete": 2, "expected": 10, "rate": 20.0},
        {"way": "counts differ", "incomplete": 1, "expected": 10, "rate": 10.0},
    ], headline=50.0, n=10, left_out=LEFT_OUT, options={"by": "way"}),
    Case("sources.incomplete_transfers", [
        {"period": day("2026-02-01"), "way": "nothing arrived", "incomplete": 0, "expected": 2},
        {"period": day("2026-02-01"), "way": "said to be incomplete", "incomplete": 1, "expected": 2},
        {"period": day("2026-02-01"), "way": "counts differ", "incomplete": 1, "expected": 2},
    ], headline=100.0, n=2, options={"by": "way", "period": "month"},
        filters=Filters(date_from=day("2026-02-01"), date_to=day("2026-02-28"))),
]
