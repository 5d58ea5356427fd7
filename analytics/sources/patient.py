"""Who a patient is, as the warehouse may know it: the one place where the identities of a record end."""

from __future__ import annotations

import functools
import math
from datetime import date
from typing import Any, Literal

from analytics.core.pseudonym import Pseudonymizer
from analytics.sources import dicom_values as dv
from analytics.sources.identities import plain_name

BirthDetail = Literal["year", "age", "none"]
"""What is kept of a birth date, besides a keyed pseudonym.

``year``: its year, and Patient's Age (0010,1010) as the device wrote it. ``age``: the age at the exam alone, the
device's or else by the birth date, in completed years: a part of a year would give the month of birth away.
``none``: neither, nor the device's.
"""


def completed_years(born: date, on: date) -> int | None:
    """Return an age as people say it; nothing for a day before the birth."""
    years = on.year - born.year - ((on.month, on.day) < (born.month, born.day))
    return years if years >= 0 else None


class PatientEdge:
    """Turns the identities of one record into pseudonyms.

    Parameters
    ----------
    pseudonymizer : Pseudonymizer
    birth : str
        ``year``, ``age`` or ``none``.
    """

    def __init__(self, pseudonymizer: Pseudonymizer, birth: BirthDetail = "year") -> None:
        self.pseudonymizer, self.birth = pseudonymizer, birth
        self.patient_key = functools.lru_cache(100_000)(pseudonymizer.patient_key)
        self._key = functools.lru_cache(200_000)(pseudonymizer.key)

    def __reduce__(self) -> tuple[type[PatientEdge], tuple[Pseudonymizer, BirthDetail]]:
        return PatientEdge, (self.pseudonymizer, self.birth)

    def record_key(self, archive_id: str) -> str | None:
        """Return the pseudonym of an archive's own id of a record, which may be made from an identity."""
        return self.pseudonymizer.key("record", archive_id)

    def columns(self, patient_id: str | None, name: str | None, birth_date: str | None, sex: str | None,
                on: date | None = None, age: float | None = None) -> dict[str, Any]:
        """Return the columns that say who the patient is.

        Parameters
        ----------
        patient_id, name, birth_date, sex : str or None
            As the source has them: a name with carets (PN), a birth date as DA or ISO 8601.
        on : date, optional
            The day of the exam, for the age.
        age : float, optional
            Patient's Age (0010,1010) as the device wrote it, in years.

        Returns
        -------
        dict
            ``patient_key``, ``name_key``, ``birth_date_key``, ``patient_birth_year``, ``patient_sex`` (M, F, O), and
            ``patient_age_years`` where it is known and may be kept.
        """
        born = dv.date_of((birth_date or "").strip().replace("-", ""))
        sex = (sex or "").strip().upper()
        found: dict[str, Any] = {
            "patient_key": self.patient_key(patient_id),
            "name_key": self._key("name", plain_name(name or "")),
            "birth_date_key": self._key("birth_date", born.strftime("%Y%m%d")) if born else None,
            "patient_birth_year": born.year if born and self.birth == "year" else None,
            "patient_sex": sex if sex in dv.SEXES else None,
        }
        kept = self._age(born, on, age)
        return found if kept is None else {**found, "patient_age_years": kept}

    def _age(self, born: date | None, on: date | None, written: float | None) -> float | None:
        if self.birth == "none":
            return None
        if self.birth == "year":
            return written
        if written is not None:
            return math.floor(written)
        return completed_years(born, on) if born and on else None
