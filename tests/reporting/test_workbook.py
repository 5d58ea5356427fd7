"""Tables as workbooks: Excel's own types, no text that acts as a formula, and what the numbers mean beside them."""

from __future__ import annotations

import datetime as dt
import io

import openpyxl
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl.workbook import Workbook

from analytics.core.errors import PacsmeterError
from analytics.core.filters import Filters
from analytics.core.results import LeftOut, MetricResult, MetricSpec
from analytics.reporting.workbook import About, about_result, sheet_names, table_workbook

MADE = dt.datetime(2026, 11, 3, 12, 0, tzinfo=dt.UTC)
ABOUT = About("Bytes by modality", MADE, 4)


def opened(frame: pd.DataFrame, about: About = ABOUT, **more: object) -> Workbook:
    return openpyxl.load_workbook(io.BytesIO(table_workbook({"Table": frame}, about, **more)))  # type: ignore[arg-type]


def test_dates_bytes_counts_and_truths_are_cells_of_their_own_type() -> None:
    frame = pd.DataFrame({
        "month": [dt.date(2026, 7, 1)], "size_bytes": [1_234_567_890_123], "studies": pd.array([None], dtype="Int64"),
        "share": [4.5], "urgent": [True], "seen_at": pd.to_datetime(["2026-07-01T11:30:00Z"])})
    sheet = opened(frame, site_zone="Europe/London", units={"size_bytes": "By", "share": "%"})["Table"]
    month, size, studies, share, urgent, seen = sheet[2]
    assert (month.value.isoformat(), month.number_format) == ("2026-07-01T00:00:00", "yyyy-mm-dd")
    assert (size.value, studies.value, share.value, urgent.value) == (1_234_567_890_123, None, 4.5, True)
    assert '"TB"' in size.number_format
    assert share.number_format.startswith("0.0")
    assert seen.value.isoformat() == "2026-07-01T12:30:00", "on the site's clock, in summer"
    assert sheet.freeze_panes == "A2"


@given(st.sampled_from(["=", "+", "-", "@", "\t=", "{="]), st.text("ABC123()!|' ", max_size=20))
def test_text_never_becomes_a_formula_or_a_link(start: str, rest: str) -> None:
    text = f"{start}{rest}x"
    cell = opened(pd.DataFrame({"=header": [text]}))["Table"]
    assert (cell["A1"].data_type, cell["A2"].data_type) == ("s", "s")
    assert cell["A2"].value == text


def test_a_web_address_stays_text() -> None:
    assert opened(pd.DataFrame({"a": ["http://example.org"]}))["Table"]["A2"].hyperlink is None


def test_a_long_uid_and_a_number_in_text_keep_every_digit() -> None:
    uid = "1.2.840.113619.2.55.3.604688119.969.1268071029.320"
    assert [cell.value for cell in opened(pd.DataFrame({"a": [uid, "007"]}))["Table"]["A"][1:]] == [uid, "007"]


def test_the_about_sheet_says_definition_source_filters_snapshot_and_what_is_left_out() -> None:
    spec = MetricSpec("storage.bytes", "Bytes stored", "Bytes as stored.", "By", "neutral", "ISO 1234:2020")
    result = MetricResult(spec, pd.DataFrame({"a": [1]}), "a", (), 1, 7,
                          left_out=(LeftOut("studies without a size", 1204), LeftOut("nothing of this", 0)))
    about = about_result(result, Filters(modalities=("CT", "MR")), MADE, is_demo=True)
    text = "\n".join(f"{label.value}: {value.value}" for label, value in opened(result.frame, about)["About"].rows)
    for said in ("Bytes as stored.", "ISO 1234:2020", "modalities: CT, MR", "Snapshot: 7",
                 "1,204 studies without a size", "invented hospital", "Made at: 2026-11-03 12:00 UTC"):
        assert said in text
    assert "nothing of this" not in text


@given(st.lists(st.text(min_size=0, max_size=40), min_size=1, max_size=5))
def test_any_sheet_name_is_made_one_that_excel_takes(names: list[str]) -> None:
    found = sheet_names(names)
    assert len({name.lower() for name in found}) == len(names)
    for name in found:
        assert 0 < len(name) <= 31
        assert not set(name) & set("[]:*?/\\")


def test_a_table_longer_than_a_sheet_is_refused_with_a_way_out() -> None:
    with pytest.raises(PacsmeterError, match="CSV"):
        table_workbook({"Table": pd.DataFrame(index=range(1_048_576))}, ABOUT)


def test_an_empty_table_is_a_workbook_with_its_header() -> None:
    assert opened(pd.DataFrame({"a": [], "b": []}))["Table"]["B1"].value == "b"


def test_one_column_name_has_the_unit_of_its_own_sheet() -> None:
    frame = pd.DataFrame({"change": [12.0]})
    book = openpyxl.load_workbook(io.BytesIO(table_workbook(
        {"Growth": frame, "Years": frame}, ABOUT, units={"Growth": {"change": "By"}, "Years": {"change": "%"}})))
    bytes_, percent = (book[name]["A2"].number_format for name in ("Growth", "Years"))
    assert "B" in bytes_ and "%" in percent and bytes_ != percent
