"""An Orthanc that is asked by its REST interface, with one image in each of three studies."""

from __future__ import annotations

from pathlib import Path

from analytics.warehouse.merge import Counts
from analytics.warehouse.schema import series, studies
from tests.sources.fake_orthanc_rest import FakeOrthanc, public_id
from tests.sources.sites import BORN, IDS, NAMES, Expected, Site


class OrthancServerSite(Site):
    """The same three studies as `tests.sources.fake_orthanc.OrthancIndex`."""

    expected = Expected(
        first={studies: 3, series: 3},
        after_change={studies: Counts(changed=1, unchanged=2), series: Counts(changed=1, unchanged=2)},
        after_delete={studies: Counts(unchanged=2, removed=1), series: Counts(unchanged=2, removed=1)})

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.orthanc = FakeOrthanc()
        self.spec = f"orthanc+{self.orthanc.url}"
        for number in range(3):
            self.add(number)

    def add(self, number: int, instance: int = 1, patient_id: str = "", **more: str) -> None:
        """Store an image of one of the three patients."""
        self.orthanc.add(
            {"PatientID": patient_id or IDS[number], "PatientName": NAMES[number], "PatientBirthDate": BORN[number]},
            {"StudyInstanceUID": f"1.2.{number}", "StudyDate": f"2026070{number + 1}", "StudyTime": "100000",
             "StudyDescription": "HEAD"},
            {"SeriesInstanceUID": f"1.2.{number}.1", "Modality": "CT"}, f"1.2.{number}.1.{instance}", **more)

    def study(self, number: int) -> str:
        """Return the public id of a study."""
        return public_id(IDS[number], f"1.2.{number}")

    def change_one(self) -> None:
        """One more image of the second patient."""
        self.add(1, 2)

    def delete_one(self) -> None:
        self.orthanc.delete(self.study(1))

    def spoil(self) -> int:
        """A study with a series that Orthanc describes in a way that nobody knows, and one that it fails on."""
        for number, tags in (("8", {"Modality": "CT"}), ("9", None)):
            self.orthanc.add({"PatientID": IDS[0], "PatientName": NAMES[0], "PatientBirthDate": BORN[0]},
                             {"StudyInstanceUID": f"1.2.{number}"}, tags or {"Modality": NAMES[1]}, f"1.2.{number}.1")
        odd = self.orthanc.below(public_id(IDS[0], "1.2.9"))[0]
        self.orthanc.resources[odd].tags = NAMES[1]  # type: ignore[assignment]
        self.orthanc.faults[public_id(IDS[0], "1.2.8")] = lambda: (500, "text/plain", NAMES[2].encode())
        return 2

    def close(self) -> None:
        self.orthanc.close()
