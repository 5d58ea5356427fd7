"""FHIR exports of R4 and R5: what each resource tells, where its references lead, every fault named, and no patient."""

from __future__ import annotations

import copy
import gzip
import json
import logging
import tempfile
from datetime import UTC
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from analytics.core.errors import PacsmeterError
from analytics.core.pseudonym import Pseudonymizer
from analytics.core.settings import Settings
from analytics.sources import fhir_files, fhir_read, iso_times
from analytics.sources.base import Batch, Known
from analytics.sources.fhir_files import resources_in
from analytics.sources.fhir_index import ReferenceIndex
from analytics.sources.fhir_references import References
from analytics.sources.load import LoadRecord, load_source, open_source
from analytics.sources.patient import PatientEdge
from analytics.warehouse.schema import events, files, orders, quarantine, studies
from analytics.warehouse.store import Store
from tests.sources.site_fhir import FhirExport, encounter, identifier, order, patient, report, study, write_lines
from tests.sources.sites import BORN, IDS, NAMES, SECRETS, Export
from tests.sources.test_privacy import every_text

Resource = dict[str, Any]
A0 = [("A0", "Order", "01 08:00"), ("A0", "ProcedureStart", "01 09:00"), ("A0", "Reported", "01 12:00")]
R5: dict[str, Resource] = {
    "Encounter": {"resourceType": "Encounter", "id": "e0", "class": [{"coding": [{"code": "AMB"}]}]},
    "ServiceRequest": order(0, code={"concept": {"coding": [{"code": "24627-2"}], "text": "Chest"}}),
    "ImagingStudy": study(0, modality=[{"coding": [{"code": "SR"}]}, {"coding": [{"code": "CT"}]}],
                          series=[{"uid": "1.2.0.1", "modality": {"coding": [{"code": "CT"}]}, "performer": []}]),
    "DiagnosticReport": {**{name: value for name, value in report(0).items() if name != "imagingStudy"},
                         "study": [{"reference": "ImagingStudy/s0"}]},
}


def load(store: Store, folder: Path, settings: Settings, query: str = "") -> LoadRecord:
    with store.draft() as draft:
        return load_source(draft, open_source(f"fhir://{folder}{query}", settings))


def told(store: Store) -> list[tuple[str, str, str]]:
    return times(store.current().arrow(sa.select(events)).to_pylist())


def ordered(store: Store) -> list[Resource]:
    return store.current().arrow(sa.select(orders).order_by(orders.c.accession_number)).to_pylist()


def held_back(store: Store) -> dict[str, str]:
    rows = store.current().arrow(sa.select(quarantine.c.locator, quarantine.c.reason_code)).to_pylist()
    return {row["locator"]: row["reason_code"] for row in rows}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "in"
    path.mkdir()
    return path


def bundle(*resources: Resource, kind: str = "collection") -> str:
    return json.dumps({"resourceType": "Bundle", "type": kind, "entry": [{"resource": one} for one in resources]})


EXAM = (report(0), study(0), order(0), encounter(0), patient(0))
FORMS: dict[str, dict[str, bytes]] = {
    "bundle": {"a.json": bundle(*EXAM).encode()},
    "bundle with its type last": {"a.json": b'{"entry":' + json.dumps([{"resource": one} for one in EXAM]).encode()
                                  + b', "type": "history", "resourceType": "Bundle"}'},
    "lines": {"a.ndjson": "\n".join(map(json.dumps, EXAM)).encode()},
    "lines, compressed": {"a.ndjson.gz": gzip.compress("\r\n".join(map(json.dumps, EXAM)).encode())},
    "one a file": {f"{place}.json": json.dumps(one, indent=2).encode() for place, one in enumerate(EXAM)},
    "byte order mark": {"a.json": b"\xef\xbb\xbf" + bundle(*EXAM).encode(),
                        "b.ndjson": b"\xef\xbb\xbf" + json.dumps(EXAM[0]).encode()},
    "bundles in lines": {"a.ndjson": f"{bundle(*EXAM[:2])}\n{bundle(*EXAM[2:])}\n".encode()},
    "R5": {"a.json": bundle(*R5.values(), patient(0)).encode()},
    "ten times": {f"{copies}.json": bundle(*EXAM).encode() for copies in range(10)},
}


