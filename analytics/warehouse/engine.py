"""The two engines behind the warehouse, DuckDB and PostgreSQL: the only place that knows a dialect.

A select is written once in SQLAlchemy Core. On DuckDB its compiled text runs natively and comes back as
Arrow (SQLAlchemy's own fetch costs five times as much); on PostgreSQL rows stream through psycopg into Arrow.
"""

from __future__ import annotations

import contextlib
import itertools
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.csv as pa_csv
import sqlalchemy as sa
from sqlalchemy.sql.ddl import DDLElement

ROWS_PER_BATCH = 50_000
_STAGE_ROW = "stage_row"


def stage_name(table: sa.Table) -> str:
    """Name the table that holds a load's rows before they are merged."""
    return f"stage_{table.name}"


def arrow_type(type_: sa.types.TypeEngine[Any]) -> pa.DataType | None:
    """Return the Arrow type that a SQLAlchemy type comes back as on every engine; ``None`` means as found."""
    if isinstance(type_, sa.Boolean):
        return pa.bool_()
    if isinstance(type_, sa.Integer):
        return pa.int64()
    if isinstance(type_, sa.Numeric | sa.Float):
        return pa.float64()
    if isinstance(type_, sa.DateTime):
        return pa.timestamp("us", tz="UTC" if type_.timezone else None)
    if isinstance(type_, sa.Date):
        return pa.date32()
    return pa.string() if isinstance(type_, sa.String) else None


def table_schema(table: sa.Table) -> pa.Schema:
    """Return the Arrow schema of a warehouse table: what a source's record batches hold."""
    return pa.schema([(column.name, arrow_type(column.type)) for column in table.columns])


