"""Measures of noise, and of signal and contrast against it."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from analytics.imaging.estimate import Mask, Pixels
from analytics.imaging.measures.base import GRAY, NotMeasurable, measure

SOFT_TISSUE_HU = (0.0, 150.0)
"""Hounsfield units that count as soft tissue."""
BOX_MM = 6.0
"""Side of the box that the local standard deviation is taken in."""
BIN_HU, SMOOTHING_BINS, LARGEST_HU = 0.1, 3.0, 300.0
LEAST_TISSUE_IN_BOX = 0.4
"""Share of a box that must be soft tissue; even noise of 115 HU leaves this much of a uniform organ in range."""
LEAST_SOFT_TISSUE_PIXELS = 500
AIR_HU = -1000.0

_NOISE = ("Immerkaer, Computer Vision and Image Understanding 64 (1996) 300-302, doi:10.1006/cviu.1996.0060; edges "
          "left out after Tai & Yang, ISCCSP 2008, 1077-1081, doi:10.1109/ISCCSP.2008.4537384")
_OTSU = "Otsu, IEEE Trans. SMC 9 (1979) 62-66, doi:10.1109/TSMC.1979.4310076"


@measure(
    "noise", name="Noise", unit=GRAY, direction="lower",
    definition="Standard deviation of the noise by Immerkaer's estimator: the image is convolved with the difference "
    "of two Laplacians, which lets no plane through, and sigma = sqrt(pi/2) / 6 times the mean absolute response. "
    "The steepest 10 % of the pixels (edges) and pixels whose 3 x 3 neighborhood is constant (masked background, "
    "padding) are left out. It measures noise that differs from pixel to pixel: where a smooth reconstruction kernel "
    "ties neighbors together it reads low, so compare it within one protocol and kernel.",
    citation=_NOISE, algorithm="immerkaer-masked-edges10 1",
)
def noise(noise_sigma: float) -> float:
    """Standard deviation of white noise, in gray values (Immerkaer's estimator)."""
    if math.isnan(noise_sigma):
        raise NotMeasurable("The image is constant: there is no noise to measure.")
    return noise_sigma


@measure(
    "snr", name="Signal-to-noise ratio", unit="1", direction="higher",
    definition="Mean gray value of the foreground divided by the noise (Immerkaer's estimator). The foreground is "
    "what is brighter than Otsu's threshold. In CT the signal is counted from air (HU + 1000), so that it is "
    "proportional to attenuation.",
    citation=f"Signal by noise as in NEMA MS 1; {_NOISE}; {_OTSU}", algorithm="otsu-immerkaer-edges10-snr 1",
)
def snr(pixels: Pixels, foreground: Mask, noise_sigma: float, modality: str) -> float:
    """Mean of the foreground over the standard deviation of the noise."""
    signal = _mean(pixels, foreground) - (AIR_HU if modality == "CT" else 0.0)
    return signal / _above_zero(noise_sigma)


@measure(
    "cnr", name="Contrast-to-noise ratio", unit="1", direction="higher",
    definition="Mean gray value of the foreground minus that of the background, divided by the noise (Immerkaer's "
    "estimator). Foreground and background are what lies above and below Otsu's threshold.",
    citation=f"Magnotta & Friedman, J. Digit. Imaging 19 (2006) 140-147, doi:10.1007/s10278-006-0264-x; {_NOISE}; "
    f"{_OTSU}",
    algorithm="otsu-immerkaer-edges10-cnr 1",
)
def cnr(pixels: Pixels, foreground: Mask, noise_sigma: float) -> float:
    """Difference of the means of foreground and background over the standard deviation of the noise."""
    difference = _mean(pixels, foreground) - _mean(pixels, ~foreground)
    return difference / _above_zero(noise_sigma)


def _mean(pixels: Pixels, mask: Mask) -> float:
    if not mask.any():
        raise NotMeasurable("The image is constant: it has no foreground.")
    return float(pixels[mask].mean(dtype=np.float64))


def _above_zero(noise_sigma: float) -> float:
    if not noise_sigma > 0:
        raise NotMeasurable("The image has no noise, so a ratio to it is not defined.")
    return noise_sigma


def local_deviation(pixels: Pixels, side: int) -> NDArray[np.float64]:
    """Return the standard deviation in a square box around each pixel, by two box filters.

    Parameters
    ----------
    pixels : (rows, columns)
    side : int
        Pixels along a side of the box; at the border the image is mirrored.
    """
    centered = pixels.astype(np.float64) - float(pixels.mean(dtype=np.float64))
    mean = ndimage.uniform_filter(centered, side, mode="reflect")
    square = ndimage.uniform_filter(centered * centered, side, mode="reflect")
    return np.sqrt(np.maximum(square - mean * mean, 0.0))


@measure(
    "ct_noise", name="CT global noise", unit="[hnsf'U]", direction="lower",
    definition="Mode of the histogram of the local standard deviation inside soft tissue. The local standard "
    "deviation is taken in a square box of 6 mm around each pixel of 0 to 150 HU with at least 40 % of its box in "
    "that range, so that the rims of bone and air do not count; the histogram has bins of 0.1 HU up to 300 HU and is "
    "smoothed by a Gaussian of 3 bins. At least 500 such pixels are needed.",
    citation="Christianson et al., AJR 205 (2015) W93-W99, doi:10.2214/AJR.14.13613",
    algorithm="global-noise-6mm-0-150HU-40pct 1", modalities=("CT",),
)
def ct_noise(pixels: Pixels, pixel_spacing: tuple[float, float] | None) -> float:
    """Mode of the local standard deviation inside soft tissue, in Hounsfield units."""
    if pixel_spacing is None:
        raise NotMeasurable("The header has no PixelSpacing (0028,0030), so a box of 6 mm is not known in pixels.")
    side = box_side(pixel_spacing)
    tissue = (pixels >= SOFT_TISSUE_HU[0]) & (pixels <= SOFT_TISSUE_HU[1])
    tissue &= ndimage.uniform_filter(tissue.astype(np.float32), side) >= LEAST_TISSUE_IN_BOX
    if np.count_nonzero(tissue) < LEAST_SOFT_TISSUE_PIXELS:
        raise NotMeasurable("The slice has fewer than 500 pixels inside soft tissue (0 to 150 HU).")
    deviation = local_deviation(pixels, side)[tissue]
    bins = round(LARGEST_HU / BIN_HU)
    counts, _ = np.histogram(deviation, bins=bins, range=(0.0, LARGEST_HU))
    if not counts.any():
        raise NotMeasurable("The local deviation is above 300 HU everywhere in soft tissue.")
    smooth = ndimage.gaussian_filter1d(counts.astype(np.float64), SMOOTHING_BINS, mode="constant")
    return (float(np.argmax(smooth)) + 0.5) * BIN_HU


def box_side(pixel_spacing: tuple[float, float]) -> int:
    """Return how many pixels the box of 6 mm has along a side, at least 3."""
    return max(3, round(BOX_MM / math.sqrt(pixel_spacing[0] * pixel_spacing[1])))
