"""A source never takes the place of another that has the same name."""

from __future__ import annotations

import pytest

from analytics.core.errors import PacsmeterError
from analytics.sources.namesakes import refuse_namesakes
from analytics.warehouse.store import Store
from tests.sources.test_load_parts import Archive, load


def archive(location: str = "memory", kind: str = "dicomweb") -> Archive:
    made = Archive({1: 10})
    made.location, made.kind = location, kind
    return made


def refuse(store: Store, *opened: Archive, named: bool = False) -> None:
    refuse_namesakes(store, opened, [named] * len(opened))  # type: ignore[arg-type]


def test_two_sources_of_one_name_are_not_loaded_together(duck_store: Store) -> None:
    with pytest.raises(PacsmeterError, match=r"'archive' already \(one\).*\[two\].*--id NAME"):
        refuse(duck_store, archive("one"), archive("two"), named=True)


def test_another_archive_under_a_name_that_nobody_chose_is_refused(duck_store: Store) -> None:
    load(duck_store, archive("one"))
    with pytest.raises(PacsmeterError, match="--id archive"):
        refuse(duck_store, archive("two"))
    refuse(duck_store, archive("one"))
    refuse(duck_store, archive("two"), named=True)


def test_another_kind_of_source_is_refused_whoever_named_it(duck_store: Store) -> None:
    load(duck_store, archive(kind="cfind"))
    with pytest.raises(PacsmeterError, match="would be removed"):
        refuse(duck_store, archive(), named=True)
    refuse(duck_store, archive(kind="cfind"), named=True)
