"""Who is signed in."""

from __future__ import annotations

import streamlit as st


def signed_in() -> str:
    """Return the e-mail address of who is signed in, as the identity provider vouches for it; else nothing."""
    try:
        # Only Streamlit's own cookie makes it True: a header that a proxy passes on is text.
        if st.user.is_logged_in is not True or st.user.get("email_verified") is False:
            return ""
    except AttributeError:  # there is no [auth] section
        return ""
    return str(st.user.get("email") or "")
