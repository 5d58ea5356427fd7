"""A part of a page, drawn once, or once for each of two views that are compared."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

import streamlit as st

from analytics.ui.guard import guarded
from analytics.ui.shell import Page


def in_each_view(page: Page, what: str, draw: Callable[[Page], object], *, stacked: bool = False) -> None:
    """Draw a part of a page; where two views are compared, that of each under its name.

    Parameters
    ----------
    page : Page
    what : str
        What the part shows, for the message where a view cannot be shown: the other one still is.
    draw : callable
        Draws the part of the page that it is given. A widget in it has `Page.side` in its key.
    stacked : bool
        Whether the views stand one below the other, for what needs the whole width.
    """
    if page.beside is None:
        draw(page)
        return
    places = [st.container(), st.container()] if stacked else st.columns(2)
    for place, view in zip(places, page.beside, strict=True):
        with place, guarded(what):
            view_name(view.name)
            draw(page.at(view))


def view_name(name: str) -> None:
    """Write which view the part below is of."""
    st.html(f'<div class="pm-sub pm-view">{escape(name)}</div>')
