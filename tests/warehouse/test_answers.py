"""Answers that a snapshot keeps: the same as the tables give, never older than the tables."""

from __future__ import annotations

import datetime as dt
from typing import Any

import duckdb
import pyarrow as pa
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from analytics.warehouse.answers import LARGEST, Memory, answers, question_of, read_back, written
from analytics.warehouse.engine import named_columns, table_schema
from analytics.warehouse.schema import studies
from analytics.warehouse.store import Store, Warehouse

SIZES = sa.select(studies.c.study_instance_uid, studies.c.size_bytes).order_by(studies.c.study_instance_uid)
DAY = dt.date(2026, 3, 1)
BY_DAY = sa.select(sa.func.count().label("n"), sa.func.max(studies.c.stored_at).label("latest")).where(
    studies.c.study_date >= DAY, studies.c.site.in_(["A", "B"]))


def rows(*sizes: int) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(
        [{"source_id": "a", "study_instance_uid": str(n), "patient_key": "p", "size_bytes": size, "site": "A",
          "study_date": DAY, "stored_at": dt.datetime(2026, 3, 1, 9, tzinfo=dt.UTC)}
         for n, size in enumerate(sizes)], schema=table_schema(studies))


def publish(store: Store, *sizes: int, asked: tuple[sa.Select[Any], ...] = ()) -> Warehouse:
    with store.draft() as draft:
        draft.stage(studies, rows(*sizes))
        draft.merge(studies, "a", complete=True)
        with draft.answering():
            for select in asked:
                draft.arrow(select)
    return store.current()


class Counting:
    """The tables of a snapshot; says which selects were run on them."""

    def __init__(self, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
        self.run: list[sa.Select[Any]] = []
        session = warehouse._session
        arrow = session.arrow

        def counted(select: Any) -> pa.Table:
            if answers.c.answer not in set(select.selected_columns):
                self.run.append(select)
            return arrow(select)

        monkeypatch.setattr(session, "arrow", counted)


def test_what_was_asked_before_publishing_is_not_asked_of_the_tables_again(
        store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = publish(store, 10, 20)
    kept = publish(store, 10, 20, asked=(SIZES, BY_DAY))
    tables = Counting(kept, monkeypatch)
    for select in (SIZES, BY_DAY):
        assert kept.arrow(select).equals(plain.arrow(select))
    assert tables.run == []
    other = BY_DAY.where(studies.c.size_bytes > 15)
    assert kept.arrow(other).to_pylist()[0]["n"] == 1
    assert tables.run == [other]


def test_what_is_read_twice_is_run_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    warehouse = publish(store, 10, 20)
    tables = Counting(warehouse, monkeypatch)
    assert warehouse.arrow(SIZES).equals(warehouse.arrow(SIZES))
    assert tables.run == [SIZES]


def test_the_next_snapshot_does_not_know_the_answers_of_the_last(store: Store) -> None:
    publish(store, 10, 20, asked=(SIZES,))
    with store.draft() as draft:
        draft.stage(studies, rows(11, 21))
        draft.merge(studies, "a", complete=True)
        assert draft.read(SIZES).size_bytes.tolist() == [11, 21]
    assert store.current().read(SIZES).size_bytes.tolist() == [11, 21]
    assert store.current().count(answers) == 0


def test_a_draft_reads_its_tables_and_nothing_that_it_read_before(store: Store) -> None:
    with store.draft() as draft:
        for size in (10, 11):
            draft.stage(studies, rows(size))
            draft.merge(studies, "a", complete=True)
            assert draft.read(SIZES).size_bytes.tolist() == [size]


def test_nothing_changes_under_answers_that_are_kept(store: Store) -> None:
    with pytest.raises(RuntimeError, match="no longer be true"), store.draft() as draft:
        with draft.answering():
            draft.arrow(SIZES)
        draft.execute(sa.delete(studies))


def test_a_question_that_fails_leaves_the_others_their_answers(store: Store) -> None:
    broken = sa.select(sa.cast(studies.c.study_instance_uid + "x", sa.Integer).label("n"))
    with store.draft() as draft:
        draft.stage(studies, rows(10))
        draft.merge(studies, "a")
        with draft.answering():
            draft.arrow(SIZES)
            with pytest.raises((duckdb.Error, sa.exc.SQLAlchemyError)):
                draft.arrow(broken)
            draft.arrow(BY_DAY)
    assert store.current().count(answers) == 2


def test_a_draft_that_died_with_answers_begins_without_them(store: Store) -> None:
    with pytest.raises(KeyboardInterrupt), store.draft() as draft:
        draft.stage(studies, rows(10))
        draft.merge(studies, "a")
        with draft.answering():
            draft.arrow(SIZES)
        raise KeyboardInterrupt
    with store.draft() as draft:
        draft.stage(studies, rows(12))
        draft.merge(studies, "a")
    assert store.current().read(SIZES).size_bytes.tolist() == [12]


@pytest.mark.parametrize(("one", "other"), [
    (sa.select(studies.c.size_bytes), sa.select(studies.c.size_bytes.label("bytes"))),
    (sa.select(sa.type_coerce(studies.c.size_bytes, sa.BigInteger).label("n")),
     sa.select(sa.type_coerce(studies.c.size_bytes, sa.Double).label("n"))),
    (SIZES.where(studies.c.size_bytes > 1), SIZES.where(studies.c.size_bytes > 2)),
    (SIZES.where(studies.c.site.in_(["A"])), SIZES.where(studies.c.site.in_(["A", "B"]))),
    (SIZES.where(studies.c.site == "1"), SIZES.where(studies.c.site == sa.literal(1, sa.Integer))),
    (SIZES.limit(1), SIZES.limit(2)),
])
def test_two_questions_never_share_an_answer(store: Store, one: sa.Select[Any], other: sa.Select[Any]) -> None:
    session = publish(store, 1)._session
    first, second = (question_of(session.text(select), named_columns(select)) for select in (one, other))
    assert first != second
    assert first == question_of(session.text(one), named_columns(one))


@given(st.lists(st.tuples(st.none() | st.text(), st.none() | st.floats(allow_nan=False), st.none() | st.integers(
    -2 ** 63, 2 ** 63 - 1))))
def test_an_answer_comes_back_as_it_was(found: list[tuple[Any, ...]]) -> None:
    schema = pa.schema([("text", pa.string()), ("value", pa.float64()), ("n", pa.int64())])
    table = pa.Table.from_pylist([dict(zip(schema.names, row, strict=True)) for row in found], schema=schema)
    assert read_back(written(table)).equals(table)


def test_memory_forgets_the_oldest_and_takes_nothing_very_large() -> None:
    one = pa.table({"n": list(range(1000))})
    memory = Memory(most=3 * one.nbytes)
    for name in "abc":
        memory.put(name, one)
    assert memory.get("a") is one
    memory.put("d", one)
    assert [name for name, _ in memory] == ["c", "a", "d"]
    memory.put("huge", pa.table({"n": pa.array(range(LARGEST // 8 + 1), pa.int64())}))
    assert memory.get("huge") is None
