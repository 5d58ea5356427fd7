"""Pictures of phantoms as arrays: what is in them is known, so what is measured can be checked."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

Picture = NDArray[np.float64]
SIDE = 128
CT_INSERTS_HU = (-100.0, 60.0, 120.0, 300.0)


def _radius(side: int, row: float = 0.5, column: float = 0.5) -> Picture:
    rows, columns = np.mgrid[:side, :side]
    return np.hypot(rows + 0.5 - row * side, columns + 0.5 - column * side) / side


def water(rng: np.random.Generator, *, sigma: float, blur: float = 0.8, side: int = SIDE) -> Picture:
    """Return a CT water phantom in HU: water 0, air -1000, four inserts, noise of a known sigma."""
    picture = np.where(_radius(side) < 0.44, 0.0, -1000.0)
    for index, hu in enumerate(CT_INSERTS_HU):
        angle = index * np.pi / 2
        inside = _radius(side, 0.5 + 0.28 * np.sin(angle), 0.5 + 0.28 * np.cos(angle)) < 0.055
        picture[inside] = hu
    return gaussian_filter(picture, blur) + rng.normal(0, sigma, (side, side))


def uniform(rng: np.random.Generator, *, sigma: float, blur: float = 0.9, signal: float = 1000.0,
            side: int = SIDE) -> Picture:
    """Return an MR phantom: a uniform disc in magnitude (Rician) noise of a known sigma."""
    picture = gaussian_filter(np.where(_radius(side) < 0.40, signal, 0.0), blur)
    return np.hypot(picture + rng.normal(0, sigma, picture.shape), rng.normal(0, sigma, picture.shape))


def steps(rng: np.random.Generator, *, sigma: float, blur: float = 0.7, side: int = SIDE) -> Picture:
    """Return a radiograph of a step wedge above line pairs that get finer, in gray values of 14 bits."""
    picture = np.full((side, side), 4000.0)
    picture[side // 8:side // 2, side // 8:-side // 8] = np.repeat(
        np.linspace(2500, 12000, 8), side * 3 // 4 // 8)[None, :]
    column = np.arange(side)
    for index, width in enumerate((8, 4, 3, 2)):
        top = side * 5 // 8 + index * side // 12
        picture[top:top + side // 16] = np.where(column // width % 2, 9000.0, 3000.0)
    return gaussian_filter(picture, blur) + rng.normal(0, sigma, picture.shape)


def speckle(rng: np.random.Generator, *, sigma: float, blur: float = 1.0, side: int = SIDE) -> Picture:
    """Return an ultrasound phantom in 8 bits: gray background, two cysts and two bright targets."""
    picture = np.full((side, side), 110.0)
    for row, column, gray in ((0.3, 0.3, 40.0), (0.3, 0.7, 170.0), (0.7, 0.3, 190.0), (0.7, 0.7, 60.0)):
        picture[_radius(side, row, column) < 0.10] = gray
    return gaussian_filter(picture, blur) + rng.normal(0, sigma, picture.shape)
