"""Decoding: the gray values a file means, in bounded memory, and one clear line where there are none."""

from __future__ import annotations

import io
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file, get_testdata_files
from pydicom.dataset import Dataset

from analytics.core.errors import PacsmeterError
from analytics.imaging import decode
from analytics.imaging.decode import may_carry_name, read_image
from analytics.imaging.render import thumbnail, windowed
from tests.imaging.pictures import write_image

RAMP = np.arange(64).reshape(8, 8) * 10


def packaged(name: str) -> Path:
    found = get_testdata_file(name, download=False)
    assert found is not None, name
    return Path(str(found))


def test_rescale_makes_hounsfield_units(tmp_path: Path) -> None:
    image = read_image(write_image(tmp_path / "a", RAMP, RescaleSlope=2, RescaleIntercept=-1024,
                                   PixelSpacing=[0.5, 0.7], ConvolutionKernel="B30f", BodyPartExamined="HEAD"))
    assert np.array_equal(image.pixels, RAMP * 2 - 1024)
    assert image.pixels.dtype == np.float32
    assert (image.modality, image.pixel_spacing, image.convolution_kernel, image.body_part_examined) == (
        "CT", (0.5, 0.7), "B30f", "HEAD")


def test_monochrome1_is_reflected_within_its_stored_range_with_its_window(tmp_path: Path) -> None:
    image = read_image(write_image(tmp_path / "a", RAMP, PhotometricInterpretation="MONOCHROME1", BitsStored=12,
                                   HighBit=11, WindowCenter=1000, WindowWidth=500))
    assert np.array_equal(image.pixels, 4095 - RAMP)
    assert image.window == (3095, 500)


def test_padding_is_not_image(tmp_path: Path) -> None:
    stored = RAMP - 100
    stored[0, :3] = -2000
    image = read_image(write_image(tmp_path / "a", stored, PixelPaddingValue=-2000, RescaleSlope=1,
                                   RescaleIntercept=0))
    assert image.pixels.min() == -70
    assert image.pixels[0, 0] == -70


def test_the_middle_frame_stands_for_a_multiframe_image_with_its_own_rescale(tmp_path: Path) -> None:
    groups = []
    for slope in (1, 2, 3):
        transformation, measures, group = Dataset(), Dataset(), Dataset()
        transformation.RescaleSlope, transformation.RescaleIntercept = slope, 0
        measures.PixelSpacing = [slope, slope]
        group.PixelValueTransformationSequence, group.PixelMeasuresSequence = [transformation], [measures]
        groups.append(group)
    frames = np.stack([RAMP, RAMP + 1, RAMP + 2])
    image = read_image(write_image(tmp_path / "a", frames, PerFrameFunctionalGroupsSequence=groups))
    assert (image.frame, image.number_of_frames, image.pixel_spacing) == (1, 3, (2, 2))
    assert np.array_equal(image.pixels, (RAMP + 1) * 2)


