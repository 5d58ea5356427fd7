"""The price book: sourced, dated, editable, and clear about what is wrong in it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.core.errors import PacsmeterError
from analytics.costs.price_book import TIER_FIGURES, TIERS, load_price_book, read_price_book

SHIPPED = load_price_book()


def test_every_price_has_a_source_and_a_date_and_what_is_assumed_says_so() -> None:
    assert all(price.source and price.date <= dt.date(2026, 12, 31) for price in SHIPPED)
    assert {price.id for price in SHIPPED.assumed} >= {"hardware", "admin_salary", "copies"}
    assert not SHIPPED.price("instant_storage").is_assumed


@pytest.mark.parametrize(("price_id", "value"), [
    ("hot_storage", 0.023), ("infrequent_storage", 0.0125), ("instant_storage", 0.004), ("flexible_storage", 0.0036),
    ("deep_storage", 0.00099), ("infrequent_retrieval", 0.01), ("instant_retrieval", 0.03),
    ("instant_minimum_days", 90), ("deep_minimum_days", 180), ("instant_minimum_object", 128), ("deep_overhead", 40),
    ("egress", 0.09)])
def test_list_prices_are_those_of_the_source(price_id: str, value: float) -> None:
    assert SHIPPED[price_id] == value


def test_every_tier_has_every_figure() -> None:
    assert {f"{tier}_{figure}" for tier in TIERS for figure in TIER_FIGURES} <= {price.id for price in SHIPPED}


def test_a_book_written_and_read_is_the_same(tmp_path: Path) -> None:
    path = tmp_path / "book.csv"
    path.write_text(SHIPPED.to_csv(), encoding="utf-8")
    assert load_price_book(path) == SHIPPED


@given(st.floats(min_value=0, allow_nan=False, allow_infinity=False),
       st.text(st.characters(exclude_categories=("C", "Zl", "Zp")), min_size=1).filter(str.strip))
def test_any_price_and_source_survive_the_file(value: float, source: str) -> None:
    book = SHIPPED.with_price("egress", value, source, dt.date(2026, 1, 2))
    assert read_price_book(book.to_csv()) == book


@pytest.mark.parametrize(("old", "new", "message"), [
    ("egress,Egress from the cloud,0.09", "egress,Egress from the cloud,0.0.9", "line 32, column 'value'"),
    ("egress,Egress from the cloud,0.09", "egress,Egress from the cloud,-1", "'-1' is not a number"),
    ("egress,Egress from the cloud,0.09", "egress,Egress from the cloud,", "column 'value' is empty"),
    ("egress,Egress from the cloud,0.09,USD/GB,USD", "egress,Egress,0.09,USD/GB,EUR", "mixes currencies"),
    ("egress,Egress from the cloud,0.09,USD/GB,USD", "egress,Egress,0.09,USD/GB,dollar", "column 'currency'"),
    ("id,item,value", "id,item,price", "lacks the column 'value'"),
    ("\negress,", "\nhardware,", "'hardware' is there twice"),
    ("\negress,", "\negress2,", "lacks the price 'egress'"),
    ("2026-05-01,about", "1 May 2026,about", "column 'date'"),
])
def test_a_mistake_is_named_with_its_row_and_column(old: str, new: str, message: str) -> None:
    text = SHIPPED.to_csv()
    assert old in text
    with pytest.raises(PacsmeterError, match=message):
        read_price_book(text.replace(old, new, 1))


def test_a_price_without_a_source_is_refused() -> None:
    with pytest.raises(PacsmeterError, match="needs its source"):
        SHIPPED.with_price("egress", 1.0, " ", dt.date(2026, 1, 2))


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(PacsmeterError, match="cannot be read"):
        load_price_book(tmp_path / "absent.csv")
