"""Silent devices, by hand. The archive of North knows everything up to the end of Tuesday, 31 March 2026.

Each makes one study a day on its days; what it is judged by are the 56 days before its latest one.

    device  days it works          latest         silent    of its working days   so likely
    CT1     every day              Tue 31 March   0         0                     1
    MR1     Monday to Friday       Fri 20 March   11 days   7 of 40 in use        ½·1½·…·6½ / 41·42·…·47, and its four
            weekend days off of 16: 16½·17½·18½·19½ / 17·18·19·20
    US1     Monday to Friday       Mon 30 March   1         1                     ½ / 41
    RF1     Mondays                Mon 16 March   15        2 (23rd and 30th)     ½·1½ / 9·10, and 13 other days of 48
    NEW1    since 24 March         Fri 27 March   –         too few days to tell
    DX1     every day              15 January     75        out of service
    XA1     every day              Fri 20 March   0         0: South's archive is known up to 20 March alone
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Collection
from typing import Any

from analytics.core.filters import Filters
from analytics.warehouse.schema import exams
from tests.spec.case import Case, Tables, day, exam

EVERY, WEEK, MONDAYS = range(1, 8), range(1, 6), (1,)


def works(start: int, station: str | None, first: str, latest: str, weekdays: Collection[int] = EVERY,
          site: str = "North") -> list[dict[str, Any]]:
    """One study at noon on each of the weekdays; what was made on a device's latest day arrives by 23:30."""
    length = (day(latest) - day(first)).days + 1
    days = [one for one in (day(first) + dt.timedelta(days=number) for number in range(length))
            if one.isoweekday() in weekdays]
    return [exam(start + place, f"{one} 12:00", order=False, site=site, station_name=station, source_id=site.lower(),
                 stored_at=f"{one} {'23:30' if one == days[-1] else '12:30'}") for place, one in enumerate(days)]


TABLES: Tables = {exams: [
    *works(0, "CT1", "2025-12-01", "2026-03-31"), *works(1000, "MR1", "2025-12-01", "2026-03-20", WEEK),
    *works(2000, "US1", "2025-12-01", "2026-03-30", WEEK), *works(3000, "RF1", "2025-12-01", "2026-03-16", MONDAYS),
    *works(4000, "NEW1", "2026-03-24", "2026-03-27"), *works(5000, "DX1", "2025-12-01", "2026-01-15"),
    *works(6000, "XA1", "2025-12-01", "2026-03-20", site="South"), *works(7000, None, "2026-03-02", "2026-03-02"),
]}


def none_of(days: int, used: int, seen: int) -> float:
    return math.prod((seen - used + 0.5 + place) / (seen + 1 + place) for place in range(days))


CT1 = {"station_name": "CT1", "state": "sending", "silent_days": 0, "working_days": 0, "longest_before": 0,
       "studies_a_week": 7.0, "chance": 100.0}
XA1 = {**CT1, "station_name": "XA1"}
ZONE = {"site_zone": "UTC"}
UNNAMED = {"study that names no device": 1}
OUT = {"device out of service: no study for more than 56 days": 1}
CASES = [
    Case("sources.silent_devices", [
        CT1, XA1,
        {"station_name": "MR1", "state": "silent", "silent_days": 11, "working_days": 7, "longest_before": 0,
         "studies_a_week": 5.0, "chance": 100 * none_of(7, 40, 40) * none_of(4, 0, 16)},
        {"station_name": "US1", "state": "sending", "silent_days": 1, "working_days": 1, "longest_before": 0,
         "studies_a_week": 5.0, "chance": 100 * 0.5 / 41},
        {"station_name": "RF1", "state": "sending", "silent_days": 15, "working_days": 2, "longest_before": 0,
         "studies_a_week": 1.0, "chance": 100 * (0.5 * 1.5) / (9 * 10) * none_of(13, 0, 48)},
    ], headline=7.0, n=5, options=ZONE,
        left_out={**UNNAMED, **OUT, "device with studies on fewer than 5 days of its eight weeks": 1}),
    Case("sources.silent_devices", [
        {"site": "North", "station_name": "DX1", "state": "out of service", "latest": day("2026-01-15"),
         "silent_days": 75, "working_days": None},
    ], headline=0.0, n=1, options={"out_of_service": True, **ZONE},
        left_out={**UNNAMED, "in use: a study within 56 days": 6}),
    # On Monday the 23rd nobody can tell yet that MR1 has stopped: Saturday and Sunday it never works.
    Case("sources.silent_devices", [
        {"station_name": "MR1", "state": "sending", "silent_days": 3, "working_days": 1, "longest_before": 0,
         "studies_a_week": 5.0, "chance": 100 * 0.5 / 41 * none_of(2, 0, 16)},
    ], headline=0.0, n=1, options=ZONE, filters=Filters(date_to=day("2026-03-23"), station_names=("MR1",))),
]
