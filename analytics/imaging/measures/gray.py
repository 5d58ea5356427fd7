"""Measures of the gray values alone: blank, clipped, range, contrast, entropy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.stats import entropy as shannon

from analytics.imaging.estimate import Mask, Pixels
from analytics.imaging.measures.base import GRAY, NotMeasurable, measure


@measure(
    "dominant_share", name="Share of the most frequent gray value", unit="%", direction="lower",
    definition="Pixels that hold the image's most frequent gray value, in percent of all pixels; 100 % is a constant "
    "image.",
    citation="Mode of the histogram: Gonzalez & Woods, Digital Image Processing, 4th ed. (2018), section 3.3",
    algorithm="histogram-mode-share 1",
)
def dominant_share(gray_level_counts: NDArray[np.intp]) -> float:
    """Share of pixels in the fullest gray level, in percent."""
    return 100.0 * float(gray_level_counts.max()) / float(gray_level_counts.sum())


@measure(
    "dynamic_range", name="Range of gray values", unit=GRAY, direction="neutral",
    definition="Largest minus smallest gray value of the image, after the modality LUT or rescale.",
    citation="Gonzalez & Woods, Digital Image Processing, 4th ed. (2018), section 2.4",
    algorithm="range 1",
)
def dynamic_range(pixels: Pixels) -> float:
    """Largest minus smallest gray value."""
    return float(pixels.max()) - float(pixels.min())


_CLIPPED = (
    "Pixels at the image's {end} gray value, in percent of all pixels, but for connected areas of it that reach the "
    "border of the image: those are air, collimation or padding and not lost detail. An image that is not clipped "
    "holds that value in a few pixels only."
)
_CLIPPING_SOURCE = "Saturation and clipping of the digital scale: AAPM Report 93 (TG-10, 2006), section on saturation"


@measure(
    "clipped_high", name="Share of pixels clipped bright", unit="%", direction="lower",
    definition=_CLIPPED.format(end="largest"), citation=_CLIPPING_SOURCE, algorithm="plateau-inside 1",
)
def clipped_high(pixels: Pixels) -> float:
    """Share of pixels at the largest gray value, away from the border, in percent."""
    return _plateau_share(pixels == pixels.max())


@measure(
    "clipped_low", name="Share of pixels clipped dark", unit="%", direction="lower",
    definition=_CLIPPED.format(end="smallest"), citation=_CLIPPING_SOURCE, algorithm="plateau-inside 1",
)
def clipped_low(pixels: Pixels) -> float:
    """Share of pixels at the smallest gray value, away from the border, in percent."""
    return _plateau_share(pixels == pixels.min())


def _plateau_share(plateau: Mask) -> float:
    if np.count_nonzero(plateau) < 2:
        return 0.0
    labels, _ = ndimage.label(plateau)
    outer = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    sizes = np.bincount(labels.ravel())
    sizes[outer] = 0
    sizes[0] = 0
    return 100.0 * float(sizes.sum()) / plateau.size


@measure(
    "contrast", name="RMS contrast", unit="1", direction="higher",
    definition="Standard deviation of the gray values after scaling the image's smallest value to 0 and its largest "
    "to 1; between 0 and 0.5, a checkerboard has 0.5.",
    citation="Peli, J. Opt. Soc. Am. A 7 (1990) 2032-2040, doi:10.1364/JOSAA.7.002032",
    algorithm="rms-contrast-minmax 1",
)
def contrast(pixels: Pixels) -> float:
    """Standard deviation of the gray values scaled to 0-1."""
    low, high = float(pixels.min()), float(pixels.max())
    if high == low:
        raise NotMeasurable("The image is constant: it has no contrast to measure.")
    return float(pixels.std(dtype=np.float64)) / (high - low)


@measure(
    "entropy", name="Entropy of gray values", unit="bit", direction="neutral",
    definition="Shannon entropy of the histogram of gray values with one bin for each value that occurs, in bits a "
    "pixel: 0 for a constant image, the number of bits where all values are equally frequent.",
    citation="Shannon, Bell System Technical Journal 27 (1948) 379-423, doi:10.1002/j.1538-7305.1948.tb01338.x",
    algorithm="shannon-exact-levels 1",
)
def entropy(gray_level_counts: NDArray[np.intp]) -> float:
    """Shannon entropy of the gray levels' frequencies, in bits."""
    return abs(float(shannon(gray_level_counts, base=2)))
