"""Every step and bend of a weekly series, with the time of the year taken out, and an interval for each date.

The best step and the best bend of the whole series are told from chance (`change_points.scan`); what is found cuts the
series in two, and each part is looked at again (binary segmentation: Vostrikova, Sov Math Dokl 24, 1981), and last each
place once more between its neighbors (Bai, Econom Theory 13, 1997). A step, a bend and a straight line are weighed by
Schwarz's criterion (Ann Stat 6, 1978), and the line is preferred unless the evidence against it is strong, so that
steady growth is not taken for a step in its middle. The interval of a
date is where the place is found again in series drawn anew: the fit, and what it leaves in blocks of weeks in another
order (Hušková & Kirch, J Time Ser Anal 29, 2008).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from analytics.metrics.change_points import (
    SHUFFLES,
    Numbers,
    Places,
    bends,
    constant,
    middle_slope,
    ranks,
    scan,
    steps,
    without,
)

Kind = Literal["step", "bend", "line"]
SHORTEST = 8
"""Weeks on each side of a change: what has lasted less is not yet for good."""
WEEKS_OF_YEAR = 365.2425 / 7
SHARE = 0.98
"""Share of the places drawn anew that lie in the interval of a date; of true ones fewer do, so it is said to hold 90 %:
what is drawn knows neither that the change was found because it shows, nor how alike weeks far apart are."""
DRAWN = 1999
BLOCK = 4
STRONG = 6.0
"""By how much the criterion of a step or a bend has to be better than a line's: Kass & Raftery,
J Am Stat Assoc 90, 1995."""
_FIRST_LOOK, _NO_CHANCE = 199, 0.1


@dataclass(frozen=True)
class Found:
    """A change of a weekly series.

    Attributes
    ----------
    kind : ``step`` (to another level) or ``bend`` (from a level into a slope).
    first : place of the first week that is changed; of a bend, of the last week on the level.
    earliest, latest : places between which ``first`` lies.
    before, after : levels, less the time of the year; after a bend: at the end of the slope.
    slope : a week, after a bend; 0 after a step.
    p : share of shuffled series that show as much, both shapes counted.
    """

    kind: Kind
    first: int
    p: float
    earliest: int = 0
    latest: int = 0
    before: float = 0.0
    after: float = 0.0
    slope: float = 0.0


@dataclass(frozen=True)
class History:
    """What became of a series: its changes in order of time, and its level in each week."""

    changes: tuple[Found, ...]
    level: Numbers
    steady: bool = False


def season(weeks: Numbers) -> Numbers:
    """Return what is taken out of a series before it is looked at, as orthonormal columns: mean and time of the year.

    The time of the year is a wave of a year and one of half a year (Bloomfield, Fourier Analysis of Time Series, 2000).
    In less than two years it cannot be told from a change, and stays.

    Parameters
    ----------
    weeks : array
        Number of each week; some may be missing.
    """
    if len(weeks) == 0 or weeks[-1] - weeks[0] + 1 < np.floor(2 * WEEKS_OF_YEAR):
        return constant(len(weeks))
    turns = 2 * np.pi * weeks / WEEKS_OF_YEAR
    waves = [wave(times * turns) for times in (1, 2) for wave in (np.sin, np.cos)]
    return np.asarray(np.linalg.qr(np.column_stack([np.ones(len(weeks)), *waves]))[0])


def best(weeks: Numbers, values: Numbers, around: Numbers, shuffles: int) -> Found | None:
    """Return the best shape of a series: a step, a bend, or a straight line, which is never a change.

    Returns
    -------
    Found or None
        Its place and p alone; ``None`` where there are too few values, or all are equal.
    """
    if len(values) < 3 * SHORTEST or np.ptp(values) == 0:
        return None
    fits = [(_misfit(values, around, weeks, 1) - STRONG, "line", 0)]
    for kind in ("step", "bend"):
        places, shapes = _shapes(kind, weeks)
        place, _, _ = scan(_seen_as(kind, values), shapes, around, shuffles=0)
        fits.append((_misfit(values, around, shapes[place], 2), kind, int(places[place])))
    _, chosen, first = min(fits)
    if chosen == "line":
        return Found("line", 0, min(_p("step", weeks, values, around, SHUFFLES),
                                    _p("bend", weeks, values, around, SHUFFLES)))
    return Found("step" if chosen == "step" else "bend", first, _p(chosen, weeks, values, around, shuffles))


def _p(kind: str, weeks: Numbers, values: Numbers, around: Numbers, shuffles: int) -> float:
    """Return how often chance does as well, both shapes counted; more shuffles where fewer do not show it to be chance.

    Stopping early is what Besag & Clifford do (Biometrika 78, 1991).
    """
    _, shapes = _shapes(kind, weeks)
    p = 1.0
    for number in sorted({min(shuffles, some) for some in (_FIRST_LOOK, SHUFFLES, shuffles)}):
        _, _, p = scan(_seen_as(kind, values), shapes, around, shuffles=number)
        if p > _NO_CHANCE / (1 if number == _FIRST_LOOK else 10):
            break
    return min(1.0, 2 * p)


def _seen_as(kind: str, values: Numbers) -> Numbers:
    """Return what a shape is fitted to: ranks for a step, so that no single week decides."""
    return ranks(values) if kind == "step" else values


def unchanged(weeks: Numbers, values: Numbers, *, steady: bool) -> History:
    """Return the history of a series without a point of change: on one level, or on one slope all through."""
    if not steady:
        return History((), np.full(len(values), float(np.median(values)) if len(values) else 0.0))
    slope, last = middle_slope(weeks, values)
    return History((), last + slope * (weeks - weeks[-1]), steady=True)


def history(weeks: Numbers, values: Numbers, top: Found, limit: float, shuffles: int) -> History:
    """Return the change found first, and those in the parts it cuts the series into.

    Parameters
    ----------
    weeks, values : arrays
        Number of each week, in order, and what it holds.
    top : Found
        What `best` found in all of it.
    limit : float
        Largest p of a further change, both shapes counted.
    shuffles : int
        Shuffled series that each is compared with.
    """
    yearly = season(weeks)
    less = _less_season(weeks, values, yearly, [top])
    found = sorted([top, *_search(weeks, less, (0, top.first), limit, shuffles),
                    *_search(weeks, less, (top.first, len(values)), limit, shuffles)], key=lambda one: one.first)
    if len(found) > 1:
        found = _again(weeks, less, found, limit, shuffles)
        less = _less_season(weeks, values, yearly, found)
    return _levels(weeks, less, found, yearly)


def holm(p: list[float]) -> list[float]:
    """Return each p corrected for how many there are (Holm, Scand J Stat 6, 1979)."""
    order = sorted(range(len(p)), key=lambda place: p[place])
    corrected, most = [1.0] * len(p), 0.0
    for rank, place in enumerate(order):
        most = max(most, min(1.0, (len(p) - rank) * p[place]))
        corrected[place] = most
    return corrected


def shuffles_for(series: int, limit: float) -> int:
    """Return how many shuffled series let the smallest p, corrected for so many series, be a fifth of the limit."""
    return min(max(SHUFFLES, int(np.ceil(2 * series / (limit / 5)))), 50_000)


def _shapes(kind: str, weeks: Numbers) -> tuple[Places, Numbers]:
    return steps(len(weeks), SHORTEST) if kind == "step" else bends(weeks, SHORTEST)


def _misfit(values: Numbers, around: Numbers, shape: Numbers, parameters: int) -> float:
    """Return Schwarz's criterion of one shape, up to what is the same for all."""
    left, shape = without(around, values), without(around, shape)
    squares = float(left @ left - (left @ shape) ** 2 / (shape @ shape))
    n, least = len(values), 1e-12 * float(left @ left)
    return n * float(np.log(max(squares, least))) + parameters * float(np.log(n))


