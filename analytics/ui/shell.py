"""The one door of every page: its look, navigation, filters, the state of the data, and its errors."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import streamlit as st

from analytics.core.filters import Filters
from analytics.core.results import MetricResult
from analytics.core.settings import Settings
from analytics.metrics.facets import Choices, filter_choices
from analytics.ui import cache
from analytics.ui.compare import Pair, View, choose_pair
from analytics.ui.empty import empty_state
from analytics.ui.filters import current, draw_filters
from analytics.ui.guard import guarded
from analytics.ui.navigation import BY_TITLE, COMPARING, Entry, draw_navigation
from analytics.ui.pictures import BRAND
from analytics.warehouse.store import Warehouse

Answer = TypeVar("Answer")
LAST = "last-page"
"""Where the session keeps the page with filters that the reader saw last."""
_STYLE = Path(__file__).with_name("style.css")


@dataclass(frozen=True)
class Page:
    """What a page works with: one snapshot, the filters, the settings.

    Attributes
    ----------
    warehouse : the snapshot, pinned for this run of the page.
    filters : what the reader chose.
    settings : of this installation.
    choices : what the filters can be set to, and the instant the snapshot is true at.
    beside : two views that the page shows side by side; ``None`` where nothing is compared.
    side : which of two views that are compared this is, to tell their widgets apart; empty where nothing is compared.
    """

    warehouse: Warehouse
    filters: Filters
    settings: Settings
    choices: Choices
    beside: Pair | None = None
    side: str = ""

    def at(self, view: View) -> Page:
        """Return the page as one of two views sees it."""
        side = str(self.beside.index(view)) if self.beside and view in self.beside else ""
        return replace(self, filters=view.filters, beside=None, side=side)

    @property
    def views(self) -> tuple[Page, ...]:
        """Return the page itself, or its two sides where views are compared."""
        return tuple(map(self.at, self.beside)) if self.beside else (self,)

    @property
    def revision(self) -> int:
        """Return the number of the snapshot."""
        return self.warehouse.revision

    def metric(self, metric_id: str, **named: Any) -> MetricResult:
        """Return a metric's answer for this page's snapshot and filters, from the cache where it is known."""
        return cache.metric(metric_id, self.revision, self.filters, **named)

    def read(self, question: Callable[..., Answer], *arguments: Any, **named: Any) -> Answer:
        """Return the answer of a function of the snapshot alone, from the cache where it is known."""
        return cache.ask(question, self.revision, *arguments, **named)

    def local(self, instant: Any, form: str = "%-d %b %Y %H:%M") -> str:
        """Write an instant as the site's clock shows it."""
        return instant.astimezone(ZoneInfo(self.settings.site_zone)).strftime(form)


def _state_of(page: Page) -> str:
    as_of = f"Data to <b>{page.local(page.choices.as_of)}</b><br>" if page.choices.as_of else ""
    return f"{as_of}Snapshot {page.revision} · times in {escape(page.settings.site_zone)}"


def _head(entry: Entry, state: str) -> None:
    st.html(f'<div class="pm-head"><div><h1>{escape(entry.title)}</h1><p>{escape(entry.question)}</p></div>'
            f'<div class="pm-state">{state}</div></div>')


@contextlib.contextmanager
def open_page(title: str, *, filtered: bool = True) -> Iterator[Page]:
    """Open a page: draw what every page has, give it its data, and show its errors as one message.

    Parameters
    ----------
    title : str
        One of `analytics.ui.navigation.BY_TITLE`.
    filtered : bool
        Whether the filter bar applies to the page.
    """
    entry = BY_TITLE[title]
    st.set_page_config(page_title=f"{title} · pacsmeter", page_icon=BRAND, layout="wide")
    st.html(_STYLE)
    draw_navigation()
    page = None
    with guarded(title):
        page = _opened(entry, filtered)
    if page is None:
        st.stop()
    with guarded(title):
        yield page


def _opened(entry: Entry, filtered: bool) -> Page:
    """Draw the head of a page and give it its data; where nothing is loaded, say so and go no further."""
    if cache.store().current_revision() == 0:
        _head(entry, "")
        empty_state("nothing_loaded", "Nothing is loaded yet",
                    "Load the demo hospital with `pacsmeter load demo`, or your own exports with "
                    "`pacsmeter load FILE.toml`. This page shows the data as soon as the load is published.")
        st.stop()
    warehouse = cache.warehouse()
    choices = cache.ask(filter_choices, warehouse.revision)
    page = Page(warehouse, current(), cache.settings(), choices)
    _head(entry, _state_of(page))
    if choices.is_demo:
        st.html('<div class="pm-demo"><b>Demo hospital: invented data.</b> Figures here are made of invented exams, '
                "or include them; the page Sources says which source is a demo.</div>")
    if filtered:
        draw_filters(choices)
        if entry.title in COMPARING:
            page = replace(page, beside=choose_pair(page.filters, choices))
        st.session_state[LAST] = entry.title
    return page