def read(folder: Path, settings: Settings) -> dict[str, list[Resource]]:
    """Return the rows of a first load by table, one for each key, without a warehouse; nothing is rejected."""
    rows: dict[str, dict[Any, Resource]] = {"events": {}, "orders": {}, "files": {}}
    for batch in open_source(f"fhir://{folder}", settings).batches(Known(), lambda *_: None):
        assert isinstance(batch, Batch) and not batch.rejected
        for row in batch.rows.to_pylist():
            key = row.get("path") or (row["accession_number"], row.get("event"), row.get("event_at"))
            rows[batch.table.name][key] = row
    return {name: list(held.values()) for name, held in rows.items()}


def times(rows: list[Resource]) -> list[tuple[str, str, str]]:
    return sorted((row["accession_number"], row["event"], row["event_at"].astimezone(UTC).strftime("%d %H:%M"))
                  for row in rows)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_every_form_of_an_export_tells_the_same(folder: Path, settings: Settings, form: dict[str, bytes]) -> None:
    for name, content in form.items():
        (folder / name).write_bytes(content)
    found = read(folder, settings)
    assert times(found["events"]) == A0
    (row,) = found["orders"]
    said = {name: row[name] for name in ("accession_number", "modality", "priority", "patient_class", "procedure_code",
                                         "procedure_description", "patient_sex", "patient_birth_year")}
    assert said == {"accession_number": "A0", "modality": "CT", "priority": "R", "patient_class": "O",
                    "procedure_code": "24627-2", "procedure_description": "Chest", "patient_sex": "F",
                    "patient_birth_year": 1943}


def test_a_patient_has_the_same_keys_as_in_an_index(
        duck_store: Store, folder: Path, tmp_path: Path, settings: Settings) -> None:
    (folder / "a.json").write_text(bundle(*EXAM))
    load(duck_store, folder, settings)
    with duck_store.draft() as draft:
        load_source(draft, Export(tmp_path / "index").open(settings))
    keys = [sa.and_(*(orders.c[name] == studies.c[name] for name in ("patient_key", "name_key", "birth_date_key")))]
    assert duck_store.current().count(sa.select(orders.c.patient_key).join(studies, *keys)) == 1


SECTION = "http://terminology.hl7.org/CodeSystem/v2-0074"
TIMES: list[tuple[Resource, list[tuple[str, str, str]]]] = [
    (order(0, occurrenceDateTime="2026-07-20T07:30:00Z"), [("A0", "ApptTime", "20 07:30"), A0[0]]),
    (order(0, occurrencePeriod={"start": "2026-07-20T07:30:00Z"}), [("A0", "ApptTime", "20 07:30"), A0[0]]),
    (order(0, occurrenceDateTime="2026-07-20"), [A0[0]]),
    (order(0, status="revoked"), [A0[0]]),
    (order(0, status="draft"), []),
    (order(0, intent="plan"), []),
    (order(0, doNotPerform=True), []),
    (order(0, category=[{"coding": [{"system": "http://snomed.info/sct", "code": "108252007"}]}]), []),
    (study(0, status="cancelled", identifier=[identifier("ACSN", "A0")]), []),
    (report(0, status="registered", basedOn=[{"identifier": identifier("ACSN", "A0")}]), []),
    (report(0, status="preliminary", basedOn=[{"identifier": identifier("ACSN", "A0")}]),
     [("A0", "PrelimPublish", "01 12:00")]),
    (report(0, status="partial", identifier=[identifier("ACSN", "A0")]), [("A0", "PrelimPublish", "01 12:00")]),
    (report(0, status="modified", identifier=[identifier("ACSN", "A0")]), [("A0", "PrelimPublish", "01 12:00")]),
    (report(0, status="corrected", identifier=[identifier("ACSN", "A0")]), [("A0", "ReportCorrected", "01 12:00")]),
    (report(0, status="amended", identifier=[identifier("ACSN", "A0")]), [("A0", "ReportCorrected", "01 12:00")]),
    (report(0, status="appended", identifier=[identifier("ACSN", "A0")]), [("A0", "ReportCorrected", "01 12:00")]),
    (report(0, identifier=[identifier("ACSN", "A0"), identifier("ACSN", "B0")]),
     [A0[2], ("B0", "Reported", "01 12:00")]),
    (report(0, basedOn=[{"reference": "#x"}], contained=[{**order(0), "id": "x"}]), [A0[2]]),
    (report(0, identifier=[identifier("ACSN", "A0")], category=[{"coding": [{"system": SECTION, "code": "LAB"}]}]), []),
    (report(0, identifier=[identifier("ACSN", "A0")], category=[{"coding": [{"system": SECTION, "code": "RAD"}]}]),
     [A0[2]]),
    (report(0, identifier=[{"type": {"coding": [{"code": "121022"}]}, "value": "A0"}]), [A0[2]]),
]


