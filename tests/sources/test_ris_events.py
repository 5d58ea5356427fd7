"""Events of a RIS: stored under SWIM's names, unknown ones counted, bad cells named, good ones kept."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from analytics.core.errors import PacsmeterError
from analytics.core.settings import Settings
from analytics.sources.load import LoadRecord, load_source, open_source
from analytics.sources.source_file import read_source_file
from analytics.warehouse.schema import events, orders, quarantine
from analytics.warehouse.store import Store
from tests.sources.sites import LongEvents, WideEvents, write_rows


def load(store: Store, folder: Path, settings: Settings) -> LoadRecord:
    with store.draft() as draft:
        return load_source(draft, open_source(folder / "source.toml", settings))


def named(store: Store) -> dict[str, str]:
    held = store.current().read(sa.select(quarantine.c.locator, quarantine.c.reason_code))
    return dict(held.itertuples(index=False))


def test_unknown_events_are_counted_under_their_name(duck_store: Store, tmp_path: Path, settings: Settings) -> None:
    site = LongEvents(tmp_path / "ris")
    (site.folder / "ris.csv").write_text(
        "ACC,STEP,AT\nA1,ORDERED,2026-07-01 08:00\nA1,COFFEE,2026-07-01 09:00\nA2,COFFEE,never\n"
        "A2,,2026-07-01 09:00\n,ORDERED,2026-07-01 09:00\nA3,SIGNED,soon\nA4,SIGNED,\n")
    record = load(duck_store, site.folder, settings)
    assert (record.read, record.added, record.left_out) == (7, 1, 6)
    assert named(duck_store) == {
        "ris.csv event 'COFFEE'": "unknown_event", "ris.csv:5": "empty_key", "ris.csv:6": "empty_key",
        "ris.csv:7": "bad_instant", "ris.csv:8": "empty_key"}


def test_a_column_that_holds_no_event_may_hold_names_and_they_are_not_said(
        duck_store: Store, tmp_path: Path, settings: Settings) -> None:
    site = LongEvents(tmp_path / "ris")
    (site.folder / "ris.csv").write_text("ACC,STEP,AT\nA1,DOE^JANE,2026-07-01 08:00\nA2,ROE^RICHARD,2026-07-01 09:00\n")
    with pytest.raises(PacsmeterError, match=r"first at ris\.csv:2: From here on STEP holds no event") as caught:
        load(duck_store, site.folder, settings)
    assert "DOE" not in str(caught.value)


def test_a_bad_cell_leaves_the_other_events_of_the_exam(duck_store: Store, tmp_path: Path, settings: Settings) -> None:
    site = WideEvents(tmp_path / "ris")
    site.rows[0]["SIGNED"] = "soon"
    site.rows.append({"ACC": "", "ORDERED": "2026-07-04 08:00", "SIGNED": ""})
    site.write()
    record = load(duck_store, site.folder, settings)
    assert (record.read, record.added, record.left_out) == (6, 4, 2)
    assert named(duck_store) == {"ris.csv:2 SIGNED": "bad_instant", "ris.csv:5 ORDERED": "empty_key"}
    held = duck_store.current().read(sa.select(events.c.event).where(events.c.accession_number == "A1"))
    assert held.event.tolist() == ["Order"]


def test_orders_and_their_events_come_from_one_export_with_their_own_codes(
        duck_store: Store, tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "source.toml").write_text("""
source_id = "ris"
kind = "ris_events"
[tables.orders]
file = "ris.csv"
columns = {accession_number = "ACC", patient_id = "PID", priority = "PRIO"}
values = {priority = {STAT = "S", ROUTINE = "R"}}
[tables.events]
file = "ris.csv"
shape = "wide"
instant_format = "%d.%m.%Y %H:%M"
columns = {accession_number = "ACC"}
events = {Order = "ORDERED"}
""")
    write_rows(tmp_path / "ris.csv", [
        {"ACC": f"A{prio}", "PID": "0000", "PRIO": prio, "ORDERED": "01.07.2026 08:00"}
        for prio in ("STAT", "ROUTINE", "X")])
    load(duck_store, tmp_path, settings)
    held = duck_store.current().read(sa.select(orders).order_by(orders.c.accession_number))
    assert held.priority.tolist() == ["R", "S", "X"]
    assert held.patient_key.str.startswith("placeholder-").all()
    assert duck_store.current().count(events) == 3


@pytest.mark.parametrize(("old", "new", "said"), [
    ("Reported =", "Reporte =", "Did you mean 'Reported'"),
    ("[tables.events.events]\nOrder = \"ORDERED\"\nReported = \"SIGNED\"\n", "", "events] is missing"),
    ("accession_number = \"ACC\"", "", "needs 'accession_number'")])
def test_a_fault_in_the_events_section_says_what_to_do(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = tmp_path / "source.toml"
    assert old in WideEvents.toml
    path.write_text(WideEvents.toml.replace(old, new))
    with pytest.raises(PacsmeterError) as caught:
        read_source_file(path)
    assert said in str(caught.value)
