"""Declaring a metric: one function ``(warehouse, filters) -> MetricResult`` and its definition beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from analytics.core.filters import Filters
from analytics.core.registry import Registry
from analytics.core.results import MetricResult, MetricSpec
from analytics.warehouse.store import Warehouse


class MetricFunction(Protocol):
    """What a metric is to whoever calls it; every further argument has a default."""

    def __call__(self, warehouse: Warehouse, filters: Filters, /) -> MetricResult: ...


@dataclass(frozen=True)
class Metric:
    """A metric in the catalog: its definition and the function that computes it."""

    spec: MetricSpec
    compute: MetricFunction


METRICS: Registry[Metric] = Registry("metric")
Function = TypeVar("Function", bound=MetricFunction)


def metric(spec: MetricSpec) -> Callable[[Function], Function]:
    """Register a function as the metric that ``spec`` defines; its own arguments stay known to its callers."""

    def register(function: Function) -> Function:
        METRICS.add(spec.id, Metric(spec, function))
        return function

    return register
