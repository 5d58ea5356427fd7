"""One scanner's own log of when its exams began and ended, some of it by a clock that was wrong (TMP309)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa

from analytics.demo import plan
from analytics.demo.arrivals import NEVER
from analytics.demo.columns import Columns, instants
from analytics.demo.truth import PlantedFault

EVENTS = {"ProcedureStart": "BEGAN", "ImagingComplete": "ENDED"}
"""SWIM's name of each event = the log's column."""
_MINUTE = 60


class ScannerLog:
    """Writes the log of one scanner from the exams that the RIS has of it.

    It has random numbers of its own: the rest of the demo is the same with and without it.
    """

    def __init__(self, stations: list[plan.Station]) -> None:
        self._station = [station.name for station in stations].index(plan.LOGGED_STATION)
        self._due = 1.0
        self.planted = PlantedFault(
            "TMP309", "scanner's log against the RIS",
            f"the log of {plan.LOGGED_STATION} has the exam's start and end 7 to 30 minutes later than the RIS. Row: "
            "start or end of an exam", "accession_number", plan.LOG_FAULT_RATE)

    def read(self, rng: np.random.Generator, frame: pd.DataFrame, columns: Columns) -> pa.Table:
        """Return the log of a month's exams, with what is due of wrong times planted in exams that are sound else."""
        own = frame[frame["in_ris"] & (frame["station"] == self._station) & (frame["start"] != NEVER)].reset_index(
            drop=True)
        sound = np.flatnonzero(~own["taken"].to_numpy(bool) & (own["complete"] != NEVER).to_numpy())
        self._due += plan.LOG_FAULT_RATE * len(sound)
        chosen = np.sort(rng.choice(sound, min(int(self._due), len(sound)), replace=False))
        self._due -= len(chosen)
        later = np.zeros(len(own), dtype=np.int64)
        later[chosen] = rng.integers(7 * _MINUTE, 30 * _MINUTE, len(chosen))
        numbers = columns.accessions(own)
        self.planted.keys += numbers.take(pa.array(chosen)).to_pylist()
        columns_of_log = zip(("start", "complete"), EVENTS.values(), strict=True)
        times = {column: own[name].to_numpy() for name, column in columns_of_log}
        return pa.table({"ACC_NO": numbers, **{
            column: instants(np.where(at == NEVER, NEVER, at + later)) for column, at in times.items()}})