@pytest.mark.parametrize(("resource", "expected"), TIMES)
def test_what_a_resource_tells(folder: Path, settings: Settings, resource: Resource,
                               expected: list[tuple[str, str, str]]) -> None:
    write_lines(folder / "a.ndjson", [resource, order(2)])
    assert [one for one in times(read(folder, settings)["events"]) if one[0] != "A2"] == sorted(expected)


@pytest.mark.parametrize(("code", "ours"), [
    ("routine", "R"), ("urgent", "A"), ("asap", "A"), ("stat", "S"), ("x", None)])
def test_priorities(code: str, ours: str | None) -> None:
    assert fhir_read.order_columns(order(0, priority=code))["priority"] == ours


@pytest.mark.parametrize(("identifiers", "chosen"), [
    ([{"use": "old", **identifier("MR", "1")}, identifier("MR", "2")], "2"),
    ([identifier("SS", "1"), identifier("MR", "2")], "2"),
    ([identifier("MR", "1"), {"use": "usual", **identifier("MR", "2")}], "2"),
    ([{"value": "1"}, {"use": "official", "value": "2"}], "2"),
    ([{"value": "1"}, {"value": "2"}], "1"),
    ([{"use": "usual", **identifier("MR", "1")}, {"system": "urn:pacs", "value": "2"}], "2"),
    ([{"system": "urn:pacs"}], ""), ([], ""), ("no list", "")])
def test_which_identifier_is_the_patients(identifiers: Any, chosen: str) -> None:
    systems = fhir_read.Systems(patient="urn:pacs")
    assert fhir_read.patient_id({"identifier": identifiers}, systems) == chosen


def test_a_site_names_the_system_of_its_accession_numbers(
        duck_store: Store, folder: Path, settings: Settings) -> None:
    untyped = {"system": "https://ris.example/accession#x", "value": "A0"}
    write_lines(folder / "a.ndjson", [order(0, identifier=[untyped])])
    with pytest.raises(PacsmeterError, match=r"None of the 1 .*accession=SYSTEM"):
        load(duck_store, folder, settings)
    load(duck_store, folder, settings, "?accession=https%3A%2F%2Fris.example%2Faccession%23x")
    assert told(duck_store) == [A0[0]]


def test_references_inside_a_bundle_by_full_url(duck_store: Store, folder: Path, settings: Settings) -> None:
    entries = [{"fullUrl": "urn:uuid:7", "resource": {**order(0), "id": "x"}},
               {"fullUrl": "https://server/fhir/Patient/9", "resource": {**patient(0), "id": "9"}},
               {"fullUrl": "urn:uuid:8", "resource": report(0, basedOn=[{"reference": "urn:uuid:7"}])}]
    entries[0]["resource"]["subject"] = {"reference": "https://server/fhir/Patient/9"}  # type: ignore[index]
    (folder / "a.json").write_text(json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries}))
    load(duck_store, folder, settings)
    assert told(duck_store) == [A0[0], A0[2]]
    assert ordered(duck_store)[0]["patient_birth_year"] == 1943


