"""Business minutes are those that a person counts one by one, on both engines."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Sequence
from zoneinfo import ZoneInfo

import holidays
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics.core.errors import PacsmeterError
from analytics.core.filters import Filters
from analytics.core.quantity import BUSINESS_MINUTES, format_quantity
from analytics.metrics.business_hours import BusinessHours, BusinessMinutes, business_hours
from analytics.metrics.catalog import compute
from analytics.metrics.drill import count_behind
from analytics.metrics.intervals import INTERVALS
from analytics.warehouse.schema import Instant, exams
from analytics.warehouse.store import Store, Warehouse
from tests.metrics.random_exams import random_exams
from tests.spec.case import at
from tests.support import build

MINUTE = dt.timedelta(minutes=1)
Pairs = Sequence[tuple[dt.datetime | None, dt.datetime | None]]
# Days on which clocks change: on a Sunday, by half an hour, on a Friday at midnight, and a Friday that never was
SITES = {
    "Europe/London": ("GB-ENG", ["2026-03-27", "2025-10-24", "2025-12-23", "2026-04-01"]),
    "America/New_York": ("US", ["2026-03-06", "2025-10-31", "2026-07-02"]),
    "Australia/Lord_Howe": ("AU-NSW", ["2026-04-03", "2025-10-03"]),
    "Asia/Amman": ("JO", ["2021-03-24", "2021-10-27"]),
    "Pacific/Apia": ("", ["2011-12-28"]),
    "Asia/Kolkata": ("", ["2026-01-28"]),
}


@functools.cache
def _holidays(country: str) -> holidays.HolidayBase:
    nation, _, part = country.partition("-")
    return holidays.country_holidays(nation, subdiv=part or None)


def counted_one_by_one(site: BusinessHours, start: dt.datetime, end: dt.datetime) -> int:
    """Look at the site's clock in every minute from ``start`` to ``end``."""
    if end < start:
        return -counted_one_by_one(site, end, start)
    zone, closed, counted, minute = ZoneInfo(site.zone), _holidays(site.country) if site.country else (), 0, start
    while minute < end:
        wall = minute.astimezone(zone)
        at_work = site.opens <= 60 * wall.hour + wall.minute < site.closes
        counted += wall.weekday() < 5 and at_work and wall.date() not in closed
        minute += MINUTE
    return counted


def counted_in_sql(warehouse: Warehouse, site: BusinessHours, pairs: Pairs, now: dt.datetime,
                   ) -> list[tuple[float | None, float | None]]:
    rows = [(place, *pair) for place, pair in enumerate(pairs)]
    table = sa.values(sa.column("place", sa.Integer), sa.column("starts_at", Instant), sa.column("ends_at", Instant),
                      name="pairs").data(rows)
    starts, ends = (sa.cast(table.c[name], Instant) for name in ("starts_at", "ends_at"))
    counted = BusinessMinutes(site, starts, ends, now, table)
    select = sa.select(counted.minutes.label("minutes"), counted.age.label("age")).select_from(counted.source)
    return [(row["minutes"], row["age"]) for row in warehouse.arrow(select.order_by(table.c.place)).to_pylist()]


@st.composite
def sites_and_pairs(draw: st.DrawFn) -> tuple[BusinessHours, Pairs]:
    zone = draw(st.sampled_from(sorted(SITES)))
    country, days = SITES[zone]
    opens, closes = draw(st.sampled_from([(480, 1080), (450, 1140), (540, 1020), (240, 1440), (0, 1200)]))
    midnight = dt.datetime.fromisoformat(draw(st.sampled_from(days))).replace(tzinfo=ZoneInfo(zone))
    instants = st.integers(0, 5 * 1440).map(lambda minute: midnight.astimezone(dt.UTC) + minute * MINUTE)
    pairs = draw(st.lists(st.one_of(st.tuples(instants, instants), instants.map(lambda one: (one, one))), min_size=1,
                          max_size=8))
    return BusinessHours(opens, closes, zone, country), pairs


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(asked=sites_and_pairs())
def test_every_minute_at_work_counts_and_no_other(empty: Warehouse, asked: tuple[BusinessHours, Pairs]) -> None:
    site, pairs = asked
    now = max(instant for pair in pairs for instant in pair if instant)
    expected = [(counted_one_by_one(site, start, end), counted_one_by_one(site, start, now)) for start, end in pairs]

    assert counted_in_sql(empty, site, pairs, now) == expected


@pytest.fixture
def empty(store: Store) -> Warehouse:
    return build(store, {})


LONDON = BusinessHours(480, 1080, "Europe/London", "GB-ENG")


KNOWN = [
    ("2026-03-02 09:00", "2026-03-02 10:30", 90.0),
    ("2026-03-02 07:00", "2026-03-02 09:00", 60.0),      # before hours: counts from 8:00
    ("2026-03-02 20:00", "2026-03-03 03:00", 0.0),       # read at night
    ("2026-03-06 17:00", "2026-03-09 09:00", 120.0),     # over the weekend
    ("2026-03-27 17:00", "2026-03-30 08:00", 120.0),     # the clock goes forward: 8:00 UTC is 9:00
    ("2026-04-02 16:00", "2026-04-07 08:00", 120.0),     # Good Friday to Easter Monday; 17:00 and 9:00 in summer time
    ("2025-12-24 17:00", "2025-12-29 09:00", 120.0),     # both days of Christmas
    ("2026-03-02 09:00:20", "2026-03-02 09:01", 40 / 60),
    ("2026-03-03 09:00", "2026-03-02 17:00", -120.0),
    (None, "2026-03-02 09:00", None), ("2026-03-02 09:00", None, None),
]


