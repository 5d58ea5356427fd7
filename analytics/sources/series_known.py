"""Which studies need not be asked for their series again, for sources to which that is a question a study."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from analytics.sources.base import Known, KnownStudy
from analytics.sources.crawl import Leaf
from analytics.sources.query_rows import Row, carried

_ASK_AGAIN = "ask again for series: "
_READ_AS = "series read as"
_FROM = " from "


@dataclass(frozen=True)
class TakenOver:
    """What is taken over of a range of study dates.

    Attributes
    ----------
    held : UIDs of the studies that the warehouse has.
    said : UID of each study whose series stay as they are, with what these say of it.
    """

    held: frozenset[str]
    said: dict[str, Row]


class SeriesKnown:
    """What earlier loads know of series.

    Parameters
    ----------
    known : Known
    read_as : str
        What decides about the rows of series, besides the archive.
    with_series : bool
        Whether series are asked for at all: what is known of them stays where they are not.
    since : date, optional
        First study date that the load asks for.
    """

    def __init__(self, known: Known, read_as: str, *, with_series: bool, since: date | None) -> None:
        self._known, self._with_series = known, with_series
        self._read_as, self._since = read_as, since or date.min
        self._again = {uid for name, uids in known.marks.items() if name.startswith(_ASK_AGAIN) for uid in uids.split()}
        read_as_before, _, first = known.marks.get(_READ_AS, "").rpartition(_FROM)
        self._read_from = date.fromisoformat(first) if first and read_as_before == read_as else None
        self._parts = set(known.finished)

    def taken_over(self, leaf: Leaf, rows: Iterable[Row]) -> TakenOver:
        """Find the studies of a range whose series stay as they are.

        Studies of one UID under several patients have their series in common: they stay where none has changed.
        """
        held = self._known.studies(leaf.first, leaf.last)
        said: dict[str, Row] = {}
        changed: set[str] = set()
        for row in rows:
            uid = row["study_instance_uid"]
            before = held.get(uid)
            if self._with_series and not (before and self._is_as_before(row, before)):
                changed.add(uid)
            else:
                said[uid] = carried(before) if before else {}
        return TakenOver(frozenset(held), {uid: row for uid, row in said.items() if uid not in changed})

    def _is_as_before(self, row: Row, before: KnownStudy) -> bool:
        """Whether a study has the numbers that it had; not where the archive does not say them."""
        numbers = row["number_of_series"], row["number_of_instances"]
        was_read = self._read_from is not None and (row["study_date"] or date.max) >= self._read_from
        return was_read and row["study_instance_uid"] not in self._again and None not in numbers and numbers == (
            before.number_of_series, before.number_of_instances)

    def part_marks(self, part: str, fewer: Iterable[str]) -> dict[str, str]:
        """Return what to remember with a part: the studies of which not every series could be had."""
        self._parts.add(part)
        return {_ASK_AGAIN + part: " ".join(sorted(fewer))}

    def end_marks(self) -> dict[str, str]:
        """Return what to remember with the end of a load: from which study date on series were read, and how."""
        marks = {}
        if self._since == date.min:  # every part was asked for: what others remember is of other days
            marks = {name: "" for name in self._known.marks
                     if name.startswith(_ASK_AGAIN) and name.removeprefix(_ASK_AGAIN) not in self._parts}
        first = min(self._since, self._read_from or date.max)
        return marks | {_READ_AS: f"{self._read_as}{_FROM}{first}" if self._with_series else ""}
