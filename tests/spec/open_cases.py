"""Turnaround with open exams counted, by hand. All routine CT. The snapshot is true at 2026-03-02 12:00.

The durations are those of the trial that taught everyone this estimate (Freireich et al., Blood 1963;21:699), in
minutes from ready to read to the final report; ``+`` is an exam still open at that age. Its median is in the textbooks
(Klein and Moeschberger, 2003, 4.1 and 4.5), so the table proves itself.

    North   6 6 6 6+ 7 9+ 10 10+ 11+ 13 16 17+ 19+ 20+ 22 23 25+ 32+ 32+ 34+ 35+
    South   1 1 2 2 3 4 4 5 5 8 8 8 8 11 11 12 12 15 17 22 23

What ended was ready at 08:00 that day, what is open its age before 12:00. North's product limit:

    minutes   under way before   ended   share under way after
     6             21              3     18/21           = 6/7     = 0.857
     7             17              1     6/7 x 16/17     = 96/119  = 0.807
    10             15              1     96/119 x 14/15  = 64/85   = 0.753
    13             12              1     64/85 x 11/12   = 176/255 = 0.690
    16             11              1     176/255 x 10/11 = 32/51   = 0.627
    22              7              1     32/51 x 6/7     = 64/119  = 0.538
    23              6              1     64/119 x 5/6    = 160/357 = 0.448

Beside them: an exam reported before it was ready, one that was cancelled, one never ready, and a study without an
order that the archive received at 12:00.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from analytics.core.filters import Filters
from analytics.warehouse.schema import exams
from tests.spec.case import Case, Tables, at, exam

CT = {"modality": "CT", "priority": "R"}
NORTH = "6 6 6 6+ 7 9+ 10 10+ 11+ 13 16 17+ 19+ 20+ 22 23 25+ 32+ 32+ 34+ 35+"
SOUTH = "1 1 2 2 3 4 4 5 5 8 8 8 8 11 11 12 12 15 17 22 23"


def timed(number: int, site: str, said: str) -> dict[str, Any]:
    minutes, is_open = int(said.rstrip("+")), said.endswith("+")
    ready, final = (f"11:{60 - minutes}", None) if is_open else ("08:00", f"2026-03-02 08:{minutes:02d}")
    return exam(number, "2026-03-02 07:00", site=site, **CT, images_prepared_at=f"2026-03-02 {ready}",
                reported_at=final)


TABLES: Tables = {exams: [
    *(timed(number, "North", said) for number, said in enumerate(NORTH.split(), start=1)),
    *(timed(number, "South", said) for number, said in enumerate(SOUTH.split(), start=101)),
    exam(201, "2026-03-02 07:00", site="North", **CT, images_prepared_at="2026-03-02 08:00",
         reported_at="2026-03-02 07:30"),
    exam(202, "2026-03-02 07:00", site="North", study=False, **CT, images_prepared_at="2026-03-02 08:00",
         exam_cancelled_at="2026-03-02 06:00"),
    exam(203, "2026-03-02 07:00", site="North", **CT),
    exam(204, "2026-03-02 07:00", site="North", order=False, **CT, stored_at=at("2026-03-02 12:00")),
]}
LEFT_OUT = {"exam cancelled": 1, "no time for 'ready to read'": 1,
            "impossible: 'final report' before 'ready to read'": 1}
IN_NORTH = Filters(sites=("North",))


def percent(under_way: Fraction, *terms: Fraction) -> dict[str, float]:
    """The share that ended, and its limits by Greenwood's terms: under way to the power of e^(+-1.96 s / |log|)."""
    one, spread = float(under_way), math.sqrt(float(sum(terms))) / abs(math.log(under_way))
    power = math.exp(1.959963984540054 * spread)
    low, high = one ** power, one ** (1 / power)
    return {"share": 100 * (1 - one), "share_low": 100 * (1 - high), "share_high": 100 * (1 - low)}


# Greenwood's terms of North: ended / (under way x (under way - ended)), up to 10, 13, 16, 23 minutes
TO_10 = (Fraction(3, 21 * 18), Fraction(1, 17 * 16), Fraction(1, 15 * 14))
TO_13 = (*TO_10, Fraction(1, 12 * 11))
TO_16 = (*TO_13, Fraction(1, 11 * 10))
TO_23 = (*TO_16, Fraction(1, 7 * 6), Fraction(1, 6 * 5))
# The same where hours begin at 08:10 that day: what ended was ready 10 minutes before them.
LATE_OPENING = {"hours": "8:10-18", "site_zone": "UTC"}
OPENED_5 = (Fraction(5, 21 * 16), Fraction(1, 16 * 15))
OPENED_10 = (*OPENED_5, Fraction(1, 15 * 14))
OPENED_15 = (*OPENED_10, Fraction(1, 10 * 9), Fraction(1, 9 * 8))

