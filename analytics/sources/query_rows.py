"""Rows of studies and series from what an archive answers to a query, whatever the protocol: pure functions.

They take a mapping of DICOM keyword to text, as C-FIND gives an attribute: several values are parted by a backslash, a
person's name has carets between components and ``=`` between its groups, an absent or empty attribute is ``""`` or not
there. `analytics.sources.cfind` makes the mapping from datasets; a source of QIDO-RS makes it from DICOM JSON.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from analytics.core.terms import NOT_ACQUIRED
from analytics.sources import dicom_values as dv
from analytics.sources.base import KnownStudy, Rejected
from analytics.sources.patient import PatientEdge
from analytics.warehouse.engine import table_schema

STUDY_KEYWORDS = (
    "StudyInstanceUID", "StudyDate", "StudyTime", "TimezoneOffsetFromUTC", "AccessionNumber", "ModalitiesInStudy",
    "PatientID", "PatientName", "PatientBirthDate", "PatientSex", "InstitutionName", "StudyDescription",
    "NumberOfStudyRelatedSeries", "NumberOfStudyRelatedInstances")
"""Attributes to ask for at the level of studies (PS3.4 2024e C.6.2.1.2, with optional ones of PS3.3)."""

SERIES_KEYWORDS = (
    "SeriesInstanceUID", "Modality", "SeriesNumber", "SeriesDescription", "BodyPartExamined", "ProtocolName",
    "StationName", "Manufacturer", "ManufacturerModelName", "Laterality", "SeriesDate", "SeriesTime",
    "NumberOfSeriesRelatedInstances")
"""Attributes to ask for at the level of series (PS3.4 2024e C.6.1.1.4, with optional ones of PS3.3)."""

DERIVED = ("modality", "station_name", "manufacturer", "manufacturer_model_name", "body_part_examined")
"""Columns of a study that its series decide."""

Values = Mapping[str, str]
Row = dict[str, Any]

_UID = re.compile(r"[^\s*?\\]{1,64}")
_STUDY_TEXT = {"accession_number": "AccessionNumber", "institution_name": "InstitutionName",
               "study_description": "StudyDescription"}
_SERIES_TEXT = {
    "modality": "Modality", "series_description": "SeriesDescription", "body_part_examined": "BodyPartExamined",
    "protocol_name": "ProtocolName", "station_name": "StationName", "manufacturer": "Manufacturer",
    "manufacturer_model_name": "ManufacturerModelName", "laterality": "Laterality"}


def uid_of(values: Values, keyword: str) -> str:
    """Return a UID that can be asked for again; empty where there is none, or it is none."""
    text = values.get(keyword, "").strip("\x00 ")
    return text if _UID.fullmatch(text) else ""


def no_uid(values: Values, keyword: str, locator: str) -> Rejected:
    """Say that a record cannot be used, since nothing says which study or series it is."""
    if not values.get(keyword, "").strip("\x00 "):
        return Rejected(locator, "no_uid", f"The archive's record has no {keyword}; correct it in the archive.")
    return Rejected(locator, "bad_uid", f"The record's {keyword} is no UID; correct it in the archive.")


def malformed(values: Values) -> list[str]:
    """Return the keywords of dates, times and numbers that cannot be read and are left empty."""
    bad = []
    for keyword, text in values.items():
        if keyword.endswith("Date"):
            readable: object = dv.date_of(text)
        elif keyword.endswith("Time"):
            readable = dv.time_of(text)
        elif keyword.startswith("NumberOf"):
            readable = count_of(text)
        elif keyword == "SeriesNumber":
            readable = dv.number_of(text)
        else:
            continue
        if text.strip() and readable is None:
            bad.append(keyword)
    return bad


def count_of(text: str) -> int | None:
    """Return a number of series or instances; nothing where it is none."""
    number = dv.number_of(text)
    return int(number) if number is not None and 0 <= number < 2**62 and number == int(number) else None


def modalities_of(values: Values) -> list[str]:
    """Return ModalitiesInStudy, each once, in the order of the alphabet: servers give them in any order."""
    return sorted({one.strip() for one in values.get("ModalitiesInStudy", "").split("\\")} - {""})


def study_row(values: Values, edge: PatientEdge, zone: str, site: str | None) -> Row:
    """Return the row of ``studies``; identities end here.

    The columns of `DERIVED` are empty, but for a modality that is the study's only one: see `derived`.

    Parameters
    ----------
    values : mapping of str to str
        DICOM keyword to text, of `STUDY_KEYWORDS`.
    edge : PatientEdge
    zone : str
        IANA zone of a time without TimezoneOffsetFromUTC.
    site : str or None
    """
    def text(keyword: str) -> str:
        return values.get(keyword, "").strip("\x00 ")

    studied = dv.date_of(text("StudyDate"))
    modalities = modalities_of(values)
    acquired = [one for one in modalities if one not in NOT_ACQUIRED] or modalities
    row: Row = {column: text(keyword) or None for column, keyword in _STUDY_TEXT.items()}
    row |= edge.columns(text("PatientID"), text("PatientName"), text("PatientBirthDate"), text("PatientSex"), studied)
    return row | {
        "study_instance_uid": text("StudyInstanceUID"), "site": site, "study_date": studied,
        "study_at": dv.instant_of(text("StudyDate"), text("StudyTime"), text("TimezoneOffsetFromUTC"), zone),
        "modalities_in_study": "\\".join(modalities) or None, "modality": acquired[0] if len(acquired) == 1 else None,
        "number_of_series": count_of(text("NumberOfStudyRelatedSeries")),
        "number_of_instances": count_of(text("NumberOfStudyRelatedInstances")),
    }


def series_row(values: Values, study_instance_uid: str, offset: str, zone: str) -> Row:
    """Return the row of ``series``.

    Parameters
    ----------
    values : mapping of str to str
        DICOM keyword to text, of `SERIES_KEYWORDS`.
    study_instance_uid : str
        The study that was asked for: its series need not repeat it.
    offset : str
        The study's TimezoneOffsetFromUTC, where the series has none.
    zone : str
        IANA zone of a time without an offset.
    """
    def text(keyword: str) -> str:
        return values.get(keyword, "").strip("\x00 ")

    number = dv.number_of(text("SeriesNumber"))
    row: Row = {column: text(keyword) or None for column, keyword in _SERIES_TEXT.items()}
    return row | {
        "series_instance_uid": text("SeriesInstanceUID"), "study_instance_uid": study_instance_uid,
        "series_number": int(number) if number is not None and abs(number) < 2**62 else None,
        "series_at": dv.instant_of(text("SeriesDate"), text("SeriesTime"), text("TimezoneOffsetFromUTC") or offset,
                                   zone),
        "number_of_instances": count_of(text("NumberOfSeriesRelatedInstances")),
    }


def derived(series: Sequence[Row]) -> Row:
    """Return what the series say of their study: the columns of `DERIVED` that they have, by the rule of a roll-up.

    Modality and station are those of most instances, where images decide before objects made about them; of the others
    the least in the alphabet.
    """
    row: Row = {name: _of_most(series, name) for name in ("modality", "station_name")}
    for name in DERIVED[2:]:
        row[name] = min((one[name] for one in series if one[name]), default=None)
    return {name: value for name, value in row.items() if value}


def _of_most(series: Iterable[Row], name: str) -> str | None:
    counted: Counter[str] = Counter()
    for one in series:
        if one[name]:
            counted[one[name]] += max(one["number_of_instances"] or 0, 1)
    return min(counted, key=lambda value: (value in NOT_ACQUIRED, -counted[value], value), default=None)


def carried(before: KnownStudy) -> Row:
    """Return what the series of a study that did not change said of it."""
    return {name: value for name in DERIVED if (value := getattr(before, name))}


def with_counts(study: Row, series: Sequence[Row]) -> Row:
    """Return a study with the numbers that the archive does not say, counted in its series."""
    numbers = [one["number_of_instances"] for one in series]
    counted = {"number_of_series": len(series) or None,
               "number_of_instances": sum(numbers) if numbers and None not in numbers else None}
    return study | {name: value for name, value in counted.items() if study[name] is None}


def batch_of(table: sa.Table, rows: Sequence[Row]) -> pa.RecordBatch:
    """Return rows as a batch of a table; columns that they do not have are empty."""
    schema = table_schema(table)
    return pa.RecordBatch.from_pylist(list(rows), schema=schema.remove(schema.get_field_index("source_id")))


def range_of(rows: Iterable[Row]) -> tuple[date | None, date | None]:
    """Return the first and the last study date of some studies."""
    days = [row["study_date"] for row in rows if row["study_date"]]
    return min(days, default=None), max(days, default=None)
