"""Reading a tree of files: every file is counted, every bad one named, none is fatal."""

from __future__ import annotations

import os
import struct
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pydicom.data
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydicom.encaps import encapsulate
from pydicom.uid import JPEGBaseline8Bit

from analytics.core.errors import PacsmeterError
from analytics.core.pseudonym import Pseudonymizer
from analytics.core.settings import Settings
from analytics.sources.base import Known
from analytics.sources.dicom_folder import DicomFolder
from analytics.sources.dicom_header import HeaderRow, read_header
from analytics.sources.load import LoadRecord, load_source, open_source
from analytics.sources.patient import PatientEdge
from analytics.warehouse.schema import files, instances, quarantine, studies
from analytics.warehouse.store import Store
from tests.sources.sites import Folder, dicom_dataset

KEYS = PatientEdge(Pseudonymizer(b"0123456789abcdef"))


def load(store: Store, folder: Path, settings: Settings) -> LoadRecord:
    with store.draft() as draft:
        return load_source(draft, open_source(folder, settings))


def header(path: Path) -> HeaderRow:
    return read_header(str(path), path.name, KEYS, "Europe/London")


def saved(tmp_path: Path, **values: Any) -> HeaderRow:
    path = tmp_path / "file"
    dataset = dicom_dataset(0)
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    dataset.save_as(path, enforce_file_format=True)
    return header(path)


def test_bad_files_are_named_and_leave_quarantine_when_put_right(
        duck_store: Store, tmp_path: Path, settings: Settings) -> None:
    site = Folder(tmp_path / "site")
    whole = site.path(0).read_bytes()
    (site.folder / "empty").touch()
    (site.folder / "notes.txt").write_text("no image")
    (site.folder / "cut").write_bytes(whole[:-4])
    (site.folder / "cut-in-meta").write_bytes(whole[:200])
    (site.folder / "bad").write_bytes(whole[:132] + os.urandom(500))
    (site.folder / "gone-link").symlink_to(tmp_path / "nowhere")
    (site.folder / "circle").symlink_to(site.folder)
    record = load(duck_store, site.folder, settings)
    held = duck_store.current().read(sa.select(quarantine.c.locator, quarantine.c.reason_code))
    named = dict(held.itertuples(index=False))
    assert named.pop("bad") in ("unreadable", "truncated")
    assert named == {"empty": "empty", "notes.txt": "not_dicom", "cut": "truncated", "cut-in-meta": "truncated",
                     "gone-link": "unreadable_folder"}
    assert (record.left_out, duck_store.current().count(instances)) == (6, 4)

    again = load(duck_store, site.folder, settings)
    assert (again.read, duck_store.current().count(quarantine)) == (1, 6), "bad files that did not change stay named"
    (site.folder / "cut").write_bytes(whole)
    (site.folder / "empty").unlink()
    (site.folder / "gone-link").unlink()
    load(duck_store, site.folder, settings)
    left = duck_store.current().read(sa.select(quarantine.c.locator)).locator.tolist()
    assert sorted(left) == ["bad", "cut-in-meta", "notes.txt"]


def test_files_shipped_with_pydicom_have_their_known_states(duck_store: Store, settings: Settings) -> None:
    folder = Path(pydicom.data.__file__).parent / "test_files"
    load(duck_store, folder, settings)
    found = duck_store.current().read(sa.select(files.c.path, files.c.status))
    states = dict(found.itertuples(index=False))
    assert states["CT_small.dcm"] == states["image_dfl.dcm"] == states["ExplVR_LitEndNoMeta.dcm"] == "read"
    assert states["MR_truncated.dcm"] == states["rtplan_truncated.dcm"] == "truncated"
    assert states["dicomdirtests/DICOMDIR"] == "dicomdir"
    assert states["README.txt"] == "not_dicom"


def test_a_file_that_did_not_change_is_not_opened_again(
        duck_store: Store, tmp_path: Path, settings: Settings) -> None:
    site = Folder(tmp_path / "site")
    load(duck_store, site.folder, settings)
    about = site.path(1).stat()
    site.path(1).write_bytes(b"x" * about.st_size)
    os.utime(site.path(1), ns=(about.st_atime_ns, about.st_mtime_ns))
    assert load(duck_store, site.folder, settings).read == 0
    os.utime(site.path(1), ns=(about.st_atime_ns, about.st_mtime_ns + 1))
    assert load(duck_store, site.folder, settings).rejected == {"not_dicom": 1}


def test_a_study_keeps_its_attributes_when_one_of_its_files_changes(
        duck_store: Store, tmp_path: Path, settings: Settings) -> None:
    site = Folder(tmp_path / "site")
    load(duck_store, site.folder, settings)
    site.save(dicom_dataset(0, 3), site.path(0, 3))
    site.path(0, 1).unlink()
    load(duck_store, site.folder, settings)
    (row,) = duck_store.current().arrow(sa.select(studies).where(studies.c.study_instance_uid == "1.2.0")).to_pylist()
    sizes = [site.path(0, number).stat().st_size for number in (2, 3)]
    assert (row["number_of_instances"], row["number_of_series"], row["size_bytes"]) == (2, 1, sum(sizes))
    assert (row["accession_number"], row["study_description"], row["station_name"], row["modality"]) == (
        "A0", "HEAD", "CT1", "CT")
    assert row["name_key"] and row["birth_date_key"]


