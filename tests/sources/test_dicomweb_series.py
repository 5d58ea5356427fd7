"""Which series a DICOMweb server is asked for, and what becomes of those that it does not give."""

from __future__ import annotations

from datetime import date

import pytest
import sqlalchemy as sa

from analytics.core.errors import PacsmeterError
from analytics.core.settings import Settings
from analytics.sources.base import Batch, Known, KnownStudy, Part
from analytics.sources.load import open_source
from analytics.warehouse.schema import quarantine, series, studies
from analytics.warehouse.store import Store
from tests.sources import dicomweb_hospital
from tests.sources.dicomweb_hospital import add, hospital, load
from tests.sources.qido_server import Qido, dicom_json, serving
from tests.sources.sites import IDS

patience = dicomweb_hospital.patience


@pytest.mark.parametrize("at_once", [1, 500])
def test_one_uid_under_two_patients_is_two_studies_of_the_same_series(
        duck_store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    monkeypatch.setattr("analytics.sources.dicomweb.STUDIES_PER_BATCH", at_once)
    qido = Qido()
    for patient in IDS[:2]:
        add(qido, 1, StudyDate="20260701", PatientID=patient)
    with serving(qido):
        record = load(duck_store, qido, settings)
    warehouse = duck_store.current()
    assert (warehouse.count(studies), warehouse.count(series), record.left_out) == (2, 2, 0)


class Knows(Known):
    """The warehouse after a load."""

    def __init__(self, *known: KnownStudy, marks: dict[str, str] | None = None) -> None:
        super().__init__()
        self.known, self.marks = {one.study_instance_uid: one for one in known}, marks or {}

    def studies(self, first: date | None, last: date | None) -> dict[str, KnownStudy]:
        return self.known


def test_series_are_asked_for_where_a_study_is_new_or_its_numbers_changed(settings: Settings) -> None:
    qido = Qido()
    for number in range(6):
        add(qido, number, StudyDate="20260701")
    qido.studies[4] |= dicom_json(NumberOfStudyRelatedInstances="")
    known = Knows(KnownStudy("1.2.0", 2, 5, "CT", "CT7"), KnownStudy("1.2.1", 2, 4), KnownStudy("1.2.2", 1, 5),
                  KnownStudy("1.2.4", 2, None), KnownStudy("1.2.5", 2, 5),
                  marks={"ask again for series: some part": "1.2.5 1.2.77",
                         "series read as": "UTC from 0001-01-01"})
    with serving(qido):
        given = list(open_source(qido.spec, settings).batches(known, lambda *_: None))
    asked = {path.split("/")[3] for path in qido.asked if "/series" in path}
    assert asked == {"1.2.1", "1.2.2", "1.2.3", "1.2.4", "1.2.5"}, "new, changed, unknown, and not had last time"
    assert [one.kept_series for one in given if isinstance(one, Part) and one.records] == [("1.2.0",)]
    rows = [row for one in given if isinstance(one, Batch) and one.table is studies for row in one.rows.to_pylist()]
    assert next(row["station_name"] for row in rows if row["study_instance_uid"] == "1.2.0") == "CT7"


def test_series_that_the_server_cuts_short_are_had_by_modality(duck_store: Store, settings: Settings) -> None:
    qido = Qido(cap=100, ignores=frozenset({"offset"}))
    add(qido, 1, StudyDate="20260701", ModalitiesInStudy=["CT", "MR"], NumberOfStudyRelatedSeries=180)
    qido.series["1.2.1"] = [
        dicom_json(SeriesInstanceUID=f"1.2.1.{n}", Modality=("CT", "MR")[n % 2]) for n in range(180)]
    with serving(qido):
        load(duck_store, qido, settings)
    assert duck_store.current().count(series) == 180


def test_series_that_the_server_never_gives_are_said_and_asked_for_again(
        duck_store: Store, settings: Settings) -> None:
    qido = Qido(cap=100, ignores=frozenset({"offset"}))
    add(qido, 1, StudyDate="20260701", NumberOfStudyRelatedSeries=180)
    qido.series["1.2.1"] = [dicom_json(SeriesInstanceUID=f"1.2.1.{n}", Modality="CT") for n in range(180)]
    with serving(qido):
        assert "1 studies have fewer series" in load(duck_store, qido, settings).message
        qido.cap = 0
        assert "fewer" not in load(duck_store, qido, settings).message
    assert duck_store.current().count(series) == 180


def test_one_study_whose_series_fail_is_named_and_keeps_what_it_had(duck_store: Store, settings: Settings) -> None:
    qido = hospital(20, 0)
    with serving(qido):
        load(duck_store, qido, settings)
        qido.studies[7] |= dicom_json(NumberOfStudyRelatedInstances=6)
        qido.fails = "1.2.7/series"
        record = load(duck_store, qido, settings)
    assert record.left_out == 1
    (row,) = duck_store.current().arrow(sa.select(quarantine)).to_pylist()
    assert (row["locator"], row["reason_code"]) == ("series of study 1.2.7", "not_answered")
    assert duck_store.current().count(series) == 40


def test_a_server_that_fails_for_all_series_is_left(settings: Settings) -> None:
    qido = hospital(50, 0)
    qido.fails = "/series"
    with serving(qido), pytest.raises(PacsmeterError, match="series with an error"):
        list(open_source(qido.spec, settings).batches(Known(), lambda *_: None))


def test_studies_alone_are_asked_for_and_their_known_series_stay(duck_store: Store, settings: Settings) -> None:
    qido = hospital(20, 0)
    with serving(qido):
        load(duck_store, qido, settings)
        add(qido, 900, StudyDate="20240105", StudyTime="1200")
        qido.asked.clear()
        record = load(duck_store, qido, settings, series=False)
    assert not [path for path in qido.asked if path.split("?")[0].endswith("/series")]
    assert (record.by_table["studies"].added, record.by_table["series"].unchanged) == (1, 40)
