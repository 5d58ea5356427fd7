"""Measures of real CT and MR images, beside a slow computation of their own."""

from __future__ import annotations

import math
import time
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage
from skimage.measure import blur_effect

from analytics.imaging.decode import read_image
from analytics.imaging.image import Image
from analytics.imaging.measures import MEASURES
from analytics.imaging.measures.noise import local_deviation


@pytest.fixture
def head(shared_dicom: Path) -> Image:
    """Give a slice through the brain."""
    return read_image(shared_dicom / "ct-dcm_qa_ct" / "GE" / "14.dcm")


def test_ct_global_noise_of_a_real_head_equals_a_slow_computation(head: Image) -> None:
    hounsfield, side = head.pixels.astype(np.float64), 12
    assert head.pixel_spacing == pytest.approx((0.4882812, 0.4882812))
    part = (slice(150, 350), slice(150, 350))
    padded = np.pad(hounsfield, side, mode="symmetric")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (side, side))[side // 2:, side // 2:]
    windows = windows[: hounsfield.shape[0], : hounsfield.shape[1]]
    slow = windows[part].std(axis=(2, 3))
    assert np.allclose(local_deviation(head.pixels, side)[part], slow, atol=1e-6)

    soft = (hounsfield >= 0) & (hounsfield <= 150)
    share = windows_of(soft, side).mean(axis=(2, 3))
    inside = soft & (share >= 0.4 - 1e-9)
    counts = np.zeros(3000)
    for deviation in windows.std(axis=(2, 3))[inside]:
        if deviation < 300:
            counts[int(deviation / 0.1)] += 1
    kernel = np.exp(-0.5 * (np.arange(-12, 13) / 3) ** 2)
    mode = np.argmax(np.convolve(counts, kernel / kernel.sum(), mode="same"))
    assert MEASURES["ct_noise"].of(head).value == pytest.approx((mode + 0.5) * 0.1, abs=1e-6)


def windows_of(mask: np.ndarray, side: int) -> np.ndarray:
    """Return the box around each pixel, mirrored at the border."""
    padded = np.pad(mask, side, mode="symmetric")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (side, side))[side // 2:, side // 2:]
    return windows[: mask.shape[0], : mask.shape[1]]


def test_a_real_head_lies_within_sane_bounds(head: Image) -> None:
    bounds = {"ct_noise": (2, 10), "noise": (0.3, 6), "snr": (100, 4000), "entropy": (5, 12), "contrast": (0.05, 0.5),
              "sharpness": (0.2, 0.9), "edge_blur": (0.3, 1.2), "clipped_high": (0, 0.01), "dominant_share": (0, 60)}
    for measure, (low, high) in bounds.items():
        assert low <= MEASURES[measure].of(head).value <= high, measure


def test_noise_added_to_a_real_head_is_seen(head: Image) -> None:
    rng = np.random.default_rng(11)
    noisier = Image((head.pixels + rng.normal(0, 20, head.pixels.shape)).astype(np.float32), "CT",
                    pixel_spacing=head.pixel_spacing)
    before = MEASURES["ct_noise"].of(head).value
    assert MEASURES["ct_noise"].of(noisier).value == pytest.approx(math.hypot(before, 20), rel=0.05)
    assert MEASURES["noise"].of(noisier).value == pytest.approx(20, rel=0.1)


def test_blur_of_a_real_head_is_seen(head: Image) -> None:
    blurred = Image(ndimage.gaussian_filter(head.pixels, 2), "CT", pixel_spacing=head.pixel_spacing)
    assert MEASURES["sharpness"].of(blurred).value < 0.7 * MEASURES["sharpness"].of(head).value
    before, after = (MEASURES["edge_blur"].of(image).value for image in (head, blurred))
    assert after == pytest.approx(math.hypot(before, 2 * 0.4882812), rel=0.15)


def test_every_real_mr_image_is_measured(shared_dicom: Path) -> None:
    files = sorted((shared_dicom / "mr-dcm_qa_nih").rglob("*.dcm"))[::25]
    assert len(files) > 10
    for path in files:
        image = read_image(path)
        values = [item.of(image).value for item in MEASURES if item.applies_to("MR") and item.id not in ("fber", "piu")]
        assert np.isfinite(values).all()


def test_the_set_of_measures_costs_little_more_than_its_library_part(head: Image) -> None:
    """Compare in one run: scikit-image's blur effect is a third of the set; the rest must not grow unseen."""
    whole, library = [], []
    for _ in range(5):
        image = Image(head.pixels, "CT", pixel_spacing=head.pixel_spacing)
        start = time.process_time()
        for item in MEASURES:
            if item.applies_to("CT"):
                item.of(image)
        middle = time.process_time()
        blur_effect(head.pixels)
        whole.append(middle - start)
        library.append(time.process_time() - middle)
    assert min(whole) < 8 * min(library)
