"""What holds whatever the data: groups sum to totals, filters partition, a mark leads to just its exams."""

from __future__ import annotations

import pytest

from analytics.core.filters import Filters
from analytics.core.results import MetricResult
from analytics.metrics import volume
from analytics.metrics.catalog import METRICS, compute
from analytics.metrics.drill import count_behind, studies_behind
from analytics.warehouse.schema import exams
from analytics.warehouse.store import Store, Warehouse
from tests.metrics.random_exams import random_exams
from tests.support import build

EVERYTHING = Filters()


@pytest.fixture
def random_warehouse(store: Store) -> Warehouse:
    return build(store, {exams: random_exams(1)})


def _counts(result: MetricResult) -> str | None:
    """The column of a result that counts the exams behind each of its marks."""
    return next((name for name in ("studies", "exams", "n", "unread") if name in result.frame.columns), None)


def test_groups_sum_to_the_whole(random_warehouse: Warehouse) -> None:
    whole = volume.by_modality(random_warehouse, EVERYTHING)
    sums = whole.frame[["studies", "series", "images", "bytes", "size_unknown"]].sum()
    for period in ("day", "week", "month", "quarter", "year"):
        for by in (None, "site", "modality", "station_name"):
            split = volume.studies_by_period(random_warehouse, EVERYTHING, period, by)
            assert (split.frame[sums.index.tolist()].sum() == sums).all(), (period, by)
            assert split.n == whole.n


def test_what_is_counted_and_what_is_left_out_make_the_population(random_warehouse: Warehouse) -> None:
    result = volume.by_site(random_warehouse, EVERYTHING)
    studies = random_warehouse.count(exams.select().where(exams.c.has_study))
    assert result.n + sum(item.n for item in result.left_out) == studies


def test_filters_partition(random_warehouse: Warehouse) -> None:
    known = volume.by_modality(random_warehouse, EVERYTHING).frame.dropna(subset="modality")
    parts = [volume.by_site(random_warehouse, Filters(modalities=(name,))).n for name in known.modality]
    assert sum(parts) == known.studies.sum()


def test_a_mark_leads_to_just_the_exams_it_counts(random_warehouse: Warehouse) -> None:
    followed = 0
    for item in METRICS:
        result = compute(item.spec.id, random_warehouse, EVERYTHING)
        column = _counts(result)
        if result.rows is None or column is None:
            continue
        for mark in result.frame.head(12).to_dict("records"):
            behind = {name: mark[name] for name in result.dimensions}
            assert count_behind(random_warehouse, result, behind) == mark[column], (item.spec.id, behind)
        followed += 1
        shown = studies_behind(random_warehouse, result, {}, limit=7)
        assert len(shown) == min(7, random_warehouse.count(result.rows)), item.spec.id
        assert {"study_instance_uid", "accession_number", "site", "modality", "station_name", "exam_date",
                "description"} <= set(shown.columns)
    assert followed >= 5
