"""An Orthanc index of any size, as Orthanc 1.10 lays it out: one series and two images in each study."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import sqlalchemy as sa

IMAGES = 2
DAYS = 3_650

_TABLES = (
    "CREATE TABLE Resources(internalId {big} PRIMARY KEY, resourceType INTEGER, publicId TEXT, parentId {big})",
    "CREATE TABLE MainDicomTags(id {big}, tagGroup INTEGER, tagElement INTEGER, value TEXT, "
    "PRIMARY KEY(id, tagGroup, tagElement))",
    "CREATE TABLE Metadata(id {big}, type INTEGER, value TEXT, PRIMARY KEY(id, type))",
    "CREATE TABLE AttachedFiles(id {big}, fileType INTEGER, uuid TEXT, compressedSize {big}, "
    "uncompressedSize {big}, PRIMARY KEY(id, fileType))",
    "CREATE TABLE GlobalIntegers(key INTEGER PRIMARY KEY, value {big})",
)
_INDEXES = (
    "CREATE INDEX ChildrenIndex ON Resources(parentId)",
    "CREATE INDEX ResourceTypeIndex ON Resources(resourceType)",
)


def _statements(studies: int, numbers: str, base: int, text: str, day: str) -> list[str]:
    """Return the inserts; resources of study n are 10 n (patient), + 1 (study), + 2 (series), + 3, 4 (images)."""
    step = 10
    levels = "\n".join(
        f"INSERT INTO Resources SELECT n * {step} + {place}, {base + min(place, 3)}, 'p' || (n * {step} + {place}), "
        f"{'NULL' if place == 0 else f'n * {step} + {min(place, 3) - 1}'} FROM {numbers};"
        for place in range(3 + IMAGES))
    tags = {
        1: {(0x20, 0x0D): "'1.2.826.' || n", (8, 0x20): day, (8, 0x30): f"{text.format('100000 + n % 120000')}",
            (0x10, 0x20): "'ID' || (n / 3)", (0x10, 0x10): "'NAME' || (n / 3) || '^GIVEN'",
            (0x10, 0x30): "'19600101'", (0x10, 0x40): "'F'", (8, 0x50): "'A' || n", (8, 0x1030): "'CHEST'"},
        2: {(0x20, 0x0E): "'1.2.826.' || n || '.1'",
            (8, 0x60): "CASE n % 3 WHEN 0 THEN 'CT' WHEN 1 THEN 'MR' ELSE 'CR' END",
            (8, 0x1010): "'STATION' || (n % 17)", (8, 0x103E): "'AXIAL'"},
        **{3 + k: {(8, 0x18): f"'1.2.826.' || n || '.1.{k}'", (0x20, 0x13): f"'{k + 1}'"} for k in range(IMAGES)},
    }
    inserts = [levels]
    for place, values in tags.items():
        for (group, element), value in values.items():
            inserts.append(f"INSERT INTO MainDicomTags SELECT n * {step} + {place}, {group}, {element}, {value} "
                           f"FROM {numbers};")
    for k in range(IMAGES):
        here = f"n * {step} + {3 + k}"
        inserts += [
            f"INSERT INTO Metadata SELECT {here}, 2, '20260705T090000' FROM {numbers};",
            f"INSERT INTO Metadata SELECT {here}, 9, '1.2.840.10008.1.2.1' FROM {numbers};",
            f"INSERT INTO AttachedFiles SELECT {here}, 1, 'file-' || n || '-{k}', 524288, 524288 FROM {numbers};",
        ]
    total = studies * IMAGES * 524288
    inserts.append(f"INSERT INTO GlobalIntegers VALUES (0, {total}), (1, {total});")
    return "\n".join(inserts).split("\n")


def fill_sqlite(path: Path, studies: int) -> None:
    """Write an SQLite index with so many studies."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = OFF")
    for table in _TABLES:
        connection.execute(table.format(big="INTEGER"))
    connection.execute("CREATE TEMP TABLE numbers(n INTEGER PRIMARY KEY)")
    connection.executemany("INSERT INTO numbers VALUES (?)", ((n,) for n in range(studies)))
    day = f"strftime('%Y%m%d', '2016-11-01', '+' || (n % {DAYS}) || ' days')"
    for statement in _statements(studies, "numbers", 1, "CAST({} AS TEXT)", day):
        connection.execute(statement)
    for index in _INDEXES:
        connection.execute(index)
    connection.commit()
    connection.close()


def fill_postgres(url: str, studies: int) -> None:
    """Fill an empty PostgreSQL database with the index of so many studies."""
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text("SET LOCAL synchronous_commit = off"))
        for table in _TABLES:
            connection.execute(sa.text(table.format(big="BIGINT")))
        numbers = f"generate_series(0, {studies - 1}) AS made(n)"
        day = f"to_char(date '2016-11-01' + (n % {DAYS}), 'YYYYMMDD')"
        for statement in _statements(studies, numbers, 0, "({})::text", day):
            connection.execute(sa.text(statement))
        for index in _INDEXES:
            connection.execute(sa.text(index))
    engine.dispose()


READ = ("SELECT internalId, resourceType, parentId FROM Resources", "SELECT * FROM MainDicomTags",
        "SELECT * FROM Metadata", "SELECT * FROM AttachedFiles")
"""The peer: every row of the index that a load needs, fetched and let go."""
