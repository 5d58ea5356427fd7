"""What loads write down of studies that are gone from their source, or became smaller."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa

from analytics.core.errors import PacsmeterError
from analytics.core.progress import silent
from analytics.core.settings import Settings
from analytics.sources.base import Batch, Coverage, Known
from analytics.sources.load import load_source
from analytics.warehouse.engine import table_schema
from analytics.warehouse.schema import loads, removals, studies
from analytics.warehouse.store import Draft, Store
from tests.sources.sites import Folder
from tests.sources.test_load_parts import Archive
from tests.sources.test_load_parts import load as load_parts


def study(uid: str, size: int | None, images: int | None = 10, patient: str = "p", **more: Any) -> dict[str, Any]:
    return {"study_instance_uid": uid, "patient_key": patient, "size_bytes": size, "number_of_instances": images,
            "site": "North", "modality": "CT", **more}


class Export:
    """An archive's export: it holds everything, unless it is said to be a part."""

    kind, location, is_demo, site = "index_export", "memory", False, None

    def __init__(self, *rows: dict[str, Any], source_id: str = "archive", whole: bool = True) -> None:
        self.rows, self.source_id = rows, source_id
        self.coverage = Coverage(complete={"studies"} if whole else set())

    def batches(self, known: Known, progress: object) -> Iterator[Batch]:
        schema = table_schema(studies)
        schema = schema.remove(schema.get_field_index("source_id"))
        yield Batch(studies, pa.RecordBatch.from_pylist(list(self.rows), schema=schema), (), len(self.rows))


def load(store: Store, source: Any) -> str:
    with store.draft() as draft:
        return load_source(draft, source, progress=silent).load_id


def noted(store: Store) -> list[tuple[Any, ...]]:
    columns = (removals.c.source_id, removals.c.study_instance_uid, removals.c.what, removals.c.size_bytes,
               removals.c.number_of_instances)
    return sorted(tuple(row.values()) for row in store.current().arrow(sa.select(*columns)).to_pylist())


def test_what_an_export_no_longer_has_is_written_down_as_it_was(store: Store) -> None:
    when = dt.datetime(2026, 7, 1, 12, tzinfo=dt.UTC)
    load(store, Export(study("1", 5, station_name="CT1", stored_at=when, study_date=when.date()), study("2", 7)))
    assert noted(store) == [], "a first load finds nothing gone"
    found_by = load(store, Export(study("2", 7), study("3", 9)))
    (row,) = store.current().arrow(sa.select(removals)).to_pylist()
    assert row == {
        "source_id": "archive", "study_instance_uid": "1", "load_id": found_by, "what": "gone", "site": "North",
        "modality": "CT", "station_name": "CT1", "study_date": when.date(), "stored_at": when,
        "number_of_instances": 10, "size_bytes": 5, "instances_before": 10, "size_bytes_before": 5}
    assert store.current().count(sa.select(loads).where(loads.c.load_id == found_by)) == 1
    load(store, Export(study("2", 7), study("3", 9)))
    assert len(noted(store)) == 1, "the same again takes nothing away"


def test_a_study_that_became_smaller_is_told_from_one_that_is_gone(store: Store) -> None:
    load(store, Export(study("1", 100), study("2", 100), study("3", 100), study("4", None), study("5", 100)))
    load(store, Export(study("1", 40), study("2", 70, images=7), study("3", 160, images=9), study("4", None, images=8),
                       study("5", None, images=10)))
    assert noted(store) == [("archive", "1", "fewer_bytes", 60, 0), ("archive", "2", "fewer_images", 30, 3),
                            ("archive", "4", "fewer_images", None, 2)]


def test_a_corrected_patient_takes_nothing_away(store: Store) -> None:
    load(store, Export(study("1", 100), study("2", 60, patient="a"), study("2", 40, patient="b")))
    load(store, Export(study("1", 100, patient="q"), study("2", 100, images=20, patient="a")))
    assert noted(store) == []
    assert store.current().count(studies) == 2


