"""Small sites, one for each kind of source: three studies, of which one can change and one can go."""

from __future__ import annotations

import csv
import gzip
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pa_parquet
import sqlalchemy as sa
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from analytics.sources.base import Source
from analytics.sources.load import open_source
from analytics.warehouse.merge import Counts
from analytics.warehouse.schema import events, instances, series, studies

NAMES = ("ZWICKERBAUER^ROSWITHA", "QUATTLEBAUM^ISIDOR", "VANDERSLOOT^PETRONELLA")
IDS = ("HX7731942", "HX8842053", "HX9953164")
BORN = ("19430217", "19561123", "19690831")
SECRETS = (*NAMES, *(part for name in NAMES for part in name.split("^")), *IDS, *BORN,
           "1943-02-17", "1956-11-23", "1969-08-31")
"""What must never be found in the warehouse."""


@dataclass(frozen=True)
class Expected:
    """What a load of a site does, by table: the first one, and the one after a change or a deletion."""

    first: dict[sa.Table, int]
    after_change: dict[sa.Table, Counts]
    after_delete: dict[sa.Table, Counts]


class Site:
    """A source on disk whose content a test can change."""

    expected: Expected
    spec: str
    needs_postgres = False
    """Whether the site is made with the URL of an empty PostgreSQL database as well."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def change_one(self) -> None: ...

    def delete_one(self) -> None: ...

    def close(self) -> None:
        """Stop what the site runs."""

    def spoil(self) -> int:
        """Add records that cannot be used and hold identities; return how many: they must not take them anywhere."""
        return 0

    def open(self, settings: Any) -> Source:
        return open_source(self.spec, settings)


def write_rows(path: Path, rows: list[dict[str, str]]) -> None:
    """Write an export as its name says: CSV, compressed CSV or Parquet."""
    if path.suffix == ".parquet":
        pa_parquet.write_table(pa.Table.from_pylist(rows), path)
        return
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    written = text.getvalue().encode()
    path.write_bytes(gzip.compress(written) if path.suffix == ".gz" else written)


STUDIES_TOML = """
source_id = "archive"
kind = "index_export"
zone = "Europe/London"
[tables.studies]
file = "{file}"
complete = true
date_format = "%Y%m%d"
[tables.studies.columns]
study_instance_uid = "STUDY_UID"
patient_id = "PAT_ID"
patient_name = "PAT_NAME"
patient_birth_date = "DOB"
study_at = "WHEN"
size_bytes = "SIZE_KB"
[tables.studies.scale]
size_bytes = 1000
[tables.studies.constants]
site = "North"
"""


class Export(Site):
    """The export of an index."""

    file = "studies.csv"
    expected = Expected(
        first={studies: 3},
        after_change={studies: Counts(changed=1, unchanged=2)},
        after_delete={studies: Counts(unchanged=2, removed=1)})

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.rows = [
            {"STUDY_UID": f"1.2.{n}", "PAT_ID": IDS[n], "PAT_NAME": NAMES[n], "DOB": BORN[n],
             "WHEN": f"2026-07-0{n + 1} 10:00:00", "SIZE_KB": str(10 + n)} for n in range(3)]
        (folder / "source.toml").write_text(STUDIES_TOML.format(file=self.file))
        self.spec = str(folder / "source.toml")
        self.write()

    def write(self) -> None:
        write_rows(self.folder / self.file, self.rows)

    def change_one(self) -> None:
        self.rows[1]["SIZE_KB"] = "99"
        self.write()

    def delete_one(self) -> None:
        del self.rows[1]
        self.write()

    def spoil(self) -> int:
        bad = dict(zip(self.rows[0], ["", IDS[0], NAMES[0], BORN[0], "2026-07-01 10:00:00", "1"], strict=True))
        self.rows += [bad, {**bad, "STUDY_UID": "1.9", "DOB": "19431317"},
                      {**bad, "STUDY_UID": "1.8", "SIZE_KB": NAMES[1], "WHEN": IDS[1]}]
        self.write()
        if not self.file.endswith(".csv"):
            return 3
        with (self.folder / self.file).open("a") as file:
            file.write(f"1.7,{NAMES[2]}\n")
        return 4


class CompressedExport(Export):
    file = "studies.csv.gz"


class ParquetExport(Export):
    file = "studies.parquet"


class WideEvents(Site):
    """The event times of a RIS, one row an exam. A corrected time is another event: its time is in its key."""

    toml = """
