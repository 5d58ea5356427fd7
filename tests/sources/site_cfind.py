"""An archive of three studies that is asked by C-FIND."""

from __future__ import annotations

from pathlib import Path

from analytics.warehouse.merge import Counts
from analytics.warehouse.schema import series, studies
from tests.sources.find_scp import FindScp, dataset, one_series, study
from tests.sources.sites import BORN, IDS, NAMES, Expected, Site


class CFindArchive(Site):
    """A query service on loopback: one series in each study; the second study can change, or go."""

    expected = Expected(
        first={studies: 3, series: 3},
        after_change={studies: Counts(changed=1, unchanged=2), series: Counts(unchanged=3)},
        after_delete={studies: Counts(unchanged=2, removed=1), series: Counts(unchanged=2, removed=1)})

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.scp = FindScp(
            [study(n, f"2026070{n + 1}", PatientID=IDS[n], PatientName=NAMES[n], PatientBirthDate=BORN[n])
             for n in range(3)],
            [one_series(n) for n in range(3)])
        self.spec = self.scp.spec

    def change_one(self) -> None:
        self.scp.studies[1].StudyDescription = "NECK"

    def delete_one(self) -> None:
        del self.scp.studies[1], self.scp.series[1]

    def spoil(self) -> int:
        bad = {"PatientID": IDS[0], "PatientName": NAMES[0], "PatientBirthDate": BORN[0], "StudyDate": "20260702"}
        self.scp.studies += [dataset(StudyInstanceUID="", **bad), dataset(StudyInstanceUID=f"{NAMES[1]}*", **bad)]
        self.scp.series.append(one_series(2, SeriesInstanceUID=f"{NAMES[2]}*"))
        return 3

    def close(self) -> None:
        self.scp.stop()
