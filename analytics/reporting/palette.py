"""The one palette: colors that color-blind people can tell apart, and the same one for the same modality.

Each color stands out from the light and the dark page (WCAG 2.2, 1.4.11: contrast of at least 3:1), and any two
stay apart for readers without one kind of cone. Only eight colors can do both at once; past eight a pattern
(bars) or a dash (lines) tells marks of one color apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2s
from typing import Literal

LIGHT_PAGE, DARK_PAGE = "#ffffff", "#12171e"

BLUE, CORAL, GREEN, PLUM = "#0078b4", "#e46054", "#189c6c", "#a84884"
VIOLET, OCHRE, BROWN, SKY = "#846ce4", "#a87818", "#846054", "#309cd8"
CATEGORIES: tuple[str, ...] = (BLUE, CORAL, GREEN, PLUM, OCHRE, VIOLET, SKY, BROWN)
GRAY = "#7b858f"
FAINT = "rgba(123,133,143,0.22)"
"""Grid lines and limits that stay in the background, on either page."""

GOOD, WATCH, BAD = GREEN, OCHRE, CORAL
ORDERED: tuple[str, ...] = (GREEN, SKY, OCHRE, CORAL)
"""Four classes from best to worst."""
SEQUENCE: tuple[tuple[float, str], ...] = (
    (0.0, "rgba(0,120,180,0.06)"), (0.35, "rgba(0,120,180,0.38)"), (0.7, "rgba(0,120,180,0.78)"), (1.0, "#0078b4"))
"""One hue from faint to full, for amounts: lightness alone carries the value."""

Pattern = Literal["", "/", "x", "."]
Dash = Literal["solid", "dash", "dot", "dashdot"]
_DASH_OF: dict[Pattern, Dash] = {"": "solid", "/": "dash", "x": "dot", ".": "dashdot"}
UNKNOWN = frozenset({"", "None", "nan", "<NA>", "unknown", "Unknown", "not stated"})


@dataclass(frozen=True)
class Ink:
    """How a category is drawn everywhere: a color, and a pattern where the color is used twice."""

    color: str
    pattern: Pattern = ""

    @property
    def dash(self) -> Dash:
        """Return the dash a line of this category has."""
        return _DASH_OF[self.pattern]


MODALITY_INKS: dict[str, Ink] = {
    "CT": Ink(BLUE), "MR": Ink(VIOLET), "DX": Ink(GREEN), "CR": Ink(BROWN), "US": Ink(SKY), "MG": Ink(PLUM),
    "XA": Ink(CORAL), "NM": Ink(OCHRE), "RF": Ink(CORAL, "/"), "PT": Ink(OCHRE, "/"), "OT": Ink(GRAY),
    "SC": Ink(GRAY, "/"), "ES": Ink(PLUM, "/"), "SR": Ink(GRAY, "x"), "BMD": Ink(BROWN, "/"), "PX": Ink(GREEN, "/"),
    "IO": Ink(GREEN, "x"), "XC": Ink(PLUM, "x"),
}


_FIXED: dict[str, dict[str, Ink]] = {
    "priority": {"S": Ink(CORAL), "A": Ink(OCHRE), "R": Ink(BLUE)},
    "patient_class": {"I": Ink(BLUE), "O": Ink(GREEN), "E": Ink(CORAL), "P": Ink(VIOLET), "R": Ink(OCHRE)},
    "severity": {"error": Ink(CORAL), "warning": Ink(OCHRE), "info": Ink(SKY)},
}
"""Dimensions whose values are few and known: one ink each, in their natural order."""


def modality_ink(modality: str) -> Ink:
    """Return a modality's ink: fixed for the known ones, always the same for any other code."""
    if modality in MODALITY_INKS:
        return MODALITY_INKS[modality]
    if modality in UNKNOWN:
        return Ink(GRAY)
    number = int.from_bytes(blake2s(modality.encode(), digest_size=4).digest(), "big")
    return Ink(CATEGORIES[number % len(CATEGORIES)], ("x", ".")[number // len(CATEGORIES) % 2])


def inks(dimension: str, categories: list[str]) -> dict[str, Ink]:
    """Return an ink for each category of a dimension.

    Parameters
    ----------
    dimension : str
        Column that the categories come from; ``modality`` has its fixed map.
    categories : list of str
        Eight colors are used before a pattern is.
    """
    if dimension == "modality":
        return {category: modality_ink(category) for category in categories}
    patterns: tuple[Pattern, ...] = ("", "/", "x", ".")
    known = sorted(category for category in categories if category not in UNKNOWN)
    found = {
        category: Ink(CATEGORIES[place % len(CATEGORIES)], patterns[place // len(CATEGORIES) % len(patterns)])
        for place, category in enumerate(known)
    }
    found |= _FIXED.get(dimension, {})
    return {category: found.get(category, Ink(GRAY)) for category in categories}


def natural_order(dimension: str) -> tuple[str, ...]:
    """Return the values of a dimension that has an order of its own, else nothing."""
    return tuple(_FIXED.get(dimension, {}))
