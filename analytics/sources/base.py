"""What a source is: it yields record batches of the warehouse's tables and says what it covered.

A source knows no SQL of ours, and no identity leaves it: pseudonyms are made where a record is read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

import pyarrow as pa
import sqlalchemy as sa


@dataclass(frozen=True)
class Rejected:
    """A record that could not be used: kept in quarantine with its reason, never lost.

    Attributes
    ----------
    locator : file, or file and line; never a name.
    reason_code : short and permanent: ``not_dicom``, ``truncated``, ``bad_date``…
    reason : what is wrong and what to do, in one sentence without the patient's identity.
    count : how many records it stands for.
    """

    locator: str
    reason_code: str
    reason: str
    count: int = 1


@dataclass(frozen=True)
class Batch:
    """Some rows of one warehouse table, and the records that were rejected while reading them."""

    table: sa.Table
    rows: pa.RecordBatch
    rejected: tuple[Rejected, ...] = ()
    records_read: int = 0


@dataclass
class Coverage:
    """What a source held: filled in while it is read, true when it has been read to the end.

    Attributes
    ----------
    complete : the tables for which the source gave everything it has, by name; rows of this source that it no
        longer gives are removed from those.
    covered_from, covered_to : first and last date of what was read.
    gone : files that an earlier load read and that are no longer there.
    notes : what a reader of the load's record should know, each with how often it happened.
    """

    complete: set[str] = field(default_factory=set)
    covered_from: date | None = None
    covered_to: date | None = None
    gone: set[str] = field(default_factory=set)
    notes: Counter[str] = field(default_factory=Counter)

    def cover(self, first: date | None, last: date | None) -> None:
        """Widen the dates to hold two more."""
        self.covered_from = min(filter(None, (self.covered_from, first)), default=None)
        self.covered_to = max(filter(None, (self.covered_to, last)), default=None)


UNREADABLE_FOLDER = "unreadable_folder"
"""Reason code of a place that a walk could not look into; what was read there before is kept."""

KnownFiles = dict[str, tuple[int, int]]
"""Path to (size in bytes, modified time in ns) of files that an earlier load read."""


class Source(Protocol):
    """One place that facts come from.

    Attributes
    ----------
    source_id : permanent name a site gives the source: ``main-archive``.
    kind : ``dicom_folder``, ``index_export``, ``orthanc`` or ``ris_events``.
    location : path or URL, without a password.
    is_demo : whether its rows are invented.
    site : which site its studies belong to, where the source itself does not say.
    coverage : filled in by `batches`.
    """

    source_id: str
    kind: str
    location: str
    is_demo: bool
    site: str | None
    coverage: Coverage

    def batches(self, known: KnownFiles, progress: Callable[[str, int, int | None], None]) -> Iterator[Batch]:
        """Yield what the source holds, in batches of bounded size."""
        ...
