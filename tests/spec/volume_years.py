"""Year on year, by hand.

January 2025 begins on a Wednesday: 23 working days, 4 Saturdays, 4 Sundays. January 2026 begins on a Thursday: 22
working days, 5 Saturdays, 4 Sundays. The archive last received something on 2026-02-20 12:00: February is not over.

    site   January 2025                        January 2026
    North  2 a working day, 1 a Saturday: 50   2 a working day, 1 a Saturday: 49
    South  1 a working day: 23                 2 a working day: 44
    East   from Monday the 13th on: 15         1 a working day: 22

North: mean studies of a working day (46 + 44) / 45 = 2, of a Saturday (4 + 5) / 9 = 1, of a Sunday 0. The calendar
alone makes 22 x 2 + 5 x 1 = 49 of 23 x 2 + 4 x 1 = 50, so -2 %; adjusted 49 / 50 / (49 / 50) - 1 = 0. In working days,
January 2026 is 22 + 5 x 1 / 2 = 24.5, with 49 / 24.5 = 2 studies each; January 2025 is 25, with 50 / 25 = 2 each.
South: nothing on other days, so the calendar is 22 / 23; 44 / 23 - 1 = +91.3 %, adjusted 2 / 1 - 1 = +100 %.
East: on its first working day of January 2025 (the 1st) nothing: it begins within the month, which is not compared.

North also has one study of 2015, far below a tenth of the busiest month (50): no month of those years counts as
covered. Further of North: one in June 2025 (no June 2024) and one in February 2026 (not over).
"""

from __future__ import annotations

import datetime as dt

from analytics.core.filters import Filters
from analytics.warehouse.schema import exams
from tests.spec.case import Case, Tables, day, exam


def january(year: int, weekdays: range, each: int, first: int = 1) -> list[dt.date]:
    """Some studies on each day of a January that is one of some weekdays (0 is Monday)."""
    days = [dt.date(year, 1, number) for number in range(first, 32)]
    return [one for one in days if one.weekday() in weekdays for _ in range(each)]


WEEKDAYS, SATURDAYS = range(5), range(5, 6)
STUDIES = {
    "North": [day("2015-03-02"), *january(2025, WEEKDAYS, 2), *january(2025, SATURDAYS, 1), day("2025-06-02"),
              *january(2026, WEEKDAYS, 2), *january(2026, SATURDAYS, 1), day("2026-02-03")],
    "South": [*january(2025, WEEKDAYS, 1), *january(2026, WEEKDAYS, 2)],
    "East": [*january(2025, WEEKDAYS, 1, first=13), *january(2026, WEEKDAYS, 1)],
}
TABLES: Tables = {exams: [
    *(exam(1000 * place + number, f"{when} 10:00", site=site)
      for place, (site, days) in enumerate(STUDIES.items()) for number, when in enumerate(days)),
    exam(9001, None, site="North", stored_at="2026-02-20 12:00"),
    exam(9002, "2026-01-05 10:00", study=False, site="North"),
    exam(9003, None, study=False, site="South", order_at="2026-02-20 12:00"),
]}
STRAY = "in a month before the index begins"
NOT_OVER, NO_YEAR = ("in a month that is not over, or cut by the period chosen",
                     "in a month without a whole month a year before")
NORTH = {"period": day("2026-01-01"), "studies": 49, "before": 50, "change": -2.0, "calendar": -2.0, "adjusted": 0.0,
         "working_days": 22, "working_days_before": 23, "per_working_day": 2.0, "per_working_day_before": 2.0}

CASES = [
    # January 2025 itself has no year before it: 50 studies, and that of June
    Case("volume.year_on_year", [NORTH], headline=0.0, n=49, filters=Filters(sites=("North",)),
         left_out={"study without a date": 1, STRAY: 1, NOT_OVER: 1, NO_YEAR: 51}),
    Case("volume.year_on_year", [NORTH], headline=0.0, n=49, left_out={"study without a date": 1},
         filters=Filters(day("2026-01-01"), day("2026-01-31"), sites=("North",))),
    Case("volume.year_on_year", [], n=0, left_out={"study without a date": 1, NOT_OVER: 47},
         # from the 2nd on: two studies of Thursday the 1st are not in it, and January is cut
         filters=Filters(day("2026-01-02"), day("2026-01-31"), sites=("North",))),
    Case("volume.year_on_year", [
        {"period": day("2026-01-01"), "studies": 44, "before": 23, "change": 100 * (44 / 23 - 1),
         "calendar": 100 * (22 / 23 - 1), "adjusted": 100.0, "per_working_day": 2.0, "per_working_day_before": 1.0},
    ], headline=100.0, n=44, left_out={NO_YEAR: 23}, filters=Filters(sites=("South",))),
    Case("volume.year_on_year", [], n=0, left_out={NO_YEAR: 15 + 22}, filters=Filters(sites=("East",))),
]
