"""dcm4chee's database: numbers worked out by hand from the rows that are in it."""

from __future__ import annotations

import datetime as dt
import logging
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from analytics.core.settings import Settings
from analytics.sources import dcm4chee_index, dcm4chee_workflow
from analytics.sources.base import Identity
from analytics.sources.load import load_source
from analytics.warehouse.schema import orders, patient_merges, studies
from analytics.warehouse.store import Store
from tests.sources.dcm4chee_database import Dcm4cheeDatabase, Reading, dataset
from tests.sources.site_dcm4chee import Dcm4cheeArchive
from tests.sources.sites import BORN, IDS, NAMES, SECRETS, Export
from tests.sources.test_privacy import every_text


@pytest.fixture
def archive(postgres_url: str) -> Dcm4cheeDatabase:
    """Give an empty archive."""
    return Dcm4cheeDatabase(postgres_url)


def whole(archive: Dcm4cheeDatabase, uid: str = "1.2.1", **values: Any) -> int:
    """Add a study of a patient of its own."""
    return archive.study(archive.patient([f"ID{uid}"]), uid, **values)


def test_a_study_as_the_columns_have_it(archive: Dcm4cheeDatabase, settings: Settings) -> None:
    patient = archive.patient([IDS[0]], NAMES[0], BORN[0], "F")
    study = archive.study(
        patient, "1.2.1", accession_no="A1", study_desc="CHEST", study_date="20260701", study_time="101500.250",
        study_size=3_000, storage_ids="fs1", rejection_state=1, completeness=2, expiration_date="20360701",
        created_time="2026-07-01 10:20:00", access_time="2026-08-02 08:00:00",
        attrs=dataset((0x00101010, "AS", "083Y")))
    about = dataset((0x00080005, "CS", "ISO_IR 100"), (0x00080021, "DA", "20260701"), (0x00080031, "TM", "101600"),
                    (0x00080070, "LO", "M\xe9dical"), (0x00081090, "LO", "Model 1"), (0x00081111, "SQ", [
                        dataset((0x00081150, "UI", "1.2.3"))]), (0x00181030, "LO", "Thorax"))
    series = archive.series(
        study, "1.2.1.1", modality="CT", station_name="CT1", institution="North", body_part="CHEST", laterality="L",
        series_no=2, series_desc="AXIAL", series_size=3_000, tsuid="1.2.840.10008.1.2.4.70",
        created_time="2026-07-01 10:19:00", attrs=about)
    archive.object(series, "1.2.1.1.1", ("fs1", 1_000))
    archive.object(series, "1.2.1.1.2", ("fs1", 2_000))
    read = Reading(archive, settings, "Europe/Berlin")

    row = read.of("1.2.1")
    assert {name: row[name] for name in (
        "accession_number", "site", "institution_name", "station_name", "manufacturer", "manufacturer_model_name",
        "modality", "modalities_in_study", "study_description", "body_part_examined", "patient_age_years",
        "patient_birth_year", "patient_sex", "number_of_series", "number_of_instances", "size_bytes",
        "transfer_syntax_uid", "storage_tier", "rejection_state", "completeness")} == {
        "accession_number": "A1", "site": "North", "institution_name": "North", "station_name": "CT1",
        "manufacturer": "Médical", "manufacturer_model_name": "Model 1", "modality": "CT", "modalities_in_study": "CT",
        "study_description": "CHEST", "body_part_examined": "CHEST", "patient_age_years": 83.0,
        "patient_birth_year": 1943, "patient_sex": "F", "number_of_series": 1, "number_of_instances": 2,
        "size_bytes": 3_000, "transfer_syntax_uid": "1.2.840.10008.1.2.4.70", "storage_tier": "fs1",
        "rejection_state": "partial", "completeness": "complete"}
    at = dt.datetime
    assert (row["study_date"], row["expires_date"]) == (dt.date(2026, 7, 1), dt.date(2036, 7, 1))
    assert row["study_at"] == at(2026, 7, 1, 8, 15, 0, 250_000, tzinfo=dt.UTC), "device and server are two hours ahead"
    assert row["stored_at"] == at(2026, 7, 1, 8, 19, tzinfo=dt.UTC), "the first series came before the study's record"
    assert row["last_accessed_at"] == at(2026, 8, 2, 6, tzinfo=dt.UTC)
    (one,) = read.tables["series"]
    assert (one["series_number"], one["series_description"], one["laterality"], one["protocol_name"]) == (
        2, "AXIAL", "L", "Thorax")
    assert one["series_at"] == at(2026, 7, 1, 8, 16, tzinfo=dt.UTC)
    assert [secret for secret in SECRETS if secret in read.said] == []


