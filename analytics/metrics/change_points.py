"""When a series changed: a step, a bend into a slope, or a stretch that stood apart from the rest.

Each is the least-squares fit of one shape at every place it can have (Hinkley, Biometrika 57, 1970: step; Hinkley,
Biometrika 56, 1969: bend; Levin & Kline, Stat Med 4, 1985: a stretch, there "epidemic"). Whether the best of them is
more than chance is told by shuffling the series, which gives the best of as many places each time (Good, Permutation
Tests, 2000). Weeks resemble the ones beside them, shuffled ones do not: the statistic is divided by the variance
inflation (1 + r) / (1 - r) of what the fit leaves (Bartlett, Suppl J R Stat Soc 8, 1946).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Places = NDArray[np.int_]
SHUFFLES = 1999
"""Shuffled series that a statistic is compared with: the smallest p is one in 2,000."""
SHORTEST = 4
"""Values that a level needs on each side of a change."""
LARGEST_R = 0.9


@dataclass(frozen=True)
class Change:
    """A change of a series.

    Attributes
    ----------
    first : place of the first value that is changed.
    last : place of the last one; that of the last value where the change lasts.
    before, after : medians of what is not changed and of what is. For a bend: the level before it, and that at the end.
    slope : per unit of time, after a bend; 0 otherwise.
    explained : share of the squares that the shape explains.
    p : share of shuffled series that show as much; 1 where it was not tested.
    """

    first: int
    last: int
    before: float
    after: float
    slope: float
    explained: float
    p: float

    def misfit(self, times: Numbers, values: Numbers) -> float:
        """Return how far the values lie from the fitted line, summed without signs."""
        changed = np.arange(len(values)) >= self.first
        line = np.where(changed, self.after + self.slope * (times - times[-1]), self.before)
        return float(np.abs(values - line).sum())


def steps(n: int, shortest: int) -> tuple[Places, Numbers]:
    """Return where a step can be in so many values, and the shape of each."""
    places = np.arange(shortest, n - shortest + 1)
    return places, (np.arange(n) >= places[:, None]).astype(float)


def bends(times: Numbers, shortest: int) -> tuple[Places, Numbers]:
    """Return where a bend can be, as the last value on the level, and the shape of each."""
    places = np.arange(shortest - 1, len(times) - shortest)
    return places, np.maximum(0.0, times - times[places][:, None])


def constant(n: int) -> Numbers:
    """Return the mean as an orthonormal column."""
    return np.full((n, 1), n ** -0.5)


def step(values: Numbers, shortest: int = SHORTEST, *, tested: bool = True) -> Change | None:
    """Find where a level changed for good; on ranks, so that no single value decides.

    Parameters
    ----------
    values : array
        In order of time, evenly spaced but for gaps.
    shortest : int
        Values that each level has at least.
    tested : bool
        Whether to shuffle, which takes most of the time.

    Returns
    -------
    Change or None
        The best place, whether or not it is more than chance (``p``); ``None`` where there are too few values, or all
        are equal.
    """
    n = len(values)
    if n < 3 * shortest or np.ptp(values) == 0:
        return None
    places, shapes = steps(n, shortest)
    best, explained, p = scan(ranks(values), shapes, constant(n), shuffles=SHUFFLES if tested else 0)
    first = int(places[best])
    return Change(first, n - 1, float(np.median(values[:first])), float(np.median(values[first:])), 0.0, explained, p)


def bend(times: Numbers, values: Numbers, shortest: int = SHORTEST) -> Change | None:
    """Find where a level turned into a slope that lasts: a broken line.

    The slope is the median of those between every two values after the bend (Sen, J Am Stat Assoc 63, 1968).

    Parameters
    ----------
    times, values : arrays
        In order of time.
    shortest : int
        Values before the bend, and after it, at least.

    Returns
    -------
    Change or None
        As `step`; ``first`` is the first value after the bend.
    """
    n = len(values)
    if n < 3 * shortest or np.ptp(values) == 0:
        return None
    places, shapes = bends(times, shortest)
    best, explained, p = scan(values, shapes, constant(n))
    bent = int(places[best])
    slope, level = middle_slope(times[bent:], values[bent:])
    return Change(bent + 1, n - 1, float(np.median(values[:bent + 1])), level, slope, explained, p)


def middle_slope(times: Numbers, values: Numbers) -> tuple[float, float]:
    """Return the median slope between every two values, and the level that it gives at the last time."""
    one, other = np.triu_indices(len(values), 1)
    slope = float(np.median((values[other] - values[one]) / (times[other] - times[one])))
    return slope, float(np.median(values - slope * (times - times[-1])))


def stretch(values: Numbers, shortest: int, longest: int, *, tested: bool = True) -> Change | None:
    """Find the stretch that stood farthest above the rest.

    Parameters
    ----------
    values : array
        In order of time, evenly spaced, without trend.
    shortest, longest : int
        Values in the stretch.
    tested : bool
        Whether to shuffle.

    Returns
    -------
    Change or None
        As `step`.
    """
    n = len(values)
    longest = min(longest, n - shortest)
    if longest < shortest or np.ptp(values) == 0:
        return None
    bounds = np.array([(first, first + length) for length in range(shortest, longest + 1)
                       for first in range(n - length + 1)])
    place = np.arange(n)
    shapes = ((place >= bounds[:, :1]) & (place < bounds[:, 1:])).astype(float)
    best, explained, p = scan(values, shapes, constant(n), above=True, shuffles=SHUFFLES if tested else 0)
    first, end = (int(bound) for bound in bounds[best])
    inside = (place >= first) & (place < end)
    apart, rest = float(np.median(values[inside])), float(np.median(values[~inside]))
    return Change(first, end - 1, rest, apart, 0.0, explained, p)


def ranks(values: Numbers) -> Numbers:
    """Return ranks, equal values sharing the mean of theirs."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[place], dtype=float)


