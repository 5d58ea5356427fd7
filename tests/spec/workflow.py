"""Turnaround and backlog, by hand. All at North, CT. The snapshot is true at 2026-02-20 12:00.

    no  priority  ordered      arrived  start  complete  stored  ready  preliminary   final
    1   R         01-04 09:00  08:50    09:00  09:20     09:25   09:30  10:00         10:30        on 5 January
    2   S         01-05 09:30  09:40    10:00  10:10     10:12   10:20  -             12:20        on 5 January
    3   A         01-02 09:00  08:30    09:00  10:00     10:05   10:10  20:10         10:10 + 1 d  on 6 January
    4   R         02-18 12:00  10:55    11:00  11:30     11:40   12:00  -             -            on 19 February
    5   S         02-20 09:00  09:58    10:00  10:20     10:25   10:30  -             -            on 20 February
    6   R         02-09 10:00  09:20    09:30  09:50     09:55   10:00  -             09:00 (!)    on 10 February
    7   cancelled on 11 February
    8   a study without an order, received 2026-02-20 12:00
    9   R         02-10 09:00  nothing more is known; its appointment was on 12 February
"""

from __future__ import annotations

from typing import Any

from analytics.core.filters import Filters
from analytics.warehouse.schema import exams
from tests.spec.case import Case, Tables, day, exam

NORTH = {"site": "North", "modality": "CT"}
JANUARY, FEBRUARY = day("2026-01-01"), day("2026-02-01")


def worked(number: int, date: str, priority: str, ordered: str, arrived: str, start: str, complete: str, stored: str,
           ready: str, preliminary: str | None = None, final: str | None = None) -> dict[str, Any]:
    return exam(number, f"{date} {start}", **NORTH, priority=priority, order_at=f"2026-{ordered}",
                arrived_at=f"{date} {arrived}", procedure_start_at=f"{date} {start}",
                imaging_complete_at=f"{date} {complete}", stored_at=f"{date} {stored}",
                images_stored_at=f"{date} {stored}", images_prepared_at=f"{date} {ready}",
                prelim_publish_at=preliminary, reported_at=final)


TABLES: Tables = {exams: [
    worked(1, "2026-01-05", "R", "01-04 09:00", "08:50", "09:00", "09:20", "09:25", "09:30", "2026-01-05 10:00",
           "2026-01-05 10:30"),
    worked(2, "2026-01-05", "S", "01-05 09:30", "09:40", "10:00", "10:10", "10:12", "10:20", None, "2026-01-05 12:20"),
    worked(3, "2026-01-06", "A", "01-02 09:00", "08:30", "09:00", "10:00", "10:05", "10:10", "2026-01-06 20:10",
           "2026-01-07 10:10"),
    worked(4, "2026-02-19", "R", "02-18 12:00", "10:55", "11:00", "11:30", "11:40", "12:00"),
    worked(5, "2026-02-20", "S", "02-20 09:00", "09:58", "10:00", "10:20", "10:25", "10:30"),
    worked(6, "2026-02-10", "R", "02-09 10:00", "09:20", "09:30", "09:50", "09:55", "10:00", None, "2026-02-10 09:00"),
    exam(7, "2026-02-11 09:00", study=False, **NORTH, order_at="2026-02-05 09:00",
         exam_cancelled_at="2026-02-06 09:00"),
    exam(8, "2026-02-12 09:00", order=False, **NORTH, stored_at="2026-02-20 12:00",
         images_stored_at="2026-02-20 12:00"),
    exam(9, "2026-02-12 09:00", study=False, **NORTH, priority="R", order_at="2026-02-10 09:00"),
]}
CANCELLED = {"exam cancelled": 1}


def never(label: str, n: int = 1) -> dict[str, int]:
    return {f"no time for '{label}'": n}


def reversed_(end: str, start: str) -> dict[str, int]:
    return {f"impossible: '{end}' before '{start}'": 1}


