"""DICOM's value representations as the warehouse has them: dates, times, ages, text (PS3.5 2024e 6.2).

Nothing here raises on what a file holds, and nothing says the value: only that it cannot be read, and why.
"""

from __future__ import annotations

import re
import struct
import warnings
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

from pydicom import config
from pydicom.charset import convert_encodings, decode_bytes
from pydicom.valuerep import MAX_VALUE_LEN, PN_DELIMS, TEXT_VR_DELIMS, validate_value

_ESCAPE = b"\x1b"
BINARY = {"US": "H", "SS": "h", "UL": "I", "SL": "i", "UV": "Q", "SV": "q", "FL": "f", "FD": "d"}
SEXES = frozenset({"M", "F", "O"})
"""Patient's Sex (0010,0040): enumerated values, PS3.3 C.7.1.1."""

_TIME = re.compile(r"(\d{2}):?(\d{2})?:?(\d{2})?(?:\.(\d{1,6})\d*)?")
_DATE_TIME = re.compile(r"(\d{8})(\d{2}(?:\d{2}(?:\d{2}(?:\.\d{1,6})?)?)?)?([+-]\d{4})?")
_AGE_YEARS = {"D": 365.25, "W": 365.25 / 7, "M": 12.0, "Y": 1.0}
_ANY_CHARACTER_SET = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT"})


def encodings_of(character_set: Sequence[str]) -> list[str]:
    """Return the Python encodings of SpecificCharacterSet; ASCII alone where it is absent (PS3.3 C.12.1.1.2)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = list(convert_encodings(list(character_set)))
    if not character_set or character_set[0] in ("", "ISO_IR 6"):
        found[0] = "ascii"
    return found


def decoded(raw: bytes, vr: str, encodings: Sequence[str]) -> tuple[str, bool]:
    """Return the text of a value, and whether its character set could decode all of it."""
    raw = raw.rstrip(b"\x00 ")
    if vr not in _ANY_CHARACTER_SET:
        return raw.decode("latin-1").replace("\x00", ""), True
    try:
        if _ESCAPE not in raw:
            return raw.decode(encodings[0]).replace("\x00", ""), True
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            known = ["iso8859" if one == "ascii" else one for one in encodings]
            text = decode_bytes(raw, known, PN_DELIMS if vr == "PN" else TEXT_VR_DELIMS)
        return text.replace("\x00", ""), "\ufffd" not in text and "\x1b" not in text
    except (UnicodeError, LookupError):
        return raw.decode("latin-1").replace("\x00", ""), False


def fault(vr: str, value: str) -> str:
    """Say why a value does not conform to its VR, without the value; empty where it does."""
    if not value:
        return ""
    try:
        validate_value(vr, value, config.RAISE)
    except ValueError:
        limit = MAX_VALUE_LEN.get(vr)
        return f"longer than {limit} characters" if limit and len(value) > limit else f"not a valid {vr}"
    if vr == "DA" and date_of(value) is None:
        return "not a date of the calendar"
    if vr in ("DS", "IS") and number_of(value) is None:
        return f"not a valid {vr}"
    return ""


def binary_numbers(raw: bytes, vr: str, *, little_endian: bool) -> list[float | int]:
    """Return the numbers of a binary VR; none where the length does not fit."""
    code = BINARY[vr]
    size = struct.calcsize(code)
    if len(raw) % size:
        return []
    return list(struct.unpack(f"{'<' if little_endian else '>'}{len(raw) // size}{code}", raw))


def number_of(text: str) -> float | None:
    """Return a decimal or integer string as a number, nothing where it is none or is not finite."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if abs(number) < 1e300 and "_" not in text else None


def date_of(text: str) -> date | None:
    """Return a DA as a date; ``2026.01.31`` of ACR-NEMA and ``2026-01-31`` are read too."""
    digits = re.fullmatch(r"(\d{4})([.-]?)(\d{2})\2(\d{2})", text.strip())
    if not digits:
        return None
    try:
        return date(int(digits[1]), int(digits[3]), int(digits[4]))
    except ValueError:
        return None


def time_of(text: str) -> time | None:
    """Return a TM as a time of day; ``10:20:30`` of ACR-NEMA is read too, a leap second as the 59th."""
    parts = _TIME.fullmatch(text.strip())
    if not parts:
        return None
    hour, minute, second = (int(part or 0) for part in parts.groups()[:3])
    try:
        return time(hour, minute, min(second, 59) if second == 60 else second, int((parts[4] or "0").ljust(6, "0")))
    except ValueError:
        return None


def offset_of(text: str) -> timezone | None:
    """Return TimezoneOffsetFromUTC (0008,0201), such as ``+0100``."""
    parts = re.fullmatch(r"([+-])(\d{2})(\d{2})", text.strip())
    if not parts or int(parts[2]) > 14 or int(parts[3]) > 59:
        return None
    minutes = int(parts[2]) * 60 + int(parts[3])
    return timezone(timedelta(minutes=-minutes if parts[1] == "-" else minutes))


def instant_of(day: str, clock: str, offset: str, zone: str) -> datetime | None:
    """Return a date and a time as UTC, by the object's own offset or, where it has none, by the site's zone.

    Nothing without a time: midnight would be an invented hour. Where the clocks show a time twice, the earlier.
    """
    when, at = date_of(day), time_of(clock)
    if when is None or at is None:
        return None
    try:
        return datetime.combine(when, at, tzinfo=offset_of(offset) or ZoneInfo(zone)).astimezone(UTC)
    except OverflowError:
        return None


def date_time_of(text: str, offset: str, zone: str) -> datetime | None:
    """Return a DT as UTC; its own offset counts before the object's."""
    parts = _DATE_TIME.fullmatch(text.strip())
    return instant_of(parts[1], parts[2] or "", parts[3] or offset, zone) if parts else None


def age_years_of(text: str) -> float | None:
    """Return an AS, such as ``034Y`` or ``006M``, in years."""
    parts = re.fullmatch(r"(\d{3})([DWMY])", text.strip())
    return round(int(parts[1]) / _AGE_YEARS[parts[2]], 4) if parts else None
