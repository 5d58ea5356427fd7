"""Faults of time: impossible dates, events out of order, exams too long or on top of each other."""

from __future__ import annotations

import numpy as np

from analytics.demo.arrivals import DAY, NEVER, NOW
from analytics.demo.faults import ACCESSION, STUDY, Fault, Month
from analytics.demo.faults_identity import single_visit

_HOUR, _MINUTE = 3600, 60
_AFTER_EXAM = ("stored", "ready", "read_start", "prelim", "reported", "corrected", "viewed")


def _future_study(month: Month, rows: np.ndarray) -> None:
    month.put("study", rows, month["study"][rows] + month.rng.integers(2, 300, len(rows)) * DAY)


def _unborn(month: Month, rows: np.ndarray) -> None:
    single_visit(month, rows)
    later = month["study"][rows] // DAY + month.rng.integers(800, 9000, len(rows))
    birth = later // 256 * 256 + 200
    month.put("birth", rows, birth)
    month.put("birth_ordered", rows, birth)
    month.put("age", rows, -1.0)


def _out_of_order(month: Month, rows: np.ndarray) -> None:
    kind = month.rng.integers(0, 3, len(rows))
    share = month.rng.uniform(0.5, 0.95, len(rows))
    order, arrived, start, complete = (month[name][rows] for name in ("order", "arrived", "start", "complete"))
    month.put("order", rows, np.where(kind == 0, arrived + ((start - arrived) * share).astype(np.int64), order))
    month.put("arrived", rows, np.where(kind == 1, start + ((complete - start) * share).astype(np.int64), arrived))
    month.put("complete", rows, np.where(kind == 2, start - (share * 20 * _MINUTE).astype(np.int64), complete))


def _report_first(month: Month, rows: np.ndarray) -> None:
    reported = month["start"][rows] - month.rng.integers(10 * _MINUTE, 6 * _HOUR, len(rows))
    month.put("reported", rows, reported)
    month.put("read_start", rows, reported - 5 * _MINUTE)
    for name in ("prelim", "corrected", "viewed"):
        month.put(name, rows, NEVER)


def _neighbor(month: Month, step: int) -> np.ndarray:
    """Return the position of the exam before (-1) or after (1) each on its scanner, -1 where there is none."""
    performed = np.flatnonzero(month["start"] != NEVER)
    found = np.full(len(month.frame), -1)
    station = month["station"][performed]
    same = station[:-1] == station[1:]
    earlier, later = performed[:-1][same], performed[1:][same]
    if step < 0:
        found[later] = earlier
    else:
        found[earlier] = later
    return found


def _room_left(month: Month) -> np.ndarray:
    """Return the seconds from each exam's start to the next on its scanner, 0 where the month has none."""
    following = _neighbor(month, 1)
    return np.where(following >= 0, month["start"][following] - month["start"], 0)


def _days_long(month: Month, rows: np.ndarray) -> None:
    room = np.minimum(_room_left(month)[rows] - _HOUR, 40 * _HOUR)
    lasts = (24.5 * _HOUR + month.rng.random(len(rows)) * (room - 24.5 * _HOUR)).astype(np.int64)
    later = month["start"][rows] + lasts - month["complete"][rows]
    month.put("complete", rows, month["complete"][rows] + later)
    for name in _AFTER_EXAM:
        instant = month[name][rows]
        moved = np.where(instant == NEVER, NEVER, instant + later)
        month.put(name, rows, np.where(moved >= NOW, NEVER, moved))
    month.put("opened", rows, np.maximum(month["opened"][rows], month["stored"][rows]))


def _can_overlap(month: Month) -> np.ndarray:
    """Exams that follow within half an hour an untouched exam of at least 15 minutes on the same scanner."""
    before = _neighbor(month, -1)
    gap = month["start"] - month["complete"][before]
    lasted = month["complete"][before] - month["start"][before]
    untouched = ~month["taken"][before] & (month["complete"][before] != NEVER)
    untouched &= month["patient"] != month["patient"][before]
    return (before >= 0) & untouched & (gap < 30 * _MINUTE) & (lasted >= 15 * _MINUTE)


def _overlapping(month: Month, rows: np.ndarray) -> np.ndarray:
    before = _neighbor(month, -1)
    rows = rows[~np.isin(before[rows], rows)]
    previous = before[rows]
    lasted = month["complete"][previous] - month["start"][previous]
    overlap = month.rng.integers(7 * _MINUTE, np.minimum(lasted - 2 * _MINUTE, 30 * _MINUTE))
    earlier = month["start"][rows] - (month["complete"][previous] - overlap)
    for name in ("start", "study", "arrived", "order", "scheduled"):
        instant = month[name][rows]
        month.put(name, rows, np.where(instant == NEVER, NEVER, instant - earlier))
    month.put("taken", previous, True)
    return rows


def _wrong_age(month: Month, rows: np.ndarray) -> None:
    day = month["study"][rows] // DAY
    age = (day - month.population.born[month["patient"][rows]]) // 365.25
    off = month.rng.integers(10, 40, len(rows))
    month.put("age", rows, np.where(age >= 50, age - off, age + off))


FAULTS = (
    Fault("TMP305", "exam longer than a day", ACCESSION,
          "the exam was closed 24.5 to 40 hours after its start, on a scanner that rests at weekends. Row: exam",
          _days_long, lambda month: month.is_modality("MG", "NM", "RF") & (_room_left(month) > 28 * _HOUR)),
    Fault("TMP307", "overlapping exams", ACCESSION,
          "the exam starts 7 to 30 minutes before the one before it on the scanner ends. Row: exam", _overlapping,
          _can_overlap),
    Fault("TMP301", "study in the future", STUDY,
          "study time 2 to 300 days after the archive received it. Row: study", _future_study),
    Fault("TMP302", "study before birth", STUDY, "birth date in a later year than the study. Row: study", _unborn,
          lambda month: ~month.is_modality("MG")),
    Fault("TMP303", "events out of order", ACCESSION,
          "ordered after arrival, arrived after start, or complete before start. Row: exam", _out_of_order),
    Fault("TMP304", "report before images", ACCESSION, "final report before the exam's start. Row: exam",
          _report_first),
    Fault("TMP308", "age against birth date", STUDY, "PatientAge 10 to 40 years off. Row: study", _wrong_age),
)
