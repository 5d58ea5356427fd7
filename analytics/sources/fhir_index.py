"""Where references lead: a table on disk for the time of one load, because an export's patients do not fit in memory.

It holds pseudonyms, accession numbers and a patient's class, under keys that only this load can make.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import sqlite3
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

_AT_ONCE = 10_000
_CACHE_KIB = 32_000


class ReferenceIndex:
    """What other resources need of the resources they refer to; used in a ``with`` statement, and gone after it."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="pacsmeter-"))
        self._secret = secrets.token_bytes(32)
        self._waiting: dict[bytes, tuple[str, bool, str]] = {}
        self._is_fresh = self._has_earlier = self._has_taken_back = self._changed = False
        path = self._folder / "references.sqlite"
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        self._database = sqlite3.connect(path, isolation_level=None)
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "temp_store=MEMORY", f"cache_size=-{_CACHE_KIB}"):
            self._database.execute(f"PRAGMA {pragma}")
        self._database.execute("CREATE TABLE target (key BLOB PRIMARY KEY, updated TEXT NOT NULL, taken_back INTEGER "
                               "NOT NULL, said TEXT NOT NULL) WITHOUT ROWID")

    def __enter__(self) -> ReferenceIndex:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._database.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def key(self, reference: str) -> bytes:
        """Return what stands for a reference: the id of a resource may be a patient's."""
        return hashlib.blake2b(reference.encode("utf-8", "surrogatepass"), key=self._secret, digest_size=16).digest()

    def add(self, reference: str, said: Any, *, updated: str = "", taken_back: bool = False,
            is_fresh: bool = False) -> None:
        """Take in what a resource says; of two versions the later, by meta.lastUpdated, else the one read last.

        Parameters
        ----------
        reference : str
        said : JSON value
            What those who refer to it need; nothing that names a patient.
        updated : str
            meta.lastUpdated as it is written.
        taken_back : bool
            Whether it was entered in error.
        is_fresh : bool
            Whether the file is new or changed since the last load; those that are not come first.
        """
        if is_fresh != self._is_fresh:
            self._flush()
            self._is_fresh = is_fresh
        self._has_earlier |= not is_fresh
        self._has_taken_back |= taken_back
        key, row = self.key(reference), (_instant(updated), taken_back, json.dumps(said, separators=(",", ":")))
        if key not in self._waiting or row[0] >= self._waiting[key][0]:
            self._waiting[key] = row
        if len(self._waiting) >= _AT_ONCE:
            self._flush()

    def _flush(self) -> None:
        if not self._waiting:
            return
        if self._is_fresh and self._has_earlier and not self._changed:
            self._changed = any(self._differs(key, row) for key, row in self._waiting.items())
        self._database.execute("BEGIN")
        self._database.executemany(
            "INSERT INTO target VALUES (?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET updated = excluded.updated, "
            "taken_back = excluded.taken_back, said = excluded.said WHERE excluded.updated >= target.updated",
            [(key, *row) for key, row in self._waiting.items()])
        self._database.execute("COMMIT")
        self._waiting.clear()

    def _differs(self, key: bytes, row: tuple[str, bool, str]) -> bool:
        before = self._database.execute("SELECT taken_back, said FROM target WHERE key = ?", (key,)).fetchone()
        return before is not None and (bool(before[0]), before[1]) != row[1:]

    def changed(self) -> bool:
        """Whether a new file says something else of a resource than a file that was read before."""
        self._flush()
        return self._changed

    def said(self, key: bytes) -> Any:
        """Return what a resource says, by its `key`; nothing where it is not in the export."""
        self._flush()
        row = self._database.execute("SELECT said FROM target WHERE key = ?", (key,)).fetchone()
        return json.loads(row[0]) if row else None

    def is_taken_back(self, reference: str, updated: str) -> bool:
        """Whether a version of a resource was taken back by one that is as late, or later."""
        if not self._has_taken_back:
            return False
        self._flush()
        row = self._database.execute(
            "SELECT updated FROM target WHERE key = ? AND taken_back", (self.key(reference),)).fetchone()
        return bool(row) and row[0] >= _instant(updated)

    def is_replaced(self, reference: str, updated: str) -> bool:
        """Whether the export has a later version of a resource, where both say when they were last updated."""
        self._flush()
        row = self._database.execute("SELECT updated FROM target WHERE key = ?", (self.key(reference),)).fetchone()
        return bool(row) and bool(_instant(updated)) and row[0] > _instant(updated)


def _instant(text: str) -> str:
    """Return meta.lastUpdated so that later ones sort later; nothing where it says no instant."""
    try:
        at = datetime.fromisoformat(text)
        return at.astimezone(UTC).isoformat(timespec="microseconds") if at.tzinfo else ""
    except (ValueError, OverflowError):
        return ""
