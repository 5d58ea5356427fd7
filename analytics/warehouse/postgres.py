"""Snapshots as PostgreSQL schemas: ``pacsmeter.snapshots`` says which one readers see.

A reader never waits for a load: the load fills a schema of its own, and publishing is one update of one row.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import sqlalchemy as sa

from analytics.core.database_url import parse_url, shown_url
from analytics.core.errors import PacsmeterError
from analytics.core.settings import Settings
from analytics.warehouse.engine import PostgresSession, bare_table, columns_of
from analytics.warehouse.schema import Instant, metadata
from analytics.warehouse.store import COLUMNS, Draft, Snapshot, Store, Warehouse, now_utc

_CATALOG_SCHEMA = "pacsmeter"
_LOCK = 7_226_377  # any fixed number: the advisory lock that one load holds
_catalog = sa.Table(
    "snapshots", sa.MetaData(schema=_CATALOG_SCHEMA),
    sa.Column("revision", sa.BigInteger, primary_key=True),
    sa.Column("published_at", Instant, nullable=False),
    sa.Column("note", sa.String, nullable=False),
    sa.Column("rolled_back", sa.Boolean, nullable=False),
    sa.Column("is_current", sa.Boolean, nullable=False),
)
_INDEXES: dict[str, tuple[str, ...]] = {
    "exams": ("exam_date", "study_instance_uid", "accession_number", "stored_date"),
    "series": ("study_instance_uid",), "instances": ("study_instance_uid",), "events": ("accession_number",),
    "studies": ("study_instance_uid", "accession_number"), "findings": ("check_id", "study_instance_uid"),
    "image_measures": ("study_instance_uid",),
}


def _schema(revision: int) -> str:
    return f"pacsmeter_{revision:06d}"


def _unreachable(url: sa.URL, error: Exception) -> PacsmeterError:
    """Say that the warehouse cannot be reached, without the password that its URL may hold."""
    return PacsmeterError(
        f"The warehouse cannot be reached ({type(error).__name__})",
        "Check that the server runs and that PACSMETER_WAREHOUSE_URL is right.", shown_url(url),
    )


class PostgresStore(Store):
    """A PostgreSQL database, for a shared site."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._url = parse_url(settings.warehouse, "PACSMETER_WAREHOUSE_URL")
        self._engine = sa.create_engine(
            self._url, pool_pre_ping=True, connect_args={"connect_timeout": 10, "options": "-c TimeZone=UTC"}
        )
        try:
            with self._engine.begin() as connection:
                connection.execute(sa.schema.CreateSchema(_CATALOG_SCHEMA, if_not_exists=True))
                _catalog.create(connection, checkfirst=True)
        except sa.exc.OperationalError as error:
            raise _unreachable(self._url, error) from None

    def snapshots(self) -> list[Snapshot]:
        columns = (_catalog.c.revision, _catalog.c.published_at, _catalog.c.note, _catalog.c.rolled_back)
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(*columns).order_by(_catalog.c.revision.desc()))
            return [Snapshot(*row) for row in rows]

    def current_revision(self) -> int:
        with self._engine.connect() as connection:
            found = connection.scalar(sa.select(_catalog.c.revision).where(_catalog.c.is_current))
        return int(found or 0)

    def _open(self, revision: int) -> Warehouse:
        return Warehouse(PostgresSession(self._engine, _schema(revision), read_only=True), revision)

    def _point_to(self, revision: int) -> None:
        with self._engine.begin() as connection:
            connection.execute(sa.update(_catalog).where(_catalog.c.is_current).values(
                is_current=False, rolled_back=True))
            connection.execute(sa.update(_catalog).where(_catalog.c.revision == revision).values(is_current=True))

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """Hold the lock of the one load that may write; a load that dies lets it go with its connection."""
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as holder:
            if not holder.scalar(sa.select(sa.func.pg_try_advisory_lock(_LOCK))):
                raise PacsmeterError(
                    "Another load is writing this warehouse", "Wait until it ends, then try again.",
                    shown_url(self._url),
                )
            try:
                yield
            finally:
                holder.execute(sa.select(sa.func.pg_advisory_unlock(_LOCK)))

    @contextlib.contextmanager
    def draft(self, note: str = "") -> Iterator[Draft]:
        with self._writing():
            base = self.current_revision()
            revision = max([base, *(item.revision for item in self.snapshots())]) + 1
            name = self._draft_schema(base)
            session = PostgresSession(self._engine, name, read_only=False)
            try:
                yield Draft(session, revision)
            finally:
                session.close()
            self._publish(name, Snapshot(revision, now_utc(), note))
            self._prune()

    def _draft_schema(self, base: int) -> str:
        """Return the schema to write: a cut-off one of the same base to go on from, or a fresh copy."""
        name = f"pacsmeter_draft_{base:06d}"
        existing = set(sa.inspect(self._engine).get_schema_names())
        for old in existing:
            if old.startswith(("pacsmeter_draft_", "pacsmeter_copy_")) and old != name:
                self._drop(old)
        if name in existing:
            with self._engine.connect() as connection:
                if columns_of(connection, name) >= COLUMNS:
                    return name
            self._drop(name)  # an earlier version left it
        copy = f"pacsmeter_copy_{base:06d}"
        with self._engine.begin() as connection:
            connection.execute(sa.schema.CreateSchema(copy))
            known = columns_of(connection, _schema(base)) if base else set()
            for table in metadata.sorted_tables:
                fresh = bare_table(table).to_metadata(sa.MetaData(), schema=copy)
                fresh.create(connection)
                held = [column.name for column in table.columns if (table.name, column.name) in known]
                if held:  # an earlier version's snapshot lacks some tables and columns
                    there = sa.table(table.name, *(sa.column(column) for column in held), schema=_schema(base))
                    connection.execute(sa.insert(fresh).from_select(held, sa.select(there)))
            connection.execute(sa.DDL(f'ALTER SCHEMA "{copy}" RENAME TO "{name}"'))
        return name

    def _publish(self, name: str, snapshot: Snapshot) -> None:
        with self._engine.begin() as connection:
            for table, columns in _INDEXES.items():
                for column in columns:
                    held = sa.Table(table, sa.MetaData(schema=name), sa.Column(column))
                    connection.execute(sa.schema.CreateIndex(
                        sa.Index(f"{table}_{column}", held.c[column]), if_not_exists=True))
            for table in metadata.tables:
                connection.execute(sa.DDL(f'ANALYZE "{name}"."{table}"'))
            connection.execute(sa.DDL(f'ALTER SCHEMA "{name}" RENAME TO "{_schema(snapshot.revision)}"'))
            connection.execute(sa.update(_catalog).values(is_current=False))
            connection.execute(sa.insert(_catalog).values(
                revision=snapshot.revision, published_at=snapshot.published_at, note=snapshot.note,
                rolled_back=False, is_current=True))

    def _prune(self) -> None:
        for old in self.snapshots()[self.keep:]:
            with contextlib.suppress(sa.exc.OperationalError):  # somebody still reads it: the next load drops it
                self._drop(_schema(old.revision))
                with self._engine.begin() as connection:
                    connection.execute(sa.delete(_catalog).where(_catalog.c.revision == old.revision))

    def _drop(self, name: str) -> None:
        with self._engine.begin() as connection:
            connection.execute(sa.text("SET LOCAL lock_timeout = '5s'"))
            connection.execute(sa.schema.DropSchema(name, cascade=True, if_exists=True))
