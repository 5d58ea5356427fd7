"""A DICOMweb server, however it caps its answers and whatever it takes no notice of: every study, or one clear line."""

from __future__ import annotations

import itertools
import logging
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from analytics.core.errors import PacsmeterError
from analytics.core.secrets import Credentials
from analytics.core.settings import Settings
from analytics.sources import qido_server
from analytics.sources.base import Batch, Known, KnownStudy, Part
from analytics.sources.crawl import UNDATED_NOT_ASKED
from analytics.sources.dicomweb import DicomWeb
from analytics.sources.load import LoadRecord, load_source, open_source
from analytics.warehouse.schema import covered_parts, quarantine, series, studies
from analytics.warehouse.store import Store, Warehouse
from tests.sources.qido_server import Qido, dicom_json, serving
from tests.sources.sites import BORN, IDS, NAMES, SECRETS

CROWDED = date(2026, 3, 3)


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(qido_server, "PAUSES", (0.0, 0.0))


def hospital(spread: int = 200, crowded: int = 130) -> Qido:
    """Return a server that holds studies over three years, and more than 100 on one day."""
    days = [date(2024, 1, 1) + timedelta(days=n * 7919 % 1000) for n in range(spread)] + [CROWDED] * crowded
    qido = Qido()
    for number, day in enumerate(days):
        add(qido, number, StudyDate=day.strftime("%Y%m%d"), StudyTime=f"{number * 37 % 1440 // 60:02}"
            f"{number * 37 % 60:02}30.5", ModalitiesInStudy=[("CT", "MR", "US")[number % 3]])
    return qido


def add(qido: Qido, number: int, **values: Any) -> None:
    uid = f"1.2.{number}"
    about = {"PatientID": f"P{number % 40}", "PatientName": f"NAME{number % 40}^A", "PatientBirthDate": "19600101",
             "PatientSex": "F", "NumberOfStudyRelatedSeries": 2, "NumberOfStudyRelatedInstances": 5}
    qido.studies.append(dicom_json(StudyInstanceUID=uid, **about | values))
    modality = values.get("ModalitiesInStudy", ["CT"])[0]
    qido.series[uid] = [dicom_json(SeriesInstanceUID=f"{uid}.{n}", Modality=modality, NumberOfSeriesRelatedInstances=n)
                        for n in (2, 3)]


def load(store: Store, qido: Qido, settings: Settings, **options: Any) -> LoadRecord:
    with store.draft() as draft:
        return load_source(draft, open_source(qido.spec, settings, **options))


def uids(warehouse: Warehouse) -> Counter[str]:
    return Counter(warehouse.arrow(sa.select(studies.c.study_instance_uid)).column(0).to_pylist())


def held_by(qido: Qido) -> Counter[str]:
    return Counter(record["0020000D"]["Value"][0] for record in qido.studies)


SERVERS: dict[str, dict[str, Any]] = {
    "caps its answers at 100": {"cap": 100}, "ignores offset": {"ignores": frozenset({"offset"})},
    "caps its answers at 100 and ignores offset": {"cap": 100, "ignores": frozenset({"offset"})},
    "says that there is more": {"cap": 100, "warns": True},
    "ignores limit": {"ignores": frozenset({"limit"})},
    "caps its answers at 60 and ignores offset and limit": {"cap": 60, "ignores": frozenset({"offset", "limit"})},
    "gives every study twice": {"times": 2}}


@pytest.mark.parametrize("server", SERVERS)
def test_a_qido_server_that_caps_its_answers_at_100_and_one_that_ignores_offset_still_give_every_study(
        server: str, duck_store: Store, settings: Settings) -> None:
    qido = hospital()
    for name, value in SERVERS[server].items():
        setattr(qido, name, value)
    with serving(qido):
        record = load(duck_store, qido, settings)
    warehouse = duck_store.current()
    assert uids(warehouse) == held_by(qido)
    assert warehouse.count(series) == 2 * len(qido.studies)
    assert (record.left_out, record.by_table["studies"].added) == (0, 330)
    on_the_day = sa.select(sa.func.count()).select_from(studies).where(studies.c.study_date == CROWDED)
    assert warehouse.scalar(on_the_day) >= 130


