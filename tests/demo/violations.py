"""What violates each check in an export, found with pandas alone: an implementation of its own."""

from __future__ import annotations

import re
from collections.abc import Callable

import pandas as pd

from tests.demo.conftest import Export

FIND: dict[str, Callable[[Export], set[str]]] = {}
_PLACEHOLDERS = {"000000", "UNKNOWN", "TEST"}
_UID = re.compile(r"^(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))*$")
_MODALITIES = {"CT", "MR", "DX", "CR", "US", "MG", "RF", "XA", "NM"}
_WORDS = {"CHEST": "chest", "ABDOMEN": "abdomen", "HEAD": "head", "KNEE": "knee", "BRAIN": "brain", "NECK": "neck",
          "PELVIS": "pelvis", "HAND": "hand", "WRIST": "wrist", "ANKLE": "ankle", "FOOT": "foot",
          "SHOULDER": "shoulder", "LSPINE": "lumbar", "CSPINE": "cervical", "THYROID": "thyroid"}
_PAIRED = {"KNEE", "HAND", "WRIST", "ANKLE", "FOOT", "SHOULDER"}


def finds(check_id: str) -> Callable[[Callable[[Export], set[str]]], Callable[[Export], set[str]]]:
    def register(function: Callable[[Export], set[str]]) -> Callable[[Export], set[str]]:
        FIND[check_id] = function
        return function
    return register


def _identified(e: Export) -> pd.DataFrame:
    return e.studies[e.studies["PAT_ID"].notna() & ~e.studies["PAT_ID"].isin(_PLACEHOLDERS)]


def _several(frame: pd.DataFrame, group: str | list[str], value: str) -> pd.Series:
    counts = frame.groupby(group)[value].nunique()
    return counts[counts > 1]


def _year(text: pd.Series) -> pd.Series:
    return text.str[:4].astype(int)


@finds("DCM104")
def bad_uid(e: Export) -> set[str]:
    return {uid for uid in e.studies["STUDY_UID"] if not _UID.match(uid) or len(uid) > 64}


@finds("DCM111")
def shared_series(e: Export) -> set[str]:
    return set(_several(e.series, "SERIES_UID", "STUDY_UID").index)


@finds("DCM112")
def bad_modality(e: Export) -> set[str]:
    return set(e.studies.loc[~e.studies["MODALITY"].isin(_MODALITIES), "STUDY_UID"])


@finds("DCM113")
def bad_syntax(e: Export) -> set[str]:
    return set(e.series.loc[~e.series["TS_UID"].str.startswith("1.2.840.10008."), "SERIES_UID"])


@finds("IDN201")
def no_id(e: Export) -> set[str]:
    return set(e.studies["STUDY_UID"]) - set(_identified(e)["STUDY_UID"])


@finds("IDN202")
def names(e: Export) -> set[str]:
    return set(_several(_identified(e), "PAT_ID", "PAT_NAME").index)


@finds("IDN203")
def birth_dates(e: Export) -> set[str]:
    return set(_several(_identified(e), "PAT_ID", "DOB").index)


@finds("IDN204")
def sexes(e: Export) -> set[str]:
    return set(_several(_identified(e), "PAT_ID", "SEX").index)


@finds("IDN205")
def persons(e: Export) -> set[str]:
    people = _several(_identified(e), ["PAT_NAME", "DOB"], "PAT_ID").index
    ids = _identified(e).set_index(["PAT_NAME", "DOB"])["PAT_ID"]
    return {min(set(ids.loc[[person]])) for person in people}


@finds("IDN206")
def two_patients(e: Export) -> set[str]:
    return set(_several(e.studies, "STUDY_UID", "PAT_ID").index)


@finds("IDN207")
def shared_accession(e: Export) -> set[str]:
    return set(_several(e.studies, "ACC_NO", "STUDY_UID").index)


@finds("IDN208")
def no_accession(e: Export) -> set[str]:
    return set(e.studies.loc[e.studies["ACC_NO"].isna(), "STUDY_UID"])


@finds("TMP301")
def future(e: Export) -> set[str]:
    return set(e.studies.loc[e.studies["STUDY_DT"] - e.studies["RECEIVED"] > pd.Timedelta(days=1), "STUDY_UID"])


@finds("TMP302")
def unborn(e: Export) -> set[str]:
    return set(e.studies.loc[_year(e.studies["DOB"]) > _year(e.studies["STUDY_DATE"]), "STUDY_UID"])


@finds("TMP303")
def disorder(e: Export) -> set[str]:
    r = e.ris
    reversed_pair = (r["ARRIVED"] < r["ORDERED"]) | (r["EXAM_START"] < r["ARRIVED"]) | (r["EXAM_END"] < r["EXAM_START"])
    early = (r["FINAL_REPORT"] < r["EXAM_END"]) & (r["FINAL_REPORT"] >= r["EXAM_START"])
    return set(r.loc[reversed_pair | early, "ACC_NO"])


@finds("TMP304")
def report_first(e: Export) -> set[str]:
    return set(e.ris.loc[e.ris[["FINAL_REPORT", "PRELIM_REPORT"]].min(axis=1) < e.ris["EXAM_START"], "ACC_NO"])


