"""Forecast, by hand: an archive that takes in just 100 bytes a day, from January to June 2025.

    It had 1900 bytes. January 3100, February 2800, March 3100, April 3000, May 3100, June 3000: 18100 in all, so that
    20000 are in use when July begins. It holds 24100: July brings 3100, and the last 1000 take ten days of August.
    The snapshot is true at 2025-07-01 10:00, when 50 bytes of July have come, which are not learnt from.
"""

from __future__ import annotations

from analytics.warehouse.schema import archives, exams
from tests.spec.case import Case, Tables, day, exam

DAYS = {1: 31, 2: 28, 3: 31, 4: 30, 5: 31, 6: 30}
NORTH = {"site": "North", "modality": "CT"}

TABLES: Tables = {
    exams: [
        *(exam(month, f"2025-{month:02}-01 09:00", **NORTH, size_bytes=100 * days,
               stored_at=f"2025-{month:02}-01 10:00") for month, days in DAYS.items()),
        exam(7, "2025-07-01 09:00", **NORTH, size_bytes=50, stored_at="2025-07-01 10:00"),
    ],
    archives: [{"archive": "NORTH", "site": "North", "capacity_bytes": 24100, "used_bytes_before": 1900}],
}


# Ten days of August are over when 11 August begins
FULL = dict.fromkeys(("full_early", "full_median", "full_late"), day("2025-08-11"))


def seen(month: str, used: float) -> dict[str, object]:
    return {"month": day(month), "observed": used, "forecast": None, "lower95": None, "upper80": None, **FULL}


def expected(month: str, used: float) -> dict[str, object]:
    return {"month": day(month), "observed": None, "forecast": used, "lower95": used, "upper80": used, **FULL}


NOT_FULL = dict.fromkeys(FULL)
CASES = [
    Case("storage.fill_forecast", [
        seen("2025-01-01", 5000.0), seen("2025-02-01", 7800.0), seen("2025-03-01", 10900.0),
        seen("2025-04-01", 13900.0), seen("2025-05-01", 17000.0), seen("2025-06-01", 20000.0),
        # A straight line leaves no doubt: 31, 31 and 30 days of 100 bytes
        expected("2025-07-01", 23100.0), expected("2025-08-01", 26200.0), expected("2025-09-01", 29200.0),
    ], headline=29200.0, n=6, options={"horizon_months": 3}),
    Case("storage.fill_forecast", [
        *({**seen(f"2025-{month:02}-01", used), **NOT_FULL} for month, used in (
            (1, 5000.0), (2, 7800.0), (3, 10900.0), (4, 13900.0), (5, 17000.0), (6, 20000.0))),
        {**expected("2025-07-01", 23100.0), **NOT_FULL},
    ], headline=23100.0, options={"horizon_months": 1}),
    Case("storage.fill_dates", [
        # Ten days of August are over when 11 August begins
        {"archive": "NORTH", "early": day("2025-08-11"), "median": day("2025-08-11"), "late": day("2025-08-11"),
         "chance": 100.0},
    ], headline=100.0, n=1),
    Case("storage.fill_distribution", [
        # Full on 11 August, and not a day before: no doubt, so 0 or all of the paths
        {"archive": "NORTH", "month": day("2025-07-01"), "chance": 0.0},
        {"archive": "NORTH", "month": day("2025-08-01"), "chance": 100.0},
        {"archive": "NORTH", "month": day("2025-09-01"), "chance": 100.0},
    ], headline=100.0, n=1, options={"horizon_months": 3}),
    Case("storage.forecast_models", [], n=0),  # six months are too few to try a model on
    Case("storage.fill_dates", [
        # Within one month it does not fill
        {"archive": "NORTH", "early": None, "median": None, "late": None, "chance": 0.0},
    ], headline=0.0, options={"horizon_months": 1}),
]
