"""An Orthanc index as Orthanc 1.10 lays it out, small enough to change by hand; the real one is in tests/services."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from analytics.warehouse.merge import Counts
from analytics.warehouse.schema import instances, series, studies
from tests.sources.sites import BORN, IDS, NAMES, Expected, Site

ORTHANC_TABLES = """
CREATE TABLE Resources(internalId INTEGER PRIMARY KEY, resourceType INTEGER, publicId TEXT, parentId INTEGER);
CREATE TABLE MainDicomTags(id INTEGER, tagGroup INTEGER, tagElement INTEGER, value TEXT);
CREATE TABLE Metadata(id INTEGER, type INTEGER, value TEXT);
CREATE TABLE AttachedFiles(id INTEGER, fileType INTEGER, uuid TEXT, compressedSize INTEGER, uncompressedSize INTEGER);
CREATE TABLE GlobalIntegers(key INTEGER PRIMARY KEY, value INTEGER);
INSERT INTO GlobalIntegers VALUES (0, 0), (1, 0);
"""


class OrthancIndex(Site):
    """An Orthanc index with one image in each of three studies, as Orthanc 1.10 lays it out."""

    expected = Expected(
        first={instances: 3, series: 3, studies: 3},
        after_change={instances: Counts(changed=1, unchanged=2), series: Counts(unchanged=3),
                      studies: Counts(changed=1, unchanged=2)},
        after_delete={instances: Counts(unchanged=2, removed=1), series: Counts(unchanged=2, removed=1),
                      studies: Counts(unchanged=2, removed=1)})
    patient_type = 1

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.file = folder / "index"
        self.spec = f"orthanc+sqlite://{self.file}"
        self.run(ORTHANC_TABLES)
        for number in range(3):
            self.add(number)

    def run(self, script: str) -> None:
        connection = sqlite3.connect(self.file)
        connection.executescript(script)
        connection.close()

    def add(self, number: int) -> None:
        ids = [number * 10 + level for level in range(4)]
        rows = [f"({id_}, {self.patient_type + level}, 'p{id_}', {ids[level - 1] if level else 'NULL'})"
                for level, id_ in enumerate(ids)]
        tags = {
            (1, 0x20, 0x0D): f"1.2.{number}", (1, 0x08, 0x20): f"2026070{number + 1}", (1, 0x08, 0x30): "100000",
            (1, 0x10, 0x20): IDS[number], (1, 0x10, 0x10): NAMES[number], (1, 0x10, 0x30): BORN[number],
            (1, 0x08, 0x1030): "HEAD", (2, 0x20, 0x0E): f"1.2.{number}.1", (2, 0x08, 0x60): "CT",
            (3, 0x08, 0x18): f"1.2.{number}.1.1", (3, 0x20, 0x13): "1",
        }
        values = [f"({ids[level]}, {group}, {element}, '{value}')" for (level, group, element), value in tags.items()]
        self.run(f"""
INSERT INTO Resources VALUES {', '.join(rows)};
INSERT INTO MainDicomTags VALUES {', '.join(values)};
INSERT INTO Metadata VALUES ({ids[3]}, 2, '20260705T090000'), ({ids[3]}, 9, '1.2.840.10008.1.2.1');
INSERT INTO AttachedFiles VALUES ({ids[3]}, 1, 'abcd-{number}', 100, 100), ({ids[3]}, 3, 'efgh-{number}', 20, 20);
UPDATE GlobalIntegers SET value = value + 120;""")  # noqa: S608

    def change_one(self) -> None:
        self.run("UPDATE MainDicomTags SET value = 'NECK' WHERE id = 11 AND tagGroup = 8 AND tagElement = 4144;")

    def delete_one(self) -> None:
        self.run("DELETE FROM Resources WHERE internalId BETWEEN 10 AND 13; "
                 "DELETE FROM MainDicomTags WHERE id BETWEEN 10 AND 13; DELETE FROM Metadata WHERE id = 13; "
                 "DELETE FROM AttachedFiles WHERE id = 13; UPDATE GlobalIntegers SET value = value - 120;")
