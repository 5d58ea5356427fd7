"""Shares of counts, with the limits that small counts need."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm

CONFIDENCE = 0.95
WILSON_CITATION = "Wilson EB, Probable inference, the law of succession, and statistical inference, JASA 1927;22:209"


def wilson(count: ArrayLike, of: ArrayLike, confidence: float = CONFIDENCE,
           ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the two limits of a share by Wilson's score interval, between 0 and 1.

    Parameters
    ----------
    count, of : array_like
        How many of how many, group by group; a group of none has limits 0 and 1.
    confidence : float
        Share of such intervals that hold the true share.
    """
    hits, trials = np.asarray(count, dtype=float), np.asarray(of, dtype=float)
    z = float(norm.ppf(0.5 + confidence / 2))
    known = np.where(trials > 0, trials, 1.0)
    share = np.where(trials > 0, hits / known, 0.5)
    middle = share + z**2 / (2 * known)
    spread = z * np.sqrt(share * (1 - share) / known + z**2 / (4 * known**2))
    low, high = (middle - spread) / (1 + z**2 / known), (middle + spread) / (1 + z**2 / known)
    low = np.where((hits == 0) | (trials == 0), 0.0, low)
    high = np.where((hits == trials) | (trials == 0), 1.0, high)
    return np.clip(low, 0.0, 1.0), np.clip(high, 0.0, 1.0)
