"""The demo hospital: three years of an archive's index and a RIS's events, with planted faults and stories."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analytics.core.errors import PacsmeterError
from analytics.core.progress import Progress, silent
from analytics.demo import plan
from analytics.demo.archives import StoredBytes, archives_table, filling_story
from analytics.demo.arrivals import DAY, END_DAY, NEVER, START_DAY, Arrivals, day_number
from analytics.demo.columns import Columns
from analytics.demo.content import MODALITY_CODES, add_content, make_series
from analytics.demo.export import Writer, write_source_files
from analytics.demo.faults import Fault, Month, Planter
from analytics.demo.faults_identity import FAULTS as IDENTITY
from analytics.demo.faults_records import FAULTS as RECORDS
from analytics.demo.faults_records import mark_series
from analytics.demo.faults_temporal import FAULTS as TEMPORAL
from analytics.demo.patients import Population
from analytics.demo.phantoms import image_faults, write_phantoms
from analytics.demo.real import copy_pydicom_samples
from analytics.demo.scanner_log import ScannerLog
from analytics.demo.stories import Clocks, Institutions, stories
from analytics.demo.timeline import Timelines
from analytics.demo.truth import Truth
from analytics.demo.workflow import add_events, settle

FAULTS: tuple[Fault, ...] = (*TEMPORAL, *IDENTITY, *RECORDS)
_INITIAL_PATIENTS = 30_000


def spans() -> Iterator[tuple[int, int]]:
    """Yield first and last day of each month of the demo, and of the appointments already booked beyond it."""
    year, month = plan.START.year, plan.START.month
    while True:
        first = day_number(date(year, month, 1))
        if first > END_DAY:
            break
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
        yield first, day_number(date(year, month, 1)) - 1
    yield END_DAY + 1, END_DAY + plan.HORIZON_DAYS


class Hospital:
    """Makes the exams month by month, in bounded memory."""

    def __init__(self, seed: int, scale: float) -> None:
        if scale <= 0:
            raise PacsmeterError("The demo's scale is not above 0", "Use 1 for 150,000 studies, 7 for a million.")
        self._seed = seed
        self._arrivals = Arrivals(scale)
        self.stations = self._arrivals.stations
        self._timelines = Timelines(self.stations)
        self.population = Population(seed)
        rng = np.random.default_rng([seed, 0])
        self.population.add(rng, np.full(max(60, int(_INITIAL_PATIENTS * scale)), START_DAY))
        self._numbered = 0

    def month(self, first: int, last: int) -> pd.DataFrame:
        """Return the exams of a span of days without a fault: one row an order."""
        rng = np.random.default_rng([self._seed, 1, first])
        frame = self._arrivals.draw(rng, first, last)
        self._timelines.place(rng, frame)
        add_events(rng, frame, self.stations)
        add_content(rng, frame, self.stations)
        frame = settle(frame)
        mammography = (frame["modality"] == MODALITY_CODES.index("MG")).to_numpy()
        registered = np.minimum(frame["desired"].to_numpy() // DAY, END_DAY)
        frame["patient"] = self.population.assign(rng, registered, mammography)
        frame["number"] = self.numbers(len(frame))
        return with_defaults(frame)

    def numbers(self, count: int) -> np.ndarray:
        """Return the next running numbers, which UIDs and accession numbers are made of."""
        self._numbered += count
        return np.arange(self._numbered - count, self._numbered)


def with_defaults(frame: pd.DataFrame) -> pd.DataFrame:
    """Add the columns that faults change, as they are where nothing is wrong."""
    frame["ordered_patient"] = frame["patient"]
    frame["in_ris"] = True
    frame["in_archive"] = frame["stored"] != NEVER
    frame["is_ghost"] = False
    frame["birth"] = frame["birth_ordered"] = NEVER
    frame["age"] = np.nan
    frame["images_off"] = frame["kb_off"] = 0
    return frame


def generate(out: Path, *, seed: int = 2026, scale: float = 1.0, images: bool = True,
             progress: Progress = silent) -> Truth:
    """Make the demo hospital: its index, RIS, source files, images, and the truth about all of them.

    Parameters
    ----------
    out : Path
        Folder for ``studies.parquet``, ``series.parquet``, ``archives.csv``, ``ris.csv.gz``, ``scanner-log.csv``,
        ``archive.toml``, ``ris.toml``, ``scanner-log.toml``, ``truth.json``, ``images`` and ``real-images``; made if it
        is not there.
    seed : int
        The same seed and scale give the same bytes.
    scale : float
        1 is about 150,000 studies, 7 about a million.
    images : bool
        Whether to make the phantom images and copy the real ones that pydicom ships.
    progress : Progress
        Told each month.

    Returns
    -------
    Truth
        Every planted fault and story, as written to ``truth.json``.
    """
    names = {"studies": "studies.parquet", "series": "series.parquet", "archives": "archives.csv", "ris": "ris.csv.gz",
             "scanner_log": "scanner-log.csv"}
    truth = write_export(out, names, seed=seed, scale=scale, progress=progress)
    if images:
        truth.images = write_phantoms(out / "images", seed=seed, progress=progress)
        truth.faults += image_faults(truth.images)
        copy_pydicom_samples(out / "real-images")
    truth.write(out / "truth.json")
    return truth


def write_export(out: Path, names: dict[str, str], *, seed: int, scale: float, progress: Progress = silent) -> Truth:
    """Make the exports under chosen file names, without the truth file; a name's ending decides its format.

    The scanner's log is made where it is named.
    """
    out.mkdir(parents=True, exist_ok=True)
    hospital = Hospital(seed, scale)
    columns = Columns(seed, hospital.stations, hospital.population)
    stored, planter = StoredBytes(), Planter(FAULTS)
    institutions, clocks = Institutions(hospital.stations), Clocks(hospital.stations)
    log = ScannerLog(hospital.stations)
    months = list(spans())
    with ExitStack() as stack:
        writers = {table: stack.enter_context(Writer(out / name)) for table, name in names.items()}
        for done, (first, last) in enumerate(months, start=1):
            rng = np.random.default_rng([seed, 2, first])
            month = Month(hospital.month(first, last), hospital.population, columns, rng, hospital.numbers)
            frame = planter.plant(month)
            institutions.plant(rng, frame)
            clocks.read(frame)
            write_month(frame, columns, stored, writers, rng)
            if "scanner_log" in writers:
                writers["scanner_log"].write(log.read(np.random.default_rng([seed, 5, first]), frame, columns))
            progress("Making the demo hospital", done, len(months))
        archives = archives_table(stored, scale)
        writers["archives"].write(archives)
        counts = {table: writer.rows for table, writer in writers.items()}
    write_source_files(out, names)
    told: list[dict[str, Any]] = [*stories(), filling_story(stored, archives)]
    planted = [*planter.finish(columns, hospital.population), institutions.planted, clocks.planted]
    planted += [log.planted] if "scanner_log" in names else []
    return Truth(seed, scale, counts, sorted(planted, key=lambda fault: fault.check_id), told)


def write_month(frame: pd.DataFrame, columns: Columns, stored: StoredBytes, writers: dict[str, Writer],
                rng: np.random.Generator) -> None:
    """Write one month's exams to the export."""
    kept = frame[frame["in_archive"]].sort_values("is_ghost", kind="stable", ignore_index=True)
    counted = kept[~kept["is_ghost"]]
    rows = make_series(rng, counted)
    mark_series(rows, counted)
    sums = rows.groupby("study", sort=True)[["images", "kb"]].sum().reset_index(drop=True)
    writers["studies"].write(columns.studies(kept, sums.reindex(range(len(kept)), fill_value=0)))
    writers["series"].write(columns.series(counted, rows))
    writers["ris"].write(columns.ris(frame[frame["in_ris"]].reset_index(drop=True)))
    size = sums["kb"].to_numpy() + counted["kb_off"].to_numpy()
    stored.add(counted["site"].to_numpy(), counted["stored"].to_numpy() // DAY, size * 1000)
