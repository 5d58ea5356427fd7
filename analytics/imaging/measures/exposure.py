"""Exposure of radiographs, as the device recorded it."""

from __future__ import annotations

import math

from analytics.imaging.measures.base import PROJECTION, NotMeasurable, measure


@measure(
    "exposure_index", name="Exposure index", unit="1", direction="neutral",
    definition="Exposure of the detector in the relevant region, as the device recorded it in ExposureIndex "
    "(0018,1411); 100 times the air kerma in microgray under the standard's calibration beam.",
    citation="IEC 62494-1:2008; DICOM PS3.3 C.8.7.2 and C.8.11.3", algorithm="header-ei 1", modalities=PROJECTION,
)
def exposure_index(exposure_index: float | None) -> float:
    """Exposure index from the header."""
    if exposure_index is None:
        raise NotMeasurable("The header has no ExposureIndex (0018,1411).")
    return exposure_index


@measure(
    "deviation_index", name="Deviation index", unit="1", direction="neutral",
    definition="10 log10(exposure index / target exposure index): 0 is on target, +3 is twice the exposure, -3 half "
    "of it. Computed where the header has both indices above zero, else DeviationIndex (0018,1413) as recorded.",
    citation="IEC 62494-1:2008; AAPM TG-116, Med. Phys. 36 (2009) 2898-2914, doi:10.1118/1.3121505",
    algorithm="di 1", modalities=PROJECTION,
)
def deviation_index(exposure_index: float | None, target_exposure_index: float | None,
                    deviation_index: float | None) -> float:
    """Deviation index from the exposure index and its target."""
    if exposure_index and target_exposure_index and exposure_index > 0 and target_exposure_index > 0:
        return 10.0 * math.log10(exposure_index / target_exposure_index)
    if deviation_index is None:
        raise NotMeasurable("The header has neither exposure index with target nor DeviationIndex (0018,1413).")
    return deviation_index
