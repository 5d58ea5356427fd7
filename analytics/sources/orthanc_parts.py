"""Parts of a crawl of an Orthanc: rows of the studies that were asked for, and which others are kept."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import sqlalchemy as sa

from analytics.core.progress import Progress
from analytics.sources.base import Batch, Known, Part, Rejected
from analytics.sources.orthanc_crawl import Crawl
from analytics.sources.orthanc_increment import RECORDS_AT_ONCE
from analytics.sources.orthanc_reader import Read, Reader
from analytics.sources.orthanc_studies import PREFIXES, Studies, public_id
from analytics.sources.orthanc_study import Row
from analytics.sources.patient import PatientEdge
from analytics.warehouse.engine import table_schema
from analytics.warehouse.schema import series, studies

ROWS_AT_ONCE = 20_000
WITHOUT_UID = "studies without a StudyInstanceUID"


class Parts:
    """Makes parts of what is read.

    Parameters
    ----------
    crawl : Crawl
        How far it is; it is brought up to date with each part.
    known : Known
    edge : PatientEdge
    found : Studies
        All that are there.
    asked : set of bytes, or None
        Those to ask for; all of them where nothing is said.
    reader : Reader
    progress : Progress
    """

    def __init__(self, crawl: Crawl, known: Known, edge: PatientEdge, found: Studies, asked: set[bytes] | None,
                 reader: Reader, progress: Progress) -> None:
        self._crawl, self._known, self._edge = crawl, known, edge
        self._found, self._asked, self._reader, self._progress = found, asked, reader, progress
        self._done = sum(1 for _ in found.of(0, crawl.next_prefix - 1)) if crawl.next_prefix else 0
        self._rows: dict[sa.Table, list[Row]] = {studies: [], series: []}
        self._rejected: list[Rejected] = []
        self._failed: list[str] = []
        self._records = self._given = 0

    def part(self, first: int, last: int) -> Iterator[Batch | Part]:
        """Yield the rows of studies whose ids begin with some bytes, and say which others are kept."""
        self._records = self._given = kept_records = 0
        kept: list[str] = []
        for some in self._found.chunks(first, last, RECORDS_AT_ONCE):
            unchanged = [one for one in some if self._asked is not None and one not in self._asked]
            kept += self._kept(unchanged)
            kept_records += len(unchanged)
            for read in self._reader.read(one for one in some if self._asked is None or one in self._asked):
                yield from self._take(read)
            self._done += len(some)
            self._progress("reading Orthanc", self._done, len(self._found))
        yield from self._flush()
        kept += self._known.records(self._failed).values()
        self._failed = []
        self._crawl.next_prefix = last + 1
        yield Part(f"studies {first:02x}..{last:02x}", self._records + kept_records, kept_studies=tuple(kept),
                   marks=self._crawl.mark())

    def without_uid(self) -> Iterator[Batch | Part]:
        """Yield the rows of studies without a StudyInstanceUID, wherever in the archive they are."""
        self._records = self._given = 0
        wanted = frozenset(self._crawl.without_uid)
        if not wanted:
            return
        yield from self._take(self._reader.read_without_uid(
            one for one in self._found.of(0, PREFIXES - 1) if self._edge.record_key(public_id(one)) in wanted))
        yield from self._flush()
        yield Part(WITHOUT_UID, self._records, marks=self._crawl.mark())

    def _kept(self, ids: list[bytes]) -> list[str]:
        for one in ids:
            self._crawl.keep(self._found.count(one) or (0, 0))
        return list(self._known.records([self._edge.record_key(public_id(one)) or "" for one in ids]).values())

    def _take(self, read: Read) -> Iterator[Batch]:
        self._crawl.left_out += read.too_early or read.rejected is not None
        if read.without_uid:
            self._crawl.without_uid.append(read.without_uid)
        if read.failed:  # what the last load knows of it stays, and it is asked for again
            self._failed.append(read.failed)
            self._crawl.ask_again.append(read.failed)
        if read.rejected:
            self._rejected.append(read.rejected)
            self._records += 1
        if read.rows:
            self._crawl.add(read.rows)
            self._records += read.rows.totals.studies
            self._rows[studies] += read.rows.studies
            self._rows[series] += read.rows.series
            if sum(map(len, self._rows.values())) >= ROWS_AT_ONCE:
                yield from self._flush()

    def _flush(self) -> Iterator[Batch]:
        records, self._given = self._records - self._given, self._records
        for table, rows in self._rows.items():
            if rows or records or self._rejected:
                schema = table_schema(table)
                schema = schema.remove(schema.get_field_index("source_id"))
                yield Batch(table, pa.RecordBatch.from_pylist(rows, schema=schema), tuple(self._rejected), records)
            self._rows[table], self._rejected, records = [], [], 0
