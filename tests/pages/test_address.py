"""A link brings back the view it was copied from: what was chosen on the page as well as the filters."""

from __future__ import annotations

from tests.pages.conftest import Opened
from tests.pages.test_pages import asked, said


def test_a_choice_is_in_the_address_and_its_link_brings_the_view_back(app: Opened):
    page = app("pages/volume.py")
    assert "volume-value" not in page.query_params, "what a page shows anyway makes no long address"
    page.button_group(key="volume-value").set_value("images").run()
    assert asked(page, "volume-value") == ["images"]

    link = app("pages/volume.py", **{"volume-value": "images", "sites": ["Northgate"]})
    assert "Images by month and modality" in said(link) and not link.warning
    assert asked(link, "sites") == ["Northgate"]


def test_the_usual_choice_leaves_the_address(app: Opened):
    page = app("pages/volume.py", **{"volume-value": "images"})
    page.button_group(key="volume-value").set_value("studies").run()
    assert "volume-value" not in page.query_params
    assert "Studies by month and modality" in said(page)


def test_a_link_that_asks_for_what_is_not_offered_says_so_and_shows_the_usual_view(app: Opened):
    page = app("pages/volume.py", **{"volume-value": "dragons"})
    assert "'dragons', which is not offered here" in page.warning[0].value
    assert "Studies by month and modality" in said(page) and not page.exception
    assert "volume-value" not in page.query_params


def test_a_list_that_opens_is_in_the_address_too(app: Opened):
    page = app("pages/turnaround.py", interval="turnaround.nhs")
    assert page.selectbox(key="interval").value == "turnaround.nhs"
    page.selectbox(key="interval").set_value("turnaround.exam_duration").run()
    assert asked(page, "interval") == ["turnaround.exam_duration"]
