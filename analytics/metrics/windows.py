"""Two windows of days to compare: the last whole ones or those chosen, and as many days before or a year before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

import sqlalchemy as sa

from analytics.core.errors import PacsmeterError
from analytics.core.filters import Filters
from analytics.metrics.scope import Condition, Scope
from analytics.warehouse.expressions import literal

COMPARED_DAYS = 91
"""Thirteen whole weeks, so that each weekday occurs as often in one window as in the other."""
YEAR_OF_WEEKS = timedelta(days=364)
Against = Literal["before", "year"]
WHICH_WINDOWS = (f"Where no period is chosen: the last {COMPARED_DAYS} whole days, against the same weekdays 52 weeks "
                 "before; a period longer than 52 weeks is compared with as many days before it.")


@dataclass(frozen=True)
class Windows:
    """A window and the earlier one that it is compared with.

    Attributes
    ----------
    first, last : first and last day of the later window.
    shift : from a day of the earlier window to the same one of the later.
    """

    first: date
    last: date
    shift: timedelta

    @property
    def before_first(self) -> date:
        """Return the first day of the earlier window."""
        return self.first - self.shift

    @property
    def before_last(self) -> date:
        """Return the last day of the earlier window."""
        return self.last - self.shift

    def days(self, before: bool) -> list[date]:
        """Return every day of one of the windows."""
        start = self.before_first if before else self.first
        return [start + timedelta(days=number) for number in range((self.last - self.first).days + 1)]

    def in_this(self, day: sa.ColumnElement[Any]) -> Condition:
        """Return the condition that a day is in the later window."""
        return sa.and_(day >= self.first, day <= self.last)

    def in_before(self, day: sa.ColumnElement[Any]) -> Condition:
        """Return the condition that a day is in the earlier window."""
        return sa.and_(day >= self.before_first, day <= self.before_last)

    def window(self, day: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        """Return which window a day of either is in: ``this`` or ``before``."""
        return sa.case((self.in_this(day), literal("this")), else_=literal("before"))

    def __str__(self) -> str:
        return (f"{self.first:%Y-%m-%d} to {self.last:%Y-%m-%d} against "
                f"{self.before_first:%Y-%m-%d} to {self.before_last:%Y-%m-%d}.")

    def uncovered(self, first_known: date | None) -> tuple[str, ...]:
        """Say where what is known begins within the earlier window, so that nobody reads growth into it."""
        if first_known is None or first_known <= self.before_first:
            return ()
        return (f"The first study known here is of {first_known:%Y-%m-%d}, within or after the earlier window: where "
                "the index begins there, the change is not growth.",)


NOTHING_YET = "There is no study yet, or no day of the period chosen is over."
"""Where `compared` gives nothing."""


def chosen_days(filters: Filters, whole_until: date, days: int = COMPARED_DAYS) -> tuple[date, date]:
    """Return the first and last day of the period chosen, as far as days are over; else of so many last whole days.

    Parameters
    ----------
    whole_until : date
        First day that may not be covered whole; see `analytics.metrics.scope.whole_until`.
    """
    yesterday = whole_until - timedelta(days=1)
    last = min(filters.date_to or yesterday, yesterday)
    return filters.date_from or last - timedelta(days=days - 1), last


def compared(scope: Scope, against: Against | None) -> Windows | None:
    """Return the windows that a scope's filters ask to compare; ``None`` where there is nothing to compare yet.

    Parameters
    ----------
    scope : Scope
    against : {"before", "year"} or None
        The days just before, or the same weekdays 52 weeks before; ``None``: a year before where the window is no
        longer than that, else just before.

    Raises
    ------
    PacsmeterError
        ``"year"`` with a window longer than 52 weeks, which would overlap.
    """
    if scope.whole_until is None:
        return None
    first, last = chosen_days(scope.filters, scope.whole_until)
    length = timedelta(days=(last - first).days + 1)
    if length.days < 1:
        return None
    year = against == "year" or (against is None and length <= YEAR_OF_WEEKS)
    shift = YEAR_OF_WEEKS if year else length
    if length > shift:
        raise PacsmeterError("The two windows compared would overlap", "Choose a period of 1 to 364 days.")
    return Windows(first, last, shift)
