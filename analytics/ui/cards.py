"""Headline cards, and the titles of sections."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

import streamlit as st

from analytics.ui.shell import Page
from analytics.ui.side_by_side import in_each_view

Feeling = Literal["good", "bad", "flat", ""]


@dataclass(frozen=True)
class Card:
    """One headline: a number in words, and how it changed."""

    name: str
    value: str
    change: str = ""
    feeling: Feeling = ""
    note: str = ""


def show_cards(page: Page, cards_of: Callable[[Page], Sequence[Card]]) -> None:
    """Show a page's headlines; where two views are compared, those of each in a row of its own.

    Parameters
    ----------
    page : Page
    cards_of : callable
        Makes the cards of the page, or the view of it, that it is given.
    """
    in_each_view(page, "The headlines", lambda seen: headline_row(cards_of(seen)), stacked=True)


def headline_row(cards: Sequence[Card]) -> None:
    """Show headlines as a row of cards."""
    drawn = "".join(
        f'<div class="pm-card" title="{escape(card.note)}"><div class="name">{escape(card.name)}</div>'
        f'<div class="value{" small" if len(card.value) > 12 else ""}">{escape(card.value)}</div>'
        + (f'<div class="change {card.feeling}">{escape(card.change)}</div>' if card.change else "")
        + (f'<div class="note">{escape(card.note)}</div>' if card.note else "") + "</div>"
        for card in cards)
    st.html(f'<div class="pm-cards">{drawn}</div>')


def title(text: str, said: str = "") -> None:
    """Write a section's title and, below it, one line about it."""
    st.html(f'<div class="pm-title">{escape(text)}</div>'
            + (f'<div class="pm-sub">{escape(said)}</div>' if said else ""))