def test_known_intervals(empty: Warehouse) -> None:
    pairs = [(at(start) if start else None, at(end) if end else None) for start, end, _ in KNOWN]
    counted = counted_in_sql(empty, LONDON, pairs, at("2026-05-01 12:00"))
    assert [minutes for minutes, _ in counted] == [minutes for *_, minutes in KNOWN]


def test_wrong_dates_far_away_neither_fail_nor_count(empty: Warehouse) -> None:
    now = at("2026-03-02 12:00")
    long = counted_in_sql(empty, LONDON, [(at("1900-01-01 09:00"), at("2199-01-01 09:00"))], now)[0]
    whole = counted_in_sql(empty, LONDON, [(at("1980-01-01 00:00"), at("2027-03-03 23:00"))], now)[0]
    assert long == whole


@pytest.fixture
def random_warehouse(duck_store: Store) -> Warehouse:
    return build(duck_store, {exams: random_exams(4)})


@pytest.mark.parametrize("interval", [one.id for one in INTERVALS])
def test_the_clock_decides_how_long_and_never_which_exams(random_warehouse: Warehouse, interval: str) -> None:
    warehouse = random_warehouse
    clock, business = (compute(interval, warehouse, Filters(), hours=hours, site_zone="Europe/London")
                       for hours in ("clock", "business"))

    assert clock.n == business.n and clock.left_out == business.left_out
    assert clock.frame.open.tolist() == business.frame.open.tolist()
    assert (business.frame["mean"].dropna() <= clock.frame["mean"].dropna() + 1e-9).all()
    assert warehouse.count(business.rows) == business.n
    assert business.spec.unit == BUSINESS_MINUTES and "8:00 to 18:00" in business.spec.definition
    assert "Every minute counts" in clock.spec.definition and "Every minute" not in business.spec.definition


@pytest.mark.parametrize("metric_id", ["turnaround.swim_rtat", "turnaround.breaches", "turnaround.with_open_cases",
                                       "turnaround.open_cases"])
@pytest.mark.parametrize("hours", ["clock", "business"])
def test_a_mark_of_an_hour_leads_to_its_exams(random_warehouse: Warehouse, metric_id: str, hours: str) -> None:
    warehouse = random_warehouse
    split = compute(metric_id, warehouse, Filters(), by="hour", hours=hours, site_zone="Europe/London")

    assert "hour" in split.dimensions and len(set(split.frame.hour)) > 12
    counted = "n" if "n" in split.frame and metric_id == "turnaround.swim_rtat" else "exams"
    for mark in split.frame.head(12).to_dict("records"):
        assert count_behind(warehouse, split, {name: mark[name] for name in split.dimensions}) == mark[counted]


def test_public_holidays_are_those_of_the_settings(duck_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    row = random_exams(1, 1)[0] | {
        "exam_date": dt.date(2025, 12, 24), "has_order": True, "exam_cancelled_at": None,
        "images_prepared_at": at("2025-12-24 17:00"), "reported_at": at("2025-12-29 09:00")}
    warehouse = build(duck_store, {exams: [row]})

    def median() -> tuple[float | None, str]:
        result = compute("turnaround.swim_rtat", warehouse, Filters(), hours="business", site_zone="Europe/London")
        return result.headline, " ".join((result.spec.definition, *result.notes))

    minutes, said = median()
    assert minutes == 120 + 2 * 600 and "PACSMETER_HOLIDAYS does not say whose" in said
    monkeypatch.setenv("PACSMETER_HOLIDAYS", "GB-ENG")
    minutes, said = median()
    assert minutes == 120 and "without public holidays (GB-ENG)" in said and "PACSMETER" not in said


def test_the_settings_say_a_sites_business_hours_and_a_wrong_one_names_its_setting(
        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PACSMETER_BUSINESS_HOURS", "7:30-19")
    assert business_hours("business", "UTC") == business_hours("7:30-19", "UTC")
    monkeypatch.setenv("PACSMETER_BUSINESS_HOURS", "never")
    with pytest.raises(PacsmeterError, match="PACSMETER_BUSINESS_HOURS"):
        business_hours("business", "UTC")


def test_a_site_gives_its_own_hours_and_a_wrong_one_is_refused() -> None:
    own = business_hours("7:30-19", "UTC")
    assert own and (own.opens, own.closes, own.day_minutes) == (450, 1140, 690)
    assert business_hours("clock") is None
    for wrong in ("", "office", "18-8", "8-8", "0-24", "8-25", "8-18-20", "8:60-18"):
        with pytest.raises(PacsmeterError, match="no business hours"):
            business_hours(wrong)


@pytest.mark.parametrize(("minutes", "said"), [
    (0.5, "30 s"), (90.0, "1 h 30 min"), (1439.0, "23 h 59 min"), (1439.8, "24 h"), (1500.0, "25 h"),
    (1545.0, "25 h 45 min"), (6031.0, "101 h"), (60000.0, "1,000 h"), (-1500.0, "-25 h")])
def test_business_hours_are_never_written_as_days(minutes: float, said: str) -> None:
    assert format_quantity(minutes, BUSINESS_MINUTES) == said
