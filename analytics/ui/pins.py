"""Pinning a chart to the overview: it keeps its own filters, and is measured anew on every snapshot."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import streamlit as st

from analytics.core.filters import Filters
from analytics.reporting.axes import words
from analytics.reporting.drawings import Drawing
from analytics.ui import cache
from analytics.ui.access import signed_in
from analytics.ui.shell import Page

NOBODY = "nobody signed in"


def card_of(page: Page, metric_id: str, draw: Callable[..., Any], heading: str, named: dict[str, Any]) -> str:
    """Write a chart down, so that it can be drawn again elsewhere; nothing where it cannot be."""
    if not isinstance(draw, Drawing):
        return ""
    if not all(isinstance(value, str | int | float | None) for value in named.values()):
        return ""  # such as a past instant: JSON has none
    return json.dumps({"metric": metric_id, "heading": heading, "drawing": draw.to_json(), "named": named,
                       "filters": page.filters.to_query()}, sort_keys=True)


def pin_control(card: str, key: str) -> None:
    """Let the reader put a chart on the overview, or take it off."""
    pinned = card in cache.ledger().pins()
    st.button("Take it off the overview" if pinned else "Pin to the overview", key=f"pin-{key}", type="tertiary",
              icon=":material/keep_off:" if pinned else ":material/keep:", on_click=_turn, args=(card, not pinned))


def _turn(card: str, pinned: bool) -> None:
    cache.ledger().pin(card, signed_in() or NOBODY, pinned=pinned)


def filter_words(filters: Filters) -> str:
    """Say what filters keep: ``Northgate · CT · from 1 Jan 2026``."""
    said = [", ".join(words(name, value) for value in values) for name, values in (
        ("site", filters.sites), ("modality", filters.modalities), ("station_name", filters.station_names),
        ("patient_class", filters.patient_classes), ("priority", filters.priorities)) if values]
    for word, day in (("from", filters.date_from), ("to", filters.date_to)):
        if day:
            said.append(f"{word} {words('exam_date', day)}")
    return " · ".join(said) or "All exams"
