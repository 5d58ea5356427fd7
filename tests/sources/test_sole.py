"""IHE SOLE event reports: every framing, every code, every fault named, and never a patient."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from analytics.core.errors import PacsmeterError
from analytics.core.settings import Settings
from analytics.core.swim import ALL_RIDS, BY_NAME, BY_RID
from analytics.sources import sole_read
from analytics.sources.base import Batch, Known
from analytics.sources.load import LoadRecord, load_source, open_source
from analytics.sources.sole_read import messages_in, read_report
from analytics.warehouse.schema import events, files, quarantine
from analytics.warehouse.store import Store
from tests.sources.site_sole import SoleLog, audit_xml, syslog
from tests.sources.sites import NAMES, SECRETS
from tests.sources.test_privacy import every_text

AT = "2026-07-01T08:00:00Z"


def load(store: Store, folder: Path, settings: Settings) -> LoadRecord:
    with store.draft() as draft:
        return load_source(draft, open_source(f"sole://{folder}", settings))


def told(store: Store) -> list[tuple[str, str, str]]:
    rows = store.current().arrow(sa.select(events)).to_pylist()
    return sorted((row["accession_number"], row["event"], row["event_at"].astimezone(UTC).strftime("%d %H:%M"))
                  for row in rows)


def held_back(store: Store) -> dict[str, str]:
    rows = store.current().arrow(sa.select(quarantine.c.locator, quarantine.c.reason_code)).to_pylist()
    return {row["locator"]: row["reason_code"] for row in rows}


def bodies(content: bytes) -> list[tuple[bytes, str]]:
    return list(messages_in(io.BytesIO(content)))


def framed(text: str) -> bytes:
    raw = text.strip().encode()
    return str(len(raw)).encode() + b" " + raw


LINE = syslog("Order", AT, "A1")
FRAMINGS: dict[str, bytes] = {
    "lines": (LINE + syslog("Reported", AT, "A1")).encode(),
    "lines without line ends in a message": LINE.replace("\n", " ").encode() + b"\n" + syslog(
        "Reported", AT, "A1").encode(),
    "byte order mark": b"\xef\xbb\xbf" + (LINE + syslog("Reported", AT, "A1")).encode(),
    "octet count": framed(LINE) + framed(syslog("Reported", AT, "A1")),
    "octet count and line ends": framed(LINE) + b"\n" + framed(syslog("Reported", AT, "A1")) + b"\r\n",
    "XML": (audit_xml("Order", AT, "A1") + "\n" + audit_xml("Reported", AT, "A1")).encode(),
    "older XML": (audit_xml("Order", AT, "A1", attribute="code") + audit_xml("Reported", AT, "A1")).encode(),
    "structured data": LINE.replace(" - ", ' [a@1 b="] \\" x" c="2"][d@2 e="3"] ', 1).encode() + syslog(
        "Reported", AT, "A1").encode(),
}


@pytest.mark.parametrize("content", FRAMINGS.values(), ids=FRAMINGS.keys())
def test_every_framing_gives_the_same_events(
        duck_store: Store, tmp_path: Path, settings: Settings, content: bytes) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.log").write_bytes(content)
    assert load(duck_store, tmp_path / "in", settings).left_out == 0
    assert told(duck_store) == [("A1", "Order", "01 08:00"), ("A1", "Reported", "01 08:00")]


def test_a_message_is_found_wherever_a_piece_of_the_file_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sole_read, "_CHUNK_BYTES", 97)
    for content in FRAMINGS.values():
        reports = [read_report(raw) for raw, _ in bodies(content)]
        assert [(one.fault, BY_RID[one.rid], one.accession_numbers) for one in reports] == [
            ("", "Order", ("A1",)), ("", "Reported", ("A1",))]


def test_the_lexicon_knows_each_event_once() -> None:
    assert {event.name: event.rid for event in BY_NAME.values()}.items() <= ALL_RIDS.items()
    assert len(BY_RID) == len(ALL_RIDS)


def test_events_that_no_column_shows_are_kept_under_swims_name(
        duck_store: Store, tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.log").write_text(syslog("FirstImage", AT, "A1"))
    load(duck_store, tmp_path / "in", settings)
    assert told(duck_store) == [("A1", "FirstImage", "01 08:00")]


def test_times_are_read_by_their_offset_or_on_the_sites_clock(
        duck_store: Store, tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.log").write_text(
        syslog("Order", "2026-07-01T08:00:00.25+02:00", "A1") + syslog("Arrived", "2026-07-01T08:00:00", "A1")
        + syslog("ApptTime", "2099-07-01T08:00:00Z", "A1"))
    site = settings.model_copy(update={"site_zone": "Europe/London"})
    record = load(duck_store, tmp_path / "in", site)
    assert told(duck_store) == [
        ("A1", "ApptTime", "01 08:00"), ("A1", "Arrived", "01 07:00"), ("A1", "Order", "01 06:00")]
    assert "1 times without an offset" in record.message


BOMB = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;&b;">]><AuditMessage>&c;</AuditMessage>'


@pytest.mark.parametrize(("bad", "code"), [
    ("<110>1 no syslog at all\n", "malformed"),
    (f"<110>1 {AT} h IHE+SOLE 1 RID45813 - \n", "malformed"),
    (f"<110>1 {AT} h IHE+SOLE 1 RID45813 - <AuditMessage><Event\n", "bad_xml"),
    (f"<110>1 {AT} h IHE+SOLE 1 RID45813 - {BOMB}\n", "forbidden_xml"),
    (f"<110>1 {AT} h IHE+SOLE 1 RID45813 - <?xml version='1.0' encoding='klingon'?><AuditMessage/>\n", "bad_xml"),
    (f"<110>1 {AT} h IHE+SOLE 1 RID45813 - <Other/>\n", "malformed"),
    (syslog("Order", "2026-07-01", "A7"), "bad_instant"),
    (syslog("Order", "soon", "A7"), "bad_instant"),
    (syslog("Order", "", "A7").replace("<110>1 ", "<110>1 -"), "no_time"),
    (syslog("Order", "2226-07-01T08:00:00Z", "A7"), "clock_nonsense"),
    (syslog("Order", "1858-11-17T00:00:00Z", "A7"), "clock_nonsense"),
    (syslog("Order", AT, "A7").replace("RID45813", NAMES[0]), "no_event"),
])
def test_a_bad_message_is_named_and_the_others_are_loaded(
        duck_store: Store, tmp_path: Path, settings: Settings, bad: str, code: str) -> None:
    (tmp_path / "in").mkdir()
    path = tmp_path / "in" / "a.log"
    path.write_text(LINE + bad + syslog("Reported", AT, "A1"))
    record = load(duck_store, tmp_path / "in", settings)
    assert (held_back(duck_store), record.left_out, record.read) == ({"a.log:2": code}, 1, 3)
    assert told(duck_store) == [("A1", "Order", "01 08:00"), ("A1", "Reported", "01 08:00")]
    said = every_text(duck_store.current()) + str(record)
    assert [secret for secret in SECRETS if secret in said] == []
    path.write_text(LINE + syslog("Reported", AT, "A1"))
    load(duck_store, tmp_path / "in", settings)
    assert held_back(duck_store) == {}, "a record that was put right leaves quarantine"


def test_a_frame_that_is_cut_off_is_named(duck_store: Store, tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.log").write_bytes(framed(LINE) + framed(LINE)[:-40])
    load(duck_store, tmp_path / "in", settings)
    assert held_back(duck_store) == {"a.log:2": "truncated"}


def test_a_message_that_is_too_large_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sole_read, "MAX_MESSAGE_BYTES", 4_000)
    monkeypatch.setattr(sole_read, "_CHUNK_BYTES", 1_000)
    found = bodies((LINE + LINE.replace("<ActiveParticipant", " " * 9_000 + "<ActiveParticipant") + LINE).encode())
    assert [fault for _, fault in found] == ["", "too_large", ""]


def test_an_unknown_event_is_named_once_with_how_often_it_came(
        duck_store: Store, tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "in").mkdir()
    unknown = syslog("Order", AT, "A1").replace("RID45813", "RID99999")
    (tmp_path / "in" / "a.log").write_text(LINE + unknown * 3)
    record = load(duck_store, tmp_path / "in", settings)
    assert (held_back(duck_store), record.left_out) == ({"a.log:event RID99999": "unknown_event"}, 3)
    assert "3 events RID99999 are not known" in record.message


def test_what_is_no_event_of_an_exam_is_counted(duck_store: Store, tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.xml").write_text(
        audit_xml("110104", AT, "A1", system="DCM") + audit_xml("Order", AT, "A1", outcome="8")
        + audit_xml("PACSDown", AT, "") + audit_xml("Order", AT, "A1"))
    (tmp_path / "in" / "read.me").write_text("no log")
    message = load(duck_store, tmp_path / "in", settings).message
    assert [words for words in ("1 audit messages are no events of SOLE", "1 events are reported as failed",
                                "1 events name no accession number", "1 files are no event reports")
            if words not in message] == []
    assert told(duck_store) == [("A1", "Order", "01 08:00")]


def test_the_accession_number_may_be_an_object_of_its_own() -> None:
    xml = audit_xml("Order", AT, "").replace("1.2.0", "A9").replace("110180", "121022")
    assert read_report(xml.encode()).accession_numbers == ("A9",)


def test_ten_times_the_same_log_is_told_once(duck_store: Store, tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "in").mkdir()
    for copy in range(10):
        (tmp_path / "in" / f"{copy}.log").write_text(LINE)
    load(duck_store, tmp_path / "in", settings)
    assert told(duck_store) == [("A1", "Order", "01 08:00")]


def test_a_file_that_did_not_change_is_not_opened(duck_store: Store, tmp_path: Path, settings: Settings,
                                                  monkeypatch: pytest.MonkeyPatch) -> None:
    site = SoleLog(tmp_path / "site")
    load(duck_store, site.folder, settings)
    site.change_one()
    opened: list[str] = []
    real = Path.open

    def noted(path: Path, *arguments: Any, **named: Any) -> Any:
        opened.append(path.name)
        return real(path, *arguments, **named)

    monkeypatch.setattr(Path, "open", noted)
    assert load(duck_store, site.folder, settings).read == 3
    assert {name for name in opened if name.endswith(".log")} == {"sole-2.log"}


def test_no_patient_is_told_not_even_by_a_path(
        duck_store: Store, tmp_path: Path, settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "in" / NAMES[0].replace("^", "_")
    folder.mkdir(parents=True)
    (folder / "a.log").write_text(LINE + "<110>1 nonsense about " + NAMES[0] + "\n")
    with caplog.at_level(logging.DEBUG):
        record = load(duck_store, tmp_path / "in", settings)
    said = (every_text(duck_store.current()) + str(record) + caplog.text).upper()
    assert [secret for secret in SECRETS if secret in said] == []
    (path,) = duck_store.current().read(sa.select(files.c.path)).path
    assert path.startswith("~") and path.endswith("/a.log")


@pytest.mark.parametrize(("spec", "said"), [
    ("sole:///nowhere-at-all", "not there"), ("sole://server/folder", "three slashes"), ("sole:///", "three slashes"),
    ("sole:///tmp?x=1", "takes no options")])
def test_what_is_no_folder_is_refused(settings: Settings, spec: str, said: str) -> None:
    with pytest.raises(PacsmeterError, match=said):
        open_source(spec, settings)


@given(st.binary(max_size=300))
def test_no_bytes_make_the_reader_fail(content: bytes) -> None:
    for message, fault in bodies(content):
        assert fault or message
        read_report(message)


PIECES = (*LINE.split(">"), LINE, "12 ", "<110>1 ", BOMB, "</AuditMessage>", "\n")


@given(st.lists(st.sampled_from(PIECES), max_size=12))
def test_no_pieces_of_messages_make_the_reader_fail(pieces: list[str]) -> None:
    for message, fault in bodies(">".join(pieces).encode()):
        if not fault:
            read_report(message)


def test_batches_stay_small(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analytics.sources.message_files.ROWS_PER_BATCH", 10)
    (tmp_path / "a.log").write_text("".join(syslog("Order", AT, f"A{number}") for number in range(35)))
    given: Iterator[Batch] = open_source(f"sole://{tmp_path}/a.log", settings).batches(  # type: ignore[assignment]
        Known(), lambda *_: None)
    assert [(batch.table.name, batch.rows.num_rows) for batch in given] == [
        ("events", 10), ("events", 10), ("events", 10), ("events", 5), ("files", 1)]


def test_the_load_says_which_days_it_covers(tmp_path: Path, settings: Settings) -> None:
    source = open_source(SoleLog(tmp_path / "site").spec, settings)
    list(source.batches(Known(), lambda *_: None))
    covered = source.coverage.covered_from, source.coverage.covered_to
    assert covered == (datetime(2026, 7, 1, tzinfo=UTC).date(), datetime(2026, 7, 3, tzinfo=UTC).date())
