"""When studies a working day changed, by hand.

The archive last received something on Tuesday 2026-06-30 12:00: the last whole week begins on Monday 22 June 2026, and
156 weeks up to it on Monday 3 July 2023.

CT: one study on each working day of the 13 weeks from Monday 5 January 2026 on, then three on each of the 12 weeks
from 6 April on; the last whole week is the 25th. MR: one on the Monday of each of the first 10 weeks.
Its first week may be cut, so CT is looked at from 12 January on: 12 weeks of 1 a working day, 12 of 3. No series that
is shuffled 1,999 times steps as clearly, for either shape: p is 2 x 1 / 2,000 = 0.001. MR is too small to be looked
at, so CT is one series of one. Nothing varies, so the step is in the week of 6 April and no other.

All studies together: 6 or 5 a week while there is MR (5 / 5 + 1 / 5 = 1.2 a working day), then 1, then 3.
Left out: two on Saturdays. In no whole week: one on Monday 29 June 2026. Not in three years: one of June 2023.
"""

from __future__ import annotations

import datetime as dt

from analytics.core.filters import Filters
from analytics.warehouse.schema import exams
from tests.spec.case import Case, Tables, day, exam

FIRST, STEP = day("2026-01-05"), day("2026-04-06")
WEEKS = [FIRST + dt.timedelta(weeks=number) for number in range(25)]
CT = [week + dt.timedelta(days=number) for week in WEEKS for number in range(5) for _ in range(1 if week < STEP else 3)]
MR = WEEKS[:10]
OTHERS = [day("2026-05-02"), day("2026-05-09"), day("2026-06-29"), day("2023-06-30")]
TABLES: Tables = {exams: [
    *(exam(number, f"{when} 10:00", site="North", modality="CT", station_name="CT1")
      for number, when in enumerate([*CT, *OTHERS])),
    *(exam(1000 + number, f"{when} 11:00", site="North", modality="MR") for number, when in enumerate(MR)),
    exam(2000, None, modality="CT", stored_at="2026-06-30 12:00"),
    exam(2001, "2026-03-03 10:00", study=False, modality="CT"),
]}
NOTHING = {"kind": None, "earliest": None, "latest": None, "level_before": None, "level_after": None, "p": None}
STEPPED = {"kind": "step", "earliest": STEP, "latest": STEP, "level_before": 1.0, "level_after": 3.0, "p": 0.001}


def ct(week: dt.date) -> dict[str, object]:
    """A week of CT: what is counted, the level from the second week on, and the change."""
    each = 1 if week < STEP else 3
    found = {**NOTHING, "kind": "first"} if week == FIRST else STEPPED if week == STEP else NOTHING
    return {"period": week, "studies": 5 * each, "working_days": 5, "per_working_day": float(each),
            "level": None if week == FIRST else float(each), **found}


CASES = [
    Case("volume.change_points", [ct(week) for week in WEEKS], n=65 + 180, filters=Filters(modalities=("CT",)),
         headline=245 / 125, left_out={"study without a date": 1, "on a weekend or public holiday": 2}),
    Case("volume.change_points", [
        *({"modality": "CT", **ct(week)} for week in WEEKS),
        *({"modality": "MR", "period": week, "studies": 1, "working_days": 5, "per_working_day": 0.2,
           "level": None if week == FIRST else 0.0, **NOTHING}
          for week in MR),
        *({"modality": "MR", "period": week, "studies": 0, "working_days": 5, "per_working_day": 0.0, "level": 0.0,
           **NOTHING} for week in WEEKS[10:]),
    ], n=65 + 180 + 10, left_out={"study without a date": 1, "on a weekend or public holiday": 2},
         options={"by": "modality"}),
    Case("volume.change_points", [], n=0, filters=Filters(sites=("South",))),
]
