"""An archive's own PostgreSQL database, read in one read-only transaction, so that it is one state of the archive."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import sqlalchemy as sa

from analytics.core.errors import PacsmeterError

_LOST, _REFUSED = "08", "57P"
_TOO_LONG, _NO_PRIVILEGE, _REPLAYED = "57014", "42501", "40001"
_NO_TEXT = ("22021", "22P05")


@contextlib.contextmanager
def read_only(url: sa.URL, archive: str, location: str) -> Iterator[sa.Connection]:
    """Open a database; PostgreSQL itself refuses any write.

    Parameters
    ----------
    url : sqlalchemy.URL
    archive : str
        Whose database it is, as an error names it: ``Orthanc``.
    location : str
        The URL without a password.

    Raises
    ------
    PacsmeterError
        The server cannot be reached; the password is not shown.
    """
    # A database without an encoding (SQL_ASCII) would give bytes for text.
    engine = sa.create_engine(url.set(drivername="postgresql+psycopg"), isolation_level="REPEATABLE READ",
                              connect_args={"connect_timeout": 10, "client_encoding": "utf8"},
                              poolclass=sa.pool.NullPool)
    try:
        try:
            connection = engine.connect().execution_options(postgresql_readonly=True)
        except sa.exc.DBAPIError as error:
            raise _unreachable(error, archive, location) from None
        with connection:
            yield connection
    finally:
        engine.dispose()


def _unreachable(error: sa.exc.DBAPIError, archive: str, location: str) -> PacsmeterError:
    # What libpq says may hold the user, the host and the options: only that it is about the password is taken from it.
    if "password" in str(error.orig):
        return PacsmeterError(f"{archive}'s database cannot be reached: it refuses the user or the password",
                              "Check both, and that the server lets this user in from here (pg_hba.conf).", location)
    return PacsmeterError(f"{archive}'s database cannot be reached",
                          "Check that the server runs, and the user, the password and the database's name.", location)


def reading_failed(error: sa.exc.DBAPIError, archive: str, location: str, examples: str,
                   kind: str = "a database") -> PacsmeterError:
    """Say in one line why a database could not be read to the end; nothing that it holds is quoted.

    Parameters
    ----------
    error : sqlalchemy.exc.DBAPIError
    archive, location : str
        As for `read_only`.
    examples : str
        How to write the URL of such a database, for one that is another's.
    kind : str
        What the archive calls its database.
    """
    state = getattr(error.orig, "sqlstate", None) or ""
    if state == _TOO_LONG:
        return PacsmeterError(f"{archive}'s database took too long over one question, and was not asked on",
                              "Load again when it is quiet; if it stays so, have its indexes checked, and ANALYZE run.",
                              location)
    if state == _NO_PRIVILEGE:
        return PacsmeterError(f"The user may not read a table of {archive}'s database",
                              "Grant it SELECT on all tables of the archive.", location)
    if state == _REPLAYED:
        return PacsmeterError(f"{archive}'s database, a replica, broke the reading off to follow its primary server",
                              "Load again, read the primary, or raise max_standby_streaming_delay.", location)
    if state in _NO_TEXT:
        return PacsmeterError(f"{archive}'s database holds text in another encoding than it says",
                              "Have the encoding of the database checked (SHOW server_encoding).", location)
    if error.connection_invalidated or state.startswith((_LOST, _REFUSED)):
        return PacsmeterError(f"The connection to {archive}'s database was lost while it was read",
                              "The last snapshot stays as it is; load again when the server is up.", location)
    return PacsmeterError(f"The database is not {kind} of {archive} that can be read ({type(error).__name__})",
                          f"Name {examples}.", location)


def shown(url: sa.URL, scheme: str) -> str:
    """Write a URL without its password, and without parameters, which may hold one."""
    plain = sa.URL.create("postgresql", url.username, None, url.host, url.port, url.database)
    return f"{scheme}+{plain.render_as_string()}"
