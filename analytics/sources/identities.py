"""Identities at the edge: a patient's id, name and birth date become pseudonyms where a record is read."""

from __future__ import annotations

import re
from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from analytics.core.pseudonym import Pseudonymizer
from analytics.sources.values import text


def plain_name(name: str) -> str:
    """Return a person's name without what two systems write differently about the same name.

    Only the first (alphabetic) component group counts; commas, carets and runs of blanks are one separator, and
    trailing empty components are dropped (PS3.5 6.2.1.1).
    """
    return re.sub(r"[\s^,]+", "^", name.split("=")[0]).strip("^")


def _by_unique(values: pa.Array, make: Callable[[str], str | None]) -> pa.Array:
    encoded = values.dictionary_encode()
    made = pa.array([make(one) for one in encoded.dictionary.to_pylist()], pa.string())
    return made.take(encoded.indices)


def patient_keys(values: pa.Array, pseudonymizer: Pseudonymizer) -> pa.Array:
    """Return the keys of patient ids, ``''`` where there is none."""
    return pc.fill_null(_by_unique(text(values, nulls=False), pseudonymizer.patient_key), "")


def name_keys(values: pa.Array, pseudonymizer: Pseudonymizer) -> pa.Array:
    """Return the keys of names."""
    return _by_unique(text(values, nulls=False), lambda name: pseudonymizer.key("name", plain_name(name)))


def birth_date_keys(days: pa.Array, pseudonymizer: Pseudonymizer) -> pa.Array:
    """Return the keys of birth dates, which are the same whatever format the source writes."""
    return _by_unique(pc.strftime(days, format="%Y%m%d"), lambda day: pseudonymizer.key("birth_date", day))


def completed_years(born: pa.Array, on: pa.Array) -> pa.Array:
    """Return ages in completed years, as `analytics.sources.patient.completed_years` does for one."""
    of_year = [pc.add(pc.multiply(pc.month(days), 100), pc.day(days)) for days in (born, on)]
    years = pc.subtract(pc.subtract(pc.year(on), pc.year(born)), pc.less(of_year[1], of_year[0]).cast(pa.int64()))
    return pc.if_else(pc.less(years, 0), pa.scalar(None, pa.int64()), years)
