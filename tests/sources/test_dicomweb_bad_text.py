"""Text that no warehouse can keep, and UIDs that cannot be asked for, cost no other record anything."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from analytics.core.settings import Settings
from analytics.sources.load import LoadRecord, load_source
from analytics.sources.open import open_source
from analytics.warehouse.schema import quarantine, series, studies
from analytics.warehouse.store import Store
from tests.sources.qido_server import dicom_json
from tests.sources.site_dicomweb import DicomWebSite


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[DicomWebSite]:
    made = DicomWebSite(tmp_path / "site")
    yield made
    made.close()


def load(store: Store, settings: Settings, archive: DicomWebSite) -> LoadRecord:
    with store.draft() as draft:
        return load_source(draft, open_source(archive.spec, settings))


def test_characters_that_end_a_text_or_are_half_of_one(store: Store, settings: Settings, archive: DicomWebSite) -> None:
    archive.qido.studies[0] |= dicom_json(StudyDescription="HEAD\x00NECK", PatientName="A\x00^B", PatientID="P\x00")
    archive.qido.studies[1] |= dicom_json(StudyDescription="HEAD\ud800", PatientName="A\udc00^B", PatientID="P\ud800")
    record = load(store, settings, archive)
    described = sa.select(studies.c.study_description).order_by(studies.c.study_instance_uid)
    assert store.current().arrow(described).column(0).to_pylist() == ["HEADNECK", "HEAD\ufffd", "HEAD"]
    assert (record.left_out, store.current().count(series)) == (0, 3)


@pytest.mark.parametrize("uid", ["1.2.9A", "1.2/../9", "ZWICKERBAUER"])
def test_a_study_whose_uid_is_none_keeps_the_others(
        duck_store: Store, settings: Settings, archive: DicomWebSite, uid: str) -> None:
    archive.qido.studies[1] |= dicom_json(StudyInstanceUID=uid)
    for _ in range(2):
        load(duck_store, settings, archive)
        warehouse = duck_store.current()
        assert (warehouse.count(studies), warehouse.count(series)) == (3, 2)
        (bad,) = warehouse.arrow(sa.select(quarantine.c.reason_code, quarantine.c.locator)).to_pylist()
        assert bad["reason_code"] == "bad_uid" and uid not in bad["locator"]


def test_a_number_beyond_all_numbers(duck_store: Store, settings: Settings, archive: DicomWebSite) -> None:
    archive.qido.studies[1]["00201208"] = {"vr": "IS", "Value": [float("inf")]}
    record = load(duck_store, settings, archive)
    assert record.by_table["studies"].added == 3
    assert "1 studies have a date, time or number that cannot be read" in record.message