def test_empty_columns_are_empty(archive: Dcm4cheeDatabase, settings: Settings) -> None:
    study = archive.study(archive.patient([]), "1.2.1", storage_ids=None)
    archive.series(study, "1.2.1.1")
    read = Reading(archive, settings)
    row = read.of("1.2.1")
    empty = {name for name, value in row.items() if value is None}
    assert {"accession_number", "study_date", "study_at", "expires_date", "modality", "modalities_in_study",
            "station_name", "institution_name", "study_description", "storage_tier", "name_key", "birth_date_key",
            "patient_sex", "transfer_syntax_uid"} <= empty
    assert (row["patient_key"], row["number_of_instances"], row["size_bytes"]) == ("", 0, 0)
    assert "*" not in str([*read.tables["studies"], *read.tables["series"]])
    assert read.noted("cannot be read") == 0, "an empty date is not a bad one"


@pytest.mark.parametrize("size", [-1, -2], ids=["not calculated", "being calculated"])
def test_a_size_that_is_not_filled_in_is_that_of_the_files(
        archive: Dcm4cheeDatabase, settings: Settings, size: int) -> None:
    study = whole(archive, study_size=size)
    first, second = (archive.series(study, f"1.2.1.{n}", series_size=own) for n, own in ((1, size), (2, 500)))
    metadata = {"object_type": 1, "object_size": 7}
    missing, differs = ({"status": status, "object_size": 40} for status in (3, 6))
    archive.object(first, "1.2.1.1.1", ("fs1", 1_000), metadata)
    archive.object(first, "1.2.1.1.2", ("fs1", 200), missing)
    archive.object(first, "1.2.1.1.3", differs)
    archive.object(second, "1.2.1.2.1", ("fs1", 500))
    read = Reading(archive, settings)
    assert {row["series_instance_uid"]: row["size_bytes"] for row in read.tables["series"]} == {
        "1.2.1.1": 1_000 + 200 + 40, "1.2.1.2": 500}
    assert read.of("1.2.1")["size_bytes"] == 1_740
    assert read.noted("had no size in the archive") == 1


def test_a_size_that_is_filled_in_is_read_where_there_are_no_copies(
        archive: Dcm4cheeDatabase, settings: Settings) -> None:
    study = whole(archive, study_size=900)
    archive.object(archive.series(study, "1.2.1.1", series_size=900), "1.2.1.1.1")  # its files are not looked at
    read = Reading(archive, settings)
    assert (read.of("1.2.1")["size_bytes"], read.notes) == (900, {})


def test_a_copy_on_a_second_storage_takes_its_bytes(archive: Dcm4cheeDatabase, settings: Settings) -> None:
    study = whole(archive, study_size=1_000, storage_ids="fs1\\s3")
    archive.object(archive.series(study, "1.2.1.1", series_size=1_000), "1.2.1.1.1", ("fs1", 1_000), ("s3", 1_000))
    read = Reading(archive, settings)
    row = read.of("1.2.1")
    assert (row["size_bytes"], row["number_of_instances"], row["storage_tier"]) == (2_000, 1, "fs1")
    assert read.noted("several storages: every copy") == 1


def test_a_file_that_two_studies_share_is_noted(archive: Dcm4cheeDatabase, settings: Settings) -> None:
    for uid in ("1.2.1", "1.2.2"):
        shared = {"object_size": 600, "multi_ref": 7}
        archive.object(archive.series(whole(archive, uid), f"{uid}.1"), f"{uid}.1.1", shared)
    read = Reading(archive, settings)
    assert [row["size_bytes"] for row in read.tables["studies"]] == [600, 600]
    assert read.noted("which counts 600 bytes again") == 1