CASES = [
    # North: 0.538 after 22 minutes, 0.448 after 23: the median is 23. Of the nine that finished, 6 6 6 7 10 13 16 22
    # 23, the fifth is 10. The limits of the share under way are 0.503-0.889 after 10, 0.432-0.849 after 13: the lower
    # one passes a half at 13, the upper one (0.680 after 23) never does. Neither passes a tenth.
    Case("turnaround.with_open_cases", [
        {"exams": 21, "n": 9, "open": 12, "median": 23.0, "median_low": 13.0, "median_high": None, "p90": None,
         "p90_low": None, "p90_high": None, "median_finished": 10.0, "p90_finished": 23.0, "followed": 35.0,
         "median_said": "23 min (95 %: 13 min or more)", "p90_said": "not reached (95 % limits: too few to say)"},
    ], headline=23.0, n=21, filters=IN_NORTH, left_out=LEFT_OUT),
    # South has nothing open. 9 of 21 ended by 5 minutes leave 12/21 = 0.571, 4 more by 8 leave 8/21 = 0.381. The
    # limits are 0.425-0.825 after 4, 0.183-0.578 after 8, 0.117-0.482 after 11: so 4 to 11. A tenth: 3/21 = 0.143
    # after 15, 2/21 = 0.095 after 17; the lower limit is 0.060 after 12, the upper one 0.197 after 22 and not
    # defined after 23.
    # All 42: 0.5116 after 11 and x 16/18 = 0.4547 after 12.
    Case("turnaround.with_open_cases", [
        {"site": "North", "n": 9, "open": 12, "median": 23.0, "median_low": 13.0, "median_high": None, "p90": None,
         "median_finished": 10.0},
        {"site": "South", "n": 21, "open": 0, "median": 8.0, "median_low": 4.0, "median_high": 11.0, "p90": 17.0,
         "median_finished": 8.0},
    ], headline=12.0, n=42, options={"by": "site"}, left_out=LEFT_OUT),
    Case("turnaround.with_open_cases", [
        {"site": "South", "p90": 17.0, "p90_low": 12.0, "p90_high": None, "p90_finished": 17.0, "followed": 23.0,
         "median_said": "8 min (95 %: 4 min to 11 min)", "p90_said": "17 min (95 %: 12 min or more)"},
    ], headline=8.0, n=21, options={"by": "site"}, filters=Filters(sites=("South",))),
    # By the hour at which they became ready: at 11 none has finished, so there is no figure, and not a figure of 0.
    # At 08 all 9 + 21 finished: 13 of 30 by 7 minutes (9 of South, 4 of North), 17 by 8.
    Case("turnaround.with_open_cases", [
        {"hour": 8, "n": 30, "open": 0, "median": 8.0, "median_finished": 8.0},
        {"hour": 11, "n": 0, "open": 12, "median": None, "median_finished": None},
    ], headline=12.0, options={"by": "hour", "site_zone": "UTC"}, left_out=LEFT_OUT),
    # Order to report: no exam has an order's time
    Case("turnaround.with_open_cases", [], n=0, options={"interval": "turnaround.order_to_report"}, filters=IN_NORTH,
         left_out={"exam cancelled": 1, "no time for 'ordered'": 23}),
    # Nothing ended by 5 minutes, so nothing is known of limits; past 35 minutes no exam has been followed.
    # Finished: 5 of 9 by 10 minutes, 6 by 15, 7 by 20, 9 by 30.
    Case("turnaround.share_within", [
        {"within": 5.0, "share": 0.0, "share_low": None, "share_high": None, "share_finished": 0.0},
        {"within": 10.0, **percent(Fraction(64, 85), *TO_10), "share_finished": 500 / 9},
        {"within": 15.0, **percent(Fraction(176, 255), *TO_13), "share_finished": 600 / 9},
        {"within": 20.0, **percent(Fraction(32, 51), *TO_16), "share_finished": 700 / 9},
        {"within": 30.0, **percent(Fraction(160, 357), *TO_23), "share_finished": 100.0},
    ], n=21, filters=IN_NORTH, left_out=LEFT_OUT),
    # North in business hours from 08:10: 6 6 6 7 10 take 0 minutes, 13 16 22 23 take 3 6 12 13; who is open came later.
    # 5 of 21, 1 of 16, 1 of 15 end at 0, 3, 6; then 4 open ones leave, and 1 of 10 and 1 of 9 end at 12 and 13: under
    # way are 16/21, 15/21, 14/21, and 14/21 x 8/10 = 8/15, so the median is not reached. The fifth of nine took 0.
    Case("turnaround.with_open_cases", [
        {"exams": 21, "n": 9, "open": 12, "median": None, "median_finished": 0.0, "p90_finished": 13.0,
         "followed": 35.0},
    ], n=21, filters=IN_NORTH, left_out=LEFT_OUT, options=LATE_OPENING),
    Case("turnaround.share_within", [
        {"within": 5.0, **percent(Fraction(15, 21), *OPENED_5), "share_finished": 600 / 9},
        {"within": 10.0, **percent(Fraction(14, 21), *OPENED_10), "share_finished": 700 / 9},
        *({"within": minutes, **percent(Fraction(8, 15), *OPENED_15), "share_finished": 100.0}
          for minutes in (15.0, 20.0, 30.0)),
    ], n=21, filters=IN_NORTH, left_out=LEFT_OUT, options=LATE_OPENING),
]
