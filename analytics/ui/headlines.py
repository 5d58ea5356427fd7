"""The headline cards of each page that has them, as a view of the page has them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pandas as pd

from analytics.core.filters import Filters
from analytics.core.quantity import BYTES, EXAMS, PERCENT, STUDIES, format_quantity
from analytics.metrics.network import LINK, RATE
from analytics.metrics.overview import Headline, headlines
from analytics.metrics.periods import whole_periods
from analytics.metrics.scope import whole_until
from analytics.ui.cards import Card, Feeling, show_cards
from analytics.ui.shell import Page


def show_headlines(page: Page) -> None:
    """Show today's figures, each with how it changed."""
    show_cards(page, lambda seen: [
        Card(item.label, format_quantity(item.value, item.unit),
             f"{item.change:+.1f} %" if item.change is not None else "", _feeling(item), item.note)
        for item in seen.read(headlines, seen.filters)])


def _feeling(item: Headline) -> Feeling:
    if item.change is None:
        return ""
    if item.direction == "neutral" or abs(item.change) < 0.05:
        return "flat"
    return "good" if (item.change > 0) == (item.direction == "higher") else "bad"


def turnaround_cards(page: Page, interval: str, hours: str = "clock") -> list[Card]:
    """Return what a turnaround is at present, and what waits; ``hours`` says which minutes count."""
    whole = page.metric(interval, period="year", hours=hours)
    waiting, unit = page.metric("backlog.unread_now"), whole.spec.unit
    latest = page.metric(interval, period="month", hours=hours).frame.query("whole").tail(1)
    return [
        Card("Median", format_quantity(whole.headline, unit), f"of {whole.n:,} finished exams"),
        *(Card(f"90th percentile, {month.period:%b %Y}", format_quantity(month.p90, unit),
               f"median {format_quantity(month.median, unit)}") for month in latest.itertuples()),
        *(Card(f"Within target, {month.period:%b %Y}", format_quantity(month.within_target, PERCENT),
               "of exams with a target") for month in latest.itertuples() if month.within_target >= 0),
        Card("Still open", format_quantity(int(whole.frame.open.sum()), EXAMS), "started and not ended"),
        Card("Unread now", format_quantity(waiting.headline, EXAMS),
             f"{int(waiting.frame.over_3_days.sum()):,} for more than 3 days"),
    ]


def storage_cards(page: Page) -> list[Card]:
    """Return what is stored, what a year adds, and how full the fullest archives are."""
    stored = page.metric("storage.by_modality")
    # With what came before the period chosen, for what is covered begins with the first study of all
    since = replace(page, filters=page.filters.where(date_from=None))
    months = last_months(since.metric("storage.added_by_period", period="month").frame, page.filters,
                         whole_until(page.choices.as_of, page.settings.site_zone))
    span = f"{len(months)} whole months" if len(months) > 1 else "whole month"
    archives = page.metric("storage.per_archive")
    return [
        Card("Stored", format_quantity(stored.headline, BYTES), f"{format_quantity(stored.n, STUDIES)} studies"),
        Card(f"Added in the last {span}", format_quantity(float(months.sum()) if len(months) else None, BYTES),
             f"{format_quantity(float(months.mean()), BYTES)} a month" if len(months) else ""),
        *(Card(f"{row.archive} is full to", format_quantity(row.fill, "%"),
               f"{format_quantity(int(row.free), BYTES)} free", "bad" if row.fill >= 90 else "flat")
          for row in archives.frame.sort_values("fill", ascending=False).head(3).itertuples()),
    ]


def last_months(added: pd.DataFrame, filters: Filters, first_open_day: date | None) -> pd.Series[int]:
    """Sum what each of the last 12 whole months of a period added, 0 where nothing came; fewer where fewer are covered.

    Parameters
    ----------
    added : columns ``period`` (first day of a month) and ``bytes``; months in which nothing came have no row.
    filters : the period chosen.
    first_open_day : the first day that the snapshot may not cover whole.
    """
    bytes_added = added.groupby("period").bytes.sum()
    if bytes_added.empty or first_open_day is None:
        return bytes_added
    months = pd.Series(pd.date_range(bytes_added.index.min(), first_open_day, freq="MS"))
    return bytes_added.reindex(months[whole_periods(months, "month", filters, first_open_day)], fill_value=0).tail(12)


def utilization_cards(page: Page, **asked: object) -> list[Card]:
    """Return how far the staffed hours are used, and what would still fit."""
    used = page.metric("utilization.staffed", **asked)
    return [
        Card("Staffed hours in use", format_quantity(used.headline, PERCENT), f"of {len(used.frame):,} devices"),
        Card("Idle within them", format_quantity(float(used.frame.idle.sum()), "h"), "gaps and empty days"),
        Card("Room for", f"{format_quantity(int(used.frame.slots.sum()), EXAMS)} exams", "at each one's median length"),
        Card("Outside them", format_quantity(float(used.frame.outside.sum()), "h"), "of exams, overlaps included"),
    ]


def network_cards(page: Page, years: int, horizon: str) -> list[Card]:
    """Return the link that each site needs now and in some years."""
    sites = page.metric("network.by_site", years=years, site_zone=page.settings.site_zone).frame
    return [
        Card(f"Link {row.site} needs now", format_quantity(row.link_now, LINK),
             f"{format_quantity(row.link_later, LINK)} in {horizon}" if row.link_later >= 0 else
             "its growth is not known", note=f"busy hour {format_quantity(row.busy, RATE)}, highest "
             f"{format_quantity(row.peak, RATE)} on {row.peak_at:%-d %b %Y at %H:%M}")
        for row in sites.head(6).itertuples()]