def test_what_comes_back_is_no_longer_gone(store: Store) -> None:
    load(store, Export(study("1", 100), study("2", 10)))
    load(store, Export(study("2", 10)))
    load(store, Export(study("1", 100), source_id="other"))
    assert noted(store) == [("archive", "1", "gone", 100, 10)], "another source's study does not bring it back"
    load(store, Export(study("1", 100), study("2", 10)))
    assert noted(store) == []
    load(store, Export(study("2", 10)))
    assert noted(store) == [("archive", "1", "gone", 100, 10)]


def test_a_patient_corrected_by_an_export_of_a_part_takes_nothing_away_later(store: Store) -> None:
    load(store, Export(study("1", 100, patient="a")))
    load(store, Export(study("1", 100, patient="b"), whole=False))
    load(store, Export(study("1", 100, patient="b")))
    assert noted(store) == []
    assert store.current().count(studies) == 1


def test_a_patient_corrected_by_an_export_of_a_part_hides_no_image_that_went_since(store: Store) -> None:
    load(store, Export(study("1", 100, patient="a")))
    load(store, Export(study("1", 100, patient="b"), whole=False))
    load(store, Export(study("1", 60, images=6, patient="b")))
    assert noted(store) == [("archive", "1", "fewer_images", 40, 4)]


def test_images_that_come_back_are_no_longer_gone_however_often_they_go(store: Store) -> None:
    for _ in range(3):
        load(store, Export(study("1", 100), study("2", 100)))
        assert noted(store) == []
        load(store, Export(study("1", 50, images=5), study("2", 70)))
        assert noted(store) == [("archive", "1", "fewer_images", 50, 5), ("archive", "2", "fewer_bytes", 30, 0)]


def test_images_that_come_back_smaller_are_back(store: Store) -> None:
    load(store, Export(study("1", 100)))
    load(store, Export(study("1", 50, images=5)))
    load(store, Export(study("1", 80, images=10)))
    assert noted(store) == []


def test_of_images_that_come_back_in_part_the_rest_is_missing_and_no_image_twice(store: Store) -> None:
    def goes(*images: int) -> list[tuple[int, int]]:
        for left in images:
            load(store, Export(study("1", 10 * left, images=left), study("2", None, images=left)))
        rows = [row[-2:] for row in noted(store) if row[1] == "1"]
        assert sorted(row[-1] for row in noted(store) if row[1] == "2") == sorted(images for _, images in rows)
        return sorted(rows)

    assert goes(10, 7, 5) == [(20, 2), (30, 3)]
    assert goes(8) == [(20, 2)], "back from the second loss, and by one from the first"
    assert goes(6) == [(20, 2), (20, 2)], "four of ten are missing"
    assert goes(10) == []


def test_a_part_of_a_study_under_another_patient_brings_no_image_back(store: Store) -> None:
    load(store, Export(study("1", 100, patient="a")))
    load(store, Export(study("1", 50, images=5, patient="a")))
    load(store, Export(study("1", 50, images=5, patient="b"), whole=False))
    assert noted(store) == [("archive", "1", "fewer_images", 50, 5)]


def test_a_study_that_lost_images_and_then_went_comes_back_whole_or_as_it_went(store: Store) -> None:
    load(store, Export(study("1", 100), study("2", 100), study("3", 1)))
    load(store, Export(study("1", 50, images=5), study("2", 50, images=5), study("3", 1)))
    load(store, Export(study("3", 1)))
    assert len(noted(store)) == 4
    load(store, Export(study("1", 100), study("2", 50, images=5), study("3", 1)))
    assert noted(store) == [("archive", "2", "fewer_images", 50, 5)]


def test_a_study_that_became_smaller_with_more_images_lost_none(store: Store) -> None:
    load(store, Export(study("1", 100), study("2", 100, images=None)))
    load(store, Export(study("1", 50, images=12), study("2", 50)))
    assert noted(store) == [("archive", "1", "fewer_bytes", 50, 0), ("archive", "2", "fewer_bytes", 50, None)]


