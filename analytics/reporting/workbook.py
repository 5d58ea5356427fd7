"""Tables as an Excel workbook: typed cells, and a sheet that says what the numbers mean and where they are from."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from analytics.core.errors import PacsmeterError
from analytics.core.filters import Filters
from analytics.core.quantity import BYTES, MINUTES, PERCENT
from analytics.core.results import LeftOut, MetricResult

ROWS_AT_MOST, TEXT_AT_MOST, NAME_AT_MOST = 1_048_575, 32_767, 31
ACCENT = "#1F4E79"
_NUMBER_FORMATS = {
    BYTES: '[>=1000000000000]#,##0.0,,,,\\ "TB";[>=1000000000]#,##0.0,,,\\ "GB";#,##0.0,,\\ "MB"',
    MINUTES: '#,##0.0\\ "min"', PERCENT: '0.0\\ "%"', "date": "yyyy-mm-dd", "instant": "yyyy-mm-dd hh:mm:ss",
    "whole": "#,##0", "number": "#,##0.00",
}


@dataclass(frozen=True)
class About:
    """What a reader must know beside the numbers: the workbook's and the report's last page.

    Attributes
    ----------
    title : what the document is.
    made_at : when it was made; the one instant in it that is not the data's.
    revision : snapshot of the warehouse that was read.
    data_until : last day of the data.
    filters : which exams it covers.
    definition, citation : of the numbers, where they are one metric's.
    left_out : what is not counted, and why.
    is_demo : whether the data is the demo hospital's.
    """

    title: str
    made_at: datetime
    revision: int
    filters: Filters = field(default_factory=Filters)
    data_until: date | None = None
    definition: str = ""
    citation: str = ""
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()
    is_demo: bool = False

    def rows(self) -> list[tuple[str, str]]:
        """Return what it says, one line each, without what is empty."""
        asked = "; ".join(f"{name.replace('_', ' ')}: {', '.join(values)}"
                          for name, values in self.filters.to_query().items())
        lines = [
            ("Document", self.title), ("Definition", self.definition), ("Source of the definition", self.citation),
            ("Filters", asked or "none: everything in the warehouse"), ("Snapshot", str(self.revision)),
            ("Data until", self.data_until.isoformat() if self.data_until else ""),
            ("Made at", self.made_at.strftime("%Y-%m-%d %H:%M %Z").strip()),
            *(("Left out", f"{item.n:,} {item.reason}") for item in self.left_out if item.n),
            *(("Note", note) for note in self.notes),
            ("Demo", "The data is of an invented hospital, made by pacsmeter; no person is behind it."
             if self.is_demo else ""),
        ]
        return [(label, text) for label, text in lines if text]


def about_result(result: MetricResult, filters: Filters, made_at: datetime, *, is_demo: bool = False) -> About:
    """Say about a workbook what a metric's result says about itself."""
    return About(title=result.spec.name, made_at=made_at, revision=result.revision, filters=filters,
                 definition=result.spec.definition, citation=result.spec.citation, left_out=result.left_out,
                 notes=result.notes, is_demo=is_demo)


def open_workbook(target: io.BytesIO, title: str) -> Workbook:
    """Open a workbook in memory in which no text is ever taken for a formula or a link."""
    book = xlsxwriter.Workbook(target, {
        "in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False,
        "nan_inf_to_errors": False, "default_format_properties": {"font_name": "Calibri", "font_size": 11},
    })
    book.set_properties({"title": title, "author": "pacsmeter"})
    return book


def number_format(unit: str) -> str:
    """Return Excel's number format for a UCUM unit; money is its ISO 4217 code."""
    if unit in _NUMBER_FORMATS:
        return _NUMBER_FORMATS[unit]
    return f'"{unit}"\\ #,##0' if re.fullmatch(r"[A-Z]{3}", unit) else _NUMBER_FORMATS["number"]


def sheet_names(wanted: Sequence[str]) -> list[str]:
    """Return names that Excel takes: at most 31 characters, none of ``[]:*?/\\``, all different, none reserved."""
    found: list[str] = []
    for name in wanted:
        clean = re.sub(r"[\[\]:*?/\\\x00-\x1f]", " ", name).strip(" '")[:NAME_AT_MOST].rstrip(" '") or "Sheet"
        candidate, number = clean, 1
        while candidate.lower() in {"history", "about", *(other.lower() for other in found)}:
            number += 1
            candidate = f"{clean[:NAME_AT_MOST - len(f' {number}')]} {number}"
        found.append(candidate)
    return found