def test_a_subject_that_is_contained_or_named_by_its_identifier(
        duck_store: Store, folder: Path, settings: Settings) -> None:
    write_lines(folder / "a.ndjson", [
        order(0, subject={"reference": "#p"}, contained=[{**patient(0), "id": "p"}]),
        order(1, subject={"identifier": {"value": IDS[0]}})])
    load(duck_store, folder, settings)
    one, other = ordered(duck_store)
    assert one["patient_key"] == other["patient_key"] is not None


def test_an_image_makes_no_order(duck_store: Store, folder: Path, settings: Settings) -> None:
    write_lines(folder / "a.ndjson", [study(0, identifier=[identifier("ACSN", "A0")]),
                                      report(0, identifier=[identifier("ACSN", "A0")])])
    load(duck_store, folder, settings)
    assert (told(duck_store), ordered(duck_store)) == (A0[1:], [])


def test_an_unchanged_file_is_not_read_again_but_what_it_says_is_known(
        duck_store: Store, folder: Path, settings: Settings) -> None:
    write_lines(folder / "Patient.ndjson", [patient(0), patient(1)])
    write_lines(folder / "2026-07-01.ndjson", [order(0), study(0), encounter(0)])
    load(duck_store, folder, settings)
    write_lines(folder / "2026-07-02.ndjson", [report(0), order(1)])
    record = load(duck_store, folder, settings)
    assert record.read == 2
    assert [one for one in told(duck_store) if one[0] == "A0"] == A0
    assert [row["patient_birth_year"] for row in ordered(duck_store)] == [1943, 1956]
    assert load(duck_store, folder, settings).read == 0


def test_what_a_file_refers_to_may_come_later(duck_store: Store, folder: Path, settings: Settings) -> None:
    write_lines(folder / "a.ndjson", [order(0), report(0)])
    load(duck_store, folder, settings)
    assert (told(duck_store), ordered(duck_store)[0]["patient_key"]) == ([A0[0]], None)
    write_lines(folder / "b.ndjson", [study(0), patient(0), encounter(0)])
    load(duck_store, folder, settings)
    assert (told(duck_store), ordered(duck_store)[0]["patient_birth_year"]) == (A0, 1943)


def test_a_patient_that_was_corrected_is_corrected_in_orders_of_files_that_did_not_change(
        duck_store: Store, folder: Path, settings: Settings) -> None:
    write_lines(folder / "Patient.ndjson", [patient(0)])
    write_lines(folder / "ServiceRequest.ndjson", [order(0), encounter(0)])
    load(duck_store, folder, settings)
    before = ordered(duck_store)[0]["patient_key"]
    write_lines(folder / "Update.ndjson", [{
        **patient(0), "identifier": [identifier("MR", "ANOTHER")], "meta": {"lastUpdated": "2026-08-01T00:00:00Z"}}])
    record = load(duck_store, folder, settings)
    assert ordered(duck_store)[0]["patient_key"] not in (before, None)
    assert "2 files were read again: what they refer to has changed" in record.message
    write_lines(folder / "Patient.ndjson", [{**patient(0), "birthDate": "1950-01-01"}])
    load(duck_store, folder, settings)
    assert ordered(duck_store)[0]["patient_birth_year"] == 1943, "the later version counts"