source_id = "ris"
kind = "ris_events"
[tables.events]
file = "ris.csv"
shape = "wide"
complete = true
[tables.events.columns]
accession_number = "ACC"
[tables.events.events]
Order = "ORDERED"
Reported = "SIGNED"
"""
    expected = Expected(
        first={events: 5},
        after_change={events: Counts(added=1, unchanged=4, removed=1)},
        after_delete={events: Counts(unchanged=3, removed=2)})

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.rows = [
            {"ACC": f"A{n}", "ORDERED": f"2026-07-0{n} 08:00", "SIGNED": f"2026-07-0{n} 12:00" if n < 3 else ""}
            for n in (1, 2, 3)]
        (folder / "source.toml").write_text(self.toml)
        self.spec = str(folder / "source.toml")
        self.write()

    def write(self) -> None:
        write_rows(self.folder / "ris.csv", self.rows)

    def change_one(self) -> None:
        self.rows[1]["SIGNED"] = "2026-07-02 13:00"
        self.write()

    def delete_one(self) -> None:
        del self.rows[1]
        self.write()


class LongEvents(WideEvents):
    """The event times of a RIS, one row an event."""

    toml = """
source_id = "ris"
kind = "ris_events"
[tables.events]
file = "ris.csv"
complete = true
[tables.events.columns]
accession_number = "ACC"
event = "STEP"
event_at = "AT"
[tables.events.events]
Order = "ORDERED"
Reported = "SIGNED"
"""

    def write(self) -> None:
        write_rows(self.folder / "ris.csv", [
            {"ACC": row["ACC"], "STEP": step, "AT": row[step]}
            for row in self.rows for step in ("ORDERED", "SIGNED") if row[step]])


def dicom_dataset(number: int, instance: int = 1, **values: Any) -> Dataset:
    """Return one small image of one of the three patients."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SpecificCharacterSet = "ISO_IR 100"
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    dataset.SOPInstanceUID = f"1.2.{number}.1.{instance}"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = f"1.2.{number}", f"1.2.{number}.1"
    dataset.PatientID, dataset.PatientName, dataset.PatientBirthDate = IDS[number], NAMES[number], BORN[number]
    dataset.StudyDate, dataset.StudyTime, dataset.Modality = f"2026070{number + 1}", "100000", "CT"
    dataset.AccessionNumber, dataset.StudyDescription, dataset.StationName = f"A{number}", "HEAD", "CT1"
    dataset.InstanceNumber = instance
    dataset.Rows = dataset.Columns = 2
    dataset.BitsAllocated = dataset.BitsStored = 16
    dataset.HighBit, dataset.PixelRepresentation, dataset.SamplesPerPixel = 15, 0, 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.PixelData = bytes(8)
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    return dataset


class Folder(Site):
    """A tree of DICOM files: the first study has two images, the others one."""

    expected = Expected(
        first={instances: 4, series: 3, studies: 3},
        after_change={instances: Counts(changed=1, unchanged=3), series: Counts(unchanged=3),
                      studies: Counts(changed=1, unchanged=2)},
        after_delete={instances: Counts(unchanged=3, removed=1), series: Counts(unchanged=2, removed=1),
                      studies: Counts(unchanged=2, removed=1)})

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.spec = str(folder)
        for number, instance in ((0, 1), (0, 2), (1, 1), (2, 1)):
            self.path(number, instance).parent.mkdir(exist_ok=True)
            self.save(dicom_dataset(number, instance), self.path(number, instance))

    def path(self, number: int, instance: int = 1) -> Path:
        return self.folder / f"s{number}" / f"i{instance}"

    def save(self, dataset: Dataset, path: Path) -> None:
        dataset.save_as(path, enforce_file_format=True)

    def change_one(self) -> None:
        self.save(dicom_dataset(1, StudyDescription="NECK"), self.path(1))

    def delete_one(self) -> None:
        self.path(1).unlink()

    def spoil(self) -> int:
        dataset = dicom_dataset(1, 7)
        dataset.add_new(0x00100040, "CS", NAMES[1][:16])
        dataset.add_new(0x00180015, "CS", "knee")
        self.save(dataset, self.path(1, 7))
        whole = self.path(0).read_bytes()
        self.path(0, 8).write_bytes(whole[:-4])
        self.path(0, 9).write_bytes(whole[:300])
        return 2
