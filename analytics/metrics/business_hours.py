"""Business hours: minutes that count only while a site is at work, as a choice beside the clock."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from analytics.core.errors import PacsmeterError
from analytics.core.quantity import BUSINESS_MINUTES, MINUTES, format_quantity
from analytics.core.results import MetricSpec
from analytics.core.settings import load_settings
from analytics.core.terms import PRIORITIES
from analytics.metrics.scope import FIRST_EXAM_DATE
from analytics.metrics.working_days import is_working_day, public_holidays
from analytics.warehouse.expressions import epoch_seconds, literal, rows_of_numbers
from analytics.warehouse.schema import exams

Hours = str
"""Which minutes count: ``clock`` (all), ``business`` (those of the settings), or others, such as ``7:30-19``."""
CLOCK, BUSINESS = "clock", "business"
EVERY_MINUTE = "Every minute counts, day and night, unless business hours are chosen."
AT_ANY_HOUR = ("S", "A")
"""Priorities (HL7 table 0485) whose targets are promised by day and by night, so that the clock judges them always."""

_DAY = 86400
_LONGEST_DAY = 20 * 60
"""Minutes. At least four hours are closed, so that no change of the clock moves two days' hours into one."""
_WRITTEN = re.compile(r"(\d{1,2})(?::([0-5]\d))?-(\d{1,2})(?::([0-5]\d))?")
_AFTER = timedelta(days=366)
"""So long after the snapshot's instant hours go on: what lies later is a wrong date."""


@dataclass(frozen=True)
class BusinessHours:
    """The hours of every Monday to Friday that is no public holiday.

    Attributes
    ----------
    opens, closes : minutes of the day on the site's clock.
    zone : IANA zone of that clock.
    country : whose public holidays are closed (ISO 3166-1 or a part of it); empty where none are known.
    """

    opens: int
    closes: int
    zone: str
    country: str = ""

    @property
    def day_minutes(self) -> int:
        """Return how many minutes a business day has."""
        return self.closes - self.opens

    @property
    def definition(self) -> str:
        """Say which minutes count."""
        closed = f" without public holidays ({self.country})" if self.country else ", public holidays included"
        return (f"Only business hours count: {_time_words(self.opens)} to {_time_words(self.closes)} on the site's "
                f"clock ({self.zone}), Monday to Friday{closed}. What begins outside them counts from when they begin "
                "next, and what begins and ends outside them takes 0 minutes.")

    @property
    def notes(self) -> tuple[str, ...]:
        """Say what a reader of business hours could take wrongly."""
        unknown = () if self.country else (
            "Public holidays count as business days: PACSMETER_HOLIDAYS does not say whose.",)
        return (f"24 h here are 24 business hours, which is {1440 / self.day_minutes:.1f} business days.",
                "Stat and urgent exams are read at any hour, and one read at night takes 0 minutes here: read those by "
                "the clock.", *unknown)

    def target_notes(self, targets: Mapping[str, float]) -> tuple[str, ...]:
        """Say how targets (minutes by priority) are held against business hours."""
        promised = " and ".join(PRIORITIES.get(code, code) for code in targets if code in AT_ANY_HOUR)
        others = "; ".join(
            f"{PRIORITIES.get(code, code)} {format_quantity(minutes, BUSINESS_MINUTES)}, which is "
            f"{minutes / self.day_minutes:.1f} business days"
            for code, minutes in targets.items() if code not in AT_ANY_HOUR)
        said = []
        if promised:
            said.append(f"Promised by day and by night, so held against the clock here too: {promised}.")
        if others:
            said.append(f"These keep their minutes, now of business hours: {others}.")
        return tuple(said)

    def spec(self, spec: MetricSpec) -> MetricSpec:
        """Return what a metric is once only business hours count."""
        return replace(spec, name=f"{spec.name}, business hours",
                       unit=BUSINESS_MINUTES if spec.unit == MINUTES else spec.unit,
                       definition=f"{spec.definition.replace(EVERY_MINUTE, '').strip()} {self.definition}")


def business_hours(hours: Hours, site_zone: str | None = None) -> BusinessHours | None:
    """Return the business hours asked for, with the settings' holidays; ``None`` where the clock counts.

    Raises
    ------
    PacsmeterError
        ``hours`` is not understood, or leaves less than four hours of the day closed.
    """
    if hours == CLOCK:
        return None
    settings = load_settings()
    written = settings.business_hours if hours == BUSINESS else hours
    found = _WRITTEN.fullmatch(written)
    first, first_minute, last, last_minute = (int(part or 0) for part in found.groups()) if found else (0, 0, 0, 0)
    opens, closes = 60 * first + first_minute, 60 * last + last_minute
    if not 0 <= opens < closes <= 1440 or closes - opens > _LONGEST_DAY:
        raise PacsmeterError(f"{written!r} are no business hours",
                             "Give 'clock', 'business', or hours with at least four closed, such as 7:30-19.",
                             "PACSMETER_BUSINESS_HOURS" if hours == BUSINESS else "")
    return BusinessHours(opens, closes, site_zone or settings.site_zone, settings.holidays)


def spec_of(spec: MetricSpec, business: BusinessHours | None) -> MetricSpec:
    """Return what a metric is by the clock, or once only business hours count."""
    return business.spec(spec) if business else spec


