"""Calendar periods: when one ends, and whether a snapshot covers the whole of it."""

from __future__ import annotations

from datetime import date

import pandas as pd

from analytics.core.filters import Filters
from analytics.warehouse.expressions import Period

_LENGTH = {
    "day": pd.DateOffset(days=1), "week": pd.DateOffset(weeks=1), "month": pd.DateOffset(months=1),
    "quarter": pd.DateOffset(months=3), "year": pd.DateOffset(years=1),
}


def next_period(start: pd.Series[pd.Timestamp], period: Period) -> pd.Series[pd.Timestamp]:
    """Return the first day of the period after each."""
    return start + _LENGTH[period]


def whole_periods(start: pd.Series[pd.Timestamp], period: Period, filters: Filters,
                  first_open_day: date | None) -> pd.Series[bool]:
    """Say of each period whether all of it is covered: not cut by the filters, and over when the data end.

    Parameters
    ----------
    start : first day of each period.
    first_open_day : the first day that the data may not cover whole.
    """
    end = next_period(start, period)
    whole = pd.Series(True, index=start.index)
    if filters.date_from:
        whole &= start >= pd.Timestamp(filters.date_from)
    if filters.date_to:
        whole &= end <= pd.Timestamp(filters.date_to) + pd.Timedelta(days=1)
    if first_open_day:
        whole &= end <= pd.Timestamp(first_open_day)
    return whole


def cut_note(start: pd.Series[pd.Timestamp], whole: pd.Series[bool], period: Period) -> tuple[str, ...]:
    """Say in words which periods are not whole, so that nobody reads a fall into them."""
    cut = sorted(start[~whole].unique())
    if not cut:
        return ()
    names = ", ".join(f"{day:%Y-%m-%d}" for day in (cut if len(cut) < 3 else [cut[0], cut[-1]]))
    return (f"Not whole, so not to be compared with the others: the {period} that begins {names}.",)