def test_modality_of_a_study_is_that_of_its_images(duck_store: Store, tmp_path: Path, settings: Settings) -> None:
    site = Folder(tmp_path / "site")
    for number in range(10, 14):
        site.save(dicom_dataset(0, number, Modality="SR", SeriesInstanceUID="1.2.0.9"), site.path(0, number))
    load(duck_store, site.folder, settings)
    (row,) = duck_store.current().arrow(sa.select(studies).where(studies.c.study_instance_uid == "1.2.0")).to_pylist()
    assert (row["modality"], row["modalities_in_study"], row["number_of_series"]) == ("CT", "CT\\SR", 2)


def test_an_executor_reads_the_same_rows(tmp_path: Path) -> None:
    site = Folder(tmp_path / "site")

    def rows(executor: ThreadPoolExecutor | None) -> list[dict[str, Any]]:
        source = DicomFolder("a", site.folder, KEYS, "UTC", executor=executor)
        return [row for batch in source.batches(Known(), lambda *_: None) for row in batch.rows.to_pylist()]

    with ThreadPoolExecutor(2) as executor:
        assert rows(executor) == rows(None)


def test_times_are_utc_by_the_object_or_the_site(tmp_path: Path) -> None:
    at = saved(tmp_path, StudyDate="20260701", StudyTime="100000").values["study_at"]
    assert at.isoformat() == "2026-07-01T09:00:00+00:00", "London in summer"
    at = saved(tmp_path, TimezoneOffsetFromUTC="-0500", StudyTime="100000.5").values["study_at"]
    assert at.isoformat() == "2026-07-01T15:00:00.500000+00:00"
    assert saved(tmp_path, StudyTime="").values["study_at"] is None, "no hour is invented"


def test_pixel_length_and_truncated_fragments(tmp_path: Path) -> None:
    assert saved(tmp_path).values["pixel_data_length"] == 8
    dataset = dicom_dataset(0)
    dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    dataset.PixelData = encapsulate([bytes(100), bytes(100)])
    dataset["PixelData"].VR = "OB"
    path = tmp_path / "jpeg"
    dataset.save_as(path, enforce_file_format=True)
    row = header(path)
    assert (row.status, row.values["pixel_data_length"], row.values["has_pixel_data"]) == ("read", None, True)
    path.write_bytes(path.read_bytes()[:-20])
    assert header(path).status == "truncated"


def test_undecodable_text_and_malformed_values_are_named_and_never_said(tmp_path: Path) -> None:
    path = tmp_path / "file"
    dataset = dicom_dataset(0, SpecificCharacterSet="ISO_IR 6", Modality="CT", BodyPartExamined="HEAD")
    dataset.save_as(path, enforce_file_format=True)
    path.write_bytes(path.read_bytes().replace(b"ZWICKERBAUER", b"ZWICKERB\xe4UER").replace(b"HEAD", b"he@d", 2))
    row = header(path)
    assert row.values["undecodable_text"] == "PatientName"
    assert "BodyPartExamined=not a valid CS" in row.values["malformed_values"]
    assert "he@d" not in row.values["malformed_values"]


@given(data=st.binary(max_size=600), cut=st.integers(0, 900), at=st.integers(132, 800))
@hypothesis_settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_file_makes_the_reader_fail(tmp_path: Path, data: bytes, cut: int, at: int) -> None:
    path = tmp_path / "file"
    dicom_dataset(0).save_as(path, enforce_file_format=True)
    whole = path.read_bytes()
    for content in (data, whole[:cut], whole[:at] + data + whole[at + len(data):],
                    bytes(128) + b"DICM" + data, struct.pack("<HH", 8, 5) + data):
        path.write_bytes(content)
        row = header(path)
        assert row.status in ("read", "empty", "not_dicom", "truncated", "unreadable", "dicomdir")
        assert (row.status in ("read", "dicomdir")) == (not row.reason)


@pytest.mark.parametrize("cut", range(0, 100, 9))
def test_every_cut_of_a_file_is_seen(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "file"
    dicom_dataset(0).save_as(path, enforce_file_format=True)
    whole = path.read_bytes()
    path.write_bytes(whole[:len(whole) - 1 - cut * (len(whole) - 140) // 100])
    assert header(path).status == "truncated"


def test_a_folder_without_any_dicom_is_refused_with_why(
        duck_store: Store, tmp_path: Path, settings: Settings) -> None:
    folder = tmp_path / "letters"
    folder.mkdir()
    with pytest.raises(PacsmeterError, match="0 files were looked at"):
        load(duck_store, folder, settings)
    (folder / "notes.txt").write_text("no image")
    (folder / "empty").touch()
    with pytest.raises(PacsmeterError, match=r"2 files were looked at \(.*1 not_dicom, such as notes.txt.*letters"):
        load(duck_store, folder, settings)
    assert duck_store.current_revision() == 0
