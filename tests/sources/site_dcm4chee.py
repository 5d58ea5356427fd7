"""A small dcm4chee archive: one image in each of three studies, each ordered, and one with its exam's times."""

from __future__ import annotations

from pathlib import Path

from analytics.warehouse.merge import Counts
from analytics.warehouse.schema import events, orders, patient_merges, series, studies
from tests.sources.dcm4chee_database import Dcm4cheeDatabase, dataset
from tests.sources.sites import BORN, IDS, NAMES, Expected, Site


class Dcm4cheeArchive(Site):
    """An archive in a PostgreSQL database; it needs no folder."""

    needs_postgres = True
    expected = Expected(
        first={studies: 3, series: 3, orders: 3, events: 2, patient_merges: 1},
        after_change={studies: Counts(changed=1, unchanged=2), series: Counts(changed=1, unchanged=2),
                      orders: Counts(unchanged=3), events: Counts(unchanged=2), patient_merges: Counts(unchanged=1)},
        after_delete={studies: Counts(unchanged=2, removed=1), series: Counts(unchanged=2, removed=1),
                      orders: Counts(unchanged=2, removed=1), events: Counts(unchanged=2),
                      patient_merges: Counts(unchanged=1)})

    def __init__(self, folder: Path, postgres_url: str) -> None:
        super().__init__(folder)
        self.database = Dcm4cheeDatabase(postgres_url)
        self.spec = self.database.spec
        for number in range(3):
            self.add(number)
        self.database.patient(["OLD-7731942"], NAMES[0], merge_fk=1)

    def add(self, number: int) -> None:
        fill = self.database
        about = dataset((0x00100010, "PN", NAMES[number]), (0x00100020, "LO", IDS[number]))
        patient = fill.patient([IDS[number]], NAMES[number], BORN[number], "F", attrs=about)
        study = fill.study(patient, f"1.2.{number}", accession_no=f"A{number}", study_desc="HEAD",
                           study_date=f"2026070{number + 1}", study_time="100000.000",
                           created_time="2026-07-05 09:00:00", access_time="2026-07-06 09:00:00")
        series = fill.series(study, f"1.2.{number}.1", modality="CT", station_name="CT1",
                             created_time="2026-07-05 09:00:00")
        fill.object(series, f"1.2.{number}.1.1", ("fs1", 120))
        fill.add("mwl_item", patient_fk=patient, accession_no=f"A{number}", modality="CT", attrs=about)
        if number == 0:
            end = dataset((0x00400250, "DA", "20260701"), (0x00400251, "TM", "101500"))
            fill.add("mpps", patient_fk=patient, accession_no="A0", pps_start_date="20260701", pps_start_time="100000",
                     pps_status=1, attrs=end)

    def change_one(self) -> None:
        self.database.run("UPDATE location SET object_size = 150 WHERE pk = 2")

    def delete_one(self) -> None:
        self.database.run("DELETE FROM location WHERE pk = 2", "DELETE FROM instance WHERE pk = 2",
                          "DELETE FROM series WHERE pk = 2", "DELETE FROM study WHERE pk = 2",
                          "DELETE FROM mwl_item WHERE pk = 2")
