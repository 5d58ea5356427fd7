"""A day that may hold more studies than a server answers at once: page by page, by time of day, by modality."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from analytics.core.terms import MODALITIES
from analytics.sources.crawl_answers import Answer, Asking, Found, Key, Whole, by_key, looks_like_cap, too_full
from analytics.sources.crawl_ranges import WHOLE_DAY, Query

TIMELESS_NOT_ASKED = ("days may hold more studies than the server answers at once: studies of such a day without a "
                      "study time or modality could not be asked for")


def whole_day(asking: Asking, query: Query, answer: Answer, *, cut: bool) -> list[Found]:
    """Return every study of a day.

    Parameters
    ----------
    asking : Asking
    query : Query
        For one day.
    answer : Answer
        To it.
    cut : bool
        Whether the answer is known to have been cut: then what cannot be made narrower is an error.

    Raises
    ------
    PacsmeterError
        Neither pages nor a single minute and modality hold little enough.
    """
    pages = _paged(asking, query, answer) if asking.pages else None
    if pages is not None:
        if len(pages.found) < asking.deepest:
            return pages.found
        # Orthanc cuts its answer first, and looks for the offset in what is left: pages end there, studies do not.
        if len(_asked_narrower(asking, query, pages, cut=False)) == len(pages.keys):
            asking.deepest = len(pages.found)
            asking.notes[TIMELESS_NOT_ASKED] += looks_like_cap(len(pages.found))
            return pages.found
        asking.pages, cut = False, True
    held = _asked_narrower(asking, query, answer, cut=cut)
    if len(held) > len(answer.keys):
        asking.prove_cap(len(answer.found))
    asking.notes[TIMELESS_NOT_ASKED] += 1
    return list(held.values())


def _paged(asking: Asking, query: Query, answer: Answer) -> Answer | None:
    """Return all that offsets lead to; nothing where the server takes no notice of them, or its pages overlap.

    A page that repeats the first one shows that the offset is ignored; one that overlaps others, that their order
    changes from one question to the next, so that studies may be in none.
    """
    held, taken = by_key(answer.found), len(answer.found)
    while taken:
        page = asking.asked(replace(query, offset=taken))
        fresh = page.keys - held.keys()
        if page.found and not fresh and taken == len(answer.found):
            asking.pages = False
        if len(fresh) < len(page.keys) or (page.incomplete and not page.found):
            return None
        held |= by_key(page.found)
        taken += len(page.found)
        asking.progressed += len(fresh)
        if asking.whole(page) is Whole.YES:
            return Answer(list(held.values()))
    return None


def _asked_narrower(asking: Asking, query: Query, answer: Answer, *, cut: bool) -> dict[Key, Found]:
    held = _narrowed(asking, query, answer, cut=cut)
    return held | (_timeless(asking, query, held) if any(one.minute is None for one in held.values()) else {})


def _narrowed(asking: Asking, query: Query, answer: Answer, *, cut: bool) -> dict[Key, Found]:
    """Return everything in a day, or a part of it, by asking for narrower times, and then by modality."""
    held = by_key(answer.found)
    for parts in (query.by_time(), query.by_modality(_modalities(held.values()))):
        asked = False
        for part in parts:
            given = asking.asked(part)
            if not _selects(part, given):
                asked = False
                break
            asked, whole = True, asking.whole(given)
            more = by_key(given.found) if whole is Whole.YES else _narrowed(asking, part, given, cut=whole is Whole.NO)
            fresh = more.keys() - held.keys()
            if fresh and not cut:
                cut = True
                asking.prove_cap(len(answer.found))
            asking.progressed += len(fresh)
            held |= more
        if asked:
            return held
    if cut:
        raise too_full(query, len(answer.found))
    asking.accept_unproven(query, len(answer.found))
    return held


def _timeless(asking: Asking, query: Query, held: dict[Key, Found]) -> dict[Key, Found]:
    """Return what asking by modality adds: studies without a time are in no range of it."""
    more: dict[Key, Found] = {}
    for part in query.by_modality(_modalities(held.values())):
        more |= by_key(asking.asked(part).found)
    return {key: one for key, one in more.items() if one.minute is None}


def _modalities(found: Iterable[Found]) -> set[str]:
    return set(MODALITIES).union(*(one.modalities for one in found))


def _selects(part: Query, given: Answer) -> bool:
    """Whether the server took notice of what was asked for besides the date: a key that it does not know is no key."""
    in_time = [one.minute is not None and part.minutes[0] <= one.minute <= part.minutes[1] for one in given.found]
    of_modality = [part.modality in one.modalities for one in given.found if one.modalities]
    return (part.minutes == WHOLE_DAY or 2 * sum(in_time) >= len(in_time)) and (
        not part.modality or 2 * sum(of_modality) >= len(of_modality))
