"""The charts that were pinned to the overview."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import blake2s
from typing import Any

import streamlit as st

from analytics.core.errors import PacsmeterError
from analytics.core.filters import Filters
from analytics.metrics.catalog import METRICS
from analytics.reporting.drawings import drawing_of
from analytics.ui import cache, checks, cost_charts, quality
from analytics.ui.cards import title
from analytics.ui.compare import View
from analytics.ui.empty import empty_state
from analytics.ui.guard import guarded
from analytics.ui.parts import PARTS, show_part
from analytics.ui.pins import filter_words, named_of, pin_control
from analytics.ui.shell import Page
from analytics.ui.widgets import show_metric

DRAWN_BY = (checks, cost_charts, quality)
"""The modules that name parts: here, so that every part is known where pinned ones are drawn."""


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
        draw = _drawer_of(held)
        seen = page.at(View("", Filters.from_query(held["filters"])))
    except PacsmeterError:
        pin_control(card, f"lost-{card}")
        raise
    draw(seen, f"pinned-{blake2s(card.encode(), digest_size=4).hexdigest()}")


def _drawer_of(held: dict[str, Any]) -> Callable[[Page, str], object]:
    """Return what draws a card on a page, with a key of its own."""
    heading, named = held["heading"], named_of(held["named"])
    if "part" in held:
        if held["part"] not in PARTS:
            raise PacsmeterError("A pinned chart is of a kind that this version does not draw",
                                 "Take it off the overview.", held["part"])
        return lambda seen, key: _show_part(seen, held["part"], heading, named)
    if held["metric"] not in {item.spec.id for item in METRICS}:
        raise PacsmeterError("A pinned chart shows a number that this version does not know",
                             "Take it off the overview.", held["metric"])
    drawing = drawing_of(held["drawing"])
    return lambda seen, key: show_metric(seen, held["metric"], drawing, heading=heading,
                                         said=filter_words(seen.filters), key=key, **named)


def _show_part(page: Page, name: str, heading: str, named: dict[str, Any]) -> None:
    with st.container(border=True, height="stretch"):
        own = " · the assumptions and prices it was pinned with" if "assumptions" in named else ""
        show_part(page, name, heading=heading, said=filter_words(page.filters) + own, named=named,
                  nothing=lambda _: empty_state("no_rows", "Nothing to draw", "In this snapshot there is none of it."))
