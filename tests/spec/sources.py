"""Health of sources, by hand. The last load ended at 2026-02-02 00:00; the last thing known is of 2026-02-01 12:00.

    no  device  exam start (RIS)   study time (device)  complete   received
    1   CT1     2026-01-10 09:00   09:10   +10          09:20      09:25
    2   CT1     2026-01-11 09:00   09:12   +12          09:20      09:27
    3   CT1     2026-01-12 09:00   09:14   +14          09:20      09:10 (before the exam was complete)
    4   CT1     2026-01-13 09:00   2 days later         09:20      2026-02-01 12:00
    5   MR1     2026-01-10 09:00   08:58   -2           09:20      09:21

A final report dated 2030 is later than the load that read it: wrong, and does not move the snapshot's instant.
"""

from __future__ import annotations

from typing import Any

from analytics.warehouse.schema import covered_parts, events, exams, loads, quarantine, sources, studies
from tests.spec.case import Case, Tables, at, day, exam

JANUARY = day("2026-01-01")
CT, MR = {"site": "North", "station_name": "CT1"}, {"site": "North", "station_name": "MR1"}


WRITTEN = {1: "2026-01-10 09:10", 2: "2026-01-11 09:12", 3: "2026-01-12 09:14", 4: "2026-01-15 09:00",
           5: "2026-01-10 08:58"}
"""By the device's own clock."""


def made(number: int, start: str, stored: str, device: dict[str, str], **more: Any) -> dict[str, Any]:
    return exam(number, start, **device, procedure_start_at=start, imaging_complete_at=f"{start[:11]}09:20",
                stored_at=stored, study_at=WRITTEN[number], **more)


def copy(number: int, stored: str) -> dict[str, Any]:
    return {"source_id": "archive", "study_instance_uid": f"1.2.{number}", "patient_key": f"p{number}",
            "study_at": at(WRITTEN[number]), "stored_at": at(stored)}


def event(number: int, name: str, when: str) -> dict[str, Any]:
    return {"source_id": "ris", "accession_number": f"A{number}", "event": name, "event_at": at(when)}


def load(name: str, source: str, finished: str, read: int, left_out: int) -> dict[str, Any]:
    return {"load_id": name, "source_id": source, "started_at": at("2026-02-01 23:00"), "finished_at": at(finished),
            "records_read": read, "added": read - left_out, "changed": 0, "unchanged": 0, "removed": 0,
            "left_out": left_out, "complete": True}


def part(name: str, first: str | None, last: str | None, records: int) -> dict[str, Any]:
    return {"source_id": "archive", "part": name, "covered_from": first and day(first),
            "covered_to": last and day(last), "records": records, "load_id": "L1", "read_at": at("2026-02-01 23:10")}


def refused(locator: str, code: str) -> dict[str, Any]:
    return {"source_id": "archive", "locator": locator, "reason_code": code, "reason": f"because {code}",
            "load_id": "L1", "seen_at": at("2026-02-01 23:30")}


TABLES: Tables = {
    exams: [
        made(1, "2026-01-10 09:00", "2026-01-10 09:25", CT), made(2, "2026-01-11 09:00", "2026-01-11 09:27", CT),
        made(3, "2026-01-12 09:00", "2026-01-12 09:10", CT, reported_at="2030-01-01 00:00"),
        made(4, "2026-01-13 09:00", "2026-02-01 12:00", CT), made(5, "2026-01-10 09:00", "2026-01-10 09:21", MR),
    ],
    studies: [
        copy(1, "2026-01-10 09:25"), copy(2, "2026-01-11 09:27"),
        copy(3, "2026-01-12 09:10"), copy(4, "2026-02-01 12:00"),
        copy(5, "2026-01-10 09:21"),
    ],
    events: [event(1, "Reported", "2026-02-01 10:00"), event(3, "Reported", "2030-01-01 00:00"),
             event(9, "ApptTime", "2026-02-01 11:30")],
    sources: [
        {"source_id": "archive", "kind": "index_export", "location": "studies.csv", "is_demo": False},
        {"source_id": "ris", "kind": "ris_events", "location": "ris.csv", "is_demo": False},
    ],
    covered_parts: [part("2025", "2025-01-01", "2025-12-31", 40), part("2026-01", "2026-01-01", "2026-01-31", 7),
                    part("2026-02", "2026-02-01", "2026-02-28", 3), part("undated", None, None, 1)],
    loads: [load("L1", "archive", "2026-02-01 23:30", 8, 3), load("L2", "ris", "2026-02-02 00:00", 3, 0)],
    quarantine: [refused("studies.csv:7", "bad_date"), refused("studies.csv:9", "bad_date"),
                 refused("studies.csv:8", "no_uid")],
}

