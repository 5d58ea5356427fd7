"""The page Storage: what went, what is held twice, what-ifs with what they assume, and retention as a dry run."""

from __future__ import annotations

from tests.pages.conftest import Opened
from tests.pages.test_pages import said


def assumed(text: str) -> str:
    return text.split("Assumed:")[1].split("- Compression")[0]


def test_an_archive_that_was_loaded_once_has_nothing_gone_and_it_says_why(app: Opened):
    page = app("pages/storage.py")
    text = said(page)
    assert not page.exception and not page.error
    assert "Nothing was found gone" in text and "Known from the second load of each source on" in text


def test_a_what_if_says_what_would_change_and_what_it_assumes(app: Opened):
    usual = said(app("pages/storage.py"))
    assert "ARCHIVE fills on" in usual and "Those who do keep their studies for longer" in assumed(usual)
    assert "which is not counted: old studies stay" in usual
    other = said(app("pages/storage.py", **{"whatif-rule": "us_mammography", "whatif-compress": "all"}))
    assert "A later mammogram lets the earlier ones go" in assumed(other) and "all in the first month" in other
    nothing = said(app("pages/storage.py", **{"whatif-compress": "nothing"}))
    assert "Forecast: " in assumed(nothing) and "JPEG-LS without loss" not in nothing


def test_a_rule_that_lets_nothing_go_says_what_is_not_known(app: Opened):
    text = said(app("pages/storage.py", retention="archive"))
    assert "Nothing is known to be due" in text and "the archive gives no date" in text


def test_two_sites_beside_each_other_each_have_their_what_if(app: Opened):
    page = app("pages/storage.py", compare="Southmoor", sites=["Northgate"])
    text = said(page)
    assert not page.exception and not page.error
    assert text.count("Assumed:") == 2 and "NGH-ARCHIVE fills" in text and "STH-ARCHIVE" in text
