"""Choices on a page: the session keeps what was chosen, and the page's address says it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from analytics.ui import address


def choose(label: str, options: Mapping[Any, str], *, key: str, many: bool = False, usual: Any = None) -> Any:
    """Let the reader pick one of a few, in words; the session keeps the choice, and the page's address says it.

    ``many`` options are a list that opens, and not a row of buttons. ``usual`` is what is chosen where nobody chose:
    the first where not given.
    """
    kept = f"chosen-{key}"
    values = list(options)
    usual = values[0] if usual is None else usual
    if st.session_state.get(kept) not in values:
        # Offered before, and no link's wish: other filters, or another choice, took it away
        address.forget(key, st.session_state.get(kept))
    named = address.asked(key, values)
    if named is not None:
        st.session_state[kept] = named
    if st.session_state.get(kept) not in values:
        st.session_state[kept] = usual
    st.session_state[key] = st.session_state[kept]
    address.keep(key, st.session_state[kept], usual)

    def copy() -> None:
        st.session_state[kept] = st.session_state[key]
        address.keep(key, st.session_state[kept], usual)

    if many:
        return st.selectbox(label, values, format_func=lambda value: options[value], key=key, on_change=copy)
    return st.segmented_control(label, values, format_func=lambda value: options[value], key=key, on_change=copy,
                                required=True)
