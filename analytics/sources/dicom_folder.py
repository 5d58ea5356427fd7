"""A folder or tree of DICOM files, read incrementally: a file that did not change is not opened again."""

from __future__ import annotations

import os
import stat
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TypeVar

import pyarrow as pa

from analytics.core.errors import PacsmeterError
from analytics.core.paths import shown
from analytics.core.progress import Progress
from analytics.sources.base import UNREADABLE_FOLDER, Batch, Coverage, Known, KnownFiles, Rejected
from analytics.sources.dicom_header import HeaderRow, read_header
from analytics.sources.path_identity import find_names
from analytics.sources.path_masks import PathMasks
from analytics.sources.patient import PatientEdge
from analytics.warehouse.engine import table_schema
from analytics.warehouse.schema import files, instances

FILES_PER_TASK = 50
TASKS_IN_FLIGHT = 16
FILES_PER_BATCH = 2_000

Row = TypeVar("Row")
Place = tuple[str, str]
"""A file: where it is, and its path relative to the source."""


def read_headers(places: list[Place], edge: PatientEdge, zone: str) -> list[HeaderRow]:
    """Read some files: what one task of an executor does."""
    return [read_header(path, name, edge, zone) for path, name in places]


def counted(rows: Iterable[Row], stage: str, total: int, progress: Progress) -> Iterator[Row]:
    """Say the progress of work on files while its rows pass."""
    for done, row in enumerate(rows, 1):
        yield row
        if done % FILES_PER_BATCH == 0 or done == total:
            progress(stage, done, total)


class DicomFolder:
    """A file or tree of DICOM; see `analytics.sources.base.Source`.

    Parameters
    ----------
    source_id : str
        Permanent name of the source.
    folder : Path
        The tree, or one file. Files need no extension.
    edge : PatientEdge
    zone : str
        IANA zone of times whose object has no TimezoneOffsetFromUTC.
    site : str, optional
        Which site the studies belong to.
    is_demo : bool
    executor : concurrent.futures.Executor, optional
        Where files are read: a process pool, or a Dask client's executor. In this process where not given.
    """

    kind = "dicom_folder"

    def __init__(self, source_id: str, folder: Path, edge: PatientEdge, zone: str,
                 site: str | None = None, is_demo: bool = False, executor: Executor | None = None) -> None:
        self.source_id, self.site, self.is_demo = source_id, site, is_demo
        self._start = folder.resolve()
        self._base = self._start if self._start.is_dir() else self._start.parent
        self.location = str(self._base)
        self.coverage = Coverage()
        self._edge, self._zone, self._executor = edge, zone, executor

    def batches(self, known: Known, progress: Progress) -> Iterator[Batch]:
        """Yield the objects of files that are new or changed, then the files themselves."""
        self.coverage = Coverage()
        if not self._start.exists():
            raise PacsmeterError("The folder is not there", "Check that it is mounted.", str(self._start))
        walk, masks = _Walk(self._start, self._base), PathMasks(known.files, self._edge.pseudonymizer)
        fresh, unchanged = self._places(walk, masks, known.files, progress)
        seen = {masks.stored(name) for _, name in (*fresh, *unchanged)}
        self.coverage.gone = {path for path in known.files
                              if path not in seen and not walk.could_not_look_at(path, masks)}
        if unchanged:
            self.coverage.notes["files did not change and were not opened again"] = len(unchanged)
        if walk.unreadable:
            yield Batch(files, _no_rows(), tuple(walk.rejected(masks)), len(walk.unreadable))
        done = 0
        stored = [(path, masks.stored(name)) for path, name in fresh]
        rows = self._each(stored, partial(read_headers, edge=self._edge, zone=self._zone))
        while some := list(islice(rows, FILES_PER_BATCH)):
            yield from self._batches_of(some)
            done += len(some)
            progress("reading DICOM headers", done, len(fresh))
        if not walk.unreadable:
            self.coverage.complete |= {"studies", "series", "instances", "files"}

    def _places(self, walk: _Walk, masks: PathMasks, known: KnownFiles,
                progress: Progress) -> tuple[list[Place], list[Place]]:
        """Return the files to read and those that did not change, once it is known whom their paths name."""
        fresh: list[Place] = []
        unchanged: list[Place] = []
        for place, size, modified in walk.files():
            as_before = known.get(masks.stored(place[1])) == (size, modified)
            (unchanged if as_before else fresh).append(place)
        read = counted(self._each(fresh, find_names), "comparing paths with patients", len(fresh), progress)
        masks.learn(read, nameless=walk.unreadable_names())
        moved = [place for place in unchanged if masks.stored(place[1]) not in known]
        if moved:  # a path that names a patient read only now: what is stored under the old one goes
            unchanged = [place for place in unchanged if masks.stored(place[1]) in known]
        return fresh + moved, unchanged

    def _each(self, places: list[Place], work: Callable[[list[Place]], list[Row]]) -> Iterator[Row]:
        """Work on files in the order they were found, with a bounded number of tasks in flight."""
        tasks = (places[start:start + FILES_PER_TASK] for start in range(0, len(places), FILES_PER_TASK))
        if self._executor is None:
            for task in tasks:
                yield from work(task)
            return
        flying: deque[Future[list[Row]]] = deque()
        for task in tasks:
            flying.append(self._executor.submit(work, task))
            if len(flying) >= TASKS_IN_FLIGHT:
                yield from flying.popleft().result()
        while flying:
            yield from flying.popleft().result()

    def _batches_of(self, rows: list[HeaderRow]) -> Iterator[Batch]:
        held = [{**row.values, "path": row.path} for row in rows if row.status == "read"]
        for one in held:
            self.coverage.cover(one["study_date"], one["study_date"])
        yield Batch(instances, pa.RecordBatch.from_pylist(held, schema=_without_source(instances)))
        about = [{"path": row.path, "size_bytes": row.size_bytes, "modified_ns": row.modified_ns,
                  "sop_instance_uid": row.sop_instance_uid, "status": row.status} for row in rows]
        rejected = tuple(Rejected(row.path, row.status, row.reason) for row in rows if row.reason)
        directories = sum(row.status == "dicomdir" for row in rows)
        if directories:
            self.coverage.notes["DICOMDIR passed over: the files it lists are read themselves"] += directories
        yield Batch(files, pa.RecordBatch.from_pylist(about, schema=_without_source(files)), rejected, len(rows))


