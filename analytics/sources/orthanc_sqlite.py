"""Orthanc's SQLite index: always read from a copy, since Orthanc locks it while it runs."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa

from analytics.core.errors import PacsmeterError

ATTEMPTS = 6
_WAIT_SECONDS = 0.5
_MAGIC = b"SQLite format 3\x00"


def index_file(named: str) -> Path:
    """Return the index that ``orthanc+sqlite:///path/index`` names; a folder means the ``index`` in it."""
    written = named.split("://", 1)[1]
    path = Path("/" + written.lstrip("/"))
    if not path.exists() and Path(written.lstrip("/")).exists():
        path = Path(written.lstrip("/")).resolve()
    path = path / "index" if path.is_dir() else path
    if not path.is_file():
        raise PacsmeterError("Orthanc's index is not there", "It is the file `index` in Orthanc's IndexDirectory.",
                             str(path))
    try:
        with path.open("rb") as file:
            magic = file.read(len(_MAGIC))
    except OSError as error:
        raise PacsmeterError(f"Orthanc's index cannot be read ({error.strerror})", "Check its permissions.", str(path)
                             ) from None
    if magic != _MAGIC:
        raise PacsmeterError("This file is not an SQLite index", "Name the file `index` in Orthanc's IndexDirectory.",
                             str(path))
    return path


@contextlib.contextmanager
def sqlite_index(path: Path) -> Iterator[sa.Connection]:
    """Open a copy of an index, with the write-ahead log beside it; the original is never opened as a database.

    A copy that is taken while Orthanc writes can be torn: one that changed meanwhile, or that SQLite's own
    integrity check refuses, is taken again.

    Raises
    ------
    PacsmeterError
        No whole copy could be taken.
    """
    with tempfile.TemporaryDirectory(prefix="pacsmeter-orthanc-") as folder:
        copy = Path(folder) / "index"
        for attempt in range(ATTEMPTS):
            if attempt:
                time.sleep(_WAIT_SECONDS * attempt)
            if _copied_whole(path, copy):
                break
        else:
            raise PacsmeterError(
                f"Orthanc writes its index now, and none of {ATTEMPTS} copies of it was whole",
                "Try again when it is quiet, or stop Orthanc for the load.", str(path))
        engine = sa.create_engine(f"sqlite:///{copy}")
        try:
            with engine.connect() as connection:
                yield connection
        finally:
            engine.dispose()


def _state(path: Path) -> list[tuple[int, int]]:
    logs = (path, path.with_name(path.name + "-wal"))
    return [(about.st_size, about.st_mtime_ns) for file in logs if file.exists() for about in (file.stat(),)]


def _copied_whole(path: Path, copy: Path) -> bool:
    for old in copy.parent.iterdir():
        old.unlink()
    before = _state(path)
    try:
        shutil.copyfile(path, copy)
        with contextlib.suppress(FileNotFoundError):  # without a log, everything is in the index
            shutil.copyfile(path.with_name(path.name + "-wal"), copy.with_name("index-wal"))
    except OSError as error:
        raise PacsmeterError(f"Orthanc's index cannot be copied ({error.strerror})",
                             "Check that it can be read and that the temporary folder has room.", str(path)) from None
    return _state(path) == before and _is_sound(copy)


def _is_sound(copy: Path) -> bool:
    with contextlib.closing(sqlite3.connect(copy)) as connection:
        try:
            return bool(connection.execute("PRAGMA integrity_check").fetchone() == ("ok",))
        except sqlite3.DatabaseError:
            return False
