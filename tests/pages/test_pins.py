"""A chart is pinned to the overview with the filters it has, and taken off again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from analytics.costs.assumptions import Assumptions
from analytics.costs.price_book import load_price_book
from analytics.ui import cache
from analytics.ui.navigation import BY_TITLE, COMPARING
from analytics.ui.pins import _plain, named_of
from tests.pages.conftest import Opened
from tests.pages.test_pages import said


@pytest.fixture
def pinning(app: Opened) -> Iterator[Opened]:
    """Give the small demo hospital, and leave its overview as it was."""
    yield app
    book = cache.ledger()
    for card in book.pins():
        book.pin(card, "test", pinned=False)


def press(page: AppTest, words: str, place: int = 0) -> AppTest:
    return [button for button in page.button if button.label == words][place].click().run()


def test_a_pinned_chart_keeps_its_filters_and_its_choices(pinning: Opened):
    assert ">Pinned<" not in said(pinning())
    page = pinning("pages/volume.py", sites=["Northgate"], **{"volume-value": "images"})
    page = press(page, "Pin to the overview")
    assert "Take it off the overview" in [button.label for button in page.button]

    overview = pinning()
    assert not overview.error and not overview.exception
    words = said(overview)
    assert ">Pinned<" in words and "Images by month and modality" in words and ">Northgate<" in words

    overview = press(overview, "Take it off the overview")
    assert ">Pinned<" not in said(overview)


def test_what_this_version_cannot_draw_is_said_and_can_be_taken_off(pinning: Opened):
    lost = {"metric": "volume.of_dragons", "heading": "", "drawing": "[]", "named": {}, "filters": {}}
    cache.ledger().pin(json.dumps(lost), "test")
    overview = pinning()
    assert "does not know" in overview.error[0].value and not overview.exception
    assert ">Pinned<" not in said(press(overview, "Take it off the overview"))


def charts(page: AppTest) -> list[str]:
    """Return what each chart of a page draws, without how high it is."""
    specs = [json.loads(chart.proto.spec) for chart in page.get("plotly_chart")]
    return [json.dumps(spec["data"], sort_keys=True) for spec in specs]


PERIODS = {"compare": "before", "date_from": "2026-09-01", "date_to": "2026-10-30"}
CHARTED = [(BY_TITLE[title].file, chosen) for title in sorted({*COMPARING, "Cost-benefit"}) for chosen in
           ([{}, PERIODS] if title in COMPARING else [{}])]


@pytest.mark.parametrize(("file", "chosen"), CHARTED)
def test_every_chart_can_be_pinned(pinning: Opened, file: str, chosen: dict[str, str]):
    page = pinning(file, **chosen)
    offered = [button for button in page.button if button.label == "Pin to the overview"]
    assert len(offered) == len(charts(page)) > 0


@pytest.mark.parametrize(("file", "chosen"), [
    ("pages/storage.py", {"sites": ["Northgate"]}),
    ("pages/backlog.py", {"backlog-day": "2026-03-02"}),
    ("pages/quality.py", {"date_from": "2026-01-01"}),
    ("pages/consistency.py", {"check": "TMP301", "sites": ["Northgate"]}),
    ("pages/costs.py", {"sites": ["Northgate"], "costs-closer": "tier_instant"}),
    ("pages/turnaround.py", {"compare": "Southmoor", "sites": ["Northgate"]}),
])
def test_pinned_charts_are_drawn_as_they_were(pinning: Opened, file: str, chosen: dict[str, str]):
    page = pinning(file, **chosen)
    drawn = charts(page)
    while any(button.label == "Pin to the overview" for button in page.button):
        page = press(page, "Pin to the overview")
    overview = pinning()
    assert not overview.error and not overview.exception
    assert set(drawn) <= set(charts(overview))


def test_money_is_pinned_with_its_assumptions_and_prices(pinning: Opened):
    page = pinning("pages/costs.py")
    drawn = charts(page)[:1]
    for version, (name, value) in enumerate((
            ("costs-assumptions", Assumptions(horizon_years=3)),
            ("costs-prices", load_price_book().with_price("hardware", 9.0, "a quote", date(2026, 1, 2)))), start=1):
        page.session_state[name], page.session_state["costs-version"] = value, version
        drawn += charts(page.run())[:1]
    assert len(set(drawn)) == 3, "each of them changes the chart"
    press(page, "Pin to the overview")
    other = pinning()
    assert drawn[-1] in charts(other) and "the assumptions and prices it was pinned with" in said(other)


def test_a_part_that_this_version_does_not_draw_can_be_taken_off(pinning: Opened):
    cache.ledger().pin(json.dumps({"part": "dragons", "heading": "", "named": {}, "filters": {}}), "test")
    overview = pinning()
    assert "does not draw" in overview.error[0].value and not overview.exception
    assert ">Pinned<" not in said(press(overview, "Take it off the overview"))


@given(st.recursive(st.none() | st.text() | st.integers() | st.datetimes(timezones=st.just(UTC) | st.none()),
                    lambda inner: st.lists(inner).map(tuple)))
def test_what_a_chart_is_given_is_read_as_it_was_written(value: object):
    assert named_of(json.loads(json.dumps({"one": _plain(value)}))) == {"one": value}
