"""The question that many checks ask: does one thing have one value?"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from analytics.warehouse.expressions import literal

Column = sa.ColumnElement[Any]


def values_in_group(group: dict[str, Column], value: Column, study: Column, *conditions: Column) -> sa.Subquery:
    """Count the different values that each group has, and name the study that carries the rarest.

    Parameters
    ----------
    group : dict of str to ColumnElement
        The columns that make one thing, by label; ``source_id`` is one of them.
    value : ColumnElement
        What should be the same throughout the thing.
    study : ColumnElement
        UID of the study that a row belongs to.
    conditions : ColumnElement
        Which rows count.

    Returns
    -------
    Subquery
        One row a group: its columns; ``values_seen``, how many different values; ``rows_seen``, how many rows;
        ``rarest`` and ``rows_with_rarest``; ``study_instance_uid``, a study that carries the rarest value.
    """
    counted = sa.select(
        *(column.label(name) for name, column in group.items()), value.label("value"),
        sa.func.count().label("rows_with_value"), sa.func.min(study).label("study_instance_uid"),
    ).where(*conditions).group_by(*group.values(), value).subquery("counted")
    keys = [counted.c[name] for name in group]
    ranked = sa.select(
        *counted.columns,
        sa.func.count().over(partition_by=keys).label("values_seen"),
        sa.func.sum(counted.c.rows_with_value).over(partition_by=keys).label("rows_seen"),
        sa.func.row_number().over(
            partition_by=keys, order_by=(counted.c.rows_with_value, counted.c.study_instance_uid)).label("place"),
    ).subquery("ranked")
    return sa.select(
        *(ranked.c[name] for name in group), ranked.c.values_seen, ranked.c.rows_seen,
        ranked.c.value.label("rarest"), ranked.c.rows_with_value.label("rows_with_rarest"),
        ranked.c.study_instance_uid,
    ).where(ranked.c.place == literal(1)).subquery("things")
