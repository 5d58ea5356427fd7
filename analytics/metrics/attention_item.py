"""One thing that needs attention, and the words that rules share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from analytics.core.filters import Filters
from analytics.core.findings import Severity
from analytics.warehouse.store import Warehouse


@dataclass(frozen=True)
class Attention:
    """One thing that needs attention.

    Attributes
    ----------
    severity : error, act now; warning, look soon; info, worth knowing.
    sentence : what it is, numbers written as people write them.
    metric_id : the metric that says so; empty where it is a check.
    page : title of the page that shows it.
    filters : those that narrow the page to it.
    """

    severity: Severity
    sentence: str
    metric_id: str
    page: str
    filters: Filters


Rule = Callable[[Warehouse, Filters], Iterator[Attention]]


def counted(n: int, noun: str) -> str:
    """Write a number of things: ``1 exam``, ``2 exams``."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def rise(now: float, usual: float) -> str:
    """Write by how much more of the usual something is: ``20 %``."""
    return f"{100 * (now / usual - 1):.0f} %"
