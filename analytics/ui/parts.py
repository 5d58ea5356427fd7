"""Charts that are not a metric's: each has a name, so that it is compared and pinned as a metric's is."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from analytics.reporting.scales import same_scale
from analytics.ui.cards import title
from analytics.ui.guard import guarded
from analytics.ui.pins import part_card, pin_control
from analytics.ui.shell import Page
from analytics.ui.side_by_side import view_name
from analytics.ui.widgets import show_chart

FigureOf = Callable[..., go.Figure | None]
Named = Mapping[str, Any]
Nothing = Callable[[Page], object]
Marks = dict[str, dict[str, Any]]
"""What the clicked mark of each view stands for, by `Page.side`; empty where none is clicked."""
PARTS: dict[str, FigureOf] = {}
"""Every chart that is not a metric's, by the name that a pinned one is kept under."""


def part(name: str) -> Callable[[FigureOf], FigureOf]:
    """Name a function of a page and plain values that makes a figure, or ``None`` where there is nothing to draw."""
    def kept(figure_of: FigureOf) -> FigureOf:
        PARTS[name] = figure_of
        return figure_of
    return kept


def show_part(page: Page, name: str, *, heading: str, said: str = "", nothing: Nothing | None = None,
              selectable: bool = False, named: Named | Callable[[Page], Named] | None = None) -> Marks:
    """Show a chart, of both views where two are compared, and what pins it; return what was clicked.

    Parameters
    ----------
    page : Page
    name : str
        Of the part.
    heading, said : str
        Title and one line below it.
    nothing : callable, optional
        Says what it means that a view has nothing to draw. Where none has, and this is not given, not even the title
        is shown.
    selectable : bool
        Whether a mark can be clicked.
    named : mapping or callable, optional
        What the part is given; where a callable, what it is given for a view.
    """
    marks: Marks = {}
    with guarded(heading):
        shown = []
        for seen in page.views:
            given = dict(named(seen) if callable(named) else named or {})
            shown.append((seen, given, PARTS[name](seen, **given)))
        figures = [figure for *_, figure in shown if figure is not None]
        if not figures and nothing is None:
            return {}
        title(heading, said)
        if len(figures) == 2:
            same_scale(*figures)
        places = st.columns(2) if page.beside else [st.container()]
        for place, view, (seen, given, figure) in zip(places, page.beside or (None,), shown, strict=True):
            with place:
                if view:
                    view_name(view.name)
                if figure is None:
                    (nothing or _nothing)(seen)
                else:
                    marks[seen.side] = _chart(seen, name, heading, given, figure, selectable=selectable)
    return marks


def _nothing(_: Page) -> None:
    st.caption("None here.")


def _chart(page: Page, name: str, heading: str, given: Named, figure: go.Figure, *, selectable: bool,
           ) -> dict[str, Any]:
    state = f"{page.side}|{page.revision}|{page.filters}|{sorted(given.items())}"
    key = f"{name}-{hashlib.blake2s(state.encode(), digest_size=4).hexdigest()}"
    mark = show_chart(figure, key=key, selectable=selectable)
    pin_control(part_card(page, name, heading, given), key)
    return mark
