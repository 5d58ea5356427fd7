"""dcm4chee-arc's own database, read-only: the tables of release 5.35 on PostgreSQL, and one select a page of studies.

A page is some studies in the order of their primary key, so that no question depends on the planner's statistics and
none is asked study by study. What the archive has worked out itself (sizes, numbers of instances) is read where it is
filled in; what it fills in lazily is counted from the objects and their files.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by

from analytics.core.errors import PacsmeterError

STUDIES_A_PAGE = 10_000
ROWS_AT_ONCE = 20_000
SECONDS_A_QUESTION = 600
RELEASE = "5.35"

_TEXT, _WHOLE, _TIME = sa.String(), sa.BigInteger(), sa.DateTime()


def _table(name: str, *columns: str, **typed: sa.types.TypeEngine[Any]) -> sa.TableClause:
    return sa.table(name, sa.column("pk", _WHOLE), *(sa.column(column, _TEXT) for column in columns),
                    *(sa.column(column, type_) for column, type_ in typed.items()))


study = _table("study", "study_iuid", "study_date", "study_time", "accession_no", "study_desc", "storage_ids",
               "expiration_date", study_size=_WHOLE, rejection_state=_WHOLE, completeness=_WHOLE, created_time=_TIME,
               access_time=_TIME, patient_fk=_WHOLE, dicomattrs_fk=_WHOLE)
study_query_attrs = _table("study_query_attrs", num_instances=_WHOLE, study_fk=_WHOLE)
series = _table("series", "series_iuid", "series_desc", "modality", "station_name", "institution", "body_part",
                "laterality", "tsuid", series_no=_WHOLE, series_size=_WHOLE, rejection_state=_WHOLE,
                inst_purge_state=_WHOLE, created_time=_TIME, study_fk=_WHOLE, dicomattrs_fk=_WHOLE)
series_query_attrs = _table("series_query_attrs", num_instances=_WHOLE, series_fk=_WHOLE)
instance = _table("instance", series_fk=_WHOLE)
location = _table("location", object_size=_WHOLE, object_type=_WHOLE, status=_WHOLE, multi_ref=_WHOLE,
                  instance_fk=_WHOLE)
patient = _table("patient", "pat_birthdate", "pat_sex", merge_fk=_WHOLE, pat_name_fk=_WHOLE, dicomattrs_fk=_WHOLE)
patient_id = _table("patient_id", "pat_id", patient_fk=_WHOLE)
person_name = _table("person_name", "alphabetic_name", "ideographic_name", "phonetic_name")
dicomattrs = _table("dicomattrs", attrs=sa.LargeBinary())
mwl_item = _table("mwl_item", "accession_no", "modality", sps_status=_WHOLE, patient_fk=_WHOLE, dicomattrs_fk=_WHOLE)
mpps = _table("mpps", "accession_no", "pps_start_date", "pps_start_time", pps_status=_WHOLE, dicomattrs_fk=_WHOLE)

TABLES = (study, study_query_attrs, series, series_query_attrs, instance, location, patient, patient_id, person_name,
          dicomattrs, mwl_item, mpps)
_held = sa.table("columns", *(sa.column(name, _TEXT) for name in ("table_schema", "table_name", "column_name")),
                 schema="information_schema")

# Ordinals of the archive's enumerations.
PURGED = 1
_NONE_REJECTED = 0
_DICOM_FILE = 0
_NO_FILE = (1, 2, 3, 9, 10)
"""Statuses of a location without a file of its object: on its way out (1, 2, 9), missing (3), orphaned (10)."""


def prepare(connection: sa.Connection, location_shown: str) -> None:
    """Set bounds to what the transaction may cost the archive, and check that the database is of this release.

    Raises
    ------
    PacsmeterError
        It is not dcm4chee's, or a table or column is missing or may not be read.
    """
    connection.execute(sa.text(f"SET LOCAL statement_timeout = '{SECONDS_A_QUESTION}s'"))
    # Pages are read by their indexes, also where the archive's database has no statistics (no ANALYZE).
    for setting in ("jit", "enable_seqscan", "enable_bitmapscan"):
        connection.execute(sa.text(f"SET LOCAL {setting} = off"))
    held = {(name, column) for name, column in connection.execute(
        sa.select(_held.c.table_name, _held.c.column_name).where(
            _held.c.table_schema == sa.func.any(sa.func.current_schemas(sa.false())),
            _held.c.table_name.in_([table.name for table in TABLES])))}
    missing = [(table.name, column.name) for table in TABLES for column in table.columns
               if (table.name, column.name) not in held]
    if not {"study", "dicomattrs"} & {name for name, _ in held}:
        raise PacsmeterError("The database is not a database of dcm4chee: it has no studies that this user may read",
                             "Check the database's name, and that the user may SELECT from all tables.",
                             location_shown)
    if missing:
        table, column = missing[0]
        raise PacsmeterError(
            f"dcm4chee's database has no column {table}.{column} that this user may read"
            + (f", nor {len(missing) - 1} others" if len(missing) > 1 else ""),
            f"Only release {RELEASE} of dcm4chee-arc is read; if it is that, let the user SELECT from all tables.",
            location_shown)


def count(connection: sa.Connection, table: sa.TableClause) -> int:
    """Return how many rows a table holds."""
    return int(connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0)


def _sane(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """Return a time of the archive's clock; nothing where it is beyond what a calendar here can hold."""
    return sa.case((column.between(sa.literal_column("timestamp '1900-01-01'"),
                                   sa.literal_column("timestamp '2200-01-01'")), column)).label(column.name)


