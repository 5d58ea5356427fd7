"""The cards of storage: the last 12 months are months of the calendar, and not those in which something came."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, cast

import pytest

from analytics.core.filters import Filters
from analytics.core.results import MetricResult
from analytics.core.settings import Settings
from analytics.metrics.catalog import compute
from analytics.metrics.facets import Choices
from analytics.metrics.scope import as_of
from analytics.ui.headlines import storage_cards
from analytics.ui.shell import Page
from analytics.warehouse.schema import exams
from analytics.warehouse.store import Store
from tests.spec.case import at, exam
from tests.support import build

GB = 10**9


@dataclass(frozen=True)
class Instant:
    """What the cards ask of a page's choices."""

    as_of: Any


class Asked(Page):
    """A page that computes its answers, and keeps none."""

    def metric(self, metric_id: str, **named: Any) -> MetricResult:
        return compute(metric_id, self.warehouse, self.filters, **named)


def added(store: Store, filters: Filters) -> tuple[str, str, str]:
    """One study of 1 GB each March from 2010 to 2025; an order of 20 May 2026 is the last thing known."""
    march = [exam(year, f"{year}-03-10 09:00", site="North", size_bytes=GB, stored_at=f"{year}-03-10 10:00")
             for year in range(2010, 2026)]
    order = exam(1, None, study=False, order_at="2026-05-20 12:00")
    warehouse = build(store, {exams: [*march, order]})
    assert as_of(warehouse) == at("2026-05-20 12:00")
    page = Asked(warehouse, filters, Settings(site_zone="UTC", _env_file=None),  # type: ignore[call-arg]
                 cast("Choices", Instant(as_of(warehouse))))
    card = storage_cards(page)[1]
    return card.name, card.value, card.change


@pytest.mark.parametrize(("first", "last", "expected"), [
    (None, None, ("Added in the last 12 whole months", "0 B", "0 B a month")),  # May 2025 to April 2026
    (None, date(2026, 2, 28), ("Added in the last 12 whole months", "1.0 GB", "83.3 MB a month")),
    (date(2024, 2, 10), date(2024, 7, 10), ("Added in the last 4 whole months", "1.0 GB", "250 MB a month")),
    (None, date(2010, 5, 31), ("Added in the last 3 whole months", "1.0 GB", "333 MB a month")),
    (date(2009, 1, 1), date(2010, 4, 30), ("Added in the last 2 whole months", "1.0 GB", "500 MB a month")),
    (date(2026, 5, 1), None, ("Added in the last whole month", "–", "")),
])
def test_months_in_which_nothing_came_count(
        store: Store, first: date | None, last: date | None, expected: tuple[str, str, str]) -> None:
    assert added(store, Filters(first, last)) == expected
