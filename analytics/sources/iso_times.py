"""Times as messages write them: FHIR's dateTime and instant, XML Schema's dateTime, both of ISO 8601.

Nothing here raises on what a message holds, and nothing says the value: only that it is no instant, and why.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Literal
from zoneinfo import ZoneInfo

from analytics.sources import values

Fault = Literal["", "partial", "bad_instant", "clock_nonsense"]

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
"""No hospital's system wrote an event before this: a clock that had lost its time did."""
AHEAD = timedelta(days=1)
"""How far the clock of a sender may be ahead; what is planned may lie further in the future."""

_TIME = re.compile(
    r"(\d{4})(?:-(\d{2})(?:-(\d{2})(?:[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d+))?)?"
    r"[ ]?([Zz]|[+-]\d{2}(?::?\d{2})?)?)?)?)?", re.ASCII)

REASONS: dict[str, str] = {
    "bad_instant": "{} is not a date and a time (ISO 8601); correct it where the message is made.",
    "clock_nonsense": "{} is before 1970 or in the future; set the clock of the system that wrote it.",
}
"""Reason code to what is wrong and what to do, with the name of the field to fill in."""
PARTIAL = "{} without a time of day were passed over: a date alone says no instant"
NO_OFFSET = "times without an offset were read on the site's clock"


@dataclass(frozen=True)
class Moment:
    """What a time says.

    Attributes
    ----------
    at : the instant, UTC; nothing where there is a fault.
    fault : ``partial`` for a year, a month or a day alone; ``bad_instant``; ``clock_nonsense``.
    has_offset : whether it says its own offset from UTC.
    clock_change : whether the clocks show it twice or never.
    """

    at: datetime | None
    fault: Fault = ""
    has_offset: bool = True
    clock_change: bool = False

    @property
    def notes(self) -> list[str]:
        """What a person should know of how it was read."""
        said = {NO_OFFSET: not self.has_offset, values.CLOCK_CHANGE: self.clock_change}
        return [note for note, is_so in said.items() if is_so]


def moment(text: object, zone: ZoneInfo, now: datetime, *, planned: bool = False) -> Moment:
    """Read a time.

    Parameters
    ----------
    text : object
        What the message holds; anything but a text is no time.
    zone : ZoneInfo
        Of a time without an offset. A local time that the clocks show twice is read as the earlier, one they never
        show as the moment they change.
    now : datetime
        UTC.
    planned : bool
        Whether it may lie in the future: an appointment.
    """
    parts = _TIME.fullmatch(text.strip()) if isinstance(text, str) else None
    if not parts:
        return Moment(None, "bad_instant")
    year, month, day, hour, minute, second, fraction, offset = parts.groups()
    try:
        if hour is None:
            datetime(int(year), int(month or 1), int(day or 1), tzinfo=UTC)
            return Moment(None, "partial")
        seconds = min(int(second or 0), 59) if int(second or 0) <= 60 else 61
        local = datetime(int(year), int(month), int(day), int(hour), int(minute), seconds,  # noqa: DTZ001
                         int((fraction or "0")[:6].ljust(6, "0")))
        own = _offset(offset)
        at, change = (local.replace(tzinfo=own).astimezone(UTC), False) if own else values.on_clocks(local, zone)
    except (ValueError, OverflowError):
        return Moment(None, "bad_instant")
    if at < EARLIEST or (not planned and at > now + AHEAD):
        return Moment(None, "clock_nonsense", bool(offset))
    return Moment(at, "", bool(offset), change)


def _offset(text: str | None) -> timezone | None:
    if not text:
        return None
    if text in "Zz":
        return UTC
    hours, minutes = int(text[1:3]), int(text[3:].lstrip(":") or 0)
    if hours > 14 or minutes > 59:
        raise ValueError
    length = timedelta(hours=hours, minutes=minutes)
    return timezone(-length if text[0] == "-" else length)
