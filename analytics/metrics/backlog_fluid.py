"""The arithmetic of a queue, without data: what waits after some days, when a level is reached, how long one waits."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

HORIZON = 730
"""Days after which a level counts as not reached: rates do not hold for longer than two years."""
NEVER = math.nan
_EXACT = 1e-9
"""Of an exam: a queue this close to a level is there, so that a sum's rounding never adds a day."""


def days_until(waiting: float, level: float, net: float) -> float:
    """Return the days in which a queue falls to a level at a steady net rate; 0 where it is there, NaN where never.

    Parameters
    ----------
    waiting, level : float
        Exams that wait now, and that are to wait.
    net : float
        Exams read a day less exams that come a day.
    """
    if waiting <= level + _EXACT:
        return 0.0
    days = (waiting - level) / net if net > 0 else NEVER
    return days if days <= HORIZON else NEVER


@dataclass(frozen=True)
class Reading:
    """A queue read day by day.

    Attributes
    ----------
    waiting : exams that wait at the start.
    arrivals, reads : exams that come, and that can be read, on any day.
    extra : exams that can be read more on a day of the added shift.
    days_a_week : on how many days from Monday the shift is worked.
    weekday : ISO weekday of the first day.
    """

    waiting: float
    arrivals: float
    reads: float
    extra: float = 0.0
    days_a_week: int = 0
    weekday: int = 1

    def days(self) -> Iterator[tuple[float, float]]:
        """Yield for each day what was read and what waits at its end; nothing is read that has not come."""
        waiting, day = self.waiting, 0
        while True:
            works = (self.weekday - 1 + day) % 7 < self.days_a_week
            there = waiting + self.arrivals
            read = min(there, self.reads + (self.extra if works else 0.0))
            waiting, day = there - read, day + 1
            yield read, waiting

    def after(self, days: int) -> float:
        """Return what waits at the end of so many days."""
        ends = [waiting for _, (_, waiting) in zip(range(days), self.days(), strict=False)]
        return ends[-1] if ends else self.waiting

    def until(self, level: float) -> float:
        """Return at the end of which day no more than a level waits; 0 where that is now, NaN where never."""
        if self.waiting <= level + _EXACT:
            return 0.0
        numbered = zip(range(1, HORIZON + 1), self.days(), strict=False)
        return next((float(day) for day, (_, waiting) in numbered if waiting <= level + _EXACT), NEVER)

    @property
    def capacity(self) -> float:
        """Return what can be read a day, on the average of a week."""
        return self.reads + self.extra * self.days_a_week / 7


def erlang_c(servers: int, offered: float) -> float:
    """Return the share of arrivals that wait in an M/M/c queue (Erlang C); 1 where the servers can not keep up.

    Parameters
    ----------
    servers : int
        How many serve at once.
    offered : float
        Arrivals in the time that one is served: servers times utilization.
    """
    if offered >= servers:
        return 1.0
    blocked = 1.0  # Erlang B by its recursion, which does not overflow as factorials do
    for number in range(1, servers + 1):
        blocked = offered * blocked / (number + offered * blocked)
    return blocked / (1 - (offered / servers) * (1 - blocked))


def mean_wait(arrivals: float, capacity: float, servers: int) -> float:
    """Return the mean days in an M/M/c queue before reading begins; NaN where arrivals are not below capacity."""
    if capacity <= arrivals:
        return NEVER
    return erlang_c(servers, servers * arrivals / capacity) / (capacity - arrivals)
