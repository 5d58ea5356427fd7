"""What ``exams`` holds, from tables computed by hand, on both engines."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import sqlalchemy as sa

from analytics.core.precedence import IMAGE, MPPS, OTHER, PRECEDENCE, RIS, STAGES, TELLERS, rank, teller_of
from analytics.core.swim import EVENTS
from analytics.sources.clock import clock_notes
from analytics.warehouse.event_times import event_times, is_contested, place_of, statements, told_in
from analytics.warehouse.merged_patients import count_circular
from analytics.warehouse.schema import events, exams, orders, patient_merges, sources, studies
from analytics.warehouse.store import Store, Warehouse
from tests.support import build, put

KINDS = {"archive": "index_export", "folder": "dicom_folder", "repository": "sole", "ris": "ris_events",
         "ris-2": "hl7", "fhir": "fhir", "rest": "orthanc_rest"}
SOURCES = [{"source_id": source_id, "kind": kind, "location": "x", "is_demo": False} for source_id, kind in
           KINDS.items()]
MPPS_START, MPPS_END, IN_IMAGE, IN_SR = "MPPS (0040,0244)", "MPPS (0040,0250)", "image (0040,0244)", "SR (0040,A030)"


def at(text: str) -> dt.datetime:
    """Read ``10:05`` of 2 March 2026, or a date and a time, as an instant in UTC."""
    return dt.datetime.fromisoformat(text if " " in text else f"2026-03-02 {text}").replace(tzinfo=dt.UTC)


def told(source_id: str, event: str, when: str, origin: str | None = None, number: str = "A") -> dict[str, Any]:
    return {"source_id": source_id, "accession_number": number, "event": event, "event_at": at(when), "origin": origin}


def exam_of(warehouse: Warehouse, number: str = "A") -> dict[str, Any]:
    found = warehouse.arrow(sa.select(exams).where(exams.c.accession_number == number)).to_pylist()
    assert len(found) == 1
    return dict(found[0])


@pytest.mark.parametrize(("event", "column", "rows", "counts"), [
    ("ProcedureStart", "procedure_start_at", [
        ("ris", "10:00", "EXAM_START"), ("repository", "10:01", None), ("folder", "10:07", MPPS_START),
        ("folder", "09:40", IN_IMAGE), ("rest", "09:50", None)], "10:07"),
    ("ProcedureStart", "procedure_start_at", [
        ("ris", "10:00", "EXAM_START"), ("repository", "10:01", None), ("folder", "09:40", IN_IMAGE)], "10:01"),
    ("ProcedureStart", "procedure_start_at", [
        ("fhir", "10:00", None), ("rest", "09:50", None), ("folder", "09:40", IN_IMAGE)], "10:00"),
    ("ProcedureStart", "procedure_start_at", [("rest", "09:50", None), ("folder", "09:40", IN_IMAGE)], "09:50"),
    ("ImagingComplete", "imaging_complete_at", [
        ("ris", "10:20", "EXAM_END"), ("folder", "10:25", MPPS_END)], "10:25"),
    ("Reported", "reported_at", [
        ("folder", "11:00", IN_SR), ("repository", "11:05", None), ("ris-2", "11:30", "OBR-22")], "11:30"),
    ("Reported", "reported_at", [("folder", "11:00", IN_SR), ("repository", "11:05", None)], "11:05"),
    ("Reported", "reported_at", [("folder", "11:00", IN_SR), ("rest", "10:00", None)], "11:00"),
    ("Order", "order_at", [
        ("fhir", "08:00", None), ("repository", "08:10", None), ("ris", "08:20", None)], "08:20"),
    ("Order", "order_at", [("fhir", "08:00", None), ("repository", "08:10", None)], "08:10"),
    ("ImagesStoredInArchive", "images_stored_at", [("ris", "10:30", None), ("repository", "10:31", None)], "10:31"),
    # Of one rank: the first by source_id; of one source: the earliest.
    ("Arrived", "arrived_at", [("ris-2", "09:00", None), ("ris", "09:30", "A"), ("ris", "09:20", "B")], "09:20"),
])
def test_the_source_nearest_to_an_event_counts(store: Store, event: str, column: str,
                                               rows: list[tuple[str, str, str | None]], counts: str) -> None:
    warehouse = build(store, {
        sources: SOURCES, orders: [{"source_id": "ris", "accession_number": "A"}],
        events: [told(source_id, event, when, origin) for source_id, when, origin in rows]})
    assert exam_of(warehouse)[column] == at(counts)
    assert warehouse.count(sa.select(events)) == len(rows), "everything that was told stays"


def test_each_event_of_an_exam_has_its_own_rule_and_no_exam_takes_from_another(store: Store) -> None:
    warehouse = build(store, {sources: SOURCES, events: [
        told("ris", "ProcedureStart", "10:00"), told("ris", "Reported", "12:00"),
        told("folder", "ProcedureStart", "10:07", MPPS_START), told("folder", "Reported", "11:00", IN_SR),
        told("ris-2", "ProcedureStart", "14:00", number="B"), told("ris-2", "Reported", "15:00", number="B")]})
    first, second = exam_of(warehouse), exam_of(warehouse, "B")
    assert (first["procedure_start_at"], first["reported_at"]) == (at("10:07"), at("12:00"))
    assert (second["procedure_start_at"], second["reported_at"]) == (at("14:00"), at("15:00"))


def test_the_rank_is_asked_for_only_where_two_tell_of_one_exam(store: Store) -> None:
    with store.draft() as draft:
        put(draft, {sources: SOURCES, events: [
            told("ris", "Order", "08:00"), told("ris", "Reported", "12:00"),
            told("ris-2", "Order", "08:00", None, "B")]})
        assert not is_contested(draft)
        put(draft, {events: [told("ris-2", "Order", "07:00", None, "A")]})
        assert is_contested(draft)
    with store.draft() as draft:
        draft.execute(sa.delete(events))
        put(draft, {events: [told("folder", "ProcedureStart", "10:00", MPPS_START),
                             told("folder", "ProcedureStart", "10:01", IN_IMAGE)]})
        assert is_contested(draft), "two objects of one source"


def test_the_rule_in_sql_is_the_rule(store: Store) -> None:
    origins = (None, "EXAM_START", MPPS_START, IN_IMAGE, IN_SR, "MPPS_START")
    rows = [told(source_id, event.name, f"10:{place:02d}", origin) for source_id in KINDS for event in EVENTS
            for place, origin in enumerate(origins)]
    warehouse = build(store, {sources: SOURCES, events: rows})
    asked = sa.select(events.c.source_id, events.c.event, events.c.origin, place_of(
        events.c.event, sources.c.kind, told_in(events.c.origin)).label("place")).join(
        sources, sources.c.source_id == events.c.source_id)
    for row in warehouse.arrow(asked).to_pylist():
        assert row["place"] == rank(row["event"], teller_of(KINDS[row["source_id"]], row["origin"])), row
    told_by = {(one.event, one.source_id, one.origin): one.place for one in statements(warehouse)}
    assert told_by[("ProcedureStart", "ris", MPPS.origin)] == 0
    assert told_by[("ProcedureStart", "ris", "")] == rank("ProcedureStart", RIS)


def test_every_event_has_a_stage_and_every_kind_one_teller() -> None:
    assert set(STAGES) == {event.name for event in EVENTS}
    assert set(STAGES.values()) == set(PRECEDENCE)
    kinds = [kind for teller in TELLERS for kind in teller.kinds]
    assert len(kinds) == len(set(kinds))
    assert rank("ProcedureStart", IMAGE) > rank("ProcedureStart", OTHER)


def test_a_source_id_with_a_quote_in_it_is_no_sql(store: Store) -> None:
    odd = "ris's; --"
    warehouse = build(store, {
        sources: [*SOURCES, {"source_id": odd, "kind": "ris_events", "location": "x", "is_demo": False}],
        events: [told(odd, "Arrived", "09:00"), told("repository", "Arrived", "08:00")]})
    assert exam_of(warehouse)["arrived_at"] == at("09:00")


def test_an_image_makes_no_order_and_no_exam_of_the_ris(store: Store) -> None:
    study = {"source_id": "folder", "study_instance_uid": "1", "patient_key": "p", "accession_number": "A"}
    warehouse = build(store, {sources: SOURCES, studies: [study], events: [
        told("folder", "ProcedureStart", "10:00", IN_IMAGE), told("folder", "ProcedureStart", "10:01", MPPS_START),
        told("folder", "ProcedureStart", "10:00", MPPS_START, number="no study"),
        told("ris", "Arrived", "09:00", number="B"), told("folder", "ProcedureStart", "10:00", IN_IMAGE, number="B")]})
    known = exam_of(warehouse)
    assert (known["has_study"], known["has_order"]) == (True, False)
    assert known["procedure_start_at"] == at("10:01"), "its times count all the same"
    ordered = exam_of(warehouse, "B")
    assert (ordered["has_order"], ordered["procedure_start_at"]) == (True, at("10:00"))
    assert warehouse.count(exams) == 2


def test_an_exam_is_not_after_the_archive_received_it(store: Store) -> None:
    cases = {  # study_at, stored_at, start from the RIS: exam_at
        "ahead": ("2026-03-05 10:00", "2026-03-02 10:20", None, "10:20"),
        "sound": ("10:00", "10:20", None, "10:00"),
        "no reception": ("10:00", None, None, "10:00"),
        "no time": (None, "10:20", None, "10:20"),
        "ris": ("2026-03-05 10:00", "2026-03-02 10:20", "10:05", "10:05"),
        "ahead by minutes": ("10:30", "10:20", None, "10:20"),
    }
    rows = [{"source_id": "archive", "study_instance_uid": str(place), "patient_key": "p", "accession_number": number,
             "study_at": study and at(study), "stored_at": stored and at(stored)}
            for place, (number, (study, stored, _, _)) in enumerate(cases.items())]
    warehouse = build(store, {sources: SOURCES, studies: rows, events: [
        told("ris", "ProcedureStart", start, number=number) for number, (_, _, start, _) in cases.items() if start]})
    for number, (*_, expected) in cases.items():
        assert exam_of(warehouse, number)["exam_at"] == at(expected), number
    assert warehouse.arrow(clock_notes("archive")).to_pylist() == [{"ahead": 3, "far_ahead": 2}]
    assert warehouse.arrow(clock_notes("another")).to_pylist() == [{"ahead": 0, "far_ahead": 0}]


def _merged(merges: list[tuple[str, str, str | None]], source_id: str = "ris") -> list[dict[str, Any]]:
    return [{"source_id": source_id, "merged_key": merged, "surviving_key": survivor,
             "merged_at": when and at(f"2026-03-0{when} 10:00")} for merged, survivor, when in merges]


@pytest.mark.parametrize(("merges", "becomes", "circular"), [
    ([("a", "b", "1")], {"a": "b"}, 0),
    ([("a", "b", "1"), ("b", "c", "2"), ("c", "d", None)], {"a": "d", "b": "d", "c": "d"}, 0),
    ([("a", "b", "1"), ("b", "a", "2")], {"b": "a"}, 2),                     # the latest of the circle is true
    ([("a", "b", "2"), ("b", "a", "1")], {"a": "b"}, 2),
    ([("a", "b", None), ("b", "a", "1")], {"b": "a"}, 2),                    # without a time it is the oldest
    ([("a", "b", "1"), ("b", "c", "3"), ("c", "a", "2")], {"a": "c", "b": "c"}, 3),
    ([("d", "a", "9"), ("a", "b", "1"), ("b", "a", "2")], {"b": "a", "d": "a"}, 2),   # a way that ends in a circle
    ([("a", "b", "1"), ("b", "a", "1")], {"a": "b"}, 2),                     # two at one instant: always the same way
    ([("a", "a", "1")], {}, 0),
    ([("", "b", "1"), ("a", "", "1"), ("placeholder-1", "b", "1"), ("c", "placeholder-1", "1")], {}, 0),
])
def test_history_moves_to_the_patient_who_survives(store: Store, merges: list[tuple[str, str, str | None]],
                                                   becomes: dict[str, str], circular: int) -> None:
    keys = ["a", "b", "c", "d", "", "placeholder-1"]
    warehouse = build(store, {
        patient_merges: _merged(merges),
        studies: [{"study_instance_uid": f"1.{place}", "patient_key": key} for place, key in enumerate(keys)],
        orders: [{"accession_number": f"O{place}", "patient_key": key} for place, key in enumerate(keys)]})
    found = warehouse.read(sa.select(exams.c.exam_id, exams.c.patient_key)).set_index("exam_id").patient_key.to_dict()
    expected = {key: becomes.get(key, key) for key in keys}
    assert found == {name: expected[key] for place, key in enumerate(keys)
                     for name in (f"1.{place}", f"order:O{place}")}
    assert sorted(warehouse.read(sa.select(studies.c.patient_key)).patient_key) == sorted(keys), "facts stay"
    assert warehouse.scalar(count_circular()) == circular


def test_of_two_sources_the_later_merger_is_followed(store: Store) -> None:
    warehouse = build(store, {
        patient_merges: _merged([("a", "b", "1")]) + _merged([("a", "c", "2")], "ris-2"),
        studies: [{"study_instance_uid": "1", "patient_key": "a"}]})
    assert warehouse.scalar(sa.select(exams.c.patient_key)) == "c"


def test_a_long_chain_of_mergers_is_followed_to_its_end(store: Store) -> None:
    chain = [(f"k{n}", f"k{n + 1}", None) for n in range(200)]
    warehouse = build(store, {patient_merges: _merged(chain),
                              studies: [{"study_instance_uid": "1", "patient_key": "k0"}]})
    assert warehouse.scalar(sa.select(exams.c.patient_key)) == "k200"


def test_without_events_there_are_no_event_times(duck_store: Store) -> None:
    warehouse = build(duck_store, {studies: [{"study_instance_uid": "1", "patient_key": "p", "accession_number": "A"}]})
    assert warehouse.arrow(sa.select(event_times([], contested=False))).num_rows == 0
    assert exam_of(warehouse)["has_order"] is False


def test_a_study_that_fhir_alone_knows_makes_no_order(store: Store) -> None:
    warehouse = build(store, {
        sources: [{"source_id": "fhir", "kind": "fhir", "location": "x", "is_demo": False}],
        studies: [{"study_instance_uid": "1.2", "patient_key": "p", "accession_number": "A1"}],
        events: [{"source_id": "fhir", "accession_number": "A1", "event": "ProcedureStart",
                  "event_at": dt.datetime(2026, 3, 1, 10, tzinfo=dt.UTC), "origin": "ImagingStudy.started"}]})
    (exam,) = warehouse.arrow(sa.select(exams)).to_pylist()
    assert (exam["has_study"], exam["has_order"]) == (True, False), "the time is the image header's, not the RIS's"
    assert exam["procedure_start_at"] == dt.datetime(2026, 3, 1, 10, tzinfo=dt.UTC)


def test_of_an_order_that_two_sources_have_the_ris_s_counts_whatever_they_are_called(store: Store) -> None:
    both = [{"source_id": source_id, "accession_number": "A", "priority": priority, "modality": "CT"}
            for source_id, priority in (("fhir", "R"), ("ris", "S"))]
    warehouse = build(store, {sources: SOURCES, orders: both})
    assert exam_of(warehouse)["priority"] == "S"


def test_a_study_without_a_patient_id_has_its_patient_from_the_order(store: Store) -> None:
    exam = exam_of(build(store, {
        studies: [{"study_instance_uid": "1.2", "patient_key": "", "accession_number": "A"}],
        orders: [{"accession_number": "A", "patient_key": "p"}]}))
    assert exam["patient_key"] == "p"


def test_an_exam_goes_by_the_expiration_date_of_the_source_that_counts(store: Store) -> None:
    held = {"study_instance_uid": "1.2", "patient_key": "p", "accession_number": "A"}
    warehouse = build(store, {studies: [
        {**held, "source_id": "copy", "number_of_instances": 9, "expires_date": dt.date(2040, 1, 1)},
        {**held, "source_id": "archive", "number_of_instances": 10, "expires_date": dt.date(2030, 1, 1)},
        {**held, "source_id": "third", "number_of_instances": 3}]})
    assert (exam_of(warehouse)["source_id"], exam_of(warehouse)["expires_date"]) == ("archive", dt.date(2030, 1, 1))
