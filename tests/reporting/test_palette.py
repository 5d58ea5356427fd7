"""The palette: colors that stand out on either page, and that readers without one kind of cone can tell apart."""

from __future__ import annotations

import itertools
import tomllib

import numpy as np
import pytest

from analytics.core.terms import MODALITIES
from analytics.reporting.palette import CATEGORIES, DARK_PAGE, GRAY, LIGHT_PAGE, inks, modality_ink
from tests.support import ROOT

# Machado, Oliveira & Fernandes, IEEE TVCG 15 (2009) 1291-1298, severity 1.0, for linear RGB.
SEEN_BY = {
    "all cones": np.eye(3),
    "no long": np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                         [-0.003882, -0.048116, 1.051998]]),
    "no medium": np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                           [-0.011820, 0.042940, 0.968881]]),
    "no short": np.array([[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
                          [0.004733, 0.691367, 0.303900]]),
}


def linear(color: str) -> np.ndarray:
    """Return linear RGB of an sRGB color (IEC 61966-2-1)."""
    channels = np.array([int(color[place:place + 2], 16) for place in (1, 3, 5)]) / 255
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of WCAG 2.2."""
    light, dark = sorted((float(linear(color) @ [0.2126, 0.7152, 0.0722]) for color in (one, other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def oklab(rgb: np.ndarray) -> np.ndarray:
    """Return Oklab coordinates (Ottosson 2020), in which equal distances look about equally far."""
    cones = np.array([[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
                      [0.0883024619, 0.2817188376, 0.6299787005]]) @ np.clip(rgb, 0, 1)
    return np.array([[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099],
                     [0.0259040371, 0.7827717662, -0.8086757660]]) @ np.cbrt(cones)


def test_the_contrast_of_black_on_white_is_21():
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)


@pytest.mark.parametrize("page", [LIGHT_PAGE, DARK_PAGE])
@pytest.mark.parametrize("color", [*CATEGORIES, GRAY])
def test_each_color_stands_out_from_the_page(color, page):
    assert contrast(color, page) >= 3.0


@pytest.mark.parametrize("cones", SEEN_BY)
def test_any_two_colors_stay_apart_for_every_reader(cones):
    for one, other in itertools.combinations(CATEGORIES, 2):
        seen = [oklab(SEEN_BY[cones] @ linear(color)) for color in (one, other)]
        assert np.linalg.norm(seen[0] - seen[1]) > 0.05, (one, other)


def test_the_theme_has_the_pages_that_the_colors_are_tried_on():
    theme = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())["theme"]

    assert (theme["light"]["backgroundColor"], theme["dark"]["backgroundColor"]) == (LIGHT_PAGE, DARK_PAGE)
    assert tuple(theme["chartCategoricalColors"]) == CATEGORIES


@pytest.mark.parametrize("page", ["light", "dark"])
def test_text_can_be_read_on_the_page(page):
    theme = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())["theme"][page]

    assert contrast(theme["textColor"], theme["backgroundColor"]) >= 7
    assert contrast(theme["linkColor"], theme["backgroundColor"]) >= 4.5


def test_no_two_common_modalities_look_the_same():
    common = ("CT", "MR", "DX", "CR", "US", "MG", "XA", "NM", "RF", "PT")

    assert len({modality_ink(code) for code in common}) == len(common)


def test_a_modality_has_one_color_whatever_stands_beside_it():
    alone, together = inks("modality", ["CT"]), inks("modality", ["ZZ", "MR", "CT"])

    assert alone["CT"] == together["CT"]
    assert modality_ink("ZZ") == modality_ink("ZZ") != modality_ink("")
    assert all(modality_ink(code).color in (*CATEGORIES, GRAY) for code in MODALITIES)


def test_more_categories_than_colors_are_told_apart_by_pattern():
    many = inks("site", [f"Site {number:02d}" for number in range(20)])

    assert len(set(many.values())) == 20
