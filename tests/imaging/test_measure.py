"""Measuring a folder: incremental, one bad file is one row, what is gone is removed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from analytics.core.settings import Settings
from analytics.imaging import measure as measuring
from analytics.imaging.measure import measure_images
from analytics.imaging.measures import MEASURES
from analytics.imaging.sampling import DECODED
from analytics.warehouse.schema import image_measures, instances, sources
from analytics.warehouse.store import Draft, Store
from tests.imaging.pictures import write_image
from tests.support import put

AT = dt.datetime(2026, 3, 2, 10, tzinfo=dt.UTC)


def folder(tmp_path: Path, names: list[str]) -> dict[sa.Table, list[dict[str, Any]]]:
    """Write images and return the rows that a source would have loaded."""
    rng = np.random.default_rng(7)
    rows = []
    for number, name in enumerate(names):
        if not name.startswith("gone"):
            write_image(tmp_path / name, 1000 + rng.normal(40, 8, (64, 64)).round(), RescaleSlope=1,
                        RescaleIntercept=-1000, PixelSpacing=[1.0, 1.0], ConvolutionKernel="H30s")
        if name.startswith("bad"):
            (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:-1000])
        rows.append({"sop_instance_uid": f"1.{name}", "path": name, "series_instance_uid": "2.1", "modality": "CT",
                     "study_instance_uid": "3.1", "rows": 64, "columns": 64, "instance_number": number,
                     "station_name": "CT1", "protocol_name": "HEAD", "acquired_at": AT})
    return {sources: [{"source_id": "test", "kind": "dicom_folder", "location": str(tmp_path), "is_demo": False}],
            instances: rows}


@pytest.fixture
def threads() -> Iterator[Executor]:
    with ThreadPoolExecutor(1) as executor:
        yield executor


def measure(store: Store, settings: Settings, executor: Executor) -> int:
    with store.draft() as draft:
        return measure_images(draft, settings=settings, executor=executor)


def rows_of(store: Store, sop: str) -> dict[str, dict[str, Any]]:
    kept = store.current().arrow(sa.select(image_measures).where(image_measures.c.sop_instance_uid == sop))
    return {row["measure"]: row for row in kept.to_pylist()}


def test_every_measure_of_an_image_is_kept_with_what_it_belongs_to(
        store: Store, settings: Settings, threads: Executor, tmp_path: Path) -> None:
    with store.draft() as draft:
        put(draft, folder(tmp_path, ["a"]))
        assert measure_images(draft, settings=settings, executor=threads) == 1
    rows = rows_of(store, "1.a")
    assert set(rows) == {DECODED, *(item.id for item in MEASURES if item.applies_to("CT"))}
    noise = rows["ct_noise"]
    assert noise["value"] == pytest.approx(8, rel=0.2)
    assert (noise["source_id"], noise["path"], noise["study_instance_uid"], noise["station_name"]) == (
        "test", "a", "3.1", "CT1")
    assert (noise["protocol_name"], noise["acquired_at"]) == ("HEAD", AT)
    assert noise["algorithm"].endswith("; kernel H30s"), "values of two kernels do not compare"


def test_what_is_measured_is_not_measured_again_until_an_algorithm_changes(
        duck_store: Store, settings: Settings, threads: Executor, tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch) -> None:
    with duck_store.draft() as draft:
        put(draft, folder(tmp_path, ["a", "b"]))
    assert measure(duck_store, settings, threads) == 2
    assert measure(duck_store, settings, threads) == 0
    monkeypatch.setattr("analytics.imaging.sampling.algorithm_set", lambda: "measure-set of tomorrow")
    assert measure(duck_store, settings, threads) == 2
    assert measure(duck_store, settings, threads) == 0


def test_one_bad_file_is_one_row_that_says_why(
        store: Store, settings: Settings, threads: Executor, tmp_path: Path) -> None:
    with store.draft() as draft:
        put(draft, folder(tmp_path, ["a", "bad", "gone"]))
    assert measure(store, settings, threads) == 3
    bad, gone = rows_of(store, "1.bad"), rows_of(store, "1.gone")
    assert set(bad) == set(gone) == {DECODED}
    assert bad[DECODED]["value"] == 0
    assert str(tmp_path) not in bad[DECODED]["message"]
    assert "cut short" in bad[DECODED]["message"]
    assert "cannot be opened" in gone[DECODED]["message"]
    assert measure(store, settings, threads) == 1, "a file out of reach is tried again, a damaged one is not"


def test_measures_go_with_their_image_and_those_of_other_kinds_of_source_stay(
        store: Store, settings: Settings, threads: Executor, tmp_path: Path) -> None:
    with store.draft() as draft:
        put(draft, folder(tmp_path, ["a", "b"]))
        put(draft, {sources: [{"source_id": "index", "kind": "index_export", "location": "", "is_demo": False}],
                    image_measures: [{"sop_instance_uid": "9.9", "measure": "noise", "value": 3.0}]}, "index")
    measure(store, settings, threads)
    with store.draft() as draft:
        draft.execute(sa.delete(instances).where(instances.c.path == "a"))
        measure_images(draft, settings=settings, executor=threads)
    assert not rows_of(store, "1.a")
    assert rows_of(store, "1.b") and rows_of(store, "9.9")


def test_batches_that_are_finished_outlive_an_interruption(
        store: Store, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupted(ThreadPoolExecutor):
        left = 7

        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
            self.left -= 1
            if not self.left:
                raise KeyboardInterrupt
            return super().submit(fn, *args, **kwargs)

    monkeypatch.setattr(measuring, "FILES_PER_MERGE", 2)
    with store.draft() as draft:
        put(draft, folder(tmp_path, [f"f{n}" for n in range(10)]))
    with pytest.raises(KeyboardInterrupt), Interrupted(1) as executor:
        measure(store, settings, executor)
    with ThreadPoolExecutor(1) as executor:
        left = measure(store, settings, executor)
    assert 0 < left < 10
    assert store.current().read(sa.select(image_measures)).sop_instance_uid.nunique() == 10


def test_a_pool_of_processes_measures_alike(duck_store: Store, settings: Settings, tmp_path: Path) -> None:
    seen: list[tuple[str, int, int | None]] = []
    with duck_store.draft() as draft:
        put(draft, folder(tmp_path, ["a", "b", "bad"]))
        assert measure_images(draft, settings=settings, progress=lambda *step: seen.append(step)) == 3
        values = _values(draft)
        draft.execute(sa.delete(image_measures))
        with ThreadPoolExecutor(1) as executor:
            measure_images(draft, settings=settings, executor=executor)
        assert values == _values(draft)
    assert seen == [("measuring images", done, 3) for done in (1, 2, 3)]


def _values(draft: Draft) -> list[Any]:
    columns = (image_measures.c.sop_instance_uid, image_measures.c.measure, image_measures.c.value)
    return draft.arrow(sa.select(*columns).order_by(*columns[:2])).to_pylist()
