"""Measures against pictures whose answer is known."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from analytics.imaging.image import Image
from analytics.imaging.measures import MEASURES, NotMeasurable
from analytics.imaging.measures.noise import LEAST_SOFT_TISSUE_PIXELS, box_side, local_deviation

Array = NDArray[np.float32]


def value(measure: str, pixels: Any, **attributes: Any) -> float:
    return MEASURES[measure].of(Image(np.asarray(pixels, dtype=np.float32), **attributes)).value


def flat(level: float = 100.0, size: int = 256) -> Array:
    return np.full((size, size), level, dtype=np.float32)


def noisy(sigma: float, base: Array, seed: int = 1) -> Array:
    return (base + np.random.default_rng(seed).normal(0, sigma, base.shape)).astype(np.float32)


def ramp(size: int = 256) -> Array:
    return np.add.outer(np.arange(size), 2 * np.arange(size)).astype(np.float32)


def disc(inside: float, outside: float, radius: float = 80, size: int = 256) -> Array:
    y, x = np.ogrid[:size, :size]
    return np.where((y - size / 2) ** 2 + (x - size / 2) ** 2 <= radius**2, inside, outside).astype(np.float32)


def step(sigma: float, size: int = 256) -> Array:
    edge = np.zeros((size, size))
    edge[:, size // 2:] = 1000
    return ndimage.gaussian_filter(edge, sigma).astype(np.float32)


def checkerboard(low: float, high: float, size: int = 64) -> Array:
    return np.where(np.indices((size, size)).sum(axis=0) % 2, high, low).astype(np.float32)


@pytest.mark.parametrize("base", [flat(), ramp()], ids=["constant", "plane"])
@pytest.mark.parametrize("sigma", [1.0, 5.0, 20.0])
def test_noise_is_the_sigma_that_was_added_within_three_percent(sigma: float, base: Array) -> None:
    assert value("noise", noisy(sigma, base)) == pytest.approx(sigma, rel=0.05)


def test_noise_is_not_diluted_by_a_masked_background() -> None:
    mask = disc(1, 0)
    masked = np.where(mask == 1, noisy(10, flat(500)), 0)
    assert value("noise", masked) == pytest.approx(10, rel=0.2), "the rim leaves a trace, the background none"
    whole = np.abs(ndimage.convolve(masked.astype(float), [[1, -2, 1], [-2, 4, -2], [1, -2, 1]]))
    assert math.sqrt(math.pi / 2) / 6 * whole.mean() != pytest.approx(10, rel=0.25)


def test_noise_equals_the_published_operator_by_convolution_away_from_edges() -> None:
    picture = noisy(7, ramp(64))
    inner = (slice(1, -1), slice(1, -1))
    response = ndimage.convolve(picture.astype(float), [[1, -2, 1], [-2, 4, -2], [1, -2, 1]])[inner]
    down, across = np.gradient(picture.astype(float))
    steepness = np.hypot(down, across)[inner]
    smooth = steepness <= np.quantile(steepness, 0.9)
    assert value("noise", picture) == pytest.approx(
        math.sqrt(math.pi / 2) * np.abs(response[smooth]).mean() / 6, rel=1e-3)


def test_snr_and_cnr_of_a_disc_in_noise() -> None:
    picture = noisy(10, disc(500, 100))
    assert value("snr", picture) == pytest.approx(500 / 10, rel=0.05)
    assert value("cnr", picture) == pytest.approx(400 / 10, rel=0.05)
    assert value("snr", picture - 1000, modality="CT") == pytest.approx(value("snr", picture), rel=1e-3)


@pytest.mark.parametrize("sigma", [5.0, 15.0, 40.0])
def test_ct_global_noise_is_the_sigma_that_was_added_to_soft_tissue_within_five_percent(sigma: float) -> None:
    body = disc(50, -1000, radius=100)
    assert value("ct_noise", noisy(sigma, body), modality="CT", pixel_spacing=(0.5, 0.5)) == pytest.approx(
        sigma, rel=0.05)


def test_ct_global_noise_says_why_it_is_not_defined() -> None:
    with pytest.raises(NotMeasurable, match="PixelSpacing"):
        value("ct_noise", flat(50), modality="CT")
    with pytest.raises(NotMeasurable, match="soft tissue"):
        value("ct_noise", flat(-1000), modality="CT", pixel_spacing=(0.5, 0.5))


def test_the_rim_of_bone_and_air_is_not_taken_for_soft_tissue() -> None:
    ring = ndimage.gaussian_filter(disc(1200, -1000, radius=110), 6)
    assert np.count_nonzero((ring >= 0) & (ring <= 150)) >= LEAST_SOFT_TISSUE_PIXELS
    with pytest.raises(NotMeasurable, match="500 pixels inside"):
        value("ct_noise", ring, modality="CT", pixel_spacing=(0.5, 0.5))


def test_local_deviation_equals_a_slow_filter() -> None:
    picture = noisy(9, disc(60, -1000, 20, 48))
    slow = ndimage.generic_filter(picture.astype(float), np.std, size=7, mode="reflect")
    assert np.allclose(local_deviation(picture, 7), slow, atol=1e-6)


def test_the_box_of_six_millimeters_in_pixels() -> None:
    assert [box_side((spacing, spacing)) for spacing in (0.5, 0.75, 1.0, 5.0)] == [12, 8, 6, 3]


@pytest.mark.parametrize("sigma", [1.0, 1.5, 2.0, 3.0])
def test_edge_blur_is_the_sigma_of_a_blurred_step_within_five_percent(sigma: float) -> None:
    # The difference of two neighbors is a box of 1 pixel, whose variance of 1/12 adds to sigma^2.
    seen = math.sqrt(sigma**2 + 1 / 12)
    assert value("edge_blur", step(sigma), pixel_spacing=(1.0, 1.0)) == pytest.approx(seen, rel=0.05)
    assert value("edge_blur", step(sigma), pixel_spacing=(0.2, 0.2)) == pytest.approx(seen * 0.2, rel=0.05)


def test_sharpness_falls_with_every_step_of_blur() -> None:
    fine = noisy(20, checkerboard(0, 1000, 256))
    values = [value("sharpness", ndimage.gaussian_filter(fine, sigma)) for sigma in (0, 0.6, 1.2, 2.5)]
    assert values == sorted(values, reverse=True)
    assert values[0] > 0.8 > values[-1] + 0.15


def test_contrast_of_known_pictures() -> None:
    assert value("contrast", checkerboard(100, 900)) == pytest.approx(0.5)
    line = np.tile(np.linspace(0, 1, 1001, dtype=np.float32), (20, 1))
    assert value("contrast", line) == pytest.approx(1 / math.sqrt(12), rel=2e-3)


@pytest.mark.parametrize("bits", [1, 4, 8])
def test_entropy_of_a_uniform_histogram_is_its_number_of_bits(bits: int) -> None:
    levels = np.arange(2**bits)
    assert value("entropy", np.tile(levels, (2**bits, 1))) == pytest.approx(bits)


def test_entropy_of_three_to_one() -> None:
    # 1/4 log2 4 + 3/4 log2(4/3) = 0.811278
    assert value("entropy", [[0, 0, 0, 1]]) == pytest.approx(0.811278, abs=1e-6)


def test_the_dominant_share_of_constant_and_of_half_blank() -> None:
    assert value("dominant_share", flat()) == 100
    half = ramp(64)
    half[:32] = -1
    assert value("dominant_share", half) == pytest.approx(50, abs=0.1)


def test_clipping_counts_plateaus_inside_and_not_what_reaches_the_border() -> None:
    picture = noisy(5, flat(500, 100))
    assert value("clipped_high", picture) == 0
    saturated = picture.copy()
    saturated[40:60, 40:60] = 4095
    assert value("clipped_high", saturated) == pytest.approx(4.0)
    assert value("clipped_low", -saturated) == pytest.approx(4.0)
    air = picture.copy()
    air[:, :20] = 4095
    assert value("clipped_high", air) == 0


def test_dynamic_range() -> None:
    assert value("dynamic_range", [[-1000, 3071]]) == 4071


def test_piu_of_a_uniform_and_of_a_shaded_disc() -> None:
    assert value("piu", disc(800, 0), modality="MR", pixel_spacing=(1.0, 1.0)) == pytest.approx(100)
    # Signal 1000 + 2 x from the center; means of 10 x 10 mm squares inside the disc of 75 % of the area reach
    # about r = sqrt(0.75) * 80 - 5 = 64.3 mm to either side: (1129 - 871) / 2000 = 12.9 %.
    shaded = np.where(disc(1, 0) == 1, 1000 + 2 * (np.arange(256, dtype=np.float32) - 128)[None, :], 0)
    assert value("piu", shaded, modality="MR", pixel_spacing=(1.0, 1.0)) == pytest.approx(100 - 12.9, abs=0.5)


def test_efc_is_one_for_even_energy_and_zero_in_one_pixel() -> None:
    even = flat(7, 64)
    even[0, 0] = 0
    assert value("efc", even, modality="MR") == pytest.approx(1, abs=1e-3)
    point = flat(0, 64)
    point[5, 5] = 9
    assert value("efc", point, modality="MR") == pytest.approx(0, abs=1e-9)


def test_fber_of_two_levels() -> None:
    assert value("fber", disc(300, 10), modality="MR") == pytest.approx(900)
    with pytest.raises(NotMeasurable, match="masked"):
        value("fber", disc(300, 0), modality="MR")


@pytest.mark.parametrize(("index", "target", "expected"), [(250, 250, 0), (500, 250, 3.0103), (125, 250, -3.0103),
                                                           (2500, 250, 10)])
def test_deviation_index_from_the_exposure_index(index: float, target: float, expected: float) -> None:
    got = value("deviation_index", flat(), modality="DX", exposure_index=index, target_exposure_index=target,
                deviation_index=99.0)
    assert got == pytest.approx(expected, abs=1e-4)


def test_exposure_as_recorded_and_missing() -> None:
    assert value("deviation_index", flat(), modality="DX", deviation_index=-1.2) == -1.2
    assert value("exposure_index", flat(), modality="DX", exposure_index=312.0) == 312
    for measure in ("deviation_index", "exposure_index"):
        with pytest.raises(NotMeasurable, match="header"):
            value(measure, flat(), modality="DX")


@pytest.mark.parametrize("measure", ["noise", "snr", "cnr", "contrast", "sharpness", "edge_blur", "piu", "efc", "fber"])
def test_a_constant_image_is_said_to_be_not_measurable(measure: str) -> None:
    with pytest.raises(NotMeasurable):
        value(measure, flat(), pixel_spacing=(1.0, 1.0), modality="MR")


_PICTURE = noisy(10, ndimage.gaussian_filter(disc(500, 100, 20, 64), 1))


@settings(max_examples=30, deadline=None)
@given(st.integers(-2000, 2000), st.sampled_from([0.25, 0.5, 2.0, 4.0]))
def test_how_measures_answer_to_a_shift_and_a_scale(shift: int, scale: float) -> None:
    moved = (_PICTURE * np.float32(scale) + np.float32(shift)).astype(np.float32)
    for measure in ("noise", "dynamic_range"):
        assert value(measure, moved) == pytest.approx(value(measure, _PICTURE) * scale, rel=1e-2), measure
    for measure in ("contrast", "sharpness", "cnr"):
        assert value(measure, moved) == pytest.approx(value(measure, _PICTURE), rel=2e-2), measure
    spaced = {"pixel_spacing": (1.0, 1.0)}
    assert value("edge_blur", moved, **spaced) == pytest.approx(value("edge_blur", _PICTURE, **spaced), rel=2e-2)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_measures_of_gray_values_do_not_care_where_a_pixel_is(seed: int) -> None:
    picture = np.round(_PICTURE)
    shuffled = np.random.default_rng(seed).permutation(picture.ravel()).reshape(picture.shape)
    for measure in ("entropy", "contrast", "dominant_share", "dynamic_range", "efc"):
        assert value(measure, shuffled, modality="MR") == pytest.approx(
            value(measure, picture, modality="MR"), rel=1e-5), measure


def test_every_measure_says_what_it_is() -> None:
    for measure in MEASURES:
        assert measure.definition.endswith("."), measure.id
        assert len(measure.definition) > 40, measure.id
        assert measure.citation and measure.unit and measure.algorithm[-1].isdigit(), measure.id
        assert measure.function.__doc__, measure.id
    algorithms = {(m.algorithm, m.id.split("_")[0]) for m in MEASURES}
    assert len(algorithms) == len(MEASURES) - 1, "only the two ends of clipping share an algorithm"
