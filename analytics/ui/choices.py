"""Choices on a page: the session keeps what was chosen, and the page's address says it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


def choose_several(label: str, options: Mapping[str, str], *, key: str, usual: Sequence[str]) -> tuple[str, ...]:
    """Let the reader pick any number of a few, in words; kept as `choose` keeps one."""
    kept = f"chosen-{key}"

    def read(said: str) -> tuple[str, ...]:
        values = tuple(filter(None, said.split("|")))
        if not set(values) <= set(options):
            raise ValueError(said)
        return values

    named = address.entered(key, read)
    held = named if named is not None else st.session_state.get(kept, usual)
    st.session_state[kept] = tuple(value for value in held if value in options)
    st.session_state[key] = list(st.session_state[kept])
    address.keep(key, st.session_state[kept], tuple(usual))

    def copy() -> None:
        st.session_state[kept] = tuple(st.session_state[key])
        address.keep(key, st.session_state[kept], tuple(usual))

    st.multiselect(label, list(options), key=key, on_change=copy, format_func=lambda value: options[value])
    return tuple(st.session_state[kept])