def _without_source(table: object) -> pa.Schema:
    schema = table_schema(table)  # type: ignore[arg-type]
    return schema.remove(schema.get_field_index("source_id"))


def _no_rows() -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist([], schema=_without_source(files))


class _Walk:
    """Goes through a tree once, in order, following links but never in a circle."""

    def __init__(self, start: Path, base: Path) -> None:
        self._start, self._base = str(start), str(base)
        self._entered: set[tuple[int, int]] = set()
        self.unreadable: list[str] = []

    def files(self) -> Iterator[tuple[Place, int, int]]:
        """Yield each regular file with its size and modified time."""
        if Path(self._start).is_file():
            about = Path(self._start).stat()
            yield self._place(self._start), about.st_size, about.st_mtime_ns
            return
        waiting = [self._start]
        while waiting:
            folders = []
            for path in self._entries(waiting.pop()):
                try:
                    about = Path(path).stat()
                except OSError:
                    self.unreadable.append(path)
                    continue
                if stat.S_ISDIR(about.st_mode):
                    folders.append(path)
                elif stat.S_ISREG(about.st_mode):
                    yield self._place(path), about.st_size, about.st_mtime_ns
            waiting.extend(reversed(folders))

    def _entries(self, folder: str) -> list[str]:
        try:
            about = Path(folder).stat()
            if (about.st_dev, about.st_ino) in self._entered:
                return []
            self._entered.add((about.st_dev, about.st_ino))
            return sorted(entry.path for entry in os.scandir(folder))
        except OSError:
            self.unreadable.append(folder)
            return []

    def _place(self, path: str) -> Place:
        return path, shown(os.path.relpath(path, self._base))

    def could_not_look_at(self, path: str, masks: PathMasks) -> bool:
        """Whether a file of an earlier load, by its stored path, lies where this walk could not look."""
        for name in self.unreadable_names():
            if name == "." or path == masks.stored(name) or path.startswith(f"{masks.stored(name, is_file=False)}/"):
                return True
        return False

    def unreadable_names(self) -> list[str]:
        """Return the paths, relative to the source, that could not be looked at."""
        return [self._place(path)[1] for path in self.unreadable]

    def rejected(self, masks: PathMasks) -> Iterator[Rejected]:
        """Yield what could not be looked at."""
        for name in self.unreadable_names():
            yield Rejected(masks.stored(name), UNREADABLE_FOLDER,
                           "The folder or link cannot be opened; check its permissions and that its target is there.")
