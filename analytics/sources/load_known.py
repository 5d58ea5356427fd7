"""What earlier loads of a source left in the draft, asked for when a source wants to know it."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import fields
from datetime import date
from typing import Any

import sqlalchemy as sa

from analytics.sources.base import Known, KnownFiles, KnownStudy
from analytics.warehouse.schema import covered_parts, files, marks, studies
from analytics.warehouse.store import Draft

OPEN_LOAD = "open_load"
"""The mark of a load in parts that is not finished: its id, and how it asks. The next one of its kind goes on."""
PARTLY_READ = "partly_read"
"""Status of a file with records in quarantine: it is read again by every load, so that they are tried again."""
_NEVER = -1


class DraftKnown(Known):
    """What the draft knows of one source; see `Known`."""

    def __init__(self, draft: Draft, source_id: str) -> None:
        self._draft, self._source_id = draft, source_id
        held = self._rows(sa.select(marks.c.name, marks.c.value).where(marks.c.source_id == source_id))
        self.marks = {row["name"]: row["value"] for row in held if row["name"] != OPEN_LOAD}
        mark: str = next((row["value"] for row in held if row["name"] == OPEN_LOAD), "")
        self.open_load, _, self.open_as = mark.partition(" ")
        finished = self._rows(sa.select(covered_parts.c.part, covered_parts.c.read_at, covered_parts.c.records).where(
            covered_parts.c.source_id == source_id, covered_parts.c.load_id == self.open_load))
        self.open_since = min((row["read_at"] for row in finished), default=None)
        self.records_finished = sum(row["records"] for row in finished)
        self.finished = frozenset(row["part"] for row in finished)

    @functools.cached_property
    def files(self) -> KnownFiles:  # type: ignore[override]
        """Return the files that were read, for a source that reads files."""
        again = sa.case((files.c.status == PARTLY_READ, _NEVER), else_=files.c.modified_ns).label("modified_ns")
        known = self._draft.arrow(sa.select(files.c.path, files.c.size_bytes, again).where(
            files.c.source_id == self._source_id))
        return {row["path"]: (row["size_bytes"], row["modified_ns"])
                for batch in known.to_batches(max_chunksize=50_000) for row in batch.to_pylist()}

    def studies(self, first: date | None, last: date | None) -> dict[str, KnownStudy]:
        within: sa.ColumnElement[bool] = studies.c.study_date.is_(None)
        if first or last:
            within = sa.and_(*(condition for condition in (
                studies.c.study_date >= first if first else None,
                studies.c.study_date <= last if last else None) if condition is not None))
        rows = self._rows(sa.select(*(studies.c[one.name] for one in fields(KnownStudy))).where(
            studies.c.source_id == self._source_id, within))
        return {row["study_instance_uid"]: KnownStudy(**row) for row in rows}

    def records(self, record_keys: Sequence[str]) -> dict[str, str]:
        rows = self._rows(sa.select(studies.c.record_key, studies.c.study_instance_uid).where(
            studies.c.source_id == self._source_id, studies.c.record_key.in_(record_keys)))
        return {row["record_key"]: row["study_instance_uid"] for row in rows}

    def _rows(self, select: sa.Select[Any]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._draft.arrow(select).to_pylist()
        return found
