"""dcm4chee's worklist, performed procedure steps and merged patients, worked out by hand."""

from __future__ import annotations

import pytest

from analytics.core.settings import Settings
from tests.sources.dcm4chee_database import Dcm4cheeDatabase, Reading, dataset
from tests.sources.sites import BORN, IDS, NAMES


@pytest.fixture
def archive(postgres_url: str) -> Dcm4cheeDatabase:
    """Give an empty archive."""
    return Dcm4cheeDatabase(postgres_url)


def test_merged_patients(archive: Dcm4cheeDatabase, settings: Settings) -> None:
    last = archive.patient(["LAST"])
    between = archive.patient(["BETWEEN"], merge_fk=last)
    archive.patient(["FIRST"], merge_fk=between)
    archive.patient(["LAST"], merge_fk=last)            # the same id, by another issuer
    archive.patient(["UNKNOWN"], merge_fk=last)         # a placeholder: many patients' id
    archive.patient(["TWICE"], merge_fk=last)
    archive.patient(["TWICE"])                          # and still another patient's
    other = archive.patient(["OTHER"])
    for survivor in (last, other):
        archive.patient(["SPLIT"], merge_fk=survivor)
    archive.patient(["B"], merge_fk=archive.patient(["A"]))
    archive.run("UPDATE patient SET merge_fk = (SELECT max(pk) FROM patient) WHERE pk = (SELECT max(pk) FROM patient) "
                "- 1")
    archive.study(last, "1.2.1")
    read = Reading(archive, settings)
    key = read.source._edge.patient_key  # type: ignore[attr-defined]
    assert {(row["merged_key"], row["surviving_key"]) for row in read.tables["patient_merges"]} == {
        (key("FIRST"), key("LAST")), (key("BETWEEN"), key("LAST"))}
    assert read.noted("are another patient's as well") == 2


def test_orders_of_the_worklist(archive: Dcm4cheeDatabase, settings: Settings) -> None:
    patient, other = archive.patient([IDS[0]], NAMES[0], BORN[0], "M"), archive.patient([IDS[1]])
    ordered = dataset(
        (0x00080005, "CS", "ISO_IR 100"), (0x00321060, "LO", "Sch\xe4del"), (0x00321064, "SQ", [
            dataset((0x00080100, "SH", "C-1")), dataset((0x00080100, "SH", "C-2"))]),
        (0x00400100, "SQ", [dataset((0x00400001, "AE", "CT1AE"), (0x00400010, "SH", "CT1"))]),
        (0x00401003, "SH", "STAT"))
    for accession, of, values in (
            ("A1", patient, {"modality": "CT", "attrs": ordered}), ("A1", patient, {"modality": "PT"}),
            ("A2", patient, {"sps_status": 5}), ("A2", patient, {"sps_status": 7, "modality": "MR"}),
            ("A3", patient, {"sps_status": 5}), ("A4", patient, {}), ("A4", other, {}), ("*", patient, {})):
        archive.add("mwl_item", accession_no=accession, patient_fk=of, **values)
    archive.study(patient, "1.2.1")
    read = Reading(archive, settings)
    rows = {row["accession_number"]: row for row in read.tables["orders"]}
    assert list(rows) == ["A1", "A2", "A4"]
    assert {name: rows["A1"][name] for name in ("modality", "station_name", "priority", "procedure_code", "patient_sex",
                                                "procedure_description", "site")} == {
        "modality": "CT", "station_name": "CT1", "priority": "S", "procedure_code": "C-1", "patient_sex": "M",
        "procedure_description": "Schädel", "site": "North"}
    assert rows["A2"]["modality"] == "MR", "of two steps, the one that is not canceled"
    assert rows["A4"]["patient_key"] == rows["A1"]["patient_key"], "the first one's order is kept"
    assert (read.noted("are canceled"), read.noted("several patients"), read.noted("no accession number")) == (1, 1, 1)


def ends(day: str, clock: str) -> bytes:
    """Return a performed procedure step whose list of images is far longer than what is read of it."""
    images = [dataset((0x00081155, "UI", f"1.2.{number}")) for number in range(500)]
    return dataset((0x00400250, "DA", day), (0x00400251, "TM", clock), (0x00400340, "SQ", images))


def test_an_exam_begins_with_its_first_step_and_ends_with_its_last(
        archive: Dcm4cheeDatabase, settings: Settings) -> None:
    patient = archive.patient([IDS[0]])
    archive.study(patient, "1.2.1")
    for accession, start, status, attrs in (
            ("A1", "103000", 1, ends("20260701", "104500")), ("A1", "100000", 1, ends("20260701", "101500")),
            ("A2", "100000", 1, ends("20260701", "101500")), ("A2", "102000", 0, b""),
            ("A3", "100000", 2, ends("20260701", "100100")), ("A3", "101000", 1, ends("20260701", "102000")),
            ("A4", "100000", 2, ends("20260701", "100100")), ("A5", "*", 1, ends("20260701", "101500")),
            ("*", "100000", 1, ends("20260701", "101500"))):
        archive.add("mpps", accession_no=accession, pps_start_date="20260701", pps_start_time=start,
                    pps_status=status, patient_fk=patient, attrs=attrs)
    read = Reading(archive, settings, "Europe/Berlin")
    told = {(row["accession_number"], row["event"]): (f"{row['event_at']:%H:%M}", row["origin"])
            for row in read.tables["events"]}
    start, end = "MPPS (0040,0244)", "MPPS (0040,0250)"
    assert told == {
        ("A1", "ProcedureStart"): ("08:00", start), ("A1", "ImagingComplete"): ("08:45", end),
        ("A2", "ProcedureStart"): ("08:00", start),
        ("A3", "ProcedureStart"): ("08:10", start), ("A3", "ImagingComplete"): ("08:20", end),
        ("A5", "ImagingComplete"): ("08:15", end)}
    assert (read.noted("no start"), read.noted("no accession number")) == (1, 1)
