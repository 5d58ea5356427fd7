"""Who asks whom by C-FIND, and why there is no association, in plain words."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from pynetdicom import AE

from analytics.core.errors import PacsmeterError
from analytics.sources.cfind import open_cfind
from analytics.sources.find_association import FindAssociation
from analytics.sources.find_identifier import request
from analytics.sources.find_node import Node
from analytics.sources.open import Options
from tests.conftest import free_port
from tests.sources import cfind_reading
from tests.sources.cfind_reading import SHORT, Read, Start, with_timeouts
from tests.sources.find_scp import PATIENT_ROOT, StallingProxy, one_series, study

short_pauses = cfind_reading.short_pauses
start = cfind_reading.start
options = cfind_reading.options


@pytest.mark.parametrize(("scp", "spec", "said"), [
    ({}, "cfind://PACSMETER@127.0.0.1:{port}/OTHER", r"called AE title not recognized.*does not answer to OTHER"),
    ({"only": "KNOWN"}, "cfind://PACSMETER@127.0.0.1:{port}/ARCHIVE",
     r"calling AE title not recognized.*PACSMETER to ARCHIVE at 127.0.0.1.*list of known nodes hold PACSMETER"),
    ({"model": PATIENT_ROOT}, "cfind://PACSMETER@127.0.0.1:{port}/ARCHIVE", "no acceptable presentation context"),
    ({}, "cfind://PACSMETER@no..such:{port}/ARCHIVE", r"The host no\.\.such is not known"),
], ids=["called", "calling", "context", "host"])
def test_why_there_is_no_association_is_said_in_plain_words(
        start: Start, options: Options, scp: dict[str, Any], spec: str, said: str) -> None:
    archive = start([study(1)], [], **scp)
    with pytest.raises(PacsmeterError, match=said):
        Read(open_cfind(spec.format(port=archive.port), options))
    assert archive.associations == (1 if "model" in scp else 0)


def test_where_nothing_listens_is_said(options: Options) -> None:
    port = free_port()
    with pytest.raises(PacsmeterError, match=f"Nothing answers at 127.0.0.1:{port}.*firewall"):
        Read(open_cfind(f"cfind://127.0.0.1:{port}/ARCHIVE", options))


def test_what_listens_and_says_nothing_is_said(options: Options) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute, pytest.raises(PacsmeterError, match="gives no answer"):
        Read(with_timeouts(mute.getsockname()[1], options))


def test_what_listens_and_speaks_something_else_is_said(options: Options) -> None:
    class Other(StallingProxy):
        def _serve(self) -> None:
            client, _ = self._listening.accept()
            client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            self._open.append(client)

    other = Other(0, 0)
    with pytest.raises(PacsmeterError, match="gives no answer to an association request, or breaks it off"):
        Read(with_timeouts(other.port, options))
    other.stop()


def test_an_archive_that_is_busy_is_asked_again(start: Start, options: Options) -> None:
    scp = start([study(1)], [one_series(1)])
    scp.entity.maximum_associations = 1
    other = AE("OTHER")
    other.add_requested_context("1.2.840.10008.1.1")
    held = other.associate("127.0.0.1", scp.port, ae_title="ARCHIVE")
    waited: list[float] = []

    def pause(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 3:
            held.release()
            for one in scp.entity.active_associations:
                one.join(5)

    association = FindAssociation(Node("PACSMETER", "ARCHIVE", "127.0.0.1", scp.port), SHORT, pause)
    with pytest.raises(PacsmeterError, match="too busy"):
        association.find(request("STUDY", {}, ["StudyInstanceUID"]), 0, "all studies")
    assert len(waited) == 2
    assert len(association.find(request("STUDY", {}, ["StudyInstanceUID"]), 0, "all studies").identifiers) == 1
    association.close()


@pytest.mark.parametrize("spec", [
    "cfind:///ARCHIVE", "cfind://host:104", "cfind://host:104/", "cfind://host:99999/ARCHIVE",
    "cfind://PACSMETER:secret@host:104/ARCHIVE", "cfind://SEVENTEENLETTERSX@host/ARCHIVE", "cfind://host/A%5CB",
    "cfind://host/ARCHIVE?x=1"])
def test_a_url_that_is_none_is_refused_without_its_password(options: Options, spec: str) -> None:
    with pytest.raises(PacsmeterError, match=r"cfind://CALLING@host:104/CALLED") as caught:
        open_cfind(spec, options)
    assert "secret" not in str(caught.value)


def test_a_url_says_who_asks_whom(options: Options) -> None:
    source = open_cfind("cfind://MY%20AE@Host.example/ARCHIVE%20ONE", options)
    assert source._association.node == Node("MY AE", "ARCHIVE ONE", "host.example", 104)
    assert source.location == "cfind://MY%20AE@host.example:104/ARCHIVE%20ONE"
    assert open_cfind(source.location, options)._association.node == source._association.node