def _search(weeks: Numbers, values: Numbers, span: tuple[int, int], limit: float, shuffles: int) -> list[Found]:
    part = slice(*span)
    seen = best(weeks[part], values[part], constant(span[1] - span[0]), shuffles)
    if seen is None or seen.kind == "line" or seen.p > limit:
        return []
    seen = replace(seen, first=seen.first + span[0])
    return [*_search(weeks, values, (span[0], seen.first), limit, shuffles), seen,
            *_search(weeks, values, (seen.first, span[1]), limit, shuffles)]


def _again(weeks: Numbers, values: Numbers, found: list[Found], limit: float, shuffles: int) -> list[Found]:
    """Seek each change once more between its neighbors, and keep those that are still there."""
    kept = []
    for start, end, one in _between(found, len(values)):
        seen = best(weeks[start:end], values[start:end], constant(end - start), shuffles)
        if seen and seen.kind != "line" and seen.p <= limit:
            kept.append(replace(seen, first=seen.first + start, p=max(seen.p, one.p)))
    return kept


def _between(found: list[Found], n: int) -> list[tuple[int, int, Found]]:
    bounds = [0, *(one.first for one in found), n]
    return [(bounds[place], bounds[place + 2], one) for place, one in enumerate(found)]


def _less_season(weeks: Numbers, values: Numbers, yearly: Numbers, found: list[Found]) -> Numbers:
    """Return a series less its time of the year, which is fitted together with its changes."""
    if yearly.shape[1] == 1:
        return values
    waves = yearly[:, 1:] - yearly[:, 1:].mean(axis=0)
    shapes = [np.arange(len(weeks)) >= one.first if one.kind == "step" else
              np.maximum(0.0, weeks - weeks[one.first]) for one in found]
    columns = np.column_stack([waves, np.ones(len(weeks)), *shapes])
    fitted = np.linalg.lstsq(columns, values, rcond=None)[0]
    return np.asarray(values - waves @ fitted[:waves.shape[1]])


