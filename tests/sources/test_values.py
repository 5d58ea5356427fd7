"""Reading what an export writes: dates, times, numbers, and what cannot be read."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.sources import dicom_values as dv
from analytics.sources import values
from analytics.sources.identities import plain_name


def read_instants(*written: str | None, zone: str = "Europe/London", format_: str = "") -> list[dt.datetime | None]:
    return values.instant(pa.array(written, pa.string()), zone, format_).values.to_pylist()


def utc(*parts: int) -> dt.datetime:
    return dt.datetime(*parts, tzinfo=dt.UTC)  # type: ignore[misc]


def test_local_times_become_utc_and_offsets_count_before_the_zone() -> None:
    assert read_instants("2026-07-01 10:00:00", "2026-01-01T10:00", "2026-07-01 10:00:00+02:00", "20260701T100000Z",
                         None, "") == [utc(2026, 7, 1, 9), utc(2026, 1, 1, 10), utc(2026, 7, 1, 8),
                                       utc(2026, 7, 1, 10), None, None]


def test_times_when_the_clocks_change_are_read_one_way_and_counted() -> None:
    read = values.instant(pa.array(["2026-10-25 01:30:00", "2026-03-29 01:30:00", "2026-07-01 00:00:00"]),
                          "Europe/London")
    assert read.values.to_pylist()[:2] == [utc(2026, 10, 25, 0, 30), utc(2026, 3, 29, 1, 0)]
    assert (read.clock_changes, read.bad.any()) == (2, False)


@pytest.mark.parametrize("written", ["2026-02-30 10:00:00", "yesterday", "2026-13-01", "25/12/2026",
                                     "2026-01-01 25:00"])
def test_what_is_no_time_is_bad_and_not_guessed(written: str) -> None:
    read = values.instant(pa.array([written, "2026-01-01 10:00:00"]), "UTC")
    assert read.bad.tolist() == [True, False]
    assert read.values.null_count == 1


@given(st.integers(631_152_000, 2_082_758_400).map(lambda seconds: dt.datetime.fromtimestamp(seconds, dt.UTC)),
       st.sampled_from(["Europe/London", "America/New_York", "Asia/Kolkata", "UTC"]),
       st.sampled_from(["", "%Y-%m-%d %H:%M:%S", "%d/%m/%Y %H:%M:%S"]))
def test_any_time_that_exists_comes_back_as_the_standard_library_reads_it(
        at: dt.datetime, zone: str, format_: str) -> None:
    at = at.replace(tzinfo=None)
    expected = at.replace(tzinfo=ZoneInfo(zone)).astimezone(dt.UTC)
    if expected.astimezone(ZoneInfo(zone)).replace(tzinfo=None) != at:
        return  # an hour that the clocks never show
    assert read_instants(at.strftime(format_ or "%Y-%m-%dT%H:%M:%S"), zone=zone, format_=format_) == [expected]


def test_dates_are_exact_days_of_the_calendar() -> None:
    read = values.date(pa.array(["2026-01-31", "20260131", "2026-02-30", "31.01.2026", None, "0"]))
    assert read.values.to_pylist() == [dt.date(2026, 1, 31)] * 2 + [None] * 4
    assert read.bad.tolist() == [False, False, True, True, False, True]
    assert values.date(pa.array([20260131]), "%Y%m%d").values.to_pylist() == [dt.date(2026, 1, 31)]


@given(st.lists(st.one_of(st.none(), st.integers(-10**17, 10**17)), min_size=1))
def test_whole_numbers_are_exact_as_text_and_as_numbers(numbers: list[int | None]) -> None:
    written = pa.array([None if number is None else f" {number} " for number in numbers], pa.string())
    for column in (written, pa.array(numbers, pa.int64())):
        read = values.integer(column)
        assert read.values.to_pylist() == numbers
        assert not read.bad.any()


@pytest.mark.parametrize("written", ["1,234", "12 MB", "1.5", "--3", "nan", "inf", "0x10", "9" * 30])
def test_what_is_no_whole_number_is_bad(written: str) -> None:
    assert values.integer(pa.array([written])).bad.tolist() == [True]


def test_scaled_numbers_are_rounded_to_whole_ones() -> None:
    assert values.integer(pa.array(["12.5", "0.0004"]), 1000).values.to_pylist() == [12500, 0]
    assert values.number(pa.array(["1e3", ".5", "x"])).bad.tolist() == [False, False, True]


@given(st.lists(st.text(max_size=12)))
def test_no_text_makes_a_reader_fail(written: list[str]) -> None:
    column = pa.array(written, pa.string())
    for read in (values.integer(column), values.number(column), values.boolean(column), values.date(column),
                 values.instant(column, "Europe/London"), values.instant(column, "UTC", "%d/%m/%Y %H:%M")):
        empty = np.asarray(values.text(column).is_null())
        assert not (read.bad & empty).any(), "nothing is not a fault"
        assert len(read.values) == len(written)


def test_yes_and_no() -> None:
    read = values.boolean(pa.array(["Yes", "0", "maybe", ""]))
    assert read.values.to_pylist() == [True, False, None, None]
    assert read.bad.tolist() == [False, False, True, False]


def test_names_that_differ_only_in_writing_are_one_name() -> None:
    assert len({plain_name(name) for name in ("DOE^JANE", "DOE, JANE", "DOE^JANE^^^", "DOE JANE=ド^ー")}) == 1
    assert plain_name("DOE^JANE") != plain_name("DOE^JANET")


@given(st.text(max_size=30))
def test_no_text_makes_a_dicom_value_fail(text: str) -> None:
    for vr in ("AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "PN", "SH", "TM", "UI"):
        assert text not in dv.fault(vr, text) or len(text) < 4
    for read in (dv.date_of, dv.time_of, dv.age_years_of, dv.number_of, dv.offset_of):
        read(text)
    dv.instant_of(text, text, text, "UTC")
    dv.date_time_of(text, text, "UTC")


@given(st.binary(max_size=40),
       st.sampled_from(["", "ISO_IR 100", "ISO_IR 192", "GB18030", "ISO 2022 IR 87", "NONSENSE"]))
def test_no_bytes_make_decoding_fail(raw: bytes, character_set: str) -> None:
    text, _ = dv.decoded(raw, "LO", dv.encodings_of([character_set]))
    assert "\x00" not in text


@pytest.mark.parametrize(("text", "years"), [("034Y", 34), ("006M", 0.5), ("052W", 0.9966), ("34Y", None), ("", None)])
def test_age(text: str, years: float | None) -> None:
    assert dv.age_years_of(text) == years


@pytest.mark.parametrize(("vr", "text", "reason"), [
    ("DA", "20260230", "not a date of the calendar"), ("DA", "2026-01-01", "not a valid DA"), ("CS", "HEAD", ""),
    ("CS", "A" * 17, "longer than 16 characters"), ("DS", "1.5", ""), ("DS", "1,5", "not a valid DS"),
    ("UI", "1.02.3", "not a valid UI"), ("TM", "2560", "not a valid TM"), ("IS", "", "")])
def test_values_that_do_not_conform_have_a_reason(vr: str, text: str, reason: str) -> None:
    assert dv.fault(vr, text) == reason
