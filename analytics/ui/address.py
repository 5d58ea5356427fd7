"""The page's address says what is chosen on it, so that a copied link brings the same view back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st


def written(value: Any) -> str:
    """Write a choice as the address has it; the parts of one made of several are joined by a bar."""
    return "|".join(map(written, value)) if isinstance(value, tuple) else "" if value is None else str(value)


def entered(name: str, read: Callable[[str], Any]) -> Any:
    """Return a number or a day that the address says, as ``read`` reads it; ``None`` where none, or not readable.

    ``read`` raises ValueError where it is not readable, which is treated as in `asked`.
    """
    if name not in st.query_params:
        return None
    said = st.query_params[name]
    try:
        return read(said)
    except ValueError:
        _refuse(name, said)
        return None


def _refuse(name: str, said: str) -> None:
    del st.query_params[name]
    st.warning(f"The link asks for '{said}', which is not offered here. The usual view is shown.",
               icon=":material/link_off:")


def asked(name: str, offered: Sequence[Any]) -> Any:
    """Return the choice that the address names; ``None`` where it names none, or one that is not offered.

    The latter is said on the page and taken out of the address: the link may be of another snapshot.
    """
    if name not in st.query_params:
        return None
    said = st.query_params[name]
    found = next((value for value in offered if written(value) == said), None)
    if found is None:
        _refuse(name, said)
    return found


def forget(name: str, value: Any) -> None:
    """Take a choice out of the address, if that is what the address says."""
    if value is not None and st.query_params.get(name) == written(value):
        del st.query_params[name]


def keep(name: str, value: Any, usual: Any) -> None:
    """Write a choice to the address, and leave out what a page shows anyway."""
    if value == usual:
        if name in st.query_params:
            del st.query_params[name]
    elif st.query_params.get(name) != written(value):
        st.query_params[name] = written(value)
