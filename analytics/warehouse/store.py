"""Snapshots: what is read, what a load builds, and the one step in which it is published.

A reader holds a `Warehouse`, pinned to one snapshot. A load fills a `Draft`, a copy of the last snapshot that
nobody reads, and publishes it whole. Killed at any moment, the last snapshot is as it was, and the next
draft goes on from the batches that were finished.
"""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.sql.ddl import DDLElement

from analytics.core.database_url import parse_url
from analytics.core.errors import PacsmeterError
from analytics.core.settings import Settings
from analytics.warehouse.answers import Memory, answers, written
from analytics.warehouse.engine import Session, stage_name, stage_table, table_schema
from analytics.warehouse.merge import Counts, merge_stage
from analytics.warehouse.reading import COLUMNS, Warehouse
from analytics.warehouse.schema import metadata

__all__ = ["COLUMNS", "Draft", "Snapshot", "Store", "Warehouse", "now_utc", "open_store", "open_warehouse"]


@dataclass(frozen=True)
class Snapshot:
    """One published state of the warehouse."""

    revision: int
    published_at: datetime
    note: str
    rolled_back: bool = False


class Draft(Warehouse):
    """The next snapshot while it is being built. Nobody else sees it until it is published."""

    def __init__(self, session: Session, revision: int) -> None:
        super().__init__(session, revision)
        self._memory = None
        self._staged: dict[str, int] = {}
        self._in_step = False
        session.execute(sa.delete(answers))  # those of the snapshot that it is a copy of

    def execute(self, statement: sa.Executable | DDLElement) -> None:
        """Run an insert, update or delete on the draft."""
        self._change()
        self._session.execute(statement)

    def append(self, table: sa.Table, batch: pa.RecordBatch) -> None:
        """Append rows that are known to be new, such as a load's own record."""
        self._change()
        self._session.append(table.name, _fitted(batch, table_schema(table)))

    def _change(self) -> None:
        if self._memory is not None:
            raise RuntimeError("the draft keeps answers already, and they would no longer be true")

    @contextlib.contextmanager
    def answering(self) -> Iterator[None]:
        """Keep the answer to each select that is read in the block: the last step, for nothing may change after it."""
        self._memory = Memory()
        yield
        names = [column.name for column in answers.columns]
        for question, answer in self._memory:
            self._session.append(answers.name, pa.RecordBatch.from_pydict(
                dict(zip(names, ([question], [written(answer)]), strict=True))))

    def stage(self, table: sa.Table, batch: pa.RecordBatch) -> None:
        """Put a source's rows beside a table, to be merged into it when the source is done."""
        self._change()
        name = stage_name(table)
        if name not in self._staged:
            self._session.execute(sa.schema.DropTable(stage_table(table), if_exists=True))
            self._session.execute(sa.schema.CreateTable(stage_table(table)))
            self._staged[name] = 0
        start = self._staged[name]
        self._staged[name] = start + batch.num_rows
        fitted = _fitted(batch, table_schema(table))
        order = pa.array(range(start, start + batch.num_rows), type=pa.int64())
        self._session.append(name, pa.RecordBatch.from_arrays(
            [*fitted.columns, order], names=[*fitted.schema.names, "stage_row"]))

    def stage_select(self, table: sa.Table, rows: sa.Select[Any]) -> None:
        """Put the rows of a select beside a table, as `stage` does: they never leave the database.

        Parameters
        ----------
        table : Table
        rows : Select
            With the names of some or all of the table's columns.
        """
        self.stage(table, pa.RecordBatch.from_pylist([], schema=table_schema(table)))
        name, stage = stage_name(table), stage_table(table)
        found = rows.subquery("found")
        place = sa.func.row_number().over() + sa.literal_column(str(self._staged[name]))
        names = [column.name for column in table.columns if column.name in found.c]
        self._session.execute(sa.insert(stage).from_select(
            [*names, "stage_row"], sa.select(*(found.c[one] for one in names), place), include_defaults=False))
        self._staged[name] = self.count(stage)

    def merge(self, table: sa.Table, source_id: str, *, complete: bool = False, partial: bool = False,
              load_id: str = "") -> Counts:
        """Merge the staged rows of one source into a table in one step.

        Parameters
        ----------
        table : Table
        source_id : str
        complete : bool
            The stage holds everything the source has: rows of this source that are not in it are removed.
        partial : bool
            A row gives only what is new: what it leaves empty stays as it was.
        load_id : str
            Of the load, where studies that go are to be kept in ``removals``.

        Returns
        -------
        Counts
            Rows added, changed, unchanged, removed, and those given more than once under one key.
        """
        self._change()
        if stage_name(table) not in self._staged:
            if not complete:
                return Counts()
            self.stage(table, pa.RecordBatch.from_pylist([], schema=table_schema(table)))
        with self.transaction():
            counts = merge_stage(
                self._session, table, source_id, complete=complete, partial=partial, load_id=load_id)
        del self._staged[stage_name(table)]
        return counts

    def analyze(self) -> None:
        """Let the planner know what has been loaded: joins over a fresh draft are planned blindly without it."""
        self._session.analyze(metadata.sorted_tables)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Run several statements as one step; a step inside a step is part of it."""
        if self._in_step:
            yield
            return
        self._in_step = True
        try:
            with self._session.transaction():
                yield
        finally:
            self._in_step = False


def _fitted(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Give a batch all of a table's columns, in order and typed; a column it does not know is a fault."""
    unknown = set(batch.schema.names) - set(schema.names)
    if unknown:
        raise ValueError(f"a source gave columns that the table does not have: {sorted(unknown)}")
    arrays = [
        batch.column(field.name).cast(field.type) if field.name in batch.schema.names
        else pa.nulls(batch.num_rows, field.type)
        for field in schema
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


class Store(ABC):
    """Where snapshots live. `open_store` returns the one that a URL names."""

    def __init__(self, settings: Settings) -> None:
        self.keep = settings.keep_snapshots

    @abstractmethod
    def snapshots(self) -> list[Snapshot]:
        """Return the snapshots that are kept, newest first."""

    @abstractmethod
    def current_revision(self) -> int:
        """Return the number of the snapshot that readers see, 0 where nothing is loaded yet."""

    @abstractmethod
    def _open(self, revision: int) -> Warehouse: ...

    @abstractmethod
    def draft(self, note: str = "") -> contextlib.AbstractContextManager[Draft]:
        """Build the next snapshot: published when the block ends well, kept to go on from when it does not."""

    @abstractmethod
    def _point_to(self, revision: int) -> None: ...

    def current(self) -> Warehouse:
        """Open the snapshot that is published now."""
        revision = self.current_revision()
        if revision == 0:
            raise PacsmeterError(
                "The warehouse is empty", "Load a source first, or the demo hospital: `pacsmeter load demo`.",
            )
        return self.opened(revision)

    def opened(self, revision: int) -> Warehouse:
        """Open one snapshot of those that are kept, whichever is published now."""
        warehouse = self._open(revision)
        if not warehouse.is_of_this_version():
            warehouse.close()
            raise PacsmeterError(f"Snapshot {revision} was made by an earlier version of pacsmeter",
                                 "Load your sources again, as you did before.", f"snapshot {revision}")
        return warehouse

    def rollback(self) -> int:
        """Go back one snapshot; return the number that readers see now."""
        now = self.current_revision()
        older = [item.revision for item in self.snapshots() if item.revision < now and not item.rolled_back]
        if not older:
            raise PacsmeterError(
                "There is no earlier snapshot to go back to",
                f"The last {self.keep} are kept (PACSMETER_KEEP_SNAPSHOTS).", f"snapshot {now}",
            )
        self._point_to(max(older))
        return max(older)


def now_utc() -> datetime:
    """Return the present instant, in UTC, to the microsecond that the warehouse keeps."""
    return datetime.now(UTC)


def open_store(settings: Settings) -> Store:
    """Open the warehouse that the settings name: a DuckDB folder or a PostgreSQL database."""
    from analytics.warehouse.duck import DuckStore
    from analytics.warehouse.postgres import PostgresStore

    backend = parse_url(settings.warehouse, "PACSMETER_WAREHOUSE_URL").get_backend_name()
    if backend == "duckdb":
        return DuckStore(settings)
    if backend == "postgresql":
        return PostgresStore(settings)
    raise PacsmeterError(
        f"A warehouse cannot be kept in {backend!r}",
        "Use duckdb:///folder or postgresql+psycopg://user@host/database.", "PACSMETER_WAREHOUSE_URL",
    )


@contextlib.contextmanager
def open_warehouse(settings: Settings) -> Iterator[Warehouse]:
    """Open the snapshot that is published now, for the length of a block."""
    warehouse = open_store(settings).current()
    try:
        yield warehouse
    finally:
        warehouse.close()
