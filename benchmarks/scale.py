"""Every page at 1, 5 and 20 million studies: ``python -m benchmarks.scale HOME [--times 1 5 20] [--postgres URL]``.

HOME is an installation with one loaded hospital of a million studies, as `python -m benchmarks --folder` makes it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import statistics
import time
from pathlib import Path
from typing import Any

from analytics.core.settings import Settings
from analytics.metrics.facets import filter_choices
from analytics.metrics.scope import as_of
from analytics.ui.filters import presets
from analytics.warehouse.schema import exams, metadata, series, studies
from analytics.warehouse.store import Warehouse, open_warehouse
from benchmarks.grown import grow
from benchmarks.page_reads import Opened, open_pages
from benchmarks.pandas_peers import PEERS, disagreement, exams_in_memory
from benchmarks.postgres_copy import copy_to_postgres
from benchmarks.scale_table import tables

RUNS = 3


def _median_seconds(work: Any) -> float:
    taken = []
    for _ in range(RUNS):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def _run_again(opened: list[Opened], warehouse: Warehouse) -> dict[str, float]:
    """Return the seconds that the selects of each page take on the tables of an engine, each once."""
    found = {}
    for page in opened:
        start = time.perf_counter()
        for select in page.selects.values():
            warehouse._session.arrow(select)
        found[page.title] = time.perf_counter() - start
    return found


def _tables_read(opened: list[Opened]) -> frozenset[str]:
    said = " ".join(text for page in opened for text in page.selects)
    return frozenset(name for name in metadata.tables if re.search(rf"\b{name}\b", said))


def _narrowed(warehouse: Warehouse) -> dict[str, str | list[str]]:
    """Return what a reader often narrows a page to: one site, the last 52 weeks."""
    now = as_of(warehouse)
    assert now is not None
    first, last = presets(now.date())["Last 52 weeks"]
    return {"date_from": first.isoformat(), "date_to": last.isoformat(), "sites": [filter_choices(warehouse).sites[0]]}


def measure_main_selects(target: Path, postgres: str | None) -> dict[str, dict[str, Any]]:
    """Return the seconds of each page's main select, here, in PostgreSQL and in pandas, and how answers differ."""
    there = None
    if postgres:  # every select of every page takes PostgreSQL minutes at a million already
        file = next((target / "warehouse").glob("snapshot-*.duckdb"))
        there = copy_to_postgres(file, postgres, frozenset({"exams", "loads"}))
    with open_warehouse(Settings(home=target)) as warehouse:
        return _main_selects(warehouse, there)


def _main_selects(warehouse: Warehouse, there: Warehouse | None) -> dict[str, dict[str, Any]]:
    held = exams_in_memory(warehouse)
    found: dict[str, dict[str, Any]] = {}
    for peer in PEERS:
        given = peer.work(held)
        select = peer.select(warehouse)
        found[peer.page] = {"metric": peer.metric_id, "pandas": _median_seconds(lambda peer=peer: peer.work(held)),
                            "duckdb": _median_seconds(lambda select=select: warehouse._session.arrow(select)),
                            "differ": disagreement(peer, warehouse, given)}
        if there:
            start = time.perf_counter()
            there._session.arrow(select)
            found[peer.page]["postgres"] = time.perf_counter() - start
    return found


def measure(home: Path, target: Path, times: int, postgres: str | None) -> dict[str, Any]:
    """Grow a warehouse and measure every page on it."""
    seconds = grow(home, target, times)
    with open_warehouse(Settings(home=target)) as warehouse:
        line: dict[str, Any] = {
            "answers": seconds, "studies": warehouse.count(studies), "series": warehouse.count(series),
            "exams": warehouse.count(exams)}
        narrowed = _narrowed(warehouse)
    opened = open_pages(target)
    for name, pages in (("kept", opened), ("narrowed", open_pages(target, narrowed))):
        line[name] = {page.title: {"reads": page.reads, "page": page.seconds, "asked": page.asked, "run": page.run}
                      for page in pages}
    with open_warehouse(Settings(home=target)) as warehouse:
        line["plain"] = _run_again(opened, warehouse)
    if postgres:
        file = next((target / "warehouse").glob("snapshot-*.duckdb"))
        line["postgres"] = _run_again(opened, copy_to_postgres(file, postgres, _tables_read(opened)))
    return line


def main() -> None:
    """Measure each size and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("home", type=Path)
    parser.add_argument("--times", type=int, nargs="+", default=[1, 5, 20])
    parser.add_argument("--postgres", help="URL of an empty database, for the same selects there")
    parser.add_argument("--postgres-up-to", type=int, default=1,
                        help="in sizes above, PostgreSQL is asked each page's main select alone")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("SCALE.md"))
    asked = parser.parse_args()
    record = asked.out.with_suffix(".json")
    held = json.loads(record.read_text()) if record.exists() else {}
    for times in asked.times:
        target = asked.home.with_name(f"{asked.home.name}-x{times}")
        held[str(times)] = measure(asked.home, target, times, asked.postgres if times <= asked.postgres_up_to else None)
        held[str(times)]["pandas"] = measure_main_selects(target, asked.postgres)
        held[str(times)]["machine"] = f"{os.cpu_count()} cores, {platform.machine()}"
        record.write_text(json.dumps(held, indent=1))
        asked.out.write_text("\n".join(tables(held)))


if __name__ == "__main__":
    main()
