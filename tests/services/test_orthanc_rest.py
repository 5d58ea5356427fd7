"""A real Orthanc by REST: the same rows as by its database, whatever changes and whenever it dies."""

from __future__ import annotations

import io
import itertools
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pydicom
import pytest
import requests
import sqlalchemy as sa

from analytics.core.errors import PacsmeterError
from analytics.core.settings import Settings
from analytics.sources import orthanc_http, orthanc_studies
from analytics.sources.base import Known
from analytics.sources.load import LoadRecord, load_source, open_source
from analytics.warehouse.merge import Counts
from analytics.warehouse.schema import quarantine, series, studies
from analytics.warehouse.store import Store
from tests.services.conftest import Server, Starter
from tests.services.test_orthanc import SAME_PATIENT, delete, fill, real_files
from tests.sources.sites import dicom_dataset

pytestmark = pytest.mark.service("orthanc")

OTHERWISE = ("source_id", "record_key")
"""Columns that tell where a row comes from: the database source gives no key of the archive's own record."""


@pytest.fixture(params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest, start_orthanc: Starter, monkeypatch: pytest.MonkeyPatch) -> Server:
    """Give an Orthanc on each of its databases, in another zone than the site's."""
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else ""
    server = start_orthanc(url, zone="Asia/Tokyo")
    monkeypatch.setenv("PACSMETER_PASSWORD_REST", server.password)
    return server


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Give the paths of the requests that are made."""
    paths: list[str] = []
    as_it_is = requests.Session.request

    def noted(self: requests.Session, method: str, url: str, **request: Any) -> requests.Response:
        paths.append(urlsplit(url).path)
        return as_it_is(self, method, url, **request)

    monkeypatch.setattr(requests.Session, "request", noted)
    yield paths


def rest(server: Server) -> str:
    return f"orthanc+http://test@127.0.0.1:{server.http_port}"


def load(store: Store, server: Server, settings: Settings) -> LoadRecord:
    with store.draft() as draft:
        return load_source(draft, open_source(rest(server), settings, source_id="rest", site="North"))


def about_studies(asked: list[str]) -> list[str]:
    return [path for path in asked if path.startswith(("/studies/", "/series/", "/tools/lookup"))]


def assert_same_as_database(store: Store, server: Server, settings: Settings) -> None:
    """Every row of studies and series is what the database source makes of the same archive, in every column."""
    with store.draft() as draft:
        load_source(draft, open_source(server.spec, settings, source_id="database", site="North"))
    for table in (studies, series):
        columns = [column for column in table.columns if column.name not in OTHERWISE]
        held = {name: sorted(store.current().arrow(sa.select(*columns).where(table.c.source_id == name)).to_pylist(),
                             key=repr) for name in ("rest", "database")}
        assert len(held["database"]) > 0
        assert held["rest"] == held["database"]


def send(server: Server, dataset: pydicom.Dataset) -> None:
    written = io.BytesIO()
    dataset.save_as(written, enforce_file_format=True)
    assert server.store_bytes(written.getvalue())


def study_of(server: Server, uid: str) -> str:
    return str(server.ask("/tools/lookup", uid.encode())[0]["ID"])


def test_rows_are_those_of_the_database_and_only_changes_are_asked_for(
        server: Server, duck_store: Store, settings: Settings, asked: list[str]) -> None:
    fill(server)
    for number in range(3):
        for instance in (1, 2):
            send(server, dicom_dataset(number, instance))
    first = load(duck_store, server, settings)
    assert first.rejected == {}
    assert "others than what was read" not in first.message
    assert_same_as_database(duck_store, server, settings)
    counted = {name: counts.added for name, counts in first.by_table.items()}

    asked.clear()
    again = load(duck_store, server, settings)
    assert again.by_table == {name: Counts(unchanged=count) for name, count in counted.items()}
    again_asked = len(about_studies(asked))

    asked.clear()
    send(server, dicom_dataset(1, 3))
    assert load(duck_store, server, settings).by_table["studies"] == Counts(
        changed=1, unchanged=counted["studies"] - 1)
    assert len(about_studies(asked)) < again_asked + 12
    assert_same_as_database(duck_store, server, settings)

    server.ask(f"/studies/{study_of(server, '1.2.2')}/modify", json.dumps(
        {"Replace": {"StudyDescription": "NECK", "StationName": "CT9"}, "KeepSource": False}).encode())
    modified = load(duck_store, server, settings)
    assert (modified.by_table["studies"].added, modified.by_table["studies"].removed) == (1, 1)
    assert_same_as_database(duck_store, server, settings)

    delete(server, f"/studies/{study_of(server, '1.2.0')}")
    assert load(duck_store, server, settings).by_table["studies"] == Counts(
        removed=1, unchanged=counted["studies"] - 1)
    assert_same_as_database(duck_store, server, settings)


def test_a_quiet_archive_is_asked_for_its_list_and_nothing_else(
        server: Server, duck_store: Store, settings: Settings, asked: list[str]) -> None:
    for number in range(3):
        send(server, dicom_dataset(number))
    load(duck_store, server, settings)
    asked.clear()
    load(duck_store, server, settings)
    assert about_studies(asked) == []
    assert set(asked) == {"/system", "/tools/bulk-content", "/changes", "/statistics", "/studies"}


def test_an_image_deleted_inside_a_study_is_found(
        server: Server, duck_store: Store, settings: Settings, asked: list[str]) -> None:
    for number, instance in ((0, 1), (0, 2), (1, 1), (2, 1)):
        send(server, dicom_dataset(number, instance))
    load(duck_store, server, settings)
    last = server.ask("/changes?last")["Last"]
    held = server.ask(f"/studies/{study_of(server, '1.2.0')}/instances")
    delete(server, f"/instances/{held[0]['ID']}")
    assert server.ask("/changes?last")["Last"] == last, "Orthanc's list of changes tells nothing of it"
    record = load(duck_store, server, settings)
    assert record.by_table["studies"] == Counts(changed=1, unchanged=2)
    assert "1 studies lost or gained" in record.message
    assert_same_as_database(duck_store, server, settings)


def test_patients_whose_ids_differ_in_blanks_are_added_up(
        server: Server, duck_store: Store, settings: Settings) -> None:
    wanted = {path.name: path for path in real_files()[0].parent.parent.rglob("*.dcm")}
    for name in ("rtdose.dcm", *SAME_PATIENT):
        assert server.store(wanted[name])
    assert server.ask("/statistics")["CountStudies"] == 2
    assert "1 studies more in Orthanc's own count" in load(duck_store, server, settings).message
    assert_same_as_database(duck_store, server, settings)
    load(duck_store, server, settings)
    assert_same_as_database(duck_store, server, settings)


def test_images_that_come_and_go_while_loads_run_are_right_in_the_end(
        server: Server, duck_store: Store, settings: Settings) -> None:
    for number in range(12):
        send(server, dicom_dataset(number % 3, StudyInstanceUID=f"1.2.{number}", SOPInstanceUID=f"1.2.{number}.1"))
    done = threading.Event()

    def work() -> None:
        for number in itertools.count(12):
            if done.is_set():
                return
            send(server, dicom_dataset(number % 3, StudyInstanceUID=f"1.2.{number % 40}",
                                       SOPInstanceUID=f"1.2.{number % 40}.{number}"))
            if number % 5 == 0:
                held = server.ask("/instances?since=0&limit=1")
                delete(server, f"/instances/{held[0]}")

    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(work)
        try:
            for _ in range(3):
                load(duck_store, server, settings)
        finally:
            done.set()
        working.result()
    load(duck_store, server, settings)
    assert_same_as_database(duck_store, server, settings)


def test_an_emptied_list_of_changes_is_noticed(server: Server, duck_store: Store, settings: Settings) -> None:
    send(server, dicom_dataset(0))
    load(duck_store, server, settings)
    send(server, dicom_dataset(1))
    delete(server, "/changes")
    send(server, dicom_dataset(2))
    record = load(duck_store, server, settings)
    assert "whole crawl" in record.message
    assert record.by_table["studies"] == Counts(added=2, unchanged=1)


def test_a_server_that_is_killed_half_way_is_gone_on_from(
        start_orthanc: Starter, duck_store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch,
        asked: list[str]) -> None:
    monkeypatch.setattr(orthanc_http, "PAUSES", (0.0, 0.1))
    monkeypatch.setattr(orthanc_studies, "_PER_PART", 1)
    server = start_orthanc()
    monkeypatch.setenv("PACSMETER_PASSWORD_REST", server.password)
    for number in range(12):
        send(server, dicom_dataset(number % 3, StudyInstanceUID=f"1.2.{number}", SOPInstanceUID=f"1.2.{number}.1",
                                   SeriesInstanceUID=f"1.2.{number}.2"))
    source = open_source(rest(server), settings, source_id="rest", site="North")

    class Killed:
        """The source, whose server is killed after some parts."""

        def __getattr__(self, name: str) -> Any:
            return getattr(source, name)

        def batches(self, *arguments: Any) -> Iterator[Any]:
            for number, item in enumerate(source.batches(*arguments)):
                if number == 20:
                    server.process.kill()
                    server.process.wait(10)
                yield item

    with pytest.raises(PacsmeterError, match="Orthanc does not answer") as caught, duck_store.draft() as draft:
        load_source(draft, Killed())  # type: ignore[arg-type]
    assert "Traceback" not in str(caught.value)
    assert duck_store.current_revision() == 0, "nothing was published"

    server.start_again()
    asked.clear()
    record = load(duck_store, server, settings)
    assert 0 < sum(path.endswith("/series") for path in asked) < 12, "the finished parts are not asked for again"
    assert record.by_table == {"studies": Counts(added=12), "series": Counts(added=12)}
    assert record.message == ""
    assert_same_as_database(duck_store, server, settings)


def test_faults_are_one_clear_line(server: Server, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orthanc_http, "PAUSES", (0.0,))
    monkeypatch.setenv("PACSMETER_PASSWORD_REST", "not-to-be-shown")
    source = open_source(rest(server), settings, source_id="rest")
    with pytest.raises(PacsmeterError, match="refuses the user or the password") as caught:
        list(source.batches(Known(), lambda *_: None))
    assert "not-to-be-shown" not in str(caught.value)
    wrong = open_source(f"orthanc+http://127.0.0.1:{server.dicom_port}", settings)
    with pytest.raises(PacsmeterError, match="does not answer"):
        list(wrong.batches(Known(), lambda *_: None))
    server.stop()
    with pytest.raises(PacsmeterError, match="does not answer"):
        list(source.batches(Known(), lambda *_: None))


def test_who_a_patient_is_can_be_asked(server: Server, duck_store: Store, settings: Settings) -> None:
    send(server, dicom_dataset(1))
    source = open_source(rest(server), settings, source_id="rest")
    (who,) = source.identities("1.2.1")  # type: ignore[attr-defined]
    assert (who.patient_id, who.patient_name, who.patient_birth_date) == (
        "HX8842053", "QUATTLEBAUM^ISIDOR", "19561123")
    load(duck_store, server, settings)
    assert duck_store.current().count(quarantine) == 0
