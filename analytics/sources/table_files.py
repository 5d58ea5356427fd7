"""Reading an export, CSV, Parquet or a sheet, in Arrow batches of bounded size; each row knows its line."""

from __future__ import annotations

import codecs
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pa_parquet

from analytics.core.errors import PacsmeterError
from analytics.sources.base import Rejected
from analytics.sources.source_file import TableMapping, closest, suggestion
from analytics.sources.spreadsheets import FORMATS as SHEET_FORMATS
from analytics.sources.spreadsheets import Sheet

ROWS_PER_CHUNK = 100_000
_BLOCK_BYTES = 8 << 20


@dataclass(frozen=True)
class Chunk:
    """Some rows of an export as they stand there, the line of each, and the lines that are no rows."""

    rows: pa.RecordBatch
    lines: npt.NDArray[np.int64]
    rejected: tuple[Rejected, ...] = ()


class TableFile:
    """One export on disk.

    Parameters
    ----------
    mapping : TableMapping
        What the source file says about it.
    """

    def __init__(self, mapping: TableMapping) -> None:
        self.mapping = mapping
        self.path = mapping.file
        self._is_parquet = self.path.name.lower().endswith(".parquet")
        self._sheet = (Sheet(self.path, mapping.sheet, mapping.header_row, mapping.written_in)
                       if self.path.name.lower().endswith(SHEET_FORMATS) else None)

    def check(self) -> None:
        """Make sure that the file is there and has the columns the source file names.

        Raises
        ------
        PacsmeterError
            It names what is missing, what there is, and what is close.
        """
        if not self.path.is_file():
            raise PacsmeterError("The export is not there", f"Check `file` in {self.mapping.written_in}.",
                                 str(self.path))
        if self.path.stat().st_size == 0:
            raise PacsmeterError("The export is empty (0 bytes)", "Export it again.", str(self.path))
        names = self._names()
        for column in self.mapping.theirs:
            if column not in names:
                one = ("" if len(names) != 1 else
                       " If another row names its columns, set `header_row`." if self._sheet else
                       " If its columns are parted by another sign than a comma, set `delimiter`.")
                raise PacsmeterError(f"The export has no column {column!r}, which {self.mapping.written_in} names",
                                     self._what_there_is(column, names) + one, str(self.path))
            if names.count(column) > 1:
                raise PacsmeterError(f"The export has the column {column!r} {names.count(column)} times",
                                     "Export it once.", str(self.path))

    def _what_there_is(self, column: str, names: list[str]) -> str:
        """Name the columns that there are, unless the row taken for their names may be one of patients."""
        if set(self.mapping.theirs) & set(names):
            return suggestion(column, names)
        return (f"{closest(column, names)}It has none of the columns that are named there: the export may have lost "
                "the row of their names, and what stands in its place is not shown.")

    def chunks(self) -> Iterator[Chunk]:
        """Yield the rows, of the columns that are named alone."""
        if self._sheet:
            for rows, lines in self._sheet.rows(self.mapping.theirs):
                yield Chunk(rows, lines)
            return
        with self._clear_errors():
            yield from self._parquet() if self._is_parquet else self._csv()

    def _names(self) -> list[str]:
        if self._sheet:
            return self._sheet.names()
        with self._clear_errors():
            if self._is_parquet:
                return list(pa_parquet.read_schema(self.path).names)
            self._check_text()
            with self._open_csv([], lambda row: "skip") as reader:
                return list(reader.schema.names)

    def _check_text(self) -> None:
        """Raise where the beginning is not text: Arrow prints a traceback for a line that it cannot decode."""
        with pa.input_stream(str(self.path), compression="detect") as file:
            codecs.getincrementaldecoder(self.mapping.encoding)().decode(file.read(_BLOCK_BYTES))

    def _open_csv(self, columns: list[str], invalid: object) -> pa_csv.CSVStreamingReader:
        return pa_csv.open_csv(
            self.path,
            read_options=pa_csv.ReadOptions(use_threads=False, block_size=_BLOCK_BYTES, encoding=self.mapping.encoding),
            parse_options=pa_csv.ParseOptions(delimiter=self.mapping.delimiter, newlines_in_values=True,
                                              ignore_empty_lines=False, invalid_row_handler=invalid),
            convert_options=pa_csv.ConvertOptions(include_columns=columns, strings_can_be_null=False,
                                                  column_types={name: pa.string() for name in columns}))

    def _csv(self) -> Iterator[Chunk]:
        bad: dict[int, bool] = {}

        def passed_over(row: pa_csv.InvalidRow) -> str:
            bad[row.number] = bool(row.text.strip())
            return "skip"

        line = 2
        with self._open_csv(list(self.mapping.theirs), passed_over) as reader:
            for rows in reader:
                lines, line = _lines(line, rows.num_rows, bad)
                wrong = [number for number, has_text in bad.items() if has_text and number < line]
                bad = {number: text for number, text in bad.items() if number >= line}
                held = _held(rows)
                yield Chunk(rows.filter(pa.array(held)), lines[held],
                            tuple(self._wrong_width(number) for number in wrong))
        if any(bad.values()):
            none = pa.RecordBatch.from_pylist([], schema=pa.schema([(n, pa.string()) for n in self.mapping.theirs]))
            yield Chunk(none, np.empty(0, np.int64), tuple(self._wrong_width(n) for n, text in bad.items() if text))

    def _wrong_width(self, number: int) -> Rejected:
        return Rejected(f"{self.path.name}:{number}", "wrong_width",
                        "The line has more or fewer columns than the header; a value may hold an unquoted delimiter.")

    def _parquet(self) -> Iterator[Chunk]:
        line = 1
        with pa_parquet.ParquetFile(self.path) as file:
            for rows in file.iter_batches(ROWS_PER_CHUNK, columns=list(self.mapping.theirs)):
                yield Chunk(rows, np.arange(line, line + rows.num_rows))
                line += rows.num_rows

    def _begins_as_utf16(self) -> bool:
        with self.path.open("rb") as file:
            return file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

    @contextlib.contextmanager
    def _clear_errors(self) -> Iterator[None]:
        """Arrow's own messages quote the row, and with it a name: they are never shown."""
        try:
            yield
        except (pa.ArrowInvalid, UnicodeError, OSError, EOFError) as error:
            text = str(error).lower()
            if isinstance(error, UnicodeError) or "utf8" in text or "utf-8" in text:
                likely = "utf-16" if self._begins_as_utf16() else "latin-1"
                raise PacsmeterError(
                    f"The export is not written in {self.mapping.encoding}",
                    f"Set `encoding` in {self.mapping.written_in}, such as \"{likely}\".", str(self.path)) from None
            if "empty csv" in text:
                raise PacsmeterError("The export is empty", "Export it again.", str(self.path)) from None
            raise PacsmeterError("The export is damaged, cut off, or not of the kind its name says",
                                 "Export it again.", str(self.path)) from None


def _held(rows: pa.RecordBatch) -> npt.NDArray[np.bool_]:
    """Return which rows hold anything: a blank line is no row."""
    empty = np.ones(rows.num_rows, dtype=bool)
    for column in rows.columns:
        if not empty.any():
            break
        empty &= np.asarray(pc.equal(column, ""))
    return ~empty


def _lines(first: int, count: int, bad: dict[int, bool]) -> tuple[npt.NDArray[np.int64], int]:
    """Number the rows of a batch, stepping over the lines that were skipped; return the next line as well."""
    last = first + count
    skipped = sorted(number for number in bad if number >= first)
    for number in skipped:
        if number < last:
            last += 1
    lines = np.arange(first, last)
    return lines[~np.isin(lines, skipped)], last