def write_about(book: Workbook, about: About) -> None:
    """Write the sheet that says what the numbers mean and where they are from."""
    sheet = book.add_worksheet("About")
    bold, wrap = book.add_format({"bold": True, "valign": "top"}), book.add_format({"text_wrap": True})
    sheet.set_column(0, 0, 26)
    sheet.set_column(1, 1, 100)
    for row, (label, text) in enumerate(about.rows()):
        sheet.write_string(row, 0, label, bold)
        sheet.write_string(row, 1, text[:TEXT_AT_MOST], wrap)


class _Cells:
    """Writes values of a data frame as Excel's own types."""

    def __init__(self, book: Workbook, zone: ZoneInfo) -> None:
        self._book, self._zone = book, zone
        self._formats: dict[str, Format] = {}

    def format(self, kind: str) -> Format:
        if kind not in self._formats:
            self._formats[kind] = self._book.add_format({"num_format": number_format(kind)})
        return self._formats[kind]

    def write(self, sheet: Worksheet, row: int, column: int, value: Any, unit: str) -> None:
        if value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
            return
        if isinstance(value, str):
            sheet.write_string(row, column, value[:TEXT_AT_MOST])
        elif isinstance(value, bool):
            sheet.write_boolean(row, column, value)
        elif isinstance(value, datetime):
            local = value.astimezone(self._zone).replace(tzinfo=None) if value.tzinfo else value
            midnight = not value.tzinfo and local.time() == datetime.min.time()
            sheet.write_datetime(row, column, local, self.format("date" if midnight else "instant"))
        elif isinstance(value, date):
            sheet.write_datetime(row, column, datetime.combine(value, datetime.min.time()), self.format("date"))
        elif isinstance(value, int | float) and math.isfinite(value):
            kind = unit or ("whole" if isinstance(value, int) else "number")
            sheet.write_number(row, column, value, self.format("whole" if kind.startswith("{") else kind))
        else:
            sheet.write_string(row, column, str(value)[:TEXT_AT_MOST])


def _width(header: str, values: Sequence[Any]) -> float:
    longest = max((len(value) if isinstance(value, str) else 12 for value in values[:200] if value is not None),
                  default=8)
    return float(min(60, max(len(header) + 2, longest + 2)))


def _units_of(sheet: str, units: Mapping[str, Any]) -> dict[str, str]:
    """Return the units of a sheet's columns: its own before those of every sheet."""
    own = units.get(sheet)
    return {name: unit for name, unit in units.items() if isinstance(unit, str)} | (
        dict(own) if isinstance(own, Mapping) else {})


def table_workbook(sheets: Mapping[str, pd.DataFrame], about: About, site_zone: str = "UTC",
                   units: Mapping[str, str] | Mapping[str, Mapping[str, str]] | None = None) -> bytes:
    """Write data frames as an Excel workbook, one sheet each, and a sheet *About*.

    Parameters
    ----------
    sheets : mapping of str to DataFrame
        Sheet's name to table; the index is not written.
    about : About
    site_zone : str
        IANA zone in which instants are written (Excel knows no zones).
    units : mapping of str to str, or of str to such a mapping, optional
        UCUM unit of a column, or of each sheet's columns where one name means several things; bytes get a format that
        reads as MB, GB or TB and stay numbers.

    Raises
    ------
    PacsmeterError
        Where a table is longer than an Excel sheet can be.
    """
    target = io.BytesIO()
    with open_workbook(target, about.title) as book:
        head = book.add_format({"bold": True, "font_color": "white", "bg_color": ACCENT, "valign": "top"})
        cells = _Cells(book, ZoneInfo(site_zone))
        for name, (given, frame) in zip(sheet_names(list(sheets)), sheets.items(), strict=True):
            if len(frame) > ROWS_AT_MOST:
                raise PacsmeterError(f"The table has {len(frame):,} rows; an Excel sheet holds {ROWS_AT_MOST:,}",
                                     "Narrow the filters, or download it as CSV.", name)
            sheet = book.add_worksheet(name)
            sheet.freeze_panes(1, 0)
            known = _units_of(given, units or {})
            for column, header in enumerate(map(str, frame.columns)):
                values = frame.iloc[:, column].astype(object).tolist()
                unit = known.get(header, "")
                sheet.write_string(0, column, header, head)
                sheet.set_column(column, column, _width(header, values))
                for row, value in enumerate(values, start=1):
                    cells.write(sheet, row, column, value.item() if hasattr(value, "item") else value, unit)
            if len(frame.columns):
                sheet.autofilter(0, 0, max(len(frame), 1), len(frame.columns) - 1)
        write_about(book, about)
    return target.getvalue()
