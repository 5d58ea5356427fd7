"""What the command line shows: tables, progress, and one clear line where something went wrong."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

import pandas as pd
import sqlalchemy as sa
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from analytics.core import progress as core_progress
from analytics.core.errors import PacsmeterError
from analytics.core.filters import Filters
from analytics.core.quantity import MISSING, format_quantity
from analytics.warehouse.schema import quarantine
from analytics.warehouse.store import Warehouse

if TYPE_CHECKING:
    from analytics.sources.load import LoadRecord

WIDE = 140  # columns of a table that goes to a file or a log, where no window narrows it
out = Console(width=None if Console().is_terminal or "COLUMNS" in os.environ else WIDE)
err = Console(stderr=True)


def print_table(frame: pd.DataFrame, title: str = "", units: dict[str, str] | None = None) -> None:
    """Print a data frame with its numbers written as people write them."""
    table = Table(title=title or None, title_justify="left", header_style="bold")
    numeric = {column: pd.api.types.is_numeric_dtype(frame[column]) for column in frame.columns}
    rows = [[_cell(value, (units or {}).get(str(column))) for column, value in zip(frame.columns, row, strict=True)]
            for row in frame.itertuples(index=False)]
    for place, column in enumerate(frame.columns):
        # A number cut off is a wrong number: only text gives way on a narrow terminal.
        widest = max((len(row[place]) for row in rows), default=0) if numeric[column] else None
        table.add_column(str(column).replace("_", " "), justify="right" if numeric[column] else "left",
                         min_width=widest, overflow="fold")
    for row in rows:
        table.add_row(*map(escape, row))  # evidence may hold brackets, which rich would read as markup
    out.print(table)


def _cell(value: Any, unit: str | None) -> str:
    if value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and pd.isna(value)):
        return MISSING
    if unit and not isinstance(value, str | bool):
        return format_quantity(float(value), unit)
    if isinstance(value, pd.Timestamp):
        return value.date().isoformat() if value == value.normalize() else f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, float):
        return f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


@contextlib.contextmanager
def shown_progress() -> Iterator[core_progress.Progress]:
    """Show the progress of long work: bars on a terminal, one line a stage where output goes to a file."""
    if not err.is_terminal:
        yield _stage_lines()
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[count]}"),
               TimeElapsedColumn())
    with Progress(*columns, console=err) as bars:
        tasks: dict[str, TaskID] = {}

        def show(stage: str, done: int, total: int | None) -> None:
            count = f"{done:,} of {total:,}" if total else (f"{done:,}" if done else "")
            if stage not in tasks:
                for task in tasks.values():
                    bars.update(task, total=bars.tasks[task].completed or 1, completed=bars.tasks[task].completed or 1)
                tasks[stage] = bars.add_task(stage, total=total, count=count)
            bars.update(tasks[stage], completed=done, total=total, count=count)

        yield show


def _stage_lines() -> core_progress.Progress:
    seen: set[str] = set()

    def show(stage: str, done: int, total: int | None) -> None:
        if stage not in seen:
            seen.add(stage)
            err.print(f"{stage} ...", highlight=False)

    return show


def known_filters(warehouse: Warehouse, start: datetime | None, end: datetime | None, sites: list[str] | None,
                  modalities: list[str] | None, devices: list[str] | None) -> Filters:
    """Return the filters where the snapshot knows their names: a misspelt site would answer "none" as if it were so."""
    from analytics.metrics.facets import filter_choices

    filters = Filters(start.date() if start else None, end.date() if end else None, tuple(sites or ()),
                      tuple(modalities or ()), tuple(devices or ()))
    if not (filters.sites or filters.modalities or filters.station_names):
        return filters
    choices = filter_choices(warehouse)
    stations = tuple(sorted({device.station_name for device in choices.devices}))
    for option, asked, there in (("--site", filters.sites, choices.sites),
                                 ("--modality", filters.modalities, choices.modalities),
                                 ("--device", filters.station_names, stations)):
        for value in asked:
            if value not in there:
                raise PacsmeterError(f"The snapshot has no {option.lstrip('-')} {value!r}",
                                     f"Choose from: {', '.join(there) or 'none'}.", option)
    return filters


def print_loads(warehouse: Warehouse, loads: Sequence[LoadRecord]) -> None:
    """Print what each load did, and why it left records out."""
    print_table(pd.DataFrame([{
        "source": record.source_id, "read": record.read, "added": record.added, "changed": record.changed,
        "unchanged": record.unchanged, "removed": record.removed, "left out": record.left_out,
    } for record in loads]), f"Snapshot {warehouse.revision}")
    print_left_out(warehouse, [record.load_id for record in loads])


def print_left_out(warehouse: Warehouse, load_ids: list[str]) -> None:
    """Say why records were left out of these loads, and name the first of each reason."""
    reasons = warehouse.read(
        sa.select(quarantine.c.source_id, sa.func.count().label("records"),
                  sa.func.min(quarantine.c.locator).label("first"), quarantine.c.reason)
        .where(quarantine.c.load_id.in_(load_ids)).group_by(quarantine.c.source_id, quarantine.c.reason)
        .order_by(quarantine.c.source_id, sa.desc("records")))
    if len(reasons):
        print_table(reasons.rename(columns={"source_id": "source", "first": "one of them"}), "Left out, and why")


@dataclass
class Interruption:
    """Whether Ctrl-C was pressed: a library in the middle of its work may report that as an error of its own."""

    asked: bool = False

    @classmethod
    def watched(cls) -> Interruption:
        """Watch for Ctrl-C from now on; where the shell has it ignored, as behind nohup, it stays so."""
        interruption = cls()

        def note(signum: int, frame: FrameType | None) -> None:
            interruption.asked = True
            raise KeyboardInterrupt

        here = threading.current_thread() is threading.main_thread()
        if here and signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
            signal.signal(signal.SIGINT, note)
        return interruption


def stop(message: str) -> NoReturn:
    """End with status 2 and one clear line."""
    err.print(f"pacsmeter: {message}", highlight=False, soft_wrap=True, markup=False)
    sys.exit(2)
