"""The turnaround page says what the open exams change, and holds the two figures beside each other."""

from __future__ import annotations

import re

from tests.pages.conftest import Opened
from tests.pages.test_pages import said


def test_the_page_says_the_median_with_open_exams_beside_that_of_the_finished_ones(app: Opened):
    words = said(app("pages/turnaround.py"))

    assert "exams still open, half are reported within" in words and "as the finished ones alone say" in words
    for label in ("Median, finished alone", "Median, open ones counted", "90th percentile, open ones counted"):
        assert label in words


def test_an_interval_without_open_exams_says_so(app: Opened):
    page = app("pages/turnaround.py")
    page.selectbox(key="interval").set_value("turnaround.exam_duration").run()

    assert "No exam is open, so the finished ones say it all: half get from 'exam started' to" in said(page)


def test_open_exams_can_be_compared_by_the_hour_of_day(app: Opened):
    page = app("pages/turnaround.py")
    page.session_state["chosen-turnaround-open-by"] = "hour"
    page.run()

    assert not page.exception and not page.error
    assert "Median with open exams, by hour it begins" in said(page)


def test_the_page_counts_the_missed_targets_and_lists_the_worst_of_them(app: Opened):
    page = app("pages/turnaround.py")

    counted = re.search(r"([\d,]+) of ([\d,]+) exams that are due missed their target: ([\d,]+) ended late, "
                        r"([\d,]+) are", said(page))
    assert counted
    missed, due, late, overdue = (int(number.replace(",", "")) for number in counted.groups())
    assert 0 < missed == late + overdue < due
    assert [one.label for one in page.expander if one.label.endswith("exams farthest past their target")] == [
        f"The {min(missed, 100)} exams farthest past their target"]


def test_an_interval_without_a_target_says_that_none_is_stated(app: Opened):
    page = app("pages/turnaround.py", interval="turnaround.exam_duration")

    assert "No target is stated for this interval" in said(page)
    assert "missed their target" not in said(page)


def test_business_hours_are_one_choice_for_every_figure_and_said(app: Opened):
    page = app("pages/turnaround.py", **{"turnaround-hours": "business"})
    words = said(page)

    assert not page.exception and not page.error
    assert "Only business hours count: 8:00 to 18:00 on the site's clock" in words
    assert "in business hours, half are reported within" in words
    assert "Promised by day and by night, so held against the clock here too" in words
    assert words.count("Only business hours count") >= 7  # each chart's definition, and the page's own line
    assert "Every minute counts" not in words

    clock = said(app("pages/turnaround.py"))
    assert "Every minute counts, day and night" in clock and "Only business hours" not in clock


def test_the_cards_of_business_hours_are_those_of_their_metric(app: Opened):
    cards = re.findall(r"Median, finished alone[^0-9–]*([^<]*)", said(
        app("pages/turnaround.py", **{"turnaround-hours": "business"})))
    by_clock = re.findall(r"Median, finished alone[^0-9–]*([^<]*)", said(app("pages/turnaround.py")))

    assert cards and by_clock and cards != by_clock


def test_groups_can_be_compared_by_the_hour_of_arrival(app: Opened):
    page = app("pages/turnaround.py", **{"turnaround-by": "hour"})

    assert not page.exception and not page.error
    words = said(page)
    assert "Median by hour it begins" in words and "The hour is that of 'ready to read'" in words