@finds("TMP305")
def long_exam(e: Export) -> set[str]:
    return set(e.ris.loc[e.ris["EXAM_END"] - e.ris["EXAM_START"] > pd.Timedelta(hours=24), "ACC_NO"])


@finds("TMP306")
def clocks(e: Export) -> set[str]:
    off = (e.joined["STUDY_DT"] - e.joined["EXAM_START"]).dt.total_seconds()
    month = e.joined["EXAM_START"].dt.strftime("%Y-%m")
    found = off.groupby([e.joined["STATION"], month]).agg(["median", "size"])
    beyond = found[(found["median"].abs() > 300) & (found["size"] >= 20)]
    return {f"{station} {when}" for station, when in beyond.index}


@finds("TMP307")
def overlaps(e: Export) -> set[str]:
    done = e.ris.dropna(subset=["EXAM_START", "EXAM_END"]).sort_values(["ROOM", "EXAM_START"])
    previous = done.groupby("ROOM")["EXAM_END"].shift()
    return set(done.loc[previous - done["EXAM_START"] > pd.Timedelta(minutes=5), "ACC_NO"])


@finds("TMP308")
def ages(e: Export) -> set[str]:
    off = e.studies["AGE_Y"] - (_year(e.studies["STUDY_DATE"]) - _year(e.studies["DOB"]))
    return set(e.studies.loc[off.abs() > 2, "STUDY_UID"])


@finds("TMP309")
def told_otherwise(e: Export) -> set[str]:
    both = e.log.merge(e.ris, on="ACC_NO", validate="one_to_one")
    assert len(both) == len(e.log), "the log is of exams that the RIS knows"
    off = [(both[log] - both[ris]).abs() > pd.Timedelta(minutes=5)
           for log, ris in (("BEGAN", "EXAM_START"), ("ENDED", "EXAM_END"))]
    return set(both.loc[off[0] | off[1], "ACC_NO"])


@finds("ANA501")
def parts(e: Export) -> set[str]:
    named = e.studies[e.studies["BODY_PART"].isin(_WORDS)]
    agrees = [_WORDS[part] in text.lower() for part, text in zip(named["BODY_PART"], named["DESCRIPTION"], strict=True)]
    return set(named.loc[[not yes for yes in agrees], "STUDY_UID"])


def _radiographs(e: Export) -> pd.DataFrame:
    return e.series[e.series["MODALITY"].isin(["DX", "CR"]) & e.series["BODY_PART"].isin(_PAIRED)]


@finds("ANA502")
def sides(e: Export) -> set[str]:
    return set(_radiographs(e).loc[_radiographs(e)["LATERALITY"].isna(), "SERIES_UID"])


@finds("ANA503")
def wrong_sides(e: Export) -> set[str]:
    sided = e.series[e.series["LATERALITY"].notna()]
    other = sided["LATERALITY"].map({"L": r"\bright\b", "R": r"\bleft\b"})
    wrong = [bool(re.search(word, text)) for word, text in zip(other, sided["DESCRIPTION"], strict=True)]
    return set(sided.loc[wrong, "SERIES_UID"])


@finds("ANA504")
def views(e: Export) -> set[str]:
    screening = e.studies.loc[e.studies["DESCRIPTION"] == "MG Screening mammography", "STUDY_UID"]
    seen = e.series[e.series["STUDY_UID"].isin(screening)].groupby("STUDY_UID")["DESCRIPTION"].agg(set)
    return set(seen[~seen.map({"R CC", "L CC", "R MLO", "L MLO"}.issubset)].index)


@finds("REC601")
def no_order(e: Export) -> set[str]:
    return set(e.studies.loc[~e.studies["ACC_NO"].isin(e.ris["ACC_NO"]), "STUDY_UID"])


@finds("REC602")
def no_images(e: Export) -> set[str]:
    settled = e.ris["EXAM_END"] < e.studies["RECEIVED"].max() - pd.Timedelta(hours=24)
    return set(e.ris.loc[settled & ~e.ris["ACC_NO"].isin(e.studies["ACC_NO"]), "ACC_NO"])


def _sums(e: Export, column: str) -> set[str]:
    total = e.series.groupby("STUDY_UID")[column].sum()
    known = e.studies.dropna(subset=[column]).set_index("STUDY_UID")[column]
    return set(known.index[known != total.reindex(known.index)])


@finds("REC603")
def counts(e: Export) -> set[str]:
    return _sums(e, "N_IMAGES")


@finds("REC604")
def sizes(e: Export) -> set[str]:
    return _sums(e, "SIZE_KB")


@finds("REC605")
def institutions(e: Export) -> set[str]:
    return set(_several(e.studies, "STATION", "INSTITUTION").index)


@finds("REC606")
def ordered_modality(e: Export) -> set[str]:
    return set(e.joined.loc[e.joined["MODALITY"] != e.joined["EXAM_TYPE"], "STUDY_UID"])


@finds("REC607")
def ordered_patient(e: Export) -> set[str]:
    known = e.joined["PAT_ID"].notna() & ~e.joined["PAT_ID"].isin(_PLACEHOLDERS)
    return set(e.joined.loc[known & (e.joined["PAT_ID"] != e.joined["PAT_ID_RIS"]), "STUDY_UID"])
