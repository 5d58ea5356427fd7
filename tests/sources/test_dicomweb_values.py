"""What a DICOMweb server says of a study: each value in its column, and what is malformed held back."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa

from analytics.core.settings import Settings
from analytics.warehouse.schema import quarantine, series, studies
from analytics.warehouse.store import Store
from tests.sources import dicomweb_hospital
from tests.sources.dicomweb_hospital import add, hospital, load
from tests.sources.qido_server import Qido, dicom_json, serving
from tests.sources.sites import BORN, IDS, NAMES, SECRETS

patience = dicomweb_hospital.patience


def bad_records() -> list[dict[str, Any]]:
    about = {"StudyDate": "20260702", "PatientID": IDS[0], "PatientName": NAMES[0], "PatientBirthDate": BORN[0]}
    return [dicom_json(**about), dicom_json(StudyInstanceUID="not * a UID", **about),
            dicom_json(StudyInstanceUID="1.8.1", **about) | {"00080050": {"vr": "SH", "Value": [{"a": NAMES[1]}]}},
            dicom_json(StudyInstanceUID="1.8.2", **about) | {"00100010": {"vr": "PN", "Value": NAMES[2]}}]


def test_a_malformed_record_is_quarantined_and_the_rest_is_used(
        duck_store: Store, settings: Settings) -> None:
    qido = hospital(20, 130)
    qido.studies += [*bad_records(), NAMES[0], ["x"]]  # type: ignore[list-item]
    with serving(qido):
        first = load(duck_store, qido, settings)
        again = load(duck_store, qido, settings)
    warehouse = duck_store.current()
    assert warehouse.count(studies) == 150
    assert (first.left_out, again.left_out) == (6, 6)
    rows = warehouse.arrow(sa.select(quarantine)).to_pylist()
    assert Counter(row["reason_code"] for row in rows) == {"no_uid": 3, "bad_uid": 1, "bad_value": 2}
    assert {"study 1.8.1", "study 1.8.2"} < {row["locator"] for row in rows}
    assert [secret for secret in SECRETS if secret in repr(rows)] == []


def test_a_date_that_cannot_be_read_is_left_empty_and_said(duck_store: Store, settings: Settings) -> None:
    qido = hospital(30, 0)
    add(qido, 900, StudyDate="20261399", StudyTime="noon")
    add(qido, 901, StudyDate="", PatientBirthDate="")
    with serving(qido):
        record = load(duck_store, qido, settings)
    assert "1 studies have a date, time or number that cannot be read" in record.message
    undated = duck_store.current().arrow(sa.select(studies.c.study_instance_uid).where(studies.c.study_date.is_(None)))
    assert sorted(undated.column(0).to_pylist()) == ["1.2.900", "1.2.901"]


def test_what_one_study_says(duck_store: Store, settings: Settings) -> None:
    qido = Qido()
    add(qido, 1, StudyDate="20260701", StudyTime="101530.25", TimezoneOffsetFromUTC="+0200", AccessionNumber="A1",
        ModalitiesInStudy=["SR", "CT"], InstitutionName="North", StudyDescription="HEAD",
        NumberOfStudyRelatedSeries="", NumberOfStudyRelatedInstances="")
    qido.series["1.2.1"] = [
        dicom_json(SeriesInstanceUID="1.2.1.1", Modality="CT", SeriesNumber=4, StationName="CT7", Manufacturer="M",
                   BodyPartExamined="HEAD", SeriesDate="20260701", SeriesTime="1020", NumberOfSeriesRelatedInstances=7),
        dicom_json(SeriesInstanceUID="1.2.1.2", Modality="SR", NumberOfSeriesRelatedInstances=9)]
    with serving(qido):
        load(duck_store, qido, settings, site="South")
    (study,) = duck_store.current().arrow(sa.select(studies)).to_pylist()
    assert study["study_at"] == datetime(2026, 7, 1, 8, 15, 30, 250_000, tzinfo=UTC)
    assert {name: study[name] for name in (
        "study_date", "modality", "modalities_in_study", "station_name", "manufacturer", "body_part_examined",
        "number_of_series", "number_of_instances", "site", "institution_name", "accession_number", "patient_birth_year",
        "size_bytes", "stored_at")} == {
            "study_date": date(2026, 7, 1), "modality": "CT", "modalities_in_study": "CT\\SR", "station_name": "CT7",
            "manufacturer": "M", "body_part_examined": "HEAD", "number_of_series": 2, "number_of_instances": 16,
            "site": "South", "institution_name": "North", "accession_number": "A1", "patient_birth_year": 1960,
            "size_bytes": None, "stored_at": None}
    first = min(duck_store.current().arrow(sa.select(series)).to_pylist(), key=lambda row: row["series_instance_uid"])
    assert (first["series_number"], first["number_of_instances"]) == (4, 7)
    assert first["series_at"] == datetime(2026, 7, 1, 8, 20, tzinfo=UTC), "the study's offset holds for its series"


DCM4CHEE = {"77770010": {"vr": "LO", "Value": ["DCM4CHEE Archive 5"]},
            "77771020": {"vr": "DT", "Value": ["20260702101500.123+0100"]},
            "77771022": {"vr": "DT", "Value": ["20260801000000"]}, "77771023": {"vr": "DA", "Value": ["20360701"]},
            "77771025": {"vr": "CS", "Value": ["PARTIAL"]}, "77771028": {"vr": "LO", "Value": ["fs1", "s3"]},
            "77771029": {"vr": "UL", "Value": [12345]}, "7777102A": {"vr": "US", "Value": [678]}}


def test_what_a_dcm4chee_archive_says_besides(duck_store: Store, settings: Settings) -> None:
    qido = Qido()
    add(qido, 1, StudyDate="20260701")
    qido.studies[0] |= DCM4CHEE
    qido.series["1.2.1"][0] |= {"77770010": DCM4CHEE["77770010"], "7777103F": {"vr": "UL", "Value": [12]},
                                "77771030": {"vr": "DT", "Value": ["20260702101400"]}}
    add(qido, 2, StudyDate="20260702")
    qido.studies[1] |= DCM4CHEE | {"77771029": {"vr": "UL", "Value": [0]}, "7777102A": {"vr": "US", "Value": [65535]},
                                   "77771024": {"vr": "CS", "Value": ["COMPLETE"]}}
    with serving(qido):
        load(duck_store, qido, settings)
    first, second = duck_store.current().arrow(sa.select(studies).order_by(studies.c.study_instance_uid)).to_pylist()
    assert first["stored_at"] == datetime(2026, 7, 2, 9, 15, 0, 123_000, tzinfo=UTC)
    assert first["last_accessed_at"] == datetime(2026, 8, 1, tzinfo=UTC)
    assert (first["expires_date"], first["rejection_state"], first["completeness"], first["storage_tier"],
            first["size_bytes"]) == (date(2036, 7, 1), "none", "partial", "fs1", 12_345_678)
    assert (second["size_bytes"], second["rejection_state"]) == (None, "complete"), "a size not summed up yet is none"
    sizes = duck_store.current().arrow(sa.select(series.c.size_bytes).order_by(series.c.series_instance_uid))
    assert sizes.column(0).to_pylist()[0] == 12_000
