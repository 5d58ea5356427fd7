"""Utilization, by hand, in the week of 5 January 2026 (Monday) to 11 January (Sunday).

    no  device  start              complete           minutes
    1   CT1     2026-01-05 09:00   09:30              30
    2   CT1     2026-01-05 10:00   11:00              60
    3   CT1     2026-01-11 09:00   09:30              30
    4   MR1     2026-01-06 09:00   10:00              60
    5   MR1     2026-01-06 11:00   10:50              impossible
    6   MR1     2026-01-06 12:00   2026-01-07 12:00   a day
    7   MR1     2026-01-06 13:00   not completed
"""

from __future__ import annotations

from analytics.warehouse.schema import exams
from tests.spec.case import Case, Tables, day, exam

JANUARY = day("2026-01-01")
CT = {"site": "North", "modality": "CT", "station_name": "CT1"}
MR = {"site": "North", "modality": "MR", "station_name": "MR1"}


def named(device: dict[str, str]) -> dict[str, str]:
    """What tells a device: its modality does not, since a record can have it wrong."""
    return {name: device[name] for name in ("site", "station_name")}


def timed(number: int, start: str, complete: str | None, device: dict[str, str]) -> dict[str, object]:
    return exam(number, start, **device, procedure_start_at=start, imaging_complete_at=complete)


TABLES: Tables = {exams: [
    timed(1, "2026-01-05 09:00", "2026-01-05 09:30", CT), timed(2, "2026-01-05 10:00", "2026-01-05 11:00", CT),
    timed(3, "2026-01-11 09:00", "2026-01-11 09:30", CT), timed(4, "2026-01-06 09:00", "2026-01-06 10:00", MR),
    timed(5, "2026-01-06 11:00", "2026-01-06 10:50", MR), timed(6, "2026-01-06 12:00", "2026-01-07 12:00", MR),
    timed(7, "2026-01-06 13:00", None, MR),
]}
LEFT_OUT = {"no start or no completion": 1, "impossible: completed before it started": 1, "lasts a day or more": 1}

CASES = [
    Case("utilization.by_device", [
        # CT1: 2 hours in 7 days of 50 / 7 hours: 4 %. MR1: 1 hour in one day: 100 x 7 / 50 = 14 %.
        {**named(CT), "exams": 3, "median_duration": 30.0, "busy": 2.0, "planned": 50.0, "utilization": 4.0},
        {**named(MR), "exams": 1, "median_duration": 60.0, "busy": 1.0, "planned": 50 / 7, "utilization": 14.0},
        # Together 3 hours of 50 + 50 / 7 = 400 / 7: 5.25 %
    ], headline=5.25, n=4, left_out=LEFT_OUT),
    Case("utilization.duration_by_period", [
        # CT1 30 30 60: the 90th percentile is at 1.8, 30 + 0.8 x 30 = 54
        {"period": JANUARY, **CT, "median": 30.0, "p90": 54.0, "exams": 3},
        {"period": JANUARY, **MR, "median": 60.0, "p90": 60.0, "exams": 1},
        # In all 30 30 60 60: median 45
    ], headline=45.0, n=4, left_out=LEFT_OUT),
]
