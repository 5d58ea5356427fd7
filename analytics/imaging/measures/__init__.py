"""Measures of an image's quality; importing this package registers all of them in `MEASURES`."""

from analytics.imaging.measures import exposure, gray, noise, sharpness, uniformity
from analytics.imaging.measures.base import MEASURES, Measure, NotMeasurable, algorithm_set

__all__ = ["MEASURES", "Measure", "NotMeasurable", "algorithm_set", "exposure", "gray", "noise", "sharpness",
           "uniformity"]
