"""One DICOM file to one plain row: the header's values, and whether the file is whole. No file makes it fail."""

from __future__ import annotations

import logging
import os
import warnings
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.filereader import read_partial

from analytics.sources import dicom_events
from analytics.sources import dicom_values as dv
from analytics.sources.dicom_extent import UNDEFINED, Truncated, Watch, looks_like_dicom
from analytics.sources.patient import PatientEdge

# pydicom's log quotes values, and a value can be a name.
logging.getLogger("pydicom").setLevel(logging.CRITICAL)

MEDIA_DIRECTORY = "1.2.840.10008.1.3.10"
_DEFLATED = "1.2.840.10008.1.2.1.99"

_TEXT: dict[str, tuple[str, ...]] = {
    "sop_instance_uid": ("SOPInstanceUID",), "study_instance_uid": ("StudyInstanceUID",),
    "series_instance_uid": ("SeriesInstanceUID",), "sop_class_uid": ("SOPClassUID",), "modality": ("Modality",),
    "station_name": ("StationName",), "device_serial_number": ("DeviceSerialNumber",), "image_type": ("ImageType",),
    "photometric_interpretation": ("PhotometricInterpretation",),
    "lossy_image_compression": ("LossyImageCompression",), "frame_of_reference_uid": ("FrameOfReferenceUID",),
    "body_part_examined": ("BodyPartExamined",), "laterality": ("ImageLaterality", "Laterality"),
    "view_position": ("ViewPosition",), "protocol_name": ("ProtocolName",),
    "convolution_kernel": ("ConvolutionKernel",), "specific_character_set": ("SpecificCharacterSet",),
    "timezone_offset_from_utc": ("TimezoneOffsetFromUTC",), "patient_sex": ("PatientSex",),
    "accession_number": ("AccessionNumber",), "institution_name": ("InstitutionName",),
    "manufacturer": ("Manufacturer",), "manufacturer_model_name": ("ManufacturerModelName",),
    "study_description": ("StudyDescription",), "series_description": ("SeriesDescription",),
}
_WHOLE: dict[str, str] = {
    "instance_number": "InstanceNumber", "rows": "Rows", "columns": "Columns", "number_of_frames": "NumberOfFrames",
    "samples_per_pixel": "SamplesPerPixel", "bits_allocated": "BitsAllocated", "bits_stored": "BitsStored",
    "high_bit": "HighBit", "pixel_representation": "PixelRepresentation", "series_number": "SeriesNumber",
}
_DECIMAL: dict[str, tuple[tuple[str, ...], int]] = {
    "lossy_image_compression_ratio": (("LossyImageCompressionRatio",), 0),
    "image_position_x": (("ImagePositionPatient",), 0), "image_position_y": (("ImagePositionPatient",), 1),
    "image_position_z": (("ImagePositionPatient",), 2), "slice_thickness": (("SliceThickness",), 0),
    "spacing_between_slices": (("SpacingBetweenSlices",), 0),
    "pixel_spacing_row": (("PixelSpacing", "ImagerPixelSpacing"), 0),
    "pixel_spacing_column": (("PixelSpacing", "ImagerPixelSpacing"), 1), "kvp": (("KVP",), 0),
    "repetition_time": (("RepetitionTime",), 0), "echo_time": (("EchoTime",), 0),
    "magnetic_field_strength": (("MagneticFieldStrength",), 0), "exposure_index": (("ExposureIndex",), 0),
    "target_exposure_index": (("TargetExposureIndex",), 0), "deviation_index": (("DeviationIndex",), 0),
}
_OTHERS = ("PatientID", "PatientName", "PatientBirthDate", "PatientAge", "ImageOrientationPatient", "StudyDate",
           "StudyTime", "SeriesDate", "SeriesTime", "AcquisitionDateTime", "AcquisitionDate", "AcquisitionTime",
           "ContentDate", "ContentTime", *dicom_events.KEYWORDS)
_KEYWORDS = tuple(dict.fromkeys([
    *(name for names in _TEXT.values() for name in names), *_WHOLE.values(),
    *(name for names, _ in _DECIMAL.values() for name in names), *_OTHERS]))
