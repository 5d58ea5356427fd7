"""A number with its unit, and the way a person writes it.

Units are UCUM codes (https://ucum.org): ``By`` bytes, ``min`` minutes, ``%``, ``{study}`` counts,
``[hnsf'U]`` Hounsfield units, ``1`` a plain ratio; money is its ISO 4217 code.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

BYTES, MINUTES, PERCENT, RATIO, HOUNSFIELD = "By", "min", "%", "1", "[hnsf'U]"
STUDIES, SERIES, IMAGES, EXAMS = "{study}", "{series}", "{image}", "{exam}"
BUSINESS_MINUTES = "min{business}"
"""Minutes of business hours: never written as days, of which a reader would think them the calendar's."""
DURATIONS = (MINUTES, BUSINESS_MINUTES)
MISSING = "–"
_BYTE_STEPS = ("B", "kB", "MB", "GB", "TB", "PB", "EB")
_CURRENCIES = frozenset({"USD", "EUR", "GBP"})
_UNIT_WORDS = {HOUNSFIELD: "HU", RATIO: "", "mm": "mm", "bit": "bit", "dB": "dB", "d": "days", "a": "years",
               "MBy/min": "MB/min"}


def _trim(value: float, digits: int) -> str:
    return f"{value:,.{digits}f}"


def _bytes(value: float) -> str:
    size, step = abs(value), 0
    while step < len(_BYTE_STEPS) - 1 and float(f"{size:.3g}") >= 1000:
        size, step = size / 1000, step + 1
    digits = 0 if step == 0 or size >= 99.95 else 1
    return f"{'-' if value < 0 else ''}{_trim(size, digits)} {_BYTE_STEPS[step]}"


def _minutes(value: float) -> str:
    sign, minutes = ("-" if value < 0 else ""), abs(value)
    if minutes < 1:
        return f"{sign}{round(minutes * 60)} s"
    whole = round(minutes)
    days, hours, rest = whole // 1440, whole % 1440 // 60, whole % 60
    if days >= 10:
        return f"{sign}{round(minutes / 1440):,} d"
    parts = [(days, "d"), (hours, "h"), (rest, "min")]
    shown = [f"{number} {unit}" for number, unit in parts if number][:2]
    return sign + " ".join(shown)


def _business_minutes(value: float) -> str:
    whole = round(abs(value))
    if whole < 1440:
        return _minutes(value)
    hours, rest = divmod(whole, 60)
    said = f"{hours} h {rest} min" if rest and hours < 100 else f"{round(whole / 60):,} h"
    return f"-{said}" if value < 0 else said


def format_quantity(value: float | int | None, unit: str) -> str:
    """Write a value as people write it: ``1.2 TB``, ``3 h 40 min``, ``12,345``, ``4.5 %``.

    Parameters
    ----------
    value : number or None
        ``None`` and NaN are written as an en dash.
    unit : str
        UCUM code; bytes are decimal (1 TB = 10**12 B, as storage is sold).
    """
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return MISSING
    if unit == BYTES:
        return _bytes(value)
    if unit == MINUTES:
        return _minutes(value)
    if unit == BUSINESS_MINUTES:
        return _business_minutes(value)
    if unit == PERCENT:
        return f"{_trim(value, 1)} %"
    if unit in _CURRENCIES:
        return f"{'-' if value < 0 else ''}{unit} {_trim(abs(value), 0 if abs(value) >= 100 else 2)}"
    if unit.startswith("{"):
        return _trim(value, 0 if float(value).is_integer() or abs(value) >= 100 else 1)
    digits = 0 if abs(value) >= 1000 or float(value).is_integer() else 2
    return f"{_trim(value, digits)} {_UNIT_WORDS.get(unit, unit)}".rstrip()


def unit_words(unit: str) -> str:
    """Name a unit for an axis title: ``bytes``, ``minutes``, ``studies``."""
    named = {BYTES: "bytes", MINUTES: "minutes", BUSINESS_MINUTES: "minutes of business hours", PERCENT: "%",
             STUDIES: "studies", SERIES: "series", IMAGES: "images", EXAMS: "exams"}
    return named.get(unit, _UNIT_WORDS.get(unit, unit.strip("{}")))


@dataclass(frozen=True)
class Quantity:
    """A value and its UCUM unit."""

    value: float
    unit: str

    def __str__(self) -> str:
        return format_quantity(self.value, self.unit)