def patient_ids(of: sa.FromClause) -> sa.FromClause:
    """Return the ids of a patient, in the order in which the archive got them."""
    own = patient_id.alias("own_id")
    ordered = aggregate_order_by(own.c.pat_id, own.c.pk)
    return sa.select(sa.func.array_agg(ordered, type_=sa.ARRAY(_TEXT)).label("pat_ids")).where(
        own.c.patient_fk == of.c.pk).lateral("ids")


def _attributes(key: sa.ColumnElement[Any], *only: sa.ColumnElement[bool]) -> sa.ScalarSelect[Any]:
    return sa.select(dicomattrs.c.attrs).where(dicomattrs.c.pk == key, *only).scalar_subquery()


def with_patient(page: sa.Subquery) -> tuple[sa.FromClause, list[sa.ColumnElement[Any]]]:
    """Join the patients of some rows; the patient's dataset comes only where it must tell which of several ids."""
    ids = patient_ids(patient)
    joined = (page.outerjoin(patient, patient.c.pk == page.c.patient_fk)
              .outerjoin(person_name, person_name.c.pk == patient.c.pat_name_fk)
              .outerjoin(ids, sa.true()))
    several = _attributes(patient.c.dicomattrs_fk, sa.func.cardinality(ids.c.pat_ids) > 1)
    return joined, [patient.c.pat_birthdate, patient.c.pat_sex, person_name.c.alphabetic_name, ids.c.pat_ids,
                    several.label("patient_attrs")]


def study_page(after: int) -> sa.Select[Any]:
    """Return the select of the studies behind a primary key, with their patients."""
    page = sa.select(study).where(study.c.pk > after).order_by(study.c.pk).limit(STUDIES_A_PAGE).subquery("page")
    joined, patients = with_patient(page)
    filled = sa.select(sa.func.max(study_query_attrs.c.num_instances)).where(
        study_query_attrs.c.study_fk == page.c.pk).scalar_subquery()
    times = {"created_time", "access_time"}
    own = [_sane(column) if column.name in times else column for column in page.columns]
    return sa.select(*own, filled.label("num_instances"), _attributes(page.c.dicomattrs_fk).label("attrs"), *patients
                     ).select_from(joined).order_by(page.c.pk)


def series_page(after: int, last: int) -> sa.Select[Any]:
    """Return the select of the series of a page's studies, with their number of instances and bytes.

    The number of instances is the archive's own, where nothing is rejected: it keeps one number for each of its views,
    and each hides other rejected objects; the largest is that of all. Else the objects are counted. Where the records
    of the objects are purged, its own number is the only one.

    The bytes are those of every copy: the archive's own ``series_size`` counts each object once, so that it is read
    where the study lies on one storage, and the files are added up where it lies on several.
    """
    counted = sa.select(sa.func.max(series_query_attrs.c.num_instances).label("filled")).where(
        series_query_attrs.c.series_fk == series.c.pk).lateral("counted")
    objects = sa.select(sa.func.count()).select_from(instance).where(
        instance.c.series_fk == series.c.pk).scalar_subquery()
    # One object at a time, by the index: a join of objects and files goes wrong without the planner's statistics.
    of_object = sa.select(sa.func.sum(location.c.object_size)).where(
        location.c.instance_fk == instance.c.pk, location.c.object_type == _DICOM_FILE,
        location.c.status.not_in(_NO_FILE)).scalar_subquery()
    files = sa.select(sa.func.coalesce(sa.cast(sa.func.sum(of_object), sa.BigInteger), 0)).where(
        instance.c.series_fk == series.c.pk).scalar_subquery()
    purged, sized = series.c.inst_purge_state == PURGED, series.c.series_size >= 0
    on_one = sa.func.strpos(study.c.storage_ids, "\\") == 0
    number = sa.case((purged, counted.c.filled),
                     (sa.and_(series.c.rejection_state == _NONE_REJECTED, counted.c.filled > 0), counted.c.filled),
                     else_=objects)
    size = sa.case((purged, sa.case((sized, series.c.series_size))), (sa.and_(sized, on_one), series.c.series_size),
                   else_=files)
    own = [_sane(column) if column.name == "created_time" else column for column in series.columns]
    return sa.select(*own, number.label("number_of_instances"), size.label("size_bytes"),
                     _attributes(series.c.dicomattrs_fk).label("attrs"),
                     ).select_from(series.join(study, study.c.pk == series.c.study_fk).outerjoin(counted, sa.true())
                                   ).where(series.c.study_fk > after, series.c.study_fk <= last)


def stream(connection: sa.Connection, select: sa.Select[Any]) -> Iterator[list[dict[str, Any]]]:
    """Yield the rows of a select, some at a time; the server keeps the rest."""
    rows = connection.execute(select, execution_options={"yield_per": ROWS_AT_ONCE}).mappings()
    for part in rows.partitions():
        yield [dict(row) for row in part]


def shared_bytes(connection: sa.Connection) -> tuple[int, int]:
    """Return how many files several objects share, and how many bytes are counted again for that."""
    shared = sa.select((sa.func.count() - 1).label("again"), sa.func.max(location.c.object_size).label("size")).where(
        location.c.multi_ref.is_not(None), location.c.instance_fk.is_not(None),
        location.c.object_type == _DICOM_FILE).group_by(location.c.multi_ref).having(sa.func.count() > 1).subquery()
    row = connection.execute(sa.select(sa.func.count(), sa.func.sum(shared.c.again * shared.c.size))).one()
    return int(row[0]), int(row[1] or 0)


def study_identities(study_instance_uid: str) -> sa.Select[Any]:
    """Return the select of who the patient of a study is."""
    page = sa.select(study.c.pk, study.c.patient_fk).where(study.c.study_iuid == study_instance_uid).subquery("page")
    joined, patients = with_patient(page)
    return sa.select(*patients, person_name.c.ideographic_name, person_name.c.phonetic_name).select_from(joined)
