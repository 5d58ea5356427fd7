"""Reading one snapshot: a select is answered from what the snapshot keeps, or by its tables."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa
import sqlalchemy as sa

from analytics.warehouse.answers import Memory, answers, question_of, read_back
from analytics.warehouse.engine import Session, named_columns
from analytics.warehouse.schema import metadata

COLUMNS = frozenset((table.name, column.name) for table in metadata.sorted_tables for column in table.columns)
"""Every table and column of this version."""


def _int64_if_missing(type_: pa.DataType) -> Any:
    return pd.Int64Dtype() if pa.types.is_integer(type_) else None


class Warehouse:
    """One whole snapshot, for reading.

    Attributes
    ----------
    revision : int
        Number of the snapshot; it changes with every publish, and keys every cache.
    """

    def __init__(self, session: Session, revision: int) -> None:
        self._session = session
        self._memory: Memory | None = Memory()
        self.revision = revision

    def arrow(self, select: sa.Select[Any] | sa.CompoundSelect[Any]) -> pa.Table:
        """Return the Arrow table of a select written for `warehouse.schema`: a kept or remembered one, or it is run."""
        memory = self._memory
        if memory is None:
            return self._session.arrow(select)
        question = question_of(self._session.text(select), named_columns(select))
        found = memory.get(question)
        if found is None:
            found = self._kept(question)
            if found is None:
                found = self._session.arrow(select)
            memory.put(question, found)
        return found

    def _kept(self, question: str) -> pa.Table | None:
        held = self._session.arrow(sa.select(answers.c.answer).where(answers.c.question == question))
        return read_back(held.column(0)[0].as_py()) if held.num_rows else None

    def read(self, select: sa.Select[Any] | sa.CompoundSelect[Any]) -> pd.DataFrame:
        """Run a select and return a data frame; whole numbers stay exact where some are missing."""
        table = self.arrow(select)
        missing = any(column.null_count for column in table.columns)
        return table.to_pandas(types_mapper=_int64_if_missing if missing else None, date_as_object=False)

    def scalar(self, select: sa.Select[Any]) -> Any:
        """Run a select of one row and one column and return the value."""
        return self.arrow(select).column(0)[0].as_py()

    def count(self, source: sa.FromClause | sa.Select[Any]) -> int:
        """Count the rows of a table or of a select."""
        rows = source.subquery() if isinstance(source, sa.Select) else source
        return int(self.scalar(sa.select(sa.func.count()).select_from(rows)))

    def is_of_this_version(self) -> bool:
        """Whether the snapshot has every table and column that this version reads."""
        return self._session.columns() >= COLUMNS

    def close(self) -> None:
        """Let the connection go."""
        self._session.close()