def test_numbers_of_instances(archive: Dcm4cheeDatabase, settings: Settings) -> None:
    """Filled in by view, not filled in, partly rejected, and hidden from every view: 3 objects each."""
    study = whole(archive)
    filled, lazy, rejected, hidden = (
        archive.series(study, f"1.2.1.{n}", rejection_state=int(n == 3), modality="CT") for n in (1, 2, 3, 4))
    for series in (lazy, rejected, hidden):
        for number in range(3):
            archive.object(series, f"1.2.{series}.{number}")
    for view, number in (("regular", 3), ("only-rejected", 0)):
        archive.add("series_query_attrs", series_fk=filled, view_id=view, num_instances=number)
    archive.add("series_query_attrs", series_fk=lazy, view_id="regular", num_instances=None)
    archive.add("series_query_attrs", series_fk=rejected, view_id="regular", num_instances=1)
    archive.add("series_query_attrs", series_fk=hidden, view_id="regular", num_instances=0)
    archive.add("study_query_attrs", study_fk=study, view_id="regular", num_instances=4, num_series=2)
    read = Reading(archive, settings)
    assert [row["number_of_instances"] for row in read.tables["series"]] == [3, 3, 3, 3]
    assert (read.of("1.2.1")["number_of_instances"], read.of("1.2.1")["number_of_series"]) == (12, 4)


def test_purged_records_are_known_by_the_archives_own_figures(archive: Dcm4cheeDatabase, settings: Settings) -> None:
    for uid, size, number in (("1.2.1", 800, 5), ("1.2.2", -1, None)):
        series = archive.series(whole(archive, uid), f"{uid}.1", inst_purge_state=1, series_size=size)
        archive.add("series_query_attrs", series_fk=series, view_id="regular", num_instances=number)
    both = archive.series(whole(archive, "1.2.3", storage_ids="fs1\\s3", study_size=700), "1.2.3.1", series_size=700,
                          inst_purge_state=1)
    archive.add("study_query_attrs", study_fk=3, view_id="regular", num_instances=9)
    read = Reading(archive, settings)
    assert both == 3
    assert [(row["size_bytes"], row["number_of_instances"]) for row in read.tables["studies"]] == [
        (800, 5), (None, None), (700, 9)]
    assert (read.noted("have no size"), read.noted("have no number"), read.noted("are of one copy")) == (1, 1, 1)


def test_the_modality_of_a_study_is_that_of_most_images(archive: Dcm4cheeDatabase, settings: Settings) -> None:
    study = whole(archive)
    for modality, station, objects in (("SR", "WS", 5), ("PT", "PET1", 1), ("CT", "PET1", 2), ("CT", "PET1", 2)):
        number = archive.add("series", study_fk=study, series_iuid=f"{modality}{objects}{station}{id(object())}",
                             modality=modality, station_name=station)
        for one in range(objects):
            archive.object(number, f"{number}.{one}")
    row = Reading(archive, settings).of("1.2.1")
    assert (row["modality"], row["modalities_in_study"], row["station_name"]) == ("CT", "CT\\PT\\SR", "PET1")


def test_rejected_and_empty_studies(archive: Dcm4cheeDatabase, settings: Settings) -> None:
    for state in range(4):
        whole(archive, f"1.2.{state}", rejection_state=state, completeness=min(state, 2))
    read = Reading(archive, settings)
    assert [(row["rejection_state"], row["completeness"]) for row in read.tables["studies"]] == [
        ("none", "unknown"), ("partial", "partial"), ("complete", "complete"), ("none", "complete")]
    assert read.noted("state EMPTY") == 1
    assert [(row["number_of_series"], row["size_bytes"]) for row in read.tables["studies"]] == [(0, 0)] * 4


def test_a_clock_gone_wild_leaves_a_time_empty_and_loses_nothing(
        archive: Dcm4cheeDatabase, settings: Settings) -> None:
    whole(archive, "1.2.1", study_date="20261341", study_time="997000", expiration_date="never",
          created_time="infinity", access_time="12026-01-01 00:00:00")
    whole(archive, "1.2.2", created_time="2026-10-25 02:30:00", access_time="2026-03-29 02:30:00")
    read = Reading(archive, settings, "Europe/Berlin")
    row = read.of("1.2.1")
    assert [row[name] for name in ("study_date", "study_at", "expires_date", "stored_at", "last_accessed_at")] == [
        None] * 5
    assert read.noted("date or time that cannot be read") == 1
    twice = read.of("1.2.2")["stored_at"]
    assert twice == dt.datetime(2026, 10, 25, 0, 30, tzinfo=dt.UTC), "the earlier, where the clock shows it twice"


