"""Durations against peers, by hand; two exams are enough here.

    device  procedure  minutes        median
    CT1     HEAD       10, 20, 30     20
    CT2     HEAD       30, 50         40
    CT3     HEAD       24, 24         24
    CT1     CHEST      10, 10         10      no other device does it often enough
    CT2     CHEST      60             one exam alone
    CT1     none       5
    CT1     HEAD       ends before it starts

CT1's peers have medians of 40 and 24: 32. It takes 20 / 32 - 1 = -37.5 %, and 3 x (20 - 32) / 60 = -0.6 h.
CT2's have 20 and 24: 22. 40 / 22 - 1 = 81.8 %, 2 x 18 / 60 = 0.6 h. CT3's have 20 and 40: 30; -20 %, -0.2 h.
"""

from __future__ import annotations

from typing import Any

from analytics.warehouse.schema import exams
from tests.spec.case import Case, Tables, exam


def lasted(number: int, station: str, procedure: str | None, minutes: int) -> dict[str, Any]:
    start, end = f"2026-01-{number + 1:02} 10:00", f"2026-01-{number + 1:02} {10 + minutes // 60:02}:{minutes % 60:02}"
    if minutes < 0:
        end = f"2026-01-{number + 1:02} 09:00"
    return exam(number, start, site="North", station_name=station, modality="CT", description=procedure,
                procedure_start_at=start, imaging_complete_at=end)


TABLES: Tables = {exams: [
    lasted(1, "CT1", "HEAD", 10), lasted(2, "CT1", "HEAD", 20), lasted(3, "CT1", "HEAD", 30),
    lasted(4, "CT2", "HEAD", 30), lasted(5, "CT2", "HEAD", 50), lasted(6, "CT3", "HEAD", 24),
    lasted(7, "CT3", "HEAD", 24), lasted(8, "CT1", "CHEST", 10), lasted(9, "CT1", "CHEST", 10),
    lasted(10, "CT2", "CHEST", 60), lasted(11, "CT1", None, 5), lasted(12, "CT1", "HEAD", -1),
]}
HEAD = {"site": "North", "modality": "CT", "description": "HEAD"}

CASES = [
    Case("utilization.by_procedure", [
        {**HEAD, "station_name": "CT1", "exams": 3, "median": 20.0, "peers": 32.0, "devices": 2, "longer": -37.5,
         "extra": -0.6},
        {**HEAD, "station_name": "CT2", "exams": 2, "median": 40.0, "peers": 22.0, "devices": 2,
         "longer": 100 * (40 / 22 - 1), "extra": 0.6},
        {**HEAD, "station_name": "CT3", "exams": 2, "median": 24.0, "peers": 30.0, "devices": 2, "longer": -20.0,
         "extra": -0.2},
    ], headline=100 * (40 / 22 - 1), n=7, options={"fewest": 2}, left_out={
        "impossible: completed before it started": 1, "no procedure or device named": 1,
        "fewer than 2 exams of the procedure on the device": 1, "no other device does the procedure as often": 2}),
]
