"""Expressions that mean the same on DuckDB and PostgreSQL, and the filters as conditions.

Literals are written into the text, never bound: PostgreSQL does not see two bound copies of an expression
as equal, and refuses to group by them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles

from analytics.core.filters import Filters
from analytics.warehouse.schema import exams

Period = Literal["day", "week", "month", "quarter", "year"]
PERIODS: tuple[Period, ...] = ("day", "week", "month", "quarter", "year")


def literal(value: str | int | float) -> sa.ColumnElement[Any]:
    """Write a constant of ours into the text (never a user's: those are bound)."""
    text = "'" + value.replace("'", "''") + "'" if isinstance(value, str) else repr(value)
    kind: sa.types.TypeEngine[Any] = sa.String() if isinstance(value, str) else (
        sa.Integer() if isinstance(value, int) else sa.Double())
    return sa.literal_column(text, kind)


def computed_once(select: sa.Select[Any]) -> sa.Select[Any]:
    """Return a select whose columns are computed once a row, however often what is selected from it uses them."""
    # PostgreSQL otherwise writes them out at each use: a turnaround's minutes a dozen times, at four times the cost.
    return select.suffix_with("OFFSET 0", dialect="postgresql")


def period_start(column: sa.ColumnElement[Any], period: Period) -> sa.ColumnElement[Any]:
    """Return the first day of the day, ISO week, month, quarter or year a date falls in."""
    if period not in PERIODS:
        raise ValueError(f"{period!r} is not one of {PERIODS}")
    return sa.cast(sa.func.date_trunc(literal(period), column), sa.Date)


def minutes_between(start: sa.ColumnElement[Any], end: sa.ColumnElement[Any]) -> sa.ColumnElement[float]:
    """Return the minutes from one instant to a later one; negative where the order is reversed."""
    # Not the epoch of a difference: DuckDB subtracts instants through a calendar, fifty times as slowly.
    return sa.type_coerce((epoch_seconds(end) - epoch_seconds(start)) / literal(60.0), sa.Double)


def epoch_seconds(instant: sa.ColumnElement[Any]) -> sa.ColumnElement[float]:
    """Return an instant as seconds since 1970-01-01 00:00 UTC."""
    # Not EXTRACT: PostgreSQL's gives a numeric, made at many times the cost.
    return sa.cast(sa.func.date_part(literal("epoch"), instant), sa.Double)


def rows_of_numbers(values: Sequence[int]) -> sa.ColumnElement[int]:
    """Return whole numbers of ours as a column of rows; several such columns of one select stand side by side."""
    # One text and not VALUES: thousands of constants take either engine longer to parse than to read.
    split = sa.func.string_to_array(literal(",".join(map(str, values))), literal(","))
    return sa.type_coerce(sa.func.unnest(sa.cast(split, sa.ARRAY(sa.BigInteger))), sa.BigInteger)


def quantile(column: sa.ColumnElement[Any], fraction: float) -> sa.ColumnElement[float]:
    """Return the linearly interpolated quantile (Hyndman & Fan type 7) of a column in a group."""
    inside = sa.func.percentile_cont(literal(float(fraction))).within_group(column)
    return sa.type_coerce(inside, sa.Double)


def mean(column: sa.ColumnElement[Any]) -> sa.ColumnElement[float]:
    """Return the arithmetic mean of a column in a group."""
    return sa.cast(sa.func.avg(column), sa.Double)


def total(column: sa.ColumnElement[Any]) -> sa.ColumnElement[int]:
    """Return the sum of a column in a group, 0 where the group has no value."""
    return sa.type_coerce(sa.func.coalesce(sa.func.sum(column), literal(0)), sa.BigInteger)


def count_where(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    """Count the rows of a group for which a condition holds."""
    return total(sa.case((condition, literal(1)), else_=literal(0)))


def local(column: sa.ColumnElement[Any], zone: str) -> sa.ColumnElement[Any]:
    """Return an instant as the site's wall clock shows it."""
    return sa.type_coerce(sa.func.timezone(literal(zone), column), sa.DateTime())


def conditions(filters: Filters, table: sa.FromClause = exams,
               date_column: sa.ColumnElement[Any] | None = None) -> list[sa.ColumnElement[bool]]:
    """Return the filters as conditions on ``exams`` or on a select that carries its columns.

    Parameters
    ----------
    filters : Filters
    table : FromClause
        What carries the columns ``site``, ``modality``, ``station_name``, ``patient_class``, ``priority``.
    date_column : ColumnElement, optional
        The date that the period is about; ``exam_date`` where not given.
    """
    day = date_column if date_column is not None else table.c.exam_date
    found: list[sa.ColumnElement[bool]] = []
    if filters.date_from:
        found.append(day >= filters.date_from)
    if filters.date_to:
        found.append(day <= filters.date_to)
    for name, values in (
        ("site", filters.sites), ("modality", filters.modalities), ("station_name", filters.station_names),
        ("patient_class", filters.patient_classes), ("priority", filters.priorities),
    ):
        if values:
            found.append(table.c[name].in_(values))
    return found


class last_known(sa.sql.functions.FunctionElement[Any]):
    """The value of a group's last row, in an order, of those that have one: ``last_known(column, order)``."""

    inherit_cache = True
    name = "last_known"


def _operands(element: last_known, compiler: Any, options: dict[str, Any]) -> tuple[str, str]:
    column, order = (compiler.process(clause, **options) for clause in element.clauses)
    return column, order


@compiles(last_known)
def _last_in_array(element: last_known, compiler: Any, **options: Any) -> str:
    column, order = _operands(element, compiler, options)
    return f"(array_agg({column} ORDER BY {order} DESC) FILTER (WHERE {column} IS NOT NULL))[1]"


@compiles(last_known, "duckdb")
def _last_by_order(element: last_known, compiler: Any, **options: Any) -> str:
    # DuckDB keeps the arrays of all groups in memory, whatever its limit is.
    column, order = _operands(element, compiler, options)
    return f"arg_max({column}, {order}) FILTER (WHERE {column} IS NOT NULL)"
