"""What drove a change, said in one sentence whose figures sum to the change it opens with."""

from __future__ import annotations

from collections.abc import Sequence

from analytics.metrics.decomposition import Branch, in_steps

_SHOWN = (3, 2, 2)
"""How many sites, of each how many modalities, of each how many devices are named; the others are one figure."""
_MISSING = ("no site stated", "no modality stated", "without device")
_BYTE_UNITS = ((10**18, "EB"), (10**15, "PB"), (10**12, "TB"), (10**9, "GB"), (10**6, "MB"), (10**3, "kB"))


def drivers_sentence(whole: Branch) -> str:
    """Say a change of studies by site, modality and device.

    Returns
    -------
    str
        ``+412 studies: Northgate +300 (CT +280: NGHCT2 is new, +290; NGHCT1 -10), Southtown +112 (MR +112)``.
    """
    noun = "study" if abs(whole.change) == 1 else "studies"
    head = f"{whole.change:+,} {noun}" if whole.change else "As many studies as before"
    inside = ", ".join(_said(part) for part in _named(whole))
    return f"{head}: {inside}." if inside else f"{head}."


def _said(branch: Branch) -> str:
    level = len(branch.path) - 1
    name = branch.path[level] or _MISSING[min(level, 2)]
    state = f" is {branch.state}," if branch.state else ""
    inside = [_said(part) for part in _named(branch)]
    if not inside or all(part.path[-1] is None and not part.parts for part in branch.parts):
        return f"{name}{state} {branch.change:+,}"
    within = "; ".join(inside) if level else ", ".join(inside)
    return f"{name} {branch.change:+,}: {within}" if level else f"{name} {branch.change:+,} ({within})"


def _named(branch: Branch) -> list[Branch]:
    """Return the parts to name: the largest, and one that stands for the others."""
    moved = [part for part in branch.parts if part.change or part.state]
    shown = _SHOWN[min(len(branch.path), 2)]
    if len(moved) <= shown + 1:
        return moved
    rest = moved[shown:]
    return [*moved[:shown], Branch((*branch.path, f"{len(rest)} others"), sum(part.change for part in rest))]


def days_sentence(days_effect: int, rate_effect: int, working_this: int, working_before: int) -> str:
    """Say how much of a change of studies the calendar made, and how much the studies a day."""
    change = days_effect + rate_effect
    noun = "study" if abs(change) == 1 else "studies"
    days = f"{working_this:,} working days against {working_before:,}"
    if not days_effect and working_this == working_before:
        return f"{change:+,} {noun}, none of it from the calendar: {days}."
    return f"{change:+,} {noun}: {days_effect:+,} from the calendar ({days}), {rate_effect:+,} from the studies a day."


def growth_sentence(effects: Sequence[tuple[str, int]], change: int) -> str:
    """Say a change of bytes by its effects, in one unit, so that the figures as printed sum.

    Parameters
    ----------
    effects : sequence of (words, bytes)
    change : int
        Their sum.
    """
    largest = max(abs(value) for value in (change, *(value for _, value in effects)))
    size, unit = next(((size, unit) for size, unit in _BYTE_UNITS if largest >= size), (1, "B"))
    *parts, whole = in_steps([value for _, value in effects], change, max(size // 10, 1))
    written = [f"{value / 10:+,.1f} {unit}" if size > 1 else f"{value:+,} {unit}" for value in (*parts, whole)]
    said = ", ".join(f"{words} {text}" for (words, _), text in zip(effects, written, strict=False))
    return f"{written[-1]} added: {said}."
