"""Rows of ``studies`` and ``series`` from records of dcm4chee's database; identities end here.

``*`` is how the archive writes an empty value. Its own times have no zone: they are on the clock of the server that it
runs on, which the source's ``zone`` must name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from analytics.core.terms import NOT_ACQUIRED
from analytics.sources import dicom_values as dv
from analytics.sources.base import Identity
from analytics.sources.dcm4chee_index import PURGED
from analytics.sources.dicom_attributes import Attributes, Unreadable, read_attributes
from analytics.sources.patient import PatientEdge

REJECTION_STATES = {0: "none", 1: "partial", 2: "complete", 3: "none"}
"""The archive's NONE, PARTIAL, COMPLETE, and EMPTY: a study without objects, so that none of them is rejected."""
COMPLETENESS = {0: "unknown", 1: "partial", 2: "complete"}
_EMPTY = 3

_PATIENT_ID, _PATIENT_AGE = 0x00100020, 0x00101010
_SERIES_DATE, _SERIES_TIME, _OFFSET = 0x00080021, 0x00080031, 0x00080201
_MANUFACTURER, _MODEL, _PROTOCOL, _FRAME = 0x00080070, 0x00081090, 0x00181030, 0x00200052
_OF_SERIES = frozenset({_SERIES_DATE, _SERIES_TIME, _OFFSET, _MANUFACTURER, _MODEL, _PROTOCOL, _FRAME})
_OF_STUDY = frozenset({_OFFSET, _PATIENT_AGE})

NO_SIZE = "studies have no size: the records of their objects are purged, and the archive had not worked it out"
NO_NUMBER = "studies have no number of instances: the records of their objects are purged"
ADDED_UP = "studies had no size in the archive, and got that of their files"
SEVERAL_STORAGES = "studies lie on several storages: every copy's bytes are counted"
PURGED_COPIES = "studies on several storages have purged records: their bytes are of one copy"
OTHER_SIZE = "studies' size in the archive is not that of their series, which was taken"
NO_OBJECTS = "studies hold no objects (the archive's state EMPTY)"
BAD_DATE = "studies have a date or time that cannot be read, and is left empty"
BAD_ATTRIBUTES = "datasets in the archive's own database cannot be read: what only they say is left empty"
SEVERAL_IDS = "studies are of patients with several ids: the one in the patient's own record is taken"
OTHER_ID = "studies are of patients with several ids, none of them in the patient's own record: the first is taken"


def plain(value: Any) -> str:
    """Return a column's text; the archive's ``*`` is nothing."""
    text = "" if value is None else str(value).strip()
    return "" if text == "*" else text


@dataclass
class _Sum:
    """What a study's series add up to."""

    series: int = 0
    instances: int | None = 0
    size: int | None = 0
    purged: bool = False
    all_sized: bool = True
    stored_at: datetime | None = None
    most: dict[str, Counter[str]] = field(default_factory=dict)
    least: dict[str, str] = field(default_factory=dict)

    def add(self, row: Mapping[str, Any], record: Mapping[str, Any]) -> None:
        """Add a series."""
        number, size = row["number_of_instances"], row["size_bytes"]
        self.series += 1
        self.instances = None if self.instances is None or number is None else self.instances + number
        self.size = None if self.size is None or size is None else self.size + size
        self.purged |= record["inst_purge_state"] == PURGED
        self.all_sized &= record["series_size"] >= 0
        self.stored_at = min(filter(None, (self.stored_at, row["stored_at"])), default=None)
        for name in ("modality", "station_name", "transfer_syntax_uid"):
            if row[name]:
                self.most.setdefault(name, Counter())[row[name]] += number or 0
        for name, value in (("institution_name", plain(record["institution"])), *(
                (name, row[name]) for name in ("manufacturer", "manufacturer_model_name", "body_part_examined"))):
            if value and value < self.least.get(name, "\U0010ffff"):
                self.least[name] = value

    def most_common(self, name: str) -> str | None:
        """Return what most objects have; images decide before objects made about them, then the alphabet."""
        held = self.most.get(name, Counter())
        return min(held, key=lambda value: (value in NOT_ACQUIRED, -held[value], value), default=None)


