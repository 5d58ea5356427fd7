"""Every metric against its hand-computed table, on both engines."""

from __future__ import annotations

from types import ModuleType

import pytest

from analytics.metrics.catalog import METRICS, compute
from analytics.warehouse.store import Store
from tests.spec import (
    backlog,
    devices,
    forecast,
    forecast_models,
    network,
    open_cases,
    peers,
    retention,
    silence,
    sources,
    staffed,
    storage,
    storage_duplicated,
    storage_growth,
    storage_removed,
    storage_whatif,
    targets,
    transfers,
    volume,
    volume_change,
    volume_changes,
    volume_years,
    workflow,
)
from tests.support import build

FAMILIES = (backlog, devices, forecast, forecast_models, network, open_cases, peers, retention, silence, sources,
            staffed, storage, storage_duplicated, storage_growth, storage_removed, storage_whatif, targets, transfers,
            volume, volume_change, volume_changes, volume_years, workflow)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda module: module.__name__.rsplit(".", 1)[-1])
def test_the_numbers_are_those_computed_by_hand(store: Store, family: ModuleType) -> None:
    warehouse = build(store, family.TABLES)
    faults = [fault for case in family.CASES for fault in case.faults(warehouse)]
    assert not faults, "\n".join(faults)


def test_every_metric_has_a_hand_computed_table() -> None:
    assert {case.metric_id for family in FAMILIES for case in family.CASES} == {item.spec.id for item in METRICS}


@pytest.mark.parametrize("item", list(METRICS), ids=lambda item: item.spec.id)
def test_every_metric_says_what_it_is(item: object) -> None:
    spec = item.spec  # type: ignore[attr-defined]
    assert spec.definition.endswith(".") and len(spec.definition) > 40
    assert spec.citation and spec.unit and spec.name


def test_every_metric_answers_on_a_warehouse_that_holds_nothing(store: Store) -> None:
    from analytics.core.filters import Filters

    warehouse = build(store, {})
    for item in METRICS:
        result = compute(item.spec.id, warehouse, Filters())
        assert result.n == 0 and result.value in result.frame.columns, item.spec.id
        assert str(result)
