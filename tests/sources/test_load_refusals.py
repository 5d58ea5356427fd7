"""When a load is refused, and when a table may end up empty."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from analytics.core.errors import PacsmeterError
from analytics.sources.base import Batch, Coverage, Known
from analytics.sources.load import load_source
from analytics.warehouse.schema import orders, patient_merges, studies
from analytics.warehouse.store import Store
from tests.sources.test_load_parts import rows


class Whole:
    """A source that is read whole: studies, orders and merged patients."""

    source_id, location, is_demo, site = "archive", "memory", False, None

    def __init__(self, kind: str, given: int = 1, of_studies: int = 1) -> None:
        self.kind, self.given, self.of_studies, self.coverage = kind, given, of_studies, Coverage()

    def batches(self, known: Known, progress: object) -> Iterator[Batch]:
        tables: tuple[tuple[Any, int, dict[str, str]], ...] = (
            (studies, self.of_studies, {"study_instance_uid": "1.2", "patient_key": "p"}),
            (orders, self.given, {"accession_number": "A1"}),
            (patient_merges, self.given, {"merged_key": "p", "surviving_key": "q"}))
        for table, count, row in tables:
            if count:
                yield Batch(table, rows(table, [row]), (), 1)
        self.coverage = Coverage(complete={"studies", "orders", "patient_merges"})


def load(store: Store, source: Whole) -> None:
    with store.draft() as draft:
        load_source(draft, source)  # type: ignore[arg-type]


def test_an_archives_worklist_may_be_worked_off(duck_store: Store) -> None:
    load(duck_store, Whole("dcm4chee"))
    load(duck_store, Whole("dcm4chee", given=0))
    warehouse = duck_store.current()
    assert [warehouse.count(table) for table in (studies, orders, patient_merges)] == [1, 0, 0]


@pytest.mark.parametrize("source", [Whole("index_export", given=0), Whole("dcm4chee", of_studies=0)])
def test_a_table_that_should_not_be_empty_is_refused(duck_store: Store, source: Whole) -> None:
    load(duck_store, Whole(source.kind))
    with pytest.raises(PacsmeterError, match="would be removed"):
        load(duck_store, source)
