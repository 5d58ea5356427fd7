"""What a reader sees when something goes wrong: one sentence and what to do, never a traceback."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import streamlit as st

from analytics.core.errors import PacsmeterError
from analytics.core.fault_log import log_unforeseen

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
    except Exception as error:
        # Neither the page nor the terminal gets the error's own words: they could quote a record.
        reference = secrets.token_hex(4)
        path = log_unforeseen(error, Path(os.environ.get("PACSMETER_HOME", "var")) / "log", reference)
        log.error("%s could not be shown; %s says where it happened, reference %s", what, path, reference)
        st.error(f"{what} could not be shown because of a fault in pacsmeter. Please report it with the lines of "
                 f"reference `{reference}` in the server's `{path.name}`.", icon=":material/error:")
