"""A dcm4chee-arc 5.35 database of any size: three series and ten objects in each study, half of them sized.

    python -m benchmarks.dcm4chee_database postgresql://user@host/database 100000

fills an empty database and reads it, and prints the seconds, the studies a second and the peak memory.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path

import sqlalchemy as sa

from analytics.core.settings import Settings
from analytics.sources.base import Batch, Known
from analytics.sources.open import open_source
from tests.sources.dcm4chee_database import dataset, statements

SERIES = 3
OBJECTS = 10
DAYS = 3_650
_OBJECT_BYTES = 524_288

_STUDY_ATTRS = dataset((0x00100010, "PN", "NAME^GIVEN"), (0x00101010, "AS", "050Y")).hex()
_SERIES_ATTRS = dataset(
    (0x00080005, "CS", "ISO_IR 100"), (0x00080060, "CS", "CT"), (0x00080070, "LO", "MANUFACTURER"),
    (0x00080080, "LO", "NORTH"), (0x00081010, "SH", "STATION"), (0x0008103E, "LO", "AXIAL"),
    (0x00081090, "LO", "MODEL"), (0x00180015, "CS", "CHEST"), (0x0020000E, "UI", "1.2.826.0.1.3680043.8.498"),
    (0x00400275, "SQ", [dataset((0x00400007, "LO", "CHEST"), (0x00400009, "SH", "SPS"))])).hex()
_END = dataset((0x00400250, "DA", "20260101"), (0x00400251, "TM", "103000")).hex()


def _inserts(studies: int) -> list[str]:
    """Return the inserts: study n has series 3n+1 to 3n+3, and objects 10n+1 to 10n+10 spread over them."""
    numbers = f"generate_series(0, {studies - 1}) n"
    series, objects = f"generate_series(0, {studies * SERIES - 1}) s", f"generate_series(0, {studies * OBJECTS - 1}) o"
    day = f"to_char(date '2016-01-01' + (n % {DAYS})::int, 'YYYYMMDD')"
    at = f"timestamp '2016-01-01 10:00' + (n % {DAYS}) * interval '1 day'"
    steps = studies * (1 + SERIES)
    return [
        f"INSERT INTO dicomattrs (pk, attrs) SELECT n + 1, '\\x{_STUDY_ATTRS}'::bytea FROM {numbers}",
        f"INSERT INTO dicomattrs (pk, attrs) SELECT {studies} + s + 1, '\\x{_SERIES_ATTRS}'::bytea FROM {series}",
        f"INSERT INTO dicomattrs (pk, attrs) SELECT {steps} + n + 1, '\\x{_END}'::bytea FROM {numbers}",
        f"INSERT INTO person_name (pk, alphabetic_name) SELECT n + 1, 'NAME' || n || '^GIVEN' FROM {numbers}",
        "INSERT INTO patient (pk, pat_birthdate, pat_sex, dicomattrs_fk, pat_name_fk) "
        f"SELECT n + 1, '19600101', 'F', n + 1, n + 1 FROM {numbers}",
        f"INSERT INTO patient_id (pk, pat_id, patient_fk) SELECT n + 1, 'ID' || n, n + 1 FROM {numbers}",
        "INSERT INTO study (pk, study_iuid, study_date, study_time, accession_no, study_desc, study_size, storage_ids, "
        "created_time, access_time, dicomattrs_fk, patient_fk) SELECT n + 1, '1.2.826.' || n, "
        f"{day}, '100000.000', 'A' || n, 'CHEST', CASE WHEN n % 2 = 0 THEN {OBJECTS * _OBJECT_BYTES} ELSE -1 END, "
        f"'fs1', {at}, {at}, n + 1, n / 3 + 1 FROM {numbers}",
        "INSERT INTO series (pk, series_iuid, modality, station_name, institution, series_desc, body_part, tsuid, "
        f"series_size, created_time, dicomattrs_fk, study_fk) SELECT s + 1, '1.2.826.' || s / {SERIES} || '.' || s, "
        "'CT', 'STATION' || s % 17, 'NORTH', 'AXIAL', 'CHEST', '1.2.840.10008.1.2.4.70', "
        f"CASE WHEN s / {SERIES} % 2 = 0 THEN (CASE WHEN s % {SERIES} = 0 THEN 4 ELSE 3 END) * {_OBJECT_BYTES} "
        f"ELSE -1 END, timestamp '2016-01-01 10:00' + (s / {SERIES} % {DAYS}) * interval '1 day', "
        f"{studies} + s + 1, s / {SERIES} + 1 FROM {series}",
        "INSERT INTO series_query_attrs (pk, view_id, num_instances, series_fk) SELECT s + 1, 'regularUse', "
        f"CASE WHEN s % {SERIES} = 0 THEN 4 ELSE 3 END, s + 1 FROM {series} WHERE s / {SERIES} % 2 = 0",
        f"INSERT INTO instance (pk, sop_iuid, series_fk) SELECT o + 1, '1.2.826.9.' || o, o / {OBJECTS} * {SERIES} + "
        f"o % {OBJECTS} % {SERIES} + 1 FROM {objects}",
        f"INSERT INTO location (pk, object_size, storage_id, instance_fk) SELECT o + 1, {_OBJECT_BYTES}, 'fs1', o + 1 "
        f"FROM {objects}",
        "INSERT INTO mpps (pk, accession_no, pps_start_date, pps_start_time, pps_status, dicomattrs_fk, patient_fk) "
        f"SELECT n + 1, 'A' || n, '20260101', '100000', 1, {steps} + n + 1, n / 3 + 1 FROM {numbers}",
    ]


def fill(url: str, studies: int, *, analyzed: bool = False) -> None:
    """Fill an empty PostgreSQL database with an archive of some studies.

    Parameters
    ----------
    url : str
        ``postgresql+psycopg://user@host/database``.
    studies : int
        Each has 3 series and 10 objects of 512 KB with one file each; of every other, the archive has worked out
        neither the sizes nor the numbers of instances.
    analyzed : bool
        Whether the planner gets statistics of it.
    """
    engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql("SET LOCAL synchronous_commit = off")
        for statement in (*statements(), *_inserts(studies), *(["ANALYZE"] if analyzed else [])):
            connection.exec_driver_sql(statement.replace("%", "%%"))


def read(url: str) -> tuple[dict[str, int], float]:
    """Read an archive; return the rows by table, and the seconds."""
    named = sa.make_url(url).set(drivername="dcm4chee+postgresql").render_as_string(hide_password=False)
    with tempfile.TemporaryDirectory() as home:
        source = open_source(named, Settings(home=Path(home), _env_file=None))  # type: ignore[call-arg]
        held: dict[str, int] = {}
        start = time.perf_counter()
        for batch in source.batches(Known(), lambda *_: None):
            if isinstance(batch, Batch):
                held[batch.table.name] = held.get(batch.table.name, 0) + batch.rows.num_rows
    return held, time.perf_counter() - start


def main() -> None:
    """Fill a database and read it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("studies", type=int)
    parser.add_argument("--analyzed", action="store_true")
    parser.add_argument("--filled", action="store_true", help="the database is filled already")
    asked = parser.parse_args()
    url = sa.make_url(asked.url).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
    if not asked.filled:
        fill(url, asked.studies, analyzed=asked.analyzed)
    held, seconds = read(url)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{held}: {seconds:.1f} s, {held['studies'] / seconds:,.0f} studies/s, peak memory {memory:,.0f} MB")


if __name__ == "__main__":
    main()