def test_what_was_covered_is_written_down(duck_store: Store, settings: Settings) -> None:
    qido = hospital()
    with serving(qido):
        load(duck_store, qido, settings)
    parts = duck_store.current().arrow(sa.select(covered_parts)).to_pylist()
    dated = sorted((one["covered_from"], one["covered_to"]) for one in parts if one["covered_from"])
    assert all(after[0] == before[1] + timedelta(days=1) for before, after in itertools.pairwise(dated))
    assert (dated[0][0], dated[-1][1]) == (date(1900, 1, 1), date(9999, 12, 31))
    assert sum(one["records"] for one in parts) == len(qido.studies)


def test_a_server_that_dies_half_way_leaves_the_snapshot_and_the_load_goes_on_from_there(
        duck_store: Store, settings: Settings) -> None:
    qido = hospital()
    with serving(qido):
        qido.cap = 100
        load(duck_store, qido, settings)
        before = uids(duck_store.current())
        qido.asked.clear()
        load(duck_store, qido, settings)
        add(qido, 9_000, StudyDate="20240105", StudyTime="1200")
        qido.dies_after = len(qido.asked) // 2
        qido.asked.clear()
        with pytest.raises(PacsmeterError, match="does not answer"):
            load(duck_store, qido, settings)
        assert uids(duck_store.current()) == before
        qido.asked.clear()
        qido.dies_after = 1_000_000
        load(duck_store, qido, settings)
        assert uids(duck_store.current()) == held_by(qido)
        assert duck_store.current().count(series) == 2 * len(qido.studies)
        resumed = len(qido.asked)
        qido.asked.clear()
        load(duck_store, qido, settings)
        assert resumed < len(qido.asked), "what was finished before the server died was not asked for again"


FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "wrong password": ({"sign_in": "Basic bm9ib2R5"}, "refuses the user, the password or the token.*PACSMETER_PASS"),
    "forbidden": ({"status": 403}, "does not let this user ask for all studies"),
    "no such service": ({"status": 404}, r"no QIDO-RS there \(HTTP 404\)"),
    "fails": ({"status": 500}, r"cannot answer the question for studies 1900-01-01..1900-01-01 \(HTTP 500\)"),
    "busy": ({"status": 503}, "cannot answer the question"),
    "no JSON": ({"body": b"<html>Sign in</html>"}, "no whole DICOM JSON"),
    "other JSON": ({"body": b'{"error": "ZWICKERBAUER"}'}, "no whole DICOM JSON"),
    "text": ({"body": b'"ZWICKERBAUER"'}, "no whole DICOM JSON"),
    "not UTF-8": ({"body": b'\xff\xfe[{"0020000D'}, "no whole DICOM JSON"),
    "cut": ({"cuts_bodies": True}, "does not answer"),
    "dead": ({"dies_after": 0}, "does not answer"),
    "no dates": ({"ignores": frozenset({"StudyDate"})}, "does not select studies by their study date")}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_the_server_is_one_clear_line_without_identity(
        fault: str, settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    qido, (behavior, said) = hospital(), FAULTS[fault]
    for name, value in behavior.items():
        setattr(qido, name, value)
    with serving(qido), caplog.at_level(logging.DEBUG), pytest.raises(PacsmeterError, match=said) as caught:
        list(open_source(qido.spec, settings).batches(Known(), lambda *_: None))
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    assert [secret for secret in SECRETS if secret in f"{caught.value}{caplog.text}"] == []
    assert not caplog.records, "no library writes a traceback"


def test_nobody_listening_is_one_clear_line(settings: Settings) -> None:
    with serving(Qido()) as qido:
        pass
    with pytest.raises(PacsmeterError, match="does not answer"):
        list(open_source(qido.spec, settings).batches(Known(), lambda *_: None))


@pytest.mark.parametrize(("name", "value", "header"), [
    ("PACSMETER_PASSWORD_DICOMWEB", "secret", "Basic YW5uYTpzZWNyZXQ="),
    ("PACSMETER_TOKEN_DICOMWEB", "t0ken", "Bearer t0ken")])
def test_a_password_or_a_token_signs_in(settings: Settings, monkeypatch: pytest.MonkeyPatch, name: str, value: str,
                                        header: str) -> None:
    monkeypatch.setenv(name, value)
    with serving(Qido(sign_in=header)) as qido:
        add(qido, 1, StudyDate="20260701")
        source = open_source(qido.spec.replace("//", "//anna@"), settings)
        assert list(source.batches(Known(), lambda *_: None))
    assert value not in source.location
    assert "anna@127.0.0.1" in source.location


@pytest.mark.parametrize("url", ["dicomweb+http://", "dicomweb+https://host/x?y=z", "dicomweb+https://host:port/x"])
def test_what_is_no_url_of_a_service_is_refused(settings: Settings, url: str) -> None:
    with pytest.raises(PacsmeterError, match="where the DICOMweb service is"):
        open_source(url, settings)


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


def test_a_dcm4chee_archive_is_asked_for_all_it_has(settings: Settings) -> None:
    with serving(Qido()) as qido:
        spec = qido.spec.replace("dicom-web", "dcm4chee-arc/aets/DCM4CHEE/rs")
        list(open_source(spec, settings).batches(Known(), lambda *_: None))
    assert all("includefield=all" in path for path in qido.asked)


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
                  marks={"ask again for series: some part": "1.2.5 1.2.77"})
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


