"""Planting faults: chooses rows that carry no other fault, changes them, and keeps the answer book."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from analytics.demo import plan
from analytics.demo.arrivals import DAY, NEVER, NOW, clock_change_days
from analytics.demo.columns import Columns
from analytics.demo.content import MODALITY_CODES
from analytics.demo.patients import Population
from analytics.demo.truth import PlantedFault

STUDY, SERIES, ACCESSION, PATIENT = "study_instance_uid", "series_instance_uid", "accession_number", "patient_id"


@dataclass
class Month:
    """One month's exams while faults are planted in them."""

    frame: pd.DataFrame
    population: Population
    columns: Columns
    rng: np.random.Generator
    numbers: Callable[[int], np.ndarray]
    extra: list[pd.DataFrame] = field(default_factory=list)

    def __getitem__(self, name: str) -> np.ndarray:
        return self.frame[name].to_numpy()

    def put(self, name: str, rows: np.ndarray, values: Any) -> None:
        """Set a column of some rows; a column of planted texts appears when it is first needed."""
        if name not in self.frame:
            self.frame[name] = pd.Series(pd.array([None] * len(self.frame), dtype=object))
        self.frame.iloc[rows, self.frame.columns.get_loc(name)] = values

    def pick(self, choices: list[str] | tuple[str, ...], size: int) -> np.ndarray:
        """Return one of some texts for each row."""
        return np.array(choices, dtype=object)[self.rng.integers(0, len(choices), size)]

    def is_modality(self, *codes: str) -> np.ndarray:
        """Return which exams are of these modalities."""
        return np.isin(self["modality"], [MODALITY_CODES.index(code) for code in codes])


@dataclass(frozen=True)
class Fault:
    """How one kind of fault is planted.

    Attributes
    ----------
    check_id, kind, key, definition : as `PlantedFault` keeps them.
    eligible : which exams of a month could carry it, of those that carry nothing else.
    plant : changes the chosen rows; may return the rows that it did change.
    """

    check_id: str
    kind: str
    key: str
    definition: str
    plant: Callable[[Month, np.ndarray], np.ndarray | None]
    eligible: Callable[[Month], np.ndarray] = lambda month: np.ones(len(month.frame), dtype=bool)


class Planter:
    """Plants faults month by month at their rates."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        self._faults = faults
        self._due = {fault.check_id: 1.0 for fault in faults}
        self.planted = {
            fault.check_id: PlantedFault(fault.check_id, fault.kind, fault.definition, fault.key,
                                         plan.FAULT_RATES[fault.check_id])
            for fault in faults
        }
        self._change_days = clock_change_days()
        self._patients: dict[str, list[int]] = {}
        self._carried: list[tuple[np.ndarray, np.ndarray]] = []
        self._odd_uids: dict[int, str] = {}

    def plant(self, month: Month) -> pd.DataFrame:
        """Plant what is due in a month's exams; return them with the rows that faults add."""
        month.frame["taken"] = ~self._sound(month)
        for fault in self._faults:
            self._plant_one(fault, month)
        frame = pd.concat([month.frame, *month.extra], ignore_index=True) if month.extra else month.frame
        self._remember(frame, month)
        return frame

    def _sound(self, month: Month) -> np.ndarray:
        """Exams that were stored well before END, away from nights on which clocks change."""
        start = month["start"]
        near_change = np.abs(start[:, None] // DAY - self._change_days).min(axis=1) <= 3
        return month["in_archive"] & (start != NEVER) & (start < NOW - 5 * DAY) & ~near_change

    def _plant_one(self, fault: Fault, month: Month) -> None:
        rows = np.flatnonzero(fault.eligible(month) & ~month["taken"])
        self._due[fault.check_id] += plan.FAULT_RATES[fault.check_id] * len(rows)
        wanted = min(int(self._due[fault.check_id]), len(rows))
        if not wanted:
            return
        chosen = np.sort(month.rng.choice(rows, wanted, replace=False))
        changed = fault.plant(month, chosen)
        chosen = chosen if changed is None else changed
        month.put("taken", chosen, True)
        self._due[fault.check_id] -= len(chosen)
        self.planted[fault.check_id].keys += self._keys(fault, month, chosen)

    def _keys(self, fault: Fault, month: Month, rows: np.ndarray) -> list[str]:
        chosen, columns = month.frame.iloc[rows], month.columns
        if fault.key == PATIENT:
            patients = chosen["patient"].to_numpy()
            self._patients.setdefault(fault.check_id, []).extend(patients.tolist())
            return list(month.population.patient_id(patients).to_pylist())
        if fault.key == ACCESSION:
            return list(columns.accessions(chosen).to_pylist())
        number = chosen["number"].to_numpy()
        if fault.key == SERIES:
            usual = columns.series_uids(number, np.zeros(len(number), dtype=np.int64)).to_pylist()
            return _planted(chosen, "first_series_uid", usual)
        return _planted(chosen, "uid_text", columns.study_uids(number).to_pylist())

    def _remember(self, frame: pd.DataFrame, month: Month) -> None:
        kept = frame[frame["in_archive"]]
        if "uid_text" in kept:
            odd = kept[kept["uid_text"].notna()]
            self._odd_uids.update(zip(odd["number"].tolist(), odd["uid_text"].tolist(), strict=True))
        self._carried.append((kept["patient"].to_numpy(np.int32), kept["number"].to_numpy(np.int32)))
        own = kept if "patient_id_text" not in kept else kept[kept["patient_id_text"].isna()]
        np.add.at(month.population.seen, own["patient"].to_numpy(), 1)

    def finish(self, columns: Columns, population: Population) -> list[PlantedFault]:
        """Return the answer book; a fault of a patient also names every study of that patient."""
        patient = np.concatenate([pair[0] for pair in self._carried])
        number = np.concatenate([pair[1] for pair in self._carried])
        for check_id, planted in self._patients.items():
            held = np.isin(patient, planted)
            ids = population.patient_id(patient[held]).to_pylist()
            uids = columns.study_uids(number[held]).to_pylist()
            studies: dict[str, list[str]] = {}
            for patient_id, uid, which in zip(ids, uids, number[held].tolist(), strict=True):
                studies.setdefault(patient_id, []).append(self._odd_uids.get(which, uid))
            self.planted[check_id].studies = studies
        return [*self.planted.values(), self._orderless()]

    def _orderless(self) -> PlantedFault:
        """A study without an accession number cannot meet an order either: REC601 finds what IDN208 does."""
        blank = self.planted["IDN208"]
        return PlantedFault("REC601", "no order, for want of an accession number", blank.definition, blank.key,
                            blank.rate, list(blank.keys))


def _planted(chosen: pd.DataFrame, column: str, usual: list[str]) -> list[str]:
    if column not in chosen:
        return usual
    return [own if isinstance(own, str) else text for own, text in zip(chosen[column], usual, strict=True)]
