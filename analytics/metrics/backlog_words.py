"""When a queue grows and when it clears, said in words."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

import pandas as pd

from analytics.core.quantity import EXAMS, format_quantity
from analytics.core.terms import WEEKDAYS

NOT_REACHED = "not reached"
DIFFERS = 1.96
"""Standard errors of a difference of counts beyond which it is not by chance, 19 times in 20."""


def _runs(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Join whole numbers that follow each other: first and last of each run."""
    found: list[tuple[int, int]] = []
    for number in sorted(numbers):
        if found and found[-1][1] == number - 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found


def joined(parts: Sequence[str]) -> str:
    """Join parts of a sentence: ``a``, ``a and b``, ``a, b and c``."""
    return " and ".join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))


def _days(numbers: Iterable[int]) -> str:
    parts: list[str] = []
    for first, last in _runs(numbers):
        names = WEEKDAYS[first - 1:last]
        parts += [f"{names[0]} to {names[-1]}"] if len(names) > 2 else names
    return joined(parts)


def hours_words(hours: Iterable[tuple[int, int]]) -> str:
    """Say hours of the week: ``Monday to Friday from 08:00 to 12:00 and from 13:00 to 17:00; Sunday all day``.

    Parameters
    ----------
    hours : pairs of ISO weekday and hour.
    """
    of_day: dict[int, set[int]] = {}
    for weekday, hour in hours:
        of_day.setdefault(weekday, set()).add(hour)
    alike: dict[frozenset[int], list[int]] = {}
    for weekday in sorted(of_day):
        alike.setdefault(frozenset(of_day[weekday]), []).append(weekday)
    return "; ".join(
        f"{_days(weekdays)} " + ("all day" if len(same) == 24 else joined(
            [f"from {first:02d}:00 to {last + 1:02d}:00" for first, last in _runs(same)]))
        for same, weekdays in alike.items())


def growth_sentence(frame: pd.DataFrame, days: int) -> str:
    """Say when the queue grows, and by how much a week it does then."""
    growing = frame[frame.grows]
    if growing.empty:
        return "In no hour of the week does the queue grow by more than chance would."
    when = hours_words(zip(growing.weekday, growing.hour, strict=True)) if "hour" in frame else _days(growing.weekday)
    more = float((growing.arrived - growing.reported).sum()) * 7 / days
    return f"The queue grows {'on ' if 'hour' not in frame else ''}{when}: by {format_quantity(more, EXAMS)} a week."


def days_words(days: float) -> str:
    """Write a number of days, or that the level is not reached: ``0 days``, ``3.5 days``, ``not reached``."""
    if math.isnan(days):
        return NOT_REACHED
    if days == 0:
        return "0 days"
    number = format_quantity(round(days, 1) if days < 100 else round(days), EXAMS)
    return f"{number} day{'' if number == '1' else 's'}"


def clearance_sentence(row: Any, days: int, last: date) -> str:
    """Say what waits, how fast it changes, when it is read, and whether chance alone makes such a change.

    Parameters
    ----------
    row : a row of `backlog.clearance`.
    days, last : length and last day of the window that the rates are of.
    """
    rates = (f"{format_quantity(int(row.unread), EXAMS)} exams wait. In the {days} days to {last} "
             f"{_rate(row.arrived_per_day)} a day became ready and {_rate(row.reported_per_day)} were reported")
    chance = DIFFERS * math.sqrt((row.arrived_per_day + row.reported_per_day) / days)
    doubt = "" if abs(row.net_per_day) > chance else (
        f" This is little: chance alone makes a difference of up to {_rate(chance)} a day.")
    return f"{rates}, so {_outlook(row)}.{doubt}"


def _outlook(row: Any) -> str:
    usual = f"its usual level ({format_quantity(row.usual, EXAMS)})"
    if row.net_per_day <= 0:
        there = "it is within" if row.unread <= row.usual else "it does not come down to"
        return f"reading does not exceed arrivals and the queue does not clear; {there} {usual}"
    reached = "it is within" if row.days_to_usual == 0 else f"in {days_words(row.days_to_usual)} it is at"
    if math.isnan(row.days_to_usual):
        reached = "it is not within two years at"
    empty = "not empty within two years" if math.isnan(row.days_to_zero) else f"empty in {days_words(row.days_to_zero)}"
    return f"it falls by {_rate(row.net_per_day)} a day: {reached} {usual}, and {empty}"


def _rate(value: float) -> str:
    return format_quantity(round(float(value), 1), EXAMS)
