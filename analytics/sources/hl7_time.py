"""Times of an HL7 v2 message: data types TS and DTM as instants, and whether they can be true."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from analytics.sources import values
from analytics.sources.dicom_values import offset_of

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
"""No message is older: HL7 version 2 became a standard in 1990."""
LATER_AT_MOST = timedelta(days=1)
NO_TIME_OF_DAY = "times say the day alone and give no event"

_DTM = re.compile(r"(\d{4})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:\.(\d{1,6})\d*)?)?)?)?)?)?([+-]\d{4})?")
_COARSE = frozenset("YLDH")


@dataclass(frozen=True)
class Moment:
    """A DTM that was read.

    Attributes
    ----------
    at : UTC; empty where it says no minute, or is no time at all.
    wrong : whether it is no time at all.
    clock_change : whether the clocks show it twice or never.
    """

    at: datetime | None = None
    wrong: bool = False
    clock_change: bool = False


def moment_of(text: str, precision: str, default: tzinfo) -> Moment:
    """Read a DTM, ``YYYY[MM[DD[HH[MM[SS[.S[S[S[S]]]]]]]]][+/-ZZZZ]`` (HL7 v2.5.1, 2.A.22).

    Parameters
    ----------
    text : str
    precision : str
        TS.2, degree of precision (table 0529), of older messages: Y, L, D and H are no instant.
    default : tzinfo
        Of a time without an offset.

    Returns
    -------
    Moment
        Without a minute there is no instant: midnight, or the full hour, would be invented.
    """
    parts = _DTM.fullmatch(text.strip())
    if not parts:
        return Moment(wrong=True)
    year, month, day, hour, minute, second = (int(part) if part else None for part in parts.groups()[:6])
    try:
        date(year or 0, month or 1, day or 1)
        if minute is None or precision.upper() in _COARSE:
            return Moment(wrong=(hour or 0) > 23)
        local = datetime(year or 0, month or 1, day or 1, hour or 0, minute, min(second or 0, 59),  # noqa: DTZ001
                         int((parts[7] or "0").ljust(6, "0")))
        if (second or 0) > 60:
            return Moment(wrong=True)
        if parts[8]:
            offset = offset_of(parts[8])
            return Moment(local.replace(tzinfo=offset).astimezone(UTC)) if offset else Moment(wrong=True)
        return _on_clocks(local, default)
    except (ValueError, OverflowError):
        return Moment(wrong=True)


def _on_clocks(local: datetime, zone: tzinfo) -> Moment:
    if not isinstance(zone, ZoneInfo):
        return Moment(local.replace(tzinfo=zone).astimezone(UTC))
    at, change = values.on_clocks(local, zone)
    return Moment(at, clock_change=change)


@dataclass
class Clock:
    """Reads the times of one message, and keeps what was wrong with them.

    A time without an offset has that of MSH-7, "the default time zone throughout the message" (2.14.9.7), else the
    site's zone. Where the site's clocks stand at MSH-7's offset, the sender's are the site's: an appointment in July
    that is booked in January is one by the clocks of July.

    Attributes
    ----------
    zone : of the site.
    now : when the message is read.
    sent : MSH-7, where it is an instant that can be true.
    wrong, nonsense : names of fields that are no time, or that cannot be true.
    """

    zone: ZoneInfo
    now: datetime
    sent: datetime | None = None
    sent_text: str = ""
    wrong: list[str] = field(default_factory=list)
    nonsense: list[str] = field(default_factory=list)
    notes: Counter[str] = field(default_factory=Counter)
    _default: tzinfo | None = None
    _read: dict[tuple[str, str], datetime | None] = field(default_factory=dict)

    def start(self, text: str, precision: str) -> None:
        """Take in MSH-7."""
        self.sent_text = text
        offset = re.search(r"[+-]\d{4}$", text)
        self._default = offset_of(offset[0]) if offset else None
        self.sent = self.at("MSH-7", text, precision)
        if self._default and self.sent and self._default.utcoffset(None) == self.sent.astimezone(self.zone).utcoffset():
            self._default = None

    def at(self, name: str, text: str, precision: str = "", *, may_be_ahead: bool = False) -> datetime | None:
        """Return a field's instant, nothing where it is empty or cannot be used.

        Parameters
        ----------
        name : str
            The field, such as ``ORC-9``.
        text, precision : str
            Its first component, and TS.2.
        may_be_ahead : bool
            Whether it may lie in the future, as an appointment does.
        """
        if not text:
            return None
        if (name, text) not in self._read:
            self._read[name, text] = self._at(name, text, precision, may_be_ahead)
        return self._read[name, text]

    def _at(self, name: str, text: str, precision: str, may_be_ahead: bool) -> datetime | None:
        read = moment_of(text, precision, self._default or self.zone)
        if read.wrong:
            self._once(self.wrong, name)
        elif read.at is None:
            self.notes[NO_TIME_OF_DAY] += 1
        elif read.at < EARLIEST or (not may_be_ahead and read.at > (self.sent or self.now) + LATER_AT_MOST):
            self._once(self.nonsense, name)
        else:
            if read.clock_change:
                self.notes[values.CLOCK_CHANGE] += 1
            return read.at
        return None

    @staticmethod
    def _once(names: list[str], name: str) -> None:
        if name not in names:
            names.append(name)
