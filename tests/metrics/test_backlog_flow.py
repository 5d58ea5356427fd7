"""The queue, counted once more exam by exam; and when it grows, in words."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from analytics.core.errors import PacsmeterError
from analytics.core.filters import Filters
from analytics.metrics import backlog
from analytics.metrics.backlog_flow import at_instant, rates
from analytics.metrics.backlog_whatif import clearance, one_more_shift
from analytics.metrics.backlog_words import days_words, hours_words
from analytics.metrics.drill import count_behind
from analytics.metrics.scope import as_of
from analytics.warehouse.schema import exams
from analytics.warehouse.store import Store, Warehouse
from tests.metrics.random_exams import random_exams
from tests.spec.backlog import TABLES
from tests.spec.case import at, exam
from tests.support import build

BERLIN = "Europe/Berlin"
EVERYTHING = Filters()


@pytest.fixture
def rows() -> list[dict[str, object]]:
    return random_exams(3)


@pytest.fixture
def warehouse(store: Store, rows: list[dict[str, object]]) -> Warehouse:
    return build(store, {exams: rows})


def waited(rows: list[dict[str, object]], now: dt.datetime) -> list[tuple[dt.datetime, dt.datetime | None]]:
    """From when to when each exam waited, that is counted at all."""
    found = []
    for row in rows:
        start, end = row["images_prepared_at"], row["reported_at"]
        dated = row["exam_date"] is not None and row["exam_date"] <= now.date() + dt.timedelta(days=1)
        if row["has_order"] and dated and start <= now and (end is None or start <= end <= now):
            found.append((start, end))
    return found


def test_at_its_own_instant_it_is_what_unread_by_age_says(warehouse: Warehouse) -> None:
    for by in ("modality", "site", "priority"):
        expected = backlog.unread_by_age(warehouse, EVERYTHING, by).frame
        pd.testing.assert_frame_equal(at_instant(warehouse, EVERYTHING, by=by).frame, expected)


@pytest.mark.parametrize("days", [1, 20, 60, 100])
def test_a_past_instant_is_what_waited_then(warehouse: Warehouse, rows, days: int) -> None:
    now = as_of(warehouse)
    then = now - dt.timedelta(days=days)
    expected = sum(start <= then and (end is None or end > then) for start, end in waited(rows, now))

    result = at_instant(warehouse, EVERYTHING, instant=then)
    assert result.headline == expected and count_behind(warehouse, result, {}) == expected
    naive = then.astimezone(ZoneInfo(BERLIN)).replace(tzinfo=None)
    assert at_instant(warehouse, EVERYTHING, instant=naive, site_zone=BERLIN).headline == expected


def test_an_instant_still_to_come_is_that_of_the_snapshot(warehouse: Warehouse) -> None:
    later = at_instant(warehouse, EVERYTHING, instant=at("2099-01-01 00:00"))
    assert later.headline == at_instant(warehouse, EVERYTHING).headline and "last thing" in later.notes[0]


def test_each_hour_of_the_week_holds_what_came_and_left_in_it(warehouse: Warehouse, rows) -> None:
    zone = ZoneInfo(BERLIN)
    first, last = dt.date(2025, 11, 17), dt.date(2026, 2, 8)
    result = rates(warehouse, Filters(first, last), site_zone=BERLIN)
    came, left = Counter(), Counter()
    for start, end in waited(rows, as_of(warehouse)):
        for counter, instant in ((came, start), (left, end)):
            clock = instant.astimezone(zone) if instant else None
            if clock and first <= clock.date() <= last:
                counter[clock.isoweekday(), clock.hour] += 1

    assert len(result.frame) == 168 and (result.frame.hours == 12).all()
    for row in result.frame.itertuples():
        assert (row.arrived, row.reported) == (came[row.weekday, row.hour], left[row.weekday, row.hour])
    mark = {"weekday": 3, "hour": 9}
    assert count_behind(warehouse, result, mark) == came[3, 9]


def test_an_hour_that_a_change_of_the_clocks_repeats_is_two_hours(store: Store) -> None:
    seen = exam(1, "2025-10-20 10:00", images_prepared_at="2025-10-20 10:00", order_at="2025-10-27 10:00")
    result = rates(build(store, {exams: [seen]}), Filters(dt.date(2025, 10, 20), dt.date(2025, 10, 26)),
                   site_zone=BERLIN)
    hours = result.frame.set_index(["weekday", "hour"]).hours

    assert hours[7, 2] == 2 and hours[7, 3] == 1 and hours.sum() == 169


def test_the_unread_at_each_end_of_day_are_those_of_unread_over_time(warehouse: Warehouse) -> None:
    ends = backlog.unread_over_time(warehouse, EVERYTHING, BERLIN).frame.set_index("day").unread
    usual = clearance(warehouse, EVERYTHING, site_zone=BERLIN).frame.usual.iloc[0]
    last = as_of(warehouse).astimezone(ZoneInfo(BERLIN)).date()
    every = ends.reindex(pd.date_range(ends.index[0], last - dt.timedelta(days=1))).ffill().tail(91)

    assert usual == every.median()


def ready(number: int, when: str, reported: str | None = None) -> dict[str, object]:
    return exam(number, when, images_prepared_at=when, reported_at=reported)


def test_the_hours_in_which_it_grows_are_said_first(store: Store) -> None:
    # From Monday 2 to Sunday 8 March; each weekday 2 come at nine, and all are reported on Saturday at noon. Of the
    # workdays together 10 > 2.326 x sqrt(10) = 7.4; of one alone 2 < 2.326 x sqrt(2) = 3.3
    rows = [ready(10 * day + number, f"2026-03-0{day} 09:{number}0", "2026-03-07 12:00")
            for day in range(2, 7) for number in (1, 2)]
    snapshot = build(store, {exams: [*rows, ready(99, "2026-03-08 23:10", "2026-03-08 23:20")]})
    result = rates(snapshot, EVERYTHING, site_zone="UTC")

    assert result.notes[0] == "The queue grows Monday to Friday from 09:00 to 10:00: by 10 a week."
    assert not result.frame.grows.any()


def test_a_weekday_that_grows_by_more_than_chance_is_said(store: Store) -> None:
    # 6 > 2.326 x sqrt(6) = 5.7
    rows = [ready(number, f"2026-03-02 09:0{number}", "2026-03-04 12:00") for number in range(6)]
    snapshot = build(store, {exams: [*rows, ready(9, "2026-03-04 23:10", "2026-03-04 23:20")]})
    result = rates(snapshot, EVERYTHING, by="weekday", site_zone="UTC")

    assert list(result.frame.grows) == [True, False, False]
    assert result.notes[0] == "The queue grows on Monday: by 14 a week."


def test_a_difference_that_chance_makes_is_said_to_be_one(store: Store) -> None:
    # 2 came and 3 were reported in 13 days: 1 < 1.96 x sqrt(5) = 4.4, that is 0.3 a day
    said = clearance(build(store, TABLES), EVERYTHING, days=13, site_zone="UTC").notes[0]
    assert "falls by 0.1 a day" in said and said.endswith("chance alone makes a difference of up to 0.3 a day.")


def test_hours_are_said_as_people_say_them() -> None:
    week = [(day, hour) for day in range(1, 6) for hour in (8, 9, 10, 13)]
    assert hours_words([*week, *((7, hour) for hour in range(24))]) == (
        "Monday to Friday from 08:00 to 11:00 and from 13:00 to 14:00; Sunday all day")
    assert hours_words([(1, 23), (3, 23)]) == "Monday and Wednesday from 23:00 to 24:00"
    assert hours_words([(6, 4), (7, 4)]) == "Saturday and Sunday from 04:00 to 05:00"
    assert [days_words(days) for days in (float("nan"), 0, 1.0, 3.46, 140.2)] == [
        "not reached", "0 days", "1 day", "3.5 days", "140 days"]


def test_a_queue_that_does_not_clear_is_said_and_never_a_number(store: Store) -> None:
    warehouse = build(store, TABLES)
    result = clearance(warehouse, EVERYTHING, site_zone="UTC")

    assert result.headline is None and "the queue does not clear" in result.notes[0]
    said = one_more_shift(warehouse, EVERYTHING, site_zone="UTC", days_a_week=0).notes
    assert said[0].count("not reached") == 4
    assert any("first in, first out" in note for note in said) and any("4 readers (assumed" in note for note in said)


@pytest.mark.parametrize("wrong", [{"reader_hours": 25.0}, {"days_a_week": 8}, {"readers": 0}, {"days": 0}])
def test_a_shift_that_cannot_be_is_refused(store: Store, wrong: dict[str, float]) -> None:
    with pytest.raises(PacsmeterError):
        one_more_shift(build(store, TABLES), EVERYTHING, **wrong)
