"""A C-FIND provider of any size: ``python -m benchmarks.find_server N``; see `benchmarks.qido_server` for its studies.

It prints its port, and listens on loopback alone.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from pydicom.dataset import Dataset
from pynetdicom import AE, evt
from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelFind  # type: ignore[attr-defined]

from benchmarks.qido_server import DAYS, FIRST, day_of, numbers


def _study(n: int, studies: int) -> Dataset:
    found = Dataset()
    found.QueryRetrieveLevel = "STUDY"
    found.StudyInstanceUID, found.StudyDate, found.StudyTime = f"1.2.826.{n}", f"{day_of(n, studies):%Y%m%d}", "100000"
    found.AccessionNumber, found.ModalitiesInStudy, found.StudyDescription = f"A{n}", "CT", "CHEST"
    found.PatientID, found.PatientName, found.PatientBirthDate = f"ID{n // 3}", f"NAME{n // 3}^GIVEN", "19600101"
    found.PatientSex, found.NumberOfStudyRelatedSeries, found.NumberOfStudyRelatedInstances = "F", 1, 2
    return found


def _series(uid: str) -> Dataset:
    found = Dataset()
    found.QueryRetrieveLevel = "SERIES"
    found.StudyInstanceUID, found.SeriesInstanceUID, found.Modality = uid, f"{uid}.1", "CT"
    found.SeriesDescription, found.StationName, found.NumberOfSeriesRelatedInstances = "AXIAL", "CT1", 2
    return found


def _range(asked: str) -> tuple[date, date]:
    begin, _, end = asked.partition("-")
    end = end if "-" in asked else begin
    return (max(FIRST, date.fromisoformat(begin)) if begin else FIRST,
            min(FIRST + timedelta(DAYS), date.fromisoformat(end)) if end else FIRST + timedelta(DAYS))


def main(studies: int) -> None:
    """Answer until standard input ends."""
    logging.getLogger("pynetdicom").setLevel(logging.CRITICAL)

    def find(event: Any) -> Iterator[tuple[int, Dataset | None]]:
        asked = event.identifier
        if asked.QueryRetrieveLevel == "SERIES":
            yield 0xFF00, _series(asked.StudyInstanceUID)
        else:
            for n in numbers(*_range(str(asked.get("StudyDate", "") or "-")), studies):
                yield 0xFF00, _study(n, studies)
        yield 0x0000, None

    entity = AE("BENCH")
    entity.network_timeout = None  # a million answers take longer, and the one who asked is silent meanwhile
    entity.add_supported_context(StudyRootQueryRetrieveInformationModelFind)
    server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_FIND, find)])
    print(server.server_address[1], flush=True)
    sys.stdin.read()
    server.shutdown()


if __name__ == "__main__":
    main(int(sys.argv[1]))
