"""Volume by anything: the largest groups, the others as one, and every study in one of them."""

from __future__ import annotations

import pytest

from analytics.core.filters import Filters
from analytics.metrics.drill import count_behind
from analytics.metrics.volume import OTHERS, Split, studies_by_period
from analytics.warehouse.schema import exams
from analytics.warehouse.store import Store
from tests.metrics.random_exams import random_exams
from tests.support import build

SPLITS: tuple[Split, ...] = ("site", "modality", "station_name", "description", "hours", "exam_weekday", "priority",
                             "patient_class")
SUMS = ["studies", "series", "images", "bytes", "size_unknown"]


@pytest.mark.parametrize("by", SPLITS)
@pytest.mark.parametrize("top", [1, 2, 8])
def test_the_largest_groups_and_the_others_sum_to_the_whole(store: Store, by: Split, top: int) -> None:
    warehouse = build(store, {exams: random_exams(1)})
    whole = studies_by_period(warehouse, Filters())
    split = studies_by_period(warehouse, Filters(), by=by, top=top)

    assert split.n == whole.n
    assert (split.frame.groupby("period")[SUMS].sum() == whole.frame.set_index("period")[SUMS]).all().all()
    assert split.frame[by].nunique(dropna=False) <= (7 if by == "exam_weekday" else top + 1)
    held = studies_by_period(warehouse, Filters(), by=by).frame.groupby(by, dropna=False).studies.sum()
    alone = split.frame[split.frame[by].astype(object) != OTHERS].groupby(by, dropna=False).studies.sum()
    assert sorted(alone, reverse=True) == sorted(held, reverse=True)[:len(alone)]
    for mark in split.frame.head(6).to_dict("records"):
        behind = {name: mark[name] for name in split.dimensions}
        assert count_behind(warehouse, split, behind) == mark["studies"]
