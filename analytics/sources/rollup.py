"""Studies and series of a folder, made from the objects in it, and what happens to files that change or go."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from analytics.core.terms import NOT_ACQUIRED
from analytics.warehouse.engine import stage_table, table_schema
from analytics.warehouse.merge import Counts
from analytics.warehouse.schema import files, image_measures, instances, series, studies
from analytics.warehouse.store import Draft

_PATHS_AT_ONCE = 1_000
_COMMON = ("modality", "station_name", "transfer_syntax_uid")


def drop_files(draft: Draft, source_id: str, paths: Iterable[str]) -> Counts:
    """Remove files that are no longer there, their objects and what was measured on them; count the objects."""
    removed = 0
    ordered = sorted(paths)
    for start in range(0, len(ordered), _PATHS_AT_ONCE):
        some = ordered[start:start + _PATHS_AT_ONCE]
        gone = sa.and_(instances.c.source_id == source_id, instances.c.path.in_(some))
        removed += draft.count(sa.select(instances.c.path).where(gone))
        draft.execute(sa.delete(instances).where(gone))
        for table in (files, image_measures):
            draft.execute(sa.delete(table).where(table.c.source_id == source_id, table.c.path.in_(some)))
    return Counts(removed=removed)


def drop_replaced(draft: Draft, source_id: str) -> Counts:
    """Remove the objects of staged files that now hold another object, or none; count them."""
    for table in (files, instances):
        draft.stage(table, pa.RecordBatch.from_pylist([], schema=table_schema(table)))
    read, fresh = stage_table(files), stage_table(instances)
    same = sa.and_(fresh.c.path == instances.c.path, fresh.c.sop_instance_uid == instances.c.sop_instance_uid)
    replaced = sa.and_(
        instances.c.source_id == source_id,
        sa.exists(sa.select(sa.literal(1)).select_from(read).where(read.c.path == instances.c.path)),
        ~sa.exists(sa.select(sa.literal(1)).select_from(fresh).where(same)))
    removed = draft.count(sa.select(instances.c.path).where(replaced))
    if removed:
        draft.execute(sa.delete(instances).where(replaced))
    return Counts(removed=removed)


def _own(source_id: str) -> sa.Subquery:
    wanted = sa.and_(instances.c.source_id == source_id, instances.c.study_instance_uid.is_not(None))
    return sa.select(instances).where(wanted).subquery("own")


def _most_common(rows: sa.Subquery, name: str, keys: list[str]) -> sa.Subquery:
    """Return the value that most objects of a group have; images decide before objects made about them."""
    column = rows.c[name]
    made_about = sa.case((column.in_(sorted(NOT_ACQUIRED)), 1), else_=0)
    rank = sa.func.row_number().over(
        partition_by=[rows.c[key] for key in keys], order_by=(made_about, sa.func.count().desc(), column)).label("rank")
    counted = sa.select(*(rows.c[key] for key in keys), column, rank).where(column.is_not(None)).group_by(
        *(rows.c[key] for key in keys), column).subquery()
    return sa.select(*(counted.c[key] for key in keys), counted.c[name]).where(counted.c.rank == 1).subquery(name)


def _grouped(table: sa.Table, rows: sa.Subquery, keys: list[str], values: dict[str, Any]) -> sa.Select[Any]:
    """Group objects by study or series: common values by majority, the others by the least."""
    totals = sa.select(*(rows.c[key] for key in keys), *(value.label(name) for name, value in values.items())
                       ).group_by(*(rows.c[key] for key in keys)).subquery("totals")
    source: sa.FromClause = totals
    columns: dict[str, Any] = {name: totals.c[name] for name in (*keys, *values)}
    for name in _COMMON:
        common = _most_common(rows, name, keys)
        source = source.outerjoin(common, sa.and_(*(totals.c[key] == common.c[key] for key in keys)))
        columns[name] = common.c[name]
    return sa.select(*(columns[column.name].label(column.name) for column in table.columns if column.name in columns)
                     ).select_from(source)


def _least(rows: sa.Subquery, names: Iterable[str]) -> dict[str, Any]:
    return {name: sa.func.min(rows.c[name]) for name in names}


def _series(source_id: str) -> sa.Select[Any]:
    own = _own(source_id)
    rows = sa.select(own).where(own.c.series_instance_uid.is_not(None)).subquery("held")
    values = _least(rows, ("manufacturer", "manufacturer_model_name", "series_number", "series_description",
                           "protocol_name", "body_part_examined", "laterality", "frame_of_reference_uid",
                           "series_at", "stored_at"))
    values |= {"number_of_instances": sa.func.count(sa.distinct(rows.c.sop_instance_uid)),
               "size_bytes": sa.type_coerce(sa.func.sum(rows.c.size_bytes), sa.BigInteger)}
    return _grouped(series, rows, ["series_instance_uid", "study_instance_uid"], values)


def _studies(source_id: str) -> sa.Select[Any]:
    rows = _own(source_id)
    values = _least(rows, ("name_key", "birth_date_key", "patient_birth_year", "patient_sex", "accession_number",
                           "institution_name", "manufacturer", "manufacturer_model_name", "study_description",
                           "body_part_examined", "study_date", "study_at", "patient_age_years", "stored_at"))
    values |= {"number_of_series": sa.func.count(sa.distinct(rows.c.series_instance_uid)),
               "number_of_instances": sa.func.count(sa.distinct(rows.c.sop_instance_uid)),
               "size_bytes": sa.type_coerce(sa.func.sum(rows.c.size_bytes), sa.BigInteger)}
    return _grouped(studies, rows, ["study_instance_uid", "patient_key"], values)


def _modalities(rows: sa.Subquery) -> sa.Subquery:
    """Return ModalitiesInStudy of each study, in the order of the alphabet."""
    pairs = sa.select(rows.c.study_instance_uid, rows.c.patient_key, rows.c.modality).where(
        rows.c.modality.is_not(None)).distinct().subquery("pairs")
    joined = sa.func.aggregate_strings(pairs.c.modality, "\\").aggregate_order_by(pairs.c.modality)
    return sa.select(pairs.c.study_instance_uid, pairs.c.patient_key, joined.label("modalities_in_study")).group_by(
        pairs.c.study_instance_uid, pairs.c.patient_key).subquery("modalities")


def _whole_studies(source_id: str, site: str | None) -> sa.Select[Any]:
    found, held = _studies(source_id).subquery("studies_found"), _modalities(_own(source_id))
    same = sa.and_(found.c.study_instance_uid == held.c.study_instance_uid, found.c.patient_key == held.c.patient_key)
    return sa.select(found, held.c.modalities_in_study, sa.literal(site, sa.String).label("site"),
                     sa.literal(source_id).label("source_id")).select_from(found.outerjoin(held, same))


def roll_up(draft: Draft, source_id: str, site: str | None = None, load_id: str = "") -> dict[sa.Table, Counts]:
    """Make the studies and series of a source from all its objects, whichever load read them.

    Parameters
    ----------
    draft : Draft
        Its ``instances`` hold everything the source has. The rows never leave the database.
    source_id : str
    site : str, optional
        Which site the studies belong to.
    load_id : str
        Of the load that finds what is gone.
    """
    found = _series(source_id).subquery("series_found")
    draft.stage_select(studies, _whole_studies(source_id, site))
    draft.stage_select(series, sa.select(found, sa.literal(source_id).label("source_id")))
    return {table: draft.merge(table, source_id, complete=True, load_id=load_id) for table in (studies, series)}
