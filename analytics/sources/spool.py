"""A folder that received messages are written to, a file a day, each on disk before the writer goes on."""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from analytics.core.errors import PacsmeterError
from analytics.sources.hl7_files import END_BLOCK, START_BLOCK


class Spool:
    """A folder of received messages, framed as they came, open to its owner alone.

    Parameters
    ----------
    folder : Path
        Made where it is not there.

    Raises
    ------
    PacsmeterError
        Others can read the folder, it cannot be used, or another process receives into it.
    """

    def __init__(self, folder: Path) -> None:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            raise PacsmeterError(f"The folder cannot be used ({error.strerror})", "Name another folder.",
                                 str(folder)) from None
        self._folder = folder
        if stat.S_IMODE(os.fstat(self._handle).st_mode) & 0o077:
            self.close()
            raise PacsmeterError("Others than its owner can look into the folder, and messages name patients",
                                 f"Run: chmod 700 {folder}", str(folder))
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self.close()
            raise PacsmeterError("Another process receives messages into this folder",
                                 "Stop it, or name another folder.", str(folder)) from None

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let others receive into the folder."""
        os.close(self._handle)

    def append(self, messages: list[bytes]) -> None:
        """Write messages to the day's file and wait until they are on disk: all of them, or none.

        Raises
        ------
        OSError
        """
        name = f"received-{datetime.now(UTC):%Y%m%d}.hl7"
        is_new = not (self._folder / name).exists()
        handle = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600, dir_fd=self._handle)
        try:
            before = os.fstat(handle).st_size
            try:
                _write_all(handle, b"".join(START_BLOCK + raw + END_BLOCK + b"\r" for raw in messages))
                os.fsync(handle)
            except OSError:
                with contextlib.suppress(OSError):
                    os.ftruncate(handle, before)
                raise
        finally:
            os.close(handle)
        if is_new:
            os.fsync(self._handle)


def _write_all(handle: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(handle, rest):]