def test_what_was_entered_in_error_is_taken_back(duck_store: Store, folder: Path, settings: Settings) -> None:
    write_lines(folder / "a.ndjson", [order(0), study(0), report(0), order(1), report(1, basedOn=[
        {"reference": "ServiceRequest/o1"}])])
    load(duck_store, folder, settings)
    write_lines(folder / "b.ndjson", [
        {**report(0), "status": "cancelled", "meta": {"lastUpdated": "2026-07-05T00:00:00Z"}},
        {**order(1), "status": "entered-in-error"}])
    record = load(duck_store, folder, settings)
    assert told(duck_store) == [*A0[:2], ("A1", "Reported", "02 12:00")]
    assert "1 DiagnosticReport resources are entered in error" in record.message
    assert load(duck_store, folder, settings).removed == 0


def test_a_report_that_replaces_one_entered_in_error_stands(
        duck_store: Store, folder: Path, settings: Settings) -> None:
    write_lines(folder / "a.ndjson", [order(0), study(0), report(0)])
    load(duck_store, folder, settings)
    again = {**report(0), "id": "r0-again"}
    write_lines(folder / "b.ndjson", [{**report(0), "status": "entered-in-error"}, again])
    record = load(duck_store, folder, settings)
    assert told(duck_store) == A0
    assert "1 events of records entered in error are told by another record that stands" in record.message


def test_an_exam_of_which_every_record_was_in_error_is_gone(
        duck_store: Store, folder: Path, settings: Settings) -> None:
    site = FhirExport(folder / "site")
    load(duck_store, site.folder, settings)
    site.delete_one()
    load(duck_store, site.folder, settings)
    assert {row["accession_number"] for row in ordered(duck_store)} == {"A0", "A2"}
    assert {one[0] for one in told(duck_store)} == {"A0", "A2"}


LINE = json.dumps(order(0)).encode() + b"\n"


@pytest.mark.parametrize(("bad", "code"), [
    (b'{"resourceType": "ServiceRequest", "id"\n', "bad_json"), (b"<ServiceRequest/>\n", "bad_json"),
    (b"[1]\n", "bad_json"), (b"[" * 9_999 + b"\n", "bad_json"),
    (LINE.replace(b"Chest", b"Sch\xe4del"), "bad_encoding"),
    (LINE.decode().strip().encode("utf-16") + b"\n", "bad_encoding"),
    (json.dumps(order(1, authoredOn="soon")).encode() + b"\n", "bad_instant"),
    (json.dumps(order(1, authoredOn=20260701)).encode() + b"\n", "bad_instant"),
    (json.dumps(order(1, authoredOn="2026-02-30T10:00:00Z")).encode() + b"\n", "bad_instant"),
    (json.dumps(order(1, authoredOn="2199-07-01T10:00:00Z")).encode() + b"\n", "clock_nonsense"),
    (json.dumps(order(1, authoredOn="1858-11-17T00:00:00Z")).encode() + b"\n", "clock_nonsense"),
])
def test_a_bad_line_is_named_and_the_others_are_loaded(
        duck_store: Store, folder: Path, settings: Settings, bad: bytes, code: str) -> None:
    whole = [LINE, json.dumps(order(2)).encode() + b"\n"]
    (folder / "a.ndjson").write_bytes(whole[0] + bad + whole[1])
    record = load(duck_store, folder, settings)
    assert (held_back(duck_store), record.left_out) == ({"a.ndjson:2": code}, 1)
    assert told(duck_store) == [A0[0], ("A2", "Order", "03 08:00")]
    (folder / "a.ndjson").write_bytes(b"".join(whole))
    load(duck_store, folder, settings)
    assert held_back(duck_store) == {}


@pytest.mark.parametrize(("name", "content", "code", "kept"), [
    ("a.json", bundle(*EXAM).encode()[:-9], "bad_json", True), ("a.json", b"", "empty", False),
    ("a.json", b" ", "empty", False), ("a.json", b"no json", "bad_json", False),
    ("a.json", bundle(*EXAM).encode("utf-16"), "bad_encoding", False),
    ("a.ndjson.gz", gzip.compress(b"\n".join(json.dumps(one).encode() for one in EXAM))[:-9], "truncated", True),
    ("a.json.gz", b"no gzip", "truncated", False)])
