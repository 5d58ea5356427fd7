"""A crawl finds every study of an archive exactly once, or says clearly that it cannot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.core.errors import PacsmeterError
from analytics.sources.base import BeginAnew
from analytics.sources.crawl import RECENT, UNDATED, UNDATED_NOT_ASKED, Answer, Crawl, Found, Leaf, Query
from analytics.sources.crawl_answers import UNPROVEN
from analytics.sources.crawl_day import TIMELESS_NOT_ASKED
from tests.sources.archive_in_memory import TODAY, Archive, study

NEVER: frozenset[str] = frozenset()
OFFSET = frozenset({"offset"})


def crawled(archive: Archive, finished: Iterable[str] = (), today: date = TODAY, **options: int) -> list[Leaf]:
    return list(Crawl(archive.answer, **options).leaves(today, finished))


def keys(leaves: Iterable[Leaf]) -> Counter[tuple[str, str]]:
    return Counter(one.key for leaf in leaves for one in leaf.found)


def spread(number: int, days: int = 900) -> list[Found]:
    """Return studies over some years, every day a few, at all times of day."""
    return [study(n, TODAY - timedelta(days=n * 7919 % days), n * 37 % 1440) for n in range(number)]


def crowded(number: int, day: date = date(2026, 3, 3)) -> list[Found]:
    return [study(n, day, n % 1440, ("CT", "MR", "US")[n % 3]) for n in range(number)]


SERVERS = {
    "no cap": {}, "cuts first": {"cap": 101, "cuts_first": True}, "cuts late": {"cap": 250, "cuts_first": True},
    "cap 100": {"cap": 100}, "cap 60": {"cap": 60}, "said": {"cap": 100, "said": True},
    "no offset": {"ignores": OFFSET}, "cap 100, no offset": {"cap": 100, "ignores": OFFSET},
    "cap 37, no offset": {"cap": 37, "ignores": OFFSET}, "no limit": {"ignores": frozenset({"limit"})},
    "no limit, cap 250": {"cap": 250, "ignores": frozenset({"limit", "offset"})},
    "no offset, no time": {"cap": 200, "ignores": frozenset({"offset", "time"})}}


@pytest.mark.parametrize("server", SERVERS.values(), ids=SERVERS)
def test_every_study_is_found_exactly_once(server: dict[str, object]) -> None:
    archive = Archive(spread(700) + [study(10_000 + n, date(2026, 3, 3), n * 7 % 1440, ("CT", "MR")[n % 2])
                                     for n in range(300)], **server)
    assert keys(crawled(archive)) == Counter(one.key for one in archive.held)


@pytest.mark.parametrize("patients", [("p", "q"), ("p", "")])
def test_one_uid_under_two_patients_is_two_studies(patients: tuple[str, str]) -> None:
    archive = Archive([study(1, date(2026, 3, 3), patient=patient) for patient in patients])
    assert keys(crawled(archive)) == {("1.2.1", patient): 1 for patient in patients}


def test_a_study_that_is_given_ten_times_is_found_once() -> None:
    archive = Archive(spread(130), times=10, cap=100)
    crawl = Crawl(archive.answer)
    assert keys(crawl.leaves(TODAY)) == Counter(one.key for one in archive.held)
    assert any("more than once" in note for note in crawl.notes)


def test_a_small_archive_costs_few_questions() -> None:
    archive = Archive(spread(9))
    crawled(archive)
    assert len(archive.asked) == 4


def test_questions_grow_with_what_is_found() -> None:
    archive = Archive(spread(5_000, 3_000), cap=100, ignores=OFFSET)
    crawled(archive)
    assert len(archive.asked) < 1_000


def test_studies_without_a_date_are_found_by_paging() -> None:
    archive = Archive([*spread(150), *(study(900 + n, None) for n in range(120))], cap=50)
    leaves = crawled(archive)
    assert keys(leaves) == Counter(one.key for one in archive.held)
    assert [len(leaf.found) for leaf in leaves if leaf.name == UNDATED] == [120]


def test_where_no_offset_leads_to_undated_studies_it_is_said() -> None:
    archive = Archive([*spread(150), *(study(900 + n, None) for n in range(120))], cap=50, ignores=OFFSET)
    crawl = Crawl(archive.answer)
    assert set(keys(crawl.leaves(TODAY))) >= {one.key for one in archive.held if one.study_date}
    assert crawl.notes[UNDATED_NOT_ASKED] == 1


@pytest.mark.parametrize("day", [TODAY, TODAY + timedelta(days=1), date(2099, 1, 1), date(9999, 12, 31),
                                 date(1900, 1, 1), date(1850, 5, 5)])
def test_dates_in_the_future_and_long_ago_are_found(day: date) -> None:
    archive = Archive([*spread(300), study(999, day)], cap=100)
    assert keys(crawled(archive)) == Counter(one.key for one in archive.held)


def test_a_minute_too_full_for_the_server_is_one_clear_error() -> None:
    archive = Archive([study(n, date(2026, 3, 3), 600) for n in range(200)], cap=100, ignores=OFFSET)
    with pytest.raises(PacsmeterError, match=r"2026-03-03..2026-03-03 at 10-100059.999999 CT.*limit raised"):
        crawled(archive)


def test_a_cap_shown_late_throws_doubt_on_what_was_taken_for_whole() -> None:
    """The first day answers 30 of its 40 studies, which nothing contradicts until another day shows the cap."""
    first = [study(n, date(2026, 3, 3), 600) for n in range(40)]
    archive = Archive([*first, *(study(100 + n, date(2026, 3, 4), n) for n in range(40))], cap=30, ignores=OFFSET)
    with pytest.raises(BeginAnew, match="answers 30 studies at most"):
        crawled(archive)


def test_a_full_minute_on_a_server_without_any_cap_is_taken_as_it_is() -> None:
    archive = Archive([study(n, date(2026, 3, 3), None, "") for n in range(300)], ignores=OFFSET)
    assert keys(crawled(archive, limit=0, most=0, pages=False)) == Counter(one.key for one in archive.held)


def test_studies_without_a_time_on_a_full_day_are_asked_for_by_modality_and_it_is_said() -> None:
    archive = Archive([*(study(n, date(2026, 3, 3), None, "MG") for n in range(30)), *(
        study(100 + n, date(2026, 3, 3), n) for n in range(90))], cap=40, ignores=OFFSET)
    crawl = Crawl(archive.answer)
    assert keys(crawl.leaves(TODAY)) == Counter(one.key for one in archive.held)
    assert crawl.notes[TIMELESS_NOT_ASKED] == 1


def test_a_server_that_takes_no_notice_of_dates_is_refused() -> None:
    archive = Archive(spread(300), cap=100, ignores=frozenset({"date"}))
    with pytest.raises(PacsmeterError, match="does not select studies by their study date"):
        crawled(archive)


def test_an_answer_that_lacks_what_a_wider_one_held_is_asked_for_again() -> None:
    archive, forgotten = Archive(spread(300), cap=100), [0]

    def forgetful(query: Query) -> Answer:
        answer = archive.answer(query)
        if query.first and query.first.year == 2026 and len(answer.found) < 100 and forgotten[0] < 2:
            forgotten[0] += 1
            return Answer(answer.found[1:])
        return answer

    held = archive.answer(Query()).found
    archive.held.sort(key=lambda one: one.study_date or TODAY, reverse=True)  # the first answer holds this year's
    assert keys(Crawl(forgetful).leaves(TODAY)) == Counter(one.key for one in archive.held)
    assert forgotten == [2]
    assert held


def test_answers_that_never_agree_end_in_one_clear_error() -> None:
    archive = Archive([study(n, date(2026, 3, 1) + timedelta(days=n % 20)) for n in range(400)], cap=100)

    def lossy(query: Query) -> Answer:
        answer = archive.answer(query)
        return Answer([one for one in answer.found if one.key[0] != "1.2.7"]) if query.is_one_day and query.first else (
            answer)

    with pytest.raises(PacsmeterError, match=r"does not give for their date.*2026-03-08"):
        list(Crawl(lossy).leaves(TODAY))


def test_a_study_that_is_deleted_while_it_is_asked_for_is_no_contradiction() -> None:
    archive = Archive(spread(300), cap=100)
    crawl = Crawl(lambda query: (archive if query == Query(limit=query.limit) else archive.without(0)).answer(query))
    assert set(keys(crawl.leaves(TODAY))) == {one.key for one in archive.held} - {("1.2.0", "p")}


def test_a_server_that_always_says_that_there_is_more_is_left() -> None:
    asked: list[Query] = []

    def more(query: Query) -> Answer:
        asked.append(query)
        return Answer([], incomplete=not query.is_one_day or query.first is None)

    with pytest.raises(PacsmeterError, match=r"asked 2,001 times, and 0 studies were found"):
        list(Crawl(more).leaves(TODAY))
    assert len(asked) == 2_000


def test_a_cut_crawl_goes_on_without_asking_again_and_asks_for_the_last_days_each_time() -> None:
    archive = Archive(spread(500), cap=50)
    first = list(Crawl(archive.answer).leaves(TODAY))
    names = [leaf.name for leaf in first]
    assert names[-1] == RECENT
    assert len(set(names)) == len(names)
    for cut in (1, len(first) // 2, len(first)):
        archive.asked.clear()
        rest = crawled(archive, names[:cut])
        assert [leaf.name for leaf in rest] == (names[cut:] or [RECENT])
        days = [query for query in archive.asked if query.is_one_day and query.first]
        assert all(str(query) not in names[:cut] for query in days)


@pytest.mark.parametrize("days", [1, 2, 7, 40])
def test_a_crawl_that_goes_on_on_another_day_finds_what_came_since(days: int) -> None:
    archive = Archive(spread(500), cap=50)
    first = crawled(archive)
    archive.held += [study(5_000 + n, TODAY + timedelta(days=n % (days + 1))) for n in range(60)]
    archive.held.append(study(7_000, TODAY - timedelta(days=1)))
    rest = crawled(archive, [leaf.name for leaf in first], TODAY + timedelta(days=days))
    settled = [leaf for leaf in first if leaf.name != RECENT]
    assert set(keys([*settled, *rest])) == {one.key for one in archive.held}


def test_since_leaves_out_what_is_older() -> None:
    archive, since = Archive(spread(300), cap=50), date(2026, 1, 10)
    leaves = list(Crawl(archive.answer).leaves(TODAY, since=since))
    assert keys(leaves) == Counter(one.key for one in archive.held if one.study_date and one.study_date >= since)
    assert min(leaf.first for leaf in leaves if leaf.first) == since


DAYS = st.one_of(st.none(), st.integers(0, 40).map(lambda n: TODAY - timedelta(days=n)),
                 st.sampled_from([date(1985, 2, 3), date(2025, 12, 31), date(2099, 1, 1)]))
BLOCKS = st.lists(st.tuples(DAYS, st.integers(1, 60), st.sampled_from([0, 1, 7, 60]), st.booleans()), max_size=8)


@given(blocks=BLOCKS, cap=st.integers(1, 6).map(lambda tens: 10 * tens), cuts_first=st.booleans(),
       limit=st.sampled_from([0, 10, 25, 100]), said=st.booleans(), pages=st.booleans(),
       ignores=st.frozensets(st.sampled_from(["offset", "limit", "time", "modality"])))
def test_found_once_or_said(blocks: list[tuple[date | None, int, int, bool]], cap: int, cuts_first: bool, limit: int,
                            said: bool, pages: bool, ignores: frozenset[str]) -> None:
    """Whatever is held and however it is capped: all is found, or an error or a note says what may be missing."""
    held = [study(100 * place + n, day, n * step % 1440 if timed else None, ("CT", "MR", "US", "XX")[n % 4])
            for place, (day, number, step, timed) in enumerate(blocks) for n in range(number)]
    archive = Archive(held, cap, said, cuts_first, ignores)
    crawl = Crawl(archive.answer, limit=limit, pages=pages)
    try:
        found = keys(crawl.leaves(TODAY))
    except PacsmeterError as error:
        assert "at most" in str(error)
        return
    missing = {one.key for one in held} - set(found)
    assert max(found.values(), default=1) == 1
    allowed = {one.key for one in held if one.study_date is None} if crawl.notes[UNDATED_NOT_ASKED] else set()
    if crawl.notes[TIMELESS_NOT_ASKED]:
        allowed |= {one.key for one in held if one.minute is None or one.modalities == {"XX"}}
    assert missing <= allowed or crawl.notes[UNPROVEN]
