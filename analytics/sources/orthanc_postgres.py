"""Orthanc's PostgreSQL index, read in one read-only transaction, so that it is one state of the archive."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import sqlalchemy as sa

from analytics.core.errors import PacsmeterError


@contextlib.contextmanager
def postgres_index(url: sa.URL) -> Iterator[sa.Connection]:
    """Open an index; PostgreSQL itself refuses any write.

    Raises
    ------
    PacsmeterError
        The server cannot be reached; the password is not shown.
    """
    engine = sa.create_engine(url.set(drivername="postgresql+psycopg"), isolation_level="REPEATABLE READ",
                              connect_args={"connect_timeout": 10})
    try:
        try:
            connection = engine.connect().execution_options(postgresql_readonly=True)
        except sa.exc.OperationalError:
            raise PacsmeterError("Orthanc's database cannot be reached",
                                 "Check that the server runs, and the user, the password and the database's name.",
                                 shown(url)) from None
        with connection:
            yield connection
    finally:
        engine.dispose()


def shown(url: sa.URL) -> str:
    """Write a URL without its password."""
    return f"orthanc+{url.set(drivername='postgresql', password=None).render_as_string()}"
