"""Decoding one representative frame of a DICOM file, in bounded memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.multival import MultiValue
from pydicom.pixels import apply_color_lut, apply_modality_lut, pixel_array
from pydicom.uid import DeflatedExplicitVRLittleEndian
from skimage.color import rgb2gray

from analytics.core.errors import PacsmeterError
from analytics.core.terms import TRANSFER_SYNTAXES
from analytics.imaging.image import Image

MAX_PIXELS = 50_000_000
"""Largest frame that is decoded; a whole-slide image beyond it is refused rather than let memory run out."""

_OFTEN_BURNED_IN = frozenset({"US", "SC", "OT", "ES", "XC"})
_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
_HEADER = [
    "Modality", "Rows", "Columns", "NumberOfFrames", "SamplesPerPixel", "PhotometricInterpretation", "BitsStored",
    "PixelRepresentation", "RescaleSlope", "RescaleIntercept", "ModalityLUTSequence", "PixelPaddingValue",
    "PixelPaddingRangeLimit", "PixelSpacing", "ImagerPixelSpacing", "BodyPartExamined", "ConvolutionKernel",
    "ExposureIndex", "TargetExposureIndex", "DeviationIndex", "WindowCenter", "WindowWidth",
    "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence",
    "RedPaletteColorLookupTableDescriptor", "GreenPaletteColorLookupTableDescriptor",
    "BluePaletteColorLookupTableDescriptor", "RedPaletteColorLookupTableData", "GreenPaletteColorLookupTableData",
    "BluePaletteColorLookupTableData",
]


def read_image(path: Path | str) -> Image:
    """Decode the middle frame of a DICOM file to gray values.

    Parameters
    ----------
    path : Path
        A DICOM file with pixel data, in any transfer syntax that pydicom and its decoders know.

    Returns
    -------
    Image
        Gray values after the modality LUT or rescale (DICOM PS3.3 C.11.1), of one frame: only that frame is
        decoded.

    Raises
    ------
    PacsmeterError
        The file cannot be opened, is not DICOM, holds no image, is too large, or its pixel data cannot be decoded.
        Where the file itself could not be reached, its cause is an ``OSError``.
    """
    file = Path(path)
    header = _header(file)
    frames = max(1, _whole(header, "NumberOfFrames"))
    size = _whole(header, "Rows") * _whole(header, "Columns")
    if not size:
        raise PacsmeterError("The file holds no image (no Rows and Columns)", "Leave it out of the sample.", str(file))
    if size > MAX_PIXELS:
        raise PacsmeterError(
            f"The image has {size:,} pixels in a frame, more than the {MAX_PIXELS:,} that are decoded",
            "Measure a smaller resolution level of it.", str(file))
    frame = frames // 2
    stored = _stored_values(file, header, frame)
    try:
        return _image(_framed(header, frame), stored, frame, frames)
    except (ValueError, TypeError, AttributeError, KeyError, IndexError, NotImplementedError) as error:
        raise PacsmeterError(
            f"The gray values cannot be made from the stored values ({type(error).__name__})",
            "Check the rescale, LUT and photometric interpretation in its header.", str(file)) from error


def may_carry_name(path: Path | str) -> bool:
    """Whether a picture of the image may show a patient's name in its pixels.

    Burned In Annotation (0028,0301) says YES; or it says neither YES nor NO, and the image is of a kind whose screen
    is often captured with the patient's name on it: ultrasound, endoscopy, external camera, other, secondary capture
    (PS3.3 C.7.6.1, C.8.6). The pixels are not looked at.

    Raises
    ------
    PacsmeterError
        The header cannot be read; see `read_image`.
    """
    header = _header(Path(path), ["Modality", "SOPClassUID", "BurnedInAnnotation"])
    said = _text(header.get("BurnedInAnnotation")).strip().upper()
    if said in ("YES", "NO"):
        return said == "YES"
    sop_class = _text(header.get("SOPClassUID"))
    return (_text(header.get("Modality")).strip().upper() in _OFTEN_BURNED_IN or sop_class == _SECONDARY_CAPTURE
            or sop_class.startswith(f"{_SECONDARY_CAPTURE}."))


def _header(file: Path, tags: list[str] = _HEADER) -> Dataset:
    try:
        return dcmread(file, specific_tags=list(tags), stop_before_pixels=True)
    except OSError as error:
        raise PacsmeterError("The image's file cannot be opened", "Check that the folder is connected and readable.",
                             str(file)) from error
    except InvalidDicomError as error:
        raise PacsmeterError("The file is not DICOM (no DICM prefix)", "Send it again from its source.",
                             str(file)) from error
    except Exception as error:  # a damaged header can fail anywhere in the parser
        raise PacsmeterError(f"The header cannot be read ({type(error).__name__})", "Send it again from its source.",
                             str(file)) from error


def _stored_values(file: Path, header: Dataset, frame: int) -> NDArray[Any]:
    syntax = str(getattr(header, "file_meta", Dataset()).get("TransferSyntaxUID", ""))
    named = TRANSFER_SYNTAXES[syntax].name if syntax in TRANSFER_SYNTAXES else syntax or "no transfer syntax"
    try:
        # A deflated file is one compressed stream: its pixels cannot be found in the file without inflating it.
        source = dcmread(file) if syntax == DeflatedExplicitVRLittleEndian else file
        return np.asarray(pixel_array(source, index=frame))
    except OSError as error:
        raise PacsmeterError("The image's file cannot be read to its end", "Check the disk or the share it is on.",
                             str(file)) from error
    except NotImplementedError as error:
        raise PacsmeterError(f"No decoder knows its transfer syntax ({named})", "Leave such images out of the sample.",
                             str(file)) from error
    except MemoryError:
        raise
    except Exception as error:  # each of four decoders has exceptions of its own
        raise PacsmeterError(f"The pixel data cannot be decoded ({named}: {type(error).__name__})",
                             "The file may be cut short or damaged: retrieve it again from the archive.",
                             str(file)) from error


def _framed(header: Dataset, frame: int) -> Dataset:
    """Lift what an enhanced image says in its functional groups to where a single-frame image says it."""
    groups = list(header.get("SharedFunctionalGroupsSequence") or [])
    each = list(header.get("PerFrameFunctionalGroupsSequence") or [])
    groups += each[frame:frame + 1]
    for group in groups:
        for sequence in ("PixelValueTransformationSequence", "PixelMeasuresSequence", "FrameVOILUTSequence",
                         "FrameAnatomySequence"):
            for item in group.get(sequence) or []:
                for element in item:
                    header[element.tag] = element
    return header


def _image(header: Dataset, stored: NDArray[Any], frame: int, frames: int) -> Image:
    photometric = str(header.get("PhotometricInterpretation") or "")
    bits = _whole(header, "BitsStored") or 16
    center, width = _number(header.get("WindowCenter")), _number(header.get("WindowWidth"))
    if photometric == "PALETTE COLOR":
        stored = apply_color_lut(stored, header)
    if stored.ndim == 3:
        pixels, ends = rgb2gray(stored.astype(np.float32)), None
        center = width = None
    else:
        pixels = np.asarray(apply_modality_lut(stored, header), dtype=np.float32)
        ends = _ends(header, bits)
        _fill_padding(pixels, stored, header)
    if photometric == "MONOCHROME1" and ends is not None:
        pixels = np.float32(sum(ends)) - pixels
        center = None if center is None else sum(ends) - center
    return Image(
        pixels=np.ascontiguousarray(pixels, dtype=np.float32), modality=str(header.get("Modality") or ""),
        photometric_interpretation=photometric, bits_stored=bits, pixel_spacing=_spacing(header),
        body_part_examined=str(header.get("BodyPartExamined") or ""),
        convolution_kernel=_text(header.get("ConvolutionKernel")), frame=frame, number_of_frames=frames,
        exposure_index=_number(header.get("ExposureIndex")),
        target_exposure_index=_number(header.get("TargetExposureIndex")),
        deviation_index=_number(header.get("DeviationIndex")),
        window=None if center is None or not width or width < 1 else (center, width),
    )


def _ends(header: Dataset, bits: int) -> tuple[float, float]:
    """Return the gray values of the smallest and largest value that can be stored."""
    signed = int(header.get("PixelRepresentation") or 0)
    stored = np.array([-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] if signed else [0, 2**bits - 1])
    low, high = (float(value) for value in apply_modality_lut(stored, header))
    return low, high


def _fill_padding(pixels: NDArray[np.float32], stored: NDArray[Any], header: Dataset) -> None:
    """Give pixels outside the field of view (PixelPaddingValue) the image's smallest value: they are not image."""
    padding = header.get("PixelPaddingValue")
    if padding is None or isinstance(padding, bytes):
        return
    limit = header.get("PixelPaddingRangeLimit")
    low, high = sorted((int(padding), int(padding if limit is None or isinstance(limit, bytes) else limit)))
    outside = (stored >= low) & (stored <= high)
    if outside.any() and not outside.all():
        pixels[outside] = pixels[~outside].min()


def _whole(header: Dataset, keyword: str) -> int:
    return int(_number(header.get(keyword)) or 0)


def _number(value: Any) -> float | None:
    first = value[0] if isinstance(value, MultiValue) and value else value
    try:
        number = float(first)
    except (TypeError, ValueError):
        return None
    return number if np.isfinite(number) else None


def _text(value: Any) -> str:
    return "\\".join(str(part) for part in value) if isinstance(value, MultiValue) else str(value or "")


def _spacing(header: Dataset) -> tuple[float, float] | None:
    for keyword in ("PixelSpacing", "ImagerPixelSpacing"):
        value = header.get(keyword)
        if isinstance(value, MultiValue) and len(value) == 2:
            row, column = _number(value[0]), _number(value[1])
            if row and column and row > 0 and column > 0:
                return row, column
    return None