def _levels(weeks: Numbers, values: Numbers, found: list[Found], yearly: Numbers) -> History:
    """Say the level before and after each change, and between which weeks it lies."""
    level = np.full(len(values), float(np.median(values[:found[0].first or None]))) if found else values
    told = []
    for start, end, one in _between(found, len(values)):
        before = float(level[one.first - 1])
        if one.kind == "bend":
            slope, after = middle_slope(weeks[one.first:end], values[one.first:end])
            level[one.first:] = after + slope * np.minimum(0.0, weeks[one.first:] - weeks[end - 1])
        else:
            slope, after = 0.0, float(np.median(values[one.first:end]))
            level[one.first:] = after
        around = yearly if (start, end) == (0, len(values)) else constant(end - start)
        earliest, latest = interval(weeks[start:end], values[start:end], one.kind, one.first - start, around)
        told.append(replace(one, earliest=earliest + start, latest=latest + start, before=before, after=after,
                            slope=slope))
    return History(tuple(told), level)


def interval(weeks: Numbers, values: Numbers, kind: str, first: int, around: Numbers) -> tuple[int, int]:
    """Return the places between which a change lies.

    Parameters
    ----------
    weeks, values : arrays
    kind, first
        The shape found, and its place.
    around : array
        Orthonormal columns that were taken out.
    """
    places, shapes = _shapes(kind, weeks)
    n, rng = len(values), np.random.default_rng(0)
    shapes = without(around, shapes)
    shapes /= np.linalg.norm(shapes, axis=1, keepdims=True)
    shape = shapes[int(np.searchsorted(places, first))]
    left = without(around, values)
    fitted = (left @ shape) * shape
    left = (left - fitted) * np.sqrt(n / max(1, n - around.shape[1] - 2))
    starts = rng.integers(0, n, size=(DRAWN, -(-n // BLOCK)))
    order = ((starts[:, :, None] + np.arange(BLOCK)) % n).reshape(DRAWN, -1)[:, :n]
    drawn = fitted + left[order]
    if kind == "step":
        drawn += rng.normal(scale=1e-9 * (1.0 + float(np.ptp(values))), size=drawn.shape)  # no two alike
        drawn = np.argsort(np.argsort(drawn, axis=1), axis=1).astype(float)
    again = places[np.argmax(np.abs(without(around, drawn) @ shapes.T), axis=1)]
    low, high = np.quantile(again, [(1 - SHARE) / 2, (1 + SHARE) / 2], method="inverted_cdf")
    return min(int(low), first), max(int(high), first)
