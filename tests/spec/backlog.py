"""The queue of exams to be read, by hand. All at North, CT; clocks in UTC. True at Sunday 2026-03-15 23:00.

    no  ready           reported
    1   Mon 03-02 09:00  Tue 03-03 10:00
    2   Mon 03-02 09:15  Tue 03-03 10:20
    3   Mon 03-02 09:30  -
    4   Mon 03-09 09:10  Wed 03-11 10:30
    5   Sun 03-15 12:00  -
    6   Tue 03-10 10:00  an hour before (!)
    7   Tue 03-10 10:00  cancelled the day before
    8   Thu 03-12 10:00  a study without an order
    9   Tue 03-10 08:00  in 2099 (!)
    10  ordered 03-15 23:00, nothing more

Known are the 14 days from 2 to 15 March, two of each weekday: 5 exams came, 3 were reported. Unread at their ends:
3 on the 2nd, 1 from the 3rd to the 8th (6 days), 2 on the 9th and 10th, 1 from the 11th to the 14th (4 days), 2 on the
15th. So 1 ten times, 2 three times, 3 once: the median is 1.
"""

from __future__ import annotations

from typing import Any

from analytics.core.filters import Filters
from analytics.warehouse.schema import exams, loads
from tests.spec.case import Case, Tables, at, day, exam

NORTH = {"site": "North", "modality": "CT"}
UTC = {"site_zone": "UTC"}


def ready(number: int, when: str, reported: str | None = None, **more: Any) -> dict[str, Any]:
    return exam(number, f"2026-{when}", **NORTH, images_prepared_at=f"2026-{when}", reported_at=reported, **more)


TABLES: Tables = {
    exams: [
        ready(1, "03-02 09:00", "2026-03-03 10:00"), ready(2, "03-02 09:15", "2026-03-03 10:20"),
        ready(3, "03-02 09:30"), ready(4, "03-09 09:10", "2026-03-11 10:30"), ready(5, "03-15 12:00"),
        ready(6, "03-10 10:00", "2026-03-10 09:00"), ready(7, "03-10 10:00", exam_cancelled_at="2026-03-09 10:00"),
        ready(8, "03-12 10:00", order=False), ready(9, "03-10 08:00", "2099-01-01 00:00"),
        exam(10, "2026-03-15 23:00", study=False, **NORTH, order_at="2026-03-15 23:00"),
    ],
    loads: [{"load_id": "1", "started_at": at("2026-03-15 23:00"), "finished_at": at("2026-03-15 23:30"),
             **dict.fromkeys(("records_read", "added", "changed", "unchanged", "removed", "left_out"), 0),
             "complete": True}],
}
LEFT_OUT = {
    "study without an order, so not known to be read": 1, "exam cancelled": 1, "report before the images were ready": 1,
    "report dated after the last thing this snapshot knows of": 1,
}
SHIFT = {**UTC, "days": 13, "reader_hours": 1.0, "days_a_week": 1, "reports_per_hour": 1.0, "readers": 1}
AS_NOW = {"scenario": "As now", "read_per_day": 3 / 13, "days_to_usual": 13.0, "days_to_zero": 26.0,
          "utilization": 200 / 3, "mean_wait": 12480.0}
WITH = {"scenario": "With the added shift", "read_per_day": 34 / 91, "days_to_usual": 1.0, "days_to_zero": 8.0,
        "utilization": 1400 / 34, "mean_wait": 14 * 91 * 1440 / 680}


def weekday(number: int, arrived: int, reported: int) -> dict[str, Any]:
    """Two of each weekday are 48 hours."""
    return {"weekday": number, "hours": 48.0, "arrived": arrived, "reported": reported,
            "growth": (arrived - reported) / 48, "arrived_per_hour": arrived / 48, "grows": False}


