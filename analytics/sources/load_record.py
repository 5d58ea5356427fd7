"""What one load did, as a person reads it and as ``loads`` keeps it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

import pyarrow as pa

from analytics.sources.base import Source
from analytics.warehouse.engine import table_schema
from analytics.warehouse.merge import Counts
from analytics.warehouse.schema import loads, sources
from analytics.warehouse.store import Draft


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


def write_record(draft: Draft, source: Source, record: LoadRecord, started: datetime, finished: datetime) -> None:
    """Write down a load that is done, and its source."""
    about = {"source_id": source.source_id, "kind": source.kind, "location": source.location,
             "is_demo": source.is_demo, "last_loaded_at": finished}
    draft.stage(sources, pa.RecordBatch.from_pylist([about], schema=table_schema(sources)))
    draft.merge(sources, source.source_id)
    coverage = source.coverage
    row = {name: getattr(record, name) for name in
           ("load_id", "source_id", "added", "changed", "unchanged", "removed", "left_out", "message")}
    row |= {"started_at": started, "finished_at": finished, "records_read": record.read,
            "covered_from": coverage.covered_from, "covered_to": coverage.covered_to,
            "complete": bool(coverage.complete)}
    draft.append(loads, pa.RecordBatch.from_pylist([row], schema=table_schema(loads)))