CASES = [
    Case("turnaround.swim_rtat", [
        # January: 09:30-10:30 60, 10:20-12:20 120, 10:10-10:10 next day 1440 minutes. Median 120. The 90th percentile
        # is at 0.9 x 2 = 1.8: 120 + 0.8 x 1320 = 1176. Mean 1620 / 3 = 540. Targets: R 60 <= 5760 kept, S 120 > 60
        # not, A 1440 > 720 not: 1 of 3. 1440 minutes are not under 24 h.
        {"period": JANUARY, "n": 3, "median": 120.0, "p90": 1176.0, "mean": 540.0, "open": 0, "open_median_age": None,
         "median_with_open": 120.0, "within_target": 100 / 3, "under_12_h": 2, "from_12_to_24_h": 0,
         "from_24_to_48_h": 1, "over_48_h": 0, "whole": True},
        # February: nothing ended. Open: 4 for 24 h = 1440, 5 for 90 minutes; median (1440 + 90) / 2 = 765.
        # 5 is past its 60 minutes and so outside; 4 still has time and does not count yet: 0 of 1.
        {"period": FEBRUARY, "n": 0, "median": None, "p90": None, "mean": None, "open": 2, "open_median_age": 765.0,
         "median_with_open": 765.0, "within_target": 0.0, "under_12_h": 0, "from_12_to_24_h": 0, "from_24_to_48_h": 0,
         "over_48_h": 0, "whole": False},
    ], headline=120.0, n=3, left_out={**CANCELLED, **never("ready to read"),
                                      **reversed_("final report", "ready to read")}),
    Case("turnaround.swim_rtat", [
        # A target of 4 days for routine exams alone: 1 kept it; 4 is open and has time left, so nothing is due
        {"period": JANUARY, "within_target": 100.0}, {"period": FEBRUARY, "within_target": None},
    ], headline=120.0, options={"targets": {"R": 5760.0}},
        left_out={**CANCELLED, **never("ready to read"), **reversed_("final report", "ready to read")}),
    # Business hours, 8:00 to 18:00: 3 from 10:10 to 18:00 on Tuesday and to 10:10 on Wednesday: 470 + 130 = 600. The
    # 90th percentile is 120 + 0.8 x 480 = 504, the mean 780 / 3. 4 is open for 6 h on Thursday and 4 h on Friday. Stat
    # and urgent are held against the clock: 2 and 3 missed their targets as before, and 5 is past its own.
    Case("turnaround.swim_rtat", [
        {"period": JANUARY, "n": 3, "median": 120.0, "p90": 504.0, "mean": 260.0, "within_target": 100 / 3,
         "under_12_h": 3, "from_12_to_24_h": 0, "from_24_to_48_h": 0, "over_48_h": 0},
        {"period": FEBRUARY, "n": 0, "median": None, "p90": None, "mean": None, "within_target": 0.0, "under_12_h": 0,
         "from_12_to_24_h": 0, "from_24_to_48_h": 0, "over_48_h": 0},
    ], headline=120.0, n=3, options={"hours": "business", "site_zone": "UTC"},
        left_out={**CANCELLED, **never("ready to read"), **reversed_("final report", "ready to read")}),
    Case("turnaround.swim_rtat", [
        {"period": JANUARY, "open": 0, "open_median_age": None, "median_with_open": 120.0},
        {"period": FEBRUARY, "open": 2, "open_median_age": 345.0, "median_with_open": 345.0},
    ], headline=120.0, n=3, options={"hours": "business", "site_zone": "UTC"},
        left_out={**CANCELLED, **never("ready to read"), **reversed_("final report", "ready to read")}),
    # By the hour at which they became ready: 1 at 9, 2 and 3 at 10, 4 at 12, 5 at 10. One hour later in Berlin.
    Case("turnaround.swim_rtat", [
        {"period": JANUARY, "hour": 9, "n": 1, "median": 60.0, "open": 0},
        {"period": JANUARY, "hour": 10, "n": 2, "median": 780.0, "open": 0},
        {"period": FEBRUARY, "hour": 10, "n": 0, "median": None, "open": 1},
        {"period": FEBRUARY, "hour": 12, "n": 0, "median": None, "open": 1},
    ], headline=120.0, n=3, options={"by": "hour", "site_zone": "UTC"},
        left_out={**CANCELLED, **never("ready to read"), **reversed_("final report", "ready to read")}),
    Case("turnaround.swim_rtat", [
        {"hour": 10, "n": 1, "median": 60.0}, {"hour": 11, "n": 2, "median": 360.0},
        {"hour": 11, "n": 0, "median": None}, {"hour": 13, "n": 0, "median": None},
    ], headline=120.0, n=3, options={"by": "hour", "site_zone": "Europe/Berlin", "hours": "business"},
        left_out={**CANCELLED, **never("ready to read"), **reversed_("final report", "ready to read")}),
    Case("turnaround.acr_grid", [
        # 09:20-10:30 70, 10:10-12:20 130, 10:00-10:10 next day 1450; 130 + 0.8 x 1320 = 1186; open 1470 and 100
        {"period": JANUARY, "n": 3, "median": 130.0, "p90": 1186.0, "open": 0, "open_median_age": None},
        {"period": FEBRUARY, "n": 0, "median": None, "p90": None, "open": 2, "open_median_age": 785.0},
    ], headline=130.0, left_out={**CANCELLED, **never("exam completed"),
                                 **reversed_("final report", "exam completed")}),
    Case("turnaround.nhs", [
        # 09:00-10:30 90, 10:00-12:20 140, 09:00-10:10 next day 1510; 140 + 0.8 x 1370 = 1236; open 1500 and 120
        {"period": JANUARY, "n": 3, "median": 140.0, "p90": 1236.0, "mean": 580.0, "open_median_age": None},
        {"period": FEBRUARY, "n": 0, "median": None, "p90": None, "mean": None, "open_median_age": 810.0},
    ], headline=140.0, left_out={**CANCELLED, **never("exam started"), **reversed_("final report", "exam started")}),
    Case("turnaround.order_to_report", [
        # 25 h 30 min = 1530, 2 h 50 min = 170, 5 d 1 h 10 min = 7270; 1530 + 0.8 x 5740 = 6122; mean 8970 / 3 = 2990
        {"period": JANUARY, "n": 3, "median": 1530.0, "p90": 6122.0, "mean": 2990.0, "open": 0,
         "open_median_age": None},
        # 6 was ordered the day before its report: 23 h = 1380. Open: 4 for 2880, 5 for 180, 9 for 10 d 3 h = 14580.
        {"period": FEBRUARY, "n": 1, "median": 1380.0, "p90": 1380.0, "mean": 1380.0, "open": 3,
         "open_median_age": 2880.0},
    ], headline=1455.0, n=4, left_out=CANCELLED),
    Case("turnaround.arrival_to_start", [
        # Waits of 10, 20, 30; then of 5, 2, 10. In all 2 5 10 10 20 30: median 10.
        {"period": JANUARY, "n": 3, "median": 20.0, "open": 0}, {"period": FEBRUARY, "n": 3, "median": 5.0, "open": 0},
    ], headline=10.0, n=6, left_out={**CANCELLED, **never("patient arrived")}),
    Case("turnaround.exam_duration", [
        # 20, 10, 60; then 30, 20, 20
        {"period": JANUARY, "n": 3, "median": 20.0, "mean": 30.0}, {"period": FEBRUARY, "n": 3, "median": 20.0,
                                                                    "mean": 70 / 3},
    ], headline=20.0, n=6, left_out={**CANCELLED, **never("exam started")}),
    Case("turnaround.complete_to_stored", [
        # 5, 2, 5; then 10, 5, 5
        {"period": JANUARY, "n": 3, "median": 5.0, "mean": 4.0},
        {"period": FEBRUARY, "n": 3, "median": 5.0, "mean": 20 / 3},
    ], headline=5.0, n=6, left_out={**CANCELLED, **never("exam completed")}),
    Case("turnaround.stored_to_prelim", [
        # 09:25-10:00 35, 10:05-20:10 605. Exams 2 and 6 have a final report without a preliminary one: not open.
        {"period": JANUARY, "n": 2, "median": 320.0, "open": 0, "open_median_age": None},
        # 4 since 11:40 the day before: 1460; 5 since 10:25: 95
        {"period": FEBRUARY, "n": 0, "median": None, "open": 2, "open_median_age": 777.5},
    ], headline=320.0, left_out={**CANCELLED, **never("images in archive"),
                                 "'preliminary report' not recorded though later steps are": 2}),
    Case("turnaround.prelim_to_final", [
        # 10:00-10:30 30, 20:10-10:10 next day 840
        {"period": JANUARY, "n": 2, "median": 435.0, "p90": 759.0, "open": 0},
    ], headline=435.0, left_out={**CANCELLED, **never("preliminary report", 5)}),
    Case("turnaround.open_cases", [
        # 5 for 90 minutes; 4 for 1440 minutes, which is a day and no longer under 24 h
        {"age": "1-4 h", "modality": "CT", "exams": 1}, {"age": "1-3 d", "modality": "CT", "exams": 1},
    ], headline=2, left_out={**CANCELLED, **never("ready to read"), **reversed_("final report", "ready to read")}),
    # In business hours 4 has waited 10 h; so many hours are no day of the calendar, and none is said.
    Case("turnaround.open_cases", [
        {"age": "1-4 h", "hour": 10, "exams": 1}, {"age": "4-12 h", "hour": 12, "exams": 1},
    ], headline=2, options={"by": "hour", "hours": "business", "site_zone": "UTC"},
        left_out={**CANCELLED, **never("ready to read"), **reversed_("final report", "ready to read")}),
    Case("backlog.unread_now", [
        {"site": "North", "unread": 2, "median_age": 765.0, "oldest_age": 1440.0, "with_preliminary": 0,
         "over_3_days": 0},
    ], headline=2, n=2, left_out={"study without an order, so not known to be read": 1}),
    Case("backlog.unread_by_age", [
        {"age": "1-4 h", "modality": "CT", "unread": 1}, {"age": "1-3 d", "modality": "CT", "unread": 1},
    ], headline=2, left_out={"study without an order, so not known to be read": 1}),
    Case("backlog.oldest", [
        {"exam_id": "1.2.4", "minutes": 1440.0}, {"exam_id": "1.2.5", "minutes": 90.0},
    ], headline=1440.0, left_out={"study without an order, so not known to be read": 1}),
    Case("backlog.unread_over_time", [
        {"day": day("2026-01-05"), "arrived": 2, "reported": 2, "unread": 0},
        {"day": day("2026-01-06"), "arrived": 1, "reported": 0, "unread": 1},
        {"day": day("2026-01-07"), "arrived": 0, "reported": 1, "unread": 0},
        {"day": day("2026-02-19"), "arrived": 1, "reported": 0, "unread": 1},
        {"day": day("2026-02-20"), "arrived": 1, "reported": 0, "unread": 2},
    ], headline=2, n=5, options={"site_zone": "UTC"},
        left_out={"study without an order, so not known to be read": 1, "report before the images were ready": 1}),
    # The period chooses the days shown; every exam is still looked at, those counted and those left out alike.
    Case("backlog.unread_over_time", [
        {"day": day("2026-02-20"), "arrived": 1, "reported": 0, "unread": 2},
    ], filters=Filters(date_from=day("2026-02-20")), headline=2, n=5, options={"site_zone": "UTC"},
        left_out={"study without an order, so not known to be read": 1, "report before the images were ready": 1}),
]
