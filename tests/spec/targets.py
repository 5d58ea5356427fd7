"""Turnaround against targets, by hand, as of 2026-03-02 12:00: stat 60 minutes, urgent 720, routine 5760.

    no  priority  ready               reported            minutes  stands
    1   S         2026-03-01 10:00    2026-03-01 11:00    60       in time: not more than 60
    2   S         2026-03-01 10:00    2026-03-01 11:30    90       late by 30
    3   S         2026-03-02 09:00    open                180      overdue by 120
    4   S         2026-03-02 11:30    open                30       not due yet
    5   R         2026-02-01 10:00    2026-02-02 10:00    1440     in time
    6   R         2026-02-20 12:00    open                14400    overdue by 8640
    7   none      2026-03-01 10:00    2026-03-01 11:00             no target
    8   S         2026-03-01 10:00    2026-03-01 09:30    -30      impossible
    9   R         2026-03-01 10:00    2026-02-27 10:00    -2880    impossible
    10  S         cancelled

Stat: 3 due, 1 in time: 33.3 %; 30 and 120 past: median 75. Routine: 2 due, 1 in time. In all 2 of 5: 40 %.
"""

from __future__ import annotations

from typing import Any

from analytics.warehouse.schema import exams
from tests.spec.case import Case, Tables, exam


def read(number: int, priority: str | None, ready: str, reported: str | None, **columns: Any) -> dict[str, Any]:
    return exam(number, ready, site="North", modality="CT", priority=priority, images_prepared_at=ready,
                reported_at=reported, **columns)


TABLES: Tables = {exams: [
    read(1, "S", "2026-03-01 10:00", "2026-03-01 11:00"), read(2, "S", "2026-03-01 10:00", "2026-03-01 11:30"),
    read(3, "S", "2026-03-02 09:00", None), read(4, "S", "2026-03-02 11:30", None, stored_at="2026-03-02 12:00"),
    read(5, "R", "2026-02-01 10:00", "2026-02-02 10:00"), read(6, "R", "2026-02-20 12:00", None),
    read(7, None, "2026-03-01 10:00", "2026-03-01 11:00"), read(8, "S", "2026-03-01 10:00", "2026-03-01 09:30"),
    read(9, "R", "2026-03-01 10:00", "2026-02-27 10:00"),
    read(10, "S", "2026-03-01 10:00", None, exam_cancelled_at="2026-03-01 10:30"),
]}
IMPOSSIBLE = "impossible: 'final report' before 'ready to read'"
LEFT_OUT = {"exam cancelled": 1, IMPOSSIBLE: 2, "no target for its priority": 1}
BUSINESS = {"hours": "business", "site_zone": "UTC"}

CASES = [
    Case("turnaround.breaches", [
        {"priority": "R", "exams": 2, "in_time": 1, "late": 0, "overdue": 1, "not_due": 0, "kept": 50.0,
         "median_over": 8640.0},
        {"priority": "S", "exams": 4, "in_time": 1, "late": 1, "overdue": 1, "not_due": 1, "kept": 100 / 3,
         "median_over": 75.0},
    ], headline=40.0, n=6, left_out=LEFT_OUT),
    # Half an hour allowed to stat alone: exam 1 is late too, and 4 is still not due at just 30 minutes.
    Case("turnaround.breaches", [{"modality": "CT", "exams": 4, "in_time": 0, "late": 2, "overdue": 1, "not_due": 1}],
         headline=0.0, n=4, left_out={**LEFT_OUT, "no target for its priority": 3},
         options={"by": "modality", "targets": {"S": 30.0}}),
    Case("turnaround.breaches", [], n=0, options={"interval": "turnaround.exam_duration"}, left_out={
        "exam cancelled": 1, "no time for 'exam started'": 9}),
    Case("turnaround.worst", [
        {"exam_id": "1.2.6", "outcome": "open and overdue", "minutes": 14400.0, "target": 5760.0, "over": 8640.0},
        {"exam_id": "1.2.3", "outcome": "open and overdue", "minutes": 180.0, "target": 60.0, "over": 120.0},
        {"exam_id": "1.2.2", "outcome": "late", "minutes": 90.0, "target": 60.0, "over": 30.0},
    ], headline=8640.0, n=3, left_out=LEFT_OUT),
    # Business hours, 8:00 to 18:00: 5 from Sunday to Monday at 10:00: 120. 6 since Friday, 20 February: 6 h, five days
    # of 10 h, and 4 h on Monday: 3600 minutes, so it is not due yet. Stat is promised at any hour: as above.
    Case("turnaround.breaches", [
        {"priority": "R", "exams": 2, "in_time": 1, "late": 0, "overdue": 0, "not_due": 1, "kept": 100.0,
         "median_over": None},
        {"priority": "S", "exams": 4, "in_time": 1, "late": 1, "overdue": 1, "not_due": 1, "kept": 100 / 3,
         "median_over": 75.0},
    ], headline=50.0, n=6, left_out=LEFT_OUT, options=BUSINESS),
    Case("turnaround.worst", [
        {"exam_id": "1.2.6", "minutes": 3600.0, "target": 3000.0, "over": 600.0, "counted": "business hours"},
        {"exam_id": "1.2.3", "minutes": 180.0, "target": 60.0, "over": 120.0, "counted": "all hours"},
        {"exam_id": "1.2.2", "minutes": 90.0, "target": 60.0, "over": 30.0, "counted": "all hours"},
    ], headline=600.0, n=3, left_out=LEFT_OUT, options=BUSINESS | {"targets": {"S": 60.0, "R": 3000.0}}),
    # By the hour at which they became ready
    Case("turnaround.breaches", [
        {"hour": 9, "exams": 1, "in_time": 0, "late": 0, "overdue": 1, "not_due": 0},
        {"hour": 10, "exams": 3, "in_time": 2, "late": 1, "overdue": 0, "not_due": 0},
        {"hour": 11, "exams": 1, "in_time": 0, "late": 0, "overdue": 0, "not_due": 1},
        {"hour": 12, "exams": 1, "in_time": 0, "late": 0, "overdue": 1, "not_due": 0},
    ], headline=40.0, n=6, left_out=LEFT_OUT, options={"by": "hour", "site_zone": "UTC"}),
    Case("turnaround.impossible", [{"exam_id": "1.2.9", "reversed": 2880.0}, {"exam_id": "1.2.8", "reversed": 30.0}],
         headline=2880.0, n=2),
]
