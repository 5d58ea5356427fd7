"""The arithmetic of a queue: nothing is lost, and more reading never makes anyone wait longer."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from analytics.metrics.backlog_fluid import HORIZON, Reading, days_until, erlang_c, mean_wait

amounts = st.floats(0, 5000)
readings = st.builds(Reading, amounts, st.floats(0, 500), st.floats(0, 500), st.floats(0, 300), st.integers(0, 7),
                     st.integers(1, 7))


def longest(days: float) -> float:
    return math.inf if math.isnan(days) else days


@given(readings, st.integers(0, 120))
def test_nothing_is_lost(reading: Reading, days: int) -> None:
    read = [one for one, _ in itertools.islice(reading.days(), days)]

    assert reading.waiting + days * reading.arrivals - sum(read) == pytest.approx(reading.after(days), abs=1e-6)
    assert all(one >= 0 for one in read) and reading.after(days) >= 0


@given(readings, st.floats(0, 200), st.integers(0, 120))
def test_more_reading_never_leaves_more_waiting(reading: Reading, more: float, days: int) -> None:
    faster = Reading(reading.waiting, reading.arrivals, reading.reads + more, reading.extra, reading.days_a_week,
                     reading.weekday)
    assert faster.after(days) <= reading.after(days) + 1e-6


@given(readings, st.floats(0, 24), st.integers(0, 7), st.floats(0, 5000))
def test_a_longer_shift_never_takes_longer(reading: Reading, extra: float, days: int, level: float) -> None:
    longer = Reading(reading.waiting, reading.arrivals, reading.reads, reading.extra + extra,
                     max(reading.days_a_week, days), reading.weekday)
    assert longest(longer.until(level)) <= longest(reading.until(level))


@given(amounts, amounts, st.floats(-500, 500))
def test_a_time_is_never_negative_nor_infinite(waiting: float, level: float, net: float) -> None:
    days = days_until(waiting, level, net)

    assert math.isnan(days) or 0 <= days <= HORIZON
    assert not (net <= 0 and waiting > level + 1e-9) or math.isnan(days)


def thousandths(most: float) -> st.SearchStrategy[float]:
    """Amounts that differ by a thousandth or not at all: what is closer than rounding has no one right day."""
    return st.integers(0, round(1000 * most)).map(lambda number: number / 1000)


@given(thousandths(100_000), thousandths(500), thousandths(500), thousandths(100_000))
@example(2.7579416265135868e-27, 0.0, 0.0, 0.0)
def test_without_a_shift_day_by_day_and_the_straight_line_agree(waiting: float, arrivals: float, reads: float,
                                                                level: float) -> None:
    line, by_day = days_until(waiting, level, reads - arrivals), Reading(waiting, arrivals, reads).until(level)
    if math.isnan(line):
        assert math.isnan(by_day) or by_day == HORIZON
    else:
        assert by_day == pytest.approx(math.ceil(line - 1e-6), abs=1)


def test_a_shift_is_worked_on_its_weekdays_alone() -> None:
    # From a Thursday, 2 days a week: Thursday to Sunday nothing is read, then 10 on Monday and on Tuesday
    reading = Reading(100.0, 0.0, 0.0, 10.0, 2, weekday=4)
    assert [waiting for _, waiting in itertools.islice(reading.days(), 7)] == [100, 100, 100, 100, 90, 80, 80]
    assert reading.until(90.0) == 5 and math.isnan(Reading(1.0, 1.0, 1.0).until(0.5))


@pytest.mark.parametrize(("servers", "offered", "share"), [
    (1, 0.5, 0.5),  # of one server: its utilization
    (2, 1.0, 1 / 3),  # 2 rho^2 / (1 + rho) at rho = 1/2
    (10, 8.0, 0.4092),  # Erlang C tables
    (3, 3.0, 1.0), (3, 4.0, 1.0), (4, 0.0, 0.0),
])
def test_erlang_c_is_that_of_the_tables(servers: int, offered: float, share: float) -> None:
    assert erlang_c(servers, offered) == pytest.approx(share, abs=5e-5)


@given(st.integers(1, 40), st.floats(0.01, 0.99))
def test_erlang_c_is_the_formula_with_factorials(servers: int, utilization: float) -> None:
    offered = servers * utilization
    last = offered**servers / math.factorial(servers) / (1 - utilization)
    whole = sum(offered**number / math.factorial(number) for number in range(servers)) + last
    assert erlang_c(servers, offered) == pytest.approx(last / whole, rel=1e-9)


@given(st.floats(0, 100), st.floats(0.1, 100), st.floats(0, 50), st.integers(1, 30))
def test_more_capacity_never_waits_longer(arrivals: float, capacity: float, more: float, servers: int) -> None:
    assert longest(mean_wait(arrivals, capacity + more, servers)) <= longest(
        mean_wait(arrivals, capacity, servers)) * (1 + 1e-9)
