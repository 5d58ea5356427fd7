"""A load in parts that was cut, or refused, at the worst moment: what it must not go on from, and what it counts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from analytics.core.errors import PacsmeterError
from analytics.sources import load as loading
from analytics.sources.base import Batch, BeginAnew, Known, Part
from analytics.warehouse.merge import Counts
from analytics.warehouse.schema import loads, quarantine, series, studies
from analytics.warehouse.store import Store
from tests.sources.test_load_parts import Archive, load, rows, sizes


class Ending(Archive):
    """An archive whose last day is never settled: it is asked for again by every load."""

    def batches(self, known: Known, progress: object) -> Iterator[Batch | Part]:
        yield from super().batches(known, progress)
        self.asked.append("today")
        if 6 in self.sizes:
            yield self._study(6, dt.date(2026, 7, 6))
            yield Batch(series, rows(series, [{"study_instance_uid": "1.6", "series_instance_uid": "1.6.1"}]))
        yield Part("today", int(6 in self.sizes), is_settled=False)


def test_a_load_that_was_refused_is_not_gone_on_from(store: Store) -> None:
    load(store, Archive({1: 10, 2: 20, 5: 50}))
    with pytest.raises(PacsmeterError, match="would be removed"):
        load(store, Archive({}))
    again = Archive({1: 10, 2: 20, 5: 50})
    record = load(store, again)
    assert len(again.asked) == 5, "what an archive that answered nothing said is not taken for true"
    assert record.by_table["studies"] == Counts(unchanged=3)


def test_a_source_that_finds_its_own_answers_wrong_is_asked_anew(store: Store) -> None:
    class Wrong(Archive):
        def batches(self, known: Known, progress: object) -> Iterator[Batch | Part]:
            yield from super().batches(known, progress)
            raise BeginAnew("The server cuts its answers short", "Have its limit raised.", "day 1")

    with pytest.raises(PacsmeterError, match="cuts its answers"):
        load(store, Wrong({1: 10}))
    again = Archive({1: 10})
    load(store, again)
    assert len(again.asked) == 5


@pytest.mark.parametrize("other", [{"site": "South"}, {"location": "elsewhere"}, {"read_as": "Europe/Vienna"}])
def test_a_load_that_asks_in_another_way_begins_anew(store: Store, other: dict[str, str]) -> None:
    with pytest.raises(PacsmeterError):
        load(store, Archive({1: 11, 2: 20}, dies_at=3))
    different = Archive({1: 12, 3: 30})
    for name, value in other.items():
        setattr(different, name, value)
    load(store, different)
    assert len(different.asked) == 5
    assert sizes(store) == {"1.1": 12, "1.3": 30}


def test_a_load_that_dies_while_it_merges_asks_again_for_the_last_part(
        store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(loading, "finish_crawl", _dies)
        load(store, Ending({1: 10, 6: 60}))
    resumed = Ending({1: 10, 6: 66})
    record = load(store, resumed)
    assert resumed.asked == ["today"]
    assert sizes(store) == {"1.1": 10, "1.6": 66}
    assert (record.read, record.left_out) == (2, 0)


def test_what_is_gone_when_the_last_part_is_asked_for_again_is_gone(
        store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(loading, "finish_crawl", _dies)
        load(store, Ending({1: 10, 6: 60}))
    load(store, Ending({1: 10}))
    assert sizes(store) == {"1.1": 10}


def _dies(*_: object) -> None:
    raise KeyboardInterrupt


def test_the_record_of_a_load_that_was_gone_on_from_says_all_of_it(store: Store) -> None:
    cut = Archive({1: 10, 2: 20}, dies_at=3)
    cut.bad = {1}
    with pytest.raises(PacsmeterError):
        load(store, cut)
    record = load(store, Archive({4: 40}))
    assert (record.read, record.left_out, record.rejected) == (3, 1, {"bad_date": 1})
    (row,) = store.current().arrow(sa.select(loads)).to_pylist()
    assert (str(row["covered_from"]), str(row["covered_to"])) == ("2026-07-01", "2026-07-04")
    assert store.current().count(quarantine) == 1


def test_a_load_of_all_tables_is_one_step(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    class Export(Archive):
        kind = "index_export"

        def batches(self, known: Known, progress: object) -> Iterator[Batch | Part]:
            for one in super().batches(known, progress):
                if not isinstance(one, Part):
                    yield one

    load(store, Export({1: 10, 2: 20}))
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(loading, "write_record", _dies)
        load(store, Export({1: 11}))
    other = Archive({5: 50})
    other.source_id = "other"
    load(store, other)
    own = sa.select(studies.c.size_bytes).where(studies.c.source_id == "archive").order_by(studies.c.size_bytes)
    assert store.current().arrow(own).column(0).to_pylist() == [10, 20], "nothing of a load that died is published"


def test_an_archive_without_a_study_since_the_first_date_asked_for_is_not_refused(store: Store) -> None:
    load(store, Archive({1: 10, 3: 30}))
    later = Archive({})
    later.kept_before = dt.date(2026, 7, 4)
    load(store, later)
    assert sizes(store) == {"1.1": 10, "1.3": 30}
    later.kept_before = dt.date(2026, 7, 3)
    with pytest.raises(PacsmeterError, match="1 from the last load would be removed"):
        load(store, later)
