"""Passwords and tokens of the servers that are read, from the environment or a file of their owner's; none is kept.

Looked for in this order: the URL itself; ``PACSMETER_PASSWORD_<SOURCE>`` or ``PACSMETER_TOKEN_<SOURCE>``, where
``<SOURCE>`` is the source's name in capitals with ``_`` for every other sign; the owner's ``~/.netrc``.
"""

from __future__ import annotations

import netrc
import os
import re
from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote

from analytics.core.errors import PacsmeterError


@dataclass(frozen=True)
class Credentials:
    """How to say who asks: user and password, or a bearer token; empty where a server asks for none."""

    user: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)


def variable(kind: str, source_id: str) -> str:
    """Return the environment variable of a source's password or token."""
    return f"PACSMETER_{kind}_{re.sub(r'[^A-Z0-9]', '_', source_id.upper())}"


def credentials_for(url: SplitResult, source_id: str) -> Credentials:
    """Return how to sign in to a server.

    Parameters
    ----------
    url : urllib.parse.SplitResult
    source_id : str

    Raises
    ------
    PacsmeterError
        ``~/.netrc`` is there and cannot be read.
    """
    user, password = unquote(url.username or ""), unquote(url.password or "")
    token = os.environ.get(variable("TOKEN", source_id), "")
    password = password or os.environ.get(variable("PASSWORD", source_id), "")
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


def without_credentials(url: SplitResult) -> str:
    """Write a URL without the user's password: what is kept and shown."""
    host = url.hostname or ""
    host = f"[{host}]" if ":" in host else host
    place = f"{host}:{url.port}" if url.port else host
    netloc = f"{url.username}@{place}" if url.username else place
    return url._replace(netloc=netloc, query="", fragment="").geturl()
