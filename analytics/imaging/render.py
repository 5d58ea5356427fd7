"""A picture of an image for the page that shows it beside its finding."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import PIL.Image

from analytics.imaging.decode import read_image
from analytics.imaging.image import Image

SIDE = 512


def thumbnail(path: Path | str, size: int = SIDE) -> bytes:
    """Render the image's representative frame as a gray PNG, its longer side at most ``size`` pixels.

    Raises
    ------
    PacsmeterError
        The image cannot be decoded; see `read_image`.
    """
    picture = PIL.Image.fromarray(windowed(read_image(path)))
    picture.thumbnail((size, size), PIL.Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG")
    return buffer.getvalue()


def windowed(image: Image) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Map gray values to 0-255 by the image's VOI window (PS3.3 C.11.2.1.2), else from its 1st to 99th percentile."""
    if image.window:
        center, width = image.window
        low, high = center - 0.5 - (width - 1) / 2, center - 0.5 + (width - 1) / 2
    else:
        low, high = (float(value) for value in np.percentile(image.pixels, (1, 99)))
    if high <= low:
        high = low + 1
    return np.round(np.clip((image.pixels - low) / (high - low), 0, 1) * 255).astype(np.uint8)
