"""Orthanc's index: its own totals are checked, its levels found, and a torn copy taken again or refused."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa

from analytics.core.errors import PacsmeterError
from analytics.core.settings import Settings
from analytics.sources import orthanc_sqlite
from analytics.sources.base import Known
from analytics.sources.load import load_source
from analytics.warehouse.schema import instances, studies
from analytics.warehouse.store import Store
from tests.sources.fake_orthanc import OrthancIndex


class FromZero(OrthancIndex):
    """An index whose levels count from 0, as in PostgreSQL."""

    patient_type = 0


def read(site: OrthancIndex, settings: Settings) -> int:
    return sum(batch.rows.num_rows for batch in site.open(settings).batches(Known(), lambda *_: None))


def test_totals_that_disagree_are_refused(tmp_path: Path, settings: Settings) -> None:
    site = OrthancIndex(tmp_path / "site")
    assert read(site, settings) == 3
    site.run("UPDATE GlobalIntegers SET value = value + 1 WHERE key = 0;")
    with pytest.raises(PacsmeterError, match="says that it holds 361 bytes, and its files add up to 360"):
        read(site, settings)


def test_instances_that_lost_their_series_are_not_passed_over_in_silence(tmp_path: Path, settings: Settings) -> None:
    site = OrthancIndex(tmp_path / "site")
    site.run("DELETE FROM Resources WHERE internalId = 12;")
    with pytest.raises(PacsmeterError, match="holds 3 instances, and 2 could be read"):
        read(site, settings)


@pytest.mark.parametrize("kind", [OrthancIndex, FromZero])
def test_levels_are_found_whatever_they_count_from(
        duck_store: Store, tmp_path: Path, settings: Settings, kind: type[OrthancIndex]) -> None:
    site = kind(tmp_path / "site")
    with duck_store.draft() as draft:
        load_source(draft, site.open(settings))
    rows = duck_store.current().arrow(sa.select(studies)).to_pylist()
    counts = [(row["number_of_series"], row["number_of_instances"], row["size_bytes"]) for row in rows]
    assert counts == [(1, 1, 120)] * 3
    (row, *_) = duck_store.current().arrow(sa.select(instances).order_by(instances.c.sop_instance_uid)).to_pylist()
    assert (row["path"], row["transfer_syntax_uid"]) == ("ab/cd/abcd-0", "1.2.840.10008.1.2.1")
    assert row["stored_at"].isoformat() == "2026-07-05T09:00:00+00:00"


def test_attachments_of_a_study_are_said_and_not_counted(duck_store: Store, tmp_path: Path, settings: Settings) -> None:
    site = OrthancIndex(tmp_path / "site")
    site.run("INSERT INTO AttachedFiles VALUES (1, 1024, 'report', 7, 7); "
             "UPDATE GlobalIntegers SET value = value + 7;")
    with duck_store.draft() as draft:
        assert "7 bytes are attachments" in load_source(draft, site.open(settings)).message


def test_what_is_in_the_log_alone_is_read(tmp_path: Path, settings: Settings) -> None:
    site = OrthancIndex(tmp_path / "site")
    writer = sqlite3.connect(site.file)
    writer.execute("PRAGMA journal_mode=WAL")
    writer.execute("UPDATE MainDicomTags SET value = 'NECK' WHERE id = 11 AND tagElement = 4144")
    writer.commit()
    found = [row["study_description"] for batch in site.open(settings).batches(Known(), lambda *_: None)
             for row in batch.rows.to_pylist()]
    writer.close()
    assert sorted(found) == ["HEAD", "HEAD", "NECK"]


def tear(monkeypatch: pytest.MonkeyPatch, times: int) -> list[int]:
    """Make the first copies as torn as one taken under writes: half of the pages are missing."""
    torn: list[int] = []
    whole = shutil.copyfile

    def copied(source: Path, target: Path) -> None:
        whole(source, target)
        if len(torn) < times:
            torn.append(1)
            content = Path(target).read_bytes()
            Path(target).write_bytes(content[:len(content) // 2])

    monkeypatch.setattr(orthanc_sqlite.shutil, "copyfile", copied)
    monkeypatch.setattr(orthanc_sqlite, "_WAIT_SECONDS", 0)
    return torn


def test_a_torn_copy_is_taken_again(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    site = OrthancIndex(tmp_path / "site")
    torn = tear(monkeypatch, 2)
    assert read(site, settings) == 3
    assert len(torn) == 2


def test_an_index_under_writes_is_refused_in_the_end(
        tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    site = OrthancIndex(tmp_path / "site")
    tear(monkeypatch, 99)
    with pytest.raises(PacsmeterError, match=r"none of 6 copies.*stop Orthanc"):
        read(site, settings)


def test_a_file_that_is_no_index_is_refused(tmp_path: Path, settings: Settings) -> None:
    site = OrthancIndex(tmp_path / "site")
    site.run("DROP TABLE Resources;")
    with pytest.raises(PacsmeterError, match="not an index of Orthanc"):
        read(site, settings)
    site.file.write_text("not a database")
    with pytest.raises(PacsmeterError, match="not an SQLite index"):
        read(site, settings)
