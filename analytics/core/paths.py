"""Paths as the warehouse has them: relative to their source, and masked where they name a patient.

A component of a path (a folder's or a file's name) that names a patient is stored as ``~`` and the beginning of
its pseudonym; with the site's key the file can still be opened.
"""

from __future__ import annotations

import functools
import os
from pathlib import Path

from analytics.core.errors import PacsmeterError
from analytics.core.pseudonym import Pseudonymizer

MASK = "~"
_HEX_DIGITS = 12
_EXTENSIONS = frozenset({
    ".dcm", ".dicom", ".dic", ".ima", ".img", ".acr", ".gz", ".zip", ".bz2", ".tar", ".txt", ".csv", ".xml", ".json",
    ".pdf", ".doc", ".docx", ".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", ".nii", ".bak", ".old", ".tmp", ".part"})
"""Extensions that stay readable; any other may be a part of the name, as in ``DOE.JANE``."""
_FOLDERS_REMEMBERED = 256


def shown(path: str) -> str:
    """Return a path as text that every database takes, whatever bytes the file system has in it."""
    return os.fsencode(path).decode("utf-8", "backslashreplace").replace("\x00", "")


def extension(name: str) -> str:
    """Return the extension of a file's name where it is one that stays readable, else nothing."""
    suffix = Path(name).suffix
    return suffix if suffix.lower() in _EXTENSIONS else ""


def masked(component: str, pseudonymizer: Pseudonymizer, *, is_file: bool) -> str:
    """Return what is stored for a component that names a patient: ``~1f2e3d4c5b6a``, with a file's extension.

    Parameters
    ----------
    component : str
        Name of a folder or file, as `shown` writes it. Case counts: two folders may differ in nothing else.
    pseudonymizer : Pseudonymizer
    is_file : bool
    """
    key = pseudonymizer.key("path", component.encode().hex()) or ""
    return f"{MASK}{key[:_HEX_DIGITS]}{extension(component) if is_file else ''}"


def resolve_path(root: Path, stored_path: str, pseudonymizer: Pseudonymizer) -> Path:
    """Return the file that a path in the warehouse stands for.

    Parameters
    ----------
    root : Path
        Location of the source.
    stored_path : str
        Path relative to it, as it is stored. Masked components are found by listing their folder.
    pseudonymizer : Pseudonymizer
        With the key of the load that stored the path.

    Raises
    ------
    PacsmeterError
        A masked component is not there any more, or the path or a link in it leads out of the folder.
    """
    *folders, name = stored_path.split("/")
    if not name or any(part in ("", ".", "..") for part in (*folders, name)):
        raise PacsmeterError("The path does not lie within its source", "Load the folder again.")
    here = root
    for part in folders:
        here /= _found(here, part, pseudonymizer, is_file=False)
    here /= _found(here, name, pseudonymizer, is_file=True)
    if not here.resolve().is_relative_to(root.resolve()):
        raise PacsmeterError("A link leads out of the folder that was loaded",
                             "Load the folder that it leads to as a source of its own.")
    return here


def _found(folder: Path, part: str, pseudonymizer: Pseudonymizer, *, is_file: bool) -> str:
    """Return the name that a component has on disk."""
    if not part.startswith(MASK) and "\\" not in part:
        return part
    try:
        names = _names(str(folder), folder.stat().st_mtime_ns, pseudonymizer, is_file)
    except OSError as error:
        raise PacsmeterError("The file's folder is not there or cannot be listed",
                             "Check that it is mounted, or load the folder again.") from error
    if part in names:
        return names[part]
    raise PacsmeterError("The file is not there any more, or the pseudonym key is another than when it was loaded",
                         "Load the folder again.") from FileNotFoundError()


@functools.lru_cache(_FOLDERS_REMEMBERED)
def _names(folder: str, modified_ns: int, pseudonymizer: Pseudonymizer, is_file: bool) -> dict[str, str]:
    """List a folder once in each of its states: what may be stored for a name, and the name itself."""
    names = sorted(entry.name for entry in Path(folder).iterdir())
    as_text = {name: shown(name) for name in names}
    return {masked(text, pseudonymizer, is_file=is_file): name for name, text in as_text.items()} | {
        text: name for name, text in as_text.items()}
