"""Finding every study of an archive that says neither how many it holds nor when its answers are cut short.

Servers cap their answers without a word, and some take no notice of an offset. So the crawl asks by ranges of study
dates, makes a range narrower when its answer may have been cut, and counts a range as covered only when

- its answer is shorter than another answer that this server gave, or the ranges it was split into hold no more; and
- it holds every study that a wider question gave for that range.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

from analytics.core.errors import PacsmeterError
from analytics.sources.crawl_answers import Answer, Asking, Found, Key, Whole, by_key, looks_like_cap
from analytics.sources.crawl_day import whole_day
from analytics.sources.crawl_ranges import FIRST_DAY, LAST_DAY, Finished, Query

__all__ = ["RECENT", "UNDATED", "UNDATED_NOT_ASKED", "Answer", "Crawl", "Found", "Leaf", "Query"]

RECENT = "studies from yesterday on"
"""Name of the part that a load never counts as finished: what it covers is another day tomorrow."""
UNDATED = "studies without a date"
UNDATED_NOT_ASKED = ("server gives no way to prove that every study without a study date was found: such studies may "
                     "be missing")
REPEATED = "records came more than once in one answer of the server"
_TIMES_ASKED = 3
_CONFIRMED_AT_MOST = 5


@dataclass(frozen=True)
class Leaf:
    """A range that is proven to be whole, with every study in it, each once.

    Attributes
    ----------
    name : of the part, the same when it is asked for again.
    records : how many records the server gave for it, repeated ones too.
    """

    name: str
    first: date | None
    last: date | None
    found: list[Found]
    records: int


class Crawl:
    """A walk through an archive.

    Parameters
    ----------
    ask : callable
        Asks the server one `Query` and returns its `Answer`. It stops reading at the query's limit, and says that the
        answer is incomplete where it stopped, or where the server says so. It raises `PacsmeterError` where there is
        no answer.
    limit : int
        Records to ask for at once, at first; 0 asks for no limit.
    most : int
        Records to ask for at once, at most: a server that gives ``limit`` is asked for more.
    pages : bool
        Whether the protocol knows an offset; that a server takes no notice of it is found out.

    Attributes
    ----------
    notes : what a reader of the load should know, and how often it happened.
    """

    def __init__(self, ask: Callable[[Query], Answer], *, limit: int = 100, most: int = 1_000,
                 pages: bool = True) -> None:
        self._asking = Asking(ask, limit, max(limit, most), pages)
        self._dated = 0

    @property
    def notes(self) -> Counter[str]:
        """What a reader of the load should know, and how often it happened."""
        return self._asking.notes

    def leaves(self, today: date, finished: Iterable[str] = (), since: date | None = None) -> Iterator[Leaf]:
        """Yield every range of the archive that was not finished before; the days from yesterday on come last.

        Parameters
        ----------
        today : date
            On the site's clock.
        finished : iterable of str
            Names of leaves that need not be asked for again.
        since : date, optional
            First study date to ask for.

        Raises
        ------
        PacsmeterError
            The answers contradict each other, or a range cannot be made narrow enough; it names the range.
        """
        done, start = frozenset(finished), max(since or FIRST_DAY, FIRST_DAY)
        recent = max(today - timedelta(days=1), start)
        everything = self._asking.asked(Query()).found
        undatable: set[Key] = set()
        if start < recent:
            for leaf in self._walk(Query(start, recent - timedelta(days=1)), everything, Finished(done)):
                undatable |= {one.key for one in leaf.found if one.study_date is None}
                yield leaf
        last = list(self._walk(Query(recent, LAST_DAY), everything, Finished()))
        found = by_key(one for leaf in last for one in leaf.found)
        if UNDATED not in done:
            undatable |= {key for key, one in found.items() if one.study_date is None}
            yield self._undated(undatable, start, whole_run=not done)
        yield Leaf(RECENT, recent, LAST_DAY, list(found.values()), sum(leaf.records for leaf in last))

    def _walk(self, query: Query, wider: Iterable[Found], finished: Finished) -> Iterator[Leaf]:
        """Yield the leaves of a range; ``wider`` is what wider questions gave."""
        if finished.holds(query):
            return
        promised = by_key(one for one in wider if query.holds(one.study_date))
        if finished.touches(query):
            answer = None
        else:
            answer = self._agreed(query, promised)
            whole = self._asking.whole(answer)
            if whole is Whole.YES or query.is_one_day:
                found = answer.found if whole is Whole.YES else self._day(query, answer, whole, promised)
                yield self._leaf(query, found, len(answer.found))
                return
            promised |= by_key(answer.found)
        for part in query.by_calendar():
            for leaf in self._walk(part, promised.values(), finished):
                if answer is not None and any(one.key not in promised for one in leaf.found):
                    self._asking.prove_cap(len(answer.found))
                    answer = None
                yield leaf

    def _leaf(self, query: Query, found: list[Found], answered: int) -> Leaf:
        unique = list(by_key(found).values())
        if answered > len(unique):
            self.notes[REPEATED] += answered - len(unique)
        self._asking.progressed += len(unique)
        self._dated += sum(one.study_date is not None for one in unique)
        return Leaf(str(query), query.first, query.last, unique, max(answered, len(unique)))

    def _agreed(self, query: Query, promised: dict[Key, Found]) -> Answer:
        """Ask for a range until the answer holds what wider questions gave for it."""
        for _ in range(_TIMES_ASKED):
            answer = self._asking.asked(query)
            _refuse_other_dates(query, answer)
            missing = promised.keys() - answer.keys
            if not missing or self._asking.whole(answer) is not Whole.YES:
                return answer
        if not self._still_there(query, missing, answer.keys):
            return answer
        if query.is_one_day:
            raise _contradiction(query)
        return replace(answer, incomplete=True)

    def _still_there(self, query: Query, missing: Iterable[Key], given: set[Key]) -> bool:
        """Whether the archive, asked for some studies by UID, has one that it does not give for its date."""
        for uid in sorted({uid for uid, _ in missing if uid})[:_CONFIRMED_AT_MOST]:
            now = self._asking.asked(Query(study_instance_uid=uid)).found
            if any(one.key[0] == uid and one.key not in given and query.holds(one.study_date) for one in now):
                return True
        return False

    def _day(self, query: Query, answer: Answer, whole: Whole, promised: dict[Key, Found]) -> list[Found]:
        """Return every study of a day that one answer may not hold."""
        for _ in range(_TIMES_ASKED):
            found = whole_day(self._asking, query, answer, cut=whole is Whole.NO)
            keys = {one.key for one in found}
            missing = promised.keys() - keys
            if not missing or not self._still_there(query, missing, keys):
                return found
            answer = self._asking.asked(query)
        raise _contradiction(query)

    def _undated(self, known: set[Key], start: date, *, whole_run: bool) -> Leaf:
        """Find the studies that no range of dates matches, by paging through everything.

        That they are all is proven only where everything holds as many dated studies as the ranges gave, and does not
        end where servers are set to end.
        """
        held: dict[Key, Found] = {}
        before: set[Key] = set()
        taken, dated, asking = 0, 0, self._asking
        while True:
            page = asking.asked(Query(offset=taken))
            if repeated := bool(taken and page.found and page.keys <= before):
                break
            held |= by_key(one for one in page.found if one.study_date is None or one.study_date < FIRST_DAY)
            asking.progressed += len(page.keys) if taken else 0
            dated += sum(one.study_date is not None and one.study_date >= start for one in by_key(page.found).values())
            taken, before = taken + len(page.found), page.keys
            if not page.found or not asking.pages or asking.whole(page) is Whole.YES:
                break
        is_one_answer = taken == len(page.found)
        ended = asking.whole(page) is Whole.YES or (is_one_answer and asking.whole(page) is Whole.PERHAPS)
        if not (is_one_answer and asking.whole(page) is Whole.YES) and not (
                ended and (is_one_answer or not repeated) and whole_run and dated >= self._dated
                and not looks_like_cap(taken)):
            self.notes[UNDATED_NOT_ASKED] += 1
        found = [one for key, one in held.items() if key not in known]
        return Leaf(UNDATED, None, None, found, len(found))


def _refuse_other_dates(query: Query, answer: Answer) -> None:
    dated = [one for one in answer.found if one.study_date is not None]
    if sum(not query.holds(one.study_date) for one in dated) * 2 > len(dated):
        raise PacsmeterError("The server does not select studies by their study date",
                             "Ask its vendor for range matching on StudyDate (0008,0020).", str(query))


def _contradiction(query: Query) -> PacsmeterError:
    return PacsmeterError(f"The server has studies that it does not give for their date, asked {_TIMES_ASKED} times",
                          "Have its index checked, and load again.", str(query))
