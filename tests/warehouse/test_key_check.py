"""One warehouse, one pseudonym key: with another, nothing is loaded and nothing published."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from analytics.core.errors import PacsmeterError
from analytics.core.pseudonym import Pseudonymizer
from analytics.core.settings import Settings
from analytics.refresh import refresh
from analytics.warehouse.key_check import confirm_key
from analytics.warehouse.schema import marks, studies
from analytics.warehouse.store import Store, open_store
from tests.sources.sites import Export

ONE, OTHER = (Pseudonymizer(key).key_check for key in (b"0123456789abcdef", b"fedcba9876543210"))


def test_what_is_stored_tells_keys_apart_and_is_no_key(store: Store) -> None:
    with store.draft() as draft:
        confirm_key(draft, ONE)
        confirm_key(draft, ONE)
    held = store.current().arrow(sa.select(marks)).to_pylist()
    assert [row["value"] for row in held] == [ONE]
    assert ONE != OTHER and "0123456789abcdef" not in ONE
    confirm_key(store.current(), ONE)
    with pytest.raises(PacsmeterError, match="not the one that this warehouse was made with"):
        confirm_key(store.current(), OTHER)


def test_a_reader_of_a_warehouse_that_does_not_know_its_key_is_let_in(store: Store) -> None:
    with store.draft():
        pass
    confirm_key(store.current(), ONE)
    assert store.current().count(marks) == 0


@pytest.mark.parametrize("sources", ["some", "none"])
def test_a_load_with_another_key_makes_no_new_patients(sources: str, settings: Settings, tmp_path: Path) -> None:
    site, store = Export(tmp_path / "site"), open_store(settings)
    refresh(store, settings, [site.open(settings)])
    settings.pseudonym_key_file.write_text("another-key-of-enough-bytes")
    with pytest.raises(PacsmeterError, match=r"every patient would be a new one\. Put that key back") as caught:
        refresh(store, settings, [site.open(settings)] if sources == "some" else [])
    assert "another-key" not in str(caught.value)
    assert (store.current_revision(), store.current().count(studies)) == (1, 3)


def test_a_load_that_was_cut_is_not_gone_on_from_with_another_key(settings: Settings, tmp_path: Path) -> None:
    site, store = Export(tmp_path / "site"), open_store(settings)
    (site.folder / site.file).write_text("STUDY_UID\n")
    with pytest.raises(PacsmeterError):
        refresh(store, settings, [site.open(settings)])
    site.write()
    settings.pseudonym_key_file.write_text("another-key-of-enough-bytes")
    with pytest.raises(PacsmeterError, match="Put that key back"):
        refresh(store, settings, [site.open(settings)])
