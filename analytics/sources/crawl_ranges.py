"""What a crawl asks an archive for: ranges of study dates that can be made narrower, and which of them are finished."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(9999, 12, 31)
"""Study dates outside these are asked for as undated ones: databases of archives do not know earlier days."""

WHOLE_DAY = (0, 24 * 60 - 1)
_NARROWER = {24 * 60: 6 * 60, 6 * 60: 60, 60: 10, 10: 1}
_NAMED = re.compile(r"studies (\d{4}-\d{2}-\d{2})\.\.(\d{4}-\d{2}-\d{2})")


@dataclass(frozen=True)
class Query:
    """One question to an archive, at study level. Everything, where nothing is said.

    Attributes
    ----------
    first, last : range of StudyDate (0008,0020), both ends inclusive.
    minutes : range of StudyTime (0008,0030) in minutes of the day, both ends inclusive; see `time_range`.
    modality : one that the study holds (ModalitiesInStudy (0008,0061)).
    study_instance_uid : one study.
    offset : how many records to leave out, for protocols that page.
    limit : how many records to answer at most. Stop reading there, and say that the answer is incomplete.
    """

    first: date | None = None
    last: date | None = None
    minutes: tuple[int, int] = WHOLE_DAY
    modality: str = ""
    study_instance_uid: str = ""
    offset: int = 0
    limit: int = 0

    @property
    def date_range(self) -> str:
        """The StudyDate to match: ``20260101-20260131``, or one day; empty for any."""
        if self.first is None or self.last is None:
            return ""
        first, last = (day.isoformat().replace("-", "") for day in (self.first, self.last))
        return first if first == last else f"{first}-{last}"

    @property
    def time_range(self) -> str:
        """The StudyTime to match: ``06-115959.999999``; empty for any.

        The shortest way to write the first moment and the longest for the last one: archives that compare times as
        text then miss neither ``12`` nor ``115959.5``.
        """
        if self.minutes == WHOLE_DAY:
            return ""
        first, last = self.minutes
        start = f"{first // 60:02}{first % 60:02}" if first % 60 else f"{first // 60:02}"
        return f"{start}-{last // 60:02}{last % 60:02}59.999999"

    @property
    def is_one_day(self) -> bool:
        """Whether the calendar cannot make it narrower."""
        return self.first == self.last

    def holds(self, day: date | None) -> bool:
        """Whether a study date lies in the range."""
        return day is not None and self.first is not None and self.last is not None and self.first <= day <= self.last

    def by_calendar(self) -> Iterator[Query]:
        """Split a range of dates at the calendar: by centuries, decades, years, months, days."""
        assert self.first is not None and self.last is not None
        start = self.first
        while start <= self.last:
            end = min(_end(start, self.first, self.last), self.last)
            yield replace(self, first=start, last=end)
            if end == LAST_DAY:
                return
            start = end + timedelta(days=1)

    def by_time(self) -> Iterator[Query]:
        """Split a day by the time of day, down to a minute; nothing where it is one already."""
        first, last = self.minutes
        step = _NARROWER.get(last - first + 1, 0)
        for start in range(first, last + 1, step) if step else ():
            yield replace(self, minutes=(start, start + step - 1))

    def by_modality(self, modalities: Iterable[str]) -> Iterator[Query]:
        """Split by modality; studies without one, or with another one, are in none of them."""
        if not self.modality:
            for modality in sorted(modalities):
                yield replace(self, modality=modality)

    def __str__(self) -> str:
        if self.study_instance_uid:
            return "one study"
        if self.first is None:
            return "all studies"
        minutes = "" if self.minutes == WHOLE_DAY else f" at {self.time_range}"
        return f"studies {self.first}..{self.last}{minutes}{' ' if self.modality else ''}{self.modality}"


def _end(start: date, first: date, last: date) -> date:
    """Return the last day of the piece of a range that begins with a day."""
    years = last.year - first.year + 1
    if years > 1:
        step = 10 ** (len(str(years - 1)) - 1)
        return date(min(start.year // step * step + step - 1, LAST_DAY.year), 12, 31)
    if first.month == last.month:
        return start
    return date(start.year, 12, 31) if start.month == 12 else date(start.year, start.month + 1, 1) - timedelta(days=1)


class Finished:
    """The dates that a load asked for before it was cut off.

    Parameters
    ----------
    names : iterable of str
        Names of finished parts; those that are no settled range of dates say nothing.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        found = (_NAMED.fullmatch(name) for name in names)
        self._ranges: list[tuple[date, date]] = []
        for first, last in sorted((date.fromisoformat(one[1]), date.fromisoformat(one[2])) for one in found if one):
            if self._ranges and first <= self._ranges[-1][1] + timedelta(days=1):
                self._ranges[-1] = self._ranges[-1][0], max(last, self._ranges[-1][1])
            else:
                self._ranges.append((first, last))

    def holds(self, query: Query) -> bool:
        """Whether every day of a range was asked for."""
        return any(first <= (query.first or FIRST_DAY) and (query.last or LAST_DAY) <= last
                   for first, last in self._ranges)

    def touches(self, query: Query) -> bool:
        """Whether some day of a range was asked for."""
        return any(first <= (query.last or LAST_DAY) and (query.first or FIRST_DAY) <= last
                   for first, last in self._ranges)
