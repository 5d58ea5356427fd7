"""A folder of HL7 messages as it is loaded: incremental, without identities, nothing lost, nothing twice."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pytest
import sqlalchemy as sa

from analytics.core.errors import PacsmeterError
from analytics.core.paths import resolve_path
from analytics.core.pseudonym import Pseudonymizer
from analytics.core.settings import Settings
from analytics.sources import hl7_messages
from analytics.sources.base import Known
from analytics.sources.hl7_files import Found, messages_in
from analytics.sources.load import LoadRecord, load_source
from analytics.sources.open import open_source
from analytics.warehouse.schema import events, files, orders, patient_merges, quarantine
from analytics.warehouse.store import Store
from tests.sources.hl7_samples import PID, text
from tests.sources.site_hl7 import Hl7Site, message, order
from tests.sources.sites import BORN, IDS, NAMES, SECRETS
from tests.sources.test_privacy import every_text

Load = Callable[..., LoadRecord]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give an empty folder."""
    made = tmp_path / "messages"
    made.mkdir()
    return made


@pytest.fixture
def load(duck_store: Store, settings: Settings) -> Load:
    """Give a function that loads what a URL names."""
    def run(spec: str, **options: Any) -> LoadRecord:
        with duck_store.draft() as draft:
            return load_source(draft, open_source(spec, settings, source_id="ris", **options))
    return run


def rows(store: Store, table: sa.Table) -> list[dict[str, Any]]:
    held = store.current().arrow(sa.select(table)).to_pylist()
    return sorted(({key: row[key] for key in row if key not in ("load_id", "seen_at")} for row in held), key=str)


def faults(store: Store) -> list[tuple[str, str]]:
    return [(row["locator"], row["reason_code"]) for row in rows(store, quarantine)]


def test_the_same_ten_times_is_the_same_once(duck_store: Store, load: Load, folder: Path) -> None:
    site = Hl7Site(folder)
    load(site.spec)
    held = [rows(duck_store, table) for table in (orders, events)]
    for number in range(10):
        (site.folder / f"9{number}.hl7").write_bytes((site.folder / "1.hl7").read_bytes() * 10)
    record = load(site.spec)
    assert [rows(duck_store, table) for table in (orders, events)] == held
    assert (record.added, record.changed, record.removed, record.left_out) == (0, 0, 0, 0)


def test_a_file_that_grows_is_read_again_and_others_are_not(duck_store: Store, load: Load, folder: Path) -> None:
    site = Hl7Site(folder)
    load(site.spec)
    with (site.folder / "2.hl7").open("ab") as file:
        file.write(order(2, "20260703100000", "CA").encode())
    record = load(site.spec)
    assert record.read == 3, "the three messages of the file that grew"
    assert record.by_table["events"].added == 1
    assert "1 files did not change" in record.message


def test_what_a_file_told_stays_when_the_file_goes(duck_store: Store, load: Load, folder: Path) -> None:
    site = Hl7Site(folder)
    load(site.spec)
    held = rows(duck_store, events)
    (site.folder / "1.hl7").unlink()
    assert load(site.spec).removed == 0
    assert rows(duck_store, events) == held
    assert [row["path"] for row in rows(duck_store, files)] == ["2.hl7"]


def test_later_messages_fill_and_change_what_earlier_ones_said(duck_store: Store, load: Load, folder: Path) -> None:
    write = lambda name, *segments: (folder / name).write_bytes(text("ORM^O01", *segments).encode())  # noqa: E731
    write("1", PID, "PV1|1|O", "ORC|NW||A1||||^^^^^R", "OBR|1||A1|C1^CT head")
    write("2", PID, "ORC|XO||A1||||^^^^^S")
    load(f"hl7://{folder}")
    (row,) = rows(duck_store, orders)
    assert (row["priority"], row["patient_class"], row["procedure_code"]) == ("S", "O", "C1")


def test_a_cancel_that_is_taken_back_and_given_again_stands(duck_store: Store, load: Load, folder: Path) -> None:
    for name, control, at in (("1", "CA", "0800"), ("2", "UC", "0900")):
        (folder / name).write_bytes(order(0, f"20260701{at}00", control).encode())
    load(f"hl7://{folder}")
    assert rows(duck_store, events) == []
    (folder / "3").write_bytes(order(0, "20260701100000", "CR").encode())
    load(f"hl7://{folder}")
    assert [row["origin"] for row in rows(duck_store, events)] == ["ORC-1 CR, ORC-9"]


