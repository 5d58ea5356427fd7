"""What retention and lossless compression would do to the paths an archive may take. Pure: arrays in, arrays out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import toeplitz

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Content:
    """What an archive holds and takes in, as far as a what-if needs it.

    Attributes
    ----------
    due : bytes held today that fall due in each month ahead; what is due already, in the first.
    due_saved : what lossless compression would save of these.
    saved : what it would save of all that is held today.
    new_due : share of the bytes yet to come that falls due in the month they came in, the next, and so on.
    new_due_saved : what compression would save of these, as a share of the bytes yet to come too.
    new_saved : share of the bytes yet to come that it would save.
    """

    due: Array
    due_saved: Array
    saved: float
    new_due: Array
    new_due_saved: Array
    new_saved: float


@dataclass(frozen=True)
class Change:
    """What is done from now on: studies go when they are due; new, or old studies as well, are compressed."""

    retention: bool = False
    compress_new: bool = False
    compress_old: bool = False


def changed_paths(used: Array, start: float, received: float, content: Content, change: Change) -> Array:
    """Return the bytes in use at the end of each month after a change.

    Parameters
    ----------
    used : array, one row a path, one column a month
        Bytes in use as things are.
    start : float
        Bytes in use before the first month.
    received : float
        What has come already in the first month: it is held, and not new.
    content : Content
        With a value for each month of ``used``.
    change : Change
    """
    fresh = np.diff(used, axis=1, prepend=start)
    fresh[:, 0] = np.maximum(fresh[:, 0] - received, 0)
    left = used.copy()
    if change.compress_old:
        left -= content.saved
    if change.compress_new:
        left -= content.new_saved * np.cumsum(fresh, axis=1)
    if change.retention:
        # What was compressed before it goes is smaller when it goes
        left -= np.cumsum(content.due - change.compress_old * content.due_saved)
        share = content.new_due - change.compress_new * content.new_due_saved
        nothing = np.zeros_like(share)
        left -= np.cumsum(fresh @ toeplitz(np.r_[share[:1], nothing[1:]], share), axis=1)
    return left
