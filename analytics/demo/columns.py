"""The site's own exports: its column names, as Arrow tables made from a month of exams."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analytics.demo import plan
from analytics.demo.arrivals import DAY, NEVER, clock_change_days
from analytics.demo.content import MODALITY_CODES
from analytics.demo.patients import Population, person_names
from analytics.demo.procedures import (
    DOSE_REPORT,
    LATERALITY,
    MAX_SERIES,
    PROCEDURES,
    SIDES,
    series_name,
)

RIS_EVENTS = {
    "Order": "ORDERED", "TimeScheduled": "BOOKED", "ApptTime": "APPOINTMENT", "ExamCancelled": "CANCELLED",
    "Arrived": "ARRIVED", "ProcedureStart": "EXAM_START", "ImagingComplete": "EXAM_END",
    "ImagesStoredInArchive": "IN_PACS", "ImagesPrepared": "READY_TO_READ", "InterpStarted": "READ_START",
    "PrelimPublish": "PRELIM_REPORT", "Reported": "FINAL_REPORT", "ReportCorrected": "CORRECTED",
    "ResultsViewed": "VIEWED",
}
"""SWIM's name of each event = the RIS's column."""
PRIORITY_WORDS = {"STAT": "S", "URGENT": "A", "ROUTINE": "R"}
CLASS_WORDS = {"INPATIENT": "I", "OUTPATIENT": "O", "ED": "E"}
_CLOCK_CHANGES = clock_change_days()
TIER_WORDS = {"ONL": "online", "NRL": "nearline"}


def instants(seconds: np.ndarray) -> pa.Array:
    """Write instants of the wall clock as ``2026-01-31 14:05:00``; what never happened is empty.

    Times between 01:00 and 02:00 of a night on which clocks change mean two instants or none, so the systems stand
    still then: what falls into that hour is written as 02:00.
    """
    unclear = np.isin(seconds // DAY, _CLOCK_CHANGES) & (seconds % DAY // 3600 == 1)
    seconds = np.where(unclear, seconds // DAY * DAY + 7200, seconds)
    return pa.array(seconds, mask=seconds == NEVER).cast(pa.timestamp("s")).cast(pa.string())


def dates(days: np.ndarray) -> pa.Array:
    """Write days since 1970 as ``20260131``."""
    return pc.replace_substring(pa.array(days.astype(np.int32)).cast(pa.date32()).cast(pa.string()), "-", "")


def words(choices: Sequence[str | None], index: np.ndarray | pd.Series) -> pa.Array:
    """Look up each position in a list of words."""
    return pa.array(list(choices), pa.string()).take(pa.array(np.asarray(index)))


def instead(frame: pd.DataFrame, column: str, usual: pa.Array) -> pa.Array:
    """Return the usual text, but a planted one where the frame has it; a planted ``''`` is an empty field."""
    if column not in frame or frame[column].isna().all():
        return usual
    text = pc.coalesce(pa.array(frame[column].to_numpy(), pa.string(), from_pandas=True), usual)
    return pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)


class Columns:
    """Writes exams under the site's column names.

    Parameters
    ----------
    seed : int
        Part of every UID, so that two demos never share one.
    stations, population :
        What the numbers in the exams stand for.
    """

    def __init__(self, seed: int, stations: list[plan.Station], population: Population) -> None:
        self._root = f"2.25.3{seed % 1_000_000:06d}"
        self._stations, self._population = stations, population

    def study_uids(self, number: np.ndarray) -> pa.Array:
        """Return StudyInstanceUIDs by study number."""
        return _joined(f"{self._root}1", np.asarray(number) + 10**9)

    def series_uids(self, number: np.ndarray, position: np.ndarray) -> pa.Array:
        """Return SeriesInstanceUIDs by study number and position."""
        return _joined(f"{self._root}2", (np.asarray(number) + 10**9) * 1000 + position)

    def accessions(self, frame: pd.DataFrame) -> pa.Array:
        """Return AccessionNumbers: a site's letter, and a running number."""
        site = np.array([s.site for s in self._stations])[frame["station"]]
        return pc.binary_join_element_wise(
            words([s.archive[0] for s in plan.SITES], site),
            pa.array(frame["number"].to_numpy() + 10_000_000).cast(pa.string()), "")

    def studies(self, frame: pd.DataFrame, series_counts: pd.DataFrame) -> pa.Table:
        """Return the archive's table of studies; counts and sizes are empty where the archive has none."""
        patient, stations = frame["patient"].to_numpy(), self._stations
        station, known = frame["station"].to_numpy(), ~frame["is_ghost"].to_numpy()
        study_day, stored = frame["study"].to_numpy() // DAY, frame["stored"].to_numpy()
        born = np.where(frame["birth"] == NEVER, self._population.born[patient], frame["birth"])
        age = (study_day - self._population.born[patient]) // 365.25
        age = np.where(np.isnan(frame["age"]), age, frame["age"])
        modality = instead(frame, "modality_text", words(MODALITY_CODES, frame["modality"]))
        dosed = pc.equal(modality, "CT")
        sex = words(["F", "M"], self._population.male[patient].astype(int))
        return pa.table({
            "STUDY_UID": instead(frame, "uid_text", self.study_uids(frame["number"].to_numpy())),
            "PAT_ID": instead(frame, "patient_id_text", self._population.patient_id(patient)),
            "PAT_NAME": instead(frame, "name_text", person_names(self._population, patient)),
            "DOB": dates(born),
            "SEX": instead(frame, "sex_text", sex),
            "AGE_Y": pa.array(age.astype(np.int64), mask=age < 0),
            "ACC_NO": instead(frame, "accession_text", self.accessions(frame)),
            "HOSPITAL": words([s.name for s in plan.SITES], frame["site"]),
            "INSTITUTION": instead(frame, "institution_text",
                                   words([s.institution_name for s in plan.SITES], frame["site"])),
            "STATION": words([s.name for s in stations], station),
            "MAKER": words([s.manufacturer for s in stations], station),
            "MODEL": words([s.model for s in stations], station),
            "MODALITY": modality,
            "MODALITIES": pc.if_else(dosed, "CT\\SR", modality),
            "DESCRIPTION": self.descriptions(frame),
            "BODY_PART": instead(frame, "body_part_text", words([p.body_part for p in PROCEDURES], frame["procedure"])),
            "STUDY_DATE": dates(study_day),
            "STUDY_DT": instants(frame["study"].to_numpy()),
            "N_SERIES": pa.array(frame["series"].to_numpy(), mask=~known),
            "N_IMAGES": pa.array(series_counts["images"].to_numpy() + frame["images_off"].to_numpy(), mask=~known),
            "SIZE_KB": pa.array(series_counts["kb"].to_numpy() + frame["kb_off"].to_numpy(), mask=~known),
            "TS_UID": words(self._syntaxes(), self._syntax_index(frame)),
            "RECEIVED": instants(stored),
            "LAST_READ": instants(frame["opened"].to_numpy()),
            "TIER": words(list(TIER_WORDS), frame["nearline"].to_numpy().astype(int)),
        })

    def descriptions(self, frame: pd.DataFrame) -> pa.Array:
        """Return the procedure's name with its side."""
        every = [f"{p.name} {side}".rstrip() for p in PROCEDURES for side in SIDES]
        return words(every, frame["procedure"].to_numpy() * len(SIDES) + frame["side"].to_numpy())

    def series(self, frame: pd.DataFrame, rows: pd.DataFrame) -> pa.Table:
        """Return the archive's table of series, of rows made by `content.make_series` for these studies."""
        study = rows["study"].to_numpy()
        owner = frame.iloc[study].reset_index(drop=True)
        station, stations = owner["station"].to_numpy(), self._stations
        report = pa.array(rows["is_report"].to_numpy())
        modality = pc.if_else(report, "SR", words(MODALITY_CODES, owner["modality"]))
        part = instead(owner, "body_part_text", words([p.body_part for p in PROCEDURES], owner["procedure"]))
        share = rows["position"].to_numpy() / owner["series"].to_numpy()
        lasts = owner["complete"].to_numpy() - owner["start"].to_numpy()
        lasts = np.where((owner["start"] == NEVER) | (owner["complete"] == NEVER), 0, np.clip(lasts, 0, 7200))
        usual = self.series_uids(owner["number"].to_numpy(), rows["position"].to_numpy())
        return pa.table({
            "SERIES_UID": instead(rows, "uid_text", usual),
            "STUDY_UID": instead(owner, "uid_text", self.study_uids(owner["number"].to_numpy())),
            "MODALITY": instead(owner, "modality_text", modality),
            "STATION": words([s.name for s in stations], station),
            "MAKER": words([s.manufacturer for s in stations], station),
            "MODEL": words([s.model for s in stations], station),
            "SERIES_NO": pa.array(rows["position"].to_numpy() + 1),
            "DESCRIPTION": self._series_descriptions(owner, rows),
            "PROTOCOL": words([p.name for p in PROCEDURES], owner["procedure"]),
            "BODY_PART": pc.if_else(report, pa.scalar(None, pa.string()), part),
            "LATERALITY": instead(rows, "laterality_text", _laterality(owner, rows)),
            "SERIES_DT": instants(owner["study"].to_numpy() + (share * lasts).astype(np.int64)),
            "N_IMAGES": pa.array(rows["images"].to_numpy()),
            "SIZE_KB": pa.array(rows["kb"].to_numpy()),
            "TS_UID": instead(rows, "syntax_text", words(self._syntaxes(), self._syntax_index(owner))),
            "RECEIVED": instants(owner["stored"].to_numpy()),
        })

    def _series_descriptions(self, owner: pd.DataFrame, rows: pd.DataFrame) -> pa.Array:
        every, what = [], []
        for procedure in PROCEDURES:
            bare = procedure.name.split(" ", 1)[1]
            what += [f"{bare} {side}".rstrip() for side in SIDES]
            every += [series_name(procedure, k, repeat=again) for again in (False, True) for k in range(MAX_SERIES)]
        place = (owner["procedure"].to_numpy() * 2 + rows["repeat"].to_numpy()) * MAX_SERIES + rows["position"]
        mammogram = (owner["modality"] == MODALITY_CODES.index("MG")).to_numpy()
        body = words(what, owner["procedure"].to_numpy() * len(SIDES) + owner["side"].to_numpy())
        view = words(every, place)
        full = pc.if_else(pa.array(mammogram), view, pc.binary_join_element_wise(body, view, " "))
        return pc.if_else(pa.array(rows["is_report"].to_numpy()), DOSE_REPORT, full)

    def _syntaxes(self) -> list[str]:
        return [plan.transfer_syntax(site, code)[0] for site in range(len(plan.SITES)) for code in MODALITY_CODES]

    def _syntax_index(self, frame: pd.DataFrame) -> np.ndarray:
        return frame["site"].to_numpy() * len(MODALITY_CODES) + frame["modality"].to_numpy()

    def ris(self, frame: pd.DataFrame) -> pa.Table:
        """Return the RIS's table: one row an order, one column an event."""
        patient = frame["ordered_patient"].to_numpy()
        born = np.where(frame["birth_ordered"] == NEVER, self._population.born[patient], frame["birth_ordered"])
        table = {
            "ACC_NO": self.accessions(frame),
            "PAT_ID": instead(frame, "ordered_id_text", self._population.patient_id(patient)),
            "PAT_NAME": person_names(self._population, patient),
            "DOB": dates(born),
            "SEX": words(["F", "M"], self._population.male[patient].astype(int)),
            "HOSPITAL": words([s.name for s in plan.SITES], frame["site"]),
            "ROOM": words([s.name for s in self._stations], frame["station"]),
            "EXAM_TYPE": instead(frame, "ordered_modality_text", words(MODALITY_CODES, frame["modality"])),
            "URGENCY": words(list(PRIORITY_WORDS), frame["priority"]),
            "PAT_CLASS": words(list(CLASS_WORDS), frame["cls"]),
            "PROC_CODE": words([p.code for p in PROCEDURES], frame["procedure"]),
            "PROC_NAME": self.descriptions(frame),
        }
        ours = ("order", "scheduled", "appointment", "cancelled_at", "arrived", "start", "complete", "stored", "ready",
                "read_start", "prelim", "reported", "corrected", "viewed")
        for name, column in zip(ours, RIS_EVENTS.values(), strict=True):
            table[column] = instants(frame[name].to_numpy())
        return pa.table(table)


def _joined(prefix: str, number: np.ndarray) -> pa.Array:
    return pc.binary_join_element_wise(prefix, pa.array(number).cast(pa.string()), "")


def _laterality(owner: pd.DataFrame, rows: pd.DataFrame) -> pa.Array:
    """The side of the anatomy; of a mammogram, the side of each view: right first."""
    mammogram = (owner["modality"] == MODALITY_CODES.index("MG")).to_numpy()
    view = np.where(rows["position"].to_numpy() % 2 == 0, LATERALITY.index("R"), LATERALITY.index("L"))
    return words(LATERALITY, np.where(mammogram, view, owner["side"].to_numpy()))
