"""Splitting a difference exactly into what drove it: numbers in, effects out, and the effects sum to the difference.

Where a number is a product of factors (bytes = studies x images a study x bytes an image), each factor's effect is its
Shapley value: what changing it alone adds, averaged over every order in which the factors can change. Everything is
computed in fractions, so that a sum is exact; whole numbers are made at the end, and what rounding leaves over goes
into the largest effect.

Sources: Shapley, A value for n-person games (1953); Sun, Changes in energy consumption and energy intensity: a complete
decomposition model, Energy Economics 20 (1998). Why not LMDI: docs/adr/0011-decomposition.md.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import permutations
from math import prod
from typing import NamedTuple, TypeVar

Key = TypeVar("Key", bound=Hashable)
Number = int | Fraction


def shapley(before: Sequence[Number], after: Sequence[Number]) -> list[Fraction]:
    """Return each factor's effect on a product; the effects sum to the product after less the product before.

    Parameters
    ----------
    before, after : sequences of the same length
        The factors' values in the two periods.
    """
    effects = [Fraction(0)] * len(before)
    orders = list(permutations(range(len(before))))
    for order in orders:
        values = list(before)
        for place in order:
            held = prod(values)
            values[place] = after[place]
            effects[place] += Fraction(prod(values)) - held
    return [effect / len(orders) for effect in effects]


def whole_parts(parts: Sequence[Number], total: int) -> list[int]:
    """Round parts to whole numbers that sum to the whole total; the remainder goes into the largest part.

    Parameters
    ----------
    parts : sequence of numbers
        Their exact sum is the total, up to what rounding takes: a part of 0 stays 0 unless all are.
    total : int
    """
    rounded = [round(part) for part in parts]
    if rounded:
        largest = max(range(len(parts)), key=lambda place: abs(Fraction(parts[place])))
        rounded[largest] += total - sum(rounded)
    return rounded


class Stored(NamedTuple):
    """What one modality added in a period."""

    studies: int = 0
    images: int = 0
    size_bytes: int = 0


class Growth(NamedTuple):
    """Effects on a modality's bytes, whole numbers; their sum is the difference.

    Attributes
    ----------
    studies : more studies in all, at the shares that the modalities had; everything of a new or gone modality.
    mix : the modality's share of the studies changed.
    images : its studies have more images.
    image_size : its images are bigger.
    """

    studies: int
    mix: int
    images: int
    image_size: int


def growth(before: Mapping[Key, Stored], after: Mapping[Key, Stored]) -> dict[Key, Growth]:
    """Split the change of each modality's bytes into more studies, mix, images a study and bytes an image.

    Bytes = studies x images a study x bytes an image, split by Shapley value within each modality. The effect of a
    modality's studies is then split once more, its studies being all studies x its share of them: what the whole's
    growth brought, and what the share brought. A modality that only one period has is neither a share that moved nor a
    size that changed: all of it is studies, and shares are of the other modalities' studies.
    """
    keys = list(dict.fromkeys((*before, *after)))
    pairs = {key: (before.get(key, Stored()), after.get(key, Stored())) for key in keys}
    lasting = {key for key, (old, new) in pairs.items() if old.studies and new.studies}
    was, now = (sum(pairs[key][place].studies for key in lasting) for place in (0, 1))
    return {key: _lasting(old, new, was, now) if key in lasting else Growth(new.size_bytes - old.size_bytes, 0, 0, 0)
            for key, (old, new) in pairs.items()}


def _lasting(old: Stored, new: Stored, was: int, now: int) -> Growth:
    """Split one modality's change, whose studies are a share of ``was`` and of ``now`` studies in all."""
    studies, images, image_size = shapley(_factors(old), _factors(new))
    more, share = shapley((was, Fraction(old.studies, was)), (now, Fraction(new.studies, now)))
    moved = new.studies - old.studies
    # What one study more weighs. Studies that did not move can still hide growth that the share took back.
    weight = studies / moved if moved else _weight(old, new)
    return Growth(*whole_parts([more * weight, share * weight, images, image_size], new.size_bytes - old.size_bytes))


def _weight(old: Stored, new: Stored) -> Fraction:
    """Return the bytes of one study more: what its images and their size are on average over the orders."""
    return shapley((0, *_factors(old)[1:]), (1, *_factors(new)[1:]))[0]


def _factors(stored: Stored) -> tuple[int, Fraction, Fraction]:
    if stored.images <= 0:
        raise ValueError(f"{stored} has studies without images: their number of images is not known")
    return stored.studies, Fraction(stored.images, stored.studies), Fraction(stored.size_bytes, stored.images)


@dataclass(frozen=True)
class Days:
    """The days of one kind in a period and the studies on them."""

    days: int
    studies: int


def days_and_rate(before: Days, after: Days) -> tuple[int, int]:
    """Split a change of studies into more days and more studies a day; the two sum to it.

    A kind of day that only one period has is all days.
    """
    change = after.studies - before.studies
    if not before.days or not after.days:
        return change, 0
    days, rate = whole_parts(shapley((before.days, Fraction(before.studies, before.days)),
                                     (after.days, Fraction(after.studies, after.days))), change)
    return days, rate


def in_steps(values: Sequence[int], total: int, step: int) -> list[int]:
    """Round values and their total to steps, so that what is printed sums: the total stands last."""
    whole = round(Fraction(total, step))
    return [*whole_parts([Fraction(value, step) for value in values], whole), whole]


@dataclass(frozen=True)
class Branch:
    """One group of a difference and the groups within it, the largest change first.

    Attributes
    ----------
    path : the group's values from the outermost level to its own.
    change : whole number; the sum over ``parts`` where there are any.
    state : what else is to be said of it: ``new``, ``gone``, or nothing.
    """

    path: tuple[str | None, ...]
    change: int
    state: str = ""
    parts: tuple[Branch, ...] = ()


def nested(leaves: Mapping[tuple[str | None, ...], tuple[int, str]], path: tuple[str | None, ...] = ()) -> Branch:
    """Nest changes by the levels of their paths; each branch's change is the exact sum of its parts'.

    Parameters
    ----------
    leaves : mapping of path to change and state
        Paths are all of one length.
    """
    level = len(path)
    if path in leaves:
        return Branch(path, *leaves[path])
    groups: dict[str | None, dict[tuple[str | None, ...], tuple[int, str]]] = {}
    for leaf, said in leaves.items():
        groups.setdefault(leaf[level], {})[leaf] = said
    parts = [nested(inside, (*path, name)) for name, inside in groups.items()]
    parts.sort(key=lambda part: (-abs(part.change), part.path[-1] is None, part.path[-1] or ""))
    return Branch(path, sum(part.change for part in parts), "", tuple(parts))
