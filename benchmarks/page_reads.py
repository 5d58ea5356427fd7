"""What a page reads: each page opened as a reader would, with every read it makes and how long that took."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from streamlit.testing.v1 import AppTest

from analytics.metrics import forecast_outlook
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
    run : how many of them the tables had to answer.
    selects : what it asked, each select once, by its text.
    """

    title: str
    seconds: float = 0.0
    reads: float = 0.0
    asked: int = 0
    run: int = 0
    selects: dict[str, Any] = field(default_factory=dict)


@contextmanager
def _watched(page: Opened) -> Iterator[None]:
    ask, run = Warehouse.arrow, DuckSession.arrow

    def asked(self: Warehouse, select: sa.Select[Any]) -> pa.Table:
        start = time.perf_counter()
        try:
            return ask(self, select)
        finally:
            page.reads += time.perf_counter() - start
            page.asked += 1
            page.selects.setdefault(self._session.text(select), select)

    def ran(self: DuckSession, select: sa.Select[Any]) -> pa.Table:
        page.run += [column.name for column in select.selected_columns] != ["answer"]
        return run(self, select)

    Warehouse.arrow, DuckSession.arrow = asked, ran  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        Warehouse.arrow, DuckSession.arrow = ask, run  # type: ignore[method-assign]


def _forget() -> None:
    """Forget what was read, and the forecasts that were fitted."""
    cache.clear()
    for remembered in vars(forecast_outlook).values():
        if hasattr(remembered, "cache_clear"):
            remembered.cache_clear()


def open_pages(home: Path, address: Mapping[str, str | list[str]] | None = None) -> list[Opened]:
    """Open every page of an installation, each with nothing remembered from before.

    Parameters
    ----------
    home : Path
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
        _forget()
        page, app = Opened(title), AppTest.from_file(str(ROOT / "app.py"), default_timeout=LONGEST)
        for name, value in (address or {}).items():
            app.query_params[name] = value
        if entry.file != "app.py":
            app.switch_page(entry.file)
        with _watched(page):
            start = time.perf_counter()
            app.run()
            page.seconds = time.perf_counter() - start
        if app.exception:
            raise RuntimeError(f"{title}: {[item.value for item in app.exception]}")
        opened.append(page)
    return opened
