"""Where a fault that nobody foresaw is written down, so that it can be reported without a patient's data."""

from __future__ import annotations

import tempfile
import traceback
from datetime import UTC, datetime
from pathlib import Path


def log_unforeseen(error: BaseException, folder: Path, reference: str = "") -> Path:
    """Write what kind of error happened and where in the code, without its message: that could quote a record.

    Parameters
    ----------
    error : BaseException
    folder : Path
        Folder of the log; a temporary one where it cannot be made.
    reference : str, optional
        What the user was shown to find it by.

    Returns
    -------
    Path
        The file written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:  # the home itself may be what is wrong
        folder = Path(tempfile.mkdtemp(prefix="pacsmeter-"))
    path = folder / "errors.log"
    frames = "".join(traceback.format_tb(error.__traceback__))
    with path.open("a", encoding="utf-8") as log:
        log.write(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC {type(error).__name__} {reference}\n{frames}\n")
    return path
