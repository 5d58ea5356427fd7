"""Events out of DICOM objects: the device's own report of a step, the step in an image's header, a verified report."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from typing import Any

import pydicom
import pytest
import sqlalchemy as sa
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, generate_uid

from analytics.checks.runner import run_checks
from analytics.core.pseudonym import Pseudonymizer
from analytics.core.settings import Settings
from analytics.core.terms import MPPS_SOP_CLASS
from analytics.sources.dicom_header import HeaderRow, read_header
from analytics.sources.load import LoadRecord, load_source, open_source
from analytics.sources.patient import PatientEdge
from analytics.sources.rollup_events import event_rows
from analytics.warehouse.derive import derive_exams
from analytics.warehouse.merge import Counts
from analytics.warehouse.schema import events, exams, instances, series, studies
from analytics.warehouse.store import Store
from tests.sources.sites import dicom_dataset

KEYS = PatientEdge(Pseudonymizer(b"0123456789abcdef"))
DAY = "20260302"


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(f"2026-03-02 {text}").replace(tzinfo=dt.UTC)


def step(*numbers: str, start: str = "100000", end: str = "102000", status: str = "COMPLETED",
         **values: Any) -> FileDataset:
    """Return an MPPS as a file: its class is outside the object, as a receiver writes it."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = MPPS_SOP_CLASS, generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    ds.PatientID, ds.PatientName, ds.PatientBirthDate, ds.PatientSex = "ID7", "Sommer^Ida", "19700101", "F"
    ds.Modality, ds.PerformedStationAETitle, ds.PerformedProcedureStepStatus = "CT", "CT1", status
    ds.PerformedProcedureStepStartDate, ds.PerformedProcedureStepStartTime = DAY, start
    ds.PerformedProcedureStepEndDate, ds.PerformedProcedureStepEndTime = (DAY, end) if end else ("", "")
    scheduled = []
    for number in numbers:
        item = Dataset()
        item.StudyInstanceUID, item.AccessionNumber = "1.2.3", number
        scheduled.append(item)
    ds.ScheduledStepAttributesSequence = Sequence(scheduled)
    for keyword, value in values.items():
        setattr(ds, keyword, value)
    return ds


def report(number: str, *verified: str, flag: str = "VERIFIED", **values: Any) -> FileDataset:
    """Return pydicom's own structured report, of an exam."""
    ds = pydicom.dcmread(get_testdata_file("test-SR.dcm"))
    ds.AccessionNumber, ds.VerificationFlag = number, flag
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    observers = []
    for when in verified:
        item = Dataset()
        item.VerifyingObserverName, item.VerificationDateTime = "Riesmeier^Jörg", when
        observers.append(item)
    ds.VerifyingObserverSequence = Sequence(observers)
    for keyword, value in values.items():
        setattr(ds, keyword, value)
    return ds


def image(number: str, start: str, place: int = 0, **values: Any) -> FileDataset:
    ds = dicom_dataset(place)
    ds.AccessionNumber = number
    ds.PerformedProcedureStepStartDate, ds.PerformedProcedureStepStartTime = DAY, start
    for keyword, value in values.items():
        setattr(ds, keyword, value)
    return ds


def save(path: Path, ds: FileDataset) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    ds.save_as(path, enforce_file_format=True)
    return path


def header(path: Path, ds: FileDataset) -> HeaderRow:
    return read_header(str(save(path, ds)), "x", KEYS, "UTC")


@pytest.fixture
def here(tmp_path: Path) -> Path:
    return tmp_path / "file"


def test_a_finished_step_has_start_end_and_the_accession_number_it_was_scheduled_under(here: Path) -> None:
    row = header(here, step("A1"))
    assert row.status == "read"
    assert row.values["sop_class_uid"] == MPPS_SOP_CLASS
    assert row.values["accession_number"] == "A1"
    assert (row.values["performed_start_at"], row.values["performed_end_at"]) == (utc("10:00"), utc("10:20"))
    assert row.values["study_instance_uid"] is None


def test_a_step_that_was_discontinued_has_neither_start_nor_end(here: Path) -> None:
    values = header(here, step("A1", status="DISCONTINUED")).values
    assert (values["performed_start_at"], values["performed_end_at"]) == (None, None)


@pytest.mark.parametrize(("status", "ends"), [("COMPLETED", True), ("IN PROGRESS", False), ("", False)])
def test_a_step_has_an_end_only_when_it_is_at_an_end(here: Path, status: str, ends: bool) -> None:
    values = header(here, step("A1", status=status)).values
    assert values["performed_start_at"] == utc("10:00")
    assert values["performed_end_at"] == (utc("10:20") if ends else None)


