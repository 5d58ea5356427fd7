"""Reading the rows of an export into a table of the warehouse, with the reason for each that cannot be used."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from analytics.sources import values
from analytics.sources.base import Batch, Coverage, Identity, Rejected
from analytics.sources.identities import birth_date_keys, completed_years, name_keys, patient_keys
from analytics.sources.patient import PatientEdge
from analytics.sources.source_file import TableMapping
from analytics.sources.table_files import Chunk
from analytics.warehouse.engine import table_schema

NOT_CALCULATED = frozenset({"size_bytes", "number_of_series", "number_of_instances"})
"""Columns in which an archive writes a negative number for what it has not calculated yet."""


class RowReader:
    """Reads the rows of one chunk, column by column, and keeps the first fault of each row.

    Parameters
    ----------
    mapping, chunk : what the source file says, and the rows as they stand in the export.
    edge : the site's.
    zone : IANA zone of times without an offset.
    coverage : takes the notes.
    """

    def __init__(self, mapping: TableMapping, chunk: Chunk, edge: PatientEdge, zone: str,
                 coverage: Coverage) -> None:
        self.mapping, self.chunk, self.zone, self.coverage = mapping, chunk, zone, coverage
        self._edge = edge
        self.count = chunk.rows.num_rows
        self.faults: dict[int, tuple[str, str]] = {}
        self.columns: dict[str, pa.Array] = {}
        self._born: pa.Array | None = None

    def of(self, chunk: Chunk) -> RowReader:
        """Return a reader like this one for other rows."""
        return RowReader(self.mapping, chunk, self._edge, self.zone, self.coverage)

    def theirs(self, ours: str) -> pa.Array:
        """Return what the export has for a column of ours."""
        return values.joined([self.chunk.rows.column(name) for name in self.mapping.columns[ours]])

    def fault(self, rows: npt.NDArray[np.bool_], code: str, reason: str) -> None:
        """Mark rows that cannot be used."""
        for row in np.flatnonzero(rows):
            self.faults.setdefault(int(row), (code, reason))

    def said(self, ours: str) -> str:
        """Name a column as the export does."""
        return " + ".join(self.mapping.columns[ours])

    def take(self, found: values.Read, name: str, kind: str, how: str) -> pa.Array:
        """Keep what could be read of a column of theirs and mark the rows where it could not."""
        self.fault(found.bad, f"bad_{kind}", f"{name} is not {how}; correct it in the export, or how it is read in "
                                             f"{self.mapping.written_in}.")
        if found.clock_changes:
            self.coverage.notes[values.CLOCK_CHANGE] += found.clock_changes
        return found.values

    def instants(self, column: pa.Array, name: str) -> pa.Array:
        """Read a column of instants."""
        how = f"a time written {self.mapping.instant_format or '2026-01-31 14:05:00 (ISO 8601)'}"
        return self.take(values.instant(column, self.zone, self.mapping.instant_format), name, "instant", how)

    def dates(self, ours: str) -> pa.Array:
        """Read a column of dates."""
        how = f"a date written {self.mapping.date_format or '2026-01-31'}"
        return self.take(values.date(self.theirs(ours), self.mapping.date_format), self.said(ours), "date", how)

    def typed(self, ours: str, type_: pa.DataType) -> pa.Array:
        """Read one of our columns."""
        if pa.types.is_timestamp(type_):
            return self.instants(self.theirs(ours), self.said(ours))
        if pa.types.is_date(type_):
            return self.dates(ours)
        if pa.types.is_boolean(type_):
            return self.take(values.boolean(self.theirs(ours)), self.said(ours), "boolean", "yes or no")
        if pa.types.is_string(type_):
            return self._mapped(ours, values.text(self.theirs(ours)))
        scale = self.mapping.scale.get(ours)
        if pa.types.is_integer(type_):
            found = self.take(values.integer(self.theirs(ours), scale), self.said(ours), "number", "a whole number")
            return self._calculated(ours, found)
        return self.take(values.number(self.theirs(ours), scale), self.said(ours), "number", "a number")

    def _calculated(self, ours: str, numbers: pa.Array) -> pa.Array:
        if ours not in NOT_CALCULATED:
            return numbers
        negative = pc.less(numbers, 0)
        found = pc.sum(negative).as_py() or 0
        if found:
            self.coverage.notes[f"values of {self.said(ours)} are negative, which an archive writes for what it has "
                                "not calculated, and were left empty"] += found
        return pc.if_else(negative, pa.scalar(None, numbers.type), numbers)

    def _mapped(self, ours: str, written: pa.Array) -> pa.Array:
        table = self.mapping.values.get(ours)
        if not table:
            return written
        place = pc.index_in(written, value_set=pa.array(list(table), pa.string()))
        return pc.coalesce(pa.array(list(table.values()), pa.string()).take(place), written)

    def identities(self) -> None:
        """Put pseudonyms in the place of identities."""
        given, table = self.mapping.columns, self.mapping.table
        if "patient_id" in given:
            self.columns["patient_key"] = patient_keys(self.theirs("patient_id"), self._edge.pseudonymizer)
        elif "patient_key" in table.primary_key.columns:
            self.columns["patient_key"] = pa.array([""] * self.count, pa.string())
        if "patient_name" in given:
            self.columns["name_key"] = name_keys(self.theirs("patient_name"), self._edge.pseudonymizer)
        if "patient_birth_date" in given:
            days = self.dates("patient_birth_date")
            self.columns["birth_date_key"] = birth_date_keys(days, self._edge.pseudonymizer)
            if "patient_birth_year" not in given and self._edge.birth == "year":
                self.columns["patient_birth_year"] = pc.year(days)
            self._born = days

    def identities_of(self, study_instance_uid: str) -> list[Identity]:
        """Return whom the rows of a study are of, as the export has it: for a permitted look-up alone."""
        wanted = pc.fill_null(pc.equal(values.text(self.theirs("study_instance_uid")), study_instance_uid), False)
        if not pc.any(wanted).as_py():
            return []
        written = [values.text(self.theirs(name), nulls=False).filter(wanted).to_pylist()
                   if name in self.mapping.columns else None
                   for name in ("patient_id", "patient_name", "patient_birth_date")]
        texts = [column or [None] * pc.sum(wanted).as_py() for column in written]
        return list(dict.fromkeys(Identity(*(text or "" for text in row)) for row in zip(*texts, strict=True)))

    def _keep_of_birth(self) -> None:
        """Keep no more of a birth date than the site wants, whether the export has a date, a year or an age."""
        if self._edge.birth == "year":
            return
        self.columns.pop("patient_birth_year", None)
        written = self.columns.pop("patient_age_years", None)
        if self._edge.birth == "age" and "patient_age_years" in self.mapping.table.c:
            ages = [] if written is None else [pc.floor(written)]
            if self._born is not None:
                ages.append(completed_years(self._born, self._exam_dates()).cast(pa.float64()))
            if ages:
                self.columns["patient_age_years"] = pc.coalesce(*ages)

    def _exam_dates(self) -> pa.Array:
        """Return the day of each exam on the site's clock."""
        if "study_date" in self.columns:
            return self.columns["study_date"]
        if "study_at" not in self.columns:
            return pa.nulls(self.count, pa.date32())
        here = self.columns["study_at"].cast(pa.timestamp("us", tz=self.zone))
        return pc.local_timestamp(here).cast(pa.date32(), safe=False)

    def read(self) -> None:
        """Read every column that the source file names."""
        self.identities()
        for field in table_schema(self.mapping.table):
            if field.name in self.mapping.columns:
                self.columns[field.name] = self.typed(field.name, field.type)
            elif field.name in self.mapping.constants:
                self.columns[field.name] = _constant(self.mapping, field, self.count)
        self._keep_of_birth()
        if self.mapping.table.name == "instances":
            self.columns.setdefault("path", pa.array([""] * self.count, pa.string()))

    def keys(self) -> None:
        """Mark rows without a value that a row cannot be without."""
        for column in self.mapping.table.columns:
            if column.name in self.columns and (column.primary_key or not column.nullable):
                name = self.said(column.name) if column.name in self.mapping.columns else column.name
                self.fault(np.asarray(pc.is_null(self.columns[column.name])), "empty_key",
                           f"{name} is empty, and a row cannot be without it; fill it in the export.")

    def batch(self, cell: str = "") -> Batch:
        """Return the rows that are in order, and the others with the reason of each.

        Parameters
        ----------
        cell : str
            The column of theirs that the rows are made from, where a line of the export makes several.
        """
        where = f"{self.mapping.file.name}:{{}} {cell}".rstrip()
        rejected = tuple(Rejected(where.format(self.chunk.lines[row]), code, reason)
                         for row, (code, reason) in sorted(self.faults.items()))
        rows = pa.RecordBatch.from_pydict(self.columns)
        if self.faults:
            good = np.ones(self.count, dtype=bool)
            good[list(self.faults)] = False
            rows = rows.filter(pa.array(good))
        passed_over = sum(bad.count for bad in self.chunk.rejected)
        return Batch(self.mapping.table, rows, self.chunk.rejected + rejected, self.count + passed_over)


def _constant(mapping: TableMapping, field: pa.Field, count: int) -> pa.Array:
    return pa.array([mapping.constants[field.name]] * count).cast(field.type)
