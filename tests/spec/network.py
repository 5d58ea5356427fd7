"""Bytes a minute and links, by hand, on Monday 2 and Tuesday 3 March 2026, against 3 and 4 March 2025.

    no  site   device  received           MB
    1   North  CT1     2026-03-02 09:10   600
    2   North  CT1     2026-03-02 09:50   600     with 1: 1200 MB in the hour, 20 a minute
    3   North  MR1     2026-03-02 14:00   300     5 a minute
    4   North  CT1     2026-03-03 10:30   600     10 a minute
    5   South  US1     2026-03-02 23:30   60      1 a minute
    6   North  CT1     2026-03-02 12:00   size not known
    7   North  CT1     never
    8   North  CT1     2025-03-03 09:00   1050    the earlier window
    9   North  CT1     2025-01-06 09:00   999     what is known begins before it
    10  North  CT1     2026-03-09 09:00   999     after the window, Monday too
    11  North  CT1     2026-03-16 09:00   999     the snapshot's instant

Two days are 2880 minutes. North: 2100 MB, mean 2100 / 2880. The busiest hours of its days are 20 and 10; their 95th
percentile (type 7) is 10 + 0.95 x 10 = 19.5. That is 19.5 x 8 / 60 = 2.6 Mbit/s, at 70 % of a link 2.6 / 0.7.
2100 MB are twice the 1050 of the year before: 100 %; three years of it are 8 times the link.
South: the busiest hours are 1 and 0: 0.95. Nothing before: no growth can be said.
"""

from __future__ import annotations

from analytics.core.filters import Filters
from analytics.warehouse.schema import exams
from tests.spec.case import Case, Tables, day, exam
from tests.spec.devices import named

CT = {"site": "North", "station_name": "CT1", "modality": "CT"}
MR = {"site": "North", "station_name": "MR1", "modality": "MR"}
US = {"site": "South", "station_name": "US1", "modality": "US"}


def received(number: int, when: str | None, megabytes: int | None, device: dict[str, str]) -> dict[str, object]:
    return exam(number, when or "2026-03-02 08:00", **device, stored_at=when,
                size_bytes=None if megabytes is None else megabytes * 1_000_000)


TABLES: Tables = {exams: [
    received(1, "2026-03-02 09:10", 600, CT), received(2, "2026-03-02 09:50", 600, CT | {"modality": "CTSCAN"}),
    received(3, "2026-03-02 14:00", 300, MR), received(4, "2026-03-03 10:30", 600, CT),
    received(5, "2026-03-02 23:30", 60, US), received(6, "2026-03-02 12:00", None, CT), received(7, None, 500, CT),
    received(8, "2025-03-03 09:00", 1050, CT), received(9, "2025-01-06 09:00", 999, CT),
    received(10, "2026-03-09 09:00", 999, CT), received(11, "2026-03-16 09:00", 999, CT),
]}
PERIOD = Filters(day("2026-03-02"), day("2026-03-03"))
LEFT_OUT = {"study without a date": 1, "size not known": 1}
NORTH = {"site": "North", "studies": 4, "bytes": 2_100_000_000, "mean": 2100 / 2880, "busy": 19.5, "peak": 20.0,
         "peak_at": day("2026-03-02")}
SOUTH = {"site": "South", "studies": 1, "bytes": 60_000_000, "mean": 60 / 2880, "busy": 0.95, "peak": 1.0,
         "peak_at": day("2026-03-02")}

CASES = [
    Case("network.by_site", [
        {**NORTH, "growth": 100.0, "link_now": 2.6 / 0.7, "link_later": 8 * 2.6 / 0.7},
        {**SOUTH, "growth": None, "link_now": 0.95 * 8 / 60 / 0.7, "link_later": None},
    ], headline=2.6 / 0.7, n=5, left_out=LEFT_OUT, filters=PERIOD),
    Case("network.by_site", [{"site": "North", "link_now": 2.6, "link_later": 5.2},
                             {"site": "South", "link_now": 0.95 * 8 / 60, "link_later": None}],
         left_out=LEFT_OUT, filters=PERIOD, options={"years": 1, "load": 100.0}),
    Case("network.by_device", [
        {**named(CT), "studies": 3, "bytes": 1_800_000_000, "mean": 1800 / 2880, "busy": 19.5, "peak": 20.0},
        {**named(MR), "studies": 1, "bytes": 300_000_000, "mean": 300 / 2880, "busy": 4.75, "peak": 5.0},
        {**named(US), "studies": 1, "bytes": 60_000_000, "mean": 60 / 2880, "busy": 0.95, "peak": 1.0},
    ], headline=19.5, n=5, left_out=LEFT_OUT, filters=PERIOD),
    Case("network.by_hour", [
        {"weekday": 1, "hour": 9, "studies": 2, "rate": 20.0}, {"weekday": 1, "hour": 14, "studies": 1, "rate": 5.0},
        {"weekday": 1, "hour": 23, "studies": 1, "rate": 1.0}, {"weekday": 2, "hour": 10, "studies": 1, "rate": 10.0},
    ], headline=20.0, n=5, left_out=LEFT_OUT, filters=PERIOD),
    # Two Mondays and two Tuesdays: the mean of an hour halves, and 6 empty days each are days too.
    Case("network.by_hour", [
        {"weekday": 1, "hour": 9, "rate": (1200 + 999) / 60 / 2}, {"weekday": 1, "hour": 14, "rate": 2.5},
        {"weekday": 1, "hour": 23, "rate": 0.5}, {"weekday": 2, "hour": 10, "rate": 5.0},
    ], n=6, left_out=LEFT_OUT, filters=Filters(day("2026-03-02"), day("2026-03-15"))),
]
