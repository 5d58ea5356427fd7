"""Definitions: what each number means, and where its definition comes from."""

import streamlit as st

from analytics.ui.empty import empty_state
from analytics.ui.entries import enter_text
from analytics.ui.glossary import as_table, entries
from analytics.ui.shell import open_page
from analytics.ui.tables import show_table
from analytics.ui.widgets import choose

KINDS = {"": "All", "Metric": "Metrics", "Check": "Checks", "Image measure": "Image measures", "Price": "Prices"}

with open_page("Definitions", filtered=False) as page:
    every = entries()
    search, kinds = st.columns([2, 3], vertical_alignment="bottom")
    with search:
        wanted = enter_text("Search", placeholder="turnaround, DCM101, noise, PS3.3 …", key="definitions-search")
    with kinds:
        kind = choose("Kind", KINDS, key="definitions-kind")
    found = tuple(entry for entry in every if kind in ("", entry.kind) and entry.says(wanted))
    st.caption(f"{len(found):,} of {len(every):,} definitions")
    if found:
        with st.container(gap="xxsmall"):
            for entry in found:
                with st.expander(f"**{entry.name}**  ·  {entry.kind}  ·  `{entry.id}`"):
                    st.markdown(entry.definition)
                    for label, text in entry.details:
                        st.markdown(f"**{label}:** {text}")
                    st.caption(f"Source: {entry.citation}")
        with st.container(border=True):
            show_table(page, as_table(found), "Definitions")
    else:
        empty_state("no_rows", "Nothing is called that", "Search for another word, or choose another kind.")