def test_the_same_in_one_load(duck_store: Store, load: Load, folder: Path) -> None:
    for name, control, at in (("1", "CA", "0800"), ("2", "UC", "0900"), ("3", "CR", "1000")):
        (folder / name).write_bytes(order(0, f"20260701{at}00", control).encode())
    load(f"hl7://{folder}")
    assert "ORC-1 CR, ORC-9" in [row["origin"] for row in rows(duck_store, events)]


def test_every_bad_record_is_named_and_goes_when_it_is_put_right(duck_store: Store, load: Load, folder: Path) -> None:
    good, whole = order(0, "20260701080000").encode(), order(1, "20260702080000").encode()
    (folder / "a.hl7").write_bytes(b"PID|x\r" + good + b"\x0b" + whole)
    (folder / "b.hl7").write_bytes("".join([
        text("ORM^O01", PID, "ORC|NW"), "MSH|^^^^|\r",
        text("ORM^O01", PID, "ORC|NW||A9||||||20991231000000", "OBR|1||A9")]).encode())
    (folder / "c.txt").write_bytes(b"hello")
    (folder / "d").touch()
    record = load(f"hl7://{folder}")
    assert faults(duck_store) == [
        ("a.hl7:1", "no_header"), ("a.hl7:3", "truncated"), ("b.hl7:1", "no_accession"),
        ("b.hl7:2", "malformed_message"), ("b.hl7:3", "clock_nonsense"), ("c.txt", "not_hl7"), ("d", "empty")]
    assert record.left_out == 7
    assert {row["accession_number"] for row in rows(duck_store, orders)} == {"A1", "A9"}
    assert {row["path"]: row["status"] for row in rows(duck_store, files)} == {
        "a.hl7": "partly_read", "b.hl7": "partly_read", "c.txt": "not_hl7", "d": "empty"}

    assert load(f"hl7://{folder}").read == 0, "nothing changed: nothing is tried again"
    assert len(faults(duck_store)) == 7

    (folder / "a.hl7").write_bytes(good + b"\x0b" + whole + b"\x1c\r")
    (folder / "c.txt").unlink()
    load(f"hl7://{folder}")
    assert faults(duck_store) == [("b.hl7:1", "no_accession"), ("b.hl7:2", "malformed_message"),
                                  ("b.hl7:3", "clock_nonsense"), ("d", "empty")]
    assert {row["accession_number"] for row in rows(duck_store, orders)} == {"A1", "A2", "A9"}


def test_a_file_with_a_bad_record_does_not_undo_what_newer_files_said(
        duck_store: Store, load: Load, folder: Path) -> None:
    (folder / "1").write_bytes(text("ORM^O01", PID, "ORC|NW||A1||||^^^^^R").encode() + b"MSH|^^^^|\r")
    (folder / "2").write_bytes(text("ORM^O01", PID, "ORC|XO||A1||||^^^^^S").encode())
    load(f"hl7://{folder}")
    load(f"hl7://{folder}")
    assert [row["priority"] for row in rows(duck_store, orders)] == ["S"]


def test_another_field_of_the_accession_number_tries_what_was_left_out_again(
        duck_store: Store, load: Load, folder: Path) -> None:
    (folder / "1").write_bytes(text("ORM^O01", PID, "ORC|NW|P1").encode() + order(0, "20260701080000").encode())
    load(f"hl7://{folder}")
    assert faults(duck_store) == [("1:1", "no_accession")]
    load(f"hl7://{folder}?accession=OBR-18,ORC-2")
    assert faults(duck_store) == []
    assert {row["accession_number"] for row in rows(duck_store, orders)} == {"A1", "P1"}


