"""The parts of the backlog page that ask before they show: a past instant, and one more reader shift."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st

from analytics.core.quantity import EXAMS, format_quantity
from analytics.metrics.backlog_whatif import AS_NOW, READERS, WITH_SHIFT
from analytics.metrics.backlog_words import days_words
from analytics.reporting import figures, queues
from analytics.reporting.drawings import drawing
from analytics.ui.entries import enter_day, enter_number
from analytics.ui.guard import guarded
from analytics.ui.shell import Page
from analytics.ui.side_by_side import in_each_view
from analytics.ui.widgets import Card, headline_row, show_metric, title


def clearance_cards(page: Page) -> None:
    """Show what waits, the two rates, and when the queue is at its usual level and empty."""
    in_each_view(page, "When the queue is read", _clearance, stacked=True)


def _clearance(page: Page) -> None:
    zone = page.settings.site_zone
    result = page.metric("backlog.clearance", site_zone=zone)
    for row in result.frame.itertuples():
        falls = row.net_per_day > 0
        headline_row([
            Card("Unread now", format_quantity(int(row.unread), EXAMS),
                 f"{format_quantity(row.usual, EXAMS)} are usual at the end of a day"),
            Card("Ready to read a day", format_quantity(round(row.arrived_per_day, 1), EXAMS)),
            Card("Reported a day", format_quantity(round(row.reported_per_day, 1), EXAMS),
                 f"{'falls' if falls else 'grows'} by {format_quantity(abs(round(row.net_per_day, 1)), EXAMS)} a day",
                 "good" if falls else "bad"),
            Card("At its usual level in", days_words(row.days_to_usual), f"empty: {days_words(row.days_to_zero)}"),
        ])
        st.markdown(result.notes[0])


def past_instant(page: Page, by: str) -> None:
    """Show what was unread at the end of a day, by how long it had waited; that of the snapshot where none is chosen.

    Parameters
    ----------
    page : Page
    by : str
        What each age is split by.
    """
    now = page.choices.as_of
    if now is None:
        return
    today = now.astimezone(ZoneInfo(page.settings.site_zone)).date()
    day = enter_day("Unread at the end of", key="backlog-day", usual=today,
                    first=min(page.choices.first_date or today, today))
    instant = None if day == today else datetime.combine(day + timedelta(days=1), time())
    show_metric(page, "backlog.at_instant", drawing(figures.bars, "age", by), instant=instant, by=by,
                site_zone=page.settings.site_zone, said="By how long they had waited",
                heading="Unread now" if instant is None else f"Unread at the end of {day}")


def one_more_shift(page: Page) -> None:
    """Ask what an added reader shift would be, and show what it would change, with every assumption in words."""
    title("What if one more shift read?", "Arithmetic of a queue at the rates of late, not a forecast")
    hours, days, speed, readers = st.columns(4, vertical_alignment="bottom")
    with hours:
        reader_hours = enter_number("Hours of the added shift", key="shift-hours", usual=4.0, low=0.0, high=24.0,
                                    step=0.5)
    with days:
        days_a_week = enter_number("Days a week", key="shift-days", usual=5, low=0, high=7)
    with speed:
        reports_per_hour = enter_number("Reports an hour", key="shift-speed", usual=None, low=0.0, high=500.0, step=0.5,
                                        help_text="Empty: those of the busiest hours, shared by their readers.")
    with readers:
        at_once = enter_number("Readers in the busiest hours", key="shift-readers", usual=READERS, low=1, high=500,
                               help_text="Events do not tell how many read at once.")
    named = {"reader_hours": reader_hours, "days_a_week": days_a_week, "reports_per_hour": reports_per_hour,
             "readers": at_once, "site_zone": page.settings.site_zone}
    with guarded("What if one more shift read?"):
        in_each_view(page, "What if one more shift read?", lambda seen: _with_shift(seen, named), stacked=True)
    show_metric(page, "backlog.one_more_shift", drawing(queues.scenarios), table=True,
                heading="Unread after some weeks", **named)
    with guarded("What is assumed of one more shift"):
        in_each_view(page, "What is assumed of one more shift", lambda seen: _assumed(seen, named))


def _with_shift(page: Page, named: dict[str, Any]) -> None:
    result = page.metric("backlog.one_more_shift", **named)
    for sentence in result.notes[:1]:
        st.markdown(sentence)
    each = result.frame.drop_duplicates("scenario").set_index("scenario") if result.n else result.frame
    headline_row([Card(f"At its usual level, {name[:1].lower()}{name[1:]}",
                       days_words(each.days_to_usual[name]), f"empty: {days_words(each.days_to_zero[name])}")
                  for name in (AS_NOW, WITH_SHIFT) if name in each.index])


def _assumed(page: Page, named: dict[str, Any]) -> None:
    result = page.metric("backlog.one_more_shift", **named)
    if result.notes:
        st.markdown("Assumed:\n" + "\n".join(f"- {sentence}" for sentence in result.notes[1:]))
