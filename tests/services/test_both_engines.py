"""A whole refresh of the demo hospital on DuckDB and on PostgreSQL: every metric and every check say the same."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
import pytest
from pydantic import SecretStr

from analytics.checks.results import check_summary
from analytics.core.filters import Filters
from analytics.core.settings import Settings
from analytics.metrics.catalog import METRICS
from analytics.refresh import demo_sources, refresh
from analytics.warehouse.store import Warehouse, open_store

SCALE = 0.005
WHEN_LOADED = {"last_loaded_at", "load_id", "started_at", "finished_at", "seen_at", "read_at"}


@pytest.fixture(scope="module")
def warehouses(tmp_path_factory: pytest.TempPathFactory, postgres_server: str) -> Iterator[tuple[Warehouse, Warehouse]]:
    """Give the same demo on both engines, from one set of exports and one key."""
    home = tmp_path_factory.mktemp("engines")
    url = postgres_server.removesuffix("/postgres") + "/postgres"
    opened = []
    for warehouse_url in ("", url):
        settings = Settings(home=home, warehouse_url=SecretStr(warehouse_url), _env_file=None)  # type: ignore[call-arg]
        store = open_store(settings)
        refresh(store, settings, demo_sources(settings, scale=SCALE), note="both engines")
        opened.append(store.current())
    yield opened[0], opened[1]
    for warehouse in opened:
        warehouse.close()


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Leave out what differs by the load's own time, and sort: the order of ties is nobody's promise."""
    kept = frame[[column for column in frame.columns if column not in WHEN_LOADED]].copy()
    for column in kept.columns:
        numeric = pd.api.types.is_numeric_dtype(kept[column]) and not pd.api.types.is_bool_dtype(kept[column])
        kept[column] = kept[column].astype(float) if numeric else kept[column].astype(str)
    by = kept.map(lambda value: f"{value:.4g}" if isinstance(value, float) else value).astype(str).agg("|".join, axis=1)
    return kept.loc[by.sort_values().index].reset_index(drop=True) if len(kept) else kept


@pytest.mark.parametrize("metric_id", [item.spec.id for item in METRICS])
def test_a_metric_says_the_same_on_both_engines(metric_id: str, warehouses: tuple[Warehouse, Warehouse]) -> None:
    duck, postgres = (METRICS[metric_id].compute(warehouse, Filters()) for warehouse in warehouses)
    of_further_loads = metric_id == "storage.deleted_by_period"  # the demo is loaded once: nothing can be gone
    assert len(duck.frame) > 0 or metric_id.startswith("sources.") or of_further_loads
    pd.testing.assert_frame_equal(_plain(duck.frame), _plain(postgres.frame), rtol=1e-9)
    assert (duck.n, duck.left_out) == (postgres.n, postgres.left_out)


def test_every_check_says_the_same_on_both_engines(warehouses: tuple[Warehouse, Warehouse]) -> None:
    duck, postgres = (check_summary(warehouse) for warehouse in warehouses)
    pd.testing.assert_frame_equal(duck, postgres)
    assert (duck["outcome"] == "failed").sum() == 0
    assert (duck["violated"] > 0).sum() > 40


def test_the_images_measure_the_same_on_both_engines(warehouses: tuple[Warehouse, Warehouse]) -> None:
    from analytics.imaging.quality import quality_summary

    assert quality_summary(warehouses[0], Filters()) == quality_summary(warehouses[1], Filters())
