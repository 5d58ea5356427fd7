"""The sample: every week of every device, the middle of each series first, and the same every time."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pandas as pd
import sqlalchemy as sa

from analytics.imaging.measures import algorithm_set
from analytics.imaging.sampling import DECODED, choose_sample
from analytics.warehouse.schema import files, image_measures, instances, sources
from analytics.warehouse.store import Store
from tests.support import Rows, build

MONDAY = dt.datetime(2026, 3, 2, 10, tzinfo=dt.UTC)
FOLDER = {"source_id": "test", "kind": "dicom_folder", "location": "/images", "is_demo": False}


def image(uid: str, series: str = "s", number: int = 1, day: int = 0, **changes: Any) -> dict[str, Any]:
    return {"sop_instance_uid": uid, "path": f"{uid}.dcm", "series_instance_uid": series, "study_instance_uid": "st",
            "instance_number": number, "rows": 64, "modality": "CT", "station_name": "CT1",
            "acquired_at": MONDAY + dt.timedelta(days=day), **changes}


def sample(store: Store, rows: Rows, measures: Rows = (), more: dict[sa.Table, Rows] | None = None,
           **options: Any) -> pd.DataFrame:
    tables: dict[sa.Table, Rows] = {sources: [FOLDER], instances: rows, image_measures: measures, **(more or {})}
    return choose_sample(build(store, tables), **options)


def test_a_small_folder_is_measured_whole(store: Store) -> None:
    rows = [image(f"1.{n}", number=n) for n in range(5)]
    assert len(sample(store, rows, per_device_week=1, measure_all_up_to=5)) == 5
    assert len(choose_sample(store.current(), per_device_week=1, measure_all_up_to=4)) == 1


def test_each_week_of_each_device_has_its_share_and_the_middle_of_each_series_comes_first(store: Store) -> None:
    rows = [image(f"{series}.{n}", series, n, day) for series, day in (("a", 0), ("b", 3), ("c", 7))
            for n in range(1, 8)]
    rows += [image(f"d.{n}", "d", n, 0, station_name="CT2") for n in range(1, 4)]
    two = sample(store, rows, per_device_week=2, measure_all_up_to=0)
    # Series a and b are of one week, c of the next: the middle of a and b, then of c its middle and the one beside.
    assert sorted(two.sop_instance_uid) == ["a.4", "b.4", "c.3", "c.4", "d.1", "d.2"]
    assert two.equals(choose_sample(store.current(), per_device_week=2, measure_all_up_to=0))


def test_what_has_no_picture_to_judge_is_not_sampled(store: Store) -> None:
    rows = [
        image("1.1"), image("1.2", modality="SR"), image("1.3", rows=None), image("1.4", has_pixel_data=False),
        image("1.5", image_type="ORIGINAL\\PRIMARY\\LOCALIZER"), image("1.1", path="copy.dcm"),
        image("1.6", source_id="elsewhere"),
    ]
    assert sample(store, rows)[["sop_instance_uid", "path", "location"]].values.tolist() == [
        ["1.1", "1.1.dcm", "/images"]]


def test_what_these_algorithms_have_measured_is_left_out_and_its_share_is_used(store: Store) -> None:
    rows = [image(f"1.{n}", f"s{n}") for n in range(6)]
    now = f"{algorithm_set()}; file 90 7"
    done = [{"sop_instance_uid": "1.0", "measure": DECODED, "algorithm": now},
            {"sop_instance_uid": "1.1", "measure": DECODED, "algorithm": "measure-set of yesterday; file 90 7"},
            {"sop_instance_uid": "1.2", "measure": "noise", "algorithm": now},
            {"sop_instance_uid": "1.3", "measure": DECODED, "algorithm": now}]
    held = [{"path": f"1.{n}.dcm", "size_bytes": 90, "modified_ns": 8 if n == 3 else 7, "status": "read"}
            for n in range(6)]
    got = sample(store, rows, done, {files: held})
    assert sorted(got.sop_instance_uid) == [f"1.{n}" for n in range(1, 6)], "the file of 1.3 has changed"


def test_a_device_without_a_name_is_known_by_its_serial_number(store: Store) -> None:
    got = sample(store, [image("1.1", station_name=None, device_serial_number="SN7", content_at=MONDAY,
                               acquired_at=None)])
    assert got.station_name.tolist() == ["SN7"]
    assert got.acquired_at.tolist() == [MONDAY]
