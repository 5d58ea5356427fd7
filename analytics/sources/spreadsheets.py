"""Reading one sheet of a workbook (.xlsx, .xls, .ods) row by row: cells as the person who made it sees them.

A sheet holds at most 1,048,576 rows (ECMA-376); the reader holds one sheet, never the workbook.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from python_calamine import CalamineError, CalamineSheet, PasswordError, load_workbook

from analytics.core.errors import PacsmeterError

FORMATS = (".xlsx", ".xls", ".ods")
ROWS_PER_CHUNK = 20_000


class Sheet:
    """One sheet of a workbook, its columns named by one row.

    Parameters
    ----------
    path : Path
    name : str
        The first sheet where empty.
    header_row : int
        Number of the row, from 1, that names the columns; what stands above it is passed over.
    written_in : str
        The source file and the section, for errors.
    """

    def __init__(self, path: Path, name: str, header_row: int, written_in: str) -> None:
        self._path, self._name, self._header_row, self._written_in = path, name, header_row, written_in

    def names(self) -> list[str]:
        """Return the names of the columns, as far as they have one.

        Raises
        ------
        PacsmeterError
            The workbook is damaged or locked with a password, or has no such sheet or row.
        """
        with self._opened() as sheet:
            return [name for name in self._header(sheet) if name]

    def rows(self, columns: Sequence[str]) -> Iterator[tuple[pa.RecordBatch, npt.NDArray[np.int64]]]:
        """Yield some rows at a time, of the columns that are named alone, and the number of each row in the sheet.

        A column whose cells are all dates, or dates and times, is one of dates or instants; every other is text:
        numbers without a needless fraction. A row without any cell in these columns is no row. A cell that shows an
        error (``#N/A``) is an empty one.
        """
        with self._opened() as sheet:
            header = self._header(sheet)
            places = [header.index(name) for name in columns]
            held: list[list[Any]] = []
            lines: list[int] = []
            for number, row in enumerate(sheet.iter_rows(), 1):
                if number <= self._header_row:
                    continue
                cells = [row[place] for place in places]
                if any(cell != "" for cell in cells):
                    held.append(cells)
                    lines.append(number)
                if len(held) == ROWS_PER_CHUNK:
                    yield _batch(columns, held), np.array(lines, np.int64)
                    held, lines = [], []
            yield _batch(columns, held), np.array(lines, np.int64)

    def _header(self, sheet: CalamineSheet) -> list[str]:
        for number, row in enumerate(sheet.iter_rows(), 1):
            if number == self._header_row:
                return [_shown(cell).strip() for cell in row]
        raise PacsmeterError(f"The sheet has no row {self._header_row} that names its columns",
                             f"Set `header_row` in {self._written_in}.", str(self._path))

    @contextlib.contextmanager
    def _opened(self) -> Iterator[CalamineSheet]:
        """Open the sheet; the reader's own messages may quote a cell, and are never shown."""
        try:
            with load_workbook(str(self._path)) as workbook:
                there = workbook.sheet_names
                if self._name and self._name not in there:
                    raise PacsmeterError(f"The workbook has no sheet {self._name!r}, which {self._written_in} names",
                                         f"There is: {', '.join(there)}.", str(self._path))
                yield workbook.get_sheet_by_name(self._name) if self._name else workbook.get_sheet_by_index(0)
        except PasswordError:
            raise PacsmeterError("The workbook is locked with a password", "Save it without one.", str(self._path)
                                 ) from None
        except (CalamineError, OSError, IndexError):
            raise PacsmeterError("The workbook is damaged, cut off, or not of the kind its name says",
                                 "Save it again.", str(self._path)) from None


def _batch(columns: Sequence[str], rows: list[list[Any]]) -> pa.RecordBatch:
    by_column = zip(*rows, strict=True) if rows else [() for _ in columns]
    return pa.RecordBatch.from_arrays([_column(cells) for cells in by_column], names=list(columns))


def _column(cells: Sequence[Any]) -> pa.Array:
    kinds = {type(cell) for cell in cells if cell != ""}
    if kinds == {date}:
        return pa.array([None if cell == "" else cell for cell in cells], pa.date32())
    if kinds and kinds <= {date, datetime}:
        return pa.array([None if cell == "" else _instant(cell) for cell in cells], pa.timestamp("us"))
    return pa.array([_shown(cell) for cell in cells], pa.string())


def _instant(cell: date) -> datetime:
    """Return a cell as a date and a time: one that shows no time is at midnight, as its number says."""
    return cell if isinstance(cell, datetime) else datetime.combine(cell, time())


def _shown(cell: Any) -> str:
    """Write a cell as text."""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime):
        return cell.isoformat(" ")
    if isinstance(cell, timedelta):
        hours, seconds = divmod(round(cell.total_seconds()), 3_600)
        return f"{hours:02}:{seconds // 60:02}:{seconds % 60:02}"
    return str(cell)