def test_an_export_of_a_part_takes_nothing_away_but_may_tell_of_smaller_studies(store: Store) -> None:
    load(store, Export(study("1", 100), study("2", 60, patient="a"), study("2", 40, patient="b")))
    load(store, Export(study("2", 25, patient="b"), whole=False))
    assert noted(store) == [("archive", "2", "fewer_bytes", 15, 0)]


def test_a_study_given_twice_counts_as_it_is_kept(store: Store) -> None:
    load(store, Export(study("1", 100)))
    load(store, Export(study("1", 30), study("1", 80)))
    assert noted(store) == [("archive", "1", "fewer_bytes", 20, 0)], "the last row is kept"


def test_a_crawl_writes_down_what_is_gone_once_and_a_cut_one_nothing(store: Store) -> None:
    load_parts(store, Archive({1: 10, 2: 20, 3: 30}))
    with pytest.raises(PacsmeterError):
        load_parts(store, Archive({1: 10, 3: 33}, dies_at=4))
    assert noted(store) == []
    record = load_parts(store, Archive({1: 10, 3: 33, 4: 44}))
    assert noted(store) == [("archive", "1.2", "gone", 20, None)]
    (row,) = store.current().arrow(sa.select(removals.c.load_id)).to_pylist()
    assert row["load_id"] == record.load_id


def test_what_a_crawl_was_not_asked_for_is_not_gone(store: Store) -> None:
    load_parts(store, Archive({1: 10, 2: 20, 4: 40}))
    later = Archive({4: 40})
    later.kept_before = dt.date(2026, 7, 2)
    load_parts(store, later)
    assert noted(store) == [("archive", "1.2", "gone", 20, None)], "day 1 lies before the first day asked for"


def test_a_crawl_that_is_refused_writes_nothing_down(store: Store) -> None:
    load_parts(store, Archive({1: 10}))
    with pytest.raises(PacsmeterError, match="would be removed"):
        load_parts(store, Archive({}))
    load_parts(store, Archive({1: 10, 2: 20}))
    assert noted(store) == []


@pytest.mark.parametrize("step", ["write_record", "remember"])
def test_a_load_that_dies_after_its_merge_neither_loses_nor_doubles_what_went(
        store: Store, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    load(store, Export(study("1", 100), study("2", 10)))

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken, pytest.raises(KeyboardInterrupt):
        broken.setattr(f"analytics.sources.load.{step}", dies)
        load(store, Export(study("2", 10)))
    found_by = load(store, Export(study("2", 10)))
    assert noted(store) == [("archive", "1", "gone", 100, 10)]
    (row,) = store.current().arrow(sa.select(removals.c.load_id)).to_pylist()
    assert row["load_id"] == found_by


def test_a_load_that_dies_before_it_is_published_is_gone_on_from_without_a_second_count(store: Store) -> None:
    load(store, Export(study("1", 100), study("2", 10)))

    def unpublished(draft: Draft) -> None:
        load_source(draft, Export(study("2", 10)), progress=silent)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), store.draft() as draft:
        unpublished(draft)
    load(store, Export(study("2", 10)))
    assert noted(store) == [("archive", "1", "gone", 100, 10)]


def test_files_that_are_gone_from_a_folder_take_their_study_or_a_part_of_it(
        store: Store, settings: Settings, tmp_path: Path) -> None:
    site = Folder(tmp_path / "site")
    load(store, site.open(settings))
    whole, part = site.path(1), site.path(0, instance=2)  # the first study has two images
    sizes = [path.stat().st_size for path in (whole, part)]
    whole.unlink(), part.unlink()
    load(store, site.open(settings))
    assert [row[1:] for row in noted(store)] == [
        ("1.2.0", "fewer_images", sizes[1], 1), ("1.2.1", "gone", sizes[0], 1)]


def test_a_rolled_back_warehouse_has_its_studies_again_and_none_gone(store: Store) -> None:
    load(store, Export(study("1", 100), study("2", 10)))
    load(store, Export(study("2", 10)))
    store.rollback()
    assert noted(store) == []
    assert store.current().count(studies) == 2
