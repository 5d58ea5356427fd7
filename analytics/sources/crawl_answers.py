"""What a server answers to a crawl, and what its answers tell about where it cuts them short."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from enum import Enum
from typing import Any

from analytics.core.errors import PacsmeterError
from analytics.sources.base import BeginAnew
from analytics.sources.crawl_ranges import Query

SMALLEST_CAP = 10
"""No server is taken to cut its answers shorter than this, unless it says so."""
UNPROVEN = "ranges could not be made narrow enough to prove that the server's answer was not cut short"
_SPARE_REQUESTS, _REQUESTS_A_STUDY = 2_000, 20

Key = tuple[str, str]


@dataclass(frozen=True)
class Found:
    """One record of an answer.

    Attributes
    ----------
    key : what makes two records the same study: its UID (empty where the record has none) and its patient's pseudonym.
    study_date : where it is a plain DA (``YYYYMMDD``), which a range can match; nothing otherwise.
    minute : of the day, of StudyTime; nothing where there is none.
    modalities : ModalitiesInStudy.
    record : the record as the source makes rows of it.
    """

    key: Key
    study_date: date | None
    minute: int | None = None
    modalities: frozenset[str] = frozenset()
    record: Any = None


@dataclass(frozen=True)
class Answer:
    """What a server answered to a `Query`; ``incomplete`` where it says, or the source knows, that there is more."""

    found: list[Found]
    incomplete: bool = False

    @property
    def keys(self) -> set[Key]:
        """What was found, each once."""
        return {one.key for one in self.found}


class Whole(Enum):
    """Whether an answer holds everything that was asked for."""

    YES = "yes"
    PERHAPS = "perhaps"
    NO = "no"


def by_key(found: Iterable[Found]) -> dict[Key, Found]:
    """Keep the last record of each study."""
    return {one.key: one for one in found}


@dataclass
class Asking:
    """Asks a server, and learns from its answers.

    Parameters
    ----------
    ask : callable
        Asks one `Query`.
    limit, most : int
        Records to ask for at once, at first and at most: a server that gives ``limit`` is asked for more. 0 and 0 ask
        for no limit.
    pages : bool
        Whether an offset can be said; that a server takes no notice of it is found out.

    Attributes
    ----------
    largest : records of the largest answer so far: a shorter one cannot have been cut.
    cap : that number, once it is known that the server answers no more.
    deepest : records of the most that offsets led to, and that narrower ranges proved to be all.
    progressed : studies that were found so far; what may be asked is bounded by them.
    """

    ask: Callable[[Query], Answer]
    limit: int
    most: int
    pages: bool
    notes: Counter[str] = field(default_factory=Counter)
    largest: int = 0
    cap: int = 0
    deepest: int = 0
    requests: int = 0
    progressed: int = 0
    _takes_no_limit: bool = False
    _unproven: dict[int, str] = field(default_factory=dict)

    def asked(self, query: Query) -> Answer:
        """Ask once; ask for more at once where the server gives as many as were asked for.

        Raises
        ------
        PacsmeterError
            The server was asked out of all proportion to what was found.
        """
        answer = self._request(replace(query, limit=self.limit))
        if self.limit and len(answer.found) == self.limit < self.most and not query.offset:
            more = min(10 * self.limit, self.most)
            again = self._request(replace(query, limit=more))
            if len(again.found) > self.limit:
                self.limit, answer = more, again
            else:
                self.most = self.limit
        return answer

    def _request(self, query: Query) -> Answer:
        self.requests += 1
        if self.requests > _SPARE_REQUESTS + _REQUESTS_A_STUDY * self.progressed:
            raise PacsmeterError(f"The server was asked {self.requests:,} times, and {self.progressed:,} studies were "
                                 "found", "Its answers lead nowhere: ask its vendor how it caps them.", str(query))
        answer = self.ask(query)
        number = len(answer.found)
        self._takes_no_limit |= bool(query.limit) and number > query.limit
        if number > self.largest:
            self.largest, self.cap = number, 0
        return answer

    def whole(self, answer: Answer) -> Whole:
        """Say whether an answer can have been cut."""
        number = len(answer.found)
        if answer.incomplete or (number and number == self.cap) or (
                number and number == self.limit and not self._takes_no_limit):
            return Whole.NO
        return Whole.PERHAPS if number >= max(self.largest, SMALLEST_CAP) else Whole.YES

    def prove_cap(self, number: int) -> None:
        """Remember how many studies the server answers at most.

        Raises
        ------
        BeginAnew
            An answer of as many was taken for whole before.
        """
        if number == self.largest:
            self.cap = number
            if number in self._unproven:
                full = too_full(self._unproven[number], number)
                raise BeginAnew(full.what, full.remedy, full.record)

    def accept_unproven(self, query: Query, number: int) -> None:
        """Take an answer for whole that nothing speaks against, until the server is seen to cap at that number."""
        self._unproven.setdefault(number, str(query))
        self.notes[UNPROVEN] += 1


def looks_like_cap(number: int) -> bool:
    """Say whether a server may be set to answer as many at most; Orthanc answers one more than it is set to."""
    return number >= SMALLEST_CAP and any(
        one % 50 == 0 or (one < 100 and one % 10 == 0) or one & (one - 1) == 0 for one in (number - 1, number))


def too_full(query: object, number: int) -> PacsmeterError:
    """Say that a range holds more than the server will ever answer."""
    return PacsmeterError(f"The server answers {number:,} studies at most, and this range may hold more", "Have its "
                          "limit raised, or have it take notice of an offset: studies would be missing.", str(query))
