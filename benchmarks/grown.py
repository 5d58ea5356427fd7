"""A loaded warehouse made larger: a network of hospitals, each with the exams, sites and devices of the first.

Loading 20 million studies takes the better part of an hour and says nothing about pages; what pages read is made here
by the database itself, in minutes. Identifiers, sites and devices get the number of their hospital; dates, sizes and
intervals stay, so every count is a multiple of the first one's, which a run can check.
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import duckdb

from analytics.core.settings import Settings
from analytics.opening import keep_answers
from analytics.warehouse.schema import archives, check_counts, events, exams, findings, orders, series, studies
from analytics.warehouse.store import open_store

SERIES_A_STUDY = 4
_GROWN = (studies, series, orders, events, archives, check_counts, findings, exams)
_NUMBERED = {"study_instance_uid", "series_instance_uid", "sop_instance_uid", "exam_id", "accession_number",
             "patient_key", "site", "station_name", "archive"}


def _more_series(connection: duckdb.DuckDBPyConnection) -> None:
    """Give the warehouse four series a study: further ones are like the ones that are there."""
    names = [column.name for column in series.columns]
    wanted = "SELECT CAST(? * count(*) AS BIGINT) FROM studies"
    have = "SELECT count(*) FROM series"
    fresh = ", ".join("series_instance_uid || '.9'" if name == "series_instance_uid" else f'"{name}"'
                      for name in names)
    missing = (connection.execute(wanted, [SERIES_A_STUDY]).fetchall()[0][0]
               - connection.execute(have).fetchall()[0][0])
    connection.execute(f"INSERT INTO series SELECT {fresh} FROM series LIMIT {max(0, missing)}")


def grow(home: Path, target: Path, times: int) -> float:
    """Copy the current snapshot of a home into another home, ``times`` as large.

    Parameters
    ----------
    home : Path
        With a DuckDB warehouse of one loaded hospital.
    target : Path
        A home that is made anew.
    times : int
        Hospitals in all.

    Returns
    -------
    float
        Seconds that the answers to what pages ask first took.
    """
    settings = Settings(home=target)
    source, store = open_store(Settings(home=home)), open_store(settings)
    first = home / "warehouse" / f"snapshot-{source.current_revision():06d}.duckdb"
    shutil.rmtree(target / "warehouse", ignore_errors=True)
    (target / "warehouse").mkdir(parents=True)
    work = target / "warehouse" / "draft-000000.duckdb"
    shutil.copyfile(first, work)
    connection = duckdb.connect(str(work))
    connection.execute("SET memory_limit='4GB'; SET preserve_insertion_order=false")
    _more_series(connection)
    for table in _GROWN:
        chosen = ", ".join(f"\"{column.name}\" || '.' || hospital" if column.name in _NUMBERED else f'"{column.name}"'
                           for column in table.columns)
        names = ", ".join(f'"{column.name}"' for column in table.columns)
        connection.execute(f"CREATE TEMP TABLE one AS SELECT {names} FROM {table.name}")
        for hospital in range(2, times + 1):
            # One at a time, in the order of the first: what is near in time stays near in the file.
            connection.execute(f"INSERT INTO {table.name} ({names}) "
                               f"SELECT {chosen} FROM one, (SELECT '{hospital}' AS hospital)")
        connection.execute("DROP TABLE one")
    connection.close()
    with store.draft(f"{times} hospitals") as draft:
        start = time.perf_counter()
        keep_answers(draft, settings, answered_from=0)
        return time.perf_counter() - start
