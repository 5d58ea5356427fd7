"""Faults of what is written and counted: UIDs, terms, anatomy, sums, and what should have met."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analytics.demo.content import MODALITY_CODES
from analytics.demo.faults import ACCESSION, SERIES, STUDY, Fault, Month
from analytics.demo.procedures import LATERALITY, MG_VIEWS, PROCEDURES, SCREENING

_PRIVATE_SYNTAX = "1.2.840.113619.5.2"
_SLANG = {"CT": "CTSCAN", "MR": "MRI", "US": "USS", "DX": "XRAY", "CR": "XRAY"}
_SINGLE = np.array([p.single_part and p.modality in _SLANG for p in PROCEDURES])
_CHEST = np.array([p.body_part == "CHEST" for p in PROCEDURES])
_SCREENING = np.array([p.code in SCREENING for p in PROCEDURES])


def _bad_uid(month: Month, rows: np.ndarray) -> None:
    usual = month.columns.study_uids(month["number"][rows]).to_pylist()
    kinds = month.rng.integers(0, 3, len(rows))
    texts = [(uid.replace("2.25.", "2.25.0", 1), f"{uid}.A1", f"{uid}.{'1' * 45}")[kind]
             for uid, kind in zip(usual, kinds, strict=True)]
    month.put("uid_text", rows, texts)


def _shared_series(month: Month, rows: np.ndarray) -> np.ndarray:
    """The first series of each carries the UID of the first series of another study."""
    untouched = np.setdiff1d(np.flatnonzero(~month["taken"]), rows)
    rows = rows[:len(untouched)]
    owner = month.rng.choice(untouched, len(rows), replace=False)
    uids = month.columns.series_uids(month["number"][owner], np.zeros(len(owner), dtype=np.int64)).to_pylist()
    month.put("first_series_uid", rows, uids)
    month.put("taken", owner, True)
    return rows


def _bad_modality(month: Month, rows: np.ndarray) -> None:
    texts = [_SLANG[MODALITY_CODES[code]] for code in month["modality"][rows]]
    month.put("modality_text", rows, texts)
    month.put("ordered_modality_text", rows, texts)


def _private_syntax(month: Month, rows: np.ndarray) -> None:
    month.put("first_syntax", rows, _PRIVATE_SYNTAX)


def _wrong_part(month: Month, rows: np.ndarray) -> None:
    month.put("body_part_text", rows, np.where(_CHEST[month["procedure"][rows]], "ABDOMEN", "CHEST").astype(object))


def _paired_radiograph(month: Month) -> np.ndarray:
    return month.is_modality("DX", "CR") & (month["side"] > 0)


def _no_side(month: Month, rows: np.ndarray) -> None:
    month.put("first_laterality", rows, "")


def _other_side(month: Month, rows: np.ndarray) -> None:
    month.put("first_laterality", rows, [LATERALITY[3 - side] for side in month["side"][rows]])


def _missing_view(month: Month, rows: np.ndarray) -> None:
    month.put("series", rows, MG_VIEWS - 1)
    month.put("planned", rows, MG_VIEWS - 1)
    month.put("images", rows, np.maximum(month["images"][rows] * 3 // 4, MG_VIEWS - 1))


def _no_order(month: Month, rows: np.ndarray) -> None:
    month.put("in_ris", rows, False)


def _no_images(month: Month, rows: np.ndarray) -> None:
    month.put("in_archive", rows, False)


def _miscounted(month: Month, rows: np.ndarray) -> None:
    month.put("images_off", rows, month.rng.integers(1, 6, len(rows)))


def _missized(month: Month, rows: np.ndarray) -> None:
    month.put("kb_off", rows, month.rng.integers(100, 20_000, len(rows)))


def _other_modality(month: Month, rows: np.ndarray) -> None:
    """CR for DX, RF for XA or PT for NM is no fault: the order becomes one that no device of another kind fills."""
    others = np.array(("CT", "MR", "US", "MG"), dtype=object)
    own = np.array(MODALITY_CODES, dtype=object)[month["modality"][rows]]
    place = month.rng.integers(0, len(others), len(rows))
    month.put("ordered_modality_text", rows, np.where(others[place] == own, others[place - 1], others[place]))


FAULTS = (
    Fault("DCM104", "malformed UID", STUDY,
          "StudyInstanceUID with a leading zero, a letter or more than 64 characters. Row: study", _bad_uid),
    Fault("DCM111", "series in two studies", SERIES,
          "two studies have a series of the same SeriesInstanceUID. Row: SeriesInstanceUID", _shared_series),
    Fault("DCM112", "unknown modality", STUDY,
          "Modality of study, its series and its order is not a defined term (MRI, XRAY). Row: study, series",
          _bad_modality, lambda month: month.is_modality(*_SLANG)),
    Fault("DCM113", "unknown transfer syntax", SERIES,
          "the study's first series has a maker's private transfer syntax. Row: series", _private_syntax),
    Fault("ANA501", "body part against description", STUDY,
          "BodyPartExamined of study and series is not the part its description names. Row: study, series",
          _wrong_part, lambda month: _SINGLE[month["procedure"]]),
    Fault("ANA502", "no laterality", SERIES,
          "the first series of a radiograph of paired anatomy has no laterality. Row: series", _no_side,
          _paired_radiograph),
    Fault("ANA503", "laterality against description", SERIES,
          "the first series says the other side than its description. Row: series", _other_side, _paired_radiograph),
    Fault("ANA504", "incomplete mammogram", STUDY,
          "a screening mammogram without its L MLO view; views are the series' descriptions. Row: study",
          _missing_view, lambda month: _SCREENING[month["procedure"]] & (month["series"] == MG_VIEWS)),
    Fault("REC601", "no order", STUDY,
          "no order in the RIS carries the study's accession number. Row: study with an accession number", _no_order),
    Fault("REC602", "no images", ACCESSION, "the completed exam has no study in the archive. Row: exam", _no_images),
    Fault("REC603", "instances do not add up", STUDY, "the study counts 1 to 5 instances more than its series. "
          "Row: study", _miscounted),
    Fault("REC604", "size does not add up", STUDY, "the study is 0.1 to 20 MB larger than its series. Row: study",
          _missized),
    Fault("REC606", "another modality ordered", STUDY, "the RIS ordered another modality. Row: exam", _other_modality),
)


def mark_series(rows: pd.DataFrame, studies: pd.DataFrame) -> None:
    """Carry what was planted on a study's first series over to the series made of it."""
    first = (rows["position"] == 0).to_numpy()
    for planted, column in (("first_series_uid", "uid_text"), ("first_syntax", "syntax_text"),
                            ("first_laterality", "laterality_text")):
        if planted in studies and studies[planted].notna().any():
            values = studies[planted].to_numpy()[rows["study"]]
            rows[column] = pd.Series(np.where(first, values, None), dtype=object)


