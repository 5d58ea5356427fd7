"""What is examined: procedures by modality, their body part (PS3.16 annex L terms) and their series."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Procedure:
    """A procedure as the RIS lists it.

    Attributes
    ----------
    code, name : as ordered; for paired anatomy the side follows the name.
    body_part : BodyPartExamined; only where the name says one part, a wrong one can be told from it.
    paired : anatomy that comes in pairs.
    single_part : whether the name speaks of exactly one body part.
    """

    modality: str
    code: str
    name: str
    body_part: str
    weight: float
    paired: bool = False
    single_part: bool = True


_XRAY = (
    ("CHES", "Chest", "CHEST", 40, False), ("ABDO", "Abdomen", "ABDOMEN", 7, False),
    ("PELV", "Pelvis", "PELVIS", 6, False), ("KNEE", "Knee", "KNEE", 12, True), ("HAND", "Hand", "HAND", 8, True),
    ("WRIS", "Wrist", "WRIST", 6, True), ("ANKL", "Ankle", "ANKLE", 7, True), ("FOOT", "Foot", "FOOT", 6, True),
    ("SHOU", "Shoulder", "SHOULDER", 8, True),
)
PROCEDURES: tuple[Procedure, ...] = (
    *(Procedure(modality, f"X{code}", f"XR {name}", part, weight, paired)
      for modality in ("DX", "CR") for code, name, part, weight, paired in _XRAY),
    Procedure("CT", "CHEAD", "CT Head", "HEAD", 34),
    Procedure("CT", "CCHES", "CT Chest", "CHEST", 20),
    Procedure("CT", "CABDO", "CT Abdomen", "ABDOMEN", 16),
    Procedure("CT", "CCABP", "CT Chest abdomen pelvis", "CHEST", 22, single_part=False),
    Procedure("CT", "CNECK", "CT Neck", "NECK", 8),
    Procedure("MR", "MBRAI", "MR Brain", "BRAIN", 36),
    Procedure("MR", "MLSPI", "MR Lumbar spine", "LSPINE", 26),
    Procedure("MR", "MCSPI", "MR Cervical spine", "CSPINE", 10),
    Procedure("MR", "MKNEE", "MR Knee", "KNEE", 16, paired=True),
    Procedure("MR", "MPELV", "MR Pelvis", "PELVIS", 12),
    Procedure("US", "UABDO", "US Abdomen", "ABDOMEN", 40),
    Procedure("US", "UPELV", "US Pelvis", "PELVIS", 28),
    Procedure("US", "UTHYR", "US Thyroid", "THYROID", 12),
    Procedure("US", "UNECK", "US Neck", "NECK", 20),
    Procedure("MG", "MSCRE", "MG Screening mammography", "BREAST", 70),
    Procedure("MG", "MDIAG", "MG Diagnostic mammography", "BREAST", 30),
    Procedure("RF", "FSWAL", "RF Barium swallow", "ESOPHAGUS", 60),
    Procedure("RF", "FENEM", "RF Colon enema", "COLON", 40),
    Procedure("XA", "ACORO", "XA Coronary angiography", "HEART", 70),
    Procedure("XA", "APELV", "XA Pelvis angiography", "PELVIS", 30),
    Procedure("NM", "NBONE", "NM Bone scan whole body", "WHOLEBODY", 60),
    Procedure("NM", "NTHYR", "NM Thyroid", "THYROID", 40),
)
SCREENING = frozenset({"MSCRE"})
SIDES = ("", "left", "right")
LATERALITY = (None, "L", "R")

MAX_SERIES = 24
"""Series beyond this are not made."""
_SERIES = {
    "DX": ("AP", "lateral", "oblique", "axial"),
    "CR": ("AP", "lateral", "oblique", "axial"),
    "CT": ("scout", "axial 5.0", "axial 1.25", "coronal 3.0", "sagittal 3.0", "axial sharp 1.25"),
    "MR": ("localizer", "T1 sagittal", "T2 sagittal", "T2 axial", "STIR coronal", "PD axial", "T1 axial contrast"),
    "US": ("stills", "clips"),
    "MG": ("R CC", "L CC", "R MLO", "L MLO"),
    "RF": ("spot", "series"),
    "XA": ("run",),
    "NM": ("static", "dynamic"),
}
_VIEWS = {"XCHES": ("PA", "lateral", "AP", "oblique")}
MG_VIEWS = 4
DOSE_REPORT = "Dose report"


def series_name(procedure: Procedure, position: int, *, repeat: bool = False) -> str:
    """Return the description of a procedure's series by its position from 0; they go round where there are more."""
    names = _VIEWS.get(procedure.code, _SERIES[procedure.modality])
    again, which = divmod(position, len(names))
    words = [names[which]] + ([str(again + 1)] if again else []) + (["repeat"] if repeat else [])
    return " ".join(words)