CASES = [
    Case("sources.freshness", [
        # The RIS's last event is of 10:00: 2 hours before 12:00. The appointment of 11:30 does not count, nor 2030.
        {"source_id": "archive", "behind": 0.0, "studies": 5, "events": 0, "quarantined": 3},
        {"source_id": "ris", "behind": 120.0, "studies": 0, "events": 3, "quarantined": 0},
    ], headline=120.0, n=2),
    Case("sources.loads", [
        {"load_id": "L2", "source_id": "ris", "records_read": 3, "added": 3, "left_out": 0},
        {"load_id": "L1", "source_id": "archive", "records_read": 8, "added": 5, "left_out": 3},
    ], headline=11.0, n=2, left_out={"records in quarantine, with the reason for each": 3}),
    Case("sources.quarantine", [
        {"source_id": "archive", "reason_code": "bad_date", "records": 2, "example": "studies.csv:7"},
        {"source_id": "archive", "reason_code": "no_uid", "records": 1, "example": "studies.csv:8"},
    ], headline=3.0, n=3),
    Case("sources.coverage", [
        {"source_id": "archive", "year": 2025, "covered_to": day("2025-12-31"), "parts": 1, "records": 40},
        {"source_id": "archive", "year": 2026, "covered_to": day("2026-02-28"), "parts": 2, "records": 10},
        {"source_id": "archive", "year": None, "covered_to": None, "parts": 1, "records": 1},
    ], headline=51.0, n=51),
    Case("sources.left_out_records", [
        {"locator": "studies.csv:7", "reason": "because bad_date"},
        {"locator": "studies.csv:8", "reason": "because no_uid"},
        {"locator": "studies.csv:9", "reason": "because bad_date"},
    ], headline=3.0, n=3),
    Case("sources.left_out_records", [{"locator": "studies.csv:7"}], n=1, options={"limit": 1},
         left_out={"records beyond the first 1 of this list": 2}),
    Case("sources.clock_offset", [
        # 10 12 14: median 12, 10th percentile at 0.2: 10.4, 90th at 1.8: 13.6. MR1 has one exam only, 4 is days off.
        {"period": JANUARY, **CT, "offset": 12.0, "p10": 10.4, "p90": 13.6, "exams": 3},
    ], headline=12.0, n=3, options={"fewest": 2},
        left_out={"in a month with fewer than 2 exams of the device": 1,
                  "no study time or device, or more than a day apart": 1}),
    Case("sources.transfer_delay", [
        # CT1: 5, 7, and from 13 January 09:20 to 1 February 12:00, 19 d 2 h 40 min = 27520; median 7,
        # 90th percentile 7 + 0.8 x 27513 = 22017.4. MR1: 1. In all 1 5 7 27520: median 6.
        {"period": JANUARY, **CT, "median": 7.0, "p90": 22017.4, "n": 3},
        {"period": JANUARY, **MR, "median": 1.0, "p90": 1.0, "n": 1},
    ], headline=6.0, n=4, left_out={"received before the exam was complete": 1}),
]
