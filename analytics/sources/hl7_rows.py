"""Rows that messages tell, gathered into batches of bounded size: the facts first, then the files they are from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from analytics.sources.base import Batch, Coverage, Rejected
from analytics.sources.hl7_read import Told
from analytics.warehouse.engine import table_schema
from analytics.warehouse.schema import events, files, orders, patient_merges

ROWS_A_BATCH = 20_000


def rows_of(table: sa.Table, rows: list[dict[str, Any]]) -> pa.RecordBatch:
    """Return rows of a table as a source gives them."""
    schema = table_schema(table)
    return pa.RecordBatch.from_pylist(rows, schema=schema.remove(schema.get_field_index("source_id")))


class Rows:
    """What was read and not yet given; the same message twice, or the same order twice, is one row.

    Parameters
    ----------
    coverage : Coverage
        Of the source: days, notes and what is taken back go there at once.
    """

    def __init__(self, coverage: Coverage) -> None:
        self._coverage = coverage
        self._empty()

    def _empty(self) -> None:
        self._orders: dict[str, dict[str, Any]] = {}
        self._events: dict[tuple[Any, ...], dict[str, Any]] = {}
        self._merges: dict[str, dict[str, Any]] = {}
        self._files: list[dict[str, Any]] = []
        self._rejected: list[Rejected] = []
        self._messages = 0

    @property
    def are_many(self) -> bool:
        """Whether it is time to give them."""
        held = (self._orders, self._events, self._merges, self._files, self._rejected)
        return max(len(rows) for rows in held) >= ROWS_A_BATCH

    def take(self, told: Told) -> None:
        """Take in what one message tells; of an order the last value that is not empty counts."""
        self._messages += 1
        for row in told.orders:
            held = self._orders.setdefault(row["accession_number"], row)
            held.update({name: value for name, value in row.items() if value is not None})
        for row in told.events:
            self._events[row["accession_number"], row["event"], row["event_at"]] = row
            self._coverage.retracted.discard((row["accession_number"], row["event"]))
        for row in told.merges:
            self._merges[row["merged_key"]] = row
        self._coverage.retracted.update(told.retracted)
        self._coverage.notes.update(told.notes)
        self._coverage.cover(told.day, told.day)

    def reject(self, rejected: Iterable[Rejected]) -> None:
        """Take in records that could not be used."""
        self._rejected.extend(rejected)

    def file(self, path: str, size: int, modified: int, status: str) -> None:
        """Take in a file that was read to its end."""
        self._files.append({"path": path, "size_bytes": size, "modified_ns": modified, "status": status})

    def given(self) -> Iterator[Batch]:
        """Yield all of them, the files last, and hold none any more."""
        held = [(orders, list(self._orders.values())), (events, list(self._events.values())),
                (patient_merges, list(self._merges.values()))]
        batches = [Batch(table, rows_of(table, rows)) for table, rows in held if rows]
        if self._files or self._rejected or self._messages:
            batches.append(Batch(files, rows_of(files, self._files), tuple(self._rejected), self._messages))
        self._empty()
        yield from batches
