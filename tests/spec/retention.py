"""Retention, by hand, as of 11 March 2026.

    no  patient  born  modality  exam         MB
    1   a        1950  none      2018-03-10   10   last seen 8 years and a day ago: due, whatever it was
    2   b        1950  CT        2018-03-11   10   8 years ago today: not more than 8 years
    3   c        1950  CT        2010-01-01   10   seen again by 4: kept
    4   c        1950  DX        2020-01-01   10
    5   d        1950  MG        2016-03-01   10   adult, mammography, more than 10 years: due under both rules
    6   e        1950  MG        2017-03-01   10   9 years: kept by the NHS; no later mammogram: kept by the US
    7   f        1950  MG        2017-03-01   20   9 years, and 8 follows: due in the US alone
    8   f        1950  MG        2022-03-01   20   kept
    9   g        1999  CT        2017-06-01   30   18 at the end of 2017, may have been 17: a child; 27 in 2026: due
    10  h        2000  CT        2016-06-01   30   26 at the end of 2026: not past it
    11  i        none  CT        2010-01-01   10   year of birth not known
    12  ''       1950  CT        2010-01-01   10   patient not known
    13  a        1950  CT        2018-03-10   size not known
    14  placeholder-x  MG        2010-01-01   10   patient not known
    15  z        1980  CT        2026-03-11   10   the snapshot's instant
    16  f        1950  CT        2010-01-01   40   f was last seen in 2022: kept

The archive itself holds an expiration date of five of them. 1: 2026-03-10, a day ago, due. 2: 2026-03-11, today, not
past it. 12: 2020-01-01, due, though its patient is not known. 13: 2020-01-01, of a size that is not known. 16:
2025-12-31, due, and the patient was seen in 2022.
"""

from __future__ import annotations

from typing import Any

from analytics.warehouse.schema import exams
from tests.spec.case import Case, Tables, day, exam

EXPIRES = {1: "2026-03-10", 2: "2026-03-11", 12: "2020-01-01", 13: "2020-01-01", 16: "2025-12-31"}


def study(number: int, patient: str, born: int | None, modality: str | None, when: str, megabytes: int | None,
          ) -> dict[str, Any]:
    size = None if megabytes is None else megabytes * 1_000_000
    return {**exam(number, f"{when} 12:00", site="North", modality=modality, stored_at=f"{when} 12:00",
                   patient_birth_year=born, size_bytes=size,
                   expires_date=day(EXPIRES[number]) if number in EXPIRES else None), "patient_key": patient}


TABLES: Tables = {exams: [
    study(1, "a", 1950, None, "2018-03-10", 10), study(2, "b", 1950, "CT", "2018-03-11", 10),
    study(3, "c", 1950, "CT", "2010-01-01", 10), study(4, "c", 1950, "DX", "2020-01-01", 10),
    study(5, "d", 1950, "MG", "2016-03-01", 10), study(6, "e", 1950, "MG", "2017-03-01", 10),
    study(7, "f", 1950, "MG", "2017-03-01", 20), study(8, "f", 1950, "MG", "2022-03-01", 20),
    study(9, "g", 1999, "CT", "2017-06-01", 30), study(10, "h", 2000, "CT", "2016-06-01", 30),
    study(11, "i", None, "CT", "2010-01-01", 10), study(12, "", 1950, "CT", "2010-01-01", 10),
    study(13, "a", 1950, "CT", "2018-03-10", None), study(14, "placeholder-x", 1950, "MG", "2010-01-01", 10),
    study(15, "z", 1980, "CT", "2026-03-11", 10), study(16, "f", 1950, "CT", "2010-01-01", 40),
]}

CASES = [
    Case("storage.retention_due", [
        {"reason": "adult, last seen more than 8 years ago", "studies": 1, "bytes": 10_000_000,
         "seen_from": day("2018-03-10"), "seen_to": day("2018-03-10")},
        {"reason": "adult, mammography, last seen more than 10 years ago", "studies": 1, "bytes": 10_000_000,
         "seen_from": day("2016-03-01"), "seen_to": day("2016-03-01")},
        {"reason": "seen last as a child, past the 26th birthday, and more than 8 years ago", "studies": 1,
         "bytes": 30_000_000, "seen_from": day("2017-06-01"), "seen_to": day("2017-06-01")},
    ], headline=50_000_000.0, n=3,
        left_out={"size not known": 1, "patient not known": 2, "year of birth not known": 1}),
    Case("storage.retention_due", [
        {"reason": "mammogram of more than 10 years ago", "studies": 1, "bytes": 10_000_000},
        {"reason": "mammogram of more than 5 years ago, with a later one", "studies": 1, "bytes": 20_000_000},
    ], headline=30_000_000.0, n=2, left_out={"patient not known": 1}, options={"rule": "us_mammography"}),
    Case("storage.retention_due", [
        {"reason": "past the date that the archive gave it", "studies": 3, "bytes": 60_000_000,
         "seen_from": day("2018-03-10"), "seen_to": day("2022-03-01")},
    ], headline=60_000_000.0, n=3,
        left_out={"size not known": 1, "the archive gives no date": 11}, options={"rule": "archive"}),
]
