"""Deleted bytes, by hand.

    load  source   ended               found
    A     archive  2025-02-28 23:30    1 gone (CT North 100, 10 images), 2 gone (MR South 40, 4), 3 gone (no size)
    B     archive  2025-03-05 02:00    4 lost 3 of its images (CT North 30), 5 lost 50 bytes and no image,
                                       6 gone (CT North 70, 7), which the source named copy still holds
    C     copy     2025-03-20 02:00    7 gone (CT South 11, images not known); it left 2 records out
    D     copy     2025-04-20 02:00    nothing
"""

from __future__ import annotations

from typing import Any

from analytics.core.filters import Filters
from analytics.warehouse.schema import exams, loads, removals
from tests.spec.case import Case, Tables, at, day, exam


def load(load_id: str, source_id: str, finished: str, left_out: int = 0) -> dict[str, Any]:
    return {"load_id": load_id, "source_id": source_id, "started_at": at(finished), "finished_at": at(finished),
            "complete": True, "left_out": left_out,
            **dict.fromkeys(("records_read", "added", "changed", "unchanged", "removed"), 0)}


def gone(number: int, load_id: str, site: str, modality: str, size: int | None, images: int | None,
         what: str = "gone", source_id: str = "archive") -> dict[str, Any]:
    return {"study_instance_uid": f"1.2.{number}", "load_id": load_id, "what": what, "site": site,
            "modality": modality, "size_bytes": size, "number_of_instances": images, "source_id": source_id}


TABLES: Tables = {
    loads: [load("A", "archive", "2025-02-28 23:30"), load("B", "archive", "2025-03-05 02:00"),
            load("C", "copy", "2025-03-20 02:00", left_out=2), load("D", "copy", "2025-04-20 02:00")],
    removals: [
        gone(1, "A", "North", "CT", 100, 10), gone(2, "A", "South", "MR", 40, 4), gone(3, "A", "North", "CT", None, 5),
        gone(4, "B", "North", "CT", 30, 3, "fewer_images"), gone(5, "B", "North", "CT", 50, 0, "fewer_bytes"),
        gone(6, "B", "North", "CT", 70, 7), gone(7, "C", "South", "CT", 11, None, source_id="copy")],
    exams: [
        exam(4, "2024-01-01 12:00", size_bytes=70), exam(5, "2024-01-01 12:00", size_bytes=50),
        exam(6, "2024-01-01 12:00", size_bytes=70, source_id="copy"),
        {**exam(9, "2024-01-01 12:00", study=False), "exam_id": "order:1.2.1"}],
}
FEBRUARY, MARCH = day("2025-02-01"), day("2025-03-01")
UTC = {"site_zone": "UTC"}
LEFT = {"became smaller with no image known to be gone, as by compression": 1, "size not known": 1}

CASES = [
    Case("storage.deleted_by_period", [
        {"period": FEBRUARY, "what": "study gone", "bytes": 140, "studies": 2, "images": 14},
        {"period": MARCH, "what": "some images gone", "bytes": 30, "studies": 1, "images": 3},
        {"period": MARCH, "what": "study gone", "bytes": 11, "studies": 1, "images": 0},
        {"period": MARCH, "what": "study gone, another source holds it", "bytes": 70, "studies": 1, "images": 7},
    ], headline=251.0, n=5, left_out=LEFT, options=UTC),
    Case("storage.deleted_by_period", [
        # In Paris the last half hour of February is March
        {"period": MARCH, "site": "North", "bytes": 200, "studies": 3},
        {"period": MARCH, "site": "South", "bytes": 51, "studies": 2},
    ], headline=251.0, left_out=LEFT, options={"by": "site", "site_zone": "Europe/Paris"}),
    Case("storage.deleted_by_period", [
        {"period": day("2025-01-01"), "source_id": "copy", "bytes": 11},
    ], headline=11.0, n=1, filters=Filters(date_from=day("2025-03-06"), modalities=("CT",)),
        options={"by": "source_id", "period": "year", **UTC}),
    Case("storage.deleted_by_period", [{"period": FEBRUARY, "modality": "MR", "bytes": 40}], headline=40.0, n=1,
         filters=Filters(sites=("South",), modalities=("MR",)), options={"by": "modality", **UTC}),
]
