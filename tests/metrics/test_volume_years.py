"""Year on year where the calendar differs: a holiday that moves, and what must hold whatever the studies are."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.core.filters import Filters
from analytics.metrics import volume_years
from analytics.metrics.volume_days import CLOSED, SATURDAY, WORKING, begins, kinds_of_days
from analytics.metrics.volume_years import year_on_year
from analytics.warehouse.schema import exams
from analytics.warehouse.store import Store
from tests.spec.case import exam
from tests.support import build


def _months(*studies_by_day: tuple[dt.date, int], stored_at: str = "2026-05-20 12:00") -> list[dict[str, object]]:
    days = [day for day, studies in studies_by_day for _ in range(studies)]
    return [exam(number, f"{day} 10:00", stored_at=stored_at) for number, day in enumerate(days)]


def _days(*months: str) -> list[dt.date]:
    """Every day of some months."""
    return [day.date() for month in months for day in pd.date_range(month, pd.Period(month).end_time)]


def test_easter_that_moves_out_of_a_month_is_no_growth(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Easter Monday was on 1 April 2024 and on 21 April 2025, Good Friday on 29 March 2024 and 18 April 2025.

    Nine studies on each working day of England, one on each other day: March 2024 has 20 working days (21 weekdays
    without Good Friday), March 2025 has 21. 20 x 9 + 11 = 191, then 21 x 9 + 10 = 199: +4.2 % as counted, 0 adjusted.
    """
    monkeypatch.setenv("PACSMETER_HOLIDAYS", "GB-ENG")
    closed = {dt.date(2024, 3, 29), dt.date(2024, 4, 1)}
    rows = _months(*((day, 9 if day.weekday() < 5 and day not in closed else 1) for day in _days("2024-03", "2025-03")),
                   stored_at="2025-04-01 12:00")
    result = year_on_year(build(store, {exams: rows}), Filters())
    (row,) = result.frame.itertuples()

    assert (row.studies, row.before, row.working_days, row.working_days_before) == (199, 191, 21, 20)
    assert row.change == pytest.approx(100 * (199 / 191 - 1)) and row.adjusted == pytest.approx(0, abs=1e-9)
    assert row.per_working_day == pytest.approx(9)
    assert result.notes[0] == ("Mar 2025: 199 studies, +4.2 % against Mar 2024 (191); per working day +0.0 % "
                               "(21 working days, then 20).")


def test_where_no_country_is_set_the_answer_says_that_holidays_count(store: Store) -> None:
    rows = _months(*((day, 2) for day in _days("2025-03", "2026-03")))
    assert any("PACSMETER_HOLIDAYS" in note for note in year_on_year(build(store, {exams: rows}), Filters()).notes)


def test_months_that_cannot_be_compared_are_counted(store: Store) -> None:
    """February 2025 to April 2026 covered, May open: 12 have no year before, Feb to Apr 2026 are compared."""
    months = pd.date_range("2025-02-01", "2026-05-19")
    rows = _months(*((day.date(), 1) for day in months))
    result = year_on_year(build(store, {exams: rows}), Filters())
    assert list(result.frame.period.dt.strftime("%Y-%m")) == ["2026-02", "2026-03", "2026-04"]
    said = ("Months not compared: 1 that is not over, or cut by the period chosen, "
            "12 without a whole month a year before.")
    assert said in result.notes
    assert result.n + sum(item.n for item in result.left_out) == len(rows)


def test_a_device_that_fell_silent_has_months_of_nothing(store: Store) -> None:
    rows = _months(*((day.date(), 1) for day in pd.date_range("2025-02-01", "2026-02-10")))
    frame = year_on_year(build(store, {exams: rows}), Filters()).frame
    assert list(frame.studies) == [10, 0, 0] and list(frame.adjusted)[1:] == [-100, -100]


@pytest.mark.parametrize(("filters", "days", "said"), [
    (Filters(sites=("Nowhere",)), ["2026-05-04"], "No study matches the filters."),
    (Filters(date_to=dt.date(2026, 5, 3)), ["2026-05-04"], "No study matches the filters."),
    (Filters(), [], "There is no study yet.")])
def test_a_filter_that_selects_nothing_is_not_an_empty_archive(
        store: Store, filters: Filters, days: list[str], said: str) -> None:
    rows = _months(*((dt.date.fromisoformat(day), 1) for day in days))
    result = year_on_year(build(store, {exams: rows}), filters)
    assert result.n == 0 and result.notes[0] == said


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.2, 40), st.floats(0, 2))
def test_the_calendar_and_the_adjusted_change_make_up_the_change(seed: int, busy: float, weekend: float) -> None:
    """(1 + change) = (1 + calendar) (1 + adjusted), and weights are the counts' own means."""
    rng = np.random.default_rng(seed)
    days = pd.date_range("2023-01-01", "2025-12-31")
    means = np.where(days.dayofweek < 5, busy, busy * weekend)
    daily = pd.Series(rng.poisson(means), index=days)
    daily = daily[daily > 0]
    months = volume_years._months(daily, Filters(), dt.date(2026, 1, 1))
    compared = months[months.whole & months.covered_before]
    if compared.empty:
        return
    weights = volume_years._weights(daily, months, compared)
    frame = volume_years._compared(months, compared, weights).dropna()
    assert np.allclose(1 + frame.change / 100, (1 + frame.calendar / 100) * (1 + frame.adjusted / 100))
    used = daily.reindex(days, fill_value=0)[compared.index[0] - pd.DateOffset(months=12):]
    assert weights[WORKING] == pytest.approx(used[used.index.dayofweek < 5].mean())
    assert weights[SATURDAY] == pytest.approx(used[used.index.dayofweek == 5].mean())


def test_a_holiday_on_a_saturday_counts_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PACSMETER_HOLIDAYS", "GB-ENG")
    kinds = kinds_of_days(pd.Timestamp("2021-12-24"), pd.Timestamp("2021-12-28"))
    # Friday; Christmas on a Saturday; Boxing Day on a Sunday; their two substitutes on Monday and Tuesday
    assert list(kinds) == [WORKING, CLOSED, CLOSED, CLOSED, CLOSED]
    assert kinds_of_days(pd.Timestamp("2021-12-18"), pd.Timestamp("2021-12-18")).iloc[0] == SATURDAY


def test_strays_do_not_make_a_year_look_covered() -> None:
    assert begins(pd.Series([1, 0, 9, 11, 100, 90])) == 3
    assert begins(pd.Series([], dtype="int64")) is None
