"""Messages that are told again, late or in another order: the last word stays, and no name stays behind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from analytics.core.settings import Settings
from analytics.sources.hl7_paths import first_sent
from analytics.sources.load import LoadRecord, load_source, open_source
from analytics.sources.load_parts import remember
from analytics.warehouse.schema import events, files, marks, orders
from analytics.warehouse.store import Store
from tests.sources.hl7_samples import EDGE, read, text
from tests.sources.site_fhir import order, patient, write_lines
from tests.sources.site_hl7 import message
from tests.sources.site_hl7 import order as hl7_order
from tests.sources.site_sole import audit_xml, syslog
from tests.sources.sites import IDS, NAMES, SECRETS
from tests.sources.test_privacy import every_text

AT = "2026-07-01T08:00:00Z"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give an empty folder."""
    made = tmp_path / "in"
    made.mkdir()
    return made


def load(store: Store, spec: str, settings: Settings) -> LoadRecord:
    with store.draft() as draft:
        return load_source(draft, open_source(spec, settings, source_id="ris"))


def when(store: Store, event: str) -> list[str]:
    rows = store.current().arrow(sa.select(events.c.event_at).where(events.c.event == event)).column(0).to_pylist()
    return sorted(f"{at:%m-%d %H:%M}" for at in rows)


def test_a_report_of_an_event_that_is_not_known_does_not_bring_an_old_appointment_back(
        duck_store: Store, folder: Path, settings: Settings) -> None:
    (folder / "1.log").write_text(syslog("TimeScheduled", AT, "A1") + syslog("Order", AT, "A1").replace(
        "RID45813", "RID99999"))
    (folder / "2.log").write_text(syslog("TimeScheduled", "2026-07-02T09:00:00Z", "A1"))
    for _ in range(3):
        load(duck_store, f"sole://{folder}", settings)
        assert when(duck_store, "TimeScheduled") == ["07-02 09:00"]


def versions(*resources: dict[str, Any]) -> str:
    entries = [{"resource": one} for one in resources]
    return json.dumps({"resourceType": "Bundle", "type": "history", "entry": entries})


def test_of_two_versions_of_an_order_the_later_counts_wherever_it_stands(
        duck_store: Store, folder: Path, settings: Settings) -> None:
    first = order(0, meta={"lastUpdated": "2026-07-01T08:00:00Z"}, occurrenceDateTime="2026-07-03T08:00:00Z")
    moved = order(0, meta={"lastUpdated": "2026-07-02T08:00:00+02:00"}, occurrenceDateTime="2026-07-09T10:00:00Z",
                  priority="stat")
    (folder / "history.json").write_text(versions(moved, first, patient(0)))
    record = load(duck_store, f"fhir://{folder}", settings)
    assert when(duck_store, "ApptTime") == ["07-09 10:00"]
    (row,) = duck_store.current().arrow(sa.select(orders)).to_pylist()
    assert row["priority"] == "S"
    assert "1 earlier versions of ServiceRequest" in record.message


def test_text_that_no_database_takes_stops_no_export(duck_store: Store, folder: Path, settings: Settings) -> None:
    (folder / "a.ndjson").write_text(
        json.dumps(order(0, code={"text": "Chest\ud800\x00 CT"})) + "\n"
        + json.dumps({**patient(0), "name": [{"family": "Doe\udc00"}]}) + "\n")
    load(duck_store, f"fhir://{folder}", settings)
    (row,) = duck_store.current().arrow(sa.select(orders)).to_pylist()
    assert row["procedure_description"] == "Chest CT"


@pytest.mark.parametrize("name", ["9876543210.ndjson", "maiden-name.ndjson", "srv77120.ndjson"])
def test_every_id_and_name_of_a_patient_is_looked_for_in_the_path_of_an_export(
        duck_store: Store, folder: Path, settings: Settings, name: str) -> None:
    person = {**patient(0), "id": "srv77120"}
    person["identifier"] = [*person["identifier"], {"system": "urn:national", "value": "987 654 3210"}]
    person["name"] = [*person["name"], {"use": "maiden", "family": "Maiden"}]
    write_lines(folder / name, [order(0, subject={"reference": "Patient/srv77120"}), person])
    load(duck_store, f"fhir://{folder}", settings)
    (stored,) = duck_store.current().arrow(sa.select(files.c.path)).column(0).to_pylist()
    assert stored.startswith("~")


