"""Every metric in one place: importing this module makes the catalog whole."""

from __future__ import annotations

from analytics.core.filters import Filters
from analytics.core.results import MetricResult
from analytics.metrics import (
    backlog,
    backlog_flow,
    backlog_whatif,
    forecast,
    network,
    retention,
    sources_health,
    sources_record,
    sources_silence,
    sources_transfers,
    storage,
    storage_duplicated,
    storage_growth,
    storage_removed,
    storage_whatif,
    turnaround,
    turnaround_open,
    turnaround_targets,
    utilization,
    utilization_peers,
    utilization_staffed,
    volume,
    volume_change,
    volume_changes,
    volume_years,
)
from analytics.metrics.base import METRICS, Metric
from analytics.warehouse.store import Warehouse

FAMILIES = (backlog, backlog_flow, backlog_whatif, forecast, network, retention, sources_health, sources_record,
            sources_silence, sources_transfers, storage, storage_duplicated, storage_growth, storage_removed,
            storage_whatif, turnaround, turnaround_open, turnaround_targets, utilization, utilization_peers,
            utilization_staffed, volume, volume_change, volume_changes,
            volume_years)

__all__ = ["FAMILIES", "METRICS", "Metric", "compute"]


def compute(metric_id: str, warehouse: Warehouse, filters: Filters, **options: object) -> MetricResult:
    """Compute the metric of an id, with its own defaults for every option not given."""
    return METRICS[metric_id].compute(warehouse, filters, **options)
