"""Snapshots as DuckDB files in a folder: ``catalog.json`` names the one that readers open.

DuckDB lets one process write a file and shuts the others out, so a load never writes the file that the app
reads: it writes a draft, which becomes the next snapshot when the catalog is replaced (one atomic rename).
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path

import duckdb

from analytics.core.database_url import parse_url
from analytics.core.errors import PacsmeterError
from analytics.core.settings import Settings
from analytics.warehouse.engine import DuckSession
from analytics.warehouse.schema import metadata
from analytics.warehouse.store import Draft, Snapshot, Store, Warehouse, now_utc


class DuckStore(Store):
    """A folder of snapshots."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.folder = Path(parse_url(settings.warehouse, "PACSMETER_WAREHOUSE_URL").database or "warehouse")
        self._memory_limit = settings.memory_limit
        self._catalog = self.folder / "catalog.json"

    def _read_catalog(self) -> tuple[int, list[Snapshot]]:
        if not self._catalog.exists():
            return 0, []
        try:
            held = json.loads(self._catalog.read_text())
            kept = [
                Snapshot(**{**item, "published_at": datetime.fromisoformat(item["published_at"])})
                for item in held["snapshots"]
            ]
            return int(held["current"]), kept
        except (ValueError, KeyError, TypeError) as error:
            raise PacsmeterError(
                "The warehouse's catalog cannot be read",
                "Restore it from a backup, or remove the warehouse folder and load again.", str(self._catalog),
            ) from error

    def _write_catalog(self, current: int, kept: list[Snapshot]) -> None:
        rows = [{**asdict(item), "published_at": item.published_at.isoformat()} for item in kept]
        fresh = self._catalog.with_suffix(".new")
        with fresh.open("w") as file:
            json.dump({"current": current, "snapshots": rows}, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._catalog)

    def _file(self, revision: int) -> Path:
        return self.folder / f"snapshot-{revision:06d}.duckdb"

    def snapshots(self) -> list[Snapshot]:
        return sorted(self._read_catalog()[1], key=lambda item: -item.revision)

    def current_revision(self) -> int:
        return self._read_catalog()[0]

    def _open(self, revision: int) -> Warehouse:
        try:
            session = DuckSession(self._file(revision), read_only=True, memory_limit=self._memory_limit)
        except duckdb.Error as error:
            raise PacsmeterError(
                f"Snapshot {revision} cannot be opened ({type(error).__name__})",
                "Go back one with `pacsmeter warehouse rollback`, or load again.", str(self._file(revision)),
            ) from error
        return Warehouse(session, revision)

    def _point_to(self, revision: int) -> None:
        with self._writing():
            now, kept = self._read_catalog()
            marked = [replace(item, rolled_back=True) if item.revision == now else item for item in kept]
            self._write_catalog(revision, marked)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "writing.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise PacsmeterError(
                    "Another load is writing this warehouse", "Wait until it ends, then try again.", str(self.folder),
                ) from None
            yield

    @contextlib.contextmanager
    def draft(self, note: str = "") -> Iterator[Draft]:
        with self._writing():
            base, kept = self._read_catalog()
            revision = max([base, *(item.revision for item in kept)]) + 1
            path = self._draft_file(base)
            session = DuckSession(path, read_only=False, memory_limit=self._memory_limit)
            try:
                session.fit(metadata.sorted_tables)
                yield Draft(session, revision)
                session.checkpoint()
            finally:
                session.close()
            path.replace(self._file(revision))
            self._publish(Snapshot(revision, now_utc(), note), kept)

    def _draft_file(self, base: int) -> Path:
        """Return the draft to write: a cut-off one of the same base to go on from, or a fresh copy."""
        path = self.folder / f"draft-{base:06d}.duckdb"
        known = {self._file(item.revision) for item in self._read_catalog()[1]}
        for old in {*self.folder.glob("draft-*"), *self.folder.glob("snapshot-*"), *self.folder.glob("copying-*")}:
            if old not in known and not old.name.startswith(path.name):
                _remove(old)
        if not path.exists() and base:
            copy = self.folder / f"copying-{base:06d}.duckdb"
            shutil.copyfile(self._file(base), copy)
            copy.replace(path)
        elif path.exists() and not _opens(path):
            for part in self.folder.glob(f"{path.name}*"):
                _remove(part)
            return self._draft_file(base)
        return path

    def _publish(self, snapshot: Snapshot, kept: list[Snapshot]) -> None:
        newest = sorted([*kept, snapshot], key=lambda item: item.revision)
        self._write_catalog(snapshot.revision, newest[-self.keep:])
        for old in newest[: -self.keep]:
            self._file(old.revision).unlink(missing_ok=True)


def _remove(path: Path) -> None:
    """Remove what a load left behind; one that was killed while it spilled to disk leaves a folder."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def _opens(path: Path) -> bool:
    try:
        duckdb.connect(str(path)).close()
    except duckdb.Error:
        return False
    return True
