"""Phantom images: what is known about them is so, and each bad one is bad in its way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.errors import InvalidDicomError

from analytics.demo import plan
from analytics.demo.phantoms import DEVICES, WEEKS, write_phantoms
from analytics.demo.pictures import CT_INSERTS_HU
from analytics.demo.real import copy_pydicom_samples

Made = tuple[Path, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("phantoms")
    return folder, write_phantoms(folder, seed=2026)


def _weekly(made: Made, station: str) -> list[dict[str, Any]]:
    rows = {row["path"]: row for row in made[1] if row.get("station_name") == station}
    return [rows[path] for path in sorted(rows)]


def _read(made: Made, path: str) -> pydicom.FileDataset:
    return pydicom.dcmread(made[0] / path)


def _one(made: Made, what: str) -> pydicom.FileDataset:
    return _read(made, next(row["path"] for row in made[1] if row["what"] == what))


def test_truth_lists_every_file_and_nothing_else(made: Made) -> None:
    files = {str(path.relative_to(made[0])) for path in made[0].rglob("*") if path.is_file()}
    assert files == {row["path"] for row in made[1]}
    assert 230 <= len(files) <= 270
    assert sum((made[0] / path).stat().st_size for path in files) <= 8_000_000


def test_every_device_has_forty_weeks_that_end_with_the_demo(made: Made) -> None:
    for device in DEVICES:
        rows = _weekly(made, device.station)
        assert len(rows) == WEEKS
        assert rows[-1]["date"] == "2026-10-26"
        assert {_read(made, row["path"]).StationName for row in rows[:3]} == {device.station}


def test_ct_noise_is_the_known_sigma_and_water_is_zero(made: Made) -> None:
    for row in _weekly(made, "STHCT1")[::8]:
        ds = _read(made, row["path"])
        hu = ds.pixel_array * float(ds.RescaleSlope) + float(ds.RescaleIntercept)
        center = hu[48:80, 48:80]
        assert center.std() == pytest.approx(row["sigma"], rel=0.07)
        assert center.mean() == pytest.approx(0, abs=1.5)
        assert hu[62:66, 98:102].mean() == pytest.approx(CT_INSERTS_HU[0], abs=15)


def test_mr_noise_is_the_known_sigma_and_rises_since_the_scanner_fails(made: Made) -> None:
    rows = _weekly(made, plan.FAILING.station)
    for row in rows[::6]:
        center = _read(made, row["path"]).pixel_array[44:84, 44:84].astype(float)
        assert center.std() == pytest.approx(row["sigma"], rel=0.07)
        assert center.mean() == pytest.approx(1000, rel=0.02)
    sound = [row["sigma"] for row in rows if row["date"] < plan.FAILING.since.isoformat()]
    assert max(sound) < 1.06 * 20.0
    assert rows[-1]["sigma"] > 1.8 * 20.0
    planted = {row["date"] for row in made[1] if row["check_id"] == "IMG703"}
    assert planted
    assert min(planted) > plan.FAILING.since.isoformat()


def test_deviation_index_follows_the_exposure_index(made: Made) -> None:
    extreme = {row["path"] for row in made[1] if row["check_id"] == "IMG707"}
    for row in _weekly(made, "NGHDX1"):
        ds = _read(made, row["path"])
        deviation = 10 * np.log10(float(ds.ExposureIndex) / float(ds.TargetExposureIndex))
        assert float(ds.DeviationIndex) == pytest.approx(deviation, abs=0.06)
        assert (abs(deviation) > 3) == (row["path"] in extreme)


def test_compressed_images_decode_to_what_the_others_look_like(made: Made) -> None:
    rows = _weekly(made, "NGHUS1")
    syntaxes = {_read(made, row["path"]).file_meta.TransferSyntaxUID.name for row in rows}
    assert {"JPEG-LS Lossless Image Compression", "RLE Lossless"} <= syntaxes
    assert any(name.startswith("JPEG 2000") for name in syntaxes)
    for row in rows[-5:]:
        assert _read(made, row["path"]).pixel_array.mean() == pytest.approx(113, abs=6)


def test_bad_files_are_bad(made: Made) -> None:
    assert (made[0] / "bad/empty.dcm").stat().st_size == 0
    with pytest.raises(InvalidDicomError):
        _read(made, "bad/notes.txt")
    with pytest.raises((EOFError, ValueError)):
        _ = _read(made, "bad/truncated.dcm").pixel_array
    assert _read(made, "bad/IM000001").pixel_array.shape == (64, 64)


def test_bad_headers_are_bad(made: Made) -> None:
    high = _one(made, "high bit")
    assert (high.BitsStored, high.HighBit) == (12, 15)
    short = _one(made, "pixel data too short")
    assert len(short.PixelData) < short.Rows * short.Columns * 2
    assert _one(made, "leading zero in UID").StudyInstanceUID.startswith("2.25.0")
    assert b"Z\xfc\xfcrich" in (made[0] / "bad/undecodable-text.dcm").read_bytes()
    assert b"2099A101" in (made[0] / "bad/malformed-date.dcm").read_bytes()
    lossy = _one(made, "lossy flag")
    assert lossy.LossyImageCompression == "00"
    assert lossy.file_meta.TransferSyntaxUID.name.startswith("JPEG-LS Lossy")
    assert _one(made, "no instance number").InstanceNumber is None
    assert _one(made, "zero slice thickness").SliceThickness == 0
    knee = _one(made, "knee without laterality")
    assert (knee.BodyPartExamined, knee.ImageLaterality) == ("KNEE", "")


def _stack(made: Made, what: str) -> list[pydicom.FileDataset]:
    return [_read(made, row["path"]) for row in made[1] if row["what"] == what]


def test_bad_stacks_are_bad(made: Made) -> None:
    places = [float(ds.ImagePositionPatient[2]) for ds in _stack(made, "missing slice")]
    assert sorted(set(np.diff(places))) == [5.0, 10.0]
    places = [float(ds.ImagePositionPatient[2]) for ds in _stack(made, "repeated position")]
    assert len(places) == len(set(places)) + 1
    assert len({ds.FrameOfReferenceUID for ds in _stack(made, "two frames of reference")}) == 2
    assert len({tuple(ds.ImageOrientationPatient) for ds in _stack(made, "two orientations")}) == 2
    assert len({ds.Rows for ds in _stack(made, "two matrices")}) == 2


def test_bad_pictures_are_bad(made: Made) -> None:
    assert set(np.unique(_one(made, "blank").pixel_array)) == {0}
    assert set(np.unique(_one(made, "constant").pixel_array)) == {512}
    clipped = _one(made, "clipped").pixel_array
    assert (clipped == clipped.max()).mean() > 0.1
    with pytest.raises((ValueError, RuntimeError)):
        _ = _one(made, "broken codestream").pixel_array


def test_sound_images_have_the_same_series_and_unique_instances(made: Made) -> None:
    uids = [_read(made, row["path"]).SOPInstanceUID for device in DEVICES for row in _weekly(made, device.station)]
    assert len(set(uids)) == len(uids) == WEEKS * len(DEVICES)


def test_the_disc_has_a_directory_of_its_images(made: Made) -> None:
    directory = pydicom.dcmread(made[0] / "disc" / "DICOMDIR")
    named = [record for record in directory.DirectoryRecordSequence if record.DirectoryRecordType == "IMAGE"]
    assert len(named) == 3
    for record in named:
        assert (made[0] / "disc").joinpath(*record.ReferencedFileID).is_file()


def test_same_seed_same_images(made: Made, tmp_path: Path) -> None:
    again = write_phantoms(tmp_path, seed=2026)
    assert again == made[1]
    for row in made[1]:
        assert (tmp_path / row["path"]).read_bytes() == (made[0] / row["path"]).read_bytes(), row["path"]


def test_real_images_are_copies_of_images_in_ordinary_use(tmp_path: Path) -> None:
    copies = copy_pydicom_samples(tmp_path)
    assert {"CT_small.dcm", "MR_small.dcm"} <= {path.name for path in copies}
    assert not {"rtplan.dcm", "reportsi.dcm"} & {path.name for path in copies}
    assert all(path.stat().st_size <= 2_000_000 for path in copies)
