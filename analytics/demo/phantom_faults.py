"""Planted bad files and images, each wrong in one way, each in a study of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import FileDataset
from pydicom.fileset import FileSet
from pydicom.uid import JPEG2000Lossless, JPEGLSNearLossless

from analytics.demo import pictures
from analytics.demo.phantom_headers import Exposure, Uids, image, save

_SMALL = 64
_CT, _MR, _DX = "NGHCT2", "STHMR1", "STHDX1"
Rows = list[dict[str, Any]]


@dataclass
class Bench:
    """Where the bad files are made."""

    out: Path
    rng: np.random.Generator
    uids: Uids
    at: datetime

    def slice(self, name: str, *, station: str = _CT, sigma: float = 8.0, **where: Any) -> FileDataset:
        """Return one sound small image, to be spoiled."""
        exposure = Exposure(station, self.at, protocol=f"Test {name}", **where)
        paint = {"CT": pictures.water, "MR": pictures.uniform, "DX": pictures.steps}[exposure.modality]
        ds = image(self.uids, exposure, paint(self.rng, sigma=sigma, side=_SMALL))
        if exposure.modality == "DX":
            ds.ExposureIndex, ds.TargetExposureIndex, ds.DeviationIndex = "250", "250", "0"
        return ds

    def stack(self, name: str, *, station: str = _CT, count: int = 6) -> list[FileDataset]:
        """Return a sound series of slices 5 mm apart."""
        shared: dict[str, Any] = {"study_uid": self.uids(), "series_uid": self.uids(), "frame_uid": self.uids()}
        return [self.slice(name, station=station, instance_number=i + 1, z=5.0 * i, **shared) for i in range(count)]

    def keep(self, name: str, *images: FileDataset) -> Rows:
        """Write images into a folder; return a row for each."""
        rows: Rows = []
        for index, ds in enumerate(images):
            path = f"bad/{name}/{index + 1:02d}.dcm" if len(images) > 1 else f"bad/{name}.dcm"
            save(ds, self.out / path)
            rows.append({"path": path, "check_id": "", "what": name, "study_instance_uid": str(ds.StudyInstanceUID)})
        return rows


def _with_pixels(change: Callable[[Any], Any]) -> Callable[[Bench, str], Rows]:
    def make(bench: Bench, name: str) -> Rows:
        ds = bench.slice(name, station=_DX, sigma=60.0)
        pixels = np.frombuffer(ds.PixelData, np.uint16)
        ds.PixelData = change(pixels).astype(np.uint16).tobytes()
        return bench.keep(name, ds)
    return make


def _with(change: Callable[[FileDataset], None], station: str = _CT) -> Callable[[Bench, str], Rows]:
    def make(bench: Bench, name: str) -> Rows:
        ds = bench.slice(name, station=station, sigma=60.0 if station == _DX else 8.0)
        change(ds)
        return bench.keep(name, ds)
    return make


def _with_slices(change: Callable[[Bench, list[FileDataset]], None]) -> Callable[[Bench, str], Rows]:
    def make(bench: Bench, name: str) -> Rows:
        slices = bench.stack(name)
        change(bench, slices)
        return bench.keep(name, *slices)
    return make


def _with_bytes(before: bytes, after: bytes, **values: str) -> Callable[[Bench, str], Rows]:
    """Write values that pydicom takes, then exchange bytes in the file for ones of the same length."""
    def make(bench: Bench, name: str) -> Rows:
        ds = bench.slice(name)
        for keyword, value in values.items():
            setattr(ds, keyword, value)
        rows = bench.keep(name, ds)
        path = bench.out / rows[0]["path"]
        path.write_bytes(path.read_bytes().replace(before, after))
        uid = rows[0]["study_instance_uid"].encode().replace(before, after)
        return [{**rows[0], "study_instance_uid": uid.decode()}]
    return make


def _raw_file(name: str, content: bytes) -> Callable[[Bench, str], Rows]:
    def make(bench: Bench, what: str) -> Rows:
        path = bench.out / "bad" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return [{"path": f"bad/{name}", "check_id": "", "what": what}]
    return make


def _truncated(bench: Bench, name: str) -> Rows:
    path = bench.out / bench.keep(name, bench.slice(name))[0]["path"]
    path.write_bytes(path.read_bytes()[:-_SMALL * _SMALL])
    return [{"path": str(path.relative_to(bench.out)), "check_id": "", "what": name}]


def _broken_stream(bench: Bench, name: str) -> Rows:
    ds = bench.slice(name)
    ds.compress(JPEG2000Lossless, generate_instance_uid=False)
    rows = bench.keep(name, ds)
    path = bench.out / rows[0]["path"]
    path.write_bytes(path.read_bytes().replace(b"\xff\x4f\xff\x51", b"\x00\x00\x00\x00"))
    return rows


def _contradiction(bench: Bench, name: str) -> Rows:
    ds = bench.slice(name)
    ds.compress(JPEGLSNearLossless, jls_error=2, generate_instance_uid=False)
    ds.LossyImageCompression, ds.LossyImageCompressionRatio = "00", "4.0"
    return bench.keep(name, ds)


def _noisy(bench: Bench, name: str) -> Rows:
    exposure = Exposure(_CT, bench.at, protocol="Test noisy")
    ds = image(bench.uids, exposure, pictures.water(bench.rng, sigma=40.0))
    ds.BodyPartExamined, ds.StudyDescription, ds.SeriesDescription = "NECK", "CT Neck QA", "Neck noise test"
    return bench.keep(name, ds)


def _shift_frame(bench: Bench, slices: list[FileDataset]) -> None:
    slices[3].FrameOfReferenceUID = bench.uids()


def _embed_localizer(bench: Bench, slices: list[FileDataset]) -> None:
    slices[0].ImageOrientationPatient = [0, 1, 0, 0, 0, -1]
    slices[0].ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]


def _other_matrix(bench: Bench, slices: list[FileDataset]) -> None:
    ds = slices[3]
    pixels = np.frombuffer(ds.PixelData, np.uint16).reshape(_SMALL, _SMALL)[:32, :32]
    ds.Rows = ds.Columns = 32
    ds.PixelData = pixels.tobytes()


def _repeat_position(bench: Bench, slices: list[FileDataset]) -> None:
    again = slices[2]
    slices.append(bench.slice("repeated position", study_uid=again.StudyInstanceUID, series_uid=again.SeriesInstanceUID,
                              frame_uid=again.FrameOfReferenceUID, instance_number=7, z=10.0))


def _lose_slice(bench: Bench, slices: list[FileDataset]) -> None:
    del slices[3]


def _knee(ds: FileDataset) -> None:
    ds.BodyPartExamined, ds.StudyDescription, ds.SeriesDescription = "KNEE", "XR Knee QA", "Knee AP"
    ds.ImageLaterality = ""


def _high_bit(ds: FileDataset) -> None:
    ds.HighBit = 15


def _short_pixels(ds: FileDataset) -> None:
    ds.PixelData = ds.PixelData[:-2 * _SMALL]


def _no_thickness(ds: FileDataset) -> None:
    ds.SliceThickness = 0


def _no_number(ds: FileDataset) -> None:
    ds.InstanceNumber = None


_BAD: tuple[tuple[str, str, Callable[[Bench, str], Rows]], ...] = (
    ("DCM101", "empty file", _raw_file("empty.dcm", b"")),
    ("DCM102", "truncated", _truncated),
    ("DCM103", "not dicom", _raw_file("notes.txt", b"Phantom in the cupboard of room 4.\n")),
    ("DCM104", "leading zero in UID", _with_bytes(b"2.25.99", b"2.25.09", StudyInstanceUID="2.25.9911223344")),
    ("DCM105", "pixel data too short", _with(_short_pixels)),
    ("DCM106", "high bit", _with(_high_bit)),
    ("DCM107", "undecodable text", _with_bytes(b"Zuerich", b"Z\xfc\xfcrich", StudyDescription="Zuerich QA",
                                               SpecificCharacterSet="ISO_IR 192")),
    ("DCM108", "malformed date", _with_bytes(b"20990101", b"2099A101", ContentDate="20990101")),
    ("DCM109", "lossy flag", _contradiction),
    ("DCM110", "no instance number", _with(_no_number)),
    ("GEO401", "repeated position", _with_slices(_repeat_position)),
    ("GEO402", "missing slice", _with_slices(_lose_slice)),
    ("GEO403", "two frames of reference", _with_slices(_shift_frame)),
    ("GEO404", "two orientations", _with_slices(_embed_localizer)),
    ("GEO405", "zero slice thickness", _with(_no_thickness)),
    ("GEO406", "two matrices", _with_slices(_other_matrix)),
    ("ANA502", "knee without laterality", _with(_knee, _DX)),
    ("IMG701", "blank", _with_pixels(np.zeros_like)),
    ("IMG701", "constant", _with_pixels(lambda pixels: np.full_like(pixels, 512))),
    ("IMG702", "clipped", _with_pixels(lambda pixels: np.minimum(pixels, 5000))),
    ("IMG706", "noisy neck", _noisy),
    ("IMG708", "broken codestream", _broken_stream),
)
"""Check that should find it, what is wrong, how it is made."""


def plant_bad_files(out: Path, rng: np.random.Generator, uids: Uids, day: date) -> Rows:
    """Write every planted bad file, a sound one without an extension, and a disc with a DICOMDIR.

    Returns
    -------
    list of dict
        One row a file: of a series that is wrong as a whole, each file has the check's id.
    """
    bench = Bench(out, rng, uids, datetime.combine(day, time(7, 0)))
    truth: Rows = []
    for check_id, what, make in _BAD:
        truth += [{**row, "check_id": check_id, "what": what} for row in make(bench, what.replace(" ", "-"))]
    save(bench.slice("no extension"), out / "bad" / "IM000001")
    truth.append({"path": "bad/IM000001", "check_id": "", "what": "sound file without an extension"})
    return truth + _disc(bench)


def _disc(bench: Bench) -> Rows:
    """Write a disc as a scanner burns one: images named by the standard and their DICOMDIR."""
    disc = FileSet()
    disc.UID, disc.ID = bench.uids(), "QA"
    for ds in bench.stack("disc", station=_MR, count=3):
        disc.add(ds)
    disc.write(bench.out / "disc")
    return [{"path": str(path.relative_to(bench.out)), "check_id": "",
             "what": "DICOMDIR" if path.name == "DICOMDIR" else "sound file of a disc"}
            for path in sorted((bench.out / "disc").rglob("*")) if path.is_file()]
