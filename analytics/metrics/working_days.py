"""Working days: Monday to Friday without the public holidays of a country."""

from __future__ import annotations

from collections.abc import Container, Iterable
from datetime import date

import holidays


def public_holidays(country: str, days: Iterable[date]) -> set[date]:
    """Return which of some days are public holidays of a country (ISO 3166-1) or its part: ``GB-ENG``."""
    if not country:
        return set()
    nation, _, part = country.partition("-")
    known = holidays.country_holidays(nation, subdiv=part or None)
    return {day for day in days if day in known}


def is_working_day(day: date, closed: Container[date]) -> bool:
    """Whether a day is Monday to Friday, and none of the holidays given."""
    return day.isoweekday() <= 5 and day not in closed
