"""The list of what needs attention, each thing with a way to where it is seen."""

from __future__ import annotations

from html import escape

import streamlit as st

from analytics.metrics.overview import Attention, attention
from analytics.ui.cards import title
from analytics.ui.guard import guarded
from analytics.ui.navigation import BY_TITLE
from analytics.ui.shell import Page
from analytics.ui.side_by_side import in_each_view

FIRST = 8
"""Things that need attention shown at once."""


def attention_list(page: Page, title_of_page: str = "") -> None:
    """Show what needs attention, most urgent first; where two views are compared, that of each beside the other.

    Parameters
    ----------
    page : Page
    title_of_page : str
        Of one page, to show only what belongs there; everything where empty.
    """
    with guarded("What needs attention"):
        in_each_view(page, "What needs attention", lambda seen: _listed(seen, title_of_page))


def _listed(page: Page, title_of_page: str) -> None:
    items = page.read(attention, page.filters, title_of_page or None)
    if not items:
        st.html('<div class="pm-quiet">Nothing here needs attention now.</div>')
        return
    with st.container(border=True, gap="xxsmall"):
        title("What needs attention")
        for item in items[:FIRST]:
            _item(page, item, title_of_page)
        if len(items) > FIRST:
            with st.expander(f"{len(items) - FIRST} more"):
                for item in items[FIRST:]:
                    _item(page, item, title_of_page)


def _item(page: Page, item: Attention, here: str) -> None:
    # In half the width of a page the way to it needs twice the share
    said, way = st.columns([0.68, 0.32] if page.side else [0.84, 0.16], vertical_alignment="center", gap="small")
    said.html(f'<div class="pm-item {item.severity}"><span class="dot"></span><span><b class="pm-word">'
              f"{item.severity.value}</b> {escape(item.sentence)}</span></div>")
    if here != item.page or item.filters != page.filters:
        with way, st.container(horizontal_alignment="right"):
            st.page_link(BY_TITLE[item.page].file, label="Narrow to it" if here == item.page else item.page,
                         icon=":material/arrow_forward:", query_params=item.filters.to_query())
