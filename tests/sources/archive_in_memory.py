"""An archive in memory that answers a crawl as servers do: capped, paged or not, taking notice of some keys only."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date

from analytics.sources.crawl import Answer, Found, Query

TODAY = date(2026, 11, 25)


def study(number: int, day: date | None, minute: int | None = 600, modality: str = "CT", patient: str = "p") -> Found:
    return Found((f"1.2.{number}", patient), day, minute, frozenset({modality} if modality else ()))


@dataclass
class Archive:
    """Studies, and how the server that holds them behaves.

    Attributes
    ----------
    cap : records it answers at most, without saying so; 0 for no cap.
    said : whether it says that there is more.
    cuts_first : whether it cuts its answer before it looks for the offset in it, as Orthanc does.
    ignores : what it takes no notice of: ``offset``, ``limit``, ``time``, ``modality``, ``date``.
    asked : every question so far.
    """

    held: list[Found]
    cap: int = 0
    said: bool = False
    cuts_first: bool = False
    ignores: frozenset[str] = frozenset()
    times: int = 1
    asked: list[Query] = field(default_factory=list)

    def answer(self, query: Query) -> Answer:
        self.asked.append(query)
        found = [one for one in self.held for _ in range(self.times) if self.matches(one, query)]
        if self.cap and self.cuts_first:
            found = found[:self.cap]
        if "offset" not in self.ignores:
            found = found[query.offset:]
        caps = [self.cap] if self.cap else []
        if query.limit and "limit" not in self.ignores:
            caps.append(query.limit)
        given = found[:min(caps)] if caps else found
        return Answer(given, self.said and len(given) < len(found))

    def matches(self, one: Found, query: Query) -> bool:
        if query.study_instance_uid and one.key[0] != query.study_instance_uid:
            return False
        if query.date_range and "date" not in self.ignores and not query.holds(one.study_date):
            return False
        if query.time_range and "time" not in self.ignores and (
                one.minute is None or not query.minutes[0] <= one.minute <= query.minutes[1]):
            return False
        return not (query.modality and "modality" not in self.ignores) or query.modality in one.modalities

    def without(self, number: int) -> Archive:
        return replace(self, held=[one for one in self.held if one.key[0] != f"1.2.{number}"])
