"""Each page's questions at a million studies, beside one group-by of pandas on the same table in memory."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from analytics.checks.results import check_summary, findings_by_device, findings_of
from analytics.core.filters import Filters
from analytics.core.settings import Settings
from analytics.costs.demand import measured_demand
from analytics.imaging.quality import quality_summary
from analytics.metrics import study
from analytics.metrics.catalog import METRICS
from analytics.metrics.facets import filter_choices
from analytics.metrics.overview import attention, headlines
from analytics.warehouse.schema import exams
from analytics.warehouse.store import Warehouse, open_warehouse

RUNS = 3
Question = Callable[[Warehouse], Any]
EVERYTHING = Filters()
FAMILIES = {"Volume": ("volume",), "Turnaround": ("turnaround",), "Backlog": ("backlog",), "Storage": ("storage",),
            "Sources": ("sources",), "Utilization": ("utilization",),
            "Network": ("network",)}
"""Page to the families of metrics it asks for; a page asks for one turnaround interval at a time, all are timed."""


def _one_study(warehouse: Warehouse) -> str:
    return str(warehouse.scalar(sa.select(exams.c.study_instance_uid).where(exams.c.has_study & exams.c.has_order)
                                .order_by(exams.c.stored_at.desc()).limit(1)))


def questions(uid: str) -> dict[str, dict[str, Question]]:
    """Return page to name to question: what each page asks of the warehouse when it opens."""
    metrics: dict[str, dict[str, Question]] = {
        page: {item.spec.id: (lambda warehouse, item=item: item.compute(warehouse, EVERYTHING))
               for item in METRICS if item.spec.family in families}
        for page, families in FAMILIES.items()
    }
    return {
        "Every page": {"choices of the filter bar": filter_choices},
        "Overview": {"headlines": lambda warehouse: headlines(warehouse, EVERYTHING),
                     "what needs attention": lambda warehouse: attention(warehouse, EVERYTHING)},
        **metrics,
        "Image quality": {"summary": lambda warehouse: quality_summary(warehouse, EVERYTHING)},
        "Consistency": {"every check": lambda warehouse: check_summary(warehouse, EVERYTHING),
                        "latest findings": lambda warehouse: findings_of(warehouse),
                        "by device": lambda warehouse: findings_by_device(warehouse)},
        "Study": {"search": lambda warehouse: study.find_studies(warehouse, uid),
                  "timeline": lambda warehouse: study.study_timeline(warehouse, uid),
                  "series": lambda warehouse: study.study_series(warehouse, uid),
                  "findings": lambda warehouse: study.study_findings(warehouse, uid)},
        "Cost-benefit": {"measured demand": lambda warehouse: measured_demand(warehouse, EVERYTHING)},
    }


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
    """Time every question of every page on the snapshot under a home: medians of three, nothing cached."""
    with open_warehouse(Settings(home=home)) as warehouse:
        peer, count = _pandas_group_by(warehouse), warehouse.count(exams)
        lines = [
            f"## Pages, {count:,} exams, all filters open", "",
            "The peer: pandas, three columns of the same table already in memory, one group-by of month and modality: "
            f"{peer:.3f} s.", "",
            "| page | question | seconds | times the peer |", "|---|---|---:|---:|",
        ]
        for page, asked in questions(_one_study(warehouse)).items():
            taken = {name: _median_seconds(lambda ask=ask: ask(warehouse)) for name, ask in asked.items()}
            lines += [f"| {page} | {name} | {seconds:.3f} | {seconds / peer:.1f} |" for name, seconds in taken.items()]
            if len(taken) > 1:
                whole = sum(taken.values())
                lines.append(f"| **{page}** | **all** | **{whole:.3f}** | **{whole / peer:.1f}** |")
    return lines
