"""The part of Orthanc's REST interface that a load asks for, in any size: ``python -m benchmarks.orthanc_server N``.

Each study has one series of two images; answers are made as they are asked for. It prints its port, and listens on
loopback alone.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from benchmarks.http_server import serve
from benchmarks.qido_server import day_of

STUDY, SERIES, INSTANCE = 1, 2, 3
IMAGES = 2
_BYTES = 524_288


def public_id(n: int, level: int, place: int = 0) -> str:
    """Return an id that says what it is of; its first byte is spread evenly, as a digest's is."""
    return "-".join(f"{part:08x}" for part in (n * 2_654_435_761 % 2**32, level, place, 0, n))


def _number(one: str) -> int:
    return int(one.rsplit("-", 1)[1], 16)


def _study(n: int, studies: int) -> dict[str, Any]:
    tags = {"StudyInstanceUID": f"1.2.826.{n}", "StudyDate": f"{day_of(n, studies):%Y%m%d}", "StudyTime": "100000",
            "AccessionNumber": f"A{n}", "StudyDescription": "CHEST", "InstitutionName": "NORTH"}
    patient = {"PatientID": f"ID{n // 3}", "PatientName": f"NAME{n // 3}^GIVEN", "PatientBirthDate": "19600101",
               "PatientSex": "F"}
    return {"ID": public_id(n, STUDY), "Type": "Study", "MainDicomTags": tags, "PatientMainDicomTags": patient,
            "Series": [public_id(n, SERIES)]}


def _series(n: int) -> dict[str, Any]:
    tags = {"SeriesInstanceUID": f"1.2.826.{n}.1", "Modality": "CT", "StationName": "CT1", "SeriesDescription": "AXIAL"}
    return {"ID": public_id(n, SERIES), "Type": "Series", "ParentStudy": public_id(n, STUDY), "MainDicomTags": tags,
            "Instances": [public_id(n, INSTANCE, place) for place in range(IMAGES)]}


def _instance(one: str) -> dict[str, Any]:
    n, place = _number(one), int(one.split("-")[2], 16)
    return {"ID": one, "Type": "Instance", "MainDicomTags": {"SOPInstanceUID": f"1.2.826.{n}.1.{place}"},
            "Metadata": {"ReceptionDate": "20260705T090000", "TransferSyntax": "1.2.840.10008.1.2.1"}}


def _total(studies: int) -> dict[str, str]:
    return {"CountPatients": str(-(-studies // 3)), "CountStudies": str(studies), "CountSeries": str(studies),
            "CountInstances": str(studies * IMAGES), "TotalDiskSize": str(studies * IMAGES * _BYTES)}


def answer(target: str, body: bytes, studies: int) -> Any:
    """Return what answers a request."""
    path = target.partition("?")[0]
    parts = path.strip("/").split("/")
    if path == "/system":
        return {"ApiVersion": 16, "Version": "1.10.1", "Name": "bench"}
    if path == "/statistics":
        return _total(studies)
    if path == "/changes":
        return {"Changes": [], "Done": True, "Last": 7}
    if path == "/studies":
        return [public_id(n, STUDY) for n in range(studies)]
    if path == "/tools/lookup":
        return [{"ID": public_id(int(body.decode().rsplit(".", 1)[1]), STUDY), "Type": "Study"}]
    if path == "/tools/bulk-content":
        asked = json.loads(body)
        made = {"Study": lambda one: _study(_number(one), studies), "Series": lambda one: _series(_number(one)),
                "Instance": _instance}[asked["Level"]]
        return [made(one) for one in asked["Resources"]]
    n = _number(parts[1])
    if parts[-1] == "series":
        return [_series(n)]
    return {"CountStudies": 1, "CountSeries": 1, "CountInstances": IMAGES, "DiskSize": str(IMAGES * _BYTES)}


if __name__ == "__main__":
    held = int(sys.argv[1])
    serve(lambda target, body: json.dumps(answer(target, body, held)).encode())