class Session(ABC):
    """One open connection to one snapshot."""

    @abstractmethod
    def arrow(self, select: sa.Select[Any] | sa.CompoundSelect[Any]) -> pa.Table:
        """Run a select and return its rows."""

    @abstractmethod
    def text(self, select: sa.Select[Any] | sa.CompoundSelect[Any]) -> str:
        """Return what a select says on this engine, with its parameters: equal where two ask the same."""

    @abstractmethod
    def execute(self, statement: sa.Executable | DDLElement) -> None:
        """Run a statement that returns no rows."""

    @abstractmethod
    def append(self, name: str, batch: pa.RecordBatch) -> None:
        """Append rows in bulk to a table, by column name."""

    @abstractmethod
    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Run what is inside as one step: all of it or nothing."""

    @abstractmethod
    def columns(self) -> set[tuple[str, str]]:
        """Return the tables that are there, and the columns of each."""

    def analyze(self, tables: Iterable[sa.Table]) -> None:  # noqa: B027 - most engines count as they write
        """Count anew what the planner goes by, where an engine does not do so while it writes."""

    @abstractmethod
    def close(self) -> None:
        """Let the connection go."""


def _plain(type_: sa.types.TypeEngine[Any], found: pa.DataType) -> pa.DataType:
    wanted = arrow_type(type_)
    if wanted is not None:
        return wanted
    if pa.types.is_decimal(found):
        return pa.int64() if found.scale == 0 else pa.float64()
    return pa.string() if pa.types.is_dictionary(found) else found


def named_columns(select: sa.Select[Any] | sa.CompoundSelect[Any]) -> list[tuple[str, sa.ColumnElement[Any]]]:
    """Pair each column of a select with its name; an unlabeled expression is called by its place."""
    return [(getattr(column, "name", None) or f"column_{place}", column)
            for place, column in enumerate(select.selected_columns)]


class DuckSession(Session):
    """A DuckDB connection. Each read takes a cursor of its own: a connection is not thread-safe."""

    dialect = sa.create_engine("duckdb:///:memory:").dialect

    def __init__(self, path: Path, *, read_only: bool, memory_limit: str) -> None:
        self._read_only = read_only
        self._connection = duckdb.connect(str(path), read_only=read_only)
        for setting in ("TimeZone='UTC'", "preserve_insertion_order=false", f"memory_limit='{memory_limit}'"):
            self._connection.execute(f"SET {setting}")

    def _compile(self, statement: Any) -> tuple[str, list[Any]]:
        if isinstance(statement, DDLElement):
            return str(statement.compile(dialect=self.dialect)), []
        compiled = statement.compile(dialect=self.dialect, compile_kwargs={"render_postcompile": True})
        return str(compiled), [compiled.params[name] for name in compiled.positiontup or ()]

    def arrow(self, select: sa.Select[Any] | sa.CompoundSelect[Any]) -> pa.Table:
        text, parameters = self._compile(select)
        with self._reading() as connection:
            table = connection.execute(text, parameters).to_arrow_table()
        fields = [
            pa.field(name, _plain(column.type, field.type))
            for (name, column), field in zip(named_columns(select), table.schema, strict=True)
        ]
        return table.rename_columns([field.name for field in fields]).cast(pa.schema(fields))

    def text(self, select: sa.Select[Any] | sa.CompoundSelect[Any]) -> str:
        return repr(self._compile(select))

    @contextlib.contextmanager
    def _reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A reader's cursor is its own; a draft reads inside its own transaction."""
        if not self._read_only:
            yield self._connection
            return
        with self._connection.cursor() as cursor:
            cursor.execute("SET TimeZone='UTC'")
            yield cursor

    def execute(self, statement: sa.Executable | DDLElement) -> None:
        text, parameters = self._compile(statement)
        self._connection.execute(text, parameters)

    def append(self, name: str, batch: pa.RecordBatch) -> None:
        self._connection.register("incoming_batch", batch)
        columns = ", ".join(f'"{column}"' for column in batch.schema.names)
        self._connection.execute(f'INSERT INTO "{name}" ({columns}) SELECT {columns} FROM incoming_batch')  # noqa: S608
        self._connection.unregister("incoming_batch")

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        self._connection.begin()
        try:
            yield
        except BaseException:
            self._connection.rollback()
            raise
        self._connection.commit()

    def fit(self, tables: Iterable[sa.Table]) -> None:
        """Make the tables that are not there, and the columns that an earlier version's tables do not have."""
        for table in tables:
            self.execute(sa.schema.CreateTable(bare_table(table), if_not_exists=True))
        found = self.columns()
        for table in tables:
            for column in table.columns:
                if (table.name, column.name) not in found:
                    type_ = column.type.compile(self.dialect)
                    self._connection.execute(f'ALTER TABLE "{table.name}" ADD COLUMN "{column.name}" {type_}')

    def columns(self) -> set[tuple[str, str]]:
        return set(self._connection.execute("SELECT table_name, column_name FROM duckdb_columns()").fetchall())

    def checkpoint(self) -> None:
        """Write everything into the one file, so that it can be copied and renamed."""
        self._connection.execute("FORCE CHECKPOINT")

    def close(self) -> None:
        self._connection.close()


