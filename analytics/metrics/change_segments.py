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
    found, spans = [top], [(0, top.first), (top.first, len(values))]
    while spans:
        start, end = spans.pop()
        seen = best(weeks[start:end], values[start:end], season(weeks[start:end]), shuffles)
        if seen is None or seen.kind == "line" or seen.p > limit:
            continue
        seen = replace(seen, first=seen.first + start)
        more = sorted([*found, seen], key=lambda one: one.first)
        # less than two years cannot tell the time of the year from a change: the whole series has to
        if _criterion(weeks, values, yearly, more) < _criterion(weeks, values, yearly, found) - STRONG:
            found, spans = more, [*spans, (start, seen.first), (seen.first, end)]
    found = _again(weeks, _less_season(weeks, values, yearly, found), found, limit, shuffles) or [top]
    less = _less_season(weeks, values, yearly, found)
    return _levels(weeks, less, found, yearly)


def _shapes(kind: str, weeks: Numbers) -> tuple[Places, Numbers]:
    return steps(len(weeks), SHORTEST) if kind == "step" else bends(weeks, SHORTEST)


def _misfit(values: Numbers, around: Numbers, shape: Numbers, parameters: int) -> float:
    """Return Schwarz's criterion of one shape, up to what is the same for all."""
    left, shape = without(around, values), without(around, shape)
    squares = float(left @ left - (left @ shape) ** 2 / (shape @ shape))
    n, least = len(values), 1e-12 * float(left @ left)
    return n * float(np.log(max(squares, least))) + parameters * float(np.log(n))


def _again(weeks: Numbers, values: Numbers, found: list[Found], limit: float, shuffles: int) -> list[Found]:
    """Seek each change once more between its neighbors, and keep those that are still there."""
    kept: list[Found] = []
    for _, end, one in _between(found, len(values)):
        start = kept[-1].first if kept else 0  # as it is now, so that they keep their order and their distance
        seen = best(weeks[start:end], values[start:end], constant(end - start), shuffles)
        if seen and seen.kind != "line" and seen.p <= limit:
            first = start + (_nearest(values[start:end], seen.first) if seen.kind == "step" else seen.first)
            kept.append(replace(seen, first=first, p=max(seen.p, one.p)))
    return kept


def _nearest(values: Numbers, first: int) -> int:
    """Return the place within two weeks of a step at which its weeks lie nearest to the two levels.

    Ranks see how many weeks are changed, and not by how much: a low week beside weeks of nothing looks like them.
    """
    places = [place for place in range(first - 2, first + 3) if SHORTEST <= place <= len(values) - SHORTEST]
    return min(places, key=lambda place: sum(float(np.abs(part - np.median(part)).sum())
                                             for part in (values[:place], values[place:])))


def _between(found: list[Found], n: int) -> list[tuple[int, int, Found]]:
    bounds = [0, *(one.first for one in found), n]
    return [(bounds[place], bounds[place + 2], one) for place, one in enumerate(found)]


def _less_season(weeks: Numbers, values: Numbers, yearly: Numbers, found: list[Found]) -> Numbers:
    """Return a series less its time of the year, as a share of its level: what stands still has none."""
    columns, waves = _model(weeks, values, yearly, found)
    fitted = np.linalg.lstsq(np.column_stack([columns, waves]), values, rcond=None)[0]
    return np.asarray(values - waves @ fitted[columns.shape[1]:])


def _criterion(weeks: Numbers, values: Numbers, yearly: Numbers, found: list[Found]) -> float:
    """Return Schwarz's criterion of a series with its changes and its time of the year."""
    model = np.column_stack(_model(weeks, values, yearly, found))
    left = values - model @ np.linalg.lstsq(model, values, rcond=None)[0]
    n, least = len(values), 1e-12 * float(values @ values)
    return n * float(np.log(max(float(left @ left), least))) + 2 * len(found) * float(np.log(n))


def _model(weeks: Numbers, values: Numbers, yearly: Numbers, found: list[Found]) -> tuple[Numbers, Numbers]:
    """Return the columns of the changes, and those of the time of the year, which has none where it is not known."""
    shapes = [np.arange(len(weeks)) >= one.first if one.kind == "step" else
              np.maximum(0.0, weeks - weeks[one.first]) for one in found]
    waves = yearly[:, 1:] - yearly[:, 1:].mean(axis=0)
    return np.column_stack([np.ones(len(weeks)), *shapes]), _line(weeks, values, found)[:, None] * waves


def _line(weeks: Numbers, values: Numbers, found: list[Found]) -> Numbers:
    """Return the level in each week: the median of each part, or the line of its middle slope after a bend."""
    first = found[0].first if found else len(values)
    level = np.full(len(values), float(np.median(values[:first])))
    for _, end, one in _between(found, len(values)):
        part = slice(one.first, end)
        if one.kind == "bend":
            slope, last = middle_slope(weeks[part], values[part])
            level[part] = last + slope * (weeks[part] - weeks[end - 1])
        else:
            level[part] = np.median(values[part])
    return np.maximum(level, 0.0)


def _levels(weeks: Numbers, values: Numbers, found: list[Found], yearly: Numbers) -> History:
    """Say the level before and after each change, and between which weeks it lies."""
    level, told = _line(weeks, values, found), []
    for start, end, one in _between(found, len(values)):
        around = yearly if (start, end) == (0, len(values)) else constant(end - start)
        earliest, latest = interval(weeks[start:end], values[start:end], one.kind, one.first - start, around)
        slope = middle_slope(weeks[one.first:end], values[one.first:end])[0] if one.kind == "bend" else 0.0
        told.append(replace(one, earliest=earliest + start, latest=latest + start, before=float(level[one.first - 1]),
                            after=float(level[end - 1]), slope=slope))
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
