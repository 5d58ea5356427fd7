"""Turning what an export writes into the warehouse's types, a column at a time, and saying what cannot be read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

_INSTANT = pa.timestamp("us")
_UTC = pa.timestamp("us", tz="UTC")
_OFFSET = r"[T ][0-9:.]+ ?(Z|z|[+-][0-9]{2}(:?[0-9]{2})?)$"
_NOTHING = pa.array(["\\N", "NULL", "null"])
CLOCK_CHANGE = "local times fall where the clocks change and were read as the earlier one"


@dataclass(frozen=True)
class Read:
    """A column as the warehouse has it, empty where ``bad`` says that the value could not be read.

    Attributes
    ----------
    clock_changes : local times that the clocks show twice or never.
    """

    values: pa.Array
    bad: npt.NDArray[np.bool_]
    clock_changes: int = 0


def text(values: pa.Array, *, nulls: bool = True) -> pa.Array:
    """Return a column as text without blanks around it; nothing where it is empty.

    Parameters
    ----------
    values : pyarrow.Array
        Of any type. Whole numbers that came as floats are written without a fraction.
    nulls : bool
        Whether ``NULL`` and ``\\N``, which databases write for nothing, are nothing too.
    """
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if pa.types.is_floating(values.type) and pc.all(pc.equal(values, pc.floor(values))).as_py() is not False:
        values = values.cast(pa.int64(), safe=False)
    if not pa.types.is_string(values.type):
        values = values.cast(pa.string())
    values = pc.utf8_trim_whitespace(pc.replace_substring(values, "\x00", ""))
    empty = pc.equal(values, "")
    if nulls:
        empty = pc.or_(empty, pc.is_in(values, value_set=_NOTHING))
    return pc.if_else(empty, pa.scalar(None, pa.string()), values)


def joined(columns: list[pa.Array]) -> pa.Array:
    """Join columns by a blank, as a date and a time; nothing where one of them is empty."""
    return pc.binary_join_element_wise(*(text(column) for column in columns), " ") if len(columns) > 1 else columns[0]


def _mask(found: pa.Array) -> npt.NDArray[np.bool_]:
    return np.asarray(pc.fill_null(found, False).to_numpy(zero_copy_only=False), dtype=bool)


def _where(good: npt.NDArray[np.bool_], values: pa.Array) -> pa.Array:
    return pc.if_else(pa.array(good), values, pa.scalar(None, values.type))


def number(values: pa.Array, scale: float | None = None) -> Read:
    """Read numbers, times a scale."""
    if pa.types.is_integer(values.type) or pa.types.is_floating(values.type):
        numbers = values.cast(pa.float64(), safe=False)
    else:
        written = text(values)
        good = _mask(pc.match_substring_regex(written, r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?$"))
        bad = ~good & _mask(pc.is_valid(written))
        numbers = _where(good, written).cast(pa.float64())
        return Read(_scaled(numbers, scale), bad | _infinite(numbers))
    missing = pc.is_nan(numbers)
    numbers = pc.if_else(missing, pa.scalar(None, pa.float64()), numbers)
    return Read(_scaled(numbers, scale), _infinite(numbers))


def _infinite(numbers: pa.Array) -> npt.NDArray[np.bool_]:
    return _mask(pc.is_inf(numbers))


def _scaled(numbers: pa.Array, scale: float | None) -> pa.Array:
    return numbers if scale is None else pc.multiply(numbers, float(scale))


def integer(values: pa.Array, scale: float | None = None) -> Read:
    """Read whole numbers, exactly where no scale applies; a fraction that a scale leaves is rounded."""
    if scale is None and pa.types.is_integer(values.type):
        return Read(values.cast(pa.int64()), np.zeros(len(values), bool))
    if scale is None and pa.types.is_string(values.type):
        written = text(values)
        good = _mask(pc.match_substring_regex(written, r"^[+-]?[0-9]{1,18}(\.0*)?$"))
        bad = ~good & _mask(pc.is_valid(written))
        whole = pc.replace_substring_regex(_where(good, written), r"^\+|\.0*$", "")
        return Read(whole.cast(pa.int64()), bad)
    found = number(values, scale)
    exact = found.values if scale is None else pc.round(found.values)
    good = _mask(pc.and_(pc.equal(exact, pc.floor(exact)), pc.less(pc.abs(exact), 2.0**62)))
    bad = found.bad | (~good & _mask(pc.is_valid(exact)))
    return Read(_where(good, exact).cast(pa.int64()), bad)


def boolean(values: pa.Array) -> Read:
    """Read yes or no."""
    if pa.types.is_boolean(values.type):
        return Read(values, np.zeros(len(values), bool))
    written = pc.utf8_lower(text(values))
    true = pc.is_in(written, value_set=pa.array(["true", "t", "yes", "y", "1"]))
    false = pc.is_in(written, value_set=pa.array(["false", "f", "no", "n", "0"]))
    known = _mask(pc.or_(true, false))
    return Read(_where(known, true), ~known & _mask(pc.is_valid(written)))


def date(values: pa.Array, format_: str = "") -> Read:
    """Read calendar dates, by default as ``2026-01-31`` or ``20260131``."""
    if pa.types.is_temporal(values.type):
        return Read(values.cast(pa.date32(), safe=False), np.zeros(len(values), bool))
    encoded = text(values).dictionary_encode()
    found = _parsed_dates(encoded.dictionary, format_)
    days = found.take(encoded.indices)
    return Read(days, _mask(pc.and_(pc.is_valid(encoded.indices), pc.is_null(days))))


def _parsed_dates(written: pa.Array, format_: str) -> pa.Array:
    unique = written.to_pandas().astype(object)
    parsed = None
    for one in (format_,) if format_ else ("%Y-%m-%d", "%Y%m%d"):
        more = pd.to_datetime(unique, format=one, errors="coerce")
        parsed = more if parsed is None else parsed.fillna(more)
    return pa.array(parsed, from_pandas=True).cast(_INSTANT, safe=False).cast(pa.date32(), safe=False)


def instant(values: pa.Array, zone: str, format_: str = "") -> Read:
    """Read instants, as UTC; a time without an offset is one on the clocks of a zone.

    Parameters
    ----------
    zone : str
        IANA zone. A local time that the clocks show twice is read as the earlier; one they never show, as the
        moment they change.
    format_ : str
        As in `datetime.strptime`; ISO 8601 where empty.
    """
    if pa.types.is_temporal(values.type):
        if getattr(values.type, "tz", None):
            return Read(values.cast(pa.timestamp("us", tz=values.type.tz), safe=False).cast(_UTC),
                        np.zeros(len(values), bool))
        return _on_clocks(values.cast(_INSTANT, safe=False), np.zeros(len(values), bool), zone)
    written = text(values)
    present = _mask(pc.is_valid(written))
    if "%z" in format_:
        exact = _parsed(written, format_, utc=True).cast(_UTC)
        return Read(exact, present & ~_mask(pc.is_valid(exact)))
    with_offset = _mask(pc.match_substring_regex(written, _OFFSET)) if not format_ else np.zeros(len(written), bool)
    local = _parsed(_where(~with_offset, written), format_, utc=False)
    found = _on_clocks(local, present & ~with_offset & ~_mask(pc.is_valid(local)), zone)
    if not with_offset.any():
        return found
    exact = _parsed(_where(with_offset, written), format_, utc=True).cast(_UTC)
    bad = found.bad | (with_offset & ~_mask(pc.is_valid(exact)))
    return Read(pc.coalesce(exact, found.values), bad, found.clock_changes)


def on_clocks(local: datetime, zone: ZoneInfo) -> tuple[datetime, bool]:
    """Return one local time as `instant` reads it, and whether the clocks show it twice or never."""
    early, late = (local.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if early.utcoffset() == late.utcoffset():
        return early.astimezone(UTC), False
    read = instant(pa.array([local], pa.timestamp("us")), zone.key)
    return read.values[0].as_py().astimezone(UTC), True


def _parsed(written: pa.Array, format_: str, *, utc: bool) -> pa.Array:
    if written.null_count == len(written):
        return pa.nulls(len(written), _INSTANT)
    parsed = pd.to_datetime(written.to_pandas(), format=format_ or "ISO8601", errors="coerce", utc=utc)
    plain = parsed.dt.tz_localize(None) if utc else parsed
    return pa.array(plain, from_pandas=True).cast(_INSTANT, safe=False)


def _on_clocks(local: pa.Array, bad: npt.NDArray[np.bool_], zone: str) -> Read:
    early = pc.assume_timezone(local, zone, ambiguous="earliest", nonexistent="latest")
    late = pc.assume_timezone(local, zone, ambiguous="latest", nonexistent="earliest")
    changes = pc.sum(pc.not_equal(early, late)).as_py() or 0
    return Read(early.cast(_UTC), bad, int(changes))
