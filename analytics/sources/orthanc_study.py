"""One study of an Orthanc as rows of ``studies`` and ``series``, by the rules of `analytics.sources.rollup`.

Two studies of Orthanc are one here where their PatientIDs differ in blanks or case alone; and series of two patients
under one StudyInstanceUID and SeriesInstanceUID are one row. So all that Orthanc holds under one StudyInstanceUID is
read together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from analytics.core.terms import NOT_ACQUIRED
from analytics.sources import dicom_values as dv
from analytics.sources.orthanc_changes import Totals
from analytics.sources.orthanc_http import OrthancServer
from analytics.sources.patient import PatientEdge

_INSTANCES_AT_ONCE = 500
_STUDY_TEXT = {"accession_number": "AccessionNumber", "institution_name": "InstitutionName",
               "study_description": "StudyDescription"}
_SERIES_TEXT = {"manufacturer": "Manufacturer", "series_description": "SeriesDescription",
                "protocol_name": "ProtocolName", "body_part_examined": "BodyPartExamined"}
_LEAST_OF_STUDY = ("name_key", "birth_date_key", "patient_birth_year", "patient_sex", "patient_age_years",
                   *_STUDY_TEXT, "study_date", "study_at")
_LEAST_OF_SERIES = (*_SERIES_TEXT, "series_number", "series_at")

Row = dict[str, Any]


class Unexpected(Exception):
    """What Orthanc says of a study is not laid out as Orthanc does; it holds no value."""


@dataclass
class HeldSeries:
    """A series as Orthanc holds it: its own values, and what its objects say together."""

    study: Row
    values: Row
    modality: str | None
    station_name: str | None
    size_bytes: int
    objects: int = 0
    uids: set[str] = field(default_factory=set)
    transfer_syntaxes: Counter[str] = field(default_factory=Counter)
    stored_at: datetime | None = None


@dataclass
class StudyRows:
    """The rows that stand for all of one StudyInstanceUID, and what Orthanc itself counts in it.

    Attributes
    ----------
    record_keys : of all studies that Orthanc holds under it.
    totals : by Orthanc's count.
    """

    studies: list[Row]
    series: list[Row]
    record_keys: tuple[str, ...]
    totals: Totals

    @property
    def counts_differ(self) -> bool:
        """Whether the rows, which count an object once, cannot be told from what Orthanc counts in one study."""
        return self.totals.studies != 1 or self.totals.counts != (
            len(self.studies), len(self.series), sum(row["number_of_instances"] for row in self.studies))


def text_of(tags: object, keyword: str) -> str:
    """Return a tag as text without the blanks and zeros that pad it; empty where there is none."""
    if not isinstance(tags, Mapping):
        raise Unexpected
    value = tags.get(keyword)
    return "" if value is None else str(value).strip("\x00 ")


def study_uid(study: Mapping[str, Any]) -> str:
    """Return the StudyInstanceUID of a study as Orthanc gives it."""
    return text_of(study.get("MainDicomTags"), "StudyInstanceUID")


def study_date(study: Mapping[str, Any]) -> Any:
    """Return the StudyDate of a study as Orthanc gives it; nothing where it has none."""
    return dv.date_of(text_of(study.get("MainDicomTags"), "StudyDate"))


def read_series(server: OrthancServer, study: Mapping[str, Any], about: Row, zone: str) -> list[HeldSeries]:
    """Ask for the series of a study, and for every object in them.

    Parameters
    ----------
    server : OrthancServer
    study : mapping
        As Orthanc gives it.
    about : dict
        Its row, by `study_row`.
    zone : str
        IANA zone of the times in the headers.

    Raises
    ------
    NoAnswer
        Orthanc fails on it.
    Unexpected
        Orthanc's answer is not laid out as expected.
    PacsmeterError
        The server as a whole fails.
    """
    held = []
    found = server.get(f"/studies/{study.get('ID')}/series", "the series of a study", expand="true")
    for one in _objects(found or []):
        counted = server.get(f"/series/{one.get('ID')}/statistics", "the size of a series")
        if counted is None:
            continue
        series = _series(one, counted, about, zone)
        ids = one.get("Instances")
        if not isinstance(ids, list):
            raise Unexpected
        for start in range(0, len(ids), _INSTANCES_AT_ONCE):
            _add_objects(series, server.contents(ids[start:start + _INSTANCES_AT_ONCE], "Instance", metadata=True))
        held.append(series)
    return held


def _objects(found: object) -> list[Mapping[str, Any]]:
    if not isinstance(found, list) or not all(isinstance(one, Mapping) for one in found):
        raise Unexpected
    return found


def _series(one: Mapping[str, Any], counted: object, about: Row, zone: str) -> HeldSeries:
    tags = one.get("MainDicomTags")
    size, number = text_of(counted, "DiskSize"), dv.number_of(text_of(tags, "SeriesNumber"))
    if not size.isdecimal():
        raise Unexpected
    values: Row = {column: text_of(tags, keyword) or None for column, keyword in _SERIES_TEXT.items()}
    values |= {"series_instance_uid": text_of(tags, "SeriesInstanceUID"),
               "study_instance_uid": about["study_instance_uid"],
               "series_number": int(number) if number is not None else None,
               "series_at": dv.instant_of(text_of(tags, "SeriesDate"), text_of(tags, "SeriesTime"), "", zone)}
    return HeldSeries(about, values, text_of(tags, "Modality") or None, text_of(tags, "StationName") or None, int(size))


def _add_objects(series: HeldSeries, instances: Iterable[Mapping[str, Any]]) -> None:
    for one in instances:
        series.objects += 1
        uid = text_of(one.get("MainDicomTags"), "SOPInstanceUID")
        if uid:
            series.uids.add(uid)
        about = one.get("Metadata")
        syntax = text_of(about, "TransferSyntax")
        if syntax:
            series.transfer_syntaxes[syntax] += 1
        # Orthanc writes it in UTC whatever the server's zone is.
        day, _, clock = text_of(about, "ReceptionDate").partition("T")
        series.stored_at = _least((series.stored_at, dv.instant_of(day, clock, "+0000", "UTC")))


def study_row(study: Mapping[str, Any], edge: PatientEdge, zone: str) -> Row:
    """Return what a study says of itself; identities end here."""
    tags, patient = study.get("MainDicomTags"), study.get("PatientMainDicomTags")
    day = text_of(tags, "StudyDate")
    studied = dv.date_of(day)
    return {
        "study_instance_uid": study_uid(study),
        **edge.columns(text_of(patient, "PatientID"), text_of(patient, "PatientName"),
                       text_of(patient, "PatientBirthDate"), text_of(patient, "PatientSex"), studied),
        **{column: text_of(tags, keyword) or None for column, keyword in _STUDY_TEXT.items()},
        "study_date": studied,
        "study_at": dv.instant_of(day, text_of(tags, "StudyTime"), "", zone),
        "record_key": edge.record_key(str(study.get("ID"))),
    }


def rows_of(held: Sequence[HeldSeries], site: str | None) -> StudyRows:
    """Make the rows of everything under one StudyInstanceUID.

    Parameters
    ----------
    held : sequence of HeldSeries
        All series of all its studies.
    site : str or None
        Which site the studies belong to.
    """
    by_study: dict[str, list[HeldSeries]] = {}
    by_series: dict[str, list[HeldSeries]] = {}
    for one in held:
        by_study.setdefault(one.study["patient_key"], []).append(one)
        by_series.setdefault(one.values["series_instance_uid"], []).append(one)
    studies = [_study(some, site) for _, some in sorted(by_study.items())]
    series = [
        {"series_instance_uid": uid, "study_instance_uid": some[0].values["study_instance_uid"],
         **{name: _least(one.values[name] for one in some) for name in _LEAST_OF_SERIES}, **_together(some)}
        for uid, some in sorted(by_series.items())]
    record_keys = tuple(sorted({one.study["record_key"] for one in held}))
    return StudyRows(studies, series, record_keys, Totals(
        len(record_keys), len(held), sum(one.objects for one in held), sum(one.size_bytes for one in held)))


def _study(held: Sequence[HeldSeries], site: str | None) -> Row:
    first = held[0].study
    return {
        "study_instance_uid": first["study_instance_uid"], "patient_key": first["patient_key"], "site": site,
        **{name: _least(one.study.get(name) for one in held) for name in _LEAST_OF_STUDY},
        **{name: _least(one.values[name] for one in held) for name in ("manufacturer", "body_part_examined")},
        "number_of_series": len({one.values["series_instance_uid"] for one in held}),
        "modalities_in_study": "\\".join(sorted({one.modality for one in held if one.modality})) or None,
        "record_key": min(one.study["record_key"] for one in held), **_together(held)}


def _together(held: Sequence[HeldSeries]) -> Row:
    modalities, stations, syntaxes = Counter[str](), Counter[str](), Counter[str]()
    for one in held:
        modalities.update({one.modality: one.objects} if one.modality else {})
        stations.update({one.station_name: one.objects} if one.station_name else {})
        syntaxes += one.transfer_syntaxes
    return {
        "modality": _most_common(modalities), "station_name": _most_common(stations),
        "transfer_syntax_uid": _most_common(syntaxes),
        "number_of_instances": len(set().union(*(one.uids for one in held))),
        "size_bytes": sum(one.size_bytes for one in held),
        "stored_at": _least(one.stored_at for one in held)}


def _most_common(counted: Counter[str]) -> str | None:
    """Return the value that most objects have; images decide before objects made about them."""
    return min(counted, key=lambda value: (value in NOT_ACQUIRED, -counted[value], value), default=None)


def _least(values: Iterable[Any]) -> Any:
    return min((value for value in values if value is not None), default=None)
