"""The source file: one TOML file in which a site says what its exports call each column."""

from __future__ import annotations

import codecs
import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd
import sqlalchemy as sa
from pydantic import AfterValidator, Field

from analytics.core.swim import BY_NAME
from analytics.sources.spreadsheets import FORMATS as SHEET_FORMATS
from analytics.sources.toml_file import SOURCE_ID, TomlFile, Written, known_zone
from analytics.warehouse.schema import archives, events, instances, orders, series, studies

IDENTITIES: dict[str, str] = {
    "patient_id": "patient_key", "patient_name": "name_key", "patient_birth_date": "birth_date_key",
}
"""What an export may hold, and the pseudonym that stands for it in the warehouse."""

TABLES: dict[str, tuple[sa.Table, ...]] = {
    "index_export": (studies, series, instances, archives, orders, events),
    "ris_events": (orders, events),
}
_FILLED_IN = {"source_id", "patient_key", "path"}
_SECTIONS = ("columns", "scale", "constants", "values")
_FORMATS = (".csv", ".csv.gz", ".parquet", *SHEET_FORMATS)


def _encoding(value: str) -> str:
    try:
        return codecs.lookup(value).name
    except LookupError:
        raise ValueError(f"{value!r} is not a text encoding, such as utf-8 or latin-1") from None


def _format(value: str) -> str:
    try:
        pd.to_datetime(pd.Series(["2026-01-31"]), format=value or None, errors="coerce")
    except ValueError:
        raise ValueError(f"{value!r} is not a format of dates and times, such as %Y-%m-%d %H:%M") from None
    return value


class _WrittenTable(Written):
    """One table as it is written in the file."""

    file: str
    complete: bool = False
    shape: Literal["long", "wide"] = "long"
    date_format: Annotated[str, AfterValidator(_format)] = ""
    instant_format: Annotated[str, AfterValidator(_format)] = ""
    encoding: Annotated[str, AfterValidator(_encoding)] = "utf-8"
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    sheet: str = ""
    header_row: Annotated[int, Field(ge=1, le=1_048_576)] = 1
    columns: dict[str, str | list[str]]
    scale: dict[str, int | float] = Field(default_factory=dict)
    constants: dict[str, Any] = Field(default_factory=dict)
    values: dict[str, dict[str, str]] = Field(default_factory=dict)
    events: dict[str, str] = Field(default_factory=dict)


class _WrittenFile(Written):
    """The whole file as it is written."""

    source_id: Annotated[str, Field(pattern=SOURCE_ID)]
    kind: Literal["index_export", "ris_events"]
    is_demo: bool = False
    zone: Annotated[str, AfterValidator(known_zone)] | None = None
    tables: Annotated[dict[str, _WrittenTable], Field(min_length=1)]


@dataclass(frozen=True)
class TableMapping:
    """How one export becomes rows of one table.

    Attributes
    ----------
    columns : our column, or an identity, to theirs; several of theirs are joined by a blank (a date and a time).
    sheet, header_row : of a workbook: the sheet's name (the first where empty), and the row that names its columns.
    events : SWIM's name to theirs: a column of a wide export, a value of a long one.
    written_in : the source file and the section, for errors.
    """

    table: sa.Table
    file: Path
    columns: Mapping[str, tuple[str, ...]]
    written_in: str
    complete: bool = False
    shape: str = "long"
    date_format: str = ""
    instant_format: str = ""
    encoding: str = "utf-8"
    delimiter: str = ","
    sheet: str = ""
    header_row: int = 1
    scale: Mapping[str, float] = field(default_factory=dict)
    constants: Mapping[str, Any] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    events: Mapping[str, str] = field(default_factory=dict)

    @property
    def theirs(self) -> tuple[str, ...]:
        """Return every column of the export that is read."""
        named = [name for names in self.columns.values() for name in names]
        return tuple(dict.fromkeys([*named, *(self.events.values() if self.shape == "wide" else ())]))


@dataclass(frozen=True)
class SourceFile:
    """A source file that has been read and found in order."""

    path: Path
    source_id: str
    kind: str
    is_demo: bool
    zone: str | None
    tables: tuple[TableMapping, ...]


def suggestion(name: str, known: list[str]) -> str:
    """Say which of the known names is close to one that is not known, and what there is."""
    return f"{closest(name, known)}There is: {', '.join(known)}."