def test_a_step_is_read_however_it_is_encoded(here: Path) -> None:
    for syntax in (ExplicitVRLittleEndian, ImplicitVRLittleEndian):
        for undefined in (False, True):
            ds = step("", "A1")
            ds.file_meta.TransferSyntaxUID = syntax
            ds["ScheduledStepAttributesSequence"].is_undefined_length = undefined
            for item in ds.ScheduledStepAttributesSequence:
                item.is_undefined_length_sequence_item = undefined
            ds.SOPClassUID = MPPS_SOP_CLASS
            assert header(here, ds).values["accession_number"] == "A1", (syntax, undefined)


def test_a_step_belongs_to_no_study_even_where_it_names_one(here: Path) -> None:
    values = header(here, step("A1", StudyInstanceUID="1.2.3", SeriesInstanceUID="1.2.3.4")).values
    assert (values["study_instance_uid"], values["series_instance_uid"]) == (None, None)


def test_times_are_by_the_object_s_offset_and_nothing_is_made_up(here: Path) -> None:
    assert header(here, step("A1", TimezoneOffsetFromUTC="+0100")).values["performed_start_at"] == utc("09:00")
    values = header(here, step(
        "A1", PerformedProcedureStepStartTime="", PerformedProcedureStepEndDate="20260231")).values
    assert (values["performed_start_at"], values["performed_end_at"]) == (None, None)


def test_a_verified_report_is_final_when_it_was_first_verified(here: Path) -> None:
    assert header(here, report("A1", f"{DAY}1130", f"{DAY}111500", "")).values["verified_at"] == utc("11:15")
    assert header(here, report("A1", f"{DAY}1130+0100")).values["verified_at"] == utc("10:30")
    dose = report("A1", f"{DAY}1130", SOPClassUID="1.2.840.10008.5.1.4.1.1.88.67")
    unverified = report("A1", f"{DAY}1130", flag="UNVERIFIED")
    for other in (dose, unverified, report("A1"), report("A1", "2026")):
        assert header(here, other).values.get("verified_at") is None


def test_a_damaged_sequence_costs_its_own_content_alone(here: Path) -> None:
    whole = save(here, report("A1", f"{DAY}1130")).read_bytes()
    at = whole.index(b"\x40\x00\x73\xa0SQ") + 12
    length = int.from_bytes(whole[at - 4:at], "little")
    here.write_bytes(whole[:at] + bytes(length) + whole[at + length:])
    row = read_header(str(here), "x", KEYS, "UTC")
    assert row.status == "read"
    assert row.values["accession_number"] == "A1"
    assert row.values["verified_at"] is None
    assert "VerifyingObserverSequence=not a valid SQ" in row.values["malformed_values"]


def load(store: Store, folder: Path, settings: Settings) -> LoadRecord:
    """Load a folder, and make its events as the roll-up does."""
    with store.draft() as draft:
        record = load_source(draft, open_source(folder, settings, source_id="folder"))
        draft.stage_select(events, event_rows("folder"))
        draft.merge(events, "folder", complete=True)
        derive_exams(draft, "UTC")
    return record


def told(store: Store) -> set[tuple[str, str, dt.datetime, str]]:
    return {tuple(row.values()) for row in store.current().arrow(sa.select(
        events.c.accession_number, events.c.event, events.c.event_at, events.c.origin)).to_pylist()}


def test_the_beginning_of_a_step_that_was_discontinued_later_tells_nothing(
        duck_store: Store, tmp_path: Path, settings: Settings) -> None:
    begun, given_up = step("A1", start="090000", end="", status="IN PROGRESS"), step("A1", status="DISCONTINUED")
    given_up.file_meta.MediaStorageSOPInstanceUID = begun.file_meta.MediaStorageSOPInstanceUID
    site = tmp_path / "site"
    for name, ds in {"begun": begun, "given-up": given_up, "again": step("A1")}.items():
        save(site / name, ds)
    load(duck_store, site, settings)
    assert told(duck_store) == {("A1", "ProcedureStart", utc("10:00"), "MPPS (0040,0244)"),
                                ("A1", "ImagingComplete", utc("10:20"), "MPPS (0040,0250)")}


