"""Axes that people can read: ticks at round numbers of the unit, and the words of a value, a date, a category."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

import pandas as pd

from analytics.core.quantity import BYTES, DURATIONS, PERCENT, format_quantity, unit_words
from analytics.core.terms import MODALITIES, PATIENT_CLASSES, PRIORITIES, SOURCE_KINDS, TRANSFER_SYNTAXES, WEEKDAYS

_SECOND_STEPS = (1, 2, 5, 10, 15, 30)
_MINUTE_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 7200, 14400, 28800, 72000, 144000, 525600)
_NAMED: dict[str, dict[str, str]] = {
    "priority": PRIORITIES, "patient_class": PATIENT_CLASSES, "kind": SOURCE_KINDS,
    "transfer_syntax_uid": {uid: syntax.name for uid, syntax in TRANSFER_SYNTAXES.items()},
}
NOT_STATED = "not stated"
_LABELS = {
    "exam_hour": "Hour of day", "hour": "Hour of day", "exam_weekday": "Day of week", "weekday": "Day of week",
    "station_name": "Device", "transfer_syntax_uid": "Transfer syntax", "study_instance_uid": "Study Instance UID",
    "patient_class": "Patient class", "storage_tier": "Storage tier", "p90": "90th percentile", "n": "Exams",
    "size_bytes": "Size", "number_of_instances": "Images", "number_of_series": "Series", "exam_at": "Exam",
    "series_instance_uid": "Series Instance UID", "sop_instance_uid": "SOP Instance UID", "source_id": "Source",
    "exam_date": "Exam date", "check_id": "Check", "patient_birth_year": "Birth year", "sop_class_uid": "SOP Class UID",
    "link_now": "Link needed now", "link_later": "Link needed later", "peak_at": "Peak at",
    "held_80_percent": "80 % interval held", "held_95_percent": "95 % interval held",
    "full_early": "Full, early", "full_median": "Full, half of the paths", "full_late": "Full, late",
    "accession_number": "Accession", "period": "Period", "share": "Share", "rate": "Rate",
}


def label_of(column: str) -> str:
    """Return the words for a column: ``Device`` for ``station_name``."""
    return _LABELS.get(column, column.replace("_", " ").strip().capitalize())


def is_missing(value: object) -> bool:
    """Whether a cell of a frame holds nothing."""
    return value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and math.isnan(value))


def words(dimension: str, value: Any) -> str:
    """Return a group's value as people say it: ``Monday``, ``08:00``, ``Stat``, ``not stated``."""
    if is_missing(value) or value == "":
        return NOT_STATED
    if dimension in ("exam_weekday", "weekday") and not isinstance(value, str):
        return WEEKDAYS[int(value) - 1]
    if dimension in ("exam_hour", "hour") and not isinstance(value, str):
        return f"{int(value):02d}:00"
    if isinstance(value, datetime | date):
        return f"{value.day} {value:%b %Y}"
    return _NAMED.get(dimension, {}).get(str(value), str(value))


def modality_words(code: str) -> str:
    """Return a modality's code with its name: ``CT (Computed tomography)``."""
    return f"{code} ({MODALITIES[code]})" if code in MODALITIES else code


def period_words(start: date, period: str) -> str:
    """Return a period as people say it: ``Mar 2026``, ``Q1 2026``, ``week of 2 Mar 2026``."""
    if period == "year":
        return f"{start:%Y}"
    if period == "quarter":
        return f"Q{(start.month - 1) // 3 + 1} {start:%Y}"
    if period == "month":
        return f"{start:%b %Y}"
    return f"{'week of ' if period == 'week' else ''}{start.day} {start:%b %Y}"


def period_of(starts: Iterable[Any]) -> str:
    """Tell from the starts of some periods how long they are."""
    days = pd.Series(pd.to_datetime(pd.Series(list(starts)).dropna().unique())).sort_values()
    if days.empty or (days.dt.day != 1).any():
        gap = days.diff().dt.days.min() if len(days) > 1 else 1
        return "week" if gap >= 7 else "day"
    months = set(days.dt.month)
    if months == {1} and len(days) > 1:
        return "year"
    return "quarter" if months <= {1, 4, 7, 10} and len(days) > 1 else "month"


def _step(span: float, wanted: int) -> float:
    """Return 1, 2 or 5 times a power of ten so that a span has about the wanted number of steps."""
    raw = span / wanted
    power = 10.0 ** math.floor(math.log10(raw))
    return next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= raw * 0.999)


def ticks(low: float, high: float, unit: str, wanted: int = 5) -> tuple[list[float], list[str]]:
    """Return tick positions and their words over a range, at round numbers of the unit.

    Parameters
    ----------
    low, high : float
        The range that the data covers, in ``unit``.
    unit : str
        UCUM code.
    wanted : int
        About how many steps.
    """
    span = (high - low) or abs(high) or 1.0
    if unit in DURATIONS and span > 1:
        step = next((float(item) for item in _MINUTE_STEPS if item >= span / wanted), _step(span, wanted))
    elif unit in DURATIONS and 60 * span >= wanted:
        step = next(item for item in _SECOND_STEPS if item >= 60 * span / wanted - 1e-9) / 60
    else:
        step = _step(span, wanted)
        if not unit or unit.startswith("{"):
            step = max(step, 1.0) if span > 1 else step
    first = math.floor(low / step)
    values = [number * step for number in range(first, math.ceil(high / step) + 1)]
    return values, [_tick_words(value, unit, step) for value in values]


def _tick_words(value: float, unit: str, step: float) -> str:
    if value == 0:
        return "0"
    if unit == BYTES:
        return format_quantity(value, unit).replace(".0 ", " ")
    if unit == PERCENT:
        return f"{value:,.{0 if float(step).is_integer() else max(1, -math.floor(math.log10(step)))}f} %"
    if unit in DURATIONS and step * 1.001 >= 1 / 60 and step < 1:
        minutes, seconds = divmod(abs(round(60 * value)), 60)
        said = [f"{minutes} min"] * (minutes > 0) + [f"{seconds} s"] * (seconds > 0)
        return ("-" if value < 0 else "") + " ".join(said)
    if unit in DURATIONS:
        return format_quantity(value, unit)
    digits = 0 if float(step).is_integer() else min(4, max(0, -math.floor(math.log10(step) + 1e-9)) + 1)
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def axis_title(name: str, unit: str) -> str:
    """Return an axis title; the unit stands in it unless every tick already says it."""
    if unit in (BYTES, *DURATIONS, PERCENT):
        return name
    unit_name = unit_words(unit)
    return name if not unit_name or unit_name.lower() in name.lower() else f"{name} ({unit_name})"
