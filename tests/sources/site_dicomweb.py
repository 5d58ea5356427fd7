"""A DICOMweb server with three studies, of which one can change and one can go."""

from __future__ import annotations

from pathlib import Path

from analytics.warehouse.merge import Counts
from analytics.warehouse.schema import series, studies
from tests.sources.qido_server import Qido, dicom_json, start, stop
from tests.sources.sites import BORN, IDS, NAMES, Expected, Site


class DicomWebSite(Site):
    """Three studies on three days, each of one series with one image."""

    expected = Expected(
        first={studies: 3, series: 3},
        after_change={studies: Counts(changed=1, unchanged=2), series: Counts(unchanged=3)},
        after_delete={studies: Counts(unchanged=2, removed=1), series: Counts(unchanged=2, removed=1)})

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.qido = Qido()
        self.server = start(self.qido)
        self.spec = self.qido.spec
        for number in range(3):
            self.add(number)

    def add(self, number: int) -> None:
        """Store a study of one of the three patients."""
        uid = f"1.2.{number}"
        self.qido.studies.append(dicom_json(
            StudyInstanceUID=uid, StudyDate=f"2026070{number + 1}", StudyTime="100000", AccessionNumber=f"A{number}",
            ModalitiesInStudy=["CT"], PatientID=IDS[number], PatientName=NAMES[number], PatientBirthDate=BORN[number],
            StudyDescription="HEAD", NumberOfStudyRelatedSeries=1, NumberOfStudyRelatedInstances=1))
        self.qido.series[uid] = [dicom_json(
            SeriesInstanceUID=f"{uid}.1", StudyInstanceUID=uid, Modality="CT", SeriesNumber=1, StationName="CT1",
            NumberOfSeriesRelatedInstances=1)]

    def change_one(self) -> None:
        self.qido.studies[1] |= dicom_json(StudyDescription="NECK")

    def delete_one(self) -> None:
        del self.qido.studies[1]
        self.qido.series.pop("1.2.1")

    def spoil(self) -> int:
        """A study without a UID, one whose description is a name's parts, and a series without a UID."""
        about = {"StudyDate": "20260702", "PatientID": IDS[0], "PatientName": NAMES[0], "PatientBirthDate": BORN[0]}
        self.qido.studies.append(dicom_json(**about))
        self.qido.studies.append(dicom_json(StudyInstanceUID="1.2.8", **about) | {
            "00081030": {"vr": "LO", "Value": [{"Alphabetic": NAMES[1]}]}})
        self.qido.series["1.2.0"].append(dicom_json(PatientName=NAMES[2]))
        self.qido.studies[0] |= dicom_json(NumberOfStudyRelatedSeries=2)
        return 3

    def close(self) -> None:
        stop(self.server)