def test_a_folder_tells_the_events_of_its_objects(store: Store, tmp_path: Path, settings: Settings) -> None:
    site = tmp_path / "site"
    for name, ds in {
        "step-1": step("A1"), "step-2": step("A1", start="103000", end="104500"),
        "step-under-way": step("A2", start="110000", end="", status="IN PROGRESS"), "step-of-nobody": step(""),
        "not-over-1": step("A4", start="120000"), "not-over-2": step("A4", start="130000", status="IN PROGRESS"),
        "begun": (begun := step("A5", start="140000", status="IN PROGRESS")),
        "ended": step("A5", start="140000", end="141500", SOPInstanceUID=begun.file_meta.MediaStorageSOPInstanceUID),
        "image-1": image("A1", "100200"), "image-2": image("A1", "100100", 1),
        "image-of-nobody": image("", "100000", 2),
        "same-time": image("A2", "110000", SOPInstanceUID="2.25.76"),
        "reformat": image("A3", "100000", SOPInstanceUID="2.25.77", Modality="SEG"),
        "report": report("A1", f"{DAY}1130"), "addendum": report("A1", f"{DAY}1200"),
    }.items():
        save(site / name, ds)
    record = load(store, site, settings)
    assert told(store) == {
        ("A1", "ProcedureStart", utc("10:00"), "MPPS (0040,0244)"),
        ("A1", "ImagingComplete", utc("10:45"), "MPPS (0040,0250)"),
        ("A1", "ProcedureStart", utc("10:01"), "image (0040,0244)"),
        ("A1", "Reported", utc("11:30"), "SR (0040,A030)"),
        ("A2", "ProcedureStart", utc("11:00"), "MPPS (0040,0244)"),
        ("A4", "ProcedureStart", utc("12:00"), "MPPS (0040,0244)"),
        ("A5", "ProcedureStart", utc("14:00"), "MPPS (0040,0244)"),
        ("A5", "ImagingComplete", utc("14:15"), "MPPS (0040,0250)"),
    }
    assert "1 reports of devices (MPPS) have no accession number" in record.message


def test_events_change_and_go_with_the_file_that_tells_them(store: Store, tmp_path: Path, settings: Settings) -> None:
    site = tmp_path / "site"
    save(site / "image", image("A1", ""))
    under_way = step("A1", end="", status="IN PROGRESS")
    save(site / "step", under_way)
    load(store, site, settings)
    assert {event for _, event, *_ in told(store)} == {"ProcedureStart"}

    done = step("A1")
    done.file_meta.MediaStorageSOPInstanceUID = under_way.file_meta.MediaStorageSOPInstanceUID
    save(site / "step", done)
    os.utime(site / "step", ns=(1, 1))
    load(store, site, settings)
    assert {event for _, event, *_ in told(store)} == {"ProcedureStart", "ImagingComplete"}
    exam = store.current().arrow(sa.select(exams).where(exams.c.has_study)).to_pylist()[0]
    assert (exam["procedure_start_at"], exam["imaging_complete_at"]) == (utc("10:00"), utc("10:20"))
    assert exam["has_order"] is False

    (site / "step").unlink()
    load(store, site, settings)
    assert told(store) == set()


def test_a_step_is_no_image_of_a_study(store: Store, tmp_path: Path, settings: Settings) -> None:
    site = tmp_path / "site"
    save(site / "image", image("A1", "100000"))
    load(store, site, settings)
    before, seen_before = [store.current().read(sa.select(table)) for table in (studies, series)], looked_at(store)
    for place in range(3):
        save(site / f"step-{place}", step("A1"))
    load(store, site, settings)
    for table, as_it_was in zip((studies, series), before, strict=True):
        assert store.current().read(sa.select(table)).equals(as_it_was)
    assert store.current().count(instances) == 4
    seen = looked_at(store)
    about_files_and_objects = {"DCM101", "DCM102", "DCM103", "DCM104", "DCM107", "DCM108"}
    about_events = {"TMP303", "TMP305"}
    assert {check_id for check_id in seen if seen[check_id] != seen_before[check_id]} == (
        about_files_and_objects | about_events)


def looked_at(store: Store) -> dict[str, int]:
    """Run the checks; return how many candidates each had."""
    with store.draft() as draft:
        runs = run_checks(draft)
    assert not [run.error for run in runs if run.error]
    return {run.check_id: run.denominator for run in runs}


def test_merging_the_same_events_again_changes_nothing(store: Store, tmp_path: Path, settings: Settings) -> None:
    save(tmp_path / "site" / "step", step("A1"))
    load(store, tmp_path / "site", settings)
    with store.draft() as draft:
        draft.stage_select(events, event_rows("folder"))
        assert draft.merge(events, "folder", complete=True) == Counts(unchanged=2)
