"""How a check says what it saw, and the conditions that most checks share. Portable SQL alone."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from analytics.warehouse.expressions import literal
from analytics.warehouse.merged_patients import is_a_patient
from analytics.warehouse.schema import files

Column = sa.ColumnElement[Any]


def evidence(*parts: str | Column) -> sa.Label[str]:
    """Join words of ours and values into the sentence that says what was seen; a missing value is blank."""
    return sa.cast(sa.func.concat(*map(_part, parts)), sa.String).label("evidence")


def violated(condition: Column) -> sa.Label[bool]:
    """Label the condition that breaks the check; where it cannot be told, it is not broken."""
    return sa.case((condition, sa.true()), else_=sa.false()).label("violated")


def _part(part: str | Column) -> Column:
    return literal(part) if isinstance(part, str) else part


def number(value: Column, digits: int = 0) -> Column:
    """Write a number with a fixed count of decimals, the same on every engine."""
    return sa.cast(sa.cast(value, sa.Numeric(38, digits)), sa.String)


def given(column: Column) -> Column:
    """Return whether a text is there at all."""
    return sa.and_(column.is_not(None), column != literal(""))


def identified(patient_key: Column) -> Column:
    """Return whether a patient has an ID of their own: not missing, and no placeholder that many share."""
    return is_a_patient(patient_key)


def in_source_that_gives(column: sa.Column[Any], condition: Column) -> Column:
    """Keep rows of sources that know a column at all: an index without it says nothing about the archive."""
    source = column.table.c.source_id
    return source.in_(sa.select(source).where(condition).distinct())


def in_source_of_files(source_id: Column) -> Column:
    """Keep rows of sources whose files were read, where an absent attribute is absent from the object."""
    return source_id.in_(sa.select(files.c.source_id).where(files.c.status == literal("read")).distinct())


def instant(at: Column) -> Column:
    """Write an instant to the minute, in UTC as the warehouse keeps it."""
    return sa.func.concat(sa.func.substr(sa.cast(at, sa.String), literal(1), literal(16)), literal(" UTC"))
