"""Histories of bytes a day by month, simulated: what a forecast is tried on where the truth is known.

They are made by recipes of their own and not by the forecast's models, each with growth, noise and size drawn anew.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
KINDS = {
    "steady": "steady growth",
    "season": "growth with a season of the year",
    "shift": "growth with one shift of level",
    "walk": "random walk with drift",
    "noisy": "growth with overdispersed noise",
}
AHEAD = 24
SHORTEST, LONGEST = 18, 60


def simulate(kind: str, seed: int) -> tuple[Array, Array]:
    """Return a history of `SHORTEST` to `LONGEST` months, and the `AHEAD` months that followed."""
    rng = np.random.default_rng([list(KINDS).index(kind), seed])
    known = int(rng.integers(SHORTEST, LONGEST + 1))
    month = np.arange(known + AHEAD)
    growth, noise = rng.uniform(-0.002, 0.02), rng.uniform(0.02, 0.08)
    trend = np.exp(growth * month) if rng.random() < 0.5 else 1 + growth * month
    values = 100 * trend * _KINDS[kind](rng, month, known, growth, trend)
    if kind not in ("walk", "noisy"):
        values = values * rng.lognormal(0, noise, len(month))
    return values[:known], values[known:]


def _steady(rng: np.random.Generator, month: Array, known: int, growth: float, trend: Array) -> Array:
    return np.ones(len(month))


def _season(rng: np.random.Generator, month: Array, known: int, growth: float, trend: Array) -> Array:
    """A wave of a year, and one month of it that is quieter still, such as the holidays'."""
    wave = rng.uniform(0.05, 0.2) * np.sin(2 * np.pi * month / 12 + rng.uniform(0, 2 * np.pi))
    quiet = rng.uniform(0, 0.2) * ((month + rng.integers(12)) % 12 == 0)
    return np.exp(wave - quiet)


def _shift(rng: np.random.Generator, month: Array, known: int, growth: float, trend: Array) -> Array:
    """Up or down by 14 % to 45 % at one month of the history, such as a new scanner's."""
    factor = np.exp(rng.choice([-1, 1]) * rng.uniform(0.15, 0.6))
    return np.where(month >= rng.integers(6, known - 2), factor, 1.0)


def _walk(rng: np.random.Generator, month: Array, known: int, growth: float, trend: Array) -> Array:
    steps = rng.normal(growth, rng.uniform(0.02, 0.08), len(month))
    return np.exp(np.cumsum(steps)) * rng.lognormal(0, rng.uniform(0.01, 0.04), len(month)) / trend


def _noisy(rng: np.random.Generator, month: Array, known: int, growth: float, trend: Array) -> Array:
    """Gamma noise whose standard deviation is 25 % to 60 % of the mean: few large studies, or a small site."""
    shape = 1 / rng.uniform(0.25, 0.6) ** 2
    return rng.gamma(shape, 1 / shape, len(month))


_KINDS = {"steady": _steady, "season": _season, "shift": _shift, "walk": _walk, "noisy": _noisy}
