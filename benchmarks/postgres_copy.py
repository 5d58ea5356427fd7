"""A snapshot of DuckDB copied into a PostgreSQL warehouse, table by table, so that both can be asked the same."""

from __future__ import annotations

from pathlib import Path

import duckdb
from pydantic import SecretStr

from analytics.core.settings import Settings
from analytics.warehouse.answers import answers
from analytics.warehouse.schema import metadata
from analytics.warehouse.store import Warehouse, open_store

ROWS = 100_000


def copy_to_postgres(file: Path, url: str, wanted: frozenset[str]) -> Warehouse:
    """Publish a DuckDB snapshot's rows as a snapshot of PostgreSQL, with the indexes that every one has there.

    Parameters
    ----------
    file : Path
        The DuckDB snapshot.
    url : str
        SQLAlchemy URL of a database whose warehouse may be replaced.
    wanted : frozenset of str
        Tables that are copied; the others stay empty.
    """
    store = open_store(Settings(warehouse_url=SecretStr(url), keep_snapshots=2))
    held = duckdb.connect(str(file), read_only=True)
    held.execute("SET TimeZone='UTC'")
    with store.draft("copied") as draft:
        for table in metadata.sorted_tables:
            if table.name == answers.name:
                continue
            draft.execute(table.delete())
            if table.name not in wanted:
                continue
            names = ", ".join(f'"{column.name}"' for column in table.columns)
            for batch in held.execute(f"SELECT {names} FROM {table.name}").fetch_record_batch(ROWS):
                draft.append(table, batch)
    held.close()
    return store.current()
