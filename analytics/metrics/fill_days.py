"""The day a path of storage reaches a capacity. Pure: arrays in, arrays out."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Array = NDArray[np.float64]


def months_to_full(used: Array, start: float, capacity: float, received: float = 0, gone: float = 0) -> Array:
    """Return the months until each path is first full at a month's end, with the part of the last; infinite: never.

    Within a month a path is a straight line; the first month's is bent where the snapshot is, of which it is known
    what is held: an archive that is not full then fills no sooner.

    Parameters
    ----------
    used : array, one row a path, one column a month
        Bytes in use at the end of each month.
    start : float
        Bytes in use before the first month.
    received : float
        What has come already in the first month.
    gone : float
        Part of the first month that is over.
    """
    full = used >= capacity
    month = full.argmax(axis=1)
    path = np.arange(len(used))
    before = np.where(month > 0, used[path, month - 1], start)
    part = np.where(month > 0, _part(before, used[path, month], capacity),
                    _part_of_first(used[:, 0], start, capacity, received, gone))
    return np.where(full.any(axis=1), month + part, np.inf)


def _part_of_first(end: Array, start: float, capacity: float, received: float, gone: float) -> Array:
    now = start + received
    if now >= capacity:
        return gone * _part(np.full_like(end, start), np.full_like(end, now), capacity)
    return gone + (1 - gone) * _part(np.full_like(end, now), end, capacity)


def _part(before: Array, after: Array, capacity: float) -> Array:
    """Return how far between two levels the capacity lies; 0 where it is reached already."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(before < capacity, np.clip((capacity - before) / (after - before), 0, 1), 0)


def day_after(start: pd.Timestamp, months: float) -> date | None:
    """Return the day so many months, and a part of one, after a month's first; ``None`` where infinite."""
    if not np.isfinite(months):
        return None
    first = start + pd.DateOffset(months=int(months))
    return (first + timedelta(days=round(months % 1 * first.days_in_month, 6))).date()
