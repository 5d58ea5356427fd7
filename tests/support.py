"""What tests share: a warehouse from rows written in the test, on either engine."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa

from analytics.warehouse.derive import derive_exams
from analytics.warehouse.engine import table_schema
from analytics.warehouse.schema import exams
from analytics.warehouse.store import Draft, Store, Warehouse

Rows = Sequence[Mapping[str, Any]]
ROOT = Path(__file__).parents[1]
SHARED_DICOM = ROOT.parent / "shared" / "dicom"


def required() -> bool:
    """Whether a missing server is a failure (CI) and not a skip."""
    return os.environ.get("PACSMETER_REQUIRE_SERVICES") == "1"


def need(program: str | None, what: str, install: str) -> str:
    """Return a program that a test needs, or skip with the line that installs it; in CI a miss is a failure."""
    if program:
        return program
    message = f"{what} is not installed; install it with: {install}"
    if required():
        pytest.fail(message)
    pytest.skip(message)


def which(name: str, *folders: str) -> str | None:
    """Find a program on the path or in Debian's folders for servers."""
    return shutil.which(name) or shutil.which(name, path=os.pathsep.join(("/usr/sbin", "/usr/bin", *folders)))


def put(draft: Draft, tables: Mapping[sa.Table, Rows], source_id: str = "test") -> None:
    """Stage and merge rows given as dictionaries; ``source_id`` is filled in where a row has none."""
    for table, rows in tables.items():
        filled = [{"source_id": source_id, **row} if "source_id" in table.c else dict(row) for row in rows]
        batch = pa.RecordBatch.from_pylist(filled, schema=table_schema(table))
        if table.primary_key.columns:
            draft.stage(table, batch)
            draft.merge(table, source_id)
        else:
            draft.append(table, batch)


def build(store: Store, tables: Mapping[sa.Table, Rows], site_zone: str = "UTC") -> Warehouse:
    """Publish a snapshot that holds the rows, and open it.

    Fact tables are merged and ``exams`` is derived from them; where ``exams`` itself is given, its rows are put
    as they are and nothing is derived.
    """
    with store.draft() as draft:
        put(draft, tables)
        if exams not in tables:
            derive_exams(draft, site_zone)
    return store.current()


def copy_home(home: Path, target: Path) -> Path:
    """Copy an installation, so that a test can publish in it; return where it is now."""
    shutil.copytree(home, target)
    return target
