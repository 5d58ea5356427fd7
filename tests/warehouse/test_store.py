"""Snapshots on both engines: whole, incremental, never lost."""

from __future__ import annotations

import datetime as dt

import duckdb
import pyarrow as pa
import pytest
import sqlalchemy as sa

from analytics.core.errors import PacsmeterError
from analytics.warehouse.duck import DuckStore
from analytics.warehouse.engine import table_schema
from analytics.warehouse.merge import Counts
from analytics.warehouse.postgres import PostgresStore
from analytics.warehouse.schema import events, exams, orders, studies
from analytics.warehouse.store import Store
from tests.support import build


def rows(*sizes: int | None) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(
        [{"source_id": "a", "study_instance_uid": str(n), "patient_key": "p", "size_bytes": size}
         for n, size in enumerate(sizes)], schema=table_schema(studies))


def test_a_merge_says_what_was_added_changed_unchanged_removed(store: Store) -> None:
    with store.draft() as draft:
        draft.stage(studies, rows(10, 20, None))
        assert draft.merge(studies, "a", complete=True) == Counts(added=3)
    with store.draft() as draft:
        draft.stage(studies, rows(10, 21))
        draft.stage(studies, rows(10, 22))
        assert draft.merge(studies, "a", complete=True) == Counts(0, 1, 1, 1, 2)
    assert store.current().read(sa.select(studies.c.size_bytes).order_by(studies.c.size_bytes)).size_bytes.tolist() == [
        10, 22]


def test_loading_the_same_again_changes_nothing(store: Store) -> None:
    for expected in (Counts(added=2), Counts(unchanged=2)):
        with store.draft() as draft:
            draft.stage(studies, rows(10, None))
            assert draft.merge(studies, "a", complete=True) == expected


def test_a_reader_keeps_its_snapshot_while_the_next_is_built_and_published(store: Store) -> None:
    before = build(store, {studies: [{"study_instance_uid": "1", "patient_key": ""}]})
    with store.draft() as draft:
        draft.stage(studies, rows(1, 2, 3))
        draft.merge(studies, "a")
        assert store.current_revision() == before.revision
        assert before.count(studies) == 1
    assert before.count(studies) == 1
    assert store.current().count(studies) == 4


def test_a_load_that_dies_leaves_the_last_snapshot_and_is_gone_on_from(store: Store) -> None:
    build(store, {studies: [{"study_instance_uid": "1", "patient_key": ""}]})
    with pytest.raises(KeyboardInterrupt), store.draft() as draft:
        draft.stage(studies, rows(1, 2))
        draft.merge(studies, "a")
        raise KeyboardInterrupt
    assert store.current().count(studies) == 1
    with store.draft() as draft:
        assert draft.count(studies) == 3, "the batches that were finished are there"
    assert store.current().count(studies) == 3


def test_a_folder_that_a_killed_load_spilled_into_stops_no_later_load(duck_store: DuckStore) -> None:
    build(duck_store, {studies: [{"study_instance_uid": "1", "patient_key": ""}]})
    spilled = duck_store.folder / "draft-000000.duckdb.tmp"
    spilled.mkdir()
    (spilled / "part").write_bytes(b"0")
    assert build(duck_store, {studies: [{"study_instance_uid": "2", "patient_key": ""}]}).count(studies) == 2
    assert not spilled.exists()


def test_rollback_goes_back_one_and_says_so_when_it_cannot(store: Store) -> None:
    for number in ("1", "2"):
        build(store, {studies: [{"study_instance_uid": number, "patient_key": ""}]})
    assert store.rollback() == 1
    assert store.current().count(studies) == 1
    with pytest.raises(PacsmeterError, match="no earlier snapshot"):
        store.rollback()
    third = build(store, {studies: [{"study_instance_uid": "3", "patient_key": ""}]})
    assert (third.revision, third.count(studies)) == (3, 2)
    assert store.rollback() == 1, "the snapshot that was rolled back is not gone back to"


def test_only_the_last_snapshots_are_kept(store: Store) -> None:
    for _ in range(store.keep + 2):
        build(store, {})
    assert [item.revision for item in store.snapshots()] == list(range(store.keep + 2, 2, -1))


def test_two_loads_at_once_are_refused(store: Store) -> None:
    with store.draft(), pytest.raises(PacsmeterError, match="Another load"), store.draft():
        pass


def test_an_empty_warehouse_says_what_to_do(store: Store) -> None:
    with pytest.raises(PacsmeterError, match="pacsmeter load demo"):
        store.current()


def test_exams_join_studies_with_orders_and_keep_what_has_no_partner(store: Store) -> None:
    at = dt.datetime(2026, 7, 1, 22, 30, tzinfo=dt.UTC)
    warehouse = build(store, {
        studies: [
            {"study_instance_uid": "s1", "patient_key": "p", "accession_number": "A1", "study_at": at},
            {"study_instance_uid": "s2", "patient_key": "p", "accession_number": "A1",
             "study_at": at + dt.timedelta(hours=1)},
            {"study_instance_uid": "s3", "patient_key": "p", "stored_at": at},
            {"study_instance_uid": "s3", "patient_key": "p", "source_id": "second", "number_of_instances": 5},
        ],
        orders: [{"accession_number": "A1", "priority": "S"}],
        events: [{"accession_number": "A1", "event": "Reported", "event_at": at + dt.timedelta(hours=2)},
                 {"accession_number": "A1", "event": "Reported", "event_at": at + dt.timedelta(hours=9)},
                 {"accession_number": "A9", "event": "Order", "event_at": at}],
    }, site_zone="Europe/London")
    got = warehouse.read(sa.select(exams).order_by(exams.c.exam_id)).set_index("exam_id")
    assert list(got.index) == ["order:A9", "s1", "s2", "s3"]
    assert got.has_order.tolist() == [True, True, False, False]
    assert got.loc["s1", "reported_at"] == at + dt.timedelta(hours=2), "the first final report counts"
    assert (got.loc["s1", "exam_hour"], got.loc["s1", "exam_weekday"]) == (23, 3), "on the site's clock, in summer"
    assert got.loc["s3", "number_of_instances"] == 5


def test_rows_appended_last_are_published(store: Store) -> None:
    with store.draft() as draft:
        draft.append(events, pa.RecordBatch.from_pylist(
            [{"source_id": "a", "accession_number": "A1", "event": "Order", "event_at": dt.datetime.now(dt.UTC)}],
            schema=table_schema(events)))
    assert store.current().count(events) == 1


def test_an_earlier_versions_snapshot_is_refused_and_a_load_brings_it_up_to_date(store: Store) -> None:
    build(store, {studies: [{"study_instance_uid": "1.2", "patient_key": "p", "site": "North"}]}).close()
    _take_away(store, "ALTER TABLE {}studies DROP COLUMN record_key", "DROP TABLE {}marks")
    with pytest.raises(PacsmeterError, match=r"earlier version of pacsmeter.*Load your sources again"):
        store.current()
    with store.draft():
        pass
    (held,) = store.current().arrow(sa.select(studies)).to_pylist()
    assert (held["study_instance_uid"], held["site"], held["record_key"]) == ("1.2", "North", None)


def _take_away(store: Store, *statements: str) -> None:
    """Make the published snapshot what it was before some tables and columns came."""
    if isinstance(store, DuckStore):
        with duckdb.connect(str(store.folder / "snapshot-000001.duckdb")) as connection:
            for statement in statements:
                connection.execute(statement.format(""))
        return
    assert isinstance(store, PostgresStore)
    with store._engine.begin() as connection:
        for statement in statements:
            connection.execute(sa.text(statement.format("pacsmeter_000001.")))
