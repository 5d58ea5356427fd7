"""A chart is pinned to the overview with the filters it has, and taken off again."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest

from analytics.ui import cache
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


def test_a_chart_that_cannot_be_written_down_offers_no_pin(pinning: Opened):
    page = pinning("pages/storage.py")
    offered = [button for button in page.button if button.label == "Pin to the overview"]
    assert 0 < len(offered) < len(page.get("plotly_chart")), "the forecast's fan is drawn with the page's own figures"
