"""What a page shows where there is nothing to show: a picture, a sentence, what to do."""

from __future__ import annotations

import re
from html import escape

import streamlit as st

from analytics.ui.pictures import picture


def empty_state(name: str, title: str, sentence: str) -> None:
    """Show why there is nothing here and what to do; a command in backquotes is set as code."""
    said = re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(sentence))
    st.html(f'<div class="pm-empty"><img src="{picture(name)}" alt="" width="132" height="96">'
            f"<div><p><b>{escape(title)}</b></p><p>{said}</p></div></div>")
