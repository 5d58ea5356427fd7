"""What several archives took in together: only the months that all of them cover are known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analytics.core.filters import Filters
from analytics.metrics.forecast import History, histories, together
from analytics.warehouse.schema import archives, exams
from analytics.warehouse.store import Store
from tests.spec.case import exam
from tests.support import build


def _archive(first: str, used_before: int = 0, earlier: int = 0, added: int = 100, last: str = "2025-12-01") -> History:
    months = pd.date_range(first, last, freq="MS")
    return History(first, 10_000, used_before, months, np.full(len(months), added), earlier, 7, 0.5)


def test_months_before_an_index_begins_are_not_known_to_be_empty() -> None:
    """The first is known from January; the second holds 500 from before its index begins in May."""
    both = together([_archive("2025-01-01"), _archive("2025-05-01", used_before=500, earlier=30)])
    assert list(both.months) == list(pd.date_range("2025-05-01", "2025-12-01", freq="MS"))
    assert both.added.tolist() == [200] * 8
    assert both.earlier == 4 * 100 + 30, "what the first took in from January to April is held all the same"
    assert both.used.tolist() == [500 + 430 + 200 * month for month in range(1, 9)]
    assert (both.capacity, both.current, both.gone) == (20_000, 14, 0.5)


def test_an_archive_that_was_new_took_in_nothing_before_and_part_of_a_month_first() -> None:
    both = together([_archive("2025-01-01"), _archive("2025-05-01", earlier=30)])
    assert list(both.months) == list(pd.date_range("2025-01-01", "2025-12-01", freq="MS"))
    assert both.added.tolist() == [100, 100, 100, 130, *[200] * 8] and both.earlier == 0


def test_a_first_month_that_is_not_whole_is_not_learnt_from() -> None:
    both = together([_archive("2025-02-01", earlier=30), _archive("2025-03-01", earlier=40)])
    assert both.months[0] == pd.Timestamp("2025-02-01")
    assert (both.added[0], both.earlier) == (140, 30)


@pytest.mark.parametrize(("used_before", "months"), [(500, 0), (0, 12)])
def test_an_archive_without_a_whole_month_covers_none_unless_it_is_new(used_before: int, months: int) -> None:
    latest = _archive("2026-01-01", used_before, earlier=30)
    both = together([_archive("2025-01-01"), latest])
    assert len(both.months) == months
    assert both.earlier + both.added.sum() == 1230 and (not months or both.added[-1] == 130)
    assert len(together([latest]).months) == 0


def test_what_came_in_the_month_that_is_not_over_counts_once(store: Store) -> None:
    rows = [exam(1, "2025-03-20 09:00", site="North", size_bytes=50, stored_at="2025-03-20 10:00")]
    warehouse = build(store, {exams: rows, archives: [
        {"archive": "NORTH", "site": "North", "capacity_bytes": 1000, "used_bytes_before": 0}]})
    (history,) = histories(warehouse, Filters())
    assert (history.earlier, history.current, len(history.months)) == (0, 50, 0)