class Rows:
    """Makes the rows of one load, a page of studies at a time.

    Parameters
    ----------
    edge : PatientEdge
    zone : str
        IANA zone of the archive's server and of the devices.
    notes : Counter
        What a reader of the load should know, counted.
    """

    def __init__(self, edge: PatientEdge, zone: str, site: str | None, notes: Counter[str]) -> None:
        self.edge, self.zone, self.site, self.notes = edge, zone, site, notes
        self._clock = ZoneInfo(zone)
        self._sums: dict[int, _Sum] = {}

    def instant(self, time: datetime | None) -> datetime | None:
        """Return one of the archive's own times as UTC; where the clocks show it twice, the earlier."""
        return time.replace(tzinfo=self._clock).astimezone(UTC) if time else None

    def attributes(self, raw: bytes | None, wanted: frozenset[int], *, cut: bool = False) -> Attributes:
        """Return values of a dataset in the database; none where it is damaged, which is noted."""
        try:
            return read_attributes(bytes(raw), wanted, cut=cut) if raw else Attributes()
        except Unreadable:
            self.notes[BAD_ATTRIBUTES] += 1
            return Attributes()

    def first_item(self, values: Attributes, sequence: int, tag: int) -> str:
        """Return a value of a sequence's first item."""
        try:
            return values.first_item(sequence, frozenset({tag})).text(tag)
        except Unreadable:
            self.notes[BAD_ATTRIBUTES] += 1
            return ""

    def patient_id(self, record: Mapping[str, Any]) -> str:
        """Return the id by which a patient goes: the one in the patient's own record, where there are several."""
        held = record["pat_ids"] or [""]
        if len(held) == 1:
            return str(held[0])
        main = self.attributes(record["patient_attrs"], frozenset({_PATIENT_ID})).text(_PATIENT_ID)
        self.notes[SEVERAL_IDS if main in held else OTHER_ID] += 1
        return main if main in held else str(held[0])

    def patient(self, record: Mapping[str, Any], on: Any = None, age: float | None = None) -> dict[str, Any]:
        """Return the columns that say who the patient is."""
        return self.edge.columns(plain(self.patient_id(record)), plain(record["alphabetic_name"]),
                                 plain(record["pat_birthdate"]), plain(record["pat_sex"]), on, age)

    def series(self, record: Mapping[str, Any], study_instance_uid: str) -> dict[str, Any]:
        """Make a row of ``series``, and add it to its study."""
        values = self.attributes(record["attrs"], _OF_SERIES)
        row = {
            "series_instance_uid": record["series_iuid"], "study_instance_uid": study_instance_uid,
            "modality": plain(record["modality"]) or None, "station_name": plain(record["station_name"]) or None,
            "manufacturer": values.text(_MANUFACTURER) or None,
            "manufacturer_model_name": values.text(_MODEL) or None, "series_number": record["series_no"],
            "series_description": plain(record["series_desc"]) or None,
            "protocol_name": values.text(_PROTOCOL) or None,
            "body_part_examined": plain(record["body_part"]) or None,
            "laterality": plain(record["laterality"]) or None, "frame_of_reference_uid": values.text(_FRAME) or None,
            "series_at": dv.instant_of(values.text(_SERIES_DATE), values.text(_SERIES_TIME), values.text(_OFFSET),
                                       self.zone),
            "number_of_instances": record["number_of_instances"], "size_bytes": record["size_bytes"],
            "transfer_syntax_uid": plain(record["tsuid"]) or None, "stored_at": self.instant(record["created_time"]),
        }
        self._sums.setdefault(record["study_fk"], _Sum()).add(row, record)
        return row

    def study(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Make a row of ``studies``, once all its series are added; they are forgotten."""
        total = self._sums.pop(record["pk"], _Sum())
        values = self.attributes(record["attrs"], _OF_STUDY)
        day, clock = plain(record["study_date"]), plain(record["study_time"])
        studied, expires = dv.date_of(day), plain(record["expiration_date"])
        age = dv.age_years_of(values.text(_PATIENT_AGE))
        row: dict[str, Any] = {
            "study_instance_uid": record["study_iuid"], **self.patient(record, studied, age),
            "accession_number": plain(record["accession_no"]) or None, "site": self.site,
            **{name: total.most_common(name) for name in ("modality", "station_name", "transfer_syntax_uid")},
            **{name: total.least.get(name) for name in ("institution_name", "manufacturer", "manufacturer_model_name",
                                                        "body_part_examined")},
            "modalities_in_study": "\\".join(sorted(total.most.get("modality", ()))) or None,
            "study_description": plain(record["study_desc"]) or None, "study_date": studied,
            "study_at": dv.instant_of(day, clock, values.text(_OFFSET), self.zone),
            "number_of_series": total.series, "number_of_instances": self._number(record, total),
            "size_bytes": self._size(record, total),
            "stored_at": total.stored_at or self.instant(record["created_time"]),
            "last_accessed_at": self.instant(record["access_time"]),
            "storage_tier": plain(record["storage_ids"]).split("\\")[0] or None,
            "expires_date": dv.date_of(expires), "rejection_state": REJECTION_STATES.get(record["rejection_state"]),
            "completeness": COMPLETENESS.get(record["completeness"]),
        }
        self.notes[NO_OBJECTS] += record["rejection_state"] == _EMPTY
        self.notes[BAD_DATE] += bool((day and not studied) or (clock and not dv.time_of(clock))
                                     or (expires and not row["expires_date"]))
        return row

    def _number(self, record: Mapping[str, Any], total: _Sum) -> int | None:
        number = record["num_instances"] if total.instances is None else total.instances
        self.notes[NO_NUMBER] += number is None
        return number

    def _size(self, record: Mapping[str, Any], total: _Sum) -> int | None:
        """Return the bytes of a study's files: of its series, else the archive's own figure, else nothing."""
        own, on_several = record["study_size"], "\\" in plain(record["storage_ids"])
        size = total.size if total.size is not None or own < 0 else own
        self.notes[NO_SIZE] += size is None
        self.notes[ADDED_UP] += own < 0 and size is not None and total.series > 0
        self.notes[SEVERAL_STORAGES] += on_several and not total.purged
        self.notes[PURGED_COPIES] += on_several and total.purged
        self.notes[OTHER_SIZE] += own >= 0 and not on_several and total.all_sized and total.size not in (own, None)
        return size


def identity_of(record: Mapping[str, Any], patient_id: str) -> Identity:
    """Return who a patient is; of a name, the groups that it has (PS3.5 6.2.1.1)."""
    groups = (plain(record[f"{group}_name"]) for group in ("alphabetic", "ideographic", "phonetic"))
    return Identity(patient_id, "=".join(groups).rstrip("="), plain(record["pat_birthdate"]))
