"""Times of HL7 messages: what is an instant, in which zone, and what cannot be true."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.sources.hl7_time import NO_TIME_OF_DAY, moment_of
from analytics.sources.values import CLOCK_CHANGE
from tests.sources.hl7_samples import EDGE, PID, obr, read, told
from tests.sources.sites import IDS, NAMES

FIRST, LAST = (datetime(*day) for day in ((1, 1, 2), (9999, 12, 30)))  # noqa: DTZ001


@pytest.mark.parametrize(("dtm", "expected"), [
    ("20260701101500", "2026-07-01 09:15:00"), ("202607011015", "2026-07-01 09:15:00"),
    ("20260101101500.1234", "2026-01-01 10:15:00.123400"), ("20260701101500-0500", "2026-07-01 15:15:00"),
    ("202607011015+0530", "2026-07-01 04:45:00"), ("20260701101560", "2026-07-01 09:15:59"),
    ("20261025013000", "2026-10-25 00:30:00"), ("20260329013000", "2026-03-29 01:00:00"),
    ("20260701", None), ("2026070110", None), ("202607", None), ("2026", None)])
def test_a_dtm(dtm: str, expected: str | None) -> None:
    found = moment_of(dtm, "", ZoneInfo("Europe/London"))
    assert (str(found.at.replace(tzinfo=None)) if found.at else None) == expected
    assert not found.wrong
    assert found.clock_change == (dtm in ("20261025013000", "20260329013000"))


@pytest.mark.parametrize("dtm", [
    "20261301", "20260230101500", "202607012500", "20260701106100", "2026-07-01", "yesterday", "20260701101500+9900",
    "0000", "20260701101561", "99999", "000101010000+1400", "2026070125"])
def test_what_is_no_dtm(dtm: str) -> None:
    assert moment_of(dtm, "", ZoneInfo("UTC")).wrong


@given(st.datetimes(FIRST, LAST), st.integers(-840, 840))
def test_every_instant_is_read_as_it_was_written(local: datetime, offset: int) -> None:
    sign, minutes = "-" if offset < 0 else "+", abs(offset)
    found = moment_of(f"{local:%Y%m%d%H%M%S.%f}".zfill(21) + f"{sign}{minutes // 60:02}{minutes % 60:02}", "", UTC)
    assert found.at is not None
    assert (local - found.at.replace(tzinfo=None)).total_seconds() == offset * 60


@given(st.text(), st.text(max_size=2))
def test_a_dtm_never_raises(dtm: str, precision: str) -> None:
    found = moment_of(dtm, precision, ZoneInfo("Europe/London"))
    assert not (found.at and found.wrong)


def test_a_day_alone_gives_no_event_and_is_counted() -> None:
    found = read("ORM^O01", "ORC|NW||F1||||||20260701", obr(f3="F1"))
    assert (found.events, found.notes, found.rejected) == ([], {NO_TIME_OF_DAY: 1}, {})
    assert read("ORM^O01", "ORC|NW||F1||||||202607010000^D", obr(f3="F1")).events == [], "TS.2 says it is a day"


def test_the_offset_of_msh_7_is_the_message_s() -> None:
    found = read("ORM^O01", "ORC|NW||F1||||||20260701075900", at="20260701080000-0500")
    assert told(found) == {("Order", "07-01 12:59", "ORC-9")}


@pytest.mark.parametrize("at", ["20260115100000", "20260115100000+0000"])
def test_an_appointment_beyond_a_clock_change_is_by_the_site_s_clocks_of_its_day(at: str) -> None:
    found = read("SIU^S12", f"SCH{'|' * 11}^^^20260710090000{'|' * 16}A1", at=at)
    assert told(found) == {("ApptTime", "07-10 08:00", "SCH-11.4")}


def test_the_hour_that_the_clocks_show_twice_is_counted() -> None:
    found = read("ORM^O01", "ORC|NW||F1||||||20261025013000", at="20261025090000")
    assert told(found) == {("Order", "10-25 00:30", "ORC-9")}
    assert found.notes == {CLOCK_CHANGE: 1}


@pytest.mark.parametrize(("orc9", "at", "named"), [
    ("20260703080000", "20260701080000", "ORC-9"), ("19700101000000", "20260701080000", "ORC-9"),
    ("19000101000000", "", "ORC-9"), ("20991231000000", "20991231000000", "MSH-7, ORC-9")])
def test_a_time_that_cannot_be_true_is_named_and_the_rest_is_used(orc9: str, at: str, named: str) -> None:
    found = read("ORM^O01", PID, f"ORC|NW||F1||IP||||{orc9}", obr(f3="F1", f7="20260701101500"), at=at)
    assert found.rejected["clock_nonsense"].startswith(f"{named} lies")
    assert [row["event"] for row in found.events] == ["ProcedureStart"]
    assert found.orders[0]["patient_key"] == EDGE.patient_key(IDS[0])


def test_an_appointment_may_lie_ahead() -> None:
    assert not read("ORM^O01", "ORC|SC||F1||SC||^^^20271201080000").rejected


def test_a_time_that_is_none_is_named() -> None:
    found = read("ORM^O01", f"ORC|NW||F1||||||{NAMES[0]}", obr(f3="F1"))
    assert found.rejected["bad_time"].startswith("ORC-9 is no time")
    assert NAMES[0] not in str(found.rejected)
