"""HL7 v2's coded values as the warehouse has them: character sets, patient class, priority, service section.

Source: HL7 v2.5.1 chapter 2.A and appendix A, by the number of the table; table 0211 as of v2.9.
"""

from __future__ import annotations

import re

from analytics.core.terms import MODALITIES, PATIENT_CLASSES

_JAPANESE = frozenset({"ISO IR14", "ISO IR87", "ISO IR159"})
_CODECS = {
    "ASCII": "ascii", "ISO IR6": "ascii", "UNICODE UTF-8": "utf-8", "UTF-8": "utf-8", "UTF8": "utf-8",
    "GB 18030-2000": "gb18030", "KS X 1001": "euc_kr", "BIG-5": "big5",
    **{f"8859/{part}": f"iso8859-{part}" for part in (*range(1, 12), *range(13, 17))}}

_PRIORITIES = {
    "S": "S", "STAT": "S",
    "A": "A", "ASAP": "A", "P": "A", "C": "A",
    "R": "R", "ROUTINE": "R", "T": "R", "PRN": "R"}

_SECTIONS = {"CT": "CT", "NMR": "MR", "NMS": "NM", "RUS": "US", "OUS": "US", "VUS": "US", "CUS": "US"}

OTHER_SERVICES = frozenset({
    "BG", "BLB", "CG", "CH", "EN", "GE", "HM", "ICU", "IMM", "LAB", "MB", "MCB", "MYC", "NRS", "OSL", "PAR", "PAT",
    "PF", "PHR", "PHY", "RC", "SP", "TX", "URN", "VR"})
"""Diagnostic Service Section ID (OBR-24, table 0074): sections that make no images. Codes that are a DICOM modality
as well (CP, OT, PT, SR) are not here: the IHE radiology framework puts the modality into OBR-24."""


def codec_of(character_sets: list[str]) -> str:
    """Return the Python codec of MSH-18; nothing where it is not known.

    Parameters
    ----------
    character_sets : list of str
        Repetitions of MSH-18, table 0211. None, or an empty first one, is ASCII (2.14.9.18).
    """
    stated = [re.sub(r"^ISO[_ -]?IR[_ ]?", "ISO IR", re.sub(r"^ISO[_ -]?8859[-/]", "8859/", one.strip().upper()))
              for one in character_sets]
    if _JAPANESE & set(stated):
        return "iso2022_jp_2"
    first = next(iter(stated), "")
    return _CODECS.get("8859/1" if first == "ISO IR100" else first or "ASCII", "")


def patient_class(code: str) -> str | None:
    """Return PV1-2 (table 0004): E, I, O, and P (preadmit) and R (recurring), which the warehouse names as well.

    B (obstetrics), C (commercial account), N (not applicable) and U (unknown) say nothing of where the patient lies,
    and stay empty.
    """
    return code.upper() if code.upper() in PATIENT_CLASSES else None


def priority(code: str) -> str | None:
    """Return a priority (table 0485) as S (stat), A (as soon as possible) or R (routine).

    Preoperative (P) and callback (C) count as A; timing critical (T) and as needed (PRN) say when, not how soon, and
    count as R. This is how the IHE radiology framework turns them into Requested Procedure Priority (0040,1003):
    STAT, HIGH, ROUTINE, with T as MEDIUM.
    """
    return _PRIORITIES.get(code.upper())


def modality(code: str) -> str | None:
    """Return the DICOM modality that OBR-24 or IPC-5 states: as such, or as a section of table 0074.

    RX (radiograph) may be CR or DX, RAD (radiology) anything, SR is serology: these stay empty.
    """
    code = code.upper()
    return _SECTIONS.get(code, code if code in MODALITIES and code != "SR" else None)
