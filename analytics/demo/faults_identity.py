"""Faults of identity: who the patient is, and which study and order are theirs."""

from __future__ import annotations

import numpy as np

from analytics.demo import names
from analytics.demo.arrivals import DAY
from analytics.demo.faults import ACCESSION, PATIENT, STUDY, Fault, Month
from analytics.demo.patients import RESERVED

_PLACEHOLDERS = ("", "000000", "UNKNOWN", "TEST")
_NAMED, _BORN, _SEXED, _DUPLICATED = 1, 2, 3, 4


def _not_mammography(month: Month) -> np.ndarray:
    return ~month.is_modality("MG")


def _known_patient(month: Month) -> np.ndarray:
    """Exams of patients of whom the archive already has a sound study, and who carry no fault yet."""
    patient = month["patient"]
    return (month.population.seen[patient] > 0) & (month.population.status[patient] == 0) & _not_mammography(month)


def _once_each(month: Month, rows: np.ndarray, status: int) -> np.ndarray:
    """Keep one row a patient, and mark the patients."""
    patient = month["patient"][rows]
    rows = rows[np.sort(np.unique(patient, return_index=True)[1])]
    month.population.status[month["patient"][rows]] = status
    return rows


def single_visit(month: Month, rows: np.ndarray) -> np.ndarray:
    """Give the exams to patients of their own, who never come again; return who."""
    fresh = month.population.add(month.rng, month["start"][rows] // DAY)
    month.population.status[fresh] = RESERVED
    month.put("patient", rows, fresh)
    month.put("ordered_patient", rows, fresh)
    return fresh


def another_patient(month: Month, rows: np.ndarray) -> np.ndarray:
    """Return for each exam somebody else, known to the archive and without a fault."""
    sound = np.flatnonzero((month.population.seen > 0) & (month.population.status == 0))
    chosen = month.rng.choice(sound, len(rows), replace=len(rows) > len(sound))
    same = chosen == month["patient"][rows]
    chosen[same] = sound[(np.searchsorted(sound, chosen[same]) + 1) % len(sound)]
    return np.asarray(chosen)


def _placeholder_id(month: Month, rows: np.ndarray) -> None:
    single_visit(month, rows)
    month.put("patient_id_text", rows, month.pick(_PLACEHOLDERS, len(rows)))


def _other_name(month: Month, rows: np.ndarray) -> np.ndarray:
    rows = _once_each(month, rows, _NAMED)
    patient = month["patient"][rows]
    surname, first = month.population.name_parts(patient)
    given = [(names.MALE if male else names.FEMALE)[i] for i, male in
             zip(first, month.population.male[patient], strict=True)]
    family = [names.SURNAMES[i] for i in surname]
    swapped = month.rng.random(len(rows)) < 0.4
    texts = [f"{g}^{f}" if swap else f"{f}-{names.SURNAMES[(i + 7) % len(names.SURNAMES)]}^{g}"
             for f, g, i, swap in zip(family, given, surname, swapped, strict=True)]
    month.put("name_text", rows, texts)
    return rows


def _other_birth_date(month: Month, rows: np.ndarray) -> np.ndarray:
    rows = _once_each(month, rows, _BORN)
    month.put("birth", rows, month.population.altered_birth(month["patient"][rows]))
    return rows


def _other_sex(month: Month, rows: np.ndarray) -> np.ndarray:
    rows = _once_each(month, rows, _SEXED)
    month.put("sex_text", rows, np.where(month.population.male[month["patient"][rows]], "F", "M").astype(object))
    return rows


def _second_id(month: Month, rows: np.ndarray) -> np.ndarray:
    rows = _once_each(month, rows, _DUPLICATED)
    texts = [month.population.duplicate_id(int(number)) for number in month["patient"][rows]]
    month.put("patient_id_text", rows, texts)
    month.put("ordered_id_text", rows, texts)
    return rows


def _two_patients(month: Month, rows: np.ndarray) -> None:
    ghost = month.frame.iloc[rows].copy()
    ghost["patient"] = another_patient(month, rows)
    ghost["is_ghost"], ghost["in_ris"], ghost["age"] = True, False, -1.0
    month.extra.append(ghost)


def _shared_accession(month: Month, rows: np.ndarray) -> None:
    """A second study of the same order, such as a reconstruction sent under a UID of its own."""
    second = month.frame.iloc[rows].copy()
    second["accession_text"] = month.columns.accessions(second).to_pylist()
    later = month.rng.integers(600, 2400, len(rows)) + second["complete"] - second["start"]
    second["study"] += later
    second["stored"] += later
    second["opened"] = np.maximum(second["opened"], second["stored"])
    second["images"] = np.maximum(second["images"] // 5, 1)
    second["series"] = second["planned"] = 1
    second["in_ris"] = False
    second["number"] = month.numbers(len(rows))
    month.extra.append(second)


def _no_accession(month: Month, rows: np.ndarray) -> None:
    month.put("accession_text", rows, "")
    month.put("in_ris", rows, False)


def _wrong_patient(month: Month, rows: np.ndarray) -> None:
    month.put("patient", rows, another_patient(month, rows))


FAULTS = (
    Fault("IDN201", "placeholder or missing patient ID", STUDY,
          "the study's PatientID is empty or a placeholder; the RIS has the patient's own. Row: study",
          _placeholder_id, _not_mammography),
    Fault("IDN202", "another name", PATIENT,
          "one study of a known patient carries a married name or swapped name parts. Row: patient", _other_name,
          _known_patient),
    Fault("IDN203", "another birth date", PATIENT,
          "one study of a known patient carries another birth date, months off. Row: patient", _other_birth_date,
          _known_patient),
    Fault("IDN204", "another sex", PATIENT, "one study of a known patient carries the other sex. Row: patient",
          _other_sex, _known_patient),
    Fault("IDN205", "registered twice", PATIENT,
          "one exam of a known person has a second PatientID, in index and RIS. Row: person (same name and birth date)",
          _second_id, _known_patient),
    Fault("IDN206", "study under two patients", STUDY,
          "the index lists the study a second time under another patient, without counts. Row: StudyInstanceUID",
          _two_patients, lambda month: np.full(len(month.frame), (month.population.seen > 0).any())),
    Fault("IDN207", "accession used twice", ACCESSION,
          "a second study carries the accession number of the first. Row: accession number", _shared_accession,
          _not_mammography),
    Fault("IDN208", "no accession number", STUDY,
          "the study has no accession number and the RIS no order for it. Row: study", _no_accession),
    Fault("REC607", "study of the wrong patient", STUDY,
          "the study was acquired under another patient than the one ordered for. Row: exam", _wrong_patient,
          lambda month: _not_mammography(month) & (month.population.seen > 0).any()),
)
