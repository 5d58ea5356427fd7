"""A workbook is read as an export is: its cells by what they are, its faults in one clear line."""

from __future__ import annotations

import struct
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from analytics.core.errors import PacsmeterError
from analytics.core.settings import Settings
from analytics.sources.base import Known
from analytics.sources.load import load_source, open_source
from analytics.warehouse.schema import events, orders, quarantine
from analytics.warehouse.store import Store
from tests.sources.site_spreadsheet import SHEET, write_workbook

END, FREE = 0xFFFFFFFE, 0xFFFFFFFF
HEAD: list[list[Any]] = [["Times of July"], [], ["ACC", "ORDERED", "SIGNED"]]


def load(store: Store, folder: Path, settings: Settings, toml: str, rows: list[list[Any]]) -> list[dict[str, Any]]:
    """Write a workbook and its source file, load it, and return the events."""
    (folder / "s.toml").write_text(toml)
    write_workbook(folder / "ris.xlsx", rows)
    with store.draft() as draft:
        load_source(draft, open_source(folder / "s.toml", settings))
    return store.current().arrow(sa.select(events).order_by(
        events.c.accession_number, events.c.event_at)).to_pylist()


def at(hour: int, minute: int = 0, day: int = 1) -> datetime:
    return datetime(2026, 7, day, hour, minute, tzinfo=UTC)


def test_numbers_dates_and_text_of_a_wide_sheet(duck_store: Store, tmp_path: Path, settings: Settings) -> None:
    told = load(duck_store, tmp_path, settings, SHEET, [
        *HEAD,
        [4711, cell(8), cell(9, 30)],
        ["A2", "2026-07-01 10:00", None],
        [],
        ["003", cell(0), cell(1, day=2)]])
    assert [(one["accession_number"], one["event"], one["event_at"], one["origin"]) for one in told] == [
        ("003", "Order", at(0), "ORDERED"), ("003", "Reported", at(1, day=2), "SIGNED"),
        ("4711", "Order", at(8), "ORDERED"), ("4711", "Reported", at(9, 30), "SIGNED"),
        ("A2", "Order", at(10), "ORDERED")]


def test_a_long_sheet_with_a_date_and_a_time_in_two_columns(
        duck_store: Store, tmp_path: Path, settings: Settings) -> None:
    toml = """
source_id = "ris"
kind = "ris_events"
[tables.events]
file = "ris.xlsx"
sheet = "Times"
[tables.events.columns]
accession_number = "ACC"
event = "STEP"
event_at = ["DAY", "HOUR"]
[tables.events.events]
Order = "ordered"
Reported = "signed"
[tables.orders]
file = "ris.xlsx"
sheet = "Times"
[tables.orders.columns]
accession_number = "ACC"
patient_birth_date = "BORN"
"""
    told = load(duck_store, tmp_path, settings, toml, [
        ["ACC", "STEP", "DAY", "HOUR", "BORN"],
        [1, "ordered", date(2026, 7, 1), time(8, 5), date(1943, 2, 17)],
        [2, "signed", date(2026, 7, 2), time(9), date(1956, 11, 23)]])
    assert [(one["accession_number"], one["event"], one["event_at"], one["origin"]) for one in told] == [
        ("1", "Order", at(8, 5), "ordered"), ("2", "Reported", at(9, day=2), "signed")]
    years = duck_store.current().read(sa.select(orders.c.patient_birth_year).order_by(orders.c.accession_number))
    assert years.patient_birth_year.tolist() == [1943, 1956]


def test_bad_rows_are_named_by_their_row_in_the_sheet(duck_store: Store, tmp_path: Path, settings: Settings) -> None:
    told = load(duck_store, tmp_path, settings, SHEET, [
        *HEAD, ["A1", "soon", None], [], [None, cell(0), None], ["#N/A", cell(8), None], ["A2", cell(8), None]])
    held = duck_store.current().read(sa.select(quarantine.c.locator, quarantine.c.reason_code))
    assert dict(held.itertuples(index=False)) == {
        "ris.xlsx:4 ORDERED": "bad_instant", "ris.xlsx:6 ORDERED": "empty_key", "ris.xlsx:7 ORDERED": "empty_key"}
    assert [one["accession_number"] for one in told] == ["A2"]


def cell(hour: int, minute: int = 0, day: int = 1) -> datetime:
    """Return what a sheet holds for a time: it knows no zone."""
    return at(hour, minute, day).replace(tzinfo=None)


@pytest.mark.parametrize(("change", "rows", "said"), [
    (('"Times"', '"Zeiten"'), HEAD, r"no sheet 'Zeiten'.*There is: Sheet, Times"),
    (('"ACC"', '"ACCESSION"'), HEAD, r"no column 'ACCESSION'.*There is: ACC, ORDERED, SIGNED"),
    (("header_row = 3", "header_row = 1"), HEAD, r"no column 'ACC'.*header_row"),
    (("header_row = 3", "header_row = 9"), HEAD, r"no row 9"),
    (("", ""), [*HEAD[:2], ["ACC", "ACC", "ORDERED", "SIGNED"]], r"column 'ACC' 2 times"),
])
def test_what_is_missing_is_named_with_what_there_is(
        tmp_path: Path, settings: Settings, change: tuple[str, str], rows: list[list[Any]], said: str) -> None:
    (tmp_path / "s.toml").write_text(SHEET.replace(*change))
    write_workbook(tmp_path / "ris.xlsx", rows)
    with pytest.raises(PacsmeterError, match=said):
        list(open_source(tmp_path / "s.toml", settings).batches(Known(), lambda *_: None))


def locked_workbook() -> bytes:
    """Return the compound file that an encrypted workbook is: one stream, EncryptedPackage (MS-OFFCRYPTO 2.3.4)."""
    header = struct.pack("<8s16s5H6x9I", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"", 0x3E, 3, 0xFFFE, 9, 6,
                         0, 1, 1, 0, 4_096, END, 0, END, 0) + struct.pack("<109I", 0, *[FREE] * 108)
    table = struct.pack("<128I", 0xFFFFFFFD, END, *[FREE] * 126)
    entries = b"".join(
        struct.pack("<64sHBB3I36xIQ", name.encode("utf-16-le"), 2 * len(name) + 2, kind, 1, FREE, FREE, child, END, 0)
        for name, kind, child in (("Root Entry", 5, 1), ("EncryptedPackage", 2, FREE)))
    return header + table + entries.ljust(512, b"\0")


def test_a_damaged_or_locked_workbook_is_one_clear_line(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "s.toml").write_text(SHEET)
    path = tmp_path / "ris.xlsx"
    write_workbook(path, HEAD)
    whole = path.read_bytes()
    for content, said in ((whole[:-200], "damaged"), (b"PK\x03\x04", "damaged"), (b"ACC;ORDERED\n", "damaged"),
                          (b"", "empty"), (locked_workbook(), "locked with a password")):
        path.write_bytes(content)
        with pytest.raises(PacsmeterError, match=said) as caught:
            list(open_source(tmp_path / "s.toml", settings).batches(Known(), lambda *_: None))
        assert "ris.xlsx" in str(caught.value)
