"""A folder or tree of DICOM files, read incrementally: a file that did not change is not opened again."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TypeVar

import pyarrow as pa

from analytics.core.errors import PacsmeterError
from analytics.core.paths import resolve_path
from analytics.core.progress import Progress
from analytics.core.terms import MPPS_SOP_CLASS
from analytics.sources.base import Batch, Coverage, Identity, Known, KnownFiles, Rejected
from analytics.sources.dicom_header import HeaderRow, read_header
from analytics.sources.folder_walk import FolderWalk, Place
from analytics.sources.path_identity import find_names, identity_in
from analytics.sources.path_masks import PathMasks
from analytics.sources.patient import PatientEdge
from analytics.warehouse.engine import table_schema
from analytics.warehouse.schema import files, instances

FILES_PER_TASK = 50
TASKS_IN_FLIGHT = 16
FILES_PER_BATCH = 2_000

Row = TypeVar("Row")


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
        walk, masks = FolderWalk(self._start, self._base), PathMasks(known.files, self._edge.pseudonymizer)
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

    def identities_in(self, study_instance_uid: str, stored_paths: Iterable[str]) -> list[Identity]:
        """Return whom some files of a study are of, by their paths in the warehouse: only their headers are read."""
        root, pseudonymizer = Path(self.location), self._edge.pseudonymizer
        found = (identity_in(resolve_path(root, path, pseudonymizer), study_instance_uid) for path in stored_paths)
        return list(dict.fromkeys(one for one in found if one))

    def _places(self, walk: FolderWalk, masks: PathMasks, known: KnownFiles,
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
            if one["sop_class_uid"] == MPPS_SOP_CLASS and not one["accession_number"]:
                self.coverage.notes["reports of devices (MPPS) have no accession number and tell of no exam"] += 1
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
