"""Storage, by hand. The snapshot is true at 2026-02-28 12:00.

    no  exam        received     site   modality  tier      bytes      syntax              last asked for
    1   2020-01-15  2020-01-15   North  CT        nearline  1000       Explicit VR LE      2026-02-20
    2   2025-06-01  2025-06-02   North  CT        online    3000       JPEG-LS Lossless    2025-12-01
    3   2026-02-10  2026-02-10   South  MR        online    500        JPEG Baseline       never
    4   2026-02-27  not known    South  MR        online    700        one we do not know  never
    5   2026-02-28  2026-02-28   North  CT        online    not known

    Archive N-ONLINE: North, online, holds 10000, had 2000. Archive SOUTH: South, any tier, holds 2000, had none.
"""

from __future__ import annotations

from analytics.core.filters import Filters
from analytics.warehouse.schema import archives, exams
from tests.spec.case import Case, Tables, day, exam

NORTH, SOUTH = {"site": "North", "modality": "CT"}, {"site": "South", "modality": "MR"}
SYNTAX = "1.2.840.10008.1.2"

TABLES: Tables = {
    exams: [
        exam(1, "2020-01-15 10:00", **NORTH, storage_tier="nearline", size_bytes=1000, number_of_instances=10,
             transfer_syntax_uid=f"{SYNTAX}.1", stored_at="2020-01-15 10:30", last_accessed_at="2026-02-20 12:00"),
        exam(2, "2025-06-01 10:00", **NORTH, storage_tier="online", size_bytes=3000, number_of_instances=20,
             transfer_syntax_uid=f"{SYNTAX}.4.80", stored_at="2025-06-02 00:30", last_accessed_at="2025-12-01 00:00"),
        exam(3, "2026-02-10 10:00", **SOUTH, storage_tier="online", size_bytes=500, number_of_instances=5,
             transfer_syntax_uid=f"{SYNTAX}.4.50", stored_at="2026-02-10 10:30"),
        exam(4, "2026-02-27 10:00", **SOUTH, storage_tier="online", size_bytes=700, number_of_instances=7,
             transfer_syntax_uid="1.2.3"),
        exam(5, "2026-02-28 10:00", **NORTH, storage_tier="online", stored_at="2026-02-28 12:00"),
    ],
    archives: [
        {"archive": "N-ONLINE", "site": "North", "storage_tier": "online", "capacity_bytes": 10000,
         "used_bytes_before": 2000},
        {"archive": "SOUTH", "site": "South", "capacity_bytes": 2000, "used_bytes_before": 0},
    ],
}
LEFT_OUT = {"size not known": 1}

CASES = [
    Case("storage.stored", [
        {"site": "North", "storage_tier": "nearline", "bytes": 1000, "studies": 1, "images": 10,
         "reception_unknown": 0},
        {"site": "North", "storage_tier": "online", "bytes": 3000, "studies": 1, "images": 20, "reception_unknown": 0},
        {"site": "South", "storage_tier": "online", "bytes": 1200, "studies": 2, "images": 12, "reception_unknown": 1},
    ], headline=5200, n=4, left_out=LEFT_OUT),
    Case("storage.added_by_period", [
        {"period": day("2020-01-01"), "modality": "CT", "bytes": 1000, "whole": True},
        {"period": day("2025-01-01"), "modality": "CT", "bytes": 3000, "whole": True},
        {"period": day("2026-01-01"), "modality": "MR", "bytes": 1200, "whole": False},
    ], headline=5200, left_out=LEFT_OUT, options={"period": "year"}),
    Case("storage.added_by_period", [
        # Study 2 was received the day after its exam: 2 June, not 1 June
        {"period": day("2025-06-02"), "modality": "CT", "bytes": 3000},
    ], headline=3000, options={"period": "day"},
        filters=Filters(date_from=day("2025-06-01"), date_to=day("2025-06-30"))),
    Case("storage.by_modality", [{"modality": "CT", "bytes": 4000}, {"modality": "MR", "bytes": 1200}],
         headline=5200, left_out=LEFT_OUT),
    Case("storage.by_tier", [{"storage_tier": "online", "bytes": 4200}, {"storage_tier": "nearline", "bytes": 1000}],
         headline=5200, left_out=LEFT_OUT),
    Case("storage.by_age", [
        # 1 is a little over six years old, 2 nine months, 3 and 4 days: 3000 + 500 + 700 = 4200
        {"age": "< 1 y", "bytes": 4200, "studies": 3}, {"age": "5-7 y", "bytes": 1000, "studies": 1},
    ], headline=5200, left_out=LEFT_OUT),
    Case("storage.by_last_access", [
        # 20 February is 8 days before; 1 December 0:00 is 31 + 31 + 27.5 = 89.5 days before
        {"age": "< 30 d", "bytes": 1000}, {"age": "30-90 d", "bytes": 3000}, {"age": None, "bytes": 1200},
    ], headline=5200, left_out=LEFT_OUT),
    Case("storage.by_transfer_syntax", [
        {"name": "Explicit VR Little Endian", "compressed": False, "lossy": False, "bytes": 1000},
        {"name": "JPEG-LS Lossless", "compressed": True, "lossy": False, "bytes": 3000},
        {"name": "JPEG Baseline (lossy)", "compressed": True, "lossy": True, "bytes": 500},
        {"name": "1.2.3", "compressed": None, "lossy": None, "bytes": 700},
    ], headline=5200, left_out=LEFT_OUT),
    Case("storage.per_archive", [
        # 2000 + 3000 = 5000 of 10000; 500 + 700 = 1200 of 2000. Together 6200 of 12000. Study 1 is in neither.
        {"archive": "N-ONLINE", "stored": 3000, "used": 5000, "free": 5000, "fill": 50.0, "studies": 1},
        {"archive": "SOUTH", "stored": 1200, "used": 1200, "free": 800, "fill": 60.0, "studies": 2},
    ], headline=100 * 6200 / 12000, n=3, left_out={**LEFT_OUT, "in no archive whose capacity is known": 1}),
    Case("storage.per_archive", [
        # A fill level has no period and no modality: only the site counts
        {"archive": "SOUTH", "used": 1200, "fill": 60.0},
    ], headline=60.0, n=2, left_out={**LEFT_OUT, "in no archive whose capacity is known": 1},
        filters=Filters(sites=("South",), modalities=("CT",), date_from=day("2026-02-20"))),
]
