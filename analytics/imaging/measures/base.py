"""Declaring a measure of an image: a pure function and, beside it, what it means."""

from __future__ import annotations

import hashlib
import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from analytics.core.quantity import Quantity
from analytics.core.registry import Registry
from analytics.core.results import Direction
from analytics.imaging.image import Image

GRAY = "{gray-level}"
"""UCUM annotation of a gray value: Hounsfield units in CT, the device's own scale elsewhere."""
PROJECTION = ("CR", "DX", "MG", "IO", "PX")
"""Modalities of projection radiographs."""


class NotMeasurable(ValueError):
    """The measure does not apply to this image; the message says why, in a sentence."""


@dataclass(frozen=True)
class Measure:
    """A measure in the catalog: what it is, and the function from pixels to a number.

    Attributes
    ----------
    id : permanent id, stored with every value.
    name : noun phrase.
    unit : UCUM code.
    direction : which way is better, all else equal.
    definition : how the number is made, with every parameter.
    citation : the paper or standard, with its DOI or edition.
    algorithm : name and version; values compare only within one.
    modalities : what it applies to; empty means every modality.
    function : its parameters are named like attributes of `Image` and are filled from it.
    """

    id: str
    name: str
    unit: str
    direction: Direction
    definition: str
    citation: str
    algorithm: str
    modalities: tuple[str, ...]
    function: Callable[..., float]

    def applies_to(self, modality: str) -> bool:
        """Whether images of a modality are measured."""
        return not self.modalities or modality in self.modalities

    def of(self, image: Image) -> Quantity:
        """Measure one image.

        Raises
        ------
        NotMeasurable
            The image has nothing that this measure could be taken of; the message says why.
        """
        given = {name: getattr(image, name) for name in inspect.signature(self.function).parameters}
        value = float(self.function(**given))
        if not math.isfinite(value):
            raise NotMeasurable(f"{self.name} is not defined for this image.")
        return Quantity(value, self.unit)


MEASURES: Registry[Measure] = Registry("measure")


def measure(measure_id: str, **declared: Any) -> Callable[[Callable[..., float]], Callable[..., float]]:
    """Register a function as the measure that the arguments declare; see `Measure`."""

    def register(function: Callable[..., float]) -> Callable[..., float]:
        MEASURES.add(measure_id, Measure(
            id=measure_id, function=function, **{"modalities": (), **declared}))
        return function

    return register


def algorithm_set() -> str:
    """Name the whole set of algorithms: it changes when any of them does, and then images are measured again."""
    text = "\n".join(f"{item.id}={item.algorithm}" for item in MEASURES)
    return f"measure-set {hashlib.sha256(text.encode()).hexdigest()[:12]}"
