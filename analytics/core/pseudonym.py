"""Keyed pseudonyms: what stands in the warehouse where a patient's identity stood at the source.

HMAC-SHA-256 with the site's key (RFC 2104), cut to 128 bits: without the key a pseudonym can neither be
read back nor found by trying every id, and with it the same identity gives the same pseudonym in every load.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import re
import secrets
import stat
from pathlib import Path

from analytics.core.errors import PacsmeterError

PLACEHOLDER_PREFIX = "placeholder-"
_PLACEHOLDERS = re.compile(
    r"^(0+|9{4,}|X+|UNKNOWN|UNK|NONE|N/?A|NULL|NIL|TEST|TESTING|ANON(YMOUS|YMIZED)?|NO[ _]?ID|PATIENT|TEMP|DUMMY|"
    r"NOT[ _]?PROVIDED|UNIDENTIFIED|EMERGENCY|TRAUMA|DOE)$")


def is_placeholder(patient_id: str | None) -> bool:
    """Whether an id is one that many patients share, such as ``000000`` or ``UNKNOWN``."""
    return bool(_PLACEHOLDERS.match((patient_id or "").strip().upper()))


class Pseudonymizer:
    """Turns identities into pseudonyms with one site's key."""

    def __init__(self, key: bytes) -> None:
        if len(key) < 16:
            raise PacsmeterError("The pseudonym key is too short", "Use a key file with at least 16 bytes.")
        self._key = key

    @classmethod
    def from_file(cls, path: Path) -> Pseudonymizer:
        """Read the site's key, making a new one (readable by its owner alone) on first use."""
        with contextlib.suppress(FileExistsError):
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(secrets.token_hex(32).encode())
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise PacsmeterError(
                "The pseudonym key can be read by others than its owner",
                f"Run: chmod 600 {path}", str(path),
            )
        return cls(path.read_bytes().strip())

    def key(self, kind: str, identity: str | None) -> str | None:
        """Return the pseudonym of an identity, ``None`` for an empty one.

        Parameters
        ----------
        kind : str
            ``patient``, ``name``, ``birth_date`` or ``path``: the same text under two kinds gives two pseudonyms.
        identity : str or None
            The identity as the source has it; case and surrounding blanks do not count.
        """
        text = (identity or "").strip().upper()
        if not text:
            return None
        digest = hmac.new(self._key, f"{kind}\x00{text}".encode(), hashlib.sha256).hexdigest()
        return digest[:32]

    def patient_key(self, patient_id: str | None) -> str:
        """Return a patient's key: ``''`` where there is no id, marked where the id is a placeholder.

        A placeholder (``000000``, ``UNKNOWN``) is an id that many patients share; it must never join them.
        """
        key = self.key("patient", patient_id)
        if key is None:
            return ""
        return f"{PLACEHOLDER_PREFIX}{key[:20]}" if is_placeholder(patient_id) else key
