"""Held twice, by hand. The source with the most images counts; of as many, the first by name.

    study  site   modality  held by (bytes, images)
    1      North  CT        archive (100, 10), copy (90, 10): archive counts, 90 further in copy
    2      North  MR        archive (50, 5), copy (60, 6): copy counts, 50 further in archive
    3      North  CT        archive (70, 7) alone
    4      South  CT        archive (30, 3), copy (size not known, 3): left out
    5      South  CT        copy (20, 2) and (5, 1) under another patient, third (8, 2), archive (25, 4): archive
                            counts, 25 further in copy, 8 in third
    6      South  DX        folder alone: object a at three paths (4, 4, 6), b at two (5, 5), c at one: 8 + 5 further
    7      South  DX        folder (9, 1): its object a is another study's, under another UID of study: no copy
    8      North  CT        archive (7, 4), folder (6, 2) with its object twice (3, 3): 6 further in folder, no more;
                            another object of it there (1, not known): no matter, archive counts
    9      South  DX        folder alone: object e at two paths (5, not known): left out; f at two (2, 2): 2 further
    10     South  DX        folder alone: object g at two paths, neither size known: left out
"""

from __future__ import annotations

from typing import Any

from analytics.core.filters import Filters
from analytics.warehouse.schema import instances, studies
from tests.spec.case import Case, Tables, at, day


def study(number: int, source: str, size: int | None, images: int, site: str = "North", modality: str = "CT",
          patient: str = "p") -> dict[str, Any]:
    return {"source_id": source, "study_instance_uid": f"1.{number}", "patient_key": patient, "size_bytes": size,
            "number_of_instances": images, "site": site, "modality": modality, "study_date": day("2025-03-03"),
            "study_at": at("2025-03-03 09:00"), "stored_at": at("2025-03-03 10:00")}


def file(number: int, name: str, path: str, size: int | None) -> dict[str, Any]:
    return {"source_id": "folder", "sop_instance_uid": name, "path": path, "study_instance_uid": f"1.{number}",
            "size_bytes": size}


TABLES: Tables = {
    studies: [
        study(1, "archive", 100, 10), study(1, "copy", 90, 10), study(2, "archive", 50, 5, modality="MR"),
        study(2, "copy", 60, 6, modality="MR"), study(3, "archive", 70, 7), study(4, "archive", 30, 3, "South"),
        study(4, "copy", None, 3, "South"), study(5, "copy", 20, 2, "South"),
        study(5, "copy", 5, 1, "South", patient="q"), study(5, "third", 8, 2, "South"),
        study(5, "archive", 25, 4, "South"), study(6, "folder", 30, 3, "South", "DX"),
        study(7, "folder", 9, 1, "South", "DX"), study(8, "archive", 7, 4), study(8, "folder", 6, 2),
        study(9, "folder", 9, 4, "South", "DX"), study(10, "folder", 1, 2, "South", "DX")],
    instances: [
        file(6, "a", "1", 4), file(6, "a", "2", 4), file(6, "a", "3", 6), file(6, "b", "4", 5), file(6, "b", "5", 5),
        file(6, "c", "6", 6), file(7, "a", "7", 9), file(8, "d", "8", 3), file(8, "d", "9", 3),
        file(8, "h", "16", 1), file(8, "h", "17", None),
        file(9, "e", "10", 5), file(9, "e", "11", None), file(9, "f", "12", 2), file(9, "f", "13", 2),
        file(10, "g", "14", None), file(10, "g", "15", None)],
}
LEFT = {"a copy in another source whose size is not known": 1,
        "an object at several paths whose size is not known at each": 2}

CASES = [
    Case("storage.duplicated", [
        # One pair, whichever of the two counts: 90 and 25 in copy, 50 in archive
        {"held": "archive and copy", "bytes": 165, "studies": 3, "images": 18},
        {"held": "archive and third", "bytes": 8, "studies": 1, "images": 2},
        {"held": "archive and folder", "bytes": 6, "studies": 1, "images": 2},
        {"held": "folder, at several paths", "bytes": 15, "studies": 2, "images": 4},
    ], headline=194.0, n=6, left_out=LEFT),
    Case("storage.duplicated", [
        {"site": "North", "bytes": 146, "studies": 3}, {"site": "South", "bytes": 48, "studies": 3},
    ], headline=194.0, n=6, left_out=LEFT, options={"by": "site"}),
    Case("storage.duplicated", [{"modality": "MR", "bytes": 50}], headline=50.0, n=1,
         filters=Filters(modalities=("MR",)), options={"by": "modality"}),
]
