"""What a reader sees when something goes wrong: one sentence and what to do, never a traceback."""

from __future__ import annotations

import contextlib
import logging
import secrets
from collections.abc import Iterator

import streamlit as st

from analytics.core.errors import PacsmeterError

log = logging.getLogger("pacsmeter.ui")


@contextlib.contextmanager
def guarded(what: str) -> Iterator[None]:
    """Show an error of the block as one message.

    Parameters
    ----------
    what : str
        What the block shows, for the log: a page's or a metric's name.
    """
    try:
        yield
    except PacsmeterError as error:
        where = f" `{error.record}`" if error.record else ""
        st.error(f"{error.what.rstrip('.')}.{where}  \n{error.remedy}", icon=":material/error:")
    except Exception:
        reference = secrets.token_hex(4)
        log.exception("%s could not be shown, reference %s", what, reference)
        st.error(f"{what} could not be shown because of a fault in pacsmeter. The server's log says more under "
                 f"reference `{reference}`.", icon=":material/error:")
