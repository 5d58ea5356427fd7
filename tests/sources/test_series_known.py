"""Which studies a crawl need not ask for their series again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from analytics.core.settings import Settings
from analytics.sources.base import Known, KnownStudy
from analytics.sources.crawl import Leaf
from analytics.sources.load import load_source
from analytics.sources.open import open_source
from analytics.sources.series_known import SeriesKnown
from analytics.warehouse.schema import marks, series
from analytics.warehouse.store import Store
from tests.sources.qido_server import dicom_json
from tests.sources.site_dicomweb import DicomWebSite

DAY = date(2026, 7, 1)
LEAF = Leaf("studies 2026-07-01..2026-07-31", DAY, date(2026, 7, 31), [], 0)


class Held(Known):
    """A warehouse that knows two studies of one series of ten images, by a load that began in 2026."""

    def __init__(self, **held: str) -> None:
        super().__init__()
        self.marks = {"series read as": "UTC from 2026-01-01"} | held

    def studies(self, first: date | None, last: date | None) -> dict[str, KnownStudy]:
        return {uid: KnownStudy(uid, 1, 10, "CT") for uid in ("1.1", "1.2")}


def row(uid: str = "1.1", number: int = 10, day: date = DAY) -> dict[str, Any]:
    return {"study_instance_uid": uid, "number_of_series": 1, "number_of_instances": number, "study_date": day}


def kept(known: Known, *rows: dict[str, Any], read_as: str = "UTC") -> set[str]:
    return set(SeriesKnown(known, read_as, with_series=True, since=None).taken_over(LEAF, rows).said)


def test_series_stay_where_the_numbers_of_their_study_do() -> None:
    assert kept(Held(), row(), row("1.2", 11), row("1.3")) == {"1.1"}


def test_series_of_a_uid_under_two_patients_stay_where_neither_changed() -> None:
    assert kept(Held(), row(), row()) == {"1.1"}
    assert kept(Held(), row(), row(number=12)) == set()
    assert kept(Held(), row(number=12), row()) == set()


def test_series_that_were_read_otherwise_or_never_are_asked_for() -> None:
    assert kept(Held(), row(), read_as="Europe/Vienna") == set(), "their times would be those of another zone"
    assert kept(Held(**{"series read as": ""}), row()) == set(), "the last load asked for no series"
    assert kept(Held(), row(day=date(2025, 7, 1))) == set(), "no load asked for the series of that day"


@pytest.mark.parametrize(("since", "mark"), [
    (None, "UTC from 0001-01-01"), (date(2025, 1, 1), "UTC from 2025-01-01"),
    (date(2026, 3, 1), "UTC from 2026-01-01")])
def test_how_far_back_series_were_read_is_remembered(since: date | None, mark: str) -> None:
    assert SeriesKnown(Held(), "UTC", with_series=True, since=since).end_marks()["series read as"] == mark


def test_another_zone_is_remembered_from_where_it_was_asked_for() -> None:
    marks_at_end = SeriesKnown(Held(), "Asia/Tokyo", with_series=True, since=date(2026, 3, 1)).end_marks()
    assert marks_at_end["series read as"] == "Asia/Tokyo from 2026-03-01"


def test_what_parts_of_earlier_loads_remember_is_let_go_of() -> None:
    held = Held(**{"ask again for series: studies 2026-07-01..2026-07-30": "1.1",
                   f"ask again for series: {LEAF.name}": "1.2"})
    known = SeriesKnown(held, "UTC", with_series=True, since=None)
    known.part_marks(LEAF.name, ["1.1"])
    assert known.end_marks() == {"ask again for series: studies 2026-07-01..2026-07-30": "",
                                 "series read as": "UTC from 0001-01-01"}
    assert list(SeriesKnown(held, "UTC", with_series=True, since=DAY).end_marks()) == ["series read as"]


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[DicomWebSite]:
    made = DicomWebSite(tmp_path / "site")
    yield made
    made.close()


def load(store: Store, settings: Settings, archive: DicomWebSite, **options: Any) -> None:
    with store.draft() as draft:
        load_source(draft, open_source(archive.spec, settings, **options))


def test_series_that_a_load_left_out_come_with_the_next(
        duck_store: Store, settings: Settings, archive: DicomWebSite) -> None:
    load(duck_store, settings, archive, series=False)
    assert duck_store.current().count(series) == 0
    load(duck_store, settings, archive)
    assert duck_store.current().count(series) == 3
    archive.qido.asked.clear()
    load(duck_store, settings, archive)
    assert not [one for one in archive.qido.asked if "/series" in one]
    held = duck_store.current().arrow(sa.select(marks.c.name, marks.c.value)).to_pylist()
    assert held == [{"name": "series read as", "value": "UTC from 0001-01-01"}]


def test_another_zone_reaches_the_series_too(duck_store: Store, settings: Settings, archive: DicomWebSite) -> None:
    archive.qido.series["1.2.0"][0] |= dicom_json(SeriesDate="20260701", SeriesTime="100000")
    for zone, hour in (("UTC", 10), ("Europe/Vienna", 8)):
        load(duck_store, settings, archive, zone=zone)
        at = sa.select(series.c.series_at).where(series.c.series_instance_uid == "1.2.0.1")
        assert duck_store.current().scalar(at).hour == hour
