"""FHIR exports of R4 and R5: what each form of an export and each resource tells."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from analytics.core.errors import PacsmeterError
from analytics.core.settings import Settings
from analytics.sources import fhir_read
from analytics.sources.load import load_source
from analytics.warehouse.schema import orders, studies
from analytics.warehouse.store import Store
from tests.sources import fhir_reading
from tests.sources.fhir_reading import A0, EXAM, Resource, bundle, load, ordered, read, times, told
from tests.sources.site_fhir import identifier, order, patient, report, study, write_lines
from tests.sources.sites import Export

folder = fhir_reading.folder

R5: dict[str, Resource] = {
    "Encounter": {"resourceType": "Encounter", "id": "e0", "class": [{"coding": [{"code": "AMB"}]}]},
    "ServiceRequest": order(0, code={"concept": {"coding": [{"code": "24627-2"}], "text": "Chest"}}),
    "ImagingStudy": study(0, modality=[{"coding": [{"code": "SR"}]}, {"coding": [{"code": "CT"}]}],
                          series=[{"uid": "1.2.0.1", "modality": {"coding": [{"code": "CT"}]}, "performer": []}]),
    "DiagnosticReport": {**{name: value for name, value in report(0).items() if name != "imagingStudy"},
                         "study": [{"reference": "ImagingStudy/s0"}]},
}
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


def test_an_image_makes_no_order(duck_store: Store, folder: Path, settings: Settings) -> None:
    write_lines(folder / "a.ndjson", [study(0, identifier=[identifier("ACSN", "A0")]),
                                      report(0, identifier=[identifier("ACSN", "A0")])])
    load(duck_store, folder, settings)
    assert (told(duck_store), ordered(duck_store)) == (A0[1:], [])


def test_times_without_an_offset_are_read_on_the_sites_clock(
        duck_store: Store, folder: Path, settings: Settings) -> None:
    write_lines(folder / "a.ndjson", [order(0, authoredOn="2026-07-01T09:00:00")])
    record = load(duck_store, folder, settings.model_copy(update={"site_zone": "Europe/London"}))
    assert told(duck_store) == [A0[0]]
    assert "1 times without an offset" in record.message
