"""Where a fault that nobody foresaw is written down, so that it can be reported without a patient's data."""

from __future__ import annotations

import contextlib
import logging
import sys
import tempfile
import threading
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


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


@contextlib.contextmanager
def places_alone(folder: Path) -> Iterator[None]:
    """Let no fault say its words on the terminal by itself: one in a thread or a destructor, or a library's log line.

    Parameters
    ----------
    folder : Path
        Folder of the log, which gets the place of each fault.
    """
    before = threading.excepthook, sys.unraisablehook, logging.lastResort

    def note(about: Any) -> None:
        if about.exc_value is not None:
            log_unforeseen(about.exc_value, folder)

    threading.excepthook, sys.unraisablehook, logging.lastResort = note, note, logging.NullHandler()
    try:
        yield
    finally:
        threading.excepthook, sys.unraisablehook, logging.lastResort = before
