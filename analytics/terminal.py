"""What the command line shows: tables, progress, and one clear line where something went wrong."""

from __future__ import annotations

import contextlib
import logging
import os
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from analytics.core import progress as core_progress
from analytics.core.quantity import MISSING, format_quantity

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
        table.add_row(*row)
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


def log_unforeseen(error: BaseException, folder: Path) -> Path:
    """Write where an unforeseen error happened, without its message: that could quote a record."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "errors.log"
    logger = logging.getLogger("pacsmeter.unforeseen")
    if not logger.handlers:
        logger.addHandler(logging.FileHandler(path))
        logger.propagate = False
    logger.error("%s\n%s", type(error).__name__, "".join(traceback.format_tb(error.__traceback__)))
    return path
