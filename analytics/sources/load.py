"""One load of one source into a draft: staged, merged, counted and recorded."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pyarrow as pa
import sqlalchemy as sa

from analytics.core.progress import Progress, silent
from analytics.sources.base import KINDS, Batch, BeginAnew, Part, Rejected, Source
from analytics.sources.clock import AHEAD, FAR_AHEAD, clock_notes
from analytics.sources.load_files import TOLD, FileMerge
from analytics.sources.load_known import DraftKnown
from analytics.sources.load_parts import (
    CRAWLED,
    append_rows,
    asked_as,
    dates_crawled,
    finish_crawl,
    finish_part,
    forget_crawl,
    rejected_before,
    remember,
)
from analytics.sources.load_record import LoadRecord, write_record
from analytics.sources.load_refusals import refuse_useless
from analytics.sources.open import open_source
from analytics.sources.rollup import roll_up
from analytics.sources.rollup_events import event_rows
from analytics.warehouse.engine import stage_table, table_schema
from analytics.warehouse.merge import Counts
from analytics.warehouse.schema import FACTS, events, files, quarantine, series, studies
from analytics.warehouse.store import Draft, now_utc

__all__ = ["LoadRecord", "load_source", "open_source"]

FILES_PER_MERGE = 20_000
"""Files after which a long load of a folder is merged, so that a load that is cut off goes on from there."""
ROWS_PER_MERGE = 500_000
"""Rows after which what one long file tells is merged: what it says again later changes nothing."""
GO_ON_WITHIN = timedelta(hours=24)
"""A load in parts that was cut off longer ago begins anew: what its first parts say is no longer so."""


class Load:
    """A load while it runs.

    Attributes
    ----------
    staged : rows given so far, by table.
    rejected : reason code to number of records; ``first_of`` keeps the first of each.
    """

    def __init__(self, draft: Draft, source: Source, progress: Progress) -> None:
        self.draft, self.source, self.progress = draft, source, progress
        self.kind, self.source_id = KINDS[source.kind], source.source_id
        self.load_id: str = uuid.uuid4().hex
        self.started = now_utc()
        self.known = DraftKnown(draft, source.source_id)
        self.counts: dict[str, Counts] = {}
        self.staged: dict[sa.Table, int] = {}
        self.rejected: Counter[str] = Counter()
        self.first_of: dict[tuple[sa.Table, str], Rejected] = {}
        self.contradicting = 0
        self.read = 0

    def run(self) -> LoadRecord:
        if self.kind.in_parts:
            return self._run_in_parts()
        merge = FileMerge(self)
        for batch in self.source.batches(self.known, self.progress):
            self._take(batch)
            if self.kind.from_files and self._has_enough():
                merge.merge()
        refuse_useless(self)
        with self.draft.transaction():
            return self._finish(merge.finish if self.kind.from_files else self._merge_tables)

    def _has_enough(self) -> bool:
        return (self.staged.get(files, 0) >= FILES_PER_MERGE
                or sum(self.staged.get(table, 0) for table in TOLD) >= ROWS_PER_MERGE)

    def _finish(self, merge: Callable[[], None]) -> LoadRecord:
        """Put what was read in its place, and write the load down; one step, held by the caller."""
        self.progress(f"merging {self.source_id}", 0, None)
        merge()
        if self.kind.rolled_up:
            for table, counts in roll_up(
                    self.draft, self.source_id, self.source.site, self.load_id).items():
                self.count(table, counts)
            self._compare_with_own_count()
            self._roll_up_events()
        self._note_clocks()
        remember(self.draft, self.source_id, self.source.coverage.marks)
        return self._record()

    def _roll_up_events(self) -> None:
        """Make the events that objects tell: they change and go as the objects do."""
        self.draft.stage_select(events, event_rows(self.source_id))
        counts = self.draft.merge(events, self.source_id, complete=True)
        if counts != Counts():
            self.count(events, counts)

    def _note_clocks(self) -> None:
        (found,) = self.draft.arrow(clock_notes(self.source_id)).to_pylist()
        for said, count in ((AHEAD, found["ahead"]), (FAR_AHEAD, found["far_ahead"])):
            if count:
                self.source.coverage.notes[said] = count

    def _compare_with_own_count(self) -> None:
        own, meaning = self.source.coverage.own_studies or (0, "")
        more = own - self.held(studies)
        if meaning and more:
            self.source.coverage.notes[meaning] = more

    def _run_in_parts(self) -> LoadRecord:
        """Keep part after part; what follows the last settled one, and the end of the load, are one step."""
        self._go_on()
        items = self.source.batches(self.known, self.progress)
        try:
            while True:
                with self.draft.transaction():
                    if not self._one_part(items):
                        refuse_useless(self)
                        return self._finish(self._replace)
        except BeginAnew:
            forget_crawl(self.draft, self.source_id)
            raise

    def _go_on(self) -> None:
        """Go on with a load that was cut off, unless that was too long ago or it asked in another way."""
        since = self.known.open_since
        is_old = since is not None and self.started - since > GO_ON_WITHIN
        if self.known.open_load and (is_old or self.known.open_as != asked_as(self.source)):
            forget_crawl(self.draft, self.source_id)
            self.known = DraftKnown(self.draft, self.source_id)
        if self.known.open_load:
            self.load_id, self.read = self.known.open_load, self.known.records_finished
            for one in rejected_before(self.draft, self.source_id, self.load_id):
                self.rejected[one.reason_code] += one.count
                self.first_of[quarantine, one.reason_code] = one

    def _one_part(self, items: Iterator[Batch | Part]) -> bool:
        """Take the rows of one part that a load can go on after; whether there may be more."""
        for item in items:
            if not isinstance(item, Part):
                self._take(item)
                continue
            self.draft.merge(quarantine, self.source_id)
            finish_part(self.draft, self.source, self.load_id, item)
            if item.is_settled:
                return True
        return False

    def _replace(self) -> None:
        """Put what all parts hold in the place of what was there."""
        coverage = self.source.coverage
        if self.known.open_load:
            coverage.cover(*dates_crawled(self.draft, self.source_id))
        for table, counts in finish_crawl(
                self.draft, self.source_id, self.load_id, coverage.kept_before).items():
            self.count(table, counts)
        self.draft.execute(sa.delete(quarantine).where(
            quarantine.c.source_id == self.source_id, quarantine.c.load_id != self.load_id))

    def _take(self, batch: Batch | Part) -> None:
        """Put the rows of a batch beside their table, and the records that were rejected beside the quarantine."""
        if isinstance(batch, Part):
            raise TypeError(f"{self.source.kind} is not loaded in parts")
        self.read += batch.records_read
        for one in batch.rejected:
            self.first_of.setdefault((batch.table, one.reason_code), one)
        if batch.rows.num_rows:
            if self.kind.in_parts:
                append_rows(self.draft, self.source_id, batch.table, batch.rows)
            else:
                self.draft.stage(batch.table, batch.rows.append_column(
                    "source_id", pa.repeat(self.source_id, batch.rows.num_rows)))
        self.staged[batch.table] = self.staged.get(batch.table, 0) + batch.rows.num_rows
        if batch.rejected:
            self._quarantine(batch.rejected)

    def _quarantine(self, rejected: tuple[Rejected, ...]) -> None:
        for one in rejected:
            self.rejected[one.reason_code] += one.count
        rows = [{"source_id": self.source_id, "locator": one.locator, "reason_code": one.reason_code,
                 "reason": one.reason, "load_id": self.load_id, "seen_at": self.started} for one in rejected]
        self.draft.stage(quarantine, pa.RecordBatch.from_pylist(rows, schema=table_schema(quarantine)))

    def holds(self, table: sa.Table) -> bool:
        """Whether this load, or one before, has rows of the source."""
        return bool(self.staged.get(table)) or self.held(table) > 0

    def held(self, table: sa.Table) -> int:
        """Count the rows that a table has of the source now."""
        return self.draft.count(sa.select(table.c.source_id).where(table.c.source_id == self.source_id))

    def given(self, table: sa.Table) -> int:
        """Count the rows of a table that this load was given, by all its parts."""
        return self.held(CRAWLED[table]) if self.kind.in_parts and table in CRAWLED else self.staged.get(table, 0)

    def is_complete(self, table: sa.Table) -> bool:
        """Whether what the source no longer gives of a table goes."""
        made_by_us = self.kind.rolled_up and table in (studies, series)
        return table.name in self.source.coverage.complete and not made_by_us

    def count(self, table: sa.Table, counts: Counts) -> None:
        """Add to what the load's record says of a table."""
        self.counts[table.name] = self.counts.get(table.name, Counts()) + counts

    def _merge_tables(self) -> None:
        for table in FACTS:
            if table in self.staged or self.is_complete(table):
                self._name_repeated(table)
                self.count(table, self.draft.merge(table, self.source_id, complete=self.is_complete(table),
                                                   load_id=self.load_id))
        self.draft.merge(quarantine, self.source_id, complete=True)

    def _name_repeated(self, table: sa.Table) -> None:
        """Put rows that contradict each other under one key in quarantine: one record for the table."""
        if self.kind.rolled_up or not self.staged.get(table):
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

    def _record(self) -> LoadRecord:
        all_tables = sum(self.counts.values(), Counts())
        record = LoadRecord(
            self.load_id, self.source_id, self.read, all_tables.added, all_tables.changed, all_tables.unchanged,
            all_tables.removed, self.rejected.total() + all_tables.repeated - self.contradicting,
            self.counts, dict(self.rejected), self._message(all_tables.repeated))
        finished: datetime = now_utc()
        write_record(self.draft, self.source, record, self.started, finished)
        return record

    def _message(self, repeated: int) -> str:
        said = [f"{count:,} {note}" for note, count in sorted(self.source.coverage.notes.items())]
        if repeated:
            said.append(f"{repeated:,} rows came more than once under one key, and the last was kept")
        if self.rejected:
            reasons = ", ".join(f"{count:,} {code}" for code, count in sorted(self.rejected.items()))
            said.append(f"left out: {reasons}")
        return "; ".join(said)


def load_source(draft: Draft, source: Source, *, progress: Progress = silent) -> LoadRecord:
    """Load what a source holds into a draft: incremental, idempotent, recorded.

    Rows are staged, then merged a table at a time; rows that the source no longer gives are removed from the
    tables it says it gave completely. Nothing is published and no exam is derived: the caller does that.

    Parameters
    ----------
    draft : Draft
        The next snapshot. A draft that an earlier load left unfinished keeps the files and parts it had finished.
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
    return Load(draft, source, progress).run()