def test_a_patient_id_with_its_authority_is_found_in_the_path_of_event_reports(
        duck_store: Store, folder: Path, settings: Settings) -> None:
    with_authority = audit_xml("Order", AT, "A1").replace(IDS[0], f"{IDS[0]}^^^&amp;1.2.3&amp;ISO")
    (folder / f"{IDS[0]}.xml").write_text(with_authority)
    load(duck_store, f"sole://{folder}", settings)
    assert IDS[0] not in every_text(duck_store.current())


def test_a_time_that_the_clocks_skip_is_one_instant_in_every_source_and_counted(
        duck_store: Store, folder: Path, settings: Settings) -> None:
    (folder / "1.log").write_text(syslog("Order", "2026-03-29T01:30:00", "A1"))
    site = settings.model_copy(update={"site_zone": "Europe/London"})
    record = load(duck_store, f"sole://{folder}", site)
    assert when(duck_store, "Order") == ["03-29 01:00"]
    assert "1 local times fall where the clocks change" in record.message


def test_the_last_appointment_counts_however_the_files_are_named(
        duck_store: Store, folder: Path, settings: Settings) -> None:
    for name, sent, start in (("f3", "20260701", "20260705080000"), ("a7", "20260702", "20260709100000")):
        appointment = f"SCH{'|' * 11}^^^{start}{'|' * 16}A1"
        (folder / name).write_bytes(text("SIU^S12", appointment, at=f"{sent}080000").encode())
    load(duck_store, f"hl7://{folder}", settings)
    assert when(duck_store, "ApptTime") == ["07-09 10:00"]


@pytest.mark.parametrize(("raw", "sent"), [
    (text("SIU^S12", at="20260701080000+0100").encode(), "20260701080000"),
    (b"\x0bMSH|^~\\&|A|B|C|D|202607010800||", "20260701080000"),
    (b"FHS|^~\\&|\rMSH#^~\\&#A#B#C#D#20260701", "20260701000000"),
    (b"MSH|^~\\&|A|B|C|D|||SIU^S12|20260701080000", ""), (b"MSH" + b"|" * 5_000, ""), (b"MSH|^~", ""), (b"", "")])
def test_when_a_file_was_sent(folder: Path, raw: bytes, sent: str) -> None:
    (folder / "1").write_bytes(raw)
    assert first_sent(str(folder / "1")) == sent


def test_a_mark_does_not_keep_the_name_of_a_folder_that_is_masked_since(
        duck_store: Store, folder: Path, settings: Settings) -> None:
    named = folder / NAMES[0].replace("^", " ")
    named.mkdir()
    (named / "1.hl7").write_bytes(text("ORM^O01", "ORC|NW||A1|||||||bad").encode() + text("ORM^O01", "ORC|NW").encode())
    load(duck_store, f"hl7://{folder}", settings)
    with duck_store.draft() as draft:  # as an earlier version left one behind
        remember(draft, "ris", {f"tried {NAMES[1]}/0.hl7": "1 2 3"})
    (named / "2.hl7").write_bytes(hl7_order(0, "20260701080000").encode())
    load(duck_store, f"hl7://{folder}", settings)
    assert [secret for secret in SECRETS if secret in every_text(duck_store.current())] == []
    (mark,) = duck_store.current().arrow(sa.select(marks.c.name).where(marks.c.source_id == "ris")).to_pylist()
    assert mark["name"].startswith("tried ~")


@pytest.mark.parametrize(("surviving", "merged", "are_merged"), [
    ("700^^^NORTH^MR~12345^^^NHS^NI", "88^^^NORTH^MR", True), ("700^^^NORTH^MR", "88", True),
    ("700^^^NORTH^MR~12345^^^NHS^NI", "54321^^^NHS^NI", False)])
def test_a_national_number_is_not_merged_into_a_medical_record_number(
        duck_store: Store, folder: Path, settings: Settings, surviving: str, merged: str, are_merged: bool) -> None:
    merger = text("ADT^A40", "EVN||20260701080000", f"PID|1||{surviving}", f"MRG|{merged}")
    (folder / "1.hl7").write_bytes(message("ORM^O01", 0, "20260701080000", "ORC|NW||A1").encode() + merger.encode())
    record = load(duck_store, f"hl7://{folder}", settings)
    assert ("patient_merges" in record.by_table) == are_merged
    assert ("merges of ids of two types" in record.message) != are_merged


def test_an_id_is_merged_into_the_one_of_its_own_authority() -> None:
    found = read("ADT^A40", "EVN||20260701080000", "PID|1||100^^^A^MR~200^^^B^MR", "MRG|500^^^B^MR~600^^^A^MR")
    key = EDGE.patient_key
    assert [(row["merged_key"], row["surviving_key"]) for row in found.merges] == [
        (key("500"), key("200")), (key("600"), key("100"))]
