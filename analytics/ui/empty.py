"""What a page shows where there is nothing to show: a picture, a sentence, what to do."""

from __future__ import annotations

import re
from html import escape

import streamlit as st

_FRAME = ('<svg width="132" height="96" viewBox="0 0 132 96" fill="none" stroke="#7b858f" stroke-width="2" '
          'stroke-linecap="round" stroke-linejoin="round" role="img" aria-hidden="true">{}</svg>')
_PICTURES = {
    "nothing_loaded": '<ellipse cx="66" cy="24" rx="38" ry="11"/><path d="M28 24v46c0 6 17 11 38 11s38-5 38-11V24"/>'
                      '<path d="M28 47c0 6 17 11 38 11s38-5 38-11" stroke-dasharray="3 5"/>'
                      '<path d="M66 38v26m-9-9 9 9 9-9" stroke="#0078b4"/>',
    "no_rows": '<path d="M20 80h92M20 80V16"/><path d="M36 80V62m20 18V50m20 30V66m20 14V42" stroke-dasharray="3 5"/>'
               '<circle cx="88" cy="26" r="11" stroke="#0078b4"/><path d="m96 34 9 9" stroke="#0078b4"/>',
    "all_well": '<rect x="30" y="14" width="72" height="68" rx="8"/><path d="m50 48 11 11 22-24" stroke="#189c6c" '
                'stroke-width="3"/>',
    "no_image": '<rect x="26" y="14" width="80" height="68" rx="6"/><circle cx="66" cy="48" r="20" '
                'stroke-dasharray="3 5"/><path d="M66 40v16m-8-8h16" stroke="#0078b4"/>',
}


def empty_state(picture: str, title: str, sentence: str) -> None:
    """Show why there is nothing here and what to do; a command in backquotes is set as code."""
    said = re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(sentence))
    st.html(f'<div class="pm-empty">{_FRAME.format(_PICTURES[picture])}<div><p><b>{escape(title)}</b></p>'
            f"<p>{said}</p></div></div>")
