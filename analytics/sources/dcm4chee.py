"""A dcm4chee archive, by its own database: studies, series, worklist, performed procedure steps and merged patients.

``size_bytes`` is bytes as stored: what a study takes on all storages, since that is what is paid for. dcm4chee's own
``study_size`` and ``series_size`` count each object once, by its largest copy; where a study lies on one storage that
is the same, and is read; where it lies on several, or the archive has not worked it out (-1, -2), the sizes of the
files are added up, each copy for itself. A file that several objects share (a study copied to another patient) counts
for each of them, and how many bytes that counts again is noted.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa
import sqlalchemy as sa

from analytics.core.database_url import parse_url
from analytics.core.errors import PacsmeterError
from analytics.core.progress import Progress
from analytics.core.secrets import with_password
from analytics.sources import dcm4chee_index as index
from analytics.sources.archive_database import read_only, reading_failed, shown
from analytics.sources.base import Batch, Coverage, Identity, Known
from analytics.sources.dcm4chee_rows import Rows, identity_of, plain
from analytics.sources.dcm4chee_workflow import NO_ACCESSION, event_rows, merge_rows, order_rows, without_accession
from analytics.sources.patient import PatientEdge
from analytics.warehouse.engine import table_schema
from analytics.warehouse.schema import events, orders, patient_merges, series, studies

if TYPE_CHECKING:
    from analytics.sources.open import Options

_EXAMPLE = "dcm4chee+postgresql://user@host/database"
_NAME = "dcm4chee"
_READING = "reading dcm4chee's database"


T = TypeVar("T")


def _batch(table: sa.Table, rows: list[dict[str, Any]]) -> Batch:
    schema = table_schema(table)
    schema = schema.remove(schema.get_field_index("source_id"))
    return Batch(table, pa.RecordBatch.from_pylist(rows, schema=schema), records_read=len(rows))


class Dcm4chee:
    """A dcm4chee archive; see `analytics.sources.base.Source`.

    Parameters
    ----------
    url : sqlalchemy.URL
        Of its database.
    edge : PatientEdge
    zone : str
        IANA zone of the server that the archive runs on, in which it writes its own times, and of the devices.
    """

    kind = "dcm4chee"

    def __init__(self, source_id: str, url: sa.URL, edge: PatientEdge, zone: str, site: str | None = None,
                 is_demo: bool = False) -> None:
        self.source_id, self.site, self.is_demo = source_id, site, is_demo
        self.location = shown(url, _NAME)
        self.coverage = Coverage()
        self._url, self._edge, self._zone = url, edge, zone

    def batches(self, known: Known, progress: Progress) -> Iterator[Batch]:
        """Yield what the archive holds, in one state of it, after checking that every study and series came."""
        self.coverage = Coverage()
        yield from self._guarded(lambda connection: self._all(connection, progress))
        self.coverage.notes = +self.coverage.notes  # what never happened is no note
        self.coverage.complete |= {"studies", "series", "orders", "events", "patient_merges"}

    def identities(self, study_instance_uid: str) -> list[Identity]:
        """Return who the patient of a study is, as the archive says now; none where it does not hold the study."""
        rows = self._rows()

        def asked(connection: sa.Connection) -> Iterator[Identity]:
            for record in map(dict, connection.execute(index.study_identities(study_instance_uid)).mappings()):
                yield identity_of(record, plain(rows.patient_id(record)))

        return list(self._guarded(asked))

    def _guarded(self, read: Callable[[sa.Connection], Iterator[T]]) -> Iterator[T]:
        """Read in one transaction; whatever breaks is one line that quotes nothing of the database."""
        try:
            with read_only(self._url, _NAME, self.location) as connection:
                index.prepare(connection, self.location)
                yield from read(connection)
        except sa.exc.DBAPIError as error:
            raise reading_failed(error, _NAME, self.location, _EXAMPLE) from None

    def _rows(self) -> Rows:
        return Rows(self._edge, self._zone, self.site, self.coverage.notes)

    def _all(self, connection: sa.Connection, progress: Progress) -> Iterator[Batch]:
        rows = self._rows()
        yield from self._studies(connection, rows, progress)
        for table, made in ((orders, order_rows), (events, event_rows), (patient_merges, merge_rows)):
            yield from _batches(table, made(connection, rows))
        notes = self.coverage.notes
        notes[NO_ACCESSION] += without_accession(connection)
        shared, again = index.shared_bytes(connection)
        if shared:
            notes[f"files are shared by several objects, which counts {again:,} bytes again"] += shared

    def _studies(self, connection: sa.Connection, rows: Rows, progress: Progress) -> Iterator[Batch]:
        expected = {table.name: index.count(connection, table) for table in (index.study, index.series)}
        read, read_series, after = 0, 0, -1
        while page := [dict(row) for row in connection.execute(index.study_page(after)).mappings()]:
            uids = {record["pk"]: record["study_iuid"] for record in page}
            for part in index.stream(connection, index.series_page(after, page[-1]["pk"])):
                read_series += len(part)
                yield _batch(series, [rows.series(record, uids[record["study_fk"]]) for record in part])
            made = [rows.study(record) for record in page]
            for row in made:
                self.coverage.cover(row["study_date"], row["study_date"])
            read, after = read + len(made), page[-1]["pk"]
            yield _batch(studies, made)
            progress(_READING, read, expected["study"])
        if (read, read_series) != (expected["study"], expected["series"]):
            raise PacsmeterError(
                f"dcm4chee's database holds {expected['study']:,} studies and {expected['series']:,} series, and "
                f"{read:,} and {read_series:,} could be read", "Have the database checked: series may have lost their "
                "study.", self.location)


def _batches(table: sa.Table, rows: Iterable[dict[str, Any]]) -> Iterator[Batch]:
    rows = iter(rows)
    while part := list(itertools.islice(rows, index.ROWS_AT_ONCE)):
        yield _batch(table, part)


def open_dcm4chee(named: str, options: Options) -> Dcm4chee:
    """Open the archive that a URL names.

    Parameters
    ----------
    named : str
        ``dcm4chee+postgresql://user@host/database``; a password that is not in the URL is found by
        `analytics.core.secrets`, or taken from ``PGPASSWORD`` or ``~/.pgpass``.
    options : Options
        ``zone`` is that of the server that the archive runs on: its own times have none.

    Raises
    ------
    PacsmeterError
        It is not such a URL.
    """
    source_id = options.source_id or _NAME
    url = parse_url(named.removeprefix("dcm4chee+"), "the URL of dcm4chee's database")
    return Dcm4chee(source_id, with_password(url, source_id, options.password), options.edge, options.zone,
                    options.site, options.is_demo)
