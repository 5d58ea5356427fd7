"""Days on which studies are counted: the kind of each, and from when on an index can be taken to cover them."""

from __future__ import annotations

from collections.abc import Container, Hashable, Sequence
from datetime import date

import pandas as pd

from analytics.core.settings import load_settings
from analytics.metrics.working_days import is_working_day, public_holidays

WORKING, SATURDAY, CLOSED = "working day", "Saturday", "Sunday or public holiday"
KINDS = (WORKING, SATURDAY, CLOSED)
LEAST_OF_BUSIEST = 0.1
"""A period before the first that holds this share of the busiest one has strays: old studies sent in from elsewhere."""
PER_DAY = "{study}/d"
WORKING_DAY = ("A working day is Monday to Friday and no public holiday of the country that PACSMETER_HOLIDAYS names; "
               "without it, holidays count as working days.")
UNKNOWN_HOLIDAYS = "Public holidays count as working days: PACSMETER_HOLIDAYS does not say whose."


def kinds_of_days(first: pd.Timestamp, last: pd.Timestamp) -> pd.Series[str]:
    """Return the kind of each day from the first to the last: one of `KINDS`."""
    days = pd.date_range(first, last)
    closed = public_holidays(load_settings().holidays, [day.date() for day in days])
    return pd.Series([_kind(day, closed) for day in days], index=days, dtype=object)


def _kind(day: pd.Timestamp, closed: Container[date]) -> str:
    if is_working_day(day.date(), closed):
        return WORKING
    return SATURDAY if day.dayofweek == 5 and day.date() not in closed else CLOSED


def begins(counts: pd.Series[int]) -> Hashable | None:
    """Return the first period, in order, that holds a tenth of what the busiest does; ``None`` where none holds any.

    A handful of studies years older than the rest would otherwise make those years look covered, and empty.
    """
    enough = counts[(counts > 0) & (counts >= LEAST_OF_BUSIEST * counts.max())] if len(counts) else counts
    return enough.index[0] if len(enough) else None


def holiday_notes() -> tuple[str, ...]:
    """Say so where nobody told which country's public holidays to take."""
    return () if load_settings().holidays else (UNKNOWN_HOLIDAYS,)


def counted(parts: Sequence[tuple[int, str]]) -> str:
    """Join counts and what they are of, leaving out those of nothing: ``2 are cut, 12 have …``."""
    return ", ".join(f"{number:,} {words}" for number, words in parts if number)
