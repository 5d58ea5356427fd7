"""Tables: people's words on the page, raw numbers in the download, and no formula out of a hospital's free text."""

from __future__ import annotations

import csv
import io
from datetime import date

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as some

from analytics.ui.filters import presets
from analytics.ui.tables import _number, csv_of, study_of


def rows_of(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))


def test_a_download_holds_raw_numbers():
    frame = pd.DataFrame({"bytes": [1_234_567_890_123], "minutes": [-2.5], "site": ["North"]})

    assert rows_of(csv_of(frame)) == [["bytes", "minutes", "site"], ["1234567890123", "-2.5", "North"]]


@pytest.mark.parametrize("text", ["=HYPERLINK(\"http://x\")", "+SUM(A1)", "@cmd", "-cmd", "\t=1"])
def test_text_is_never_a_formula(text):
    assert rows_of(csv_of(pd.DataFrame({"description": [text]})))[1][0].startswith("'")


@given(some.text(alphabet=some.characters(codec="utf-8", exclude_characters="\r\n\x00"), max_size=40))
def test_other_text_comes_back_as_it_was(text):
    back = (rows_of(csv_of(pd.DataFrame({"description": [text], "n": [1]}))))[1][0]

    assert back in (text, f"'{text}")


@pytest.mark.parametrize(("row", "number"), [
    ({"study_instance_uid": "1.2.3", "accession_number": "A 1"}, "1.2.3"),
    ({"study_instance_uid": None, "accession_number": "A 1/é"}, "A 1/é"),
    ({"study_instance_uid": float("nan"), "accession_number": ""}, None),
])
def test_a_row_leads_to_its_study(row, number):
    assert study_of(row) == number


@given(some.dates(date(1990, 1, 1), date(2100, 12, 31)))
def test_every_preset_is_a_period_that_ends_by_the_last_day(last):
    for first, until in presets(last).values():
        assert first <= until <= last


@pytest.mark.parametrize(("percent", "said"), [(0.0, "0.0 %"), (0.005, "< 0.1 %"), (0.05, "0.1 %"), (12.0, "12.0 %")])
def test_a_rare_fault_is_not_none(percent, said):
    assert _number(percent, "%").replace("\u202f", " ").replace("\xa0", " ") == said


def test_presets_are_whole_months_and_weeks():
    named = presets(date(2026, 3, 31))

    assert named["Last month"] == (date(2026, 2, 1), date(2026, 2, 28))
    assert named["Last year"] == (date(2025, 1, 1), date(2025, 12, 31))
    assert (named["Last 52 weeks"][1] - named["Last 52 weeks"][0]).days + 1 == 364
