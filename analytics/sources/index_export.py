"""The export of a PACS index, CSV or Parquet: what a site with a closed PACS has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from analytics.core.progress import Progress
from analytics.sources.base import Batch, Coverage, Identity, Known
from analytics.sources.patient import PatientEdge
from analytics.sources.ris_events import event_batches
from analytics.sources.row_reader import RowReader
from analytics.sources.source_file import SourceFile
from analytics.sources.table_files import TableFile
from analytics.warehouse.schema import events


class IndexExport:
    """A source of one or more exported tables; see `analytics.sources.base.Source`.

    Parameters
    ----------
    file : SourceFile
    edge : PatientEdge
    zone : str
        The site's zone, where the source file names none.
    """

    def __init__(self, file: SourceFile, edge: PatientEdge, zone: str) -> None:
        self.source_id, self.kind, self.is_demo = file.source_id, file.kind, file.is_demo
        self.location = str(file.path.resolve())
        self.site: str | None = None
        self.coverage = Coverage()
        self._file, self._edge, self._zone = file, edge, file.zone or zone

    def batches(self, known: Known, progress: Progress) -> Iterator[Batch]:
        """Yield every table, after making sure that each export is there and has its columns."""
        self.coverage = Coverage()
        files = [TableFile(mapping) for mapping in self._file.tables]
        for file in files:
            file.check()
        for file in files:
            read = 0
            for chunk in file.chunks():
                read += chunk.rows.num_rows
                reader = RowReader(file.mapping, chunk, self._edge, self._zone, self.coverage)
                yield from self._rows(reader)
                progress(f"reading {file.path.name}", read, None)
            if file.mapping.complete:
                self.coverage.complete.add(file.mapping.table.name)

    def identities(self, study_instance_uid: str) -> list[Identity]:
        """Return whom a study is of: the exports are read until a row of it comes, and no further."""
        for mapping in self._file.tables:
            if not {"study_instance_uid", "patient_id"} <= set(mapping.columns):
                continue
            file = TableFile(mapping)
            file.check()
            for chunk in file.chunks():
                found = RowReader(mapping, chunk, self._edge, self._zone, self.coverage).identities_of(
                    study_instance_uid)
                if found:
                    return found
        return []

    def _rows(self, reader: RowReader) -> Iterator[Batch]:
        if reader.mapping.table is events:
            batches = event_batches(reader)
        else:
            reader.read()
            reader.keys()
            batches = iter([reader.batch()])
        for batch in batches:
            self.coverage.cover(*_dates(batch.rows))
            yield batch


def _dates(rows: pa.RecordBatch) -> tuple[Any, Any]:
    """Return the first and last date of the studies or events of a batch."""
    for name in ("study_date", "study_at", "event_at"):
        if name in rows.schema.names and rows.num_rows:
            ends = pc.min_max(rows.column(name).cast(pa.date32(), safe=False)).as_py()
            return ends["min"], ends["max"]
    return None, None
