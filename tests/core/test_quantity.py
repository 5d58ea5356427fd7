"""Numbers as people write them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.core.quantity import Quantity, format_quantity, unit_words


@pytest.mark.parametrize(("value", "unit", "text"), [
    (1_234_000_000_000, "By", "1.2 TB"), (999, "By", "999 B"), (1000, "By", "1.0 kB"), (999_960, "By", "1.0 MB"),
    (250e6, "By", "250 MB"), (0, "By", "0 B"), (-2.5e9, "By", "-2.5 GB"), (7.4e18, "By", "7.4 EB"),
    (220, "min", "3 h 40 min"), (60, "min", "1 h"), (59.7, "min", "1 h"), (0.5, "min", "30 s"),
    (-90, "min", "-1 h 30 min"),
    (1440, "min", "1 d"), (1500, "min", "1 d 1 h"), (1441, "min", "1 d 1 min"), (14400 * 2, "min", "20 d"),
    (12345, "{study}", "12,345"), (2.25, "{image}", "2.2"), (4.56, "%", "4.6 %"),
    (1234.4, "USD", "USD 1,234"), (-42442, "USD", "-USD 42,442"),
    (0.023, "USD", "USD 0.02"), (-5, "[hnsf'U]", "-5 HU"), (0.12, "1", "0.12"),
    (None, "By", "–"), (float("nan"), "min", "–"), (float("inf"), "%", "–"),
])
def test_values_are_written_as_people_write_them(value: float | None, unit: str, text: str) -> None:
    assert format_quantity(value, unit) == text


_STEP = {"B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12, "PB": 1e15, "EB": 1e18}


@given(st.integers(min_value=0, max_value=10**18))
def test_bytes_read_back_are_within_rounding(size: int) -> None:
    number, unit = format_quantity(size, "By").split()
    read = float(number.replace(",", "")) * _STEP[unit]
    assert abs(read - size) <= max(0.051 * _STEP[unit], 0.0051 * size) + 0.5
    assert 1 <= float(number.replace(",", "")) < 1000 or size == 0


@given(st.floats(min_value=1, max_value=14_000))
def test_durations_read_back_are_within_their_smallest_unit(minutes: float) -> None:
    text = format_quantity(minutes, "min")
    size = {"d": 1440, "h": 60, "min": 1}
    parts = re.findall(r"(\d+) (d|h|min)", text)
    assert len(parts) in (1, 2)
    read = sum(int(number) * size[unit] for number, unit in parts)
    assert abs(read - minutes) <= (60 if minutes >= 1439 else 1)


def test_a_quantity_prints_with_its_unit() -> None:
    assert str(Quantity(3.2e9, "By")) == "3.2 GB"
    assert unit_words("{study}") == "studies"
