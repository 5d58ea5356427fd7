"""What the tests of FHIR exports share: an exam as resources, a folder to load, what was told of it."""

from __future__ import annotations

import json
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from analytics.core.settings import Settings
from analytics.sources.base import Batch, Known
from analytics.sources.load import LoadRecord, load_source, open_source
from analytics.warehouse.schema import events, orders, quarantine
from analytics.warehouse.store import Store
from tests.sources.site_fhir import encounter, order, patient, report, study

Resource = dict[str, Any]
A0 = [("A0", "Order", "01 08:00"), ("A0", "ProcedureStart", "01 09:00"), ("A0", "Reported", "01 12:00")]


def load(store: Store, folder: Path, settings: Settings, query: str = "") -> LoadRecord:
    with store.draft() as draft:
        return load_source(draft, open_source(f"fhir://{folder}{query}", settings))


def told(store: Store) -> list[tuple[str, str, str]]:
    return times(store.current().arrow(sa.select(events)).to_pylist())


def ordered(store: Store) -> list[Resource]:
    return store.current().arrow(sa.select(orders).order_by(orders.c.accession_number)).to_pylist()


def held_back(store: Store) -> dict[str, str]:
    rows = store.current().arrow(sa.select(quarantine.c.locator, quarantine.c.reason_code)).to_pylist()
    return {row["locator"]: row["reason_code"] for row in rows}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "in"
    path.mkdir()
    return path


def bundle(*resources: Resource, kind: str = "collection") -> str:
    return json.dumps({"resourceType": "Bundle", "type": kind, "entry": [{"resource": one} for one in resources]})


EXAM = (report(0), study(0), order(0), encounter(0), patient(0))


def read(folder: Path, settings: Settings) -> dict[str, list[Resource]]:
    """Return the rows of a first load by table, one for each key, without a warehouse; nothing is rejected."""
    rows: dict[str, dict[Any, Resource]] = {"events": {}, "orders": {}, "files": {}}
    for batch in open_source(f"fhir://{folder}", settings).batches(Known(), lambda *_: None):
        assert isinstance(batch, Batch) and not batch.rejected
        for row in batch.rows.to_pylist():
            key = row.get("path") or (row["accession_number"], row.get("event"), row.get("event_at"))
            rows[batch.table.name][key] = row
    return {name: list(held.values()) for name, held in rows.items()}


def times(rows: list[Resource]) -> list[tuple[str, str, str]]:
    return sorted((row["accession_number"], row["event"], row["event_at"].astimezone(UTC).strftime("%d %H:%M"))
                  for row in rows)