_TAGS: dict[int, str] = {tag: keyword for keyword in (*_KEYWORDS, *dicom_events.SEQUENCES)
                         if (tag := tag_for_keyword(keyword)) is not None}


@dataclass(frozen=True)
class HeaderRow:
    """What one file is.

    Attributes
    ----------
    status : as in ``files.status``: read, dicomdir, not_dicom, empty, truncated, unreadable.
    values : columns of ``instances``; none unless the status is read.
    reason : what is wrong with it and what to do.
    """

    path: str
    size_bytes: int
    modified_ns: int
    status: str
    values: dict[str, Any] = field(default_factory=dict)
    sop_instance_uid: str = ""
    reason: str = ""


class _Header:
    """The values of one header, converted one by one, with what did not conform."""

    def __init__(self, dataset: Any) -> None:
        self.dataset = dataset
        self.undecodable: list[str] = []
        self.malformed: dict[str, str] = {}
        self.encodings = ["ascii"]
        self.values: dict[str, list[Any]] = {}
        self.encodings = dv.encodings_of([one.strip() for one in self._read("SpecificCharacterSet")])
        for keyword in _KEYWORDS:
            self.values[keyword] = self._read(keyword)

    def _read(self, keyword: str, item: Any = None) -> list[Any]:
        dataset = self.dataset if item is None else item
        tag = tag_for_keyword(keyword)
        element = dataset.get_item(tag) if tag in dataset else None
        if element is None or not isinstance(element, RawDataElement) or not element.value:
            return []
        vr = element.VR if element.VR and element.VR != "UN" else dictionary_VR(element.tag)
        if vr in dv.BINARY:
            numbers = dv.binary_numbers(element.value, vr, little_endian=element.is_little_endian)
            if not numbers:
                self.malformed[keyword] = f"not a valid {vr}"
            return numbers
        text, whole = dv.decoded(element.value, vr, self.encodings)
        if not whole and keyword not in self.undecodable:
            self.undecodable.append(keyword)
        parts = [part.strip() for part in text.split("\\")] if vr not in ("ST", "LT", "UT") else [text.strip()]
        for part in parts:
            reason = dv.fault(vr, part) if whole else ""
            if reason:
                self.malformed[keyword] = reason
        return parts

    def text(self, *keywords: str) -> str:
        """Return the first of several elements that has a value; several values are parted by a backslash."""
        for keyword in keywords:
            found = "\\".join(str(value) for value in self.values[keyword])
            if found.strip("\\"):
                return found
        return ""

    def nested(self, sequence: str, keyword: str) -> list[str]:
        """Return the texts of an element in the items of a sequence; none where the sequence is damaged."""
        tag = tag_for_keyword(sequence)
        try:
            items = list(self.dataset[tag].value) if tag in self.dataset else []
        except Exception:  # what is in it is lost; the object around it is not
            self.malformed[sequence] = "not a valid SQ"
            return []
        return [str(value) for item in items for value in self._read(keyword, item)]

    def number(self, keywords: tuple[str, ...], index: int = 0) -> float | None:
        """Return one number of the first of several elements that has as many."""
        for keyword in keywords:
            values = self.values[keyword]
            if len(values) > index:
                value = values[index]
                return dv.number_of(value) if isinstance(value, str) else float(value)
        return None

    def whole(self, keyword: str) -> int | None:
        """Return a whole number."""
        number = self.number((keyword,))
        return int(number) if number is not None and abs(number) < 2**62 else None


