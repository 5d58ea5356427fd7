"""Any page shows two periods or two sites side by side, and its link brings the same comparison back."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from analytics.core.filters import Filters
from analytics.metrics.facets import Choices, Device
from analytics.ui import parts, quality
from analytics.ui.compare import pair_of
from tests.pages.conftest import Opened
from tests.pages.test_pages import asked, said

CHOICES = Choices(("North", "South", "West"), (), (), (), (), date(2024, 1, 1), date(2026, 3, 31), None, is_demo=False)
MARCH = Filters(date(2026, 3, 1), date(2026, 3, 31))


def test_a_period_is_compared_with_as_many_days_before_it_or_with_the_same_weekdays_a_year_before():
    this, before = pair_of("before", MARCH, CHOICES)
    assert this.filters == MARCH and this.name == "1 Mar 2026 to 31 Mar 2026"
    assert (before.filters.date_from, before.filters.date_to) == (date(2026, 1, 29), date(2026, 2, 28))
    _, year = pair_of("year", MARCH, CHOICES)
    assert (year.filters.date_from, year.filters.date_to) == (date(2025, 3, 2), date(2025, 4, 1))
    assert year.filters.date_from.weekday() == MARCH.date_from.weekday()


def test_without_a_period_the_last_13_weeks_are_compared():
    this, before = pair_of("before", Filters(), CHOICES)
    assert (this.filters.date_from, this.filters.date_to) == (date(2025, 12, 31), date(2026, 3, 31))
    assert (before.filters.date_from, before.filters.date_to) == (date(2025, 10, 1), date(2025, 12, 30))


def test_a_day_that_is_not_over_is_not_compared():
    this, _ = pair_of("before", MARCH, replace(CHOICES, as_of=datetime(2026, 3, 31, 14, tzinfo=UTC)))
    assert this.filters.date_to == date(2026, 3, 30)


def test_a_site_is_compared_with_the_one_chosen_or_with_all_others():
    here, there = pair_of("South", Filters(sites=("North",), station_names=("CT1",), modalities=("CT",)), CHOICES)
    assert here.name == "North" and here.filters.station_names == ("CT1",)
    assert there.filters == Filters(sites=("South",), modalities=("CT",)), "North's device is none of South's"
    rest, _ = pair_of("South", Filters(), CHOICES)
    assert rest.filters.sites == ("North", "West")


@pytest.mark.parametrize("compared", ["nothing", "South", "Nowhere"])
def test_nothing_is_compared_with_itself_or_with_what_is_not_there(compared: str):
    assert pair_of(compared, Filters(sites=("South",)), CHOICES) is None


@pytest.mark.parametrize("file", ["app.py", "pages/volume.py", "pages/storage.py", "pages/turnaround.py",
                                  "pages/sources.py", "pages/network.py", "pages/utilization.py",
                                  "pages/backlog.py", "pages/consistency.py"])
def test_a_link_shows_two_sites_side_by_side_on_every_page_with_charts(app: Opened, file: str):
    page = app(file, compare="Southmoor", sites=["Northgate"])
    assert not page.exception and not page.error and not page.warning
    words = said(page)
    assert ">Northgate<" in words and ">Southmoor<" in words
    assert asked(page, "compare") == ["Southmoor"]


def cards(page: AppTest) -> list[str]:
    """Return every headline card on a page, as it is drawn."""
    return re.findall(r'<div class="pm-card".*?</div></div>', said(page))


def sentences(page: AppTest) -> list[str]:
    """Return every sentence on a page that is marked as a thing to look at, without the check that is chosen."""
    return [item for item in re.findall(r'<div class="pm-item.*?</div>', said(page)) if not re.search(
        r" · [A-Z]{3}\d{3}</b></span></div>$", item)]


@pytest.mark.parametrize("file", ["app.py", "pages/volume.py", "pages/turnaround.py", "pages/backlog.py",
                                  "pages/storage.py", "pages/network.py", "pages/utilization.py",
                                  "pages/consistency.py"])
def test_headlines_and_what_needs_attention_are_those_of_each_view(app: Opened, file: str):
    north, south = (app(file, sites=[site]) for site in ("Northgate", "Southmoor"))
    both = app(file, sites=["Northgate"], compare="Southmoor")

    assert not both.exception and not both.error
    assert sorted(cards(both)) == sorted(cards(north) + cards(south))
    assert sorted(sentences(both)) == sorted(sentences(north) + sentences(south))


def test_what_was_loaded_is_the_same_for_every_view_and_stands_once(app: Opened):
    assert cards(app("pages/sources.py", compare="year")) == cards(app("pages/sources.py"))


def test_what_a_chart_says_is_said_of_each_view(app: Opened):
    change = r"[+-][\d,]+ studies: .+"
    north, south = (re.findall(change, said(app("pages/volume.py", sites=[site]))) for site in
                    ("Northgate", "Southmoor"))
    both = re.findall(change, said(app("pages/volume.py", sites=["Northgate"], compare="Southmoor")))
    assert north and south and sorted(both) == sorted(north + south)


def test_the_two_charts_of_a_comparison_have_one_scale(app: Opened):
    page = app("pages/volume.py", compare="Westbrook", sites=["Northgate"])
    first, second = (json.loads(chart.proto.spec)["layout"]["yaxis"] for chart in page.get("plotly_chart")[:2])
    assert first["range"] == second["range"] and first["ticktext"] == second["ticktext"]


def test_the_comparison_is_chosen_once_and_taken_off_again(app: Opened):
    page = app("pages/volume.py")
    alone = len(page.get("plotly_chart"))
    page.selectbox(key="compare").set_value("year").run()
    assert len(page.get("plotly_chart")) == 2 * alone
    page.selectbox(key="compare").set_value("nothing").run()
    assert len(page.get("plotly_chart")) == alone and "compare" not in page.query_params


def specs(page: AppTest) -> list[dict[str, Any]]:
    return [json.loads(chart.proto.spec) for chart in page.get("plotly_chart")]


def test_checks_of_two_views_stand_in_the_same_lines(app: Opened):
    first, second = (chart["layout"] for chart in specs(app("pages/consistency.py", compare="Southmoor",
                                                           sites=["Northgate"]))[:2])
    assert first["yaxis"]["categoryarray"] == second["yaxis"]["categoryarray"]
    assert first["height"] == second["height"] and first["xaxis"]["range"] == second["xaxis"]["range"]


def tables(page: AppTest, column: str) -> list[pd.DataFrame]:
    return [table.value.reset_index(drop=True) for table in page.dataframe if column in table.value]


NOW = {"date_from": "2026-09-01", "date_to": "2026-10-30"}
BEFORE = {"date_from": "2026-07-03", "date_to": "2026-08-31"}
"""Two periods of as many days, of the weeks in which a device of the demo fails: its images name no site."""


@pytest.mark.parametrize(("file", "column"), [("pages/consistency.py", "denominator"), ("pages/quality.py", "p90"),
                                              ("pages/quality.py", "has_picture")])
def test_tables_stand_side_by_side_as_each_view_has_them(app: Opened, file: str, column: str):
    alone = [table for period in (NOW, BEFORE) for table in tables(app(file, **period), column)]
    both = tables(app(file, compare="before", **NOW), column)
    assert alone and len(both) == len(alone)
    for one, other in zip(both, alone, strict=True):
        pd.testing.assert_frame_equal(one, other, check_like=True)


def test_images_of_two_periods_have_their_headlines_pictures_and_control_charts_side_by_side(app: Opened):
    now, before, both = (app("pages/quality.py", **asked) for asked in (NOW, BEFORE, {"compare": "before", **NOW}))
    assert not both.exception and not both.error
    assert cards(both) == cards(now) + cards(before)
    assert [box.key for box in both.selectbox if box.key.startswith("finding")] == ["finding0", "finding1"]
    assert len(both.get("image")) == len(now.get("image")) + len(before.get("image")) == 2
    values = [[chart["data"] for chart in specs(page)] for page in (now, before, both)]
    assert len(values[2]) == 2 and values[2] == values[0] + values[1]
    first, second = (chart["layout"]["yaxis"]["range"] for chart in specs(both))
    assert first == second


def test_a_site_has_the_control_charts_of_its_devices_and_of_those_whose_site_is_not_known():
    charts = pd.DataFrame([{"station_name": name, "modality": "MR", "protocol_name": "QA", "points": 9, "outside": 0}
                           for name in ("MR1", "MR2", "MR3")])
    devices = (Device("MR1", "North", "MR"), Device("MR2", "South", "MR"), Device("MR3", None, "MR"),
               Device("MR1", None, "MR"))
    page = SimpleNamespace(filters=Filters(sites=("North",)), choices=SimpleNamespace(devices=devices),
                           read=lambda *_: charts)
    assert list(quality._charts_of(page, "noise")) == [("MR1", "QA"), ("MR3", "QA")]
    page.filters = Filters()
    assert len(quality._charts_of(page, "noise")) == 3


def test_a_click_in_one_view_lists_its_findings_alone(app: Opened, monkeypatch: pytest.MonkeyPatch):
    device = "NGHMR2"

    def clicked(figure: object, *, key: str, selectable: bool = False) -> dict[str, str]:
        return {"station_name": device} if key.startswith("checks.by_device") else {}

    monkeypatch.setattr(parts, "show_chart", clicked)
    page = app("pages/consistency.py", compare="year", **{"check": "TMP301"})
    assert not page.exception and not page.error
    heads = re.findall(r"findings of TMP301([^<]*)<", said(page))
    assert all(device in head for head in heads)


@pytest.mark.parametrize("file", ["pages/study.py", "pages/definitions.py", "pages/reports.py", "pages/costs.py"])
def test_a_page_does_not_offer_what_it_cannot_do(app: Opened, file: str):
    assert not [box for box in app(file).selectbox if box.key == "compare"]


def test_a_card_names_as_many_months_as_its_view_has(app: Opened):
    words = said(app("pages/storage.py", date_from="2026-05-02", date_to="2026-07-31"))
    assert "Added in the last 2 whole months" in words
    assert "Added in the last whole month<" in said(app("pages/storage.py", date_from="2026-07-01",
                                                       date_to="2026-07-31"))
    assert "Added in the last 12 whole months" in said(app("pages/storage.py"))
