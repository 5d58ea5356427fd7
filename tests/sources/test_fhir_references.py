"""Where the references of FHIR resources lead, within a file, between files, and after a later correction."""

from __future__ import annotations

import json
from pathlib import Path

from analytics.core.settings import Settings
from analytics.warehouse.store import Store
from tests.sources import fhir_reading
from tests.sources.fhir_reading import A0, load, ordered, told
from tests.sources.site_fhir import FhirExport, encounter, identifier, order, patient, report, study, write_lines
from tests.sources.sites import IDS

folder = fhir_reading.folder


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