CASES = [
    # At the snapshot's instant what unread_by_age says: 3 has waited for 13 days, 5 for 11 hours
    Case("backlog.at_instant", [
        {"age": "4-12 h", "modality": "CT", "unread": 1}, {"age": "> 7 d", "modality": "CT", "unread": 1},
    ], headline=2, n=2, left_out=LEFT_OUT, options=UTC),
    Case("backlog.unread_by_age", [
        {"age": "4-12 h", "modality": "CT", "unread": 1}, {"age": "> 7 d", "modality": "CT", "unread": 1},
    ], headline=2, left_out={"study without an order, so not known to be read": 1, "exam cancelled": 1}),
    # At the very minute of its report 1 no longer waits: 2 has for 24 h 45 min, 3 for 24 h 30 min
    Case("backlog.at_instant", [{"age": "1-3 d", "modality": "CT", "unread": 2}],
         headline=2, left_out=LEFT_OUT, options={**UTC, "instant": at("2026-03-03 10:00")}),
    # A minute before the first was ready there was nothing; a period of filters changes nothing
    Case("backlog.at_instant", [], headline=0, n=0, left_out=LEFT_OUT, filters=Filters(date_from=day("2026-03-14")),
         options={**UTC, "instant": at("2026-03-02 08:59")}),
    # 4 is ready in this very minute; 3 has waited for 20 minutes less than 7 days
    Case("backlog.at_instant", [
        {"age": "< 1 h", "site": "North", "unread": 1}, {"age": "3-7 d", "site": "North", "unread": 1},
    ], headline=2, left_out=LEFT_OUT, filters=Filters(date_from=day("2026-03-09")),
        options={**UTC, "instant": at("2026-03-09 09:10"), "by": "site"}),
    # Monday came 4 and none was reported: 4 < 2.326 x sqrt(4) = 4.65, which chance can do, so none is said to grow.
    # In all 5 - 3 = 2 in 14 x 24 = 336 hours.
    Case("backlog.rates", [
        weekday(1, 4, 0), weekday(2, 0, 2), weekday(3, 0, 1), weekday(4, 0, 0), weekday(5, 0, 0),
        weekday(6, 0, 0), weekday(7, 1, 0),
    ], headline=2 / 336, n=5, left_out=LEFT_OUT, options={**UTC, "by": "weekday"}),
    # More comes than is reported, 5 and 3 in 14 days: never
    Case("backlog.clearance", [
        {"unread": 2, "arrived_per_day": 5 / 14, "reported_per_day": 3 / 14, "net_per_day": -2 / 14, "usual": 1.0,
         "days_to_usual": None, "days_to_zero": None},
    ], n=2, left_out=LEFT_OUT, options=UTC),
    # Of the last 13 days 2 came and 3 were reported: 1 / 13 a day, so 1 less in 13 days and 2 less in 26
    Case("backlog.clearance", [
        {"unread": 2, "arrived_per_day": 2 / 13, "reported_per_day": 3 / 13, "net_per_day": 1 / 13, "usual": 1.0,
         "days_to_usual": 13.0, "days_to_zero": 26.0},
    ], headline=13.0, left_out=LEFT_OUT, options={**UTC, "days": 13}),
    # As now 1/13 less a day: 2 - 7/13, 2 - 14/13, then nothing. Utilization (2/13) / (3/13); M/M/1: 2/3 / (1/13) days =
    # 8.667 days = 12480 min. With one report more on Mondays: 2 - 1/13 - 1 = 12/13 on the first evening, 6/13 on
    # Sunday, nothing on the Monday after, the 8th day. It can read 3/13 + 1/7 = 34/91 a day, 14/91 come: utilization
    # 14/34, mean wait 14/34 / (20/91) days.
    Case("backlog.one_more_shift", [
        *({**AS_NOW, "week": week, "unread": unread} for week, unread in (
            (0, 2.0), (1, 2 - 7 / 13), (2, 2 - 14 / 13), (4, 0.0), (8, 0.0), (13, 0.0))),
        *({**WITH, "week": week, "unread": unread} for week, unread in (
            (0, 2.0), (1, 6 / 13), (2, 0.0), (4, 0.0), (8, 0.0), (13, 0.0))),
    ], headline=0.0, n=2, left_out=LEFT_OUT, options=SHIFT),
]