class PostgresSession(Session):
    """PostgreSQL, one schema a snapshot. A draft holds one connection; a reader takes one a read."""

    _in_block = False

    def __init__(self, engine: sa.Engine, schema: str, *, read_only: bool) -> None:
        self._engine = engine.execution_options(schema_translate_map={None: schema})
        self._schema = schema
        self._held = None if read_only else self._engine.connect()

    @contextlib.contextmanager
    def _connection(self) -> Iterator[sa.Connection]:
        if self._held is None:
            with self._engine.connect() as connection:
                yield connection
            return
        try:
            yield self._held
        except BaseException:
            if not self._in_block:  # else every later statement would be refused
                self._held.rollback()
            raise
        if not self._in_block:
            self._held.commit()

    def arrow(self, select: sa.Select[Any] | sa.CompoundSelect[Any]) -> pa.Table:
        columns = named_columns(select)
        with self._connection() as connection:
            result = connection.execute(select, execution_options={"yield_per": ROWS_PER_BATCH})
            parts = [list(zip(*part, strict=True)) for part in result.partitions()]
        arrays = [
            _column(column, list(itertools.chain.from_iterable(part[index] for part in parts)))
            for index, (_, column) in enumerate(columns)
        ]
        return pa.table(arrays, names=[name for name, _ in columns])

    def text(self, select: sa.Select[Any] | sa.CompoundSelect[Any]) -> str:
        compiled = select.compile(dialect=self._engine.dialect, compile_kwargs={"render_postcompile": True})
        return f"{compiled} {sorted(compiled.params.items())}"

    def execute(self, statement: sa.Executable | DDLElement) -> None:
        with self._connection() as connection:
            connection.execute(statement)

    def append(self, name: str, batch: pa.RecordBatch) -> None:
        columns = ", ".join(f'"{column}"' for column in batch.schema.names)
        copy = f'COPY "{self._schema}"."{name}" ({columns}) FROM STDIN (FORMAT csv)'
        with self._connection() as connection:
            if not connection.in_transaction():
                connection.begin()  # SQLAlchemy does not see the driver's COPY, and commits only what it began
            driver = connection.connection.driver_connection
            assert driver is not None
            with driver.cursor() as cursor, cursor.copy(copy) as writer:
                writer.write(_as_csv(batch))

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        assert self._held is not None, "a reader changes nothing"
        self._in_block = True
        try:
            yield
        except BaseException:
            self._held.rollback()
            raise
        finally:
            self._in_block = False
        self._held.commit()

    def columns(self) -> set[tuple[str, str]]:
        with self._connection() as connection:
            return columns_of(connection, self._schema)

    def analyze(self, tables: Iterable[sa.Table]) -> None:
        for table in tables:
            self.execute(sa.DDL(f'ANALYZE "{self._schema}"."{table.name}"'))

    def close(self) -> None:
        if self._held is not None:
            self._held.close()


def columns_of(connection: sa.Connection, schema: str) -> set[tuple[str, str]]:
    """Return the tables of a schema of PostgreSQL, and the columns of each."""
    names = sa.table("columns", sa.column("table_schema"), sa.column("table_name"), sa.column("column_name"),
                     schema="information_schema")
    found = connection.execute(sa.select(names.c.table_name, names.c.column_name).where(names.c.table_schema == schema))
    return {(table, column) for table, column in found}


def _as_csv(batch: pa.RecordBatch) -> bytes:
    """Write a batch as PostgreSQL reads it: every value quoted, so that what is not is nothing; its text has no NUL."""
    written = pa.BufferOutputStream()
    pa_csv.write_csv(batch, written, pa_csv.WriteOptions(include_header=False, quoting_style="all_valid"))
    return written.getvalue().to_pybytes().replace(b"\x00", b"")


def _column(column: sa.ColumnElement[Any], values: list[Any]) -> pa.Array:
    wanted = arrow_type(column.type)
    if wanted is None and any(isinstance(value, Decimal) for value in values):
        wanted = pa.float64()
    if wanted in (pa.int64(), pa.float64()):
        kind = int if wanted == pa.int64() else float
        values = [None if value is None else kind(value) for value in values]
    return pa.array(values, type=wanted)


def stage_table(table: sa.Table) -> sa.Table:
    """Return the staging twin of a table: the same columns, and the order in which rows came."""
    columns = [sa.Column(column.name, column.type) for column in table.columns]
    return sa.Table(stage_name(table), sa.MetaData(), *columns, sa.Column(_STAGE_ROW, sa.BigInteger))


def bare_table(table: sa.Table) -> sa.Table:
    """Return a table without its constraints: uniqueness is kept by the merge, and bulk loads stay fast."""
    return sa.Table(table.name, sa.MetaData(), *(sa.Column(column.name, column.type) for column in table.columns))
