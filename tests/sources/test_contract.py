"""What every source promises: incremental, idempotent, exact, whole when cut, and gone on from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from analytics.core.errors import PacsmeterError
from analytics.core.settings import Settings
from analytics.sources.base import Batch, Source
from analytics.sources.load import LoadRecord, load_source
from analytics.warehouse.merge import Counts
from analytics.warehouse.schema import FACTS, files, loads, quarantine, sources
from analytics.warehouse.store import Store
from tests.sources.sites import SITES, Folder, Site


@pytest.fixture(params=SITES, ids=lambda kind: kind.__name__)
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Site:
    """Give a site of each kind."""
    return request.param(tmp_path / "site")


def load(store: Store, source: Source) -> LoadRecord:
    with store.draft() as draft:
        return load_source(draft, source)



def rows_of(store: Store) -> dict[str, list[dict[str, Any]]]:
    """Return every row of every fact, but for when and by which load it was seen."""
    warehouse = store.current()
    held = {}
    for table in FACTS:
        columns = [column for column in table.columns if column.name not in ("load_id", "seen_at", "last_loaded_at")]
        held[table.name] = sorted(warehouse.arrow(sa.select(*columns)).to_pylist(), key=repr)
    return {name: rows for name, rows in held.items() if name != loads.name}


def test_a_source_is_loaded_then_changed_then_shortened(store: Store, site: Site, settings: Settings) -> None:
    first = load(store, site.open(settings))
    assert first.by_table == {table.name: Counts(added=count) for table, count in site.expected.first.items()}
    assert (first.left_out, first.changed, first.removed) == (0, 0, 0)
    held = rows_of(store)

    again = load(store, site.open(settings))
    assert again.by_table == {table.name: Counts(unchanged=count) for table, count in site.expected.first.items()}
    assert rows_of(store) == held

    site.change_one()
    assert load(store, site.open(settings)).by_table == {
        table.name: counts for table, counts in site.expected.after_change.items()}


def test_what_a_source_no_longer_holds_is_removed(store: Store, site: Site, settings: Settings) -> None:
    load(store, site.open(settings))
    site.delete_one()
    assert load(store, site.open(settings)).by_table == {
        table.name: counts for table, counts in site.expected.after_delete.items()}
    held = rows_of(store)
    for table, counts in site.expected.after_delete.items():
        assert len(held[table.name]) == counts.unchanged


class Cut:
    """A source whose reading is cut off after some batches."""

    def __init__(self, source: Source, after: int) -> None:
        self.source, self.after = source, after

    def __getattr__(self, name: str) -> Any:
        return getattr(self.source, name)

    def batches(self, *arguments: Any) -> Iterator[Batch]:
        for number, batch in enumerate(self.source.batches(*arguments)):
            if number == self.after:
                raise KeyboardInterrupt
            yield batch
        raise KeyboardInterrupt


@pytest.mark.parametrize("after", [0, 1, 99])
def test_a_load_that_is_cut_publishes_nothing_and_is_gone_on_from(
        store: Store, site: Site, settings: Settings, after: int) -> None:
    load(store, site.open(settings))
    held = rows_of(store)
    site.change_one()
    with pytest.raises(KeyboardInterrupt), store.draft() as draft:
        load_source(draft, Cut(site.open(settings), after))  # type: ignore[arg-type]
    assert rows_of(store) == held, "the published snapshot is as it was"
    load(store, site.open(settings))
    changed = rows_of(store)
    assert changed != held
    assert all(not counts.added and not counts.changed and not counts.removed
               for counts in load(store, site.open(settings)).by_table.values())
    assert rows_of(store) == changed


def test_a_load_is_recorded(duck_store: Store, site: Site, settings: Settings) -> None:
    record = load(duck_store, site.open(settings))
    warehouse = duck_store.current()
    (row,) = warehouse.arrow(sa.select(loads)).to_pylist()
    assert (row["load_id"], row["records_read"], row["added"], row["left_out"], row["complete"]) == (
        record.load_id, record.read, record.added, 0, True)
    assert row["started_at"] <= row["finished_at"]
    assert row["covered_from"].isoformat() == "2026-07-01"
    assert row["covered_to"].isoformat() == "2026-07-03"
    (source,) = warehouse.arrow(sa.select(sources)).to_pylist()
    assert source["kind"] == site.open(settings).kind
    assert source["last_loaded_at"] == row["finished_at"]


def test_a_source_that_suddenly_holds_nothing_is_refused(duck_store: Store, tmp_path: Path, settings: Settings) -> None:
    site = Folder(tmp_path / "site")
    load(duck_store, site.open(settings))
    for path in site.folder.rglob("i*"):
        path.unlink()
    with pytest.raises(PacsmeterError, match="none of the 4 files"):
        load(duck_store, site.open(settings))
    assert duck_store.current().count(files) == 4
    assert duck_store.current().count(quarantine) == 0


def test_a_long_load_of_a_folder_goes_on_where_it_was_cut(
        duck_store: Store, tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    site = Folder(tmp_path / "site")
    monkeypatch.setattr("analytics.sources.load.FILES_PER_MERGE", 1)
    monkeypatch.setattr("analytics.sources.dicom_folder.FILES_PER_BATCH", 1)
    with pytest.raises(KeyboardInterrupt), duck_store.draft() as draft:
        load_source(draft, Cut(site.open(settings), 5))  # type: ignore[arg-type]
    record = load(duck_store, site.open(settings))
    assert record.read == 2, "two of four files had been read and merged"
    assert {name: counts.added + counts.unchanged for name, counts in record.by_table.items()} == {
        "instances": 4, "series": 3, "studies": 3}
