"""How much lossless compression saves, as it was measured."""

from __future__ import annotations

JPEG_LS_RATIOS: dict[str, float] = {
    "CT": 4.00, "MR": 3.59, "NM": 5.98, "US": 3.4, "CR": 3.64, "DX": 2.43, "MG": 2.62,
}
"""Mean lossless JPEG-LS compression ratio by modality (Clunie 2000, n = 3,679). A modality that the paper did
not measure is not recompressed."""

JPEG_LS_CITATION = "Clunie, Lossless compression of grayscale medical images, SPIE Medical Imaging 2000 (n = 3,679)"


def saved_share(modality: str | None) -> float:
    """Return the share of a modality's uncompressed bytes that JPEG-LS saves; none where nobody measured it."""
    return 1 - 1 / JPEG_LS_RATIOS.get(modality or "", 1.0)
