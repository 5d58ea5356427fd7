"""What the pages ask: counts, devices, findings with their picture, one image with its limits, its file."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from analytics.core.errors import PacsmeterError
from analytics.core.filters import Filters
from analytics.core.settings import Settings
from analytics.imaging.quality import (
    charts_available,
    findings_with_picture,
    image_detail,
    images_of_study,
    locate,
    measures_by_device,
    quality_summary,
    values_of_images,
)
from analytics.warehouse.schema import findings, image_measures, instances, sources, studies
from analytics.warehouse.store import Store, Warehouse
from tests.support import build, put

START = dt.datetime(2026, 1, 5, 9, tzinfo=dt.UTC)
BY_HAND = (39, 41, 41, 41, 43, 44, 41, 42, 40, 41)   # limits 37.753 and 44.847: see test_control.py


def row(number: int, value: float | None, measure: str = "noise", station: str = "CT1",
        **changes: Any) -> dict[str, Any]:
    return {"sop_instance_uid": f"1.{number}", "series_instance_uid": f"2.{number}", "measure": measure,
            "study_instance_uid": f"3.{number}", "modality": "CT", "station_name": station, "protocol_name": "HEAD",
            "algorithm": "a 1", "unit": "{gray-level}", "value": value,
            "acquired_at": START + dt.timedelta(days=number), **changes}


def finding(number: int, check_id: str, severity: str, **changes: Any) -> dict[str, Any]:
    return {"check_id": check_id, "severity": severity, "category": "image", "sop_instance_uid": f"1.{number}",
            "found_date": (START + dt.timedelta(days=number)).date(), "modality": "CT", "station_name": "CT1",
            "site": "North", "evidence": "seen", **changes}


@pytest.fixture
def warehouse(store: Store) -> Warehouse:
    build(store, {
        sources: [{"source_id": "test", "kind": "dicom_folder", "location": "/images", "is_demo": False}],
        studies: [{"study_instance_uid": f"3.{n}", "patient_key": "p", "site": "North" if n < 8 else "South",
                   "study_at": START + dt.timedelta(days=n), "modality": "CT"} for n in range(12)],
        instances: [{"sop_instance_uid": f"1.{n}", "path": f"f{n}", "study_instance_uid": f"3.{n}", "rows": 64,
                     "series_instance_uid": f"2.{n}", "instance_number": n} for n in (0, 10)],
        image_measures: [
            *(row(n, float(value)) for n, value in enumerate(BY_HAND)),
            *(row(n, 1.0, "decoded") for n in range(10)), row(10, 60.0, algorithm="a 1"), row(10, 1.0, "decoded"),
            row(11, 0.0, "decoded", message="cut short"), row(10, None, "ct_noise", message="No soft tissue."),
            row(12, 5.0, station="CT2", study_instance_uid="unknown"),
        ],
    }).close()
    with store.draft() as draft:
        put(draft, {findings: [
            finding(10, "IMG703", "warning", site="South"), finding(10, "IMG705", "warning", site="South"),
            finding(0, "IMG701", "error"), finding(11, "IMG708", "info", site="South"),
            finding(5, "TMP301", "error", category="temporal"),
        ]})
    return store.current()


def test_summary_counts_images_once(warehouse: Warehouse) -> None:
    whole = quality_summary(warehouse, Filters())
    assert (whole.images_measured, whole.images_out_of_limits, whole.images_unmeasurable, whole.devices) == (
        12, 2, 1, 2)
    assert (whole.first_acquired_at, whole.last_acquired_at) == (START, START + dt.timedelta(days=12))
    south = quality_summary(warehouse, Filters(sites=("South",)))
    assert (south.images_measured, south.images_out_of_limits, south.images_unmeasurable) == (3, 1, 1)
    assert quality_summary(warehouse, Filters(modalities=("MR",))).images_measured == 0
    one_day = Filters(date_from=START.date(), date_to=START.date())
    assert (quality_summary(warehouse, one_day).images_measured,
            quality_summary(warehouse, one_day).images_out_of_limits) == (1, 1)


def test_the_spread_on_each_device(warehouse: Warehouse) -> None:
    got = measures_by_device(warehouse, Filters(), "noise").set_index("station_name")
    # CT1: 39 40 41 41 41 41 41 42 43 44 60; median 41, 10 % the 2nd (40), 90 % the 10th (44).
    assert got.loc["CT1", ["images", "median", "p10", "p90"]].tolist() == [11, 41, 40, 44]
    assert got.loc["CT2", ["images", "median"]].tolist() == [1, 5]
    assert measures_by_device(warehouse, Filters(station_names=("CT2",)), "noise").station_name.tolist() == ["CT2"]
    assert values_of_images(warehouse, Filters(), "noise", limit=2).value.tolist() == [5, 60]


def test_charts_with_points_outside_come_first(warehouse: Warehouse) -> None:
    got = charts_available(warehouse, Filters(), "noise")
    assert got[["station_name", "points", "outside", "has_limits"]].values.tolist() == [
        ["CT1", 11, 1, True], ["CT2", 1, 0, False]]


def test_findings_come_worst_first_and_say_whether_there_is_a_picture(warehouse: Warehouse) -> None:
    got = findings_with_picture(warehouse, Filters())
    assert got[["check_id", "has_picture"]].values.tolist() == [
        ["IMG701", True], ["IMG703", True], ["IMG705", True], ["IMG708", False]]
    assert findings_with_picture(warehouse, Filters(sites=("North",))).check_id.tolist() == ["IMG701"]
    assert len(findings_with_picture(warehouse, Filters(), limit=1)) == 1


def test_one_image_has_its_measures_with_limits_and_meaning(warehouse: Warehouse) -> None:
    got = image_detail(warehouse, "1.10").set_index("measure")
    # 11 points, all baseline: mean 473/11 = 43, ranges (12 + 19)/10 = 3.1; 43 -+ 8.246
    assert (got.loc["noise", "lower"], got.loc["noise", "center"], got.loc["noise", "upper"]) == pytest.approx(
        (43 - 8.246, 43, 43 + 8.246))
    assert got.loc["noise", "out_of_limits"]
    assert (got.loc["noise", "shown"], got.loc["noise", "direction"]) == ("60", "lower")
    assert "Immerkaer" in got.loc["noise", "citation"]
    assert (got.loc["ct_noise", "shown"], got.loc["ct_noise", "message"]) == ("–", "No soft tissue.")
    assert "decoded" not in got.index
    assert image_detail(warehouse, "no.such").empty


def test_an_image_is_located_or_it_is_said_what_to_do(warehouse: Warehouse, settings: Settings) -> None:
    key_file = settings.pseudonym_key_file
    assert locate(warehouse, "1.10", key_file) == Path("/images/f10")
    assert images_of_study(warehouse, "3.10").sop_instance_uid.tolist() == ["1.10"]
    with pytest.raises(PacsmeterError, match="Load the folder"):
        locate(warehouse, "1.5", key_file)


def test_an_index_without_files_locates_nothing(store: Store, settings: Settings) -> None:
    warehouse = build(store, {
        sources: [{"source_id": "test", "kind": "index_export", "location": "x.csv", "is_demo": False}],
        instances: [{"sop_instance_uid": "1.1", "path": "f"}]})
    assert warehouse.count(sa.select(instances)) == 1
    with pytest.raises(PacsmeterError, match="No folder"):
        locate(warehouse, "1.1", settings.pseudonym_key_file)
