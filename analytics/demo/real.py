"""Real images: the ones that ship inside the installed pydicom package, nothing fetched."""

from __future__ import annotations

import shutil
from pathlib import Path

import pydicom
from pydicom.errors import InvalidDicomError

_USUAL = frozenset({"CT", "MR", "US", "CR", "DX", "MG", "XA", "RF", "NM", "PT"})
_LARGEST = 2_000_000


def copy_pydicom_samples(out: Path) -> list[Path]:
    """Copy the installed pydicom's own test images that are images in ordinary use, of at most 2 MB.

    Parameters
    ----------
    out : Path
        Folder for the copies; made if it is not there.

    Returns
    -------
    list of Path
        The copies. They keep their names; some are odd on purpose (truncated, padded, big endian).
    """
    shipped = Path(pydicom.__file__).parent / "data" / "test_files"
    out.mkdir(parents=True, exist_ok=True)
    return [Path(shutil.copyfile(path, out / path.name)) for path in sorted(shipped.glob("*.dcm")) if _is_usual(path)]


def _is_usual(path: Path) -> bool:
    if not 0 < path.stat().st_size <= _LARGEST:
        return False
    try:
        header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=["Modality", "Rows"])
    except InvalidDicomError:
        return False
    return header.get("Modality") in _USUAL and "Rows" in header