def test_a_server_that_fails_on_wide_ranges_is_asked_for_narrower_ones(duck_store: Store, settings: Settings) -> None:
    qido = hospital(60, 0)
    qido.fails = r"StudyDate=\d{4}0101-\d{4}(1231|11..)|studies\?(?!.*StudyDate=)"
    with serving(qido):
        record = load(duck_store, qido, settings, since=date(2024, 1, 1))
    assert uids(duck_store.current()) == held_by(qido)
    assert "narrower ones were asked" in record.message
    assert UNDATED_NOT_ASKED.split(":")[0] in record.message


def test_an_answer_too_long_to_read_is_asked_for_in_narrower_ranges(
        duck_store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(qido_server, "MOST_BYTES", 40_000)
    qido = hospital(300, 0)
    qido.ignores = frozenset({"limit", "offset"})
    with serving(qido):
        server = qido_server.QidoServer(qido.spec.removeprefix("dicomweb+"), qido.spec, "dicomweb", Credentials())
        assert server.studies({}, (), "all studies") == qido_server.Answered([], incomplete=True)
        server.close()
        load(duck_store, qido, settings)
    assert uids(duck_store.current()) == held_by(qido)


def test_a_busy_server_is_asked_again(settings: Settings) -> None:
    qido = hospital(5, 0)
    with serving(qido):
        source = open_source(qido.spec, settings)
        assert isinstance(source, DicomWeb)
        qido.status = 503
        items = source.batches(Known(), lambda *_: None)
        with pytest.raises(PacsmeterError, match="HTTP 503"):
            next(items)
    assert Counter(qido.asked).most_common(1)[0][1] == 1 + len(qido_server.PAUSES)


def test_parts_name_the_dates_they_cover(settings: Settings) -> None:
    qido = hospital(150, 0)
    with serving(qido):
        parts = [one for one in open_source(qido.spec, settings).batches(Known(), lambda *_: None)
                 if isinstance(one, Part)]
    assert all(one.name == f"studies {one.first}..{one.last}" for one in parts[:-2])
    assert len({one.name for one in parts}) == len(parts)


def test_since_when_is_asked_for(duck_store: Store, settings: Settings) -> None:
    qido = hospital()
    with serving(qido):
        load(duck_store, qido, settings, since=date(2026, 1, 1))
    first = duck_store.current().scalar(sa.select(sa.func.min(studies.c.study_date)))
    assert first >= date(2026, 1, 1)


def test_who_a_patient_is_is_asked_of_the_server(settings: Settings) -> None:
    qido = hospital(5, 0)
    add(qido, 800, StudyDate="20260701", PatientID=IDS[0], PatientName=NAMES[0], PatientBirthDate=BORN[0])
    with serving(qido):
        source = open_source(qido.spec, settings)
        assert isinstance(source, DicomWeb)
        (found,) = source.identities("1.2.800")
        assert (found.patient_id, found.patient_name, found.patient_birth_date) == (IDS[0], NAMES[0], BORN[0])
        assert source.identities("1.2.not-there") == []


def test_studies_alone_are_asked_for_and_their_known_series_stay(duck_store: Store, settings: Settings) -> None:
    qido = hospital(20, 0)
    with serving(qido):
        load(duck_store, qido, settings)
        add(qido, 900, StudyDate="20240105", StudyTime="1200")
        qido.asked.clear()
        record = load(duck_store, qido, settings, series=False)
    assert not [path for path in qido.asked if path.split("?")[0].endswith("/series")]
    assert (record.by_table["studies"].added, record.by_table["series"].unchanged) == (1, 40)
