"""The people: every patient has one ID, one name, one birth date, one sex, and nobody shares name and birth date."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analytics.demo import names

_BLOCK, _GENERATIONS = 256, 128
_ID_BASE, _DUPLICATE_BASE = 2_000_000, 70_000_000
RESERVED = 100
"""Status of a patient made for one planted study, who never comes again."""


class Population:
    """Grows as new patients come.

    People with the same name (numbers that differ by a multiple of `names.NAMES`) are born on days that differ
    modulo 256, below 128; an altered birth date lies above 128, so it meets nobody.
    """

    def __init__(self, seed: int) -> None:
        self._shift = (seed * 7919 + 13) % names.NAMES
        self._size = 0
        self._born = np.empty(1024, dtype=np.int32)
        self._male = np.empty(1024, dtype=bool)
        self._status = np.zeros(1024, dtype=np.int8)
        self._seen = np.zeros(1024, dtype=np.int32)

    def __len__(self) -> int:
        return self._size

    @property
    def born(self) -> np.ndarray:
        """Birth dates as days since 1970, by patient number."""
        return self._born[:self._size]

    @property
    def male(self) -> np.ndarray:
        """Sex, by patient number."""
        return self._male[:self._size]

    @property
    def status(self) -> np.ndarray:
        """0, or which planted fault the patient already carries."""
        return self._status[:self._size]

    @property
    def seen(self) -> np.ndarray:
        """How many studies in the archive carry the patient's own identity, until the last month."""
        return self._seen[:self._size]

    def add(self, rng: np.random.Generator, on_day: np.ndarray, *, women_screened: bool = False) -> np.ndarray:
        """Register new patients on given days; return their numbers."""
        count = len(on_day)
        number = np.arange(self._size, self._size + count)
        if count and number[-1] >= names.NAMES * _GENERATIONS:
            raise ValueError("the demo has no more names than for 4 million patients; use a smaller scale")
        self._reserve(self._size + count)
        if women_screened:
            age, male = rng.uniform(46, 74, count), np.zeros(count, dtype=bool)
        else:
            child = rng.random(count) < 0.10
            age = np.where(child, rng.uniform(0, 18, count), np.clip(rng.normal(57, 19, count), 18, 99))
            male = rng.random(count) < 0.48
        day = np.asarray(on_day) - (age * 365.25).astype(np.int64)
        self._born[number] = (day // _BLOCK - 1) * _BLOCK + number // names.NAMES
        self._male[number] = male
        self._size += count
        return number

    def _reserve(self, size: int) -> None:
        while len(self._born) < size:
            self._born = np.concatenate([self._born, np.empty_like(self._born)])
            self._male = np.concatenate([self._male, np.empty_like(self._male)])
            self._status = np.concatenate([self._status, np.zeros_like(self._status)])
            self._seen = np.concatenate([self._seen, np.zeros_like(self._seen)])

    def assign(self, rng: np.random.Generator, day: np.ndarray, screening: np.ndarray) -> np.ndarray:
        """Return a patient for each exam: three in five have been here before, mammography sees women over 45."""
        pool = self._size
        patient = np.full(len(day), -1, dtype=np.int64)
        again = rng.random(len(day)) < 0.60
        if pool:
            patient[again] = (pool * rng.random(int(again.sum())) ** 0.7).astype(np.int64)
            women = np.flatnonzero(~self.male & (self.born < day.min() - 46 * 366) & (self.born > day.max() - 75 * 365))
            wanted = screening & again
            patient[wanted] = rng.choice(women, int(wanted.sum())) if len(women) else -1
            kept = patient >= 0
            patient[kept] = np.where(self.status[patient[kept]] == RESERVED, -1, patient[kept])
        for women_only in (False, True):
            missing = (patient < 0) & (screening == women_only)
            patient[missing] = self.add(rng, day[missing], women_screened=women_only)
        return patient

    def patient_id(self, number: np.ndarray) -> pa.Array:
        """Return PatientIDs as a site writes them."""
        return _prefixed("H", np.asarray(number) + _ID_BASE)

    def duplicate_id(self, number: int) -> str:
        """Return the ID that a second registration of the same person got."""
        return f"H{number + _DUPLICATE_BASE}"

    def name_parts(self, number: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the positions of surname and first name."""
        combined = (np.asarray(number) + self._shift) % names.NAMES
        return combined // names.FIRST_NAMES, combined % names.FIRST_NAMES

    def altered_birth(self, number: np.ndarray) -> np.ndarray:
        """Return another day within months of the birth date, on which nobody of that name was born."""
        return self.born[number] + _GENERATIONS


def person_names(population: Population, number: np.ndarray) -> pa.Array:
    """Return PatientName in DICOM's form, family^given."""
    surname, first = population.name_parts(number)
    which = first + population.male[number] * names.FIRST_NAMES
    given = pa.array([*names.FEMALE[:names.FIRST_NAMES], *names.MALE[:names.FIRST_NAMES]])
    texts = pa.array(names.SURNAMES).take(pa.array(surname)), given.take(pa.array(which))
    return pc.binary_join_element_wise(*texts, "^")


def _prefixed(prefix: str, number: np.ndarray) -> pa.Array:
    return pc.binary_join_element_wise(prefix, pa.array(number).cast(pa.string()), "")


