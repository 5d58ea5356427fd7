"""What if, by hand: the archive of the forecast's table, that takes in just 100 bytes a day.

    20000 bytes are in use when July 2025 begins (1900 from before the index, 18100 from January to June), 50 more of
    July have come, and it holds 24100. It will hold 36500 more in a year (365 days), 109600 in three (1096), 182600 in
    five (1826): as now 56500, 129600 and 202600, and it fills when ten days of August are over.

    came       bytes  modality, encoding       the archive's date
    January    3100   CT, uncompressed         2025-08-15: due in the second month, kept 7 months
    February   2800   CT, uncompressed         none
    March      3100   MR, compressed           2025-03-31: due already, kept 0 months
    April      3000   CT, uncompressed         2035-01-01: beyond the horizon
    May        3100   XA, uncompressed         none; nobody measured a ratio
    June       3000   CT, encoding not known   none
    July       50     CT, uncompressed         none

    JPEG-LS makes a CT a quarter: it saves 3/4 of 3100 + 2800 + 3000 + 50 = 6712.5 of what is held, and of what is to
    come (as of January to June) 6675 / 18100. Of what is to come 3100 / 18100 goes in the month it came in, and as much
    7 months later, of which compression saves 2325. New in the first month are 3100 less the 50 that are held.
"""

from __future__ import annotations

from analytics.warehouse.schema import archives, exams
from tests.spec.case import Case, Tables, day, exam
from tests.spec.forecast import DAYS

PLAIN, JPEG_LS = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.4.80"
HELD = {1: ("CT", PLAIN, "2025-08-15"), 2: ("CT", PLAIN, None), 3: ("MR", JPEG_LS, "2025-03-31"),
        4: ("CT", PLAIN, "2035-01-01"), 5: ("XA", PLAIN, None), 6: ("CT", None, None), 7: ("CT", PLAIN, None)}

TABLES: Tables = {
    exams: [exam(month, f"2025-{month:02}-01 09:00", site="North", modality=modality, transfer_syntax_uid=syntax,
                 size_bytes=100 * DAYS[month] if month in DAYS else 50, stored_at=f"2025-{month:02}-01 10:00",
                 expires_date=day(expires) if expires else None)
            for month, (modality, syntax, expires) in HELD.items()],
    archives: [{"archive": "NORTH", "site": "North", "capacity_bytes": 24100, "used_bytes_before": 1900}],
}

YEAR_NEW = 36500 - 50
BEFORE_FEBRUARY = 3050 + 3100 + 3000 + 3100 + 3000
"""What came in the first five of twelve months: what goes after 7 months is gone by the end of the twelfth."""
FIVE_NEW, BUT_SEVEN_MONTHS = 182600 - 50, 182600 - 50 - 21200
"""Of 60 months, and of the first 53: from December 2029 to June 2030 are 212 days."""
RULE = 3100 + 3100 + 3100 * (YEAR_NEW + BEFORE_FEBRUARY) / 18100
RULE_5 = 3100 + 3100 + 3100 * (FIVE_NEW + BUT_SEVEN_MONTHS) / 18100
OLD, NEW, NEW_5 = 6712.5, YEAR_NEW * 6675 / 18100, FIVE_NEW * 6675 / 18100
RULE_COMPRESSED = 775 + 3100 + (3100 * YEAR_NEW + 775 * BEFORE_FEBRUARY) / 18100
RULE_NEW_COMPRESSED = 3100 + 3100 + (3100 * YEAR_NEW + 775 * BEFORE_FEBRUARY) / 18100
AS_NOW = {"scenario": "As now", "in_1_year": 56500.0, "freed": 0.0, "fills": day("2025-08-11"), "chance": 100.0}
# In use at the end of October 32300 - 6200 - 12250 x 31/181 = 24001.9, of November 26488.1: 98.1 of 2486.2 is 1.2 days
RETENTION = {"scenario": "Retention, Archive's own rule", "in_1_year": 56500 - RULE, "freed": RULE_5,
             "fills": day("2025-11-02"), "chance": 100.0}

CASES = [
    Case("storage.what_if", [
        # All but compression: 20000 - 6712.5 when July begins, then 63.1 a day (of July from the 50 that have come)
        AS_NOW, RETENTION,
        {"scenario": "New and old studies compressed", "in_1_year": 56500 - OLD - NEW, "freed": OLD + NEW_5,
         "fills": day("2025-12-19"), "chance": 100.0},
        {"scenario": "Retention and compression", "in_1_year": 56500 - OLD - NEW - RULE_COMPRESSED,
         "freed": OLD + NEW_5 + 775 + 3100 + (3100 * FIVE_NEW + 775 * BUT_SEVEN_MONTHS) / 18100,
         "fills": day("2026-05-26"), "chance": 100.0},
    ], headline=202600 - (OLD + NEW_5 + 775 + 3100 + (3100 * FIVE_NEW + 775 * BUT_SEVEN_MONTHS) / 18100), n=1,
        options={"rule": "archive", "compress": "all"}),
    Case("storage.what_if", [
        {"scenario": "As now", "in_1_year": 56500.0, "in_3_years": 129600.0, "in_5_years": 202600.0},
        {"scenario": "Retention, Archive's own rule", "in_1_year": 56500 - RULE,
         "in_3_years": 129600 - 6200 - 3100 * (109550 + 109550 - 21300) / 18100, "in_5_years": 202600 - RULE_5},
        {"scenario": "New studies compressed", "in_1_year": 56500 - NEW,
         "in_3_years": 129600 - 109550 * 6675 / 18100, "in_5_years": 202600 - NEW_5},
        {"scenario": "Retention and compression", "in_1_year": 56500 - NEW - RULE_NEW_COMPRESSED,
         "in_3_years": 129600 - 6200 - (109550 * (6675 + 3100) + 775 * (109550 - 21300)) / 18100,
         "in_5_years": 202600 - NEW_5 - 6200 - (3100 * FIVE_NEW + 775 * BUT_SEVEN_MONTHS) / 18100},
    ], options={"rule": "archive", "compress": "new"}),
    Case("storage.what_if", [AS_NOW, RETENTION], headline=202600 - RULE_5,
         options={"rule": "archive", "compress": "nothing"}),
    Case("storage.what_if", [
        # Nobody's birth is known: the rule lets nothing go
        {"archive": "NORTH", "scenario": "As now", "lower80": 202600.0, "upper80": 202600.0},
        {"archive": "NORTH", "scenario": "Retention, NHS England", "lower80": 202600.0, "upper80": 202600.0},
    ], headline=202600.0, options={"compress": "nothing"}),
]