def without(columns: Numbers, values: Numbers) -> Numbers:
    """Return values, a series a row, less their least-squares fit on orthonormal columns."""
    return values - (values @ columns) @ columns.T


def scan(values: Numbers, shapes: Numbers, around: Numbers, *, above: bool = False,
         shuffles: int = SHUFFLES) -> tuple[int, float, float]:
    """Return which shape fits best, the share of the squares it explains, and how often chance does as well.

    Parameters
    ----------
    values : array
    shapes : array
        One a row.
    around : array
        Orthonormal columns whose fit is taken out of values and shapes first, the constant among them; what is left
        is shuffled (Freedman & Lane, J Bus Econ Stat 1, 1983).
    above : bool
        Whether only shapes that stand above the rest count.
    shuffles : int
        0: not tested.
    """
    shapes = without(around, shapes)
    shapes /= np.linalg.norm(shapes, axis=1, keepdims=True)
    left = without(around, values)
    left /= np.linalg.norm(left)
    fits = shapes @ left
    best = int(np.argmax(fits if above else np.abs(fits)))
    explained = min(1.0, float(fits[best] ** 2)) if fits[best] > 0 or not above else 0.0
    rest = left - fits[best] * shapes[best]
    alike = float(rest[1:] @ rest[:-1] / (rest @ rest)) if rest @ rest > 1e-12 else 0.0
    alike = min(max(alike, 0.0), LARGEST_R)
    if not shuffles:
        return best, explained, 1.0
    # a fixed seed: the same snapshot always gives the same answer
    shuffled = np.random.default_rng(0).permuted(np.tile(left, (shuffles, 1)), axis=1)
    by_chance = shapes @ shuffled.T
    squares = 1 - ((shuffled @ around) ** 2).sum(axis=1)
    chance = np.max(by_chance if above else np.abs(by_chance), axis=0, initial=0.0) ** 2 / squares
    seen = _ratio(np.array([explained])) * (1 - alike) / (1 + alike)
    as_much = int((_ratio(chance) >= seen).sum())
    return best, explained, (1 + as_much) / (1 + shuffles)


def _ratio(explained: Numbers) -> Numbers:
    return explained / np.maximum(1 - explained, 1e-12)
