"""The files of a folder of messages: which are new, which did not change, and what the warehouse calls them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote

import pyarrow as pa
import sqlalchemy as sa

from analytics.core.errors import PacsmeterError
from analytics.core.pseudonym import Pseudonymizer
from analytics.sources.base import Batch, Coverage, Known, Rejected
from analytics.sources.folder_walk import FolderWalk
from analytics.sources.path_identity import NamedFile, identities, names_any
from analytics.sources.path_masks import PathMasks
from analytics.warehouse.engine import table_schema
from analytics.warehouse.schema import files

ROWS_PER_BATCH = 10_000
FILES_PER_BATCH = 2_000
REJECTED_PER_FILE = 1_000
"""More bad records than this in one file are counted together: the file as a whole is wrong."""
UNREADABLE = "unreadable"
"""Reason code of a file that could not be opened, or not to its end."""
PATIENTS_PER_FILE = 100
"""A file of more patients than this is named after none of them."""

Patient = tuple[str, str, str]
"""PatientID, name and birth date (DA), as `analytics.sources.path_identity.identities` takes them."""


@dataclass(frozen=True)
class MessageFile:
    """One file.

    Attributes
    ----------
    name : its path relative to the source, as it is on disk; it may name a patient.
    """

    path: Path
    name: str
    size_bytes: int
    modified_ns: int


class MessageFiles:
    """A folder, or one file, of messages.

    Parameters
    ----------
    start : Path
    suffixes : tuple of str
        How the names of the files end that are read.
    known : Known
        What earlier loads read.
    pseudonymizer : Pseudonymizer
        Stands in the place of names in paths.
    reading : str
        Which way of reading it is: with another, files with bad records are tried again.

    Attributes
    ----------
    fresh : files that are new or changed.
    unchanged : files that are as an earlier load read them.
    others : files that are no messages, by their name.
    """

    def __init__(self, start: Path, suffixes: tuple[str, ...], known: Known, pseudonymizer: Pseudonymizer,
                 reading: str) -> None:
        if not start.exists():
            raise PacsmeterError("The folder is not there", "Check its name, and that it is mounted.", str(start))
        self._known, self._marks, self._reading = known.files, known.marks, reading
        base = start if start.is_dir() else start.parent
        self._walk = FolderWalk(start, base)
        self._masks = PathMasks(known.files, pseudonymizer)
        self.fresh: list[MessageFile] = []
        self.unchanged: list[MessageFile] = []
        self.others = 0
        for (path, name), size, modified in self._walk.files():
            if not name.lower().endswith(suffixes) and path != str(start):
                self.others += 1
                continue
            file = MessageFile(Path(path), name, size, modified)
            (self.unchanged if self._as_before(file) else self.fresh).append(file)

    def _as_before(self, file: MessageFile) -> bool:
        """Whether a file need not be read: one with bad records would tell its old appointments again."""
        stored = self.stored(file)
        return (self._known.get(stored) == (file.size_bytes, file.modified_ns)
                or self._marks.get(tried(stored)) == self._state(file))

    def _state(self, file: MessageFile) -> str:
        return f"{file.size_bytes} {file.modified_ns} {self._reading}"

    def mark(self, file: MessageFile, record: FileRecord, coverage: Coverage) -> None:
        """Remember of a file that was read whether it need not be tried again as it is."""
        if record.can_be_left:
            coverage.marks[tried(record.name)] = self._state(file)
        elif tried(record.name) in self._marks:
            coverage.marks[tried(record.name)] = ""

    def stored(self, file: MessageFile) -> str:
        """Return what the warehouse calls a file."""
        return self._masks.stored(file.name)

    def was_known(self, file: MessageFile) -> bool:
        """Whether an earlier load read a file of this path."""
        return self.stored(file) in self._known

    def learn(self, patients: Callable[[MessageFile], Iterable[Patient] | None]) -> None:
        """Take in whom the new files are of, so that a path that names a patient is masked.

        Parameters
        ----------
        patients : callable
            Returns the patients of a file; nothing where there are more than `PATIENTS_PER_FILE`. It is called once
            for each new file, in their order.
        """
        self._masks.learn((_named(file, patients(file)) for file in self.fresh), self._walk.unreadable_names())
        moved = [file for file in self.unchanged if self.stored(file) not in self._known]
        if moved:  # a path that names a patient read only now: what is stored under the old one goes
            self.unchanged = [file for file in self.unchanged if self.stored(file) in self._known]
            self.fresh += moved

    def gone(self) -> set[str]:
        """Return the files of an earlier load that are no longer there."""
        seen = {self.stored(file) for file in (*self.fresh, *self.unchanged)}
        return {path for path in self._known
                if path not in seen and not self._walk.could_not_look_at(path, self._masks)}

    def unreadable(self) -> tuple[Rejected, ...]:
        """Return the places that could not be looked into."""
        return tuple(self._walk.rejected(self._masks))


def tried(stored: str) -> str:
    """Return the name of the mark of a file with bad records; its value says which state of it was read, and how."""
    return f"tried {stored}"


def forgotten(gone: set[str], known: Known) -> dict[str, str]:
    """Return the marks to forget of files that are gone, or that go by a mask now: a mark must not keep their name."""
    held = {tried(path) for path in known.files.keys() - gone}
    return {name: "" for name in known.marks if name.startswith(tried("")) and name not in held}


def _named(file: MessageFile, patients: Iterable[Patient] | None) -> NamedFile:
    if patients is None:
        return NamedFile(file.name, True, ())
    found = frozenset().union(*(identities(*patient) for patient in patients))
    depths = (depth for depth, component in enumerate(file.name.split("/")) if names_any(component, found))
    return NamedFile(file.name, bool(found), tuple(depths) if found else ())


@dataclass
class FileRecord:
    """What came of reading one file so far.

    Attributes
    ----------
    read : records looked at.
    unresolved : whether it refers to what is not there, and may come: it is read again by the next load.
    """

    name: str
    read: int = 0
    unresolved: bool = False
    rejected: dict[tuple[str, str], Rejected] = field(default_factory=dict)
    more: Counter[str] = field(default_factory=Counter)

    def reject(self, place: str, code: str, reason: str, count: int = 1) -> None:
        """Put a record of the file in quarantine; an empty place is the file as a whole."""
        locator = f"{self.name}:{place}" if place else self.name
        if len(self.rejected) < REJECTED_PER_FILE:
            self.rejected.setdefault((locator, code), Rejected(locator, code, reason, count))
        else:
            self.more[code] += count

    @property
    def can_be_left(self) -> bool:
        """Whether it has bad records, and reading it again as it is finds nothing else."""
        return bool(self.rejected) and not self.unresolved and all(code != UNREADABLE for _, code in self.rejected)

    def all_rejected(self) -> Iterator[Rejected]:
        """Yield what was rejected: each record, and past a limit how many more."""
        yield from self.rejected.values()
        for code, count in self.more.items():
            yield Rejected(f"{self.name}:and more", code, f"{count:,} more records like those before; the file as a "
                           "whole is wrong: make it again.", count)


class ToldRows:
    """What files tell, in batches of bounded size: the facts first, then the files that they came from.

    Parameters
    ----------
    tables : the tables of the facts.
    coverage : takes the dates of the events.
    """

    def __init__(self, tables: Iterable[sa.Table], coverage: Coverage) -> None:
        self._rows: dict[sa.Table, dict[tuple[Any, ...], dict[str, Any]]] = {table: {} for table in tables}
        self._keys = {table: [column.name for column in table.primary_key.columns if column.name != "source_id"]
                      for table in self._rows}
        self._files: list[tuple[MessageFile, FileRecord]] = []
        self._coverage = coverage

    def add(self, table: sa.Table, row: dict[str, Any]) -> None:
        """Add a row; what it leaves empty stays as another row of the same key in this batch has it."""
        key = tuple(row[name] for name in self._keys[table])
        held = self._rows[table].setdefault(key, row)
        if held is not row:
            held.update({name: value for name, value in row.items() if value is not None})
        if at := row.get("event_at"):
            self._coverage.cover(at.date(), at.date())

    def finish(self, file: MessageFile, record: FileRecord) -> None:
        """Say that a file was read to its end."""
        self._files.append((file, record))

    @property
    def is_full(self) -> bool:
        """Whether it is time to give what is held."""
        return (len(self._files) >= FILES_PER_BATCH
                or any(len(rows) >= ROWS_PER_BATCH for rows in self._rows.values()))

    def batches(self) -> Iterator[Batch]:
        """Yield what is held, and let go of it."""
        for table, rows in self._rows.items():
            if rows:
                yield Batch(table, pa.RecordBatch.from_pylist(list(rows.values()), schema=_schema(table)))
                rows.clear()
        if self._files:
            about = [{"path": record.name, "size_bytes": file.size_bytes, "modified_ns": file.modified_ns,
                      "status": "partly_read" if record.rejected or record.unresolved else "read"}
                     for file, record in self._files]
            rejected = tuple(one for _, record in self._files for one in record.all_rejected())
            read = sum(record.read for _, record in self._files)
            yield Batch(files, pa.RecordBatch.from_pylist(about, schema=_schema(files)), rejected, read)
            self._files = []


def _schema(table: sa.Table) -> pa.Schema:
    schema = table_schema(table)
    return schema.remove(schema.get_field_index("source_id"))


def nothing_but(rejected: tuple[Rejected, ...]) -> Batch:
    """Return a batch of no rows, with records that were rejected."""
    return Batch(files, pa.RecordBatch.from_pylist([], schema=_schema(files)), rejected, len(rejected))


def folder_of(url: SplitResult, example: str) -> Path:
    """Return the folder or file that a URL of messages names.

    Raises
    ------
    PacsmeterError
        The URL names a server, or nothing.
    """
    if url.netloc or not url.path.strip("/"):
        raise PacsmeterError("The URL does not name a folder", f"Write it as {example}, with three slashes.",
                             f"{url.scheme}:")
    return Path(unquote(url.path)).resolve()
