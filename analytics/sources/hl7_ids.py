"""The ids of a patient in an HL7 v2 message (CX): which the archive uses, and which replaces which in a merger."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from analytics.sources.hl7_text import Message, Segment


@dataclass(frozen=True)
class Identifier:
    """One repetition of a CX.

    Attributes
    ----------
    value : CX.1.
    authority : assigning authority, CX.4; its namespace, else its universal id.
    kind : identifier type code, CX.5 (table 0203), in capitals.
    """

    value: str = ""
    authority: str = ""
    kind: str = ""


def identifiers(message: Message, segment: Segment | None, number: int) -> list[Identifier]:
    """Return the ids of a field, without those that are empty."""
    def read(place: int) -> Identifier:
        authority = (message.value(segment, number, 4, place, part) for part in (1, 2))
        return Identifier(message.value(segment, number, 1, place), next(filter(None, authority), ""),
                          message.value(segment, number, 5, place).upper())

    return [one for place in range(1, message.repetitions(segment, number) + 1) if (one := read(place)).value]


def preferred(ids: Sequence[Identifier], kinds: Sequence[str]) -> Identifier:
    """Return the id of the type looked for first, else the first; an empty one where there is none.

    The assigning authority is not part of it: PatientID (0010,0020) has the id alone.
    """
    wanted = (one for kind in kinds for one in ids if one.kind == kind)
    return next(wanted, next(iter(ids), Identifier()))


def replaced(merged: Sequence[Identifier], surviving: Sequence[Identifier],
             kinds: Sequence[str]) -> Iterator[tuple[Identifier, Identifier]]:
    """Yield which id is replaced by which: of ids of two authorities each by the one of its own authority.

    Parameters
    ----------
    merged, surviving : sequence of Identifier
        MRG-1, and PID-3 of the PID before it.
    kinds : sequence of str
        Types of id that the archive uses.
    """
    first, kept = preferred(merged, kinds), preferred(surviving, kinds)
    others = [one for one in merged if one != first and one.kind == first.kind and one.authority]
    for one in (first, *others):
        of_its_own = (each for each in surviving if each.authority and each.authority == one.authority
                      and each.kind == one.kind == kept.kind)
        yield one, next(of_its_own, kept)
