"""What drove a change of studies, by hand.

The archive last received something on Wednesday 2026-03-11 12:00: the last whole day is the 10th. The chosen window is
Monday 2 to Sunday 8 March 2026; the same weekdays 52 weeks (364 days) before are Monday 3 to Sunday 9 March 2025.

    site   modality  device  before  this  change
    North  CT        CT1     4       3     -1
    North  CT        CT2     0       5     +5      new: its first study is of 2025-06-02
    North  CT        CT3     0       1     +1      not new: a study of 2024-01-08
    North  MR        none    1       2     +1      without device: a group of its own, never new
    South  MR        MR1     2       0     -2      gone: nothing from 2026-03-02 on
    South  MR        MR2     1       0     -1      not gone: a study of 2026-03-10

North -1 + 5 + 1 + 1 = +6, South -2 - 1 = -3, in all 11 - 8 = +3.

Also in no window: the orders without images, and what has no date. Left out: one study without a date.

Days: Mon-Fri are 5 of 7 in both windows. Studies on working days: before 6, this 9; on Saturday and Sunday: before 2,
this 2. With as many days, all +3 is the rate. Against the days just before (23 February to 1 March, which hold no
study) it is 11 - 0 = +11 studies.

A window of Friday 6 and Saturday 7 March (one working day of two) against Wednesday 4 and Thursday 5 (two of two):
the working day has 2 studies (North CT1 and CT2 on the 6th) against 3 (CT2 on the 4th and 5th, North MR on the 5th).
    days: (1 - 2) x mean rate (2/1 + 3/2) / 2 = -1.75; rate: (2/1 - 3/2) x mean days (1 + 2) / 2 = +0.75; sum -1.
    Rounded -2 and +1, which sum to -1.
The Saturday has 1 study against none, and there was no such day before: +1, all days. In all 3 - 3 = 0.
"""

from __future__ import annotations

from analytics.core.filters import Filters
from analytics.warehouse.schema import exams
from tests.spec.case import Case, Tables, day, exam

CT1 = {"site": "North", "modality": "CT", "station_name": "CT1"}
CT2 = {"site": "North", "modality": "CT", "station_name": "CT2"}
CT3 = {"site": "North", "modality": "CT", "station_name": "CT3"}
NO_DEVICE = {"site": "North", "modality": "MR"}
MR1 = {"site": "South", "modality": "MR", "station_name": "MR1"}
MR2 = {"site": "South", "modality": "MR", "station_name": "MR2"}

STUDIES = [
    ("2024-01-08", CT3), ("2025-06-02", CT2),                                             # in no window
    *[("2025-03-03", CT1)] * 2, ("2025-03-04", CT1), ("2025-03-08", CT1),                 # Mon, Mon, Tue, Sat
    ("2025-03-05", NO_DEVICE), ("2025-03-06", MR1), ("2025-03-09", MR1), ("2025-03-07", MR2),   # Wed, Thu, Sun, Fri
    ("2026-03-02", CT1), ("2026-03-06", CT1), ("2026-03-07", CT1),                        # Mon, Fri, Sat
    *[("2026-03-03", CT2)] * 2, ("2026-03-04", CT2), ("2026-03-05", CT2), ("2026-03-06", CT2),  # Tue to Fri
    ("2026-03-02", CT3), ("2026-03-05", NO_DEVICE), ("2026-03-08", NO_DEVICE),            # Mon, Thu, Sun
    ("2026-03-10", MR2),
]
TABLES: Tables = {exams: [
    *(exam(number, f"{when} 10:00", **columns) for number, (when, columns) in enumerate(STUDIES)),
    exam(90, "2026-03-04 10:00", study=False, **CT1),
    exam(91, None, **CT1, stored_at="2026-03-11 12:00"),
]}
WEEK = Filters(date_from=day("2026-03-02"), date_to=day("2026-03-08"))
LEFT_OUT = {"study without a date": 1}

CASES = [
    Case("volume.drivers", [
        {**CT1, "before": 4, "this": 3, "change": -1, "state": ""},
        {**CT2, "before": 0, "this": 5, "change": 5, "state": "new"},
        {**CT3, "before": 0, "this": 1, "change": 1, "state": ""},
        {**NO_DEVICE, "station_name": None, "before": 1, "this": 2, "change": 1, "state": ""},
        {**MR1, "before": 2, "this": 0, "change": -2, "state": "gone"},
        {**MR2, "before": 1, "this": 0, "change": -1, "state": ""},
    ], headline=3, n=11, left_out=LEFT_OUT, filters=WEEK),
    Case("volume.drivers", [
        # No period: the last 91 whole days, 10 December to 10 March, and 11 December 2024 to 11 March 2025
        {**MR2, "before": 1, "this": 1, "change": 0, "state": ""},
    ], headline=0, n=1, left_out={}, filters=Filters(station_names=("MR2",))),
    Case("volume.drivers", [
        # The days just before hold nothing. CT1 and the group without device had studies a year ago; CT2 in June.
        {**CT1, "before": 0, "this": 3, "change": 3, "state": ""},
        {**CT2, "before": 0, "this": 5, "change": 5, "state": ""},
        {**CT3, "before": 0, "this": 1, "change": 1, "state": ""},
        {**NO_DEVICE, "station_name": None, "before": 0, "this": 2, "change": 2, "state": ""},
    ], headline=11, n=11, left_out=LEFT_OUT, filters=WEEK, options={"against": "before"}),
    Case("volume.change_by_days", [
        {"day_kind": "Working day", "days_before": 5, "days_this": 5, "before": 6, "this": 9, "change": 3,
         "from_days": 0, "from_rate": 3},
        {"day_kind": "Weekend or holiday", "days_before": 2, "days_this": 2, "before": 2, "this": 2, "change": 0,
         "from_days": 0, "from_rate": 0},
    ], headline=3, n=11, left_out=LEFT_OUT, filters=WEEK),
    Case("volume.change_by_days", [
        {"day_kind": "Working day", "days_before": 2, "days_this": 1, "before": 3, "this": 2, "change": -1,
         "from_days": -2, "from_rate": 1},
        {"day_kind": "Weekend or holiday", "days_before": 0, "days_this": 1, "before": 0, "this": 1, "change": 1,
         "from_days": 1, "from_rate": 0},
    ], headline=0, n=3, left_out=LEFT_OUT, filters=Filters(date_from=day("2026-03-06"), date_to=day("2026-03-07")),
        options={"against": "before"}),
]
