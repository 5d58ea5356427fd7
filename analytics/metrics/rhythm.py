"""A device's working rhythm: on which days it makes studies, and how likely a silence is for one that works so."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Collection, Container, Iterable
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from scipy.special import betaln

LEARNED_DAYS = 56
"""Eight weeks before its latest study: each weekday eight times."""
_SUNDAY = 7


def days_between(first: date, last: date) -> list[date]:
    """Return every day from the first to the last; none where the last is earlier."""
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def kind_of(day: date, closed: Container[date]) -> int:
    """Return the weekday by which a day is expected to go (1 Monday … 7): a public holiday goes as a Sunday."""
    return _SUNDAY if day in closed else day.isoweekday()


@dataclass(frozen=True)
class Rhythm:
    """How often a device makes studies, on its working days and on its other days.

    Attributes
    ----------
    working : weekdays on which it made studies at least every second time; every weekday where there is none.
    other : the other weekdays that were seen.
    used, seen : days with studies and days in all, of its working days and of its others.
    longest : most working days in a row without a study before its latest one.
    closed : public holidays.
    """

    working: frozenset[int]
    other: frozenset[int]
    used: tuple[int, int]
    seen: tuple[int, int]
    longest: int
    closed: Collection[date]

    def working_days(self, days: Iterable[date]) -> int:
        """Count the days of some that are its working days."""
        return sum(kind_of(day, self.closed) in self.working for day in days)

    def chance_of_silence(self, days: Iterable[date]) -> float:
        """Return how likely no study on any of some days is, for a device that goes on as it did.

        Days are taken as independent, each kind of day with a share of days in use that is itself only known from
        those seen (a beta-binomial with Jeffreys' prior). Weekdays never seen say nothing.
        """
        counts = Counter(kind_of(day, self.closed) for day in days)
        chance = 1.0
        for kinds, used, seen in zip((self.working, self.other), self.used, self.seen, strict=True):
            chance *= none_in_use(sum(counts[kind] for kind in kinds), used, seen)
        return chance


def none_in_use(days: int, used: int, seen: int) -> float:
    """Return how likely it is that none of some further days is in use, where of ``seen`` days ``used`` were."""
    hits, misses = used + 0.5, seen - used + 0.5
    return float(np.exp(betaln(hits, misses + days) - betaln(hits, misses)))


def rhythm_of(active: Iterable[date], first: date, latest: date, closed: Collection[date]) -> Rhythm:
    """Learn a device's rhythm from the eight weeks before its latest study, or from its first on where that is later.

    Its first day and its latest are days with studies by choice, and would make it look busier: they do not count,
    but silence is counted between them.

    Parameters
    ----------
    active : days with studies, at least those of the eight weeks.
    first, latest : its first and latest day of all.
    closed : public holidays.
    """
    begins = max(first + timedelta(days=1), latest - timedelta(days=LEARNED_DAYS))
    window = days_between(begins, latest - timedelta(days=1))
    in_use = {day for day in active if begins <= day < latest}
    seen, used = (Counter(kind_of(day, closed) for day in days) for days in (window, in_use))
    working = frozenset(kind for kind in seen if 2 * used[kind] >= seen[kind]) or frozenset(seen)
    other = frozenset(seen) - working
    marks = sorted({max(first, begins - timedelta(days=1)), *in_use, latest})
    silences = (days_between(before + timedelta(days=1), after - timedelta(days=1))
                for before, after in itertools.pairwise(marks))
    longest = max((sum(kind_of(day, closed) in working for day in days) for days in silences), default=0)
    used_by, seen_by = ((sum(counts[kind] for kind in working), sum(counts[kind] for kind in other))
                        for counts in (used, seen))
    return Rhythm(working, other, used_by, seen_by, longest, closed)
