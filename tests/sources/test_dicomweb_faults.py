"""A DICOMweb server that fails, refuses or dies: one clear line without identity, and nothing is lost."""

from __future__ import annotations

import logging
from collections import Counter
from typing import Any

import pytest

from analytics.core.errors import PacsmeterError
from analytics.core.settings import Settings
from analytics.sources import qido_server
from analytics.sources.base import Known
from analytics.sources.dicomweb import DicomWeb
from analytics.sources.load import open_source
from analytics.warehouse.schema import series
from analytics.warehouse.store import Store
from tests.sources import dicomweb_hospital
from tests.sources.dicomweb_hospital import add, held_by, hospital, load, uids
from tests.sources.qido_server import Qido, serving
from tests.sources.sites import SECRETS

patience = dicomweb_hospital.patience


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
