"""A load of messages in files: partial rows, records tried again, what is taken back, what stays."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa

from analytics.core.errors import PacsmeterError
from analytics.core.progress import silent
from analytics.sources.base import Batch, Coverage, Known, Rejected
from analytics.sources.load import load_source
from analytics.warehouse.engine import table_schema
from analytics.warehouse.merge import Counts
from analytics.warehouse.schema import events, files, orders, quarantine
from analytics.warehouse.store import Store

AT = dt.datetime(2026, 7, 1, 8, tzinfo=dt.UTC)
SIGNED = dt.datetime(2026, 7, 1, 12, tzinfo=dt.UTC)


def rows(table: sa.Table, values: list[dict[str, Any]]) -> pa.RecordBatch:
    schema = table_schema(table)
    return pa.RecordBatch.from_pylist(values, schema=schema.remove(schema.get_field_index("source_id")))


@dataclass
class File:
    """What one file of messages tells."""

    orders: list[dict[str, Any]] = field(default_factory=list)
    events: list[tuple[str, str, dt.datetime]] = field(default_factory=list)
    retracted: set[tuple[str, str]] = field(default_factory=set)
    bad: list[int] = field(default_factory=list)
    modified: int = 1


class Messages:
    """A folder of messages in memory."""

    source_id, kind, location, is_demo, site = "ris", "hl7", "memory", False, None

    def __init__(self, held: dict[str, File]) -> None:
        self.held, self.coverage, self.opened = held, Coverage(), list[str]()

    def batches(self, known: Known, progress: object) -> Iterator[Batch]:
        self.coverage = Coverage()
        self.opened = []
        self.coverage.gone = set(known.files) - set(self.held)
        for path, file in sorted(self.held.items()):
            if known.files.get(path) == (1, file.modified):
                continue
            self.opened.append(path)
            told = [{"accession_number": a, "event": e, "event_at": at, "origin": "ORC-9"} for a, e, at in file.events]
            yield Batch(orders, rows(orders, file.orders), (), 1)
            yield Batch(events, rows(events, told))
            self.coverage.retracted |= file.retracted
            status = "partly_read" if file.bad else "read"
            about = {"path": path, "size_bytes": 1, "modified_ns": file.modified, "status": status}
            rejected = tuple(Rejected(f"{path}:{n}", "malformed", "It is cut off.") for n in file.bad)
            yield Batch(files, rows(files, [about]), rejected)
        self.coverage.complete.add("files")


def load(store: Store, source: Messages) -> Any:
    with store.draft() as draft:
        return load_source(draft, source, progress=silent)  # type: ignore[arg-type]


def orders_of(store: Store) -> list[dict[str, Any]]:
    return store.current().arrow(sa.select(orders.c.accession_number, orders.c.priority, orders.c.modality).order_by(
        orders.c.accession_number)).to_pylist()


def test_a_partial_row_leaves_what_it_does_not_say(store: Store) -> None:
    source = Messages({"1": File([{"accession_number": "A", "priority": "R", "modality": "CT"},
                                  {"accession_number": "A", "priority": "S"}])})
    load(store, source)
    assert orders_of(store) == [{"accession_number": "A", "priority": "S", "modality": "CT"}]
    source.held["2"] = File([{"accession_number": "A", "modality": "MR"}])
    record = load(store, source)
    assert orders_of(store) == [{"accession_number": "A", "priority": "S", "modality": "MR"}]
    assert record.by_table["orders"] == Counts(changed=1)
    source.held["3"] = File([{"accession_number": "A", "modality": "MR"}])
    assert load(store, source).by_table["orders"] == Counts(unchanged=1)


def test_a_bad_record_is_tried_again_and_leaves_quarantine_when_it_is_in_order(store: Store) -> None:
    source = Messages({"1": File(events=[("A", "Order", AT)], bad=[2, 3]), "11": File(bad=[1])})
    assert load(store, source).left_out == 3
    source.held["1"].bad = [3]
    record = load(store, source)
    assert source.opened == ["1", "11"], "files with a bad record are read again though they did not change"
    assert record.by_table["events"] == Counts(unchanged=1)
    held = store.current().arrow(sa.select(quarantine.c.locator)).column(0).to_pylist()
    assert set(held) == {"1:3", "11:1"}
    source.held["1"].bad = []
    load(store, source)
    load(store, source)
    assert source.opened == ["11"]
    assert store.current().count(quarantine) == 1


def test_what_a_source_takes_back_goes(store: Store) -> None:
    source = Messages({"1": File([{"accession_number": "A"}, {"accession_number": "B"}],
                                 [("A", "Order", AT), ("A", "Reported", SIGNED), ("B", "Order", AT)])})
    load(store, source)
    source.held["2"] = File(retracted={("A", "Reported")})
    assert load(store, source).by_table["events"] == Counts(unchanged=2, removed=1)
    source.held["3"] = File(retracted={("B", "")})
    record = load(store, source)
    assert record.by_table["events"] == Counts(unchanged=1, removed=1)
    assert record.by_table["orders"] == Counts(unchanged=1, removed=1)


def test_what_a_file_told_stays_when_the_file_goes(store: Store) -> None:
    source = Messages({"1": File(events=[("A", "Order", AT)]), "2": File(events=[("B", "Order", AT)])})
    load(store, source)
    del source.held["1"]
    assert load(store, source).by_table["events"] == Counts(unchanged=2)
    assert store.current().count(files) == 1


def test_files_that_tell_nothing_are_refused(store: Store) -> None:
    with pytest.raises(PacsmeterError, match=r"No record could be read.*1:1: It is cut off"):
        load(store, Messages({"1": File(bad=[1])}))


def test_text_of_every_kind_comes_back_as_it_was(store: Store) -> None:
    written = ['say "no"', "a,b", "two\nlines", "", None, "\\N", "ΩЖ", "  ", "tab\t", "NULL"]
    source = Messages({"1": File([{"accession_number": f"{n}", "procedure_description": text}
                                  for n, text in enumerate(written)])})
    load(store, source)
    held = store.current().arrow(sa.select(orders.c.procedure_description).order_by(orders.c.accession_number))
    assert held.column(0).to_pylist() == written


def test_the_last_appointment_counts_and_the_first_report(store: Store) -> None:
    source = Messages({"1": File(events=[("A", "ApptTime", AT), ("A", "ApptTime", SIGNED), ("A", "Reported", SIGNED)])})
    record = load(store, source)
    assert (record.by_table["events"], record.left_out) == (Counts(added=2), 0)
    later = SIGNED + dt.timedelta(days=1)
    source.held["2"] = File(events=[("A", "ApptTime", later), ("A", "Reported", later), ("B", "ApptTime", AT)])
    assert load(store, source).by_table["events"] == Counts(added=3, removed=1, unchanged=1)
    held = store.current().arrow(sa.select(events.c.accession_number, events.c.event, events.c.event_at)).to_pylist()
    assert {(row["accession_number"], row["event"], row["event_at"]) for row in held} == {
        ("A", "ApptTime", later), ("A", "Reported", SIGNED), ("A", "Reported", later), ("B", "ApptTime", AT)}
    source.held["3"] = File(events=[("B", "ApptTime", AT), ("B", "ApptTime", AT)])
    record = load(store, source)
    assert (record.by_table["events"], record.left_out) == (Counts(unchanged=4), 0)


def test_what_comes_and_goes_in_one_load_adds_up(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    source = Messages({"1": File([{"accession_number": "A"}], [("A", "Order", AT)]), "2": File(retracted={("A", "")}),
                       "3": File([{"accession_number": "B"}], [("B", "ApptTime", AT)])})
    assert load(store, source).by_table["orders"] == Counts(added=1)
    monkeypatch.setattr("analytics.sources.load.FILES_PER_MERGE", 1)
    source.held |= {"4": File([{"accession_number": "C"}]), "5": File([{"accession_number": "C", "priority": "S"}]),
                    "6": File([{"accession_number": "B", "priority": "S"}]),
                    "7": File([{"accession_number": "B", "priority": "R"}])}
    record = load(store, source)
    assert record.by_table["orders"] == Counts(added=1, changed=1)
    assert record.by_table["events"] == Counts(unchanged=1)


def test_a_long_file_that_is_merged_piece_by_piece_tells_the_same(
        store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analytics.sources.load.ROWS_PER_MERGE", 1)
    source = Messages({"1": File([{"accession_number": "A", "priority": "R", "modality": "CT"}],
                                 [("A", "Order", AT), ("A", "ApptTime", AT)]),
                       "2": File([{"accession_number": "A", "priority": "S"}], [("A", "ApptTime", SIGNED)])})
    record = load(store, source)
    assert orders_of(store) == [{"accession_number": "A", "priority": "S", "modality": "CT"}]
    assert (record.by_table["events"], record.left_out) == (Counts(added=2), 0)
    again = load(store, source)
    assert again.by_table == {"orders": Counts(unchanged=1), "events": Counts(unchanged=2)}
