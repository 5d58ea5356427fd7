"""A load in parts: what is kept of it when it is cut, and that readers see it in one step."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa

from analytics.core.errors import PacsmeterError
from analytics.core.progress import silent
from analytics.sources.base import Batch, Coverage, Known, Part, Rejected
from analytics.sources.load import load_source
from analytics.warehouse.engine import table_schema
from analytics.warehouse.merge import Counts
from analytics.warehouse.schema import (
    covered_parts,
    crawled_series,
    crawled_studies,
    marks,
    quarantine,
    series,
    studies,
)
from analytics.warehouse.store import Store

Asked = list[str]


def rows(table: sa.Table, values: list[dict[str, Any]]) -> pa.RecordBatch:
    schema = table_schema(table)
    return pa.RecordBatch.from_pylist(values, schema=schema.remove(schema.get_field_index("source_id")))


class Archive:
    """An archive of a study a day, asked for day by day; it dies before a day, or in the middle of one."""

    source_id, kind, location, is_demo, site = "archive", "dicomweb", "memory", False, None

    def __init__(self, sizes: dict[int, int], dies_at: int = 0, dies_in: int = 0) -> None:
        self.sizes, self.dies_at, self.dies_in = sizes, dies_at, dies_in
        self.coverage, self.asked = Coverage(), list[str]()
        self.kept_studies: set[int] = set()
        self.bad: set[int] = set()
        self.kept_before: dt.date | None = None

    def batches(self, known: Known, progress: object) -> Iterator[Batch | Part]:
        self.coverage = Coverage(kept_before=self.kept_before)
        for day in range(1, 6):
            name, when = f"day {day}", dt.date(2026, 7, day)
            if name in known.finished:
                continue
            if day == self.dies_at:
                raise PacsmeterError("The server does not answer", "Try again.", name)
            self.asked.append(name)
            kept = (f"1.{day}",) if day in self.kept_studies else ()
            if day in self.sizes and not kept:
                yield self._study(day, when)
                if day == self.dies_in:
                    raise PacsmeterError("The server does not answer", "Try again.", name)
                found = {"study_instance_uid": f"1.{day}", "series_instance_uid": f"1.{day}.1"}
                yield Batch(series, rows(series, [found]))
            yield Part(name, int(day in self.sizes), when, when, kept_studies=kept, marks={"last": str(day)})
        self.coverage.complete |= {"studies", "series"}

    def _study(self, day: int, when: dt.date) -> Batch:
        bad = (Rejected(f"study {day}", "bad_date", "Its date is no date."),) if day in self.bad else ()
        found = {"study_instance_uid": f"1.{day}", "patient_key": "p", "study_date": when,
                 "size_bytes": self.sizes[day]}
        return Batch(studies, rows(studies, [found]), bad, 1)


def load(store: Store, source: Archive) -> Any:
    with store.draft() as draft:
        return load_source(draft, source, progress=silent)  # type: ignore[arg-type]


def sizes(store: Store) -> dict[str, int]:
    held = store.current().arrow(sa.select(studies.c.study_instance_uid, studies.c.size_bytes)).to_pylist()
    return {row["study_instance_uid"]: row["size_bytes"] for row in held}


def test_a_cut_crawl_changes_nothing_and_goes_on_after_its_last_part(store: Store) -> None:
    load(store, Archive({1: 10, 2: 20, 3: 30}))
    cut = Archive({1: 11, 3: 33, 4: 44}, dies_at=4)
    with pytest.raises(PacsmeterError, match="does not answer"):
        load(store, cut)
    assert sizes(store) == {"1.1": 10, "1.2": 20, "1.3": 30}
    resumed = Archive({1: 99, 3: 33, 4: 44})
    record = load(store, resumed)
    assert resumed.asked == ["day 4", "day 5"], "finished parts are not asked for again"
    assert sizes(store) == {"1.1": 11, "1.3": 33, "1.4": 44}, "each part as it was read, and what is gone is gone"
    assert record.by_table["studies"] == Counts(added=1, changed=2, removed=1)
    warehouse = store.current()
    assert warehouse.count(crawled_studies) + warehouse.count(crawled_series) == 0
    parts = warehouse.arrow(sa.select(covered_parts).order_by(covered_parts.c.part)).to_pylist()
    assert [(row["part"], row["records"]) for row in parts] == [
        ("day 1", 1), ("day 2", 0), ("day 3", 1), ("day 4", 1), ("day 5", 0)]
    assert {row["load_id"] for row in parts} == {record.load_id}
    held = warehouse.arrow(sa.select(marks.c.name, marks.c.value)).to_pylist()
    assert held == [{"name": "last", "value": "5"}]


def test_a_part_that_was_cut_in_the_middle_is_read_again_whole(store: Store) -> None:
    with pytest.raises(PacsmeterError):
        load(store, Archive({1: 10, 2: 20}, dies_in=2))
    resumed = Archive({1: 10})
    load(store, resumed)
    assert resumed.asked == ["day 2", "day 3", "day 4", "day 5"]
    assert sizes(store) == {"1.1": 10}, "the row of the cut part that is gone meanwhile has left no trace"


def test_another_sources_load_between_does_not_publish_half_a_crawl(store: Store) -> None:
    load(store, Archive({1: 10}))
    with pytest.raises(PacsmeterError):
        load(store, Archive({1: 11, 2: 20}, dies_at=3))
    other = Archive({5: 50})
    other.source_id = "other"
    load(store, other)
    assert sizes(store) == {"1.1": 10, "1.5": 50}
    resumed = Archive({1: 11, 2: 20, 3: 30})
    load(store, resumed)
    assert resumed.asked == ["day 3", "day 4", "day 5"]
    assert sizes(store) == {"1.1": 11, "1.2": 20, "1.3": 30, "1.5": 50}


def test_a_crawl_that_was_cut_long_ago_begins_anew(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    load(store, Archive({1: 10}))
    with pytest.raises(PacsmeterError):
        load(store, Archive({1: 11, 2: 22}, dies_at=4))
    monkeypatch.setattr("analytics.sources.load.GO_ON_WITHIN", dt.timedelta(0))
    again = Archive({1: 12})
    load(store, again)
    assert len(again.asked) == 5
    assert sizes(store) == {"1.1": 12}


def test_kept_studies_are_taken_over_with_their_series(store: Store) -> None:
    load(store, Archive({1: 10, 2: 20}))
    kept = Archive({1: 11, 2: 99})
    kept.kept_studies = {2}
    record = load(store, kept)
    assert sizes(store) == {"1.1": 11, "1.2": 20}
    assert record.by_table == {"studies": Counts(changed=1, unchanged=1), "series": Counts(unchanged=2)}


def test_what_was_rejected_before_the_cut_is_still_in_quarantine(store: Store) -> None:
    cut = Archive({1: 10, 2: 20}, dies_at=3)
    cut.bad = {1}
    with pytest.raises(PacsmeterError):
        load(store, cut)
    load(store, Archive({1: 10, 2: 20}))
    assert store.current().count(quarantine) == 1
    load(store, Archive({1: 10, 2: 20}))
    assert store.current().count(quarantine) == 0, "in order now"


def test_an_archive_that_is_suddenly_empty_is_refused(store: Store) -> None:
    load(store, Archive({1: 10}))
    with pytest.raises(PacsmeterError, match="would be removed"):
        load(store, Archive({}))
    assert sizes(store) == {"1.1": 10}


def test_a_clock_that_runs_ahead_of_reception_is_counted_in_the_loads_record(store: Store) -> None:
    class Ahead(Archive):
        def _study(self, day: int, when: dt.date) -> Batch:
            noon = dt.datetime(2026, 7, day, 12, tzinfo=dt.UTC)
            ahead = {1: dt.timedelta(0), 2: dt.timedelta(minutes=7), 3: dt.timedelta(days=2)}[day]
            found = {"study_instance_uid": f"1.{day}", "patient_key": "p", "study_date": when, "stored_at": noon,
                     "study_at": noon + ahead}
            return Batch(studies, rows(studies, [found]), (), 1)

    record = load(store, Ahead({1: 1, 2: 1, 3: 1}))
    assert "2 studies are dated later than the archive received them" in record.message
    assert "1 of these by more than 24 hours" in record.message


def test_what_lies_before_the_first_date_asked_for_stays(store: Store) -> None:
    load(store, Archive({1: 10, 2: 20, 4: 40}))
    later = Archive({3: 30, 4: 44})
    later.kept_before = dt.date(2026, 7, 3)
    record = load(store, later)
    assert sizes(store) == {"1.1": 10, "1.2": 20, "1.3": 30, "1.4": 44}
    assert record.by_table == {"studies": Counts(added=1, changed=1, unchanged=2),
                               "series": Counts(added=1, unchanged=3)}
    later = Archive({4: 44})
    later.kept_before = dt.date(2026, 7, 2)
    load(store, later)
    assert sizes(store) == {"1.1": 10, "1.4": 44}, "what the archive was asked for and no longer has is gone"
