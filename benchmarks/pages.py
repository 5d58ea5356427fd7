"""Each page's questions at a million studies, beside one group-by of pandas on the same table in memory."""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa

from analytics.core.filters import Filters
from analytics.core.settings import Settings
from analytics.metrics.catalog import METRICS
from analytics.warehouse.schema import exams
from analytics.warehouse.store import Warehouse, open_warehouse

RUNS = 3


def _median_seconds(work: Callable[[], object]) -> float:
    taken = []
    for _ in range(RUNS):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def _pandas_group_by(warehouse: Warehouse) -> float:
    frame = warehouse.read(sa.select(exams.c.exam_date, exams.c.modality, exams.c.size_bytes))
    return _median_seconds(lambda: frame.assign(month=frame.exam_date.dt.to_period("M"))
                           .groupby(["month", "modality"]).size_bytes.agg(["size", "sum"]))


def measure_pages(home: Path) -> list[str]:
    """Time every metric, by page, on the snapshot under a home."""
    with open_warehouse(Settings(home=home)) as warehouse:
        peer = _pandas_group_by(warehouse)
        count = warehouse.count(exams)
        by_page: dict[str, list[tuple[str, float]]] = defaultdict(list)
        for metric in METRICS:
            seconds = _median_seconds(lambda metric=metric: metric.compute(warehouse, Filters()))
            by_page[metric.spec.family].append((metric.spec.id, seconds))
    lines = [
        f"## Pages, {count:,} exams, all filters open", "",
        f"The peer: pandas, the same table in memory, one group-by of month and modality: {peer:.3f} s.", "",
        "| page | question | seconds | times the peer |", "|---|---|---:|---:|",
    ]
    for page, rows in by_page.items():
        lines += [f"| {page} | {name} | {seconds:.3f} | {seconds / peer:.1f} |" for name, seconds in rows]
        whole = sum(seconds for _, seconds in rows)
        lines.append(f"| **{page}** | **all** | **{whole:.3f}** | **{whole / peer:.1f}** |")
    return lines
