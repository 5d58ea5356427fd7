"""Numbers, days and words that a reader types in: the session keeps them, and the page's address says them."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date
from typing import Any

import streamlit as st

from analytics.ui import address


def enter_number(label: str, *, key: str, usual: float | None, low: float, high: float, step: float = 1,
                 help_text: str = "") -> Any:
    """Let the reader type a number; whole where ``step`` is; ``usual`` ``None`` stands for an empty field."""
    kind: Callable[[str], float] = int if isinstance(step, int) else float

    def read(said: str) -> float:
        number = kind(said)
        if not (math.isfinite(number) and low <= number <= high):
            raise ValueError(said)
        return number

    return _entry(key, usual, read, lambda copy: st.number_input(
        label, min_value=kind(str(low)), max_value=kind(str(high)), step=step, key=key, on_change=copy,
        value=None, placeholder="as measured", help=help_text or None))


def enter_day(label: str, *, key: str, usual: date, first: date) -> Any:
    """Let the reader choose a day from a first one to the usual one."""
    def read(said: str) -> date:
        day = date.fromisoformat(said)
        if not first <= day <= usual:
            raise ValueError(said)
        return day

    return _entry(key, usual, read, lambda copy: st.date_input(
        label, min_value=first, max_value=usual, key=key, on_change=copy, format="YYYY-MM-DD"))


def enter_text(label: str, *, key: str, placeholder: str) -> str:
    """Let the reader type a few words."""
    return str(_entry(key, "", str, lambda copy: st.text_input(
        label, key=key, on_change=copy, placeholder=placeholder)))


def _entry(key: str, usual: Any, read: Callable[[str], Any], draw: Callable[[Callable[[], None]], Any]) -> Any:
    kept = f"chosen-{key}"
    named = address.entered(key, read)
    st.session_state[kept] = named if named is not None else st.session_state.get(kept, usual)
    st.session_state[key] = st.session_state[kept]
    address.keep(key, st.session_state[kept], usual)

    def copy() -> None:
        # A field that was emptied goes back to what is usual
        st.session_state[kept] = usual if st.session_state[key] is None else st.session_state[key]
        address.keep(key, st.session_state[kept], usual)

    entered = draw(copy)
    return usual if entered is None else entered