def test_a_damaged_file_is_named_and_keeps_what_could_be_read(
        duck_store: Store, folder: Path, settings: Settings, name: str, content: bytes, code: str, kept: bool) -> None:
    (folder / name).write_bytes(content)
    write_lines(folder / "b.ndjson", [order(2)])
    load(duck_store, folder, settings)
    assert held_back(duck_store) == {name: code}
    assert ([one for one in told(duck_store) if one[0] == "A0"] == A0) is kept


def test_a_line_that_is_too_large_is_passed_over(
        duck_store: Store, folder: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fhir_files, "MAX_RESOURCE_BYTES", 2_000)
    (folder / "a.ndjson").write_bytes(LINE + b" " * 9_000 + LINE + json.dumps(order(2)).encode())
    load(duck_store, folder, settings)
    assert held_back(duck_store) == {"a.ndjson:2": "too_large"}
    assert {one[0] for one in told(duck_store)} == {"A0", "A2"}


def test_what_tells_of_no_exam_is_counted(duck_store: Store, folder: Path, settings: Settings) -> None:
    write_lines(folder / "a.ndjson", [
        order(0), {"resourceType": "Observation"}, {"resourceType": NAMES[0]}, {}, order(1, identifier=[]),
        report(2, status="amended", identifier=[identifier("ACSN", "A2")]), order(2, status="revoked"),
        order(2, authoredOn="2026-07"), {"resourceType": "Bundle", "entry": [
            {"request": {"method": "DELETE", "url": "Patient/1"}}]}])
    (folder / "read.me").write_text("no JSON")
    message = load(duck_store, folder, settings).message
    assert [words for words in (
        "2 resources are of types that tell of no exam", "2 records are no FHIR resources",
        "1 ServiceRequest resources have no accession number", "1 DiagnosticReport resources are corrected",
        "1 ServiceRequest resources are revoked", "1 ServiceRequest.authoredOn without a time of day",
        "1 files are no JSON") if words not in message] == []


def test_times_without_an_offset_are_read_on_the_sites_clock(
        duck_store: Store, folder: Path, settings: Settings) -> None:
    write_lines(folder / "a.ndjson", [order(0, authoredOn="2026-07-01T09:00:00")])
    record = load(duck_store, folder, settings.model_copy(update={"site_zone": "Europe/London"}))
    assert told(duck_store) == [A0[0]]
    assert "1 times without an offset" in record.message


