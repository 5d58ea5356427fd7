"""What a page reads: each page opened as a reader would, with every read it makes and how long that took."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from streamlit.testing.v1 import AppTest

from analytics.ui import cache
from analytics.ui.navigation import BY_TITLE
from analytics.warehouse.engine import DuckSession
from analytics.warehouse.reading import Warehouse

ROOT = Path(__file__).parents[1]
LONGEST = 3_600


@dataclass
class Opened:
    """One page that was opened.

    Attributes
    ----------
    seconds : of the whole page: reads, arithmetic, charts.
    reads : seconds of all its reads together, those that the snapshot keeps the answer to among them.
    asked : how many reads it made.
    run : the selects that the tables had to answer, in order, each once.
    taken : seconds of each of them.
    """

    title: str
    seconds: float = 0.0
    reads: float = 0.0
    asked: int = 0

    def __post_init__(self) -> None:
        self.run: list[Any] = []
        self.taken: list[float] = []


@contextmanager
def _watched(page: Opened, *, plain: bool) -> Iterator[None]:
    ask, run, kept = Warehouse.arrow, DuckSession.arrow, Warehouse._kept

    def asked(self: Warehouse, select: sa.Select[Any]) -> pa.Table:
        start = time.perf_counter()
        try:
            return ask(self, select)
        finally:
            page.reads += time.perf_counter() - start
            page.asked += 1

    def ran(self: DuckSession, select: sa.Select[Any]) -> pa.Table:
        start = time.perf_counter()
        found = run(self, select)
        if [column.name for column in select.selected_columns] != ["answer"]:
            page.run.append(select)
            page.taken.append(time.perf_counter() - start)
        return found

    Warehouse.arrow, DuckSession.arrow = asked, ran  # type: ignore[method-assign, assignment]
    if plain:
        Warehouse._kept = lambda _self, _question: None  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        Warehouse.arrow, DuckSession.arrow, Warehouse._kept = ask, run, kept  # type: ignore[method-assign]


def open_pages(home: Path, *, plain: bool = False,
               address: Mapping[str, str | list[str]] | None = None) -> list[Opened]:
    """Open every page of an installation, each with nothing remembered from before.

    Parameters
    ----------
    home : Path
    plain : bool
        As if the snapshot kept no answers.
    address : mapping of str to str or list of str, optional
        What the page's address says, such as its filters.

    Raises
    ------
    RuntimeError
        A page showed a fault: a figure of a page that did not open says nothing.
    """
    os.environ["PACSMETER_HOME"] = str(home)
    opened = []
    for title, entry in BY_TITLE.items():
        cache.clear()
        page, app = Opened(title), AppTest.from_file(str(ROOT / "app.py"), default_timeout=LONGEST)
        for name, value in (address or {}).items():
            app.query_params[name] = value
        if entry.file != "app.py":
            app.switch_page(entry.file)
        with _watched(page, plain=plain):
            start = time.perf_counter()
            app.run()
            page.seconds = time.perf_counter() - start
        if app.exception:
            raise RuntimeError(f"{title}: {[item.value for item in app.exception]}")
        opened.append(page)
    return opened
