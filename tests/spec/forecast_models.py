"""The back-test, by hand: an archive that takes in just 100 bytes a day in 2025, and 150 a day in January 2026.

    Its 13 months are forecast from the ends of the 6th to the 12th, each time by a straight line of 100 a day, which is
    certain of itself: the year held nothing else. (No other model can learn from a line.) From June's end on 7 sums can
    be compared, from July's 6, … from December's 1: 28 in all. All hold but the 7 that end with January, each of which
    is off by 31 x 50 = 1550 bytes. The 7 sums of days of July to December with what goes before:

    from June    31  62  92 123 153 184 215     860 days
    from July    31  61  92 122 153 184         643
    from August  30  61  91 122 153             457
    from Sept.   31  61  92 123                 307
    from October 30  61  92                     183
    from Nov.    31  62                          93
    from Dec.    31                              31     2574 days in all, 257400 bytes, and 7 x 1550 more
"""

from __future__ import annotations

from analytics.warehouse.schema import archives, exams
from tests.spec.case import Case, Tables, exam

DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
NORTH = {"site": "North", "modality": "CT"}
CAME = 257_400 + 7 * 1_550
# A month of each sum: days by number of months, and of the late 1550 bytes 1/7, 1/6, … 1/1
MONTHS = (
    31 + 62 / 2 + 92 / 3 + 123 / 4 + 153 / 5 + 184 / 6 + 215 / 7
    + 31 + 61 / 2 + 92 / 3 + 122 / 4 + 153 / 5 + 184 / 6
    + 30 + 61 / 2 + 91 / 3 + 122 / 4 + 153 / 5
    + 31 + 61 / 2 + 92 / 3 + 123 / 4
    + 30 + 61 / 2 + 92 / 3
    + 31 + 62 / 2
    + 31)
LATE = 1_550 * (1 + 1 / 2 + 1 / 3 + 1 / 4 + 1 / 5 + 1 / 6 + 1 / 7)
# A miss counts 2 / 0.2 = 10 times by the 80 % interval and 2 / 0.05 = 40 times by the 95 % interval: 25 on average
SCORE = 100 * 25 * LATE / (100 * MONTHS + LATE)
# Three months later: from June 92 days, July 92, August 91, September 92, and from October 92 days and 1550 bytes
THREE = 100 * 1_550 / (100 * (92 + 92 + 91 + 92 + 92) + 1_550)

TABLES: Tables = {
    exams: [
        *(exam(month, f"2025-{month:02}-01 09:00", **NORTH, size_bytes=100 * days,
               stored_at=f"2025-{month:02}-01 10:00") for month, days in enumerate(DAYS, start=1)),
        exam(13, "2026-01-01 09:00", **NORTH, size_bytes=150 * 31, stored_at="2026-01-01 10:00"),
        exam(14, "2026-02-01 09:00", **NORTH, size_bytes=50, stored_at="2026-02-01 10:00"),
    ],
    archives: [{"archive": "NORTH", "site": "North", "capacity_bytes": 10**9, "used_bytes_before": 0}],
}

CASES = [
    Case("storage.forecast_models", [
        {"archive": "NORTH", "model": "local level with drift", "error": 100 * 7 * 1_550 / CAME,
         "error_3_months": THREE, "error_12_months": None, "held_80_percent": 75.0, "held_95_percent": 75.0,
         "score": SCORE, "share": 100.0, "tried_from": 7},
    ], headline=100 * 7 * 1_550 / CAME, n=1),
]