def test_damaged_datasets_are_noted_and_lose_nothing(archive: Dcm4cheeDatabase, settings: Settings) -> None:
    whole_one = dataset((0x00080005, "CS", "ISO_IR 999"), (0x00080070, "LO", "Maker"))
    study = whole(archive)
    for number, attrs in enumerate((whole_one, whole_one[:-3], b"\x08\x00\x70\x00??\x04\x00Mak", b"\x08")):
        archive.series(study, f"1.2.1.{number}", modality="CT", attrs=attrs)
    read = Reading(archive, settings)
    assert [row["manufacturer"] for row in read.tables["series"]] == ["Maker", None, None, None]
    assert read.noted("datasets in the archive's own database cannot be read") == 3


def test_who_the_patient_is(archive: Dcm4cheeDatabase, settings: Settings) -> None:
    own = dataset((0x00100020, "LO", IDS[1]))
    several = archive.patient([IDS[2], IDS[1]], NAMES[1], BORN[1], attrs=own)
    assert several == 1
    archive.run("UPDATE person_name SET ideographic_name = '山田^太郎' WHERE pk = 1")
    archive.study(several, "1.2.1")
    archive.study(archive.patient([IDS[0]], NAMES[0], BORN[0]), "1.2.2")
    archive.study(archive.patient([IDS[1]]), "1.2.3")
    read = Reading(archive, settings)
    keys = [row["patient_key"] for row in read.tables["studies"]]
    assert keys[0] == keys[2] != keys[1], "of several ids, the one in the patient's own record"
    assert read.noted("the one in the patient's own record") == 1
    assert read.source.identities("1.2.1") == [Identity(IDS[1], f"{NAMES[1]}=山田^太郎", BORN[1])]  # type: ignore[attr-defined]
    assert read.source.identities("1.2.9") == []  # type: ignore[attr-defined]


def test_pages_and_parts_lose_nothing(
        archive: Dcm4cheeDatabase, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    patient = archive.patient([IDS[0]])
    for number in range(7):
        study = archive.study(patient, f"1.2.{number}", study_date=f"2026070{number + 1}")
        for one in range(number):
            archive.series(study, f"1.2.{number}.{one}", modality="CT")
        for _ in range(3):
            archive.add("mwl_item", accession_no=f"A{number}", patient_fk=patient)
    archive.run("DELETE FROM study WHERE pk = 1")  # primary keys have gaps
    once = Reading(archive, settings).tables
    for module in (dcm4chee_index, dcm4chee_workflow):
        monkeypatch.setattr(module, "STUDIES_A_PAGE", 2)
    monkeypatch.setattr(dcm4chee_index, "ROWS_AT_ONCE", 2)
    paged = Reading(archive, settings)
    assert paged.tables == once
    assert (len(once["studies"]), len(once["series"]), len(once["orders"])) == (6, 21, 7)
    coverage = paged.source.coverage
    assert (str(coverage.covered_from), str(coverage.covered_to)) == ("2026-07-02", "2026-07-07")
    assert coverage.complete == {"studies", "series", "orders", "events", "patient_merges"}


def test_no_identity_is_in_any_table_and_a_patient_has_the_keys_of_other_sources(
        postgres_url: str, duck_store: Store, tmp_path: Path, settings: Settings,
        caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), duck_store.draft() as draft:
        record = load_source(draft, Dcm4cheeArchive(tmp_path / "archive", postgres_url).open(settings))
        load_source(draft, Export(tmp_path / "export").open(settings))
    warehouse = duck_store.current()
    said = f"{every_text(warehouse)}\n{record}\n{caplog.text}".upper()
    assert [secret for secret in (*SECRETS, "OLD-7731942") if secret in said] == []
    patients = sa.select(studies.c.patient_key, studies.c.name_key, studies.c.birth_date_key).distinct()
    assert len(warehouse.read(patients)) == 3
    assert len(warehouse.read(sa.select(orders.c.patient_key).where(orders.c.patient_key.in_(
        sa.select(studies.c.patient_key))))) == 3
    assert warehouse.scalar(sa.select(sa.func.count()).where(
        patient_merges.c.surviving_key == studies.c.patient_key)) == 2, "in each of the two sources"
