"""The headers of phantom images: datasets of the right SOP class for each modality."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    UID,
    CTImageStorage,
    DigitalMammographyXRayImageStorageForPresentation,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    MRImageStorage,
    UltrasoundImageStorage,
)

from analytics.demo import plan
from analytics.demo.pictures import Picture

PROTOCOL = "Weekly QA"
_CLASSES = {
    "CT": CTImageStorage, "MR": MRImageStorage, "DX": DigitalXRayImageStorageForPresentation,
    "MG": DigitalMammographyXRayImageStorageForPresentation, "US": UltrasoundImageStorage,
}
_BITS = {"CT": (16, 12), "MR": (16, 12), "DX": (16, 14), "MG": (16, 14), "US": (8, 8)}
_STATIONS = {station.name: station for station in plan.STATIONS}


class Uids:
    """Gives UIDs one after the other, the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self._root, self._next = f"2.25.3{seed % 1_000_000:06d}9", count(10**6)

    def __call__(self) -> UID:
        return UID(f"{self._root}{next(self._next)}")


@dataclass(frozen=True)
class Exposure:
    """Where and when a phantom image is made."""

    station: str
    at: datetime
    protocol: str = PROTOCOL
    study_uid: str = ""
    series_uid: str = ""
    frame_uid: str = ""
    instance_number: int = 1
    z: float = 0.0

    @property
    def modality(self) -> str:
        """Return the modality of the station."""
        return _STATIONS[self.station].modality


def image(uids: Uids, exposure: Exposure, picture: Picture) -> FileDataset:
    """Return an image object of a picture, in HU for CT, else in stored values; uncompressed, explicit VR."""
    station, modality = _STATIONS[exposure.station], exposure.modality
    ds = FileDataset("", {}, file_meta=_meta(modality, uids()), preamble=b"\0" * 128)
    ds.SpecificCharacterSet = "ISO_IR 100"
    ds.SOPClassUID, ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPClassUID, ds.file_meta.MediaStorageSOPInstanceUID
    ds.PatientID, ds.PatientName = f"QA-{station.name}", "QA^PHANTOM"
    ds.PatientBirthDate, ds.PatientSex = "", "O"
    ds.StudyInstanceUID = exposure.study_uid or uids()
    ds.SeriesInstanceUID = exposure.series_uid or uids()
    ds.StudyID, ds.AccessionNumber, ds.ReferringPhysicianName = "QA", "", ""
    day, time = exposure.at.strftime("%Y%m%d"), exposure.at.strftime("%H%M%S")
    ds.StudyDate = ds.SeriesDate = ds.AcquisitionDate = ds.ContentDate = day
    ds.StudyTime = ds.SeriesTime = ds.AcquisitionTime = ds.ContentTime = time
    ds.Modality, ds.StationName = modality, station.name
    ds.Manufacturer, ds.ManufacturerModelName = station.manufacturer, station.model
    ds.DeviceSerialNumber, ds.SoftwareVersions = f"QA{sum(station.name.encode()):06d}", "1.0"
    ds.InstitutionName = plan.SITES[station.site].institution_name
    ds.StudyDescription, ds.SeriesDescription, ds.ProtocolName = "QA phantom", exposure.protocol, exposure.protocol
    ds.SeriesNumber, ds.InstanceNumber, ds.AcquisitionNumber = 1, exposure.instance_number, 1
    ds.ImageType, ds.BurnedInAnnotation = ["ORIGINAL", "PRIMARY"], "NO"
    _add_pixels(ds, modality, picture)
    {"CT": _ct, "MR": _mr, "DX": _dx, "MG": _mg, "US": _us}[modality](ds, exposure, uids)
    return ds


def save(ds: FileDataset, path: Path) -> None:
    """Write an object as a DICOM file with its preamble."""
    path.parent.mkdir(parents=True, exist_ok=True)
    ds.save_as(path, enforce_file_format=True)


def _meta(modality: str, uid: UID) -> FileMetaDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = _CLASSES[modality], uid
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return meta


def _add_pixels(ds: Dataset, modality: str, picture: Picture) -> None:
    allocated, stored = _BITS[modality]
    values = picture + (1024 if modality == "CT" else 0)
    pixels = np.clip(np.rint(values), 0, 2**stored - 1).astype(np.uint8 if allocated == 8 else np.uint16)
    ds.Rows, ds.Columns = pixels.shape
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = allocated, stored, stored - 1, 0
    ds.PixelData = pixels.tobytes()


def _placed(ds: Dataset, exposure: Exposure, uids: Uids) -> None:
    ds.FrameOfReferenceUID, ds.PositionReferenceIndicator = exposure.frame_uid or uids(), ""
    ds.ImagePositionPatient = [-64.0, -64.0, exposure.z]
    ds.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    ds.PixelSpacing, ds.SliceThickness, ds.PatientPosition = [1.0, 1.0], 5.0, "HFS"


def _ct(ds: Dataset, exposure: Exposure, uids: Uids) -> None:
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = -1024, 1, "HU"
    ds.KVP, ds.ExposureTime, ds.XRayTubeCurrent, ds.ConvolutionKernel = 120, 500, 200, "STANDARD"
    _placed(ds, exposure, uids)


def _mr(ds: Dataset, exposure: Exposure, uids: Uids) -> None:
    ds.ScanningSequence, ds.SequenceVariant, ds.ScanOptions, ds.MRAcquisitionType = "SE", "NONE", "", "2D"
    ds.RepetitionTime, ds.EchoTime, ds.EchoTrainLength, ds.FlipAngle = 500, 20, 1, 90
    ds.MagneticFieldStrength = 3 if "3T" in ds.ManufacturerModelName else 1.5
    _placed(ds, exposure, uids)


def _projection(ds: Dataset) -> None:
    ds.PresentationIntentType = "FOR PRESENTATION"
    ds.ImagerPixelSpacing, ds.KVP = [0.2, 0.2], 70
    ds.PixelIntensityRelationship, ds.PixelIntensityRelationshipSign = "LOG", -1
    ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = 0, 1, "US"
    ds.PresentationLUTShape, ds.LossyImageCompression = "IDENTITY", "00"
    ds.WindowCenter, ds.WindowWidth = 7000, 12000
    ds.AnatomicRegionSequence, ds.AcquisitionContextSequence = Sequence(), Sequence()


def _dx(ds: Dataset, exposure: Exposure, uids: Uids) -> None:
    _projection(ds)
    ds.PatientOrientation, ds.BodyPartExamined, ds.ImageLaterality, ds.ViewPosition = "", "", "U", ""


def _mg(ds: Dataset, exposure: Exposure, uids: Uids) -> None:
    _projection(ds)
    ds.PatientOrientation, ds.BodyPartExamined, ds.ImageLaterality, ds.ViewPosition = ["A", "R"], "BREAST", "R", "CC"
    ds.OrganExposed, ds.PositionerType, ds.BreastImplantPresent, ds.PartialView = "BREAST", "MAMMOGRAPHIC", "NO", "NO"
    ds.KVP = 28
    ds.AnatomicRegionSequence = Sequence([_code("76752008", "SCT", "Breast")])
    view = _code("399162004", "SCT", "cranio-caudal")
    view.ViewModifierCodeSequence = Sequence()
    ds.ViewCodeSequence = Sequence([view])


def _us(ds: Dataset, exposure: Exposure, uids: Uids) -> None:
    ds.ImageType, ds.LossyImageCompression = ["ORIGINAL", "PRIMARY", "", "0001"], "00"
    ds.PatientOrientation = ""


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, scheme, meaning
    return code
