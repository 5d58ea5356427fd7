"""One load of one source into a draft: staged, merged, counted and recorded."""

from __future__ import annotations

import uuid
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

import pyarrow as pa
import sqlalchemy as sa

from analytics.core.errors import PacsmeterError
from analytics.core.progress import Progress, silent
from analytics.sources.base import Batch, Known, KnownFiles, Rejected, Source
from analytics.sources.open import open_source
from analytics.sources.rollup import drop_files, drop_replaced, roll_up, settle_quarantine
from analytics.warehouse.engine import stage_table, table_schema
from analytics.warehouse.merge import Counts
from analytics.warehouse.schema import FACTS, files, instances, loads, quarantine, series, sources, studies
from analytics.warehouse.store import Draft, now_utc

__all__ = ["LoadRecord", "load_source", "open_source"]

FILES_PER_MERGE = 20_000
"""Files after which a long load of a folder is merged, so that a load that is cut off goes on from there."""


@dataclass(frozen=True)
class LoadRecord:
    """What one load did, in rows of all its tables.

    Attributes
    ----------
    read : records of the source that were looked at; files, for a folder.
    left_out : records that could not be used, each in quarantine with its reason, and repeated ones.
    by_table : the same counts for each table.
    rejected : reason code to number of records.
    message : what a reader of the record should know.
    """

    load_id: str
    source_id: str
    read: int
    added: int
    changed: int
    unchanged: int
    removed: int
    left_out: int
    by_table: dict[str, Counts] = field(default_factory=dict)
    rejected: dict[str, int] = field(default_factory=dict)
    message: str = ""

    def __str__(self) -> str:
        return (f"{self.source_id}: {self.read:,} read, {self.added:,} added, {self.changed:,} changed, "
                f"{self.unchanged:,} unchanged, {self.removed:,} removed, {self.left_out:,} left out"
                f"{'. ' + self.message if self.message else ''}")


