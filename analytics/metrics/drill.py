"""From a mark on a chart to the exams behind it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import pandas as pd
import sqlalchemy as sa

from analytics.core.errors import PacsmeterError
from analytics.core.results import MetricResult
from analytics.warehouse.store import Warehouse

Mark = Mapping[str, object]


def studies_behind(warehouse: Warehouse, result: MetricResult, mark: Mark, limit: int = 500) -> pd.DataFrame:
    """Return the exams behind a mark, the latest first.

    Parameters
    ----------
    warehouse : Warehouse
        The snapshot that the result was made from.
    result : MetricResult
    mark : mapping
        Value of each dimension that the mark stands for; any column of ``result.rows`` can be given. ``None``,
        NaN and NaT are the group without a value; a date may come as date, Timestamp or ISO text.
    limit : int
        Most rows returned; `count_behind` says how many there are.

    Raises
    ------
    PacsmeterError
        The result is not made of exams, or the mark names what its rows do not have.
    """
    select = _behind(result, mark)
    columns = select.selected_columns
    return warehouse.read(select.order_by(columns.exam_date.desc(), columns.exam_id).limit(limit))


def count_behind(warehouse: Warehouse, result: MetricResult, mark: Mark) -> int:
    """Count the exams behind a mark."""
    return warehouse.count(_behind(result, mark))


def _behind(result: MetricResult, mark: Mark) -> sa.Select[Any]:
    if result.rows is None:
        raise PacsmeterError(f"{result.spec.name} is not made of single exams", "Choose another figure to follow.",
                             result.spec.id)
    rows = result.rows.subquery("exam_rows")
    unknown = sorted(set(mark) - set(rows.c.keys()))
    if unknown:
        raise PacsmeterError(f"{result.spec.name} has no group {', '.join(unknown)}",
                             f"Its groups are: {', '.join(result.dimensions)}.", result.spec.id)
    return sa.select(rows).where(*(_same(rows.c[name], value) for name, value in mark.items()))


def _same(column: sa.ColumnElement[Any], value: object) -> sa.ColumnElement[bool]:
    if _missing(value):
        return column.is_(None)
    if isinstance(column.type, sa.Date):
        return column == _as_date(value)
    if isinstance(column.type, sa.Integer):
        return column == int(value)  # type: ignore[call-overload]
    if isinstance(column.type, sa.Boolean):
        return column == bool(value)
    return column == str(value)


def _missing(value: object) -> bool:
    return value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and math.isnan(value))


def _as_date(value: object) -> date:
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, date) else pd.Timestamp(value).date()
