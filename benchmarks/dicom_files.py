"""A tree of DICOM files of any size: one small CT image a study, a folder a day."""

from __future__ import annotations

import io
from pathlib import Path

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from benchmarks.qido_server import day_of

_NUMBER, _DAY = "00000000", "19000101"
"""Stand for the number and the date of a study in the file that all are made from; the same width each time."""


def _template() -> bytes:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID, dataset.SOPInstanceUID = CTImageStorage, f"1.2.826.1{_NUMBER}.1.1"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = f"1.2.826.1{_NUMBER}", f"1.2.826.1{_NUMBER}.1"
    dataset.PatientID, dataset.PatientName, dataset.PatientBirthDate = f"ID{_NUMBER}", f"N{_NUMBER}^GIVEN", "19600101"
    dataset.StudyDate, dataset.StudyTime, dataset.Modality = _DAY, "100000", "CT"
    dataset.AccessionNumber, dataset.StudyDescription, dataset.StationName = f"A{_NUMBER}", "CHEST", "CT1"
    dataset.SeriesDescription, dataset.InstanceNumber = "AXIAL", 1
    dataset.Rows = dataset.Columns = 16
    dataset.BitsAllocated = dataset.BitsStored = 16
    dataset.HighBit, dataset.PixelRepresentation, dataset.SamplesPerPixel = 15, 0, 1
    dataset.PhotometricInterpretation, dataset.PixelData = "MONOCHROME2", bytes(512)
    written = io.BytesIO()
    dataset.save_as(written, enforce_file_format=True)
    return written.getvalue()


def write(folder: Path, studies: int) -> None:
    """Write one file a study."""
    template = _template()
    for n in range(studies):
        day = f"{day_of(n, studies):%Y%m%d}"
        place = folder / day
        if n == 0 or not place.exists():
            place.mkdir(parents=True, exist_ok=True)
        (place / f"{n:08d}").write_bytes(
            template.replace(_NUMBER.encode(), f"{n:08d}".encode()).replace(_DAY.encode(), day.encode()))
