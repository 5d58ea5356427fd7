"""Pinning a chart to the overview: it keeps its own filters, and is measured anew on every snapshot."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import streamlit as st

from analytics.core.filters import Filters
from analytics.reporting.axes import words
from analytics.reporting.drawings import Drawing
from analytics.ui import cache
from analytics.ui.access import signed_in
from analytics.ui.shell import Page

NOBODY = "nobody signed in"


def card_of(page: Page, metric_id: str, draw: Callable[..., Any], heading: str, named: Mapping[str, Any]) -> str:
    """Write a metric's chart down, so that it can be drawn again elsewhere; nothing where its drawing has no name."""
    if not isinstance(draw, Drawing):
        return ""
    return _card(page, heading, named, metric=metric_id, drawing=draw.to_json())


def part_card(page: Page, part: str, heading: str, named: Mapping[str, Any]) -> str:
    """Write a chart down that is not a metric's; see `analytics.ui.parts`."""
    return _card(page, heading, named, part=part)


def _card(page: Page, heading: str, named: Mapping[str, Any], **drawn: str) -> str:
    try:
        said = {name: _plain(value) for name, value in named.items()}
    except TypeError:
        return ""
    return json.dumps({**drawn, "heading": heading, "named": said, "filters": page.filters.to_query()}, sort_keys=True)


def _plain(value: Any) -> Any:
    """Return an argument as JSON can hold it; an instant and several values are marked as what they are."""
    if isinstance(value, datetime):
        return {"instant": value.isoformat()}
    if isinstance(value, tuple):
        return {"several": [_plain(one) for one in value]}
    if isinstance(value, str | int | float | None):
        return value
    raise TypeError


def named_of(held: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments that a card holds."""
    return {name: _read(value) for name, value in held.items()}


def _read(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return datetime.fromisoformat(value["instant"]) if "instant" in value else tuple(map(_read, value["several"]))


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
