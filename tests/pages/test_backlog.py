"""The backlog page says when the queue is read, looks back, and takes what a reader enters."""

from __future__ import annotations

from tests.pages.conftest import Opened
from tests.pages.test_pages import asked, said


def test_the_page_says_what_waits_when_it_clears_and_what_is_assumed(app: Opened):
    words = said(app("pages/backlog.py"))

    for label in ("Unread now", "Ready to read a day", "Reported a day", "At its usual level in", "exams wait. In the",
                  "first in, first out", "with the added shift"):
        assert label in words
    assert "The queue grows" in words or "In no hour of the week" in words


def test_a_shift_that_is_entered_is_counted_and_kept_in_the_address(app: Opened):
    page = app("pages/backlog.py")
    page.number_input(key="shift-speed").set_value(7.5).run()
    page.number_input(key="shift-days").set_value(3).run()

    assert not page.exception and not page.error
    assert "works 4 hours on 3 days a week, from Monday, and reads 7.5 an hour, as given" in said(page)
    assert asked(page, "shift-speed") == ["7.5"] and asked(page, "shift-days") == ["3"]


def test_a_link_brings_the_day_and_the_shift_back(app: Opened):
    usual = app("pages/backlog.py").date_input(key="backlog-day").value
    day = usual.replace(year=usual.year - 1, day=1)
    page = app("pages/backlog.py", **{"backlog-day": day.isoformat(), "shift-hours": "6.0", "shift-readers": "many"})

    assert not page.exception and not page.error
    assert f"Unread at the end of {day}" in said(page) and "works 6 hours" in said(page)
    assert "many" in page.warning[0].value
    assert page.number_input(key="shift-readers").value == 4
