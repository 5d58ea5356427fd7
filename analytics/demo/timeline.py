"""One exam at a time on a scanner: desired times become start and end, queueing where the room is busy."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analytics.demo import plan
from analytics.demo.arrivals import NEVER, second_of

_TURNOVER = {"DX": 90, "CR": 90, "US": 180, "CT": 240, "MR": 300, "MG": 180, "RF": 300, "XA": 900, "NM": 300}


def failing_ramp(start: np.ndarray) -> np.ndarray:
    """Return how far the failing scanner has gone wrong at each instant: 0 before, 1 after the ramp."""
    since = second_of(plan.FAILING.since)
    return np.clip((start - since) / (plan.FAILING.ramp_days * 86_400), 0.0, 1.0)


class Timelines:
    """Keeps when each scanner is free again, from one span of days to the next."""

    def __init__(self, stations: list[plan.Station]) -> None:
        self._stations = stations
        self._free_at = np.zeros(len(stations), dtype=np.int64)

    def place(self, rng: np.random.Generator, frame: pd.DataFrame) -> None:
        """Add ``start`` and ``complete`` (seconds) to exams sorted by station and desired time."""
        kinds = [plan.MODALITIES[station.modality] for station in self._stations]
        station = frame["station"].to_numpy()
        medians = np.array([kind.minutes for kind in kinds])[station] * 60
        seconds = medians * np.exp(rng.normal(0, 0.30, len(frame)))
        failing = np.array([s.name == plan.FAILING.station for s in self._stations])[station]
        desired = frame["desired"].to_numpy()
        seconds *= np.where(failing, 1 + (plan.FAILING.duration_factor - 1) * failing_ramp(desired), 1.0)
        lasts = np.maximum(seconds.astype(np.int64), 120)
        turnover = np.array([_TURNOVER[s.modality] for s in self._stations])[station]
        start = np.full(len(frame), NEVER)
        performed = ~frame["cancelled"].to_numpy()
        for index in range(len(self._stations)):
            rows = np.flatnonzero((station == index) & performed)
            if len(rows):
                start[rows] = self._queue(index, desired[rows], (lasts + turnover)[rows])
        frame["start"] = start
        frame["complete"] = np.where(performed, start + lasts, NEVER)

    def _queue(self, index: int, desired: np.ndarray, occupied: np.ndarray) -> np.ndarray:
        """Start each when it is due and the room is free: start[i] = max(due[i], start[i-1] + occupied[i-1])."""
        before = np.concatenate([[0], np.cumsum(occupied)[:-1]])
        due = desired.copy()
        due[0] = max(due[0], self._free_at[index])
        start = before + np.maximum.accumulate(due - before)
        self._free_at[index] = start[-1] + occupied[-1]
        return start
