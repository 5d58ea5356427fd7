"""Measures of MR images: uniformity, focus, foreground against background."""

from __future__ import annotations

import math

import numpy as np
from scipy import ndimage

from analytics.imaging.estimate import Mask, Pixels
from analytics.imaging.measures.base import NotMeasurable, measure

ROI_SHARE = 0.75
SMALL_ROI_MM = 10.0
_MRIQC = "Esteban et al., PLoS ONE 12 (2017) e0184661, doi:10.1371/journal.pone.0184661 (MRIQC)"


@measure(
    "piu", name="Percent integral uniformity", unit="%", direction="higher",
    definition="100 x (1 - (max - min) / (max + min)) of the mean signal in squares of 1 cm^2, over a disc around the "
    "center of the foreground that holds 75 % of the foreground's area. Meant for a uniform phantom, where the "
    "ACR asks for 87.5 % below 3 T; in a patient it says how anatomy and coil together vary.",
    citation="ACR MRI Quality Control Manual (2015), image intensity uniformity; NEMA MS 3-2008",
    algorithm="piu-disc75-1cm2 1", modalities=("MR",),
)
def piu(pixels: Pixels, foreground: Mask, pixel_spacing: tuple[float, float] | None) -> float:
    """Percent integral uniformity of the central foreground."""
    if pixel_spacing is None:
        raise NotMeasurable("The header has no PixelSpacing (0028,0030), so 1 cm^2 is not known in pixels.")
    if not foreground.any():
        raise NotMeasurable("The image is constant: it has no foreground.")
    filled = ndimage.binary_fill_holes(foreground)
    rows, columns = np.nonzero(filled)
    radius = math.sqrt(ROI_SHARE * rows.size / math.pi)
    y, x = np.ogrid[: pixels.shape[0], : pixels.shape[1]]
    disc = (y - rows.mean()) ** 2 + (x - columns.mean()) ** 2 <= radius**2
    sides = [max(1, round(SMALL_ROI_MM / spacing)) for spacing in pixel_spacing]
    inner = ndimage.binary_erosion(disc, np.ones(sides))
    if not inner.any():
        raise NotMeasurable("The foreground is smaller than the square of 1 cm^2.")
    means = ndimage.uniform_filter(pixels.astype(np.float64), sides)[inner]
    low, high = float(means.min()), float(means.max())
    if low + high <= 0:
        raise NotMeasurable("The foreground has no signal above zero.")
    return 100.0 * (1.0 - (high - low) / (high + low))


@measure(
    "efc", name="Entropy focus criterion", unit="1", direction="lower",
    definition="Entropy of the distribution of the image's energy over its pixels, from 0 (all in one pixel) to 1 "
    "(spread evenly); ghosting and motion blur raise it. Gray values are counted from the image's smallest.",
    citation=f"Atkinson et al., IEEE Trans. Med. Imaging 16 (1997) 903-910, doi:10.1109/42.650886; {_MRIQC}",
    algorithm="efc 1", modalities=("MR",),
)
def efc(pixels: Pixels) -> float:
    """Entropy focus criterion, normalized by its value for an even image."""
    signal = pixels.astype(np.float64) - float(pixels.min())
    energy = math.sqrt(float((signal**2).sum()))
    if energy == 0:
        raise NotMeasurable("The image is constant: its energy is nowhere.")
    part = signal[signal > 0] / energy
    return float(-(part * np.log(part)).sum()) / (math.sqrt(pixels.size) * math.log(math.sqrt(pixels.size)))


@measure(
    "fber", name="Foreground-background energy ratio", unit="1", direction="higher",
    definition="Median of the squared gray values of the foreground divided by that of the background, parted by "
    "Otsu's threshold. Not defined where the device has set the background to zero.",
    citation=f"{_MRIQC}; Otsu, doi:10.1109/TSMC.1979.4310076", algorithm="fber-otsu 1", modalities=("MR",),
)
def fber(pixels: Pixels, foreground: Mask) -> float:
    """Ratio of the median energy of foreground and background."""
    if not foreground.any():
        raise NotMeasurable("The image is constant: it has no foreground.")
    behind = float(np.median(pixels[~foreground].astype(np.float64) ** 2))
    if behind == 0:
        raise NotMeasurable("The background is zero: the device has masked it.")
    return float(np.median(pixels[foreground].astype(np.float64) ** 2)) / behind
