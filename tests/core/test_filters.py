"""Filters survive the address bar."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.core.errors import PacsmeterError
from analytics.core.filters import Filters

_names = st.lists(st.text(min_size=1), unique=True).map(tuple)
_days = st.dates(dt.date(1990, 1, 1), dt.date(2090, 1, 1))


@given(_days, _days, _names, _names)
def test_a_link_brings_back_the_same_filters(one: dt.date, other: dt.date, sites: tuple[str, ...],
                                             devices: tuple[str, ...]) -> None:
    filters = Filters(min(one, other), max(one, other), sites=sites, station_names=devices)
    assert Filters.from_query(filters.to_query()) == filters


def test_open_filters_make_an_empty_link() -> None:
    assert Filters().to_query() == {}
    assert Filters.from_query({"unknown": ["x"]}) == Filters()


def test_a_period_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(PacsmeterError, match=r"ends .* before it starts"):
        Filters(dt.date(2026, 2, 1), dt.date(2026, 1, 1))


def test_a_date_that_cannot_be_read_is_named() -> None:
    with pytest.raises(PacsmeterError, match=r"31\.12\.2026"):
        Filters.from_query({"date_from": ["31.12.2026"]})
