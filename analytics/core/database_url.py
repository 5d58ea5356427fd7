"""URLs of databases, read so that no part of a password is ever shown."""

from __future__ import annotations

import sqlalchemy as sa

from analytics.core.errors import PacsmeterError


def parse_url(text: str, setting: str) -> sa.URL:
    """Read a database's URL.

    Parameters
    ----------
    text : str
        ``dialect+driver://user:password@host:port/database``.
    setting : str
        What an error names instead of the URL: one that cannot be read may show its password anywhere.

    Raises
    ------
    PacsmeterError
        It cannot be read, or its password has a character that a URL takes for something else.
    """
    if text.partition("://")[2].partition("?")[0].count("@") > 1:
        raise PacsmeterError("The user or the password in this URL has an @",
                             "Write it as %40 (and / as %2F, : as %3A), or keep the password in ~/.pgpass.", setting)
    try:
        return sa.make_url(text)
    except (sa.exc.ArgumentError, ValueError):
        raise PacsmeterError("This is not a URL of a database",
                             "Write it as postgresql+psycopg://user@host:5432/database.", setting) from None


def shown_url(url: sa.URL) -> str:
    """Write a URL as it may be shown: without its password."""
    return url.render_as_string(hide_password=True)