class _Load:
    """A load while it runs."""

    def __init__(self, draft: Draft, source: Source, progress: Progress) -> None:
        self.draft, self.source, self.progress = draft, source, progress
        self.load_id, self.started = uuid.uuid4().hex, now_utc()
        self.counts: dict[str, Counts] = {}
        self.staged: dict[sa.Table, int] = {}
        self.rejected: Counter[str] = Counter()
        self.first_of: dict[tuple[sa.Table, str], Rejected] = {}
        self.contradicting = 0
        self.read = 0
        self.from_files = source.kind == "dicom_folder"
        self.rolled_up = self.from_files or source.kind == "orthanc"

    def run(self) -> LoadRecord:
        known = Known()
        known.files = self._known_files()
        for batch in self.source.batches(known, self.progress):
            assert isinstance(batch, Batch)
            self._stage(batch)
            if self.from_files and self.staged.get(files, 0) >= FILES_PER_MERGE:
                self._merge_files()
        self._refuse_an_empty_source()
        self.progress(f"merging {self.source.source_id}", 0, None)
        self._merge()
        return self._record()

    def _known_files(self) -> KnownFiles:
        known = self.draft.arrow(sa.select(files.c.path, files.c.size_bytes, files.c.modified_ns).where(
            files.c.source_id == self.source.source_id))
        paths, sizes, times = (column.to_pylist() for column in known.columns)
        return dict(zip(paths, zip(sizes, times, strict=True), strict=True))

    def _stage(self, batch: Batch) -> None:
        self.read += batch.records_read
        for one in batch.rejected:
            self.first_of.setdefault((batch.table, one.reason_code), one)
        if batch.rows.num_rows:
            source_id = pa.repeat(self.source.source_id, batch.rows.num_rows)
            named = pa.RecordBatch.from_arrays(
                [*batch.rows.columns, source_id], names=[*batch.rows.schema.names, "source_id"])
            self.draft.stage(batch.table, named)
        self.staged[batch.table] = self.staged.get(batch.table, 0) + batch.rows.num_rows
        if batch.rejected:
            self._quarantine(batch.rejected)

    def _quarantine(self, rejected: tuple[Rejected, ...]) -> None:
        for one in rejected:
            self.rejected[one.reason_code] += one.count
        rows = [{"source_id": self.source.source_id, "locator": one.locator, "reason_code": one.reason_code,
                 "reason": one.reason, "load_id": self.load_id, "seen_at": self.started} for one in rejected]
        self.draft.stage(quarantine, pa.RecordBatch.from_pylist(rows, schema=table_schema(quarantine)))

    def _refuse_an_empty_source(self) -> None:
        """A source that suddenly holds nothing is a failed export or a disk that is not mounted."""
        if self.from_files:
            gone = len(self.source.coverage.gone)
            if gone and gone == len(self._known_files()) and not self.staged.get(files):
                raise PacsmeterError(f"The folder holds none of the {gone:,} files of the last load",
                                     "Check that it is mounted.", self.source.location)
            if not self._holds(instances):
                raise self._useless_folder()
            return
        if not any(self._holds(table) for table in FACTS):
            raise self._useless_export()
        for table in FACTS:
            if not self._is_complete(table) or self.staged.get(table):
                continue
            held = self.draft.count(sa.select(table.c.source_id).where(table.c.source_id == self.source.source_id))
            if held:
                raise PacsmeterError(
                    f"The source has no usable row for {table.name}, and {held:,} from the last load would be removed"
                    + (f" ({self._reasons()})" if self.rejected else ""),
                    "Check the export and how its columns are read.", self.source.location)

    def _holds(self, table: sa.Table) -> bool:
        """Whether this load, or one before, has rows of the source."""
        held = sa.select(table.c.source_id).where(table.c.source_id == self.source.source_id)
        return bool(self.staged.get(table)) or self.draft.count(held) > 0

    def _useless_folder(self) -> PacsmeterError:
        """Say why nothing could be used, and leave no trace of the folder in the draft that others go on from."""
        looked_at = max(self.read, len(self._known_files()))
        for table in (files, quarantine):
            self.draft.execute(sa.delete(table).where(table.c.source_id == self.source.source_id))
        why = "; ".join(f"{self.rejected[code]:,} {code}, such as {one.locator}: {one.reason.rstrip('.')}"
                        for (_, code), one in self.first_of.items())
        return PacsmeterError(f"No DICOM image could be read: {looked_at:,} files were looked at"
                              + (f" ({why})" if why else ""),
                              "Check that this is the right folder and that it is mounted.", self.source.location)

    def _useless_export(self) -> PacsmeterError:
        if not self.rejected:
            return PacsmeterError("The source holds 0 rows", "Check that the export, or the archive, is the right one.",
                                  self.source.location)
        code, count = self.rejected.most_common(1)[0]
        first = next(one for (_, known), one in self.first_of.items() if known == code)
        return PacsmeterError(
            f"None of the {self.read:,} rows could be used; most often ({count:,}) {code}, first at {first.locator}: "
            + first.reason, "Check the export and how its columns are read.", self.source.location)

    def _is_complete(self, table: sa.Table) -> bool:
        made_by_us = self.rolled_up and table in (studies, series)
        return table.name in self.source.coverage.complete and not made_by_us

    def _merge(self) -> None:
        source_id, coverage = self.source.source_id, self.source.coverage
        if self.from_files:
            self._merge_files()
            self._count(instances, drop_files(self.draft, source_id, coverage.gone))
            self._count_untouched_instances()
            settle_quarantine(self.draft, source_id, self.load_id)
        else:
            for table in FACTS:
                if table in self.staged or self._is_complete(table):
                    self._name_repeated(table)
                    self._count(table, self.draft.merge(table, source_id, complete=self._is_complete(table)))
            self.draft.merge(quarantine, source_id, complete=True)
        if self.rolled_up:
            for table, counts in roll_up(self.draft, source_id, self.source.site).items():
                self._count(table, counts)

    def _name_repeated(self, table: sa.Table) -> None:
        """Put rows that contradict each other under one key in quarantine: one record for the table."""
        if self.rolled_up or not self.staged.get(table):
            return
        stage = stage_table(table)
        key = [stage.c[column.name] for column in table.primary_key.columns]
        rows = sa.select(*(stage.c[column.name] for column in table.columns)).distinct().subquery()
        again = sa.select(*(rows.c[column.name] for column in key), (sa.func.count() - 1).label("more")).group_by(
            *(rows.c[column.name] for column in key)).having(sa.func.count() > 1).subquery()
        more = self.draft.arrow(sa.select(sa.func.sum(again.c.more))).column(0)[0].as_py()
        if more:
            self.contradicting += int(more)
            reason = (f"{int(more):,} rows of {table.name} differ from another under the same key, and the last was "
                      "kept; export each once.")
            self._quarantine((Rejected(f"{table.name}, repeated rows", "repeated_key", reason, int(more)),))

    def _merge_files(self) -> None:
        """Merge what was read so far: the files last, so that a file counts as read when its object is there."""
        self._count(instances, drop_replaced(self.draft, self.source.source_id))
        self._count(instances, self.draft.merge(instances, self.source.source_id))
        self.draft.merge(quarantine, self.source.source_id)
        self.draft.merge(files, self.source.source_id)
        self.staged.pop(files, None)

    def _count_untouched_instances(self) -> None:
        """Files that were not opened again hold objects that did not change."""
        held = self.draft.count(sa.select(instances.c.path).where(instances.c.source_id == self.source.source_id))
        seen = self.counts.get(instances.name, Counts())
        self._count(instances, Counts(unchanged=held - seen.added - seen.changed - seen.unchanged))

    def _count(self, table: sa.Table, counts: Counts) -> None:
        self.counts[table.name] = self.counts.get(table.name, Counts()) + counts

    def _reasons(self) -> str:
        return ", ".join(f"{count:,} {code}" for code, count in sorted(self.rejected.items()))

    def _message(self, repeated: int) -> str:
        said = [f"{count:,} {note}" for note, count in sorted(self.source.coverage.notes.items())]
        if repeated:
            said.append(f"{repeated:,} rows came more than once under one key, and the last was kept")
        if self.rejected:
            said.append(f"left out: {self._reasons()}")
        return "; ".join(said)

    def _record(self) -> LoadRecord:
        all_tables = sum(self.counts.values(), Counts())
        finished, coverage = now_utc(), self.source.coverage
        record = LoadRecord(
            self.load_id, self.source.source_id, self.read, all_tables.added, all_tables.changed,
            all_tables.unchanged, all_tables.removed, self.rejected.total() + all_tables.repeated - self.contradicting,
            self.counts, dict(self.rejected), self._message(all_tables.repeated))
        self._write_source(finished)
        row = {name: getattr(record, name) for name in
               ("load_id", "source_id", "added", "changed", "unchanged", "removed", "left_out", "message")}
        row |= {"started_at": self.started, "finished_at": finished, "records_read": record.read,
                "covered_from": coverage.covered_from, "covered_to": coverage.covered_to,
                "complete": bool(coverage.complete)}
        self.draft.append(loads, pa.RecordBatch.from_pylist([row], schema=table_schema(loads)))
        return record

    def _write_source(self, finished: datetime) -> None:
        row = {"source_id": self.source.source_id, "kind": self.source.kind, "location": self.source.location,
               "is_demo": self.source.is_demo, "last_loaded_at": finished}
        self.draft.stage(sources, pa.RecordBatch.from_pylist([row], schema=table_schema(sources)))
        self.draft.merge(sources, self.source.source_id)


def load_source(draft: Draft, source: Source, *, progress: Progress = silent) -> LoadRecord:
    """Load what a source holds into a draft: incremental, idempotent, recorded.

    Rows are staged, then merged a table at a time; rows that the source no longer gives are removed from the
    tables it says it gave completely. Nothing is published and no exam is derived: the caller does that.

    Parameters
    ----------
    draft : Draft
        The next snapshot. A draft that an earlier load left unfinished keeps the tables and files it had merged.
    source : Source
    progress : Progress

    Returns
    -------
    LoadRecord
        As it is written to ``loads``.

    Raises
    ------
    PacsmeterError
        The source cannot be read, or suddenly holds nothing.
    """
    return _Load(draft, source, progress).run()
