"""Estimates that several measures share: the noise, the foreground, the blur of edges. Arrays in, numbers out."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.filters import threshold_otsu

Pixels = NDArray[np.float32]
Mask = NDArray[np.bool_]

EDGE_SHARE = 0.10
"""Part of the pixels, those with the steepest gradient, that the noise is not estimated from."""
REBLUR_SIGMA = 1.0
STRONGEST_EDGES = 0.01
LEAST_EDGE_PIXELS = 10


def foreground_mask(pixels: Pixels) -> Mask:
    """Return the pixels brighter than Otsu's threshold, of a histogram of 256 bins."""
    return pixels > threshold_otsu(pixels)


def noise_sigma(pixels: Pixels) -> float:
    """Return the standard deviation of white noise by Immerkaer's estimator away from edges.

    The operator, the outer product of (1, -2, 1) with itself, lets no plane through; over white noise of sigma its
    mean absolute response is 6 sigma sqrt(2/pi). The steepest tenth of the pixels (Tai and Yang) and pixels with a
    constant 3 x 3 neighborhood are left out; over noise alone neither changes the estimate, for a gradient and
    the operator's response are independent there.

    Returns
    -------
    float
        In gray values; NaN where no pixel is left.
    """
    if min(pixels.shape) < 3:
        return math.nan
    rows = pixels[:-2] - 2 * pixels[1:-1] + pixels[2:]
    response = np.abs(rows[:, :-2] - 2 * rows[:, 1:-1] + rows[:, 2:])
    steepness = (pixels[1:-1, 2:] - pixels[1:-1, :-2]) ** 2 + (pixels[2:, 1:-1] - pixels[:-2, 1:-1]) ** 2
    varied = ~_constant_neighborhoods(pixels)
    response, steepness = response[varied], steepness[varied]
    if not response.size:
        return math.nan
    last = math.ceil((1 - EDGE_SHARE) * response.size) - 1
    smooth = steepness <= np.partition(steepness, last)[last]
    return math.sqrt(math.pi / 2) / 6 * float(response[smooth].mean(dtype=np.float64))


def _constant_neighborhoods(pixels: Pixels) -> Mask:
    """Return, for each inner pixel, whether its 3 x 3 neighborhood holds one value."""
    across = (pixels[:, :-2] == pixels[:, 1:-1]) & (pixels[:, 1:-1] == pixels[:, 2:])
    down = (pixels[:-2, 1:-1] == pixels[1:-1, 1:-1]) & (pixels[1:-1, 1:-1] == pixels[2:, 1:-1])
    return np.asarray(across[:-2] & across[1:-1] & across[2:] & down)


def edge_sigma(pixels: Pixels) -> float:
    """Return the Gaussian sigma, in pixels, that the strongest edges look blurred with.

    An edge blurred with sigma has its largest gradient in proportion to 1/sigma; blurred again with 1 pixel, in
    proportion to 1/sqrt(sigma^2 + 1). The ratio R of the two gives sigma = 1/sqrt(R^2 - 1). It is taken at the
    ridges of the steepest 1 % of gradients.

    Returns
    -------
    float
        Median over the ridges; NaN where the image has no edges.
    """
    before, after = _gradient(pixels), _gradient(ndimage.gaussian_filter(pixels, REBLUR_SIGMA))
    last = math.ceil((1 - STRONGEST_EDGES) * before.size) - 1
    strong = np.nonzero((before >= np.partition(before, last, axis=None)[last]) & (before > 0) & (after > 0))
    ridge = before[strong] >= _highest_neighbor(before, *strong)
    ratio = before[strong][ridge] / after[strong][ridge]
    ratio = ratio[ratio > 1]
    if ratio.size < LEAST_EDGE_PIXELS:
        return math.nan
    return REBLUR_SIGMA / math.sqrt(float(np.median(ratio)) ** 2 - 1)


def _gradient(pixels: Pixels) -> Pixels:
    """Return the gradient's magnitude by differences of neighbors."""
    return np.hypot(np.diff(pixels, axis=0)[:, :-1], np.diff(pixels, axis=1)[:-1])


def _highest_neighbor(values: Pixels, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> Pixels:
    """Return the largest value in the 3 x 3 neighborhood of some pixels: they are few, so they alone are looked at."""
    padded = np.pad(values, 1, mode="edge")
    offsets = [(down, across) for down in range(3) for across in range(3)]
    return np.max([padded[rows + down, columns + across] for down, across in offsets], axis=0)
