"""Merging what was read from files: some files at a time, the facts before the files they came from.

A file counts as read when what it told is there, so a load that is cut off goes on after its last merge.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import sqlalchemy as sa

from analytics.sources.base import UNREADABLE_FOLDER
from analytics.sources.load_known import PARTLY_READ
from analytics.sources.rollup import drop_files, drop_replaced
from analytics.warehouse.engine import stage_table
from analytics.warehouse.merge import Counts
from analytics.warehouse.schema import events, files, instances, orders, patient_merges, quarantine
from analytics.warehouse.store import Draft

if TYPE_CHECKING:
    from analytics.sources.load import Load

TOLD = (instances, orders, events, patient_merges)
"""The tables that files give rows of."""


SUPERSEDED = ("ApptTime", "TimeScheduled")
"""Events of which the last word counts: an appointment moves, while what has happened has happened."""


class FileMerge:
    """Merges what a load has read of files so far, in one step each time."""

    def __init__(self, load: Load) -> None:
        self._load, self._draft, self._source_id = load, load.draft, load.source_id

    def merge(self) -> None:
        """Merge what was staged, and take back what the source takes back."""
        with self._draft.transaction():
            if self._load.kind.rolled_up:
                self._load.count(instances, drop_replaced(self._draft, self._source_id))
            for table in TOLD:
                if self._load.staged.get(table):
                    self._merge_told(table)
            self._retract()
            self._let_go_of_retried()
            self._draft.merge(quarantine, self._source_id)
            self._draft.merge(files, self._source_id)
        for table in (*TOLD, files):
            self._load.staged.pop(table, None)

    def _merge_told(self, table: sa.Table) -> None:
        messages = self._load.kind.partial_rows
        if messages and table is events:
            self._let_go_of_superseded()
        counts = self._draft.merge(table, self._source_id, partial=messages and table is orders)
        # Messages say again what others said: that is their nature, and nothing is left out.
        self._load.count(table, replace(counts, repeated=0) if messages else counts)

    def _let_go_of_superseded(self) -> None:
        """Keep the last appointment of an exam alone: a message that moves it takes back what earlier ones said."""
        told, later = stage_table(events), stage_table(events).alias("later")
        moved = told.c.event.in_(SUPERSEDED)
        same = sa.and_(later.c.accession_number == told.c.accession_number, later.c.event == told.c.event)
        self._draft.execute(sa.delete(told).where(moved, sa.exists(
            sa.select(sa.literal(1)).select_from(later).where(same, later.c.stage_row > told.c.stage_row))))
        before = sa.and_(
            events.c.source_id == self._source_id, events.c.event.in_(SUPERSEDED), sa.exists(
                sa.select(sa.literal(1)).select_from(told).where(
                    told.c.accession_number == events.c.accession_number, told.c.event == events.c.event,
                    told.c.event_at != events.c.event_at)))
        removed = self._draft.count(sa.select(events.c.accession_number).where(before))
        if removed:
            self._draft.execute(sa.delete(events).where(before))
            self._load.count(events, Counts(removed=removed))

    def _retract(self) -> None:
        retracted = self._load.source.coverage.retracted
        for accession, event in sorted(retracted):
            for table in (events, *(() if event else (orders,))):
                told = sa.and_(table.c.source_id == self._source_id, table.c.accession_number == accession,
                               *((table.c.event == event,) if event else ()))
                removed = self._draft.count(sa.select(table.c.accession_number).where(told))
                if removed:
                    self._draft.execute(sa.delete(table).where(told))
                    self._load.count(table, Counts(removed=removed))
        retracted.clear()

    def _let_go_of_retried(self) -> None:
        """Drop what earlier loads put in quarantine from files read again: what is still bad comes again."""
        if self._load.kind.rolled_up or not self._load.staged.get(files):
            return
        read = stage_table(files)
        its_records = read.c.path + sa.literal(":")
        of_file = sa.or_(quarantine.c.locator == read.c.path,
                         sa.func.substr(quarantine.c.locator, 1, sa.func.length(its_records)) == its_records)
        self._draft.execute(sa.delete(quarantine).where(
            quarantine.c.source_id == self._source_id, quarantine.c.load_id != self._load.load_id,
            sa.exists(sa.select(sa.literal(1)).select_from(read).where(of_file))))

    def finish(self) -> None:
        """Merge the rest, and drop files that are no longer there; what messages told stays when their file goes."""
        self.merge()
        gone = self._load.source.coverage.gone
        dropped = drop_files(self._draft, self._source_id, gone)
        if self._load.kind.rolled_up:
            self._load.count(instances, dropped)
        for table in (instances,) if self._load.kind.rolled_up else TOLD:
            self._count_untouched(table)
        settle_quarantine(self._draft, self._source_id, self._load.load_id)

    def _count_untouched(self, table: sa.Table) -> None:
        """Files that were not opened again hold what did not change; what came and went in one load is neither."""
        held, seen = self._load.held(table), self._load.counts.get(table.name, Counts())
        added = min(seen.added, held)
        changed = min(seen.changed, held - added)
        if held or table.name in self._load.counts:
            self._load.counts[table.name] = Counts(
                added, changed, held - added - changed, seen.removed - (seen.added - added), seen.repeated)


def settle_quarantine(draft: Draft, source_id: str, load_id: str) -> None:
    """Let go of files that were put right, replaced or removed since they were put in quarantine."""
    its_records = files.c.path + sa.literal(":")
    whole = sa.and_(files.c.path == quarantine.c.locator, files.c.status == quarantine.c.reason_code)
    part = sa.and_(files.c.status == PARTLY_READ, sa.or_(
        files.c.path == quarantine.c.locator,
        sa.func.substr(quarantine.c.locator, 1, sa.func.length(its_records)) == its_records))
    still = sa.exists(sa.select(sa.literal(1)).select_from(files).where(
        files.c.source_id == source_id, sa.or_(whole, part)))
    seen_now = sa.and_(quarantine.c.reason_code == UNREADABLE_FOLDER, quarantine.c.load_id == load_id)
    draft.execute(sa.delete(quarantine).where(quarantine.c.source_id == source_id, ~still, ~seen_now))
