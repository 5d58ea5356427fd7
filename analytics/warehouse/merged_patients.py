"""Merged patients: which pseudonym a patient's history belongs to after the mergers that sources told of (ADT A40).

The facts stay as their source has them; what is derived from them, and the checks, follow the merger. Written as
one recursive select, so that a check can join it on any engine; mergers are few beside studies.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from analytics.core.pseudonym import PLACEHOLDER_PREFIX
from analytics.warehouse.expressions import literal
from analytics.warehouse.schema import patient_merges

Column = sa.ColumnElement[Any]


def is_a_patient(patient_key: Column) -> Column:
    """Whether a key stands for one patient: not empty, and no placeholder that many share."""
    return sa.and_(patient_key.is_not(None), patient_key != literal(""),
                   sa.not_(patient_key.like(literal(f"{PLACEHOLDER_PREFIX}%"))))


def _told() -> sa.CTE:
    """Return the latest merger of each key: sources may differ, and a merger may be told again."""
    merged, surviving = patient_merges.c.merged_key, patient_merges.c.surviving_key
    place = sa.func.row_number().over(partition_by=merged, order_by=(
        patient_merges.c.merged_at.desc().nulls_last(), patient_merges.c.source_id, surviving))
    ranked = sa.select(merged, surviving, patient_merges.c.merged_at, place.label("place")).where(
        is_a_patient(merged), is_a_patient(surviving), merged != surviving).subquery("ranked_mergers")
    return sa.select(ranked.c.merged_key, ranked.c.surviving_key, ranked.c.merged_at).where(
        ranked.c.place == literal(1)).cte("told_mergers")


def _reached(told: sa.CTE) -> sa.CTE:
    """Return every key that following the mergers from a key leads to; a key found twice ends the way."""
    start = sa.select(told.c.merged_key, told.c.surviving_key.label("reached")).cte("reached_keys", recursive=True)
    return start.union(sa.select(start.c.merged_key, told.c.surviving_key).join_from(
        start, told, start.c.reached == told.c.merged_key))


def survivors() -> sa.Subquery:
    """Return ``merged_key`` and the ``surviving_key`` that it ends at, one row a key that was merged away.

    A merger of a merger is followed to its end. Where mergers go in a circle, the latest of the circle is true: the
    key it names survives. An empty key and a placeholder, which many patients share, are never merged.
    """
    told = _told()
    reached = _reached(told)
    circular = sa.select(reached.c.merged_key.label("circular_key")).where(
        reached.c.merged_key == reached.c.reached).subquery("circular_keys")
    ends = sa.func.coalesce(told.c.surviving_key, reached.c.reached)
    place = sa.func.row_number().over(partition_by=reached.c.merged_key, order_by=(
        told.c.merged_at.desc().nulls_last(), told.c.merged_key))
    last = sa.select(reached.c.merged_key, ends.label("surviving_key"), place.label("place")).select_from(
        reached.outerjoin(told, reached.c.reached == told.c.merged_key)
        .outerjoin(circular, reached.c.reached == circular.c.circular_key),
    ).where(sa.or_(told.c.merged_key.is_(None), circular.c.circular_key.is_not(None))).subquery("last_keys")
    return sa.select(last.c.merged_key, last.c.surviving_key).where(
        last.c.place == literal(1), last.c.merged_key != last.c.surviving_key).subquery("survivors")


def count_circular() -> sa.Select[Any]:
    """Count the keys whose mergers go in a circle, for the record of a load."""
    reached = _reached(_told())
    return sa.select(sa.func.count()).select_from(reached).where(reached.c.merged_key == reached.c.reached)


def patient_after_mergers(patient_key: Column, merged: sa.Subquery) -> Column:
    """Return the key a patient goes by now; ``merged`` is `survivors`, joined from the outside by ``merged_key``."""
    return sa.func.coalesce(merged.c.surviving_key, patient_key)


def goes_by_now(patient_key: Column, key_now: Column) -> Column:
    """Whether a key as a source has it and a key of ``exams`` are one patient's, after the mergers that were told."""
    merged = survivors()
    was_merged = sa.tuple_(patient_key, key_now).in_(sa.select(merged.c.merged_key, merged.c.surviving_key))
    return sa.or_(patient_key == key_now, was_merged)


def with_patient_now(table: sa.Table) -> sa.Subquery:
    """Return a table of patients with a column more: ``patient_now``, the key that its patient goes by now."""
    merged = survivors()
    now = patient_after_mergers(table.c.patient_key, merged).label("patient_now")
    return sa.select(*table.columns, now).select_from(
        table.outerjoin(merged, table.c.patient_key == merged.c.merged_key)).subquery(f"{table.name}_now")
