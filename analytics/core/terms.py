"""DICOM's defined terms as pacsmeter uses them: modalities, transfer syntaxes, classes, priorities.

Sources: DICOM PS3.3 2024e C.7.3.1.1.1 (modality), PS3.6 A (UIDs), PS3.5 A (transfer syntaxes);
HL7 v2.5.1 tables 0004 (patient class) and 0485 (priority).
"""

from __future__ import annotations

from dataclasses import dataclass

MODALITIES: dict[str, str] = {
    "CR": "Computed radiography", "DX": "Digital radiography", "CT": "Computed tomography",
    "MR": "Magnetic resonance", "US": "Ultrasound", "MG": "Mammography", "XA": "X-ray angiography",
    "RF": "Radiofluoroscopy", "NM": "Nuclear medicine", "PT": "Positron emission tomography",
    "OT": "Other", "SC": "Secondary capture", "ES": "Endoscopy", "XC": "External camera",
    "IO": "Intra-oral radiography", "PX": "Panoramic X-ray", "BMD": "Bone densitometry",
    "SR": "Structured report", "KO": "Key object selection", "PR": "Presentation state",
    "RTIMAGE": "RT image", "RTPLAN": "RT plan", "RTDOSE": "RT dose", "RTSTRUCT": "RT structure set",
    "SEG": "Segmentation", "DOC": "Encapsulated document", "ECG": "Electrocardiography",
}
"""Code to name. Modalities outside this table are kept as they are and named by their code."""

NOT_ACQUIRED = frozenset({"SR", "KO", "PR", "SEG", "DOC", "REG", "FID", "RWV", "AU", "PLAN"})
"""Modalities of objects made about images; they never decide a study's modality."""

MPPS_SOP_CLASS = "1.2.840.10008.3.1.2.3.3"
"""A Modality Performed Procedure Step. Kept as a file it is no object of a study: it has no series, and its study and
accession number are those of the steps that were scheduled (PS3.4 2024e F.7)."""

REPORT_SOP_CLASSES = frozenset(f"1.2.840.10008.5.1.4.1.1.88.{end}" for end in ("11", "22", "33", "34", "35"))
"""Documents in which a reading is reported: Basic Text, Enhanced, Comprehensive, Comprehensive 3D, Extensible SR.
Dose reports, CAD results, key objects and procedure logs are structured too, and report no reading (PS3.6 2024e A)."""

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
"""In the order of ISO 8601."""

PATIENT_CLASSES: dict[str, str] = {
    "I": "Inpatient", "O": "Outpatient", "E": "Emergency", "P": "Preadmit", "R": "Recurring",
}
PRIORITIES: dict[str, str] = {"S": "Stat", "A": "As soon as possible", "R": "Routine"}
SOURCE_KINDS: dict[str, str] = {
    "dicom_folder": "DICOM folder", "index_export": "Index export", "ris_events": "RIS export",
    "orthanc": "Orthanc's database", "orthanc_rest": "Orthanc by REST", "dcm4chee": "dcm4chee's database",
    "dicomweb": "DICOMweb", "cfind": "C-FIND", "hl7": "HL7 v2 messages", "fhir": "FHIR export",
    "sole": "SOLE event reports",
}
"""Kinds of sources, as they are shown."""
PAIRED_BODY_PARTS = frozenset({
    "BREAST", "KNEE", "HAND", "FOOT", "SHOULDER", "ELBOW", "WRIST", "ANKLE", "HIP", "FOREARM",
    "HUMERUS", "FEMUR", "CALCANEUS", "CLAVICLE", "THUMB", "FINGER", "TOE", "EYE", "KIDNEY",
})
"""Body parts that come in pairs: an image of one carries laterality (PS3.16 annex L)."""


@dataclass(frozen=True)
class TransferSyntax:
    """How an object's pixels are encoded: its name, whether compressed, whether lossy."""

    uid: str
    name: str
    compressed: bool
    lossy: bool


_TS = "1.2.840.10008.1.2"
TRANSFER_SYNTAXES: dict[str, TransferSyntax] = {
    syntax.uid: syntax
    for syntax in (
        TransferSyntax(_TS, "Implicit VR Little Endian", False, False),
        TransferSyntax(f"{_TS}.1", "Explicit VR Little Endian", False, False),
        TransferSyntax(f"{_TS}.1.99", "Deflated Explicit VR Little Endian", True, False),
        TransferSyntax(f"{_TS}.2", "Explicit VR Big Endian", False, False),
        TransferSyntax(f"{_TS}.4.50", "JPEG Baseline (lossy)", True, True),
        TransferSyntax(f"{_TS}.4.51", "JPEG Extended (lossy)", True, True),
        TransferSyntax(f"{_TS}.4.57", "JPEG Lossless", True, False),
        TransferSyntax(f"{_TS}.4.70", "JPEG Lossless SV1", True, False),
        TransferSyntax(f"{_TS}.4.80", "JPEG-LS Lossless", True, False),
        TransferSyntax(f"{_TS}.4.81", "JPEG-LS Near-lossless", True, True),
        TransferSyntax(f"{_TS}.4.90", "JPEG 2000 Lossless", True, False),
        TransferSyntax(f"{_TS}.4.91", "JPEG 2000", True, True),
        TransferSyntax(f"{_TS}.4.100", "MPEG2 Main Profile", True, True),
        TransferSyntax(f"{_TS}.4.102", "MPEG-4 AVC/H.264 High Profile", True, True),
        TransferSyntax(f"{_TS}.4.201", "HTJ2K Lossless", True, False),
        TransferSyntax(f"{_TS}.5", "RLE Lossless", True, False),
    )
}