def test_one_frame_of_many_is_read_in_the_memory_of_one(tmp_path: Path) -> None:
    frames = np.zeros((200, 128, 128), dtype=np.uint8)
    path = write_image(tmp_path / "a", frames)
    tracemalloc.start()
    read_image(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < frames.nbytes / 4


@pytest.mark.parametrize("name", ["examples_rgb_color.dcm", "SC_rgb_rle.dcm", "examples_ybr_color.dcm",
                                  "SC_rgb_jpeg_dcmtk.dcm", "examples_palette.dcm"])
def test_color_becomes_luminance(name: str) -> None:
    image = read_image(packaged(name))
    assert image.pixels.ndim == 2
    assert image.pixels.max() > image.pixels.min()


@pytest.mark.parametrize(("name", "same_as"), [
    ("MR_small_jp2klossless.dcm", "MR_small.dcm"), ("MR_small_RLE.dcm", "MR_small.dcm"),
    ("MR_small_jpeg_ls_lossless.dcm", "MR_small.dcm"), ("MR_small_bigendian.dcm", "MR_small.dcm"),
    ("SC_rgb_jpeg_gdcm.dcm", "SC_rgb_rle.dcm"),
])
def test_a_lossless_encoding_changes_no_gray_value(name: str, same_as: str) -> None:
    assert np.array_equal(read_image(packaged(name)).pixels, read_image(packaged(same_as)).pixels)


def test_luminance_weighs_red_green_and_blue(tmp_path: Path) -> None:
    stored = np.zeros((1, 3, 3), dtype=np.uint8)
    stored[0, 0, 0] = stored[0, 1, 1] = stored[0, 2, 2] = 200
    path = write_image(tmp_path / "a", stored, SamplesPerPixel=3, PhotometricInterpretation="RGB", Rows=1, Columns=3,
                       PlanarConfiguration=0, NumberOfFrames=1)
    assert read_image(path).pixels.ravel().tolist() == pytest.approx([200 * 0.2125, 200 * 0.7154, 200 * 0.0721])


@pytest.mark.filterwarnings("ignore")
def test_every_packaged_file_gives_an_image_or_one_clear_error() -> None:
    decoded = 0
    for name in get_testdata_files():
        if not Path(name).is_file():
            continue
        try:
            image = read_image(name)
        except PacsmeterError as error:
            assert error.remedy and error.record == str(Path(name))
            continue
        decoded += 1
        assert image.pixels.ndim == 2 and np.isfinite(image.pixels).all(), name
    assert decoded >= 80


def test_what_cannot_be_decoded_is_named_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = tmp_path / "text"
    text.write_text("not an image")
    short = tmp_path / "short"
    short.write_bytes(write_image(tmp_path / "a", RAMP).read_bytes()[:-40])
    report = write_image(tmp_path / "report", RAMP)
    dataset = dcmread(report)
    for keyword in ("Rows", "Columns", "PixelData"):
        delattr(dataset, keyword)
    dataset.save_as(report)
    with pytest.raises(PacsmeterError, match="not DICOM"):
        read_image(text)
    with pytest.raises(PacsmeterError, match=r"cannot be decoded.*cut short"):
        read_image(short)
    with pytest.raises(PacsmeterError, match="holds no image"):
        read_image(report)
    with pytest.raises(PacsmeterError, match="cannot be opened") as caught:
        read_image(tmp_path / "gone")
    assert isinstance(caught.value.__cause__, OSError)
    monkeypatch.setattr(decode, "MAX_PIXELS", 63)
    with pytest.raises(PacsmeterError, match="64 pixels"):
        read_image(tmp_path / "a")


def test_a_thumbnail_shows_the_window(tmp_path: Path) -> None:
    stored = np.zeros((100, 200))
    stored[:, 100:] = 1000
    path = write_image(tmp_path / "a", stored, WindowCenter=500, WindowWidth=100)
    picture = PIL.Image.open(io.BytesIO(thumbnail(path, 50)))
    assert (picture.format, picture.size) == ("PNG", (50, 25))
    assert (picture.getpixel((5, 12)), picture.getpixel((45, 12))) == (0, 255)


@pytest.mark.parametrize(("elements", "hidden"), [
    ({}, False), ({"BurnedInAnnotation": "YES"}, True), ({"BurnedInAnnotation": "NO"}, False),
    ({"Modality": "US"}, True), ({"Modality": "US", "BurnedInAnnotation": "NO"}, False),
    ({"Modality": "US", "BurnedInAnnotation": ""}, True), ({"Modality": "SC"}, True), ({"Modality": "OT"}, True),
    ({"Modality": "ES"}, True), ({"Modality": "XC"}, True), ({"Modality": "MR"}, False),
    ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"}, True), ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7.4"}, True),
    ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7.4", "BurnedInAnnotation": "NO"}, False)])
def test_a_picture_may_carry_a_name(tmp_path: Path, elements: dict[str, Any], hidden: bool) -> None:
    assert may_carry_name(write_image(tmp_path / "a", np.eye(4, dtype=np.uint8), **elements)) is hidden


@pytest.mark.parametrize(("elements", "at_500"), [
    ({"WindowCenter": 500.5, "WindowWidth": 1001}, 128), ({"WindowCenter": [500.5, 9], "WindowWidth": [1001, 9]}, 128),
    ({"WindowCenter": 5000, "WindowWidth": 100}, 0), ({}, 128)])
def test_gray_values_through_a_window_or_percentiles(tmp_path: Path, elements: dict[str, Any], at_500: int) -> None:
    line = np.tile(np.arange(1001), (2, 1))
    assert windowed(read_image(write_image(tmp_path / "a", line, **elements)))[0, 500] == pytest.approx(at_500, abs=1)
