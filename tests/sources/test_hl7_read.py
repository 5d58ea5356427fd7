"""One HL7 message: its fields, and its events as a table written by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from analytics.core.swim import BY_NAME
from analytics.sources.hl7_read import OTHER_SERVICE, PLACEHOLDER, UNDECODED, Reading, read_message
from tests.sources.hl7_samples import EDGE, EXAM, NOW, ORDERED, PID, READING, obr, read, text, told
from tests.sources.sites import BORN, IDS, NAMES

EXPECTED: list[tuple[str, str, list[str], set[tuple[str, str, str]]]] = [
    ("a new order", "ORM^O01", [f"ORC|NW|P1|F1||||||{ORDERED}", obr(**EXAM)], {("Order", "07-01 06:59", "ORC-9")}),
    ("a new order without its time", "ORM^O01", ["ORC|NW|P1|F1", obr(**EXAM)], {("Order", "07-01 07:00", "MSH-7")}),
    ("a new order of the filler", "OMG^O19", [f"ORC|SN|P1|F1||||||{ORDERED}", obr(**EXAM)],
     {("Order", "07-01 06:59", "ORC-9")}),
    ("a wish is no appointment", "ORM^O01", [f"ORC|NW|P1|F1||||^^^20260702093000^^S||{ORDERED}", obr(**EXAM)],
     {("Order", "07-01 06:59", "ORC-9")}),
    ("a wish is no start", "ORM^O01", [f"ORC|NW|P1|F1||||||{ORDERED}", obr(**EXAM, f7="20260702093000")],
     {("Order", "07-01 06:59", "ORC-9")}),
    ("scheduled", "ORM^O01", [f"ORC|SC|P1|F1||SC||^^^20260702093000||{ORDERED}", obr(**EXAM)],
     {("TimeScheduled", "07-01 06:59", "ORC-5 SC, ORC-9"), ("ApptTime", "07-02 08:30", "ORC-7.4")}),
    ("scheduled by TQ1", "OMI^O23", [f"ORC|NW|P1|F1||SC||||{ORDERED}", "TQ1|1||||||20260702093000||A", obr(**EXAM),
                                     "IPC|A1|R|1.2|S|CT"],
     {("Order", "07-01 06:59", "ORC-9"), ("TimeScheduled", "07-01 06:59", "ORC-5 SC, ORC-9"),
      ("ApptTime", "07-02 08:30", "TQ1-7")}),
    ("scheduled by OBR-36", "ORM^O01", ["ORC|XO|P1|F1", obr(**EXAM, f36="20260702100000+0200")],
     {("ApptTime", "07-02 08:00", "OBR-36")}),
    ("some results are no schedule (0038 A)", "ORM^O01", ["ORC|SC|P1|F1||A", obr(**EXAM)], set()),
    ("in process", "ORM^O01", ["ORC|SC|P1|F1||IP", obr(**EXAM, f7="20260701101500")],
     {("ProcedureStart", "07-01 09:15", "OBR-7")}),
    ("in process without a start", "ORM^O01", ["ORC|SC|P1|F1||IP", obr(**EXAM)], set()),
    ("completed", "ORM^O01", ["ORC|SC|P1|F1||CM", obr(**EXAM, f7="20260701063000", f8="20260701064500")],
     {("ProcedureStart", "07-01 05:30", "OBR-7"), ("ImagingComplete", "07-01 05:45", "OBR-8")}),
    ("completed without its end", "ORM^O01", ["ORC|SC|P1|F1||CM||||20260701070000", obr(**EXAM)],
     {("ImagingComplete", "07-01 06:00", "ORC-5 CM, ORC-9")}),
    ("cancelled", "ORM^O01", [f"ORC|CA|P1|F1||||^^^20260702093000||{ORDERED}", obr(**EXAM)],
     {("ExamCancelled", "07-01 06:59", "ORC-1 CA, ORC-9")}),
    ("cancelled by the filler", "ORM^O01", ["ORC|OC|P1|F1", obr(**EXAM)],
     {("ExamCancelled", "07-01 07:00", "ORC-1 OC, MSH-7")}),
    ("cancelled by status", "ORM^O01", ["ORC|SC|P1|F1||CA", obr(**EXAM)],
     {("ExamCancelled", "07-01 07:00", "ORC-5 CA, MSH-7")}),
    ("cancelled by result status", "ORU^R01", [obr(**EXAM, f22="20260701070000", f25="X")],
     {("ExamCancelled", "07-01 06:00", "OBR-25 X, OBR-22")}),
    ("preliminary", "ORU^R01", ["ORC|RE|P1|F1||CM", obr(**EXAM, f22="20260701074500", f25="P")],
     {("PrelimPublish", "07-01 06:45", "OBR-22")}),
    ("final", "ORU^R01", ["ORC|RE|P1|F1||CM",
                          obr(**EXAM, f7="20260701063000", f8="20260701064500", f22="20260701074500", f25="F")],
     {("ProcedureStart", "07-01 05:30", "OBR-7"), ("ImagingComplete", "07-01 05:45", "OBR-8"),
      ("Reported", "07-01 06:45", "OBR-22")}),
    ("corrected, which does not move the report", "ORU^R01", [obr(**EXAM, f22="20260701074500", f25="C")],
     {("ReportCorrected", "07-01 06:45", "OBR-22")}),
    ("not yet verified", "ORU^R01", [obr(**EXAM, f22="20260701074500", f25="R")], set()),
    ("final by OBX-14", "ORU^R01", [obr(**EXAM, f7="20260701063000", f25="F"), "OBX|1|TX|||a||||||F|||20260701074000"],
     {("ProcedureStart", "07-01 05:30", "OBR-7"), ("Reported", "07-01 06:40", "OBX-14")}),
    ("OBX-14 that is the exam's own time", "ORU^R01",
     [obr(**EXAM, f7="20260701063000", f25="F"), "OBX|1|TX|||a||||||F|||20260701063000"],
     {("ProcedureStart", "07-01 05:30", "OBR-7"), ("Reported", "07-01 07:00", "MSH-7")}),
    ("an appointment", "SIU^S12", ["SCH|||||||||||^^^20260702093000|" + "|" * 14 + "|A1"],
     {("ApptTime", "07-02 08:30", "SCH-11.4")}),
]


@pytest.mark.parametrize(
    ("kind", "segments", "expected"), [one[1:] for one in EXPECTED], ids=[one[0] for one in EXPECTED])
def test_events(kind: str, segments: list[str], expected: set[tuple[str, str, str]]) -> None:
    found = read(kind, PID, *segments)
    assert told(found) == expected
    assert not found.rejected
    assert {row["accession_number"] for row in (*found.orders, *found.events)} == {"A1"}
    assert {row["event"] for row in found.events} <= BY_NAME.keys()


def test_the_fields_of_an_order() -> None:
    found = read("OMI^O23", PID, "PV1|1|E", "ORC|NW|P1|F1", "TQ1|1||||||||P",
                 obr(f3="F1", f4="^^^CTH^CT \\T\\ head", f24="RX"), "IPC|A7^NS|R1|1.2.3|S1|CT^^DCM|||LOC|CT_AE")
    (row,) = found.orders
    assert row == {
        "accession_number": "A7", "patient_key": EDGE.patient_key(IDS[0]), "patient_birth_year": 1943,
        "name_key": EDGE.pseudonymizer.key("name", NAMES[0]),
        "birth_date_key": EDGE.pseudonymizer.key("birth_date", BORN[0]),
        "patient_sex": "F", "patient_class": "E", "site": "NORTH", "modality": "CT", "station_name": "CT_AE",
        "priority": "A", "procedure_code": "CTH", "procedure_description": "CT & head"}


def test_what_a_message_does_not_say_stays_empty() -> None:
    (row,) = read("ORM^O01", "ORC|SC||F1||IP", at="").orders
    assert {name for name, value in row.items() if value is not None} == {"accession_number", "site"}
    (row,) = read("ORM^O01", 'PID|1||""||""||""|""', "PV1||U", "ORC|SC||F1||IP", 'OBR|1||""|""').orders
    assert {name for name, value in row.items() if value is not None} == {"accession_number", "site"}


@pytest.mark.parametrize(("pid3", "expected"), [
    ("X1^^^H^PI~X2^^^H^MR", "X2"), ("X1^^^H^SS~X2^^^H^PI", "X2"), ("X1^^^H^SS~X2", "X1"), ("X1&Y^^^A&1.2&ISO", "X1"),
    ("^^^H^MR~X2^^^H^SS", "X2"), ("X\\S\\1", "X^1")])
def test_the_patient_s_id_is_that_of_the_archive(pid3: str, expected: str) -> None:
    (row,) = read("ORM^O01", f"PID|1||{pid3}", "ORC|NW||F1").orders
    assert row["patient_key"] == EDGE.patient_key(expected)


@pytest.mark.parametrize(("pid5", "charset", "expected"), [
    ("DOE^JANE^M^JR^DR^^L", "", "DOE^JANE^M^DR^JR"), ("ALIAS^X^^^^^A~DOE^JANE^^^^^L", "", "DOE^JANE"),
    ("山田^太郎^^^^^L^I~YAMADA^TARO^^^^^L^A", "UNICODE UTF-8", "YAMADA^TARO"),
    ("山田^太郎^^^^^L^I", "UNICODE UTF-8", ""), ("MÜLLER^EVA", "UNICODE UTF-8", "MÜLLER^EVA"),
    ("DOE&VAN^JANE", "", "DOE^JANE"), ("M\\X4D\\LLER^EVA", "", "MMLLER^EVA"),
    ("DO\\E^EVA", "", "DO\\E^EVA")])
def test_names_are_those_of_dicom(pid5: str, charset: str, expected: str) -> None:
    (row,) = read("ORM^O01", f"PID|1||X1||{pid5}", "ORC|NW||F1", charset=charset).orders
    assert row["name_key"] == EDGE.columns("", expected, "", "")["name_key"]


@pytest.mark.parametrize(("name", "charset", "codec"), [
    ("MÜLLER^EVA", "8859/1", "latin-1"), ("ИВАНОВ^ИВАН", "8859/5", "iso8859-5"),
    ("王^小明", "GB 18030-2000", "gb18030"), ("昞^昵^^^^^L", "GB 18030-2000", "gb18030"),
    ("山田^太郎", "~ISO IR87", "iso2022_jp_2"), ("김^희중", "KS X 1001", "euc_kr")])
def test_a_name_is_read_by_the_character_set_that_is_stated(name: str, charset: str, codec: str) -> None:
    raw = text("ORM^O01", f"PID|1||X1||{name}||19430217|F", "ORC|NW||F1", charset=charset).encode(codec)
    found = read_message(raw, READING, NOW)
    (row,) = found.orders
    assert row["name_key"] == EDGE.columns("", "^".join(name.split("^")[:2]), "", "")["name_key"]
    assert (row["patient_birth_year"], row["patient_sex"], found.notes) == (1943, "F", {})


@pytest.mark.parametrize(("charset", "codec"), [("", "latin-1"), ("KLINGON", "latin-1"), ("UNICODE UTF-8", "latin-1")])
def test_a_name_whose_character_set_is_unknown_or_wrong_is_left_empty_and_nothing_else_is_lost(
        charset: str, codec: str) -> None:
    raw = text("ORM^O01", "PID|1||X1||MÜLLER^EVA||19430217|F", f"ORC|NW|P1|F1||||||{ORDERED}",
               obr(**{**EXAM, "f4": "X^Schädel"}), charset=charset).encode(codec)
    found = read_message(raw, READING, NOW)
    (row,) = found.orders
    assert (row["name_key"], row["procedure_description"], row["procedure_code"]) == (None, None, "X")
    assert row["patient_key"] == EDGE.patient_key("X1")
    assert told(found) == {("Order", "07-01 06:59", "ORC-9")}
    assert (found.notes, found.rejected) == ({UNDECODED: 1}, {})
    stated = read_message(raw, Reading(EDGE, ZoneInfo("UTC"), codec="iso8859-1"), NOW).orders[0]["name_key"]
    assert (stated is not None) == (charset == ""), "the source's own character set counts where MSH-18 is empty"


def test_a_name_in_ascii_needs_no_character_set() -> None:
    found = read("ORM^O01", PID, "ORC|NW||F1", charset="KLINGON")
    assert found.orders[0]["name_key"] and not found.notes


@pytest.mark.parametrize(("query", "expected"), [
    ((("OBR", 18, 1),), "A1"), ((("OBR", 3, 2),), "RIS"), ((("OBR", 20, 1), ("ORC", 3, 1)), "F1"),
    ((("OBR", 20, 1),), None)])
def test_a_site_says_where_its_accession_number_is(query: tuple[tuple[str, int, int], ...], expected: str) -> None:
    found = read("ORM^O01", PID, "ORC|NW|P1|F1", obr(**{**EXAM, "f3": "F1^RIS"}), reading=Reading(
        EDGE, ZoneInfo("UTC"), accession=query))
    assert [row["accession_number"] for row in found.orders] == ([expected] if expected else [])
    assert ("no_accession" in found.rejected) == (expected is None)
    if not expected:
        assert "OBR-20" in found.rejected["no_accession"]


def test_several_orders_in_one_message() -> None:
    found = read("ORM^O01", PID, "ORC|NW|P1|F1", obr(f3="F1"), "ORC|NW|P2|F2", obr(f3="F2"), obr(f3="F3"),
                 "ORC|CA|P4|F4")
    assert [row["accession_number"] for row in found.orders] == ["F1", "F2", "F3", "F4"]
    assert [(row["accession_number"], row["event"]) for row in found.events] == [
        ("F1", "Order"), ("F2", "Order"), ("F4", "ExamCancelled")]


def test_results_of_a_laboratory_are_no_exams() -> None:
    found = read("ORU^R01", PID, obr(f3="L1", f22="20260701070000", f24="HM", f25="F"),
                 obr(**EXAM, f22="20260701070000", f25="F"))
    assert [row["accession_number"] for row in found.orders] == ["A1"]
    assert found.notes == {OTHER_SERVICE: 1}


@pytest.mark.parametrize("trigger", ["A18", "A34", "A36", "A40", "A47"])
def test_a_merge(trigger: str) -> None:
    found = read(f"ADT^{trigger}", "EVN|A40|20260701070000", f"PID|1||{IDS[0]}^^^N^MR", f"MRG|9^^^N^SS~{IDS[1]}^^^N^MR",
                 f"PID|2||{IDS[2]}", "MRG|OLD3")
    assert found.merges == [
        {"merged_key": EDGE.patient_key(IDS[1]), "surviving_key": EDGE.patient_key(IDS[0]),
         "merged_at": datetime(2026, 7, 1, 6, tzinfo=UTC)},
        {"merged_key": EDGE.patient_key("OLD3"), "surviving_key": EDGE.patient_key(IDS[2]),
         "merged_at": datetime(2026, 7, 1, 6, tzinfo=UTC)}]
    assert not found.rejected


def test_a_merge_that_cannot_be_right() -> None:
    assert read("ADT^A40", "PID|1||X1", "MRG|").rejected.keys() == {"no_patient_id"}
    shared = read("ADT^A40", "PID|1||X1", "MRG|000000")
    assert (shared.merges, shared.notes) == ([], {PLACEHOLDER: 1})
    assert read("ADT^A40", "PID|1||X1", "MRG|X1").merges == []


def test_what_is_taken_back() -> None:
    assert read("ORM^O01", "ORC|UC|P1|F1").retracted == [("F1", "ExamCancelled")]
    assert read("SIU^S15", "SCH|" + "|" * 25 + "|A1").retracted == [("A1", "ApptTime")]


@pytest.mark.parametrize(("kind", "name"), [("ADT^A08", "ADT^A08"), ("ACK", "ACK"), (f"{NAMES[0]}^X", "unknown")])
def test_other_messages_are_counted_and_passed_over(kind: str, name: str) -> None:
    found = read(kind, PID)
    assert (found.rejected, found.orders, found.events) == ({}, [], [])
    assert found.notes == {f"messages of type {name} tell nothing that is used": 1}
