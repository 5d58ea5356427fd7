"""The event times of a RIS, under SWIM's names: one row an event (long) or one row an exam (wide)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analytics.core.errors import PacsmeterError
from analytics.sources import values
from analytics.sources.base import Batch, Rejected
from analytics.sources.row_reader import RowReader
from analytics.sources.table_files import Chunk
from analytics.warehouse.engine import table_schema
from analytics.warehouse.schema import events

MANY_NAMES = 200
"""More different unknown events than this in one batch: the column holds something else, such as names."""


def event_batches(reader: RowReader) -> Iterator[Batch]:
    """Yield the events of one chunk of an export.

    Parameters
    ----------
    reader : RowReader
        Of the chunk, with the mapping that says which shape the export has.
    """
    yield from _wide(reader) if reader.mapping.shape == "wide" else _long(reader)


def _wide(reader: RowReader) -> Iterator[Batch]:
    """Give one batch for each event's column; an empty cell is an event that has not happened."""
    rows, lines = reader.chunk.rows, reader.chunk.lines
    if reader.chunk.rejected:
        yield Batch(events, _no_events(), reader.chunk.rejected, len(reader.chunk.rejected))
    for event, column in reader.mapping.events.items():
        happened = pc.is_valid(values.text(rows.column(column)))
        part = reader.of(Chunk(rows.filter(happened), lines[np.asarray(happened)]))
        part.columns["accession_number"] = values.text(part.theirs("accession_number"))
        part.columns["event"] = pa.repeat(event, part.count)
        part.columns["event_at"] = part.instants(part.chunk.rows.column(column), column)
        part.columns["origin"] = pa.repeat(column, part.count)
        part.keys()
        yield part.batch(column)


def _no_events() -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist([], schema=table_schema(events))


def _long(reader: RowReader) -> Iterator[Batch]:
    """Give the events whose names the source file knows, and the other names with how often they came."""
    ours = {theirs: event for event, theirs in reader.mapping.events.items()}
    written = values.text(reader.theirs("event"))
    place = pc.index_in(written, value_set=pa.array(list(ours), pa.string()))
    unknown = pc.and_(pc.is_valid(written), pc.is_null(place))
    known = pc.invert(unknown)
    part = reader.of(Chunk(reader.chunk.rows.filter(known), reader.chunk.lines[np.asarray(known)],
                           reader.chunk.rejected + _unknown_names(reader, written, unknown)))
    part.read()
    part.columns["event"] = pa.array(list(ours.values()), pa.string()).take(place.filter(known))
    part.columns.setdefault("origin", written.filter(known))
    part.keys()
    yield part.batch()


def _unknown_names(reader: RowReader, written: pa.Array, unknown: pa.Array) -> tuple[Rejected, ...]:
    names = written.filter(unknown)
    counted = pc.value_counts(names).to_pylist() if len(names) else []
    if len(counted) > MANY_NAMES:
        raise PacsmeterError(
            f"{reader.said('event')} holds {len(counted):,} different values that are no events",
            f"Check which column holds the event's name in {reader.mapping.written_in}.", str(reader.mapping.file))
    where = f"{reader.mapping.written_in[:-1]}.events]"
    if counted and len(names) == len(written) - written.null_count:  # the column may hold names: they are not said
        first = reader.chunk.lines[np.asarray(unknown)][0]
        return (Rejected(f"{reader.mapping.file.name}:{first}", "unknown_event",
                         f"From here on {reader.said('event')} holds no event that {where} names; add its events there "
                         "under SWIM's names, or name the column that holds them.", len(names)),)
    return tuple(
        Rejected(f"{reader.mapping.file.name} event {one['values']!r}", "unknown_event",
                 f"The event {one['values']!r} is not named in {where}; add it there under SWIM's name, or leave it "
                 "out of the export.", one["counts"])
        for one in counted)
