"""Demands and price books that a person can work through by hand."""

from __future__ import annotations

import datetime as dt

import pandas as pd

from analytics.costs.assumptions import Assumptions
from analytics.costs.demand import Demand, Growth
from analytics.costs.price_book import PriceBook, load_price_book

TB = 1e12
DAY = dt.date(2026, 11, 1)


def book(**values: float) -> PriceBook:
    """Give the shipped book with every price zero but those named; PUE and copies are 1."""
    prices = load_price_book()
    for price in prices:
        given = values.get(price.id, 1.0 if price.id in ("pue", "copies") else 0.0)
        prices = prices.with_price(price.id, given, "test", DAY)
    return prices


def demand(tb: list[float], ct_plain_tb: list[float] | None = None, growth: float = 0.0,
           capacity_tb: float | None = None) -> Demand:
    """Give cohorts of ``tb`` terabytes, oldest first, 100 studies and 1,000 images each."""
    cohorts = pd.DataFrame({"studies": 100.0, "objects": 1000.0, "bytes": [size * TB for size in tb]},
                           index=pd.RangeIndex(1 - len(tb), 1, name="cohort"))
    plain = pd.DataFrame({"CT": [size * TB for size in ct_plain_tb or [0.0] * len(tb)]}, index=cohorts.index)
    rate = Growth(growth, growth, growth, 36)
    return Demand(DAY, cohorts, plain, cohorts.sum().to_frame("CT").T, dict.fromkeys(cohorts.columns, rate),
                  capacity_bytes=None if capacity_tb is None else capacity_tb * TB)


def plain_assumptions(**changes: float) -> Assumptions:
    """Give assumptions without inflation, an array that is full at its capacity, and steps of 10 TB."""
    given = {"horizon_years": 3, "discount_rate": 0.1, "inflation": 0.0, "max_fill": 1.0, "step_tb": 10,
             "refresh_years": 30, "recalls_per_study": 0.0, **changes}
    return Assumptions(**given)  # type: ignore[arg-type]
