"""The charts that were pinned to the overview."""

from __future__ import annotations

import json
from hashlib import blake2s

import streamlit as st

from analytics.core.errors import PacsmeterError
from analytics.core.filters import Filters
from analytics.metrics.catalog import METRICS
from analytics.reporting.drawings import drawing_of
from analytics.ui import cache
from analytics.ui.compare import View
from analytics.ui.guard import guarded
from analytics.ui.pins import filter_words, pin_control
from analytics.ui.shell import Page
from analytics.ui.widgets import show_metric, title


def pinned_charts(page: Page) -> None:
    """Show every pinned chart with its own filters, two beside each other; nothing where none is pinned."""
    cards = cache.ledger().pins()
    if not cards:
        return
    title("Pinned", "Each keeps the filters it was pinned with.")
    for start in range(0, len(cards), 2):
        for column, card in zip(st.columns(2), cards[start:start + 2], strict=False):
            with column, guarded("A pinned chart"):
                _show(page, card)


def _show(page: Page, card: str) -> None:
    held = json.loads(card)
    try:
        if held["metric"] not in {item.spec.id for item in METRICS}:
            raise PacsmeterError("A pinned chart shows a number that this version does not know",
                                 "Take it off the overview.", held["metric"])
        filters, draw = Filters.from_query(held["filters"]), drawing_of(held["drawing"])
    except PacsmeterError:
        pin_control(card, f"lost-{card}")
        raise
    key = f"pinned-{blake2s(card.encode(), digest_size=4).hexdigest()}"
    show_metric(page.at(View("", filters)), held["metric"], draw, heading=held["heading"], said=filter_words(filters),
                key=key, **held["named"])
