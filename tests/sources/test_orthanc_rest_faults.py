"""An Orthanc by REST: servers with faults, each one clear line that says nothing of a patient."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from analytics.core.errors import PacsmeterError
from analytics.core.settings import Settings
from analytics.sources import orthanc_http
from analytics.sources.base import Known, Part
from analytics.sources.open import open_source
from analytics.warehouse.merge import Counts
from analytics.warehouse.schema import marks, metadata, quarantine, studies
from analytics.warehouse.store import Store
from tests.sources.fake_orthanc_rest import FakeOrthanc
from tests.sources.site_orthanc_rest import OrthancServerSite
from tests.sources.sites import IDS, SECRETS
from tests.sources.test_orthanc_rest import images, load


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OrthancServerSite]:
    monkeypatch.setattr(orthanc_http, "PAUSES", (0.0, 0.0))
    site = OrthancServerSite(tmp_path / "site")
    yield site
    site.close()


def fails(site: OrthancServerSite, settings: Settings, text: str) -> None:
    with pytest.raises(PacsmeterError, match=text) as caught:
        list(open_source(site.spec, settings).batches(Known(), lambda *_: None))
    said = repr(caught.value) + repr(caught.value.__cause__) + str(caught.value.__suppress_context__)
    assert [secret for secret in SECRETS if secret in said] == []
    assert not any(one in said for one in site.orthanc.resources)
    assert caught.value.__suppress_context__ or not caught.value.__context__


@pytest.mark.parametrize(("where", "answer", "text"), [
    ("/system", (401, "text/plain", b""), "refuses the user or the password"),
    ("/changes", (403, "text/plain", b""), "does not let this user ask for what changed"),
    ("/system", (200, "text/html", b"<html>Welcome</html>"), "is no Orthanc"),
    ("/system", (302, "text/html", b""), "is no Orthanc"),
    ("/system", (404, "text/html", b""), "is no Orthanc"),
    ("/system", (200, "application/json", b"[]"), "is no Orthanc"),
    ("/system", (200, "application/json", b'{"Version": "1.5", "ApiVersion": 12}'), "too old"),
    ("/statistics", (200, "application/json", b'{"CountStudies": 3'), "no whole JSON"),
    ("/statistics", (200, "application/json", b'{"CountStudies": "many"}'), "not laid out"),
    ("/statistics", (500, "text/plain", b""), "totals of the archive with an error"),
    ("/changes", (200, "application/json", b'{"Last": "ZWICKERBAUER"}'), "not laid out"),
    ("GET /studies$", (200, "text/html", b"<html>ZWICKERBAUER</html>"), "is no Orthanc"),
    ("GET /studies$", (200, "application/json", b'["9984c9fa-d70293d7-0046d363-37db108f-0e16efe1",'), "breaks off"),
    ("bulk-content", (500, "text/plain", b"ZWICKERBAUER"), "several studies with an error"),
    ("lookup", (200, "text/html", b"<html>ZWICKERBAUER</html>"), "is no Orthanc"),
    ("bulk-content", (404, "text/plain", b""), "is no Orthanc"),
    ("/series/", (200, "application/json", b'{"DiskSize": "1'), "size of a series is no whole JSON"),
    ("/series/", (503, "text/plain", b""), "too busy to answer, asked 3 times"),
    ("/series/", (0, "", b""), "does not answer"),
])
def test_a_fault_of_the_server_is_one_clear_line(
        site: OrthancServerSite, settings: Settings, where: str, answer: tuple[int, str, bytes], text: str) -> None:
    site.orthanc.faults[where] = lambda: answer
    fails(site, settings, text)


def test_a_server_that_is_busy_is_asked_again(
        site: OrthancServerSite, duck_store: Store, settings: Settings) -> None:
    busy = dict.fromkeys(("GET /series/", "POST /tools/bulk-content", "GET /statistics"))

    def once(where: str) -> tuple[int, str, bytes]:
        del site.orthanc.faults[where]
        return 503, "text/plain", b""

    site.orthanc.faults = {where: lambda where=where: once(where) for where in busy}  # type: ignore[misc]
    assert load(duck_store, site, settings).by_table["studies"] == Counts(added=3)
    assert site.orthanc.faults == {}


def test_a_dead_server_is_one_clear_line(site: OrthancServerSite, settings: Settings) -> None:
    site.orthanc.close()
    fails(site, settings, "Orthanc does not answer")
    site.orthanc = FakeOrthanc()


def test_a_study_that_orthanc_fails_on_is_in_quarantine_and_loses_no_other(
        site: OrthancServerSite, duck_store: Store, settings: Settings) -> None:
    site.orthanc.faults[f"GET /studies/{site.study(1)}"] = lambda: (500, "text/plain", b"")
    record = load(duck_store, site, settings)
    assert record.rejected == {"unreadable_study": 1}
    assert sorted(images(duck_store)) == ["1.2.0", "1.2.2"]
    (held,) = duck_store.current().arrow(sa.select(quarantine.c.locator)).column(0).to_pylist()
    assert held == "study 1.2.1"
    site.orthanc.faults.clear()
    assert load(duck_store, site, settings).by_table["studies"] == Counts(added=1, unchanged=2)
    assert duck_store.current().count(quarantine) == 0


def test_a_study_that_orthanc_fails_on_stays_as_it_was_known(
        site: OrthancServerSite, duck_store: Store, settings: Settings) -> None:
    load(duck_store, site, settings)
    site.change_one()
    site.orthanc.faults[f"GET /studies/{site.study(1)}/series"] = lambda: (500, "text/plain", b"")
    record = load(duck_store, site, settings)
    assert (record.rejected, record.by_table["studies"]) == ({"unreadable_study": 1}, Counts(unchanged=3))
    site.orthanc.faults.clear()
    assert load(duck_store, site, settings).by_table["studies"] == Counts(changed=1, unchanged=2)
    assert load(duck_store, site, settings).by_table["studies"] == Counts(unchanged=3)
    assert duck_store.current().count(quarantine) == 0


def test_ids_that_are_listed_ten_times_and_nonsense_for_clocks_make_one_row_each(
        site: OrthancServerSite, duck_store: Store, settings: Settings) -> None:
    listed = b"[" + b",".join(f'"{site.study(n % 3)}"'.encode() for n in range(30)) + b"]"
    site.orthanc.faults["GET /studies$"] = lambda: (200, "application/json", listed)
    site.orthanc.resources[site.study(1)].tags |= {"StudyDate": "20269999", "StudyTime": "997799"}
    site.add(1, 2, ReceptionDate="00000000T999999", TransferSyntax="")
    record = load(duck_store, site, settings)
    assert record.by_table["studies"] == Counts(added=3)
    row = duck_store.current().arrow(sa.select(studies).where(studies.c.study_instance_uid == "1.2.1")).to_pylist()[0]
    assert (row["study_date"], row["study_at"], str(row["stored_at"])[:19]) == (None, None, "2026-07-05 09:00:00")


def test_the_password_goes_to_the_server_and_nowhere_else(
        tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    orthanc = FakeOrthanc("jörg", "ge:heim")
    spec = f"orthanc+{orthanc.url.replace('//', '//j%C3%B6rg@')}"
    orthanc.add({"PatientID": "P"}, {"StudyInstanceUID": "1"}, {"SeriesInstanceUID": "1.1"}, "1.1.1")
    with caplog.at_level(logging.DEBUG), pytest.raises(PacsmeterError, match="refuses the user"):
        list(open_source(spec, settings).batches(Known(), lambda *_: None))
    monkeypatch.setenv("PACSMETER_PASSWORD_ORTHANC", "ge:heim")
    source = open_source(spec, settings)
    with caplog.at_level(logging.DEBUG):
        items = list(source.batches(Known(), lambda *_: None))
    assert sum(isinstance(item, Part) for item in items) == 1
    assert "heim" not in source.location + caplog.text
    assert not any(one in caplog.text for one in orthanc.resources), "no public id is in a log"
    orthanc.close()


def test_no_public_id_is_in_the_warehouse(site: OrthancServerSite, duck_store: Store, settings: Settings) -> None:
    site.spoil()
    site.add(1, 2, "OTHER")
    load(duck_store, site, settings)
    warehouse = duck_store.current()
    assert warehouse.count(marks) > 0
    held = "".join(str(warehouse.arrow(sa.select(table)).to_pylist()) for table in metadata.sorted_tables)
    assert not [one for one in site.orthanc.resources if one in held or one.replace("-", "") in held]


def test_who_a_patient_is_can_be_asked(site: OrthancServerSite, settings: Settings) -> None:
    source = open_source(site.spec, settings)
    (who,) = source.identities("1.2.1")  # type: ignore[attr-defined]
    assert (who.patient_id, who.patient_birth_date) == (IDS[1], "19561123")
    assert source.identities("1.2.77") == []  # type: ignore[attr-defined]


@pytest.mark.parametrize("named", ["orthanc+http://", "orthanc+http://host:x", "orthanc+http://host:99999"])
def test_a_url_that_names_no_server_is_refused(settings: Settings, named: str) -> None:
    with pytest.raises(PacsmeterError, match="not the URL of an Orthanc"):
        open_source(named, settings)
