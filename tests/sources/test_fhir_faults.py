"""Faults of a FHIR export: each is named, the rest is loaded, and nothing makes the readers fail."""

from __future__ import annotations

import copy
import gzip
import json
import tempfile
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.core.errors import PacsmeterError
from analytics.core.pseudonym import Pseudonymizer
from analytics.core.settings import Settings
from analytics.sources import fhir_files, fhir_read, iso_times
from analytics.sources.base import Known
from analytics.sources.fhir_files import resources_in
from analytics.sources.fhir_index import ReferenceIndex
from analytics.sources.fhir_references import References
from analytics.sources.load import open_source
from analytics.sources.patient import PatientEdge
from analytics.warehouse.store import Store
from tests.sources import fhir_reading
from tests.sources.fhir_reading import A0, EXAM, Resource, bundle, held_back, load, told
from tests.sources.site_fhir import identifier, order, report, write_lines
from tests.sources.sites import NAMES

folder = fhir_reading.folder

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
