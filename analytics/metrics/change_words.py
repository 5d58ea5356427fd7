"""What drove a change, said in one sentence whose figures sum to the change it opens with."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pandas as pd

from analytics.metrics.decomposition import Branch, in_steps

_SHOWN = (3, 2, 2)
"""How many sites, of each how many modalities, of each how many devices are named; the others are one figure."""
_OTHERS = ("sites", "modalities", "devices")
_MISSING = ("no site stated", "no modality stated", "without device")
_BYTE_UNITS = ((10**18, "EB"), (10**15, "PB"), (10**12, "TB"), (10**9, "GB"), (10**6, "MB"), (10**3, "kB"))


def drivers_sentence(whole: Branch) -> str:
    """Say a change of studies by site, modality and device.

    Devices are named for the largest change of each site, and wherever one is new or gone.

    Returns
    -------
    str
        ``+412 studies: Northgate +300 (CT +280 [NGHCT2 is new, +290; NGHCT1 -10], DX +20), Southtown +112 (MR +112).``
    """
    if not whole.parts:
        return "No study in either window."
    sites = [_site(site) for site in _named(whole)]
    head = f"{whole.change:+,} {_studies(whole.change)}" if whole.change else "As many studies as before"
    return f"{head}: {', '.join(sites)}." if sites else f"{head}."


def _site(site: Branch) -> str:
    modalities = [_modality(part, largest=place == 0) for place, part in enumerate(_named(site))]
    return _name(site) + (f" ({', '.join(modalities)})" if modalities else "")


def _modality(modality: Branch, *, largest: bool) -> str:
    devices = _named(modality)
    told = any(device.state for device in devices) or (largest and len(devices) > 1)
    return _name(modality) + (f" [{'; '.join(_name(device) for device in devices)}]" if told else "")


def _name(branch: Branch) -> str:
    name = branch.path[-1] or _MISSING[len(branch.path) - 1]
    return f"{name} is {branch.state}, {_signed(branch.change)}" if branch.state else f"{name} {_signed(branch.change)}"


def _named(branch: Branch) -> list[Branch]:
    """Return the parts to name: the largest, what holds a new or gone device, and one that stands for the others."""
    level = len(branch.path)
    moved = [part for part in branch.parts if part.change or _has_state(part)]
    if len(moved) <= _SHOWN[level] + 1:
        return moved
    named = [part for place, part in enumerate(moved) if place < _SHOWN[level] or _has_state(part)]
    rest = [part for part in moved if part not in named]
    others = Branch((*branch.path, f"{len(rest)} other {_OTHERS[level]}"), sum(part.change for part in rest))
    return [*named, others] if rest else named


def _has_state(branch: Branch) -> bool:
    return bool(branch.state) or any(_has_state(part) for part in branch.parts)


def _signed(number: float, digits: int = 0) -> str:
    """Write a change; nothing has no sign, since what rounds to nothing can be more or less."""
    return f"{number:+,.{digits}f}" if number else f"{number:.{digits}f}"


def _studies(number: int) -> str:
    return "study" if abs(number) == 1 else "studies"


def days_sentence(days_effect: int, rate_effect: int, working_this: int, working_before: int) -> str:
    """Say how much of a change of studies the calendar made, and how much the studies a day."""
    change = days_effect + rate_effect
    noun, days = _studies(change), f"{working_this:,} working days against {working_before:,}"
    if not days_effect and working_this == working_before:
        return f"{_signed(change)} {noun}, none of it from the calendar: {days}."
    return (f"{_signed(change)} {noun}: {_signed(days_effect)} from the calendar ({days}), {_signed(rate_effect)} from "
            "the studies a day.")


def growth_sentence(effects: Sequence[tuple[str, int]], change: int) -> str:
    """Say a change of bytes by its effects, in one unit, so that the figures as printed sum.

    Parameters
    ----------
    effects : sequence of (words, bytes)
    change : int
        Their sum.
    """
    *written, whole = bytes_that_sum([value for _, value in effects], change)
    said = ", ".join(f"{words} {text}" for (words, _), text in zip(effects, written, strict=True))
    return f"Bytes added changed by {whole}: {said}."


def bytes_that_sum(values: Sequence[int], total: int) -> list[str]:
    """Write changes of bytes with their sign in one unit, so that they sum as printed; their total stands last."""
    largest = max(abs(value) for value in (total, *values))
    size, unit = next(((size, unit) for size, unit in _BYTE_UNITS if largest >= size), (1, "B"))
    if size == 1:
        return [f"{_signed(value)} {unit}" for value in (*values, total)]
    return [f"{_signed(tenths / 10, 1)} {unit}" for tenths in in_steps(values, total, size // 10)]


def year_sentence(months: pd.DataFrame) -> str:
    """Say the latest of the months that are compared with the same one a year before.

    Returns
    -------
    str
        ``Oct 2026: 1,260 studies, +5.0 % against Oct 2025 (1,200); per working day +0.2 % (22 working days, then 21).``
    """
    row = months.iloc[-1]
    before = row.period - pd.DateOffset(years=1)
    return (f"{row.period:%b %Y}: {row.studies:,} {_studies(row.studies)}, {_percent(row.change)} against "
            f"{before:%b %Y} ({row.before:,}); per working day {_percent(row.adjusted)} ({row.working_days:,} working "
            f"days, then {row.working_days_before:,}).")


def months_sentence(months: int, studies: int, before: int, adjusted: float) -> tuple[str, ...]:
    """Say the latest months together, where there is more than one."""
    if months < 2 or not before:
        return ()
    return (f"The latest {months} months compared: {studies:,} studies, {_percent(100 * (studies / before - 1))} "
            f"against a year before ({before:,}); per working day {_percent(adjusted)}.",)


def _percent(change: float) -> str:
    return "no percentage" if math.isnan(change) else f"{change:+.1f} %"


def series_name(group: Mapping[str, str | None]) -> str:
    """Name a series of studies: ``All studies``, ``CT``, ``CT at Southmoor``, ``NGHCT2``."""
    if "station_name" in group:
        return group["station_name"] or f"Without device at {group.get('site') or 'no site stated'}"
    site = group["site"] or "no site stated" if "site" in group else ""
    if "modality" in group:
        return (group["modality"] or "No modality stated") + (f" at {site}" if site else "")
    return site[:1].upper() + site[1:] or "All studies"


def change_sentence(name: str, change: Mapping[str, Any]) -> str:
    """Say one change of a series of studies a working day.

    Parameters
    ----------
    name : str
    change : mapping
        ``kind``, ``period``, ``earliest``, ``latest``, ``level_before``, ``level_after``, ``slope`` (a month), ``p``.

    Returns
    -------
    str
        ``CT at Southmoor: from 42 to 55 studies a working day (+31 %) since the week of 3 Mar 2025 (between 17 Feb 2025
        and 17 Mar 2025; p 0.002).``
    """
    before, after = change["level_before"], change["level_after"]
    since = f"since the week of {_day(change['period'])}"
    sure = (f" (between {_day(change['earliest'])} and {_day(change['latest'])}; p {_p(change['p'])})."
            if change["earliest"] < change["latest"] else f" (p {_p(change['p'])}).")
    percent = f" ({100 * (after / before - 1):+.0f} %)" if before > 0 else ""
    levels = f"from {_rate(before, after)} to {_rate(after, before)} studies a working day{percent}"
    if change["kind"] == "step":
        return f"{name}: {levels} {since}{sure}"
    slope = change["slope"]
    verb = "growing" if slope > 0 else "shrinking"
    return f"{name}: {verb} {since}, by {_rate(abs(slope), abs(slope))} a month, {levels}{sure}"


def first_sentence(name: str, week: pd.Timestamp) -> str:
    """Say that a series begins, which is no change of anything that was."""
    return f"{name}: begins in the week of {_day(week)}, as something new does, or where the index begins."


def looked_at_sentences(series: int, changed: int, steady: Sequence[str], small: int) -> tuple[str, ...]:
    """Say how many series were looked at, which changed steadily, and how many were too small or too short."""
    said = [f"{_count(series, 'series', 'series')} looked at, {changed:,} with a change."] if series else []
    if steady:
        said.append(f"Changed, but no week stands out, as a straight line fits as well: {', '.join(steady)}.")
    if small:
        said.append(f"Not looked at, having too few studies or weeks: {_count(small, 'series', 'series')}.")
    return tuple(said)


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"


def _rate(value: float, beside: float) -> str:
    """Write a number a day so that it can be told from the one beside it."""
    return f"{value:,.0f}" if min(value, beside) >= 20 else f"{value:.1f}"


def _p(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"{p:.3f}"
