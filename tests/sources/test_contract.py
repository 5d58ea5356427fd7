"""What every source promises: incremental, idempotent, exact, whole when cut, and gone on from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from analytics.core.errors import PacsmeterError
from analytics.core.settings import Settings
from analytics.sources.base import KINDS, Batch, Source
from analytics.sources.load import LoadRecord, load_source
from analytics.warehouse.merge import Counts
from analytics.warehouse.schema import FACTS, files, loads, quarantine, sources
from analytics.warehouse.store import Store, open_store
from tests.sources.fake_orthanc import OrthancIndex
from tests.sources.site_cfind import CFindArchive
from tests.sources.site_dcm4chee import Dcm4cheeArchive
from tests.sources.site_dicomweb import DicomWebSite
from tests.sources.site_fhir import FhirExport
from tests.sources.site_hl7 import Hl7Site
from tests.sources.site_orthanc_rest import OrthancServerSite
from tests.sources.site_sole import SoleLog
from tests.sources.site_spreadsheet import SheetEvents
from tests.sources.sites import CompressedExport, Export, Folder, LongEvents, ParquetExport, Site, WideEvents

SITES: tuple[type[Site], ...] = (
    CFindArchive, Export, CompressedExport, ParquetExport, WideEvents, LongEvents, Folder, OrthancIndex, Hl7Site,
    Dcm4cheeArchive, OrthancServerSite, FhirExport, SoleLog, SheetEvents, DicomWebSite)
"""Every kind of source: one line each, and the contract does the rest."""

ON_BOTH = (CFindArchive, Export, WideEvents, Folder, OrthancIndex, Hl7Site, Dcm4cheeArchive, OrthancServerSite,
           FhirExport, SoleLog, DicomWebSite)
"""How an export is written makes no difference to the engine: the others run on DuckDB alone."""


Case = tuple[str, type[Site]]
EVERY: tuple[Case, ...] = (*(("duckdb", kind) for kind in SITES), *(("postgresql", kind) for kind in ON_BOTH))
CUT: tuple[Case, ...] = (*(("duckdb", kind) for kind in ON_BOTH), *(("postgresql", kind) for kind in (
    Export, Folder, Hl7Site, DicomWebSite)))
"""A load that is cut: a kind that is read alike, or merged alike on PostgreSQL, shows nothing more."""


def on(cases: tuple[Case, ...]) -> pytest.MarkDecorator:
    """Run a test on some cases."""
    return pytest.mark.parametrize("case", cases, indirect=True, ids=lambda pair: f"{pair[0]}-{pair[1].__name__}")


@pytest.fixture
def case(request: pytest.FixtureRequest, settings: Settings, tmp_path: Path) -> Iterator[tuple[Store, Site]]:
    """Give a site of each kind and an empty store on each engine."""
    engine, kind = request.param
    if engine == "postgresql":
        url = type(settings.warehouse_url)(request.getfixturevalue("postgres_url"))
        settings = settings.model_copy(update={"warehouse_url": url})
    more = (request.getfixturevalue("archive_url"),) if kind.needs_postgres else ()
    site = kind(tmp_path / "site", *more)
    yield open_store(settings), site
    site.close()


def load(store: Store, source: Source) -> LoadRecord:
    with store.draft() as draft:
        return load_source(draft, source)


_WHEN = ("load_id", "seen_at", "last_loaded_at", "read_at")


def rows_of(store: Store) -> dict[str, list[dict[str, Any]]]:
    """Return every row of every fact, but for when and by which load it was seen."""
    warehouse = store.current()
    held = {}
    for table in FACTS:
        columns = [column for column in table.columns if column.name not in _WHEN]
        held[table.name] = sorted(warehouse.arrow(sa.select(*columns)).to_pylist(), key=repr)
    return {name: rows for name, rows in held.items() if name != loads.name}


def expected(counts: dict[sa.Table, Counts]) -> dict[str, Counts]:
    return {table.name: count for table, count in counts.items()}


@on(EVERY)
def test_loads_do_exactly_what_changed(case: tuple[Store, Site], settings: Settings) -> None:
    store, site = case
    first = load(store, site.open(settings))
    assert first.by_table == {table.name: Counts(added=count) for table, count in site.expected.first.items()}
    check_record(store, site.open(settings), first)
    held = rows_of(store)

    again = load(store, site.open(settings))
    assert again.by_table == {table.name: Counts(unchanged=count) for table, count in site.expected.first.items()}
    assert rows_of(store) == held, "loading the same again changes nothing"

    site.change_one()
    assert load(store, site.open(settings)).by_table == expected(site.expected.after_change)

    site.delete_one()
    assert load(store, site.open(settings)).by_table == expected(site.expected.after_delete)
    left = rows_of(store)
    for table, counts in site.expected.after_delete.items():
        assert len(left[table.name]) == counts.unchanged + counts.changed + counts.added, "what is gone is gone"


def check_record(store: Store, source: Source, record: LoadRecord) -> None:
    """The load is written down as it was."""
    warehouse = store.current()
    (row,) = warehouse.arrow(sa.select(loads)).to_pylist()
    assert (row["load_id"], row["records_read"], row["added"], row["left_out"], row["complete"]) == (
        record.load_id, record.read, record.added, 0, True)
    assert row["started_at"] <= row["finished_at"]
    assert (str(row["covered_from"]), str(row["covered_to"])) == ("2026-07-01", "2026-07-03")
    (held,) = warehouse.arrow(sa.select(sources)).to_pylist()
    assert (held["kind"], held["last_loaded_at"]) == (source.kind, row["finished_at"])


class Cut:
    """A source whose reading is cut off after some batches, or when there are no more."""

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


@on(CUT)
def test_a_load_that_is_cut_publishes_nothing_and_is_gone_on_from(
        case: tuple[Store, Site], settings: Settings) -> None:
    store, site = case
    load(store, site.open(settings))
    held = rows_of(store)
    site.change_one()
    for after in (1, 0, 2, 3):
        with pytest.raises(KeyboardInterrupt), store.draft() as draft:
            load_source(draft, Cut(site.open(settings), after))  # type: ignore[arg-type]
        assert rows_of(store) == held, "the published snapshot is as it was"
    assert load(store, site.open(settings)).by_table == expected(site.expected.after_change)
    assert rows_of(store) != held


def test_every_kind_of_source_is_under_the_contract(settings: Settings, tmp_path: Path, archive_url: str) -> None:
    found = set()
    for number, kind in enumerate(SITES):
        site = kind(tmp_path / str(number), *((archive_url,) if kind.needs_postgres else ()))
        found.add(site.open(settings).kind)
        site.close()
    assert found == set(KINDS)


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