def closest(name: str, known: list[str]) -> str:
    """Ask whether the known name that is close to one that is not known was meant; nothing where none is close."""
    folded = {item.casefold(): item for item in known}
    close = difflib.get_close_matches(name.casefold(), list(folded), n=1, cutoff=0.6)
    return f"Did you mean {folded[close[0]]!r}? " if close else ""


class _Reader(TomlFile):
    """Turns what is written into mappings; every complaint names the file and the line."""

    def read(self) -> SourceFile:
        written = self.read_as(_WrittenFile)
        tables = tuple(self.table(written.kind, name, table) for name, table in written.tables.items())
        return SourceFile(self.path, written.source_id, written.kind, written.is_demo, written.zone, tables)

    def table(self, kind: str, name: str, written: _WrittenTable) -> TableMapping:
        known = {table.name: table for table in TABLES[kind]}
        if name not in known:
            raise self.fail(f"A source of kind {kind} has no table {name!r}", suggestion(name, list(known)),
                            "tables", name)
        table, file = known[name], self.path.parent / written.file
        if not written.file.lower().endswith(_FORMATS):
            raise self.fail(f"{written.file!r} is not a kind of file that can be read",
                            f"Export as one of {', '.join(_FORMATS)}.", "tables", name, "file")
        for key in ("sheet", "header_row"):
            if key in written.model_fields_set and not written.file.lower().endswith(SHEET_FORMATS):
                raise self.fail(f"Only a workbook ({', '.join(SHEET_FORMATS)}) has a `{key}`", "Remove it.",
                                "tables", name, key)
        self.check_names(table, name, written)
        self.check_keys(table, name, written)
        columns = {ours: (theirs,) if isinstance(theirs, str) else tuple(theirs)
                   for ours, theirs in written.columns.items()}
        return TableMapping(
            table, file, columns, f"{self.path.name} [tables.{name}]", written.complete, written.shape,
            written.date_format, written.instant_format, written.encoding, written.delimiter, written.sheet,
            written.header_row, written.scale, written.constants, written.values, written.events)

    def check_names(self, table: sa.Table, name: str, written: _WrittenTable) -> None:
        """Every name on our side is one that the table has; no pseudonym is taken from an export."""
        ours = [column.name for column in table.columns if column.name not in (*IDENTITIES.values(), "source_id")]
        ours += [identity for identity, key in IDENTITIES.items() if key in table.c]
        sections: dict[str, Iterable[str]] = {section: getattr(written, section) for section in _SECTIONS}
        for section, names in sections.items():
            for column in names:
                if column not in ours:
                    raise self.fail(f"The table {name} has no column {column!r} of ours", suggestion(column, ours),
                                    "tables", name, section, column)
                if section == "constants" and column in written.columns:
                    raise self.fail(f"{column!r} is both a column and a constant", "Keep one of them.",
                                    "tables", name, section, column)
                if section == "scale" and not isinstance(table.c[column].type, sa.Integer | sa.Double):
                    raise self.fail(f"{column!r} is not a number, and cannot be scaled", "Remove it.",
                                    "tables", name, section, column)
        for event in written.events:
            if event not in BY_NAME:
                raise self.fail(f"SWIM has no event {event!r}", suggestion(event, list(BY_NAME)),
                                "tables", name, "events", event)

    def check_keys(self, table: sa.Table, name: str, written: _WrittenTable) -> None:
        """What makes a row, and what a row cannot be without, is given."""
        needed = [column.name for column in table.columns
                  if (column.primary_key or not column.nullable) and column.name not in _FILLED_IN]
        if table is events:
            if not written.events:
                raise self.fail(f"[tables.{name}.events] is missing", "Name each event: Order = \"their name\".",
                                "tables", name)
            needed = ["accession_number"] if written.shape == "wide" else needed
        elif written.events or written.shape == "wide":
            raise self.fail("Only the table events is wide or has events", "Remove it.", "tables", name)
        for column in needed:
            if column not in written.columns and column not in written.constants:
                raise self.fail(f"The table {name} needs {column!r}", f"Add it to [tables.{name}.columns].",
                                "tables", name, "columns")


def read_source_file(path: Path) -> SourceFile:
    """Read a source file.

    Raises
    ------
    PacsmeterError
        It cannot be read, is not TOML, or names a table or column that there is not; the error names the line.
    """
    return _Reader(path).read()
