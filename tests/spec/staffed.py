"""Use of staffed hours, by hand: Monday 5 to Friday 9 January 2026, staffed 8:00 to 18:00, turnover 10 minutes.

    no  device  start              complete
    1   CT1     2026-01-05 07:30   08:30       half outside: 30 minutes in, 30 out
    2   CT1     2026-01-05 09:00   10:00       gap 8:30-9:00
    3   CT1     2026-01-05 09:30   10:30       overlaps with 2: busy until 10:30
    4   CT1     2026-01-05 17:30   18:30       gap 10:30-17:30; half outside
    5   CT1     2026-01-06 12:00   13:00       gaps 8:00-12:00 and 13:00-18:00
    6   CT1     2026-01-06 20:00   21:00       outside; its modality misspelled, which makes no second device
    7   CT1     2026-01-10 09:00   10:00       a Saturday: outside
    8   MR1     2026-01-07 08:00   18:00       a whole day
    9   MR1     2026-01-07 12:00   11:00       impossible
    10  CT1     2026-01-12 23:30   23:40       the snapshot's instant, after the period
    11  CT1, MR1 on Friday, 2 January: both were there before the week
    12  US1     2026-01-08 10:00   11:00       its first exam: staffed on Thursday and Friday alone

CT1: median of 7 exams of 60 minutes each: 60; a further one takes 70. Five days of 10 h: 50 h staffed.
    Monday: busy 0.5 + 1.5 + 0.5 = 2.5; gaps of 30 and 420 minutes: 0 and 6 slots.
    Tuesday: busy 1; gaps of 240 and 300 minutes: 3 and 4 slots. Three days of 600 minutes: 8 slots each.
    Busy 3.5 h, idle 46.5, slots 6 + 3 + 4 + 24 = 37, 7 %. Exams last 7 h in all, so 3.5 h outside (0.5 of it overlap).
MR1: busy 10 h of 50: 20 %; median 600, a further exam takes 610: no slot in 600 minutes.
US1: 20 h staffed, busy 1: 5 %. Further ones take 70: 120 and 420 minutes are 1 and 6 slots, Friday 8: 15.
Together 14.5 h of 120.
"""

from __future__ import annotations

from analytics.core.filters import Filters
from analytics.warehouse.schema import exams
from tests.spec.case import Case, Tables, day
from tests.spec.devices import CT, MR, named, timed

US = {"site": "North", "modality": "US", "station_name": "US1"}
TABLES: Tables = {exams: [
    timed(1, "2026-01-05 07:30", "2026-01-05 08:30", CT), timed(2, "2026-01-05 09:00", "2026-01-05 10:00", CT),
    timed(3, "2026-01-05 09:30", "2026-01-05 10:30", CT), timed(4, "2026-01-05 17:30", "2026-01-05 18:30", CT),
    timed(5, "2026-01-06 12:00", "2026-01-06 13:00", CT),
    timed(6, "2026-01-06 20:00", "2026-01-06 21:00", CT | {"modality": "CTSCAN"}),
    timed(7, "2026-01-10 09:00", "2026-01-10 10:00", CT), timed(8, "2026-01-07 08:00", "2026-01-07 18:00", MR),
    timed(9, "2026-01-07 12:00", "2026-01-07 11:00", MR), timed(10, "2026-01-12 23:30", "2026-01-12 23:40", CT),
    timed(11, "2026-01-02 09:00", "2026-01-02 10:00", CT), timed(13, "2026-01-02 09:00", "2026-01-02 10:00", MR),
    timed(12, "2026-01-08 10:00", "2026-01-08 11:00", US),
]}
WEEK = Filters(day("2026-01-05"), day("2026-01-11"))

CASES = [
    Case("utilization.staffed", [
        {**named(CT), "exams": 7, "median_duration": 60.0, "staffed": 50.0, "busy": 3.5, "idle": 46.5, "outside": 3.5,
         "slots": 37, "utilization": 7.0},
        {**named(MR), "exams": 1, "median_duration": 600.0, "staffed": 50.0, "busy": 10.0, "idle": 40.0, "outside": 0.0,
         "slots": 0, "utilization": 20.0},
        {**named(US), "exams": 1, "median_duration": 60.0, "staffed": 20.0, "busy": 1.0, "idle": 19.0, "outside": 0.0,
         "slots": 15, "utilization": 5.0},
    ], headline=100 * 14.5 / 120, n=9, left_out={"impossible: completed before it started": 1}, filters=WEEK,
        options={"turnover": 10.0, "site_zone": "UTC"}),
    # One hour later in Berlin: exam 4 lies outside, exam 1 inside from 8:30.
    Case("utilization.staffed", [{"station_name": "CT1", "busy": 3.5}, {"station_name": "MR1", "busy": 9.0},
                                 {"station_name": "US1", "busy": 1.0}],
         left_out={"impossible: completed before it started": 1}, filters=WEEK, options={"site_zone": "Europe/Berlin"}),
]