def _row(header: _Header, media_class: str, edge: PatientEdge, zone: str) -> dict[str, Any]:
    row: dict[str, Any] = {column: header.text(*keywords) or None for column, keywords in _TEXT.items()}
    row |= {column: header.whole(keyword) for column, keyword in _WHOLE.items()}
    row |= {column: header.number(keywords, index) for column, (keywords, index) in _DECIMAL.items()}
    cosines = [header.number(("ImageOrientationPatient",), index) for index in range(6)]
    if None not in cosines:
        row["image_orientation"] = "\\".join(f"{cosine + 0.0:.4f}" for cosine in cosines if cosine is not None)
    offset = header.text("TimezoneOffsetFromUTC")

    def instant(what: str) -> Any:
        return dv.instant_of(header.text(f"{what}Date"), header.text(f"{what}Time"), offset, zone)

    if row["patient_sex"] and row["patient_sex"] not in dv.SEXES:  # free text here has been seen to be a name
        header.malformed.setdefault("PatientSex", "not M, F or O")
    studied, age = dv.date_of(header.text("StudyDate")), dv.age_years_of(header.text("PatientAge"))
    row |= edge.columns(header.text("PatientID"), header.text("PatientName"), header.text("PatientBirthDate"),
                        row["patient_sex"], studied, age)
    row["sop_class_uid"] = row["sop_class_uid"] or media_class or None
    row |= dicom_events.event_columns(row["sop_class_uid"], header.text, header.nested, zone)
    row |= {
        "study_date": studied,
        "study_at": instant("Study"), "series_at": instant("Series"), "content_at": instant("Content"),
        "acquired_at": dv.date_time_of(header.text("AcquisitionDateTime"), offset, zone) or instant("Acquisition"),
        "undecodable_text": ", ".join(header.undecodable) or None,
        "malformed_values": "; ".join(f"{name}={reason}" for name, reason in header.malformed.items()) or None,
    }
    return row


def _read_open(file: BinaryIO, size: int, edge: PatientEdge, zone: str) -> tuple[str, dict[str, Any]]:
    watch = Watch(file, size)
    dataset = read_partial(file, watch, force=True, specific_tags=list(_TAGS))
    meta = dataset.file_meta
    if watch.is_directory or meta.get("MediaStorageSOPClassUID") == MEDIA_DIRECTORY:
        return "dicomdir", {}
    syntax = str(meta.get("TransferSyntaxUID", "") or "").strip("\x00 ")
    if syntax != _DEFLATED:
        watch.check()
    # An MPPS has its class from the network's command, so that a stored one may say it outside the object alone.
    row = _row(_Header(dataset), str(meta.get("MediaStorageSOPClassUID", "") or ""), edge, zone)
    row["sop_instance_uid"] = row["sop_instance_uid"] or str(meta.get("MediaStorageSOPInstanceUID", "")) or None
    native = 0 <= watch.pixel_length != UNDEFINED
    row |= {"transfer_syntax_uid": syntax or None, "has_pixel_data": watch.pixel_length >= 0, "size_bytes": size,
            "pixel_data_length": watch.pixel_length if native else None}
    return ("read" if row["sop_instance_uid"] else "unreadable"), row


_REASONS: dict[str, str] = {
    "empty": "The file holds no bytes; fetch it again from where it came.",
    "not_dicom": "The file is not DICOM; move it out of the archive's folder if it does not belong there.",
    "truncated": "The file ends before its own lengths say it should; fetch it again from where it came.",
    "unreadable": "The file has no SOP Instance UID, or is too damaged to read; fetch it again from where it came.",
}


def read_header(path: str, name: str, edge: PatientEdge, zone: str) -> HeaderRow:
    """Read one file's header; whatever the file holds, a row comes back.

    Parameters
    ----------
    path : str
        The file.
    name : str
        Its path as the warehouse has it.
    edge : PatientEdge
    zone : str
        IANA zone of times whose object has no TimezoneOffsetFromUTC.
    """
    size = modified = 0
    try:
        with Path(path).open("rb") as file:
            about = os.fstat(file.fileno())
            size, modified = about.st_size, about.st_mtime_ns
            status, values = _status_of(lambda: _read_open(file, size, edge, zone), file, size)
    except OSError as error:
        return HeaderRow(name, size, modified, "unreadable",
                         reason=f"The file cannot be read ({error.strerror}); check its permissions and the disk.")
    uid = values.get("sop_instance_uid") or ""
    return HeaderRow(name, size, modified, status, values if status == "read" else {}, uid, _REASONS.get(status, ""))


def _status_of(read: Callable[[], tuple[str, dict[str, Any]]], file: BinaryIO, size: int) -> tuple[str, dict[str, Any]]:
    if size == 0:
        return "empty", {}
    if not looks_like_dicom(file):
        return "not_dicom", {}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return read()
    except (Truncated, EOFError, zlib.error):
        return "truncated", {}
    except OSError:
        raise
    except Exception:  # a damaged file can break a parser anywhere; it is counted and named, and the load goes on
        return "unreadable", {}
