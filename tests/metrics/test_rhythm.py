"""A device's rhythm: what is learned of it, and that the chance of a silence is one."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import betabinom

from analytics.metrics.rhythm import LEARNED_DAYS, days_between, none_in_use, rhythm_of

MONDAY = dt.date(2026, 1, 5)
LATEST = MONDAY + dt.timedelta(days=LEARNED_DAYS + 4)   # a Friday


def _days(weekdays: range, until: dt.date = LATEST) -> list[dt.date]:
    return [day for day in days_between(MONDAY, until) if day.isoweekday() in weekdays]


@given(st.integers(0, 60), st.integers(0, 400).flatmap(lambda seen: st.tuples(st.integers(0, seen), st.just(seen))))
def test_the_chance_is_that_of_a_beta_binomial(days: int, case: tuple[int, int]) -> None:
    used, seen = case
    theirs = betabinom.pmf(0, days, used + 0.5, seen - used + 0.5)
    assert none_in_use(days, used, seen) == pytest.approx(theirs, rel=1e-8)


@given(st.integers(0, 40), st.integers(0, 56))
def test_a_longer_silence_is_never_more_likely(days: int, used: int) -> None:
    assert none_in_use(days + 1, used, 56) <= none_in_use(days, used, 56) <= 1


def test_a_device_of_weekdays_is_not_silent_at_a_weekend() -> None:
    rhythm = rhythm_of(_days(range(1, 6)), MONDAY, LATEST, ())
    weekend = days_between(LATEST + dt.timedelta(days=1), LATEST + dt.timedelta(days=2))
    assert rhythm.working == {1, 2, 3, 4, 5}
    assert rhythm.working_days(weekend) == 0 and rhythm.chance_of_silence(weekend) > 0.9


def test_a_public_holiday_goes_as_a_sunday() -> None:
    holiday = LATEST + dt.timedelta(days=3)
    assert rhythm_of(_days(range(1, 6)), MONDAY, LATEST, ()).working_days([holiday]) == 1
    assert rhythm_of(_days(range(1, 6)), MONDAY, LATEST, {holiday}).working_days([holiday]) == 0


def test_a_holiday_within_what_is_learned_is_no_silence() -> None:
    closed = {MONDAY + dt.timedelta(days=21)}
    active = [day for day in _days(range(1, 6)) if day not in closed]
    assert rhythm_of(active, MONDAY, LATEST, ()).longest == 1
    assert rhythm_of(active, MONDAY, LATEST, closed).longest == 0


def test_the_longest_silence_is_counted_in_working_days() -> None:
    gone = days_between(MONDAY + dt.timedelta(days=17), MONDAY + dt.timedelta(days=22))  # Thursday to Tuesday
    active = [day for day in _days(range(1, 6)) if day not in gone]
    assert rhythm_of(active, MONDAY, LATEST, ()).longest == 4


def test_a_silence_that_began_before_what_is_learned_counts_from_there_on() -> None:
    active = [day for day in _days(range(1, 8)) if day >= LATEST - dt.timedelta(days=50)]
    assert rhythm_of(active, MONDAY - dt.timedelta(days=100), LATEST, ()).longest == 6


def test_a_device_without_regular_days_is_silent_by_every_day() -> None:
    sometimes = [MONDAY + dt.timedelta(days=number) for number in (0, 11, 20, 31, 40, 52)]
    rhythm = rhythm_of(sometimes, MONDAY, LATEST, ())
    assert rhythm.working == frozenset(range(1, 8)) and rhythm.other == frozenset()
    assert rhythm.working_days(days_between(LATEST + dt.timedelta(days=1), LATEST + dt.timedelta(days=9))) == 9


def test_its_first_day_and_its_latest_say_nothing_of_how_busy_it_is() -> None:
    first = LATEST - dt.timedelta(days=10)
    rhythm = rhythm_of([first, LATEST], first, LATEST, ())
    assert (sum(rhythm.used), sum(rhythm.seen)) == (0, 9)


@pytest.mark.parametrize("share", [0.15, 0.5, 0.9])
def test_a_chance_of_one_in_fifty_comes_about_as_often(share: float) -> None:
    # Devices that go on as they did: how often their silence up to a day is one that is said to be so unlikely.
    rng = np.random.default_rng(7)
    length, rare, runs = 170, 0.02, 1500
    calendar = days_between(MONDAY, MONDAY + dt.timedelta(days=length))
    found = 0
    for _ in range(runs):
        active = [day for day, used in zip(calendar, rng.random(length + 1) < share, strict=True) if used]
        rhythm = rhythm_of(active, active[0], active[-1], ())
        silence = days_between(active[-1] + dt.timedelta(days=1), calendar[-1])
        found += rhythm.chance_of_silence(silence) < rare
    assert found / runs < 2 * rare
