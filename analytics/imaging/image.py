"""One representative frame of an image, and what its header says about it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from analytics.imaging.estimate import Mask, Pixels, foreground_mask, noise_sigma


@dataclass(frozen=True, eq=False)
class Image:
    """The gray values of one frame, larger is brighter, with the header's values that measures need.

    Attributes
    ----------
    pixels : (rows, columns) float32 gray values after the modality LUT or rescale: Hounsfield units in CT.
        MONOCHROME1 is reflected within its stored range; color is its luminance; padding outside the field of
        view holds the smallest value of the image.
    modality, photometric_interpretation, body_part_examined, convolution_kernel : as the header has them.
    bits_stored : number of bits a stored value has.
    pixel_spacing : millimeters between the centers of neighboring rows and columns, ``None`` where unknown.
    frame, number_of_frames : which frame this is, counted from 0, and of how many.
    exposure_index, target_exposure_index, deviation_index : (0018,1411), (0018,1412), (0018,1413).
    window : center and width of the first VOI window, on the scale of ``pixels``.
    """

    pixels: Pixels
    modality: str = ""
    photometric_interpretation: str = "MONOCHROME2"
    bits_stored: int = 16
    pixel_spacing: tuple[float, float] | None = None
    body_part_examined: str = ""
    convolution_kernel: str = ""
    frame: int = 0
    number_of_frames: int = 1
    exposure_index: float | None = None
    target_exposure_index: float | None = None
    deviation_index: float | None = None
    window: tuple[float, float] | None = None

    @cached_property
    def gray_level_counts(self) -> NDArray[np.intp]:
        """Return how many pixels hold each gray value that occurs."""
        return np.unique_counts(self.pixels).counts

    @cached_property
    def foreground(self) -> Mask:
        """Return the pixels brighter than Otsu's threshold."""
        return foreground_mask(self.pixels)

    @cached_property
    def noise_sigma(self) -> float:
        """Return the standard deviation of the noise, NaN where there is nothing to estimate it from."""
        return noise_sigma(self.pixels)