def test_a_file_that_cannot_be_read_to_its_end_is_named_and_tried_again(
        duck_store: Store, load: Load, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = Hl7Site(folder)

    def failing(file: BinaryIO) -> Iterator[Found]:
        for number, found in enumerate(messages_in(file)):
            if number and file.name.endswith("2.hl7"):
                raise OSError(5, "Input/output error")
            yield found

    monkeypatch.setattr(hl7_messages, "messages_in", failing)
    load(site.spec)
    assert faults(duck_store) == [("2.hl7", "unreadable")]
    assert len(rows(duck_store, events)) == 4, "what came before the fault is there"
    monkeypatch.undo()
    load(site.spec)
    assert faults(duck_store) == []
    assert len(rows(duck_store, events)) == 6


@pytest.mark.parametrize("place", [
    f"{NAMES[0].replace('^', '_')}.hl7", f"{IDS[0]}/1.hl7", f"north/{NAMES[0].split('^')[0].lower()}/1.txt",
    f"{BORN[0]}-1.hl7", f"1.{IDS[0]}"])
def test_an_identity_in_a_path_does_not_enter_the_warehouse(
        duck_store: Store, load: Load, folder: Path, settings: Settings, place: str,
        caplog: pytest.LogCaptureFixture) -> None:
    path = folder / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(order(0, "20260701080000").encode() + b"MSH|^^^^|" + NAMES[1].encode() + b"\r")
    with caplog.at_level(logging.DEBUG):
        record = load(f"hl7://{folder}")
        load(f"hl7://{folder}")
    said = (every_text(duck_store.current()) + str(record) + caplog.text).upper()
    assert [secret for secret in SECRETS if secret in said] == []
    (row,) = rows(duck_store, files)
    assert "~" in row["path"]
    pseudonymizer = Pseudonymizer.from_file(settings.pseudonym_key_file)
    assert resolve_path(folder, row["path"], pseudonymizer) == path
    assert [locator for locator, _ in faults(duck_store)] == [f"{row['path']}:2"]


def test_a_day_in_a_path_is_no_birth_date_of_a_child_born_on_it(duck_store: Store, load: Load, folder: Path) -> None:
    born = text("ORM^O01", f"PID|1||{IDS[0]}||{NAMES[0]}||20260701", "ORC|NW||A1")
    for name in ("received-20260701.hl7", "20260701.hl7"):
        (folder / name).write_bytes(born.encode())
    load(f"hl7://{folder}")
    assert [row["path"] for row in rows(duck_store, files)] == ["20260701.hl7", "received-20260701.hl7"]


def test_no_identity_of_a_message_enters_the_warehouse(
        duck_store: Store, load: Load, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    where = [name for pair in zip(IDS, NAMES, strict=True) for name in pair]
    for number, secret in enumerate(where):
        (folder / f"{number}.hl7").write_bytes("".join([
            message(secret, 0, "20260701080000", f"ORC|NW||A{number}||||||{secret}"),
            message("ORM^O01", 1, secret, f"ORC|{secret}||A{number}||{secret}||{secret}", f"OBR|1|||C|||{secret}"),
            message("ADT^A40", 2, "20260701080000", f"MRG|{IDS[0]}"), f"{secret}|x\r", f"MSH{secret}\r"]).encode())
    with caplog.at_level(logging.DEBUG):
        record = load(f"hl7://{folder}")
    said = (every_text(duck_store.current()) + str(record) + caplog.text).upper()
    assert [secret for secret in SECRETS if secret in said] == []
    assert len(rows(duck_store, patient_merges)) == 1


@pytest.mark.parametrize(("spec", "what"), [
    ("hl7:///there/is/none", "no such file"), ("hl7://host/folder", "not a path"), ("hl7:", "not a path"),
    ("hl7://{here}?acession=OBR-18", "not known"), ("hl7://{here}?accession=PID-3", "accession number is not known"),
    ("hl7://{here}?charset=KLINGON", "character set")])
def test_a_url_that_is_wrong_is_one_clear_line(folder: Path, settings: Settings, spec: str, what: str) -> None:
    with pytest.raises(PacsmeterError, match=what):
        open_source(spec.format(here=folder), settings)


def test_a_path_may_be_relative_and_percent_encoded(
        folder: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    within = folder / "what is this?" / "50%"
    within.mkdir(parents=True)
    (within / "1").write_bytes(order(0, "20260701080000").encode())
    monkeypatch.chdir(folder)
    for spec in ("hl7:what%20is%20this%3F/50%25", f"hl7://{folder}/what is this%3F/50%25/1"):
        source = open_source(spec, settings)
        assert source.location == str(within)
        assert sum(batch.rows.num_rows for batch in source.batches(Known(), lambda *_: None)) == 3  # type: ignore[union-attr]


def test_a_folder_of_nothing_is_refused(load: Load, folder: Path) -> None:
    (folder / "a.txt").write_bytes(b"hello")
    with pytest.raises(PacsmeterError, match=r"No record could be read.*not_hl7"):
        load(f"hl7://{folder}")
