"""Terms of the standard that checks compare with."""

from __future__ import annotations

from pydicom.uid import UID_dictionary

MODALITY_TERMS: tuple[str, ...] = (
    "ANN", "AR", "ASMT", "AU", "BDUS", "BI", "BMD", "CFM", "CR", "CT", "CTPROTOCOL", "DG", "DMS", "DOC", "DX",
    "ECG", "EEG", "EMG", "EOG", "EPS", "ES", "FID", "GM", "HC", "HD", "IO", "IOL", "IVOCT", "IVUS", "KER", "KO",
    "LEN", "LS", "M3D", "MG", "MR", "NM", "OAM", "OCT", "OP", "OPM", "OPT", "OPTBSV", "OPTENF", "OPV", "OSS",
    "OT", "PA", "PLAN", "POS", "PR", "PT", "PX", "REG", "RESP", "RF", "RG", "RTDOSE", "RTIMAGE", "RTINTENT",
    "RTPLAN", "RTRAD", "RTRECORD", "RTSEGANN", "RTSTRUCT", "RWV", "SEG", "SM", "SMR", "SR", "SRF", "STAIN",
    "TEXTUREMAP", "TG", "US", "VA", "XA", "XAPROTOCOL", "XC",
)
"""Defined terms of Modality (0008,0060), DICOM PS3.3 2024e C.7.3.1.1.1, retired ones left out."""

TRANSFER_SYNTAX_UIDS: tuple[str, ...] = tuple(
    sorted(uid for uid, entry in UID_dictionary.items() if entry[1] == "Transfer Syntax"))
"""Transfer syntaxes of DICOM PS3.6 annex A, retired ones included, from pydicom's copy of the registry."""

ALWAYS_LOSSY_UIDS: tuple[str, ...] = tuple(
    uid for uid in TRANSFER_SYNTAX_UIDS
    if uid in ("1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51")
    or UID_dictionary[uid][0].startswith(("MPEG", "Fragmentable MPEG", "HEVC")))
"""Transfer syntaxes whose every image has lost something: JPEG baseline and extended, MPEG, HEVC. JPEG-LS
near-lossless (.81) and JPEG 2000 (.91) may hold an image that lost nothing."""