class BusinessMinutes:
    """Business minutes of exams from one instant to another, as expressions over a table of days that is joined.

    A minute of business is counted from the first day on, so that an interval is the difference of two such counts:
    those before the day of an instant, and the part of its day. Days are joined and not computed in the query: the
    site's zone and holidays cost nothing, however many exams there are.

    Attributes
    ----------
    minutes : from ``start`` to ``end``.
    age : from ``start`` to ``now``.
    source : what the expressions select from: the table with the days.
    """

    def __init__(self, business: BusinessHours, start: sa.ColumnElement[Any], end: sa.ColumnElement[Any],
                 now: datetime | None, table: sa.FromClause = exams) -> None:
        last = (now.date() if now else FIRST_EXAM_DATE) + _AFTER
        calendar = _calendar(business, FIRST_EXAM_DATE, last)
        days = sa.select(*(rows_of_numbers(values).label(name) for name, values in calendar.columns)).cte("calendar")
        first, final = days.alias("first_day"), days.alias("final_day")
        begun, ended = calendar.worked(first, start), calendar.worked(final, end)
        until = literal(float(calendar.worked_at(now.timestamp()) if now else 0))
        self.minutes = sa.type_coerce((ended - begun) / literal(60.0), sa.Double)
        self.age = sa.type_coerce((until - begun) / literal(60.0), sa.Double)
        self.source = (table.outerjoin(first, calendar.day_of(start) == first.c.day)
                       .outerjoin(final, calendar.day_of(end) == final.c.day))


@dataclass(frozen=True)
class _Calendar:
    """Business hours as days that each hold no more than one stretch of them; all in seconds since 1970 (UTC).

    Attributes
    ----------
    night : at which second of the UTC day the days begin: in the middle of the closed hours.
    first : number of the first day; the first and the last are closed.
    before : business seconds before each day.
    opens : when its hours begin, from its own beginning.
    length : how long they last; 0 where it is closed.
    """

    night: int
    first: int
    before: tuple[int, ...]
    opens: tuple[int, ...]
    length: tuple[int, ...]

    @property
    def columns(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        return (("day", tuple(range(self.first, self.first + len(self.before)))), ("before", self.before),
                ("opens", self.opens), ("length", self.length))

    def day_of(self, instant: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        """Return the number of an instant's day; of one before or after all of them, the first or the last."""
        day = sa.func.floor((epoch_seconds(instant) - literal(float(self.night))) / literal(float(_DAY)))
        inside = sa.func.greatest(literal(float(self.first)),
                                  sa.func.least(literal(float(self.first + len(self.before) - 1)), day))
        return sa.case((instant.is_not(None), sa.cast(inside, sa.BigInteger)))

    def worked(self, days: sa.FromClause, instant: sa.ColumnElement[Any]) -> sa.ColumnElement[float]:
        """Return the business seconds up to an instant whose day is joined."""
        since = epoch_seconds(instant) - literal(float(self.night)) - literal(float(_DAY)) * days.c.day - days.c.opens
        part = sa.func.greatest(literal(0.0), sa.func.least(since, sa.cast(days.c.length, sa.Double)))
        return sa.type_coerce(sa.case((instant.is_not(None), days.c.before + part)), sa.Double)

    def worked_at(self, instant: float) -> float:
        """Return the business seconds up to an instant that is known."""
        day, second = divmod(instant - self.night, _DAY)
        place = int(min(max(day - self.first, 0), len(self.before) - 1))
        return self.before[place] + max(0.0, min(second - self.opens[place], self.length[place]))


@functools.lru_cache(maxsize=8)
def _calendar(business: BusinessHours, first: date, last: date) -> _Calendar:
    zone = ZoneInfo(business.zone)
    offset = datetime(last.year, 1, 1, tzinfo=zone).utcoffset() or timedelta()
    night = (30 * (business.opens + business.closes + 1440) - int(offset.total_seconds())) % _DAY
    dates = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    closed = public_holidays(business.country, dates)
    begins: dict[int, int] = {}
    lasts: dict[int, int] = {}
    for working in (one for one in dates if is_working_day(one, closed)):
        opens, closes = (_instant(working, minute, zone) for minute in (business.opens, business.closes))
        if datetime.fromtimestamp(closes - 1, zone).date() != working:
            continue  # a day that the zone left out when it crossed the date line
        day, second = divmod(opens - night, _DAY)
        if day in lasts or second + closes - opens > _DAY:
            raise PacsmeterError(f"Business hours cannot be counted in {business.zone} around {working}",
                                 "Choose the clock, or shorter hours.")
        begins[day], lasts[day] = second, closes - opens
    every = range(min(begins) - 1, max(begins) + 2)
    length = tuple(lasts.get(day, 0) for day in every)
    before = tuple(itertools.accumulate(length, initial=0))[:-1]
    return _Calendar(night, every[0], before, tuple(begins.get(day, 0) for day in every), length)


def _instant(day: date, minute: int, zone: ZoneInfo) -> int:
    later, minute = divmod(minute, 1440)
    wall = datetime.combine(day + timedelta(days=later), time(minute // 60, minute % 60), zone)
    return int(wall.timestamp())


def _time_words(minute: int) -> str:
    return f"{minute // 60}:{minute % 60:02d}"