def test_no_patient_is_told_not_even_by_a_path(
        duck_store: Store, folder: Path, settings: Settings, caplog: pytest.LogCaptureFixture,
        monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = folder.parent / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    seen: list[bytes] = []
    modes: set[int] = set()
    leave = ReferenceIndex.__exit__

    def looked_at(index: ReferenceIndex, *arguments: Any) -> None:
        for path in scratch.rglob("*"):
            modes.add(path.stat().st_mode & 0o077)
            if path.is_file():
                seen.append(path.read_bytes())
        leave(index, *arguments)

    monkeypatch.setattr(ReferenceIndex, "__exit__", looked_at)
    for number in range(3):
        path = folder / NAMES[number].split("^")[0].title() / f"{IDS[number]}.json"
        path.parent.mkdir()
        path.write_text(bundle(patient(number), order(number), study(number, started=NAMES[0]), encounter(number)))
    (folder / "bad.ndjson").write_text(f'{{"resourceType": "{NAMES[0]}\n')
    with caplog.at_level(logging.DEBUG):
        record = load(duck_store, folder, settings)
    said = (every_text(duck_store.current()) + str(record) + caplog.text).upper()
    assert [secret for secret in SECRETS if secret.upper() in said] == []
    assert seen and [secret for secret in SECRETS for part in seen if secret.encode() in part.upper()] == []
    assert (modes, list(scratch.iterdir())) == ({0}, []), "the table is its owner's alone, and gone"
    stored = duck_store.current().read(sa.select(files.c.path)).path.tolist()
    assert sum(path.startswith("~") for path in stored) == 3


@pytest.mark.parametrize(("spec", "said"), [
    ("fhir:///nowhere-at-all", "not there"), ("fhir://server/fhir", "three slashes"),
    ("fhir:///tmp?accesion=x", "no option 'accesion'")])
def test_what_is_no_folder_is_refused(settings: Settings, spec: str, said: str) -> None:
    with pytest.raises(PacsmeterError, match=said):
        open_source(spec, settings)


def test_batches_stay_small_and_a_cut_leaves_no_table_behind(
        folder: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = folder.parent / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    monkeypatch.setattr("analytics.sources.message_files.ROWS_PER_BATCH", 10)
    write_lines(folder / "a.ndjson", [
        order(0, id=f"x{n}", identifier=[identifier("ACSN", f"A{n}")]) for n in range(35)])
    given = open_source(f"fhir://{folder}", settings).batches(Known(), lambda *_: None)
    first = next(iter(given))
    assert first.rows.num_rows == 10  # type: ignore[union-attr]
    given.close()  # type: ignore[attr-defined]
    assert list(scratch.iterdir()) == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(
        ["ServiceRequest", "Patient/1", "#x", "final", "order", "ACSN", "2026-07-01T08:00:00Z", "entered-in-error"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
        ["resourceType", "id", "identifier", "type", "coding", "code", "value", "subject", "reference", "basedOn",
         "contained", "status", "intent", "issued", "started", "authoredOn", "class", "concept", "name", "given",
         "family", "birthDate", "meta", "lastUpdated", "modality", "series", "encounter", "period"]), inner,
        max_size=6),
    max_leaves=25)


@given(st.sampled_from(sorted(fhir_read.TARGETS)), st.dictionaries(st.sampled_from(
    ["id", "identifier", "subject", "basedOn", "imagingStudy", "study", "contained", "status", "intent", "issued",
     "started", "authoredOn", "occurrencePeriod", "class", "name", "birthDate", "gender", "meta", "modality", "series",
     "encounter", "code", "category", "priority", "doNotPerform"]), JSON, max_size=12))
def test_no_resource_makes_the_reader_fail(kind: str, values: Resource) -> None:
    resource = {**values, "resourceType": kind}
    untouched = copy.deepcopy(resource)
    with ReferenceIndex() as index:
        references = References(index, PatientEdge(Pseudonymizer(b"0123456789abcdef")), fhir_read.Systems())
        references.add(resource, "", is_fresh=True)
        list(references.named_in(resource))
        list(references.stands(resource))
        fhir_read.not_said(resource)
        for time in fhir_read.told_by(resource):
            iso_times.moment(time.at, ZoneInfo("Europe/London"), iso_times.EARLIEST)
        for number in references.accession_numbers(resource)[0]:
            references.order_columns(resource, number)
    assert resource == untouched


@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode), st.sampled_from(fhir_files.SUFFIXES))
def test_no_bytes_make_the_reader_of_files_fail(content: bytes, suffix: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a{suffix}"
        path.write_bytes(gzip.compress(content) if suffix.endswith(".gz") else content)
        for found in resources_in(path):
            assert found.fault in fhir_files.FAULTS or not found.fault


@given(st.text(max_size=40) | st.from_regex(iso_times._TIME, fullmatch=True))
def test_no_text_makes_the_reader_of_times_fail(text: str) -> None:
    read = iso_times.moment(text, ZoneInfo("Europe/London"), iso_times.EARLIEST, planned=True)
    assert (read.at is None) == bool(read.fault)


def test_birth_dates_are_compared_with_paths_as_dicom_writes_them() -> None:
    with ReferenceIndex() as index:
        references = References(index, PatientEdge(Pseudonymizer(b"0123456789abcdef")), fhir_read.Systems())
        assert list(references.named_in(patient(0))) == [(IDS[0], NAMES[0], BORN[0])]
