"""A workbook as a source: the event times of a RIS on its second sheet, under two rows of title."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from openpyxl import Workbook

from tests.sources.sites import WideEvents

SHEET = """
source_id = "ris"
kind = "ris_events"
[tables.events]
file = "ris.xlsx"
sheet = "Times"
header_row = 3
shape = "wide"
complete = true
[tables.events.columns]
accession_number = "ACC"
[tables.events.events]
Order = "ORDERED"
Reported = "SIGNED"
"""


def write_workbook(path: Path, rows: list[list[Any]], sheet: str = "Times", merged: str = "") -> None:
    """Write rows from the first one on, beside a sheet that holds something else."""
    workbook = Workbook()
    workbook.active.append(["read me"])
    written = workbook.create_sheet(sheet)
    for row in rows:
        written.append(row)
    if merged:
        written.merge_cells(merged)
    workbook.save(path)


class SheetEvents(WideEvents):
    """The event times of a RIS, one row an exam, as dates and times of a sheet."""

    toml = SHEET

    def write(self) -> None:
        cells = [[row["ACC"], *(datetime.fromisoformat(row[step]) if row[step] else None
                                for step in ("ORDERED", "SIGNED"))] for row in self.rows]
        write_workbook(self.folder / "ris.xlsx", [["Times of July"], [], ["ACC", "ORDERED", "SIGNED"], *cells],
                       merged="A1:C1")
