"""Orthanc's own database, read-only: one select that is the same on SQLite and PostgreSQL (Orthanc 1.10, schema 6).

``resourceType`` counts from 1 in SQLite and from 0 in PostgreSQL: the base is found from the data, since the wrong
one returns wrong rows in silence. No column holds a study's size or count; the archive keeps two totals of its own
in ``GlobalIntegers``, and what was read is checked against them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from analytics.core.errors import PacsmeterError

ROWS_AT_ONCE = 20_000

_resources = sa.table("resources", *(sa.column(name, sa.BigInteger) for name in ("internalid", "resourcetype",
                                                                                 "parentid")))
_tags = sa.table("maindicomtags", sa.column("id", sa.BigInteger), sa.column("taggroup", sa.Integer),
                 sa.column("tagelement", sa.Integer), sa.column("value", sa.String))
_metadata = sa.table("metadata", sa.column("id", sa.BigInteger), sa.column("type", sa.Integer),
                     sa.column("value", sa.String))
_attached = sa.table("attachedfiles", sa.column("id", sa.BigInteger), sa.column("filetype", sa.Integer),
                     sa.column("uuid", sa.String), sa.column("compressedsize", sa.BigInteger))
_totals = sa.table("globalintegers", sa.column("key", sa.Integer), sa.column("value", sa.BigInteger))

_DICOM_FILE = 1
_COMPRESSED_TOTAL = 0
_RECEPTION_DATE, _TRANSFER_SYNTAX, _SOP_CLASS = 2, 9, 10
LEVELS = ("patients", "studies", "series", "instances")
_STUDY, _SERIES, _INSTANCE = 1, 2, 3

_STUDY_TAGS = {
    "study_instance_uid": (0x0020, 0x000D), "study_date": (0x0008, 0x0020), "study_time": (0x0008, 0x0030),
    "accession_number": (0x0008, 0x0050), "institution_name": (0x0008, 0x0080),
    "study_description": (0x0008, 0x1030), "patient_id": (0x0010, 0x0020), "patient_name": (0x0010, 0x0010),
    "patient_birth_date": (0x0010, 0x0030), "patient_sex": (0x0010, 0x0040),
}
_SERIES_TAGS = {
    "series_instance_uid": (0x0020, 0x000E), "modality": (0x0008, 0x0060), "station_name": (0x0008, 0x1010),
    "manufacturer": (0x0008, 0x0070), "series_date": (0x0008, 0x0021), "series_time": (0x0008, 0x0031),
    "series_description": (0x0008, 0x103E), "protocol_name": (0x0018, 0x1030),
    "body_part_examined": (0x0018, 0x0015), "series_number": (0x0020, 0x0011),
}
_INSTANCE_TAGS = {
    "sop_instance_uid": (0x0008, 0x0018), "instance_number": (0x0020, 0x0013),
    "number_of_frames": (0x0028, 0x0008), "image_position": (0x0020, 0x0032),
    "image_orientation": (0x0020, 0x0037),
}


@dataclass(frozen=True)
class Totals:
    """What the archive holds, by its own count.

    Attributes
    ----------
    resources : number of patients, studies, series and instances.
    size_bytes : bytes as stored, of every attachment.
    """

    resources: dict[str, int]
    size_bytes: int


def _wide(tags: dict[str, tuple[int, int]], level: int, name: str,
          *only: sa.ColumnElement[bool]) -> sa.Subquery:
    """Return one row a resource of a level, one column a tag."""
    columns = [
        sa.func.max(sa.case((sa.and_(_tags.c.taggroup == group, _tags.c.tagelement == element), _tags.c.value))
                    ).label(column)
        for column, (group, element) in tags.items()
    ]
    wanted = _tags.join(_resources, _resources.c.internalid == _tags.c.id)
    return sa.select(_tags.c.id, *columns).select_from(wanted).where(
        _resources.c.resourcetype == level, *only).group_by(_tags.c.id).subquery(name)


def _base(connection: sa.Connection) -> int | None:
    """Return the number that stands for a patient: patients are the resources without a parent."""
    found = connection.execute(sa.select(_resources.c.resourcetype).where(_resources.c.parentid.is_(None)).distinct())
    levels = [row[0] for row in found]
    if len(levels) > 1:
        raise PacsmeterError("Orthanc's index has resources of several kinds without a parent",
                             "Check the index with Orthanc; this version may not be supported.")
    return int(levels[0]) if levels else None


def instance_select(base: int) -> sa.Select[Any]:
    """Return the select of every stored object with its series', study's and patient's attributes.

    Parameters
    ----------
    base : int
        ``resourceType`` of a patient.
    """
    instance, series, study = (sa.alias(_resources, name) for name in ("instance", "series_of", "study_of"))
    study_tags = _wide(_STUDY_TAGS, base + _STUDY, "study_tags")
    series_tags = _wide(_SERIES_TAGS, base + _SERIES, "series_tags")
    instance_tags = _wide(_INSTANCE_TAGS, base + _INSTANCE, "instance_tags")
    about = sa.select(
        _metadata.c.id, *(sa.func.max(sa.case((_metadata.c.type == type_, _metadata.c.value))).label(name)
                          for name, type_ in (("received", _RECEPTION_DATE), ("transfer_syntax_uid", _TRANSFER_SYNTAX),
                                              ("sop_class_uid", _SOP_CLASS)))
    ).group_by(_metadata.c.id).subquery("about")
    stored = sa.select(
        _attached.c.id, sa.func.sum(_attached.c.compressedsize).label("size_bytes"),
        sa.func.max(sa.case((_attached.c.filetype == _DICOM_FILE, _attached.c.uuid))).label("uuid"),
    ).group_by(_attached.c.id).subquery("stored")
    joined = (
        sa.join(instance, series, series.c.internalid == instance.c.parentid)
        .join(study, study.c.internalid == series.c.parentid)
        .outerjoin(instance_tags, instance_tags.c.id == instance.c.internalid)
        .outerjoin(series_tags, series_tags.c.id == series.c.internalid)
        .outerjoin(study_tags, study_tags.c.id == study.c.internalid)
        .outerjoin(about, about.c.id == instance.c.internalid)
        .outerjoin(stored, stored.c.id == instance.c.internalid))
    parts = (instance_tags, series_tags, study_tags, about, stored)
    return sa.select(*(column for part in parts for column in part.columns if column.name != "id")
                     ).select_from(joined).where(instance.c.resourcetype == base + _INSTANCE)


def read_instances(connection: sa.Connection) -> Iterator[list[dict[str, Any]]]:
    """Yield every stored object, some at a time."""
    base = _base(connection)
    if base is None:
        return
    rows = connection.execution_options(yield_per=ROWS_AT_ONCE).execute(instance_select(base)).mappings()
    for part in rows.partitions():
        yield [dict(row) for row in part]


def read_patients(connection: sa.Connection, study_instance_uid: str) -> list[dict[str, Any]]:
    """Return whom a study is of: ``patient_id``, ``patient_name`` and ``patient_birth_date`` of each of its records."""
    base = _base(connection)
    if base is None:
        return []
    group, element = _STUDY_TAGS["study_instance_uid"]
    of_study = sa.select(_tags.c.id).join(_resources, _resources.c.internalid == _tags.c.id).where(
        _resources.c.resourcetype == base + _STUDY, _tags.c.taggroup == group, _tags.c.tagelement == element,
        _tags.c.value == study_instance_uid)
    tags = {name: _STUDY_TAGS[name] for name in ("patient_id", "patient_name", "patient_birth_date")}
    wide = _wide(tags, base + _STUDY, "patients", _tags.c.id.in_(of_study))
    return [dict(row) for row in connection.execute(sa.select(*(wide.c[name] for name in tags))).mappings()]


def read_totals(connection: sa.Connection) -> Totals:
    """Return what the archive holds, after checking that its own totals agree with its own rows.

    Raises
    ------
    PacsmeterError
        They do not agree, so no number read from it can be trusted.
    """
    base = _base(connection)
    counted: dict[int, int] = dict(connection.execute(
        sa.select(_resources.c.resourcetype, sa.func.count()).group_by(_resources.c.resourcetype)).tuples().all())
    resources = {name: int(counted.get((base or 0) + step, 0)) for step, name in enumerate(LEVELS)}
    if sum(resources.values()) != sum(counted.values()):
        raise PacsmeterError("Orthanc's index has resources of an unknown kind", "This version is not supported.")
    summed = int(connection.scalar(sa.select(sa.func.sum(_attached.c.compressedsize))) or 0)
    own = int(connection.scalar(sa.select(_totals.c.value).where(_totals.c.key == _COMPRESSED_TOTAL)) or 0)
    if own != summed:
        raise PacsmeterError(
            f"Orthanc's index says that it holds {own:,} bytes, and its files add up to {summed:,}",
            "Try again when Orthanc is quiet; if it stays so, its index is damaged.")
    return Totals(resources, summed)
