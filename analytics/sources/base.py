"""What a source is: it yields record batches of the warehouse's tables and says what it covered.

A source knows no SQL of ours, and no identity leaves it: pseudonyms are made where a record is read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

import pyarrow as pa
import sqlalchemy as sa

from analytics.core.errors import PacsmeterError


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


@dataclass(frozen=True)
class Part:
    """The end of a piece of a source that was read whole: everything since the last one is in it.

    A load that is cut off goes on after the last part that it finished. What the parts hold together replaces what
    the source held before, in one step, when the last one is there.

    Attributes
    ----------
    name : unique in the source, and the same when it is asked again: ``studies 2026-01-01..2026-01-31``.
    records : how many records the source gave for it.
    first, last : the dates it covers, where it is a range of dates.
    kept_studies : studies that did not change since the last load: their rows, and their series', are taken over.
    kept_series : studies whose own row is given anew, and whose series' rows are taken over.
    marks : what to remember once this part is safe; an empty value forgets the mark.
    is_settled : whether a load that is cut off goes on after it. The last part of a crawl may not be: it is read again,
        since what it covers is other tomorrow.
    """

    name: str
    records: int
    first: date | None = None
    last: date | None = None
    kept_studies: tuple[str, ...] = ()
    kept_series: tuple[str, ...] = ()
    marks: Mapping[str, str] = field(default_factory=dict)
    is_settled: bool = True


class BeginAnew(PacsmeterError):
    """A load that cannot use what it has read so far: the next one does not go on from there."""


@dataclass
class Coverage:
    """What a source held: filled in while it is read, true when it has been read to the end.

    Attributes
    ----------
    complete : the tables for which the source gave everything it has, by name; rows of this source that it no
        longer gives are removed from those.
    kept_before : study date before which a crawl was not asked to look: what is known from before stays as it is.
    covered_from, covered_to : first and last date of what was read.
    gone : files that an earlier load read and that are no longer there.
    retracted : accession number and SWIM event (every event and the order, where empty) that the source takes back.
    marks : what to remember for the next load once this one is done: where to go on from.
    own_studies : how many studies the source itself says it has, and what it means where that is more than we make.
    notes : what a reader of the load's record should know, each with how often it happened.
    """

    complete: set[str] = field(default_factory=set)
    kept_before: date | None = None
    covered_from: date | None = None
    covered_to: date | None = None
    gone: set[str] = field(default_factory=set)
    retracted: set[tuple[str, str]] = field(default_factory=set)
    marks: dict[str, str] = field(default_factory=dict)
    own_studies: tuple[int, str] | None = None
    notes: Counter[str] = field(default_factory=Counter)

    def cover(self, first: date | None, last: date | None) -> None:
        """Widen the dates to hold two more."""
        self.covered_from = min(filter(None, (self.covered_from, first)), default=None)
        self.covered_to = max(filter(None, (self.covered_to, last)), default=None)


UNREADABLE_FOLDER = "unreadable_folder"
"""Reason code of a place that a walk could not look into; what was read there before is kept."""

KnownFiles = dict[str, tuple[int, int]]
"""Path to (size in bytes, modified time in ns) of files that an earlier load read."""


@dataclass(frozen=True)
class KnownStudy:
    """How a study stood in the warehouse after the last load of its source: its numbers, and what its series say."""

    study_instance_uid: str
    number_of_series: int | None
    number_of_instances: int | None
    modality: str | None = None
    station_name: str | None = None
    manufacturer: str | None = None
    manufacturer_model_name: str | None = None
    body_part_examined: str | None = None


class Known:
    """What earlier loads of a source left in the warehouse: what need not be read again. This one knows nothing.

    Attributes
    ----------
    files : files that were read, for a source that reads files.
    marks : what the last load remembered (`Coverage.marks`, `Part.marks`).
    finished : names of the parts that this load finished before it was cut off; they are not asked for again.
    """

    def __init__(self) -> None:
        self.files: KnownFiles = {}
        self.marks: dict[str, str] = {}
        self.finished: frozenset[str] = frozenset()

    def studies(self, first: date | None, last: date | None) -> dict[str, KnownStudy]:
        """Return the studies of the source with a study date in a range, by UID; both ends empty: without a date."""
        return {}

    def records(self, record_keys: Sequence[str]) -> dict[str, str]:
        """Return which of the archive's own records are known (`studies.record_key`), with their study's UID."""
        return {}


@dataclass(frozen=True)
class Identity:
    """Who a patient is, as the source says now. Shown to a permitted user; never stored, logged or put in an error."""

    patient_id: str
    patient_name: str
    patient_birth_date: str


class Source(Protocol):
    """One place that facts come from.

    A source that can ask who a patient is has a method ``identities(study_instance_uid) -> list[Identity]`` as well;
    one of files has ``identities_in(study_instance_uid, stored_paths)`` instead. One in parts has ``read_as``: the
    options that decide about its rows, as text. What was read by others is not gone on from.

    Attributes
    ----------
    source_id : permanent name a site gives the source: ``main-archive``.
    kind : one of `KINDS`.
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

    def batches(self, known: Known, progress: Callable[[str, int, int | None], None]) -> Iterator[Batch | Part]:
        """Yield what the source holds, in batches of bounded size; a source in parts ends each with a `Part`."""
        ...


@dataclass(frozen=True)
class Kind:
    """How the sources of one kind are loaded.

    Attributes
    ----------
    from_files : it reads files and remembers each in ``files``: one that did not change is not read again.
    rolled_up : it gives objects, and studies and series are made from them.
    in_parts : it yields `Part`s of studies and series.
    partial_rows : a row gives only what its message says: an empty value leaves what was known.
    """

    from_files: bool = False
    rolled_up: bool = False
    in_parts: bool = False
    partial_rows: bool = False


KINDS: dict[str, Kind] = {
    "dicom_folder": Kind(from_files=True, rolled_up=True),
    "index_export": Kind(),
    "ris_events": Kind(),
    "orthanc": Kind(rolled_up=True),
    "orthanc_rest": Kind(in_parts=True),
    "dcm4chee": Kind(),
    "dicomweb": Kind(in_parts=True),
    "cfind": Kind(in_parts=True),
    "hl7": Kind(from_files=True, partial_rows=True),
    "fhir": Kind(from_files=True, partial_rows=True),
    "sole": Kind(from_files=True, partial_rows=True),
}
"""Every kind of source, and how it is loaded."""
