"""Measures of sharpness."""

from __future__ import annotations

import math

from skimage.measure import blur_effect

from analytics.imaging.estimate import Pixels, edge_sigma
from analytics.imaging.measures.base import NotMeasurable, measure

_WINDOW = 11


@measure(
    "sharpness", name="Sharpness", unit="1", direction="higher",
    definition="1 minus the perceptual blur effect: how much the differences between neighboring pixels shrink when "
    "the image is blurred once more with a box of 11 pixels, in the worse of the two directions. A sharp image "
    "loses much and is near 1, a blurred one has little to lose and is near 0.",
    citation="Crete et al., Proc. SPIE 6492 (2007) 64920I, doi:10.1117/12.702790; computed by scikit-image blur_effect",
    algorithm="crete-11 1",
)
def sharpness(pixels: Pixels) -> float:
    """1 minus Crete's blur effect."""
    if min(pixels.shape) <= _WINDOW:
        raise NotMeasurable("The image is not larger than the window of 11 pixels.")
    low, high = float(pixels.min()), float(pixels.max())
    if high == low:
        raise NotMeasurable("The image is constant: it has no edges.")
    return 1.0 - float(blur_effect((pixels - low) / (high - low), h_size=_WINDOW))


@measure(
    "edge_blur", name="Blur of the strongest edges", unit="mm", direction="lower",
    definition="Standard deviation of the Gaussian that the image's strongest edges look blurred with: at the ridges "
    "of the strongest 1 % of gradients, from the ratio of the gradient before and after another blur of 1 pixel; "
    "the median over those ridges, in millimeters.",
    citation="Zhuo & Sim, Pattern Recognition 44 (2011) 1852-1858, doi:10.1016/j.patcog.2011.03.009",
    algorithm="reblur-ratio-1px-p99 1",
)
def edge_blur(pixels: Pixels, pixel_spacing: tuple[float, float] | None) -> float:
    """Gaussian sigma of the strongest edges, in millimeters."""
    if pixel_spacing is None:
        raise NotMeasurable("The header has no PixelSpacing (0028,0030), so pixels have no size.")
    sigma = edge_sigma(pixels)
    if math.isnan(sigma):
        raise NotMeasurable("The image has no edges.")
    return sigma * math.sqrt(pixel_spacing[0] * pixel_spacing[1])
