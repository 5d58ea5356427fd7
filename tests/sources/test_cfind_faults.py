"""An archive that breaks off, falls silent or answers with a failure: nothing is lost, or one clear line."""

from __future__ import annotations

import pytest

from analytics.core.errors import PacsmeterError
from analytics.sources.base import Known
from analytics.sources.cfind import NOT_ANSWERED, UNDATED_UNPROVEN, open_cfind
from analytics.sources.find_association import FindAssociation, QueryFailed
from analytics.sources.find_identifier import request
from analytics.sources.find_node import Node
from analytics.sources.open import Options
from tests.sources import cfind_reading
from tests.sources.cfind_reading import SHORT, KnownAs, Read, Start, days, with_timeouts
from tests.sources.find_scp import StallingProxy, one_series, study

short_pauses = cfind_reading.short_pauses
start = cfind_reading.start
options = cfind_reading.options


def test_an_answer_that_breaks_off_once_is_asked_for_again(start: Start, options: Options) -> None:
    scp = start(days(9), [one_series(n) for n in range(9)])
    scp.aborts_after, scp.aborts_times = 4, 1
    read = Read(open_cfind(scp.spec, options))
    assert len(read.uids) == 9 and not read.notes
    assert scp.associations == 2


def test_answers_that_always_break_off_are_asked_for_in_narrower_ranges(start: Start, options: Options) -> None:
    scp = start(days(30), [one_series(n) for n in range(30)])
    scp.aborts_after, scp.aborts_times = 3, 10_000
    read = Read(open_cfind(scp.spec, options))
    assert len(read.uids) == 30, "what came before the end of an answer that broke off is not the answer"
    assert read.notes[NOT_ANSWERED] > 1 and read.notes[UNDATED_UNPROVEN] == 1


def test_a_day_that_always_breaks_off_is_one_clear_line(start: Start, options: Options) -> None:
    scp = start(days(3), [])
    scp.aborts_after, scp.aborts_times = 0, 10_000
    with pytest.raises(QueryFailed, match=r"broke off.*3 times.*studies 2026-03-01\.\.2026-03-01") as caught:
        Read(open_cfind(scp.spec, options))
    assert caught.value.__cause__ is None


def test_an_archive_that_breaks_off_every_question_from_us_is_one_clear_line_soon(
        start: Start, options: Options) -> None:
    scp = start([], [])
    scp.refuses = True
    with pytest.raises(QueryFailed, match="Have it allow queries by PACSMETER from the address of this computer"):
        Read(open_cfind(scp.spec, options))
    assert scp.associations == 6


def test_an_archive_that_falls_silent_in_an_answer_does_not_hold_the_load_for_ever(
        start: Start, options: Options) -> None:
    scp = start([study(1), study(2)], [])
    scp.silent = True
    with pytest.raises(QueryFailed, match=r"fell silent.*studies 2026-07-01"):
        Read(with_timeouts(scp.port, options))


def test_a_message_that_stops_in_its_middle_does_not_hold_the_load_for_ever(start: Start, options: Options) -> None:
    proxy = StallingProxy(start([study(1)], []).port, messages=1)
    association = FindAssociation(Node("PACSMETER", "ARCHIVE", "127.0.0.1", proxy.port), SHORT)
    try:
        with pytest.raises(QueryFailed, match="broke off"):
            association.find(request("STUDY", {}, ["StudyInstanceUID"]), 0, "all studies")
    finally:
        association.abort()
        proxy.stop()


def test_an_archive_that_dies_between_two_answers_is_one_clear_line(start: Start, options: Options) -> None:
    scp = start(days(3), [one_series(n) for n in range(3)])
    source = open_cfind(scp.spec, options)
    items = source.batches(Known(), lambda *_: None)
    next(items)
    scp.stop()
    with pytest.raises(PacsmeterError, match=f"Nothing answers at 127.0.0.1:{scp.port}"):
        list(items)
    assert not source.coverage.complete


def test_an_archive_that_does_not_stop_when_asked_is_left(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analytics.sources.find_association._AFTER_CANCEL", 5)
    scp = start(days(100), [])
    scp.honors_cancel = False
    association = FindAssociation(Node("PACSMETER", "ARCHIVE", "127.0.0.1", scp.port), SHORT)
    for limit, incomplete in ((10, True), (0, False)):
        answered = association.find(request("STUDY", {}, ["StudyInstanceUID"]), limit, "all studies")
        assert (len(answered.identifiers), answered.incomplete) == (limit or 100, incomplete)
    association.close()
    assert scp.associations == 2


@pytest.mark.parametrize(("status", "said"), [
    (0xA900, "does not match"), (0xC123, "unable to process.*0xC123"), (0x0124, "not authorized"),
    (0x0122, "status of failure.*0x0122")])
def test_what_a_final_status_means_is_said(start: Start, options: Options, status: int, said: str) -> None:
    scp = start([study(1)], [one_series(1)])
    scp.final = {"STUDY": status}
    with pytest.raises(PacsmeterError, match=said):
        Read(open_cfind(scp.spec, options))


def test_studies_whose_series_are_not_answered_are_quarantined_and_asked_again_next_time(
        start: Start, options: Options) -> None:
    scp = start(days(5), [one_series(n) for n in range(5)])
    scp.fails_for = {"1.2.3"}
    read = Read(open_cfind(scp.spec, options))
    assert len(read.uids) == 5 and len(read.rows["series"]) == 4
    assert [(one.locator, one.reason_code) for one in read.rejected] == [("series of study 1.2.3", "not_answered")]
    known = KnownAs({f"1.2.{n}": (1, 2) for n in range(5)})
    marks = {name: value for part in read.parts for name, value in part.marks.items() if value}
    assert list(marks.values()) == ["1.2.3"]
    known.marks |= marks
    again = Read(open_cfind(scp.spec, options), known)
    assert "1.2.3" in again.parts[0].kept_series, "what was known of its series is not lost"
    scp.fails_for = set()
    again = Read(open_cfind(scp.spec, options), known)
    assert [row["series_instance_uid"] for row in again.rows["series"]] == ["1.2.3.1"]


def test_an_archive_that_answers_no_series_at_all_is_an_error(start: Start, options: Options) -> None:
    scp = start(days(5), [one_series(n) for n in range(5)])
    scp.final = {"SERIES": 0xC000}
    with pytest.raises(PacsmeterError, match=r"unable to process.*series of study 1\.2\.2"):
        Read(open_cfind(scp.spec, options))
