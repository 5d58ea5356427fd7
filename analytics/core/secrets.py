"""Passwords and tokens of the servers that are read, from the environment or a file of their owner's; none is kept.

Looked for in this order: the URL itself; ``password_file`` of the source file; ``PACSMETER_PASSWORD_<SOURCE>`` or
``PACSMETER_TOKEN_<SOURCE>``, where ``<SOURCE>`` is the source's name in capitals with ``_`` for every other sign; the
owner's ``~/.netrc``.
"""

from __future__ import annotations

import netrc
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, unquote

import sqlalchemy as sa
from pydantic import SecretStr

from analytics.core.errors import PacsmeterError
from analytics.core.private_file import read_private


@dataclass(frozen=True)
class Credentials:
    """How to say who asks: user and password, or a bearer token; empty where a server asks for none."""

    user: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)


def variable(kind: str, source_id: str) -> str:
    """Return the environment variable of a source's password or token."""
    return f"PACSMETER_{kind}_{re.sub(r'[^A-Z0-9]', '_', source_id.upper())}"


def read_password(path: Path) -> SecretStr:
    """Read a file that holds nothing but a password; it must be readable by its owner alone.

    Raises
    ------
    PacsmeterError
        It cannot be read, is empty, is not text, or others can read it.
    """
    try:
        return SecretStr(read_private(path, "The file of the password").decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise PacsmeterError("The file of the password is not UTF-8 text", "Save it as UTF-8.", str(path)) from None


def credentials_for(url: SplitResult, source_id: str, password_read: SecretStr | None = None) -> Credentials:
    """Return how to sign in to a server.

    Parameters
    ----------
    url : urllib.parse.SplitResult
    source_id : str
    password_read : SecretStr, optional
        What the source file's ``password_file`` holds.

    Raises
    ------
    PacsmeterError
        ``~/.netrc`` is there and cannot be read.
    """
    user, password = unquote(url.username or ""), unquote(url.password or "")
    password = password or _password(source_id, password_read)
    token = os.environ.get(variable("TOKEN", source_id), "")
    if password or token:
        return Credentials(user, password, token)
    try:
        found = netrc.netrc().authenticators(url.hostname or "")
    except FileNotFoundError:
        found = None
    except (netrc.NetrcParseError, OSError) as error:
        raise PacsmeterError("The file of passwords cannot be read", "Correct it, and make it readable by you alone.",
                             "~/.netrc") from error
    if found and (not user or user == found[0]):
        return Credentials(found[0], found[2] or "", "")
    return Credentials(user)


def with_password(url: sa.URL, source_id: str, password_read: SecretStr | None = None) -> sa.URL:
    """Return a database's URL with its source's password; without one, the driver asks PGPASSWORD and ~/.pgpass."""
    password = "" if url.password else _password(source_id, password_read)
    return url.set(password=password) if password else url


def _password(source_id: str, password_read: SecretStr | None) -> str:
    return password_read.get_secret_value() if password_read else os.environ.get(variable("PASSWORD", source_id), "")


def without_credentials(url: SplitResult) -> str:
    """Write a URL without the user's password: what is kept and shown."""
    host = url.hostname or ""
    host = f"[{host}]" if ":" in host else host
    place = f"{host}:{url.port}" if url.port else host
    netloc = f"{url.username}@{place}" if url.username else place
    return url._replace(netloc=netloc, query="", fragment="").geturl()
