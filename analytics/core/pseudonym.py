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
from pathlib import Path

from analytics.core.errors import PacsmeterError
from analytics.core.private_file import read_private

LEAST_BYTES = 16
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
        if len(key) < LEAST_BYTES:
            raise PacsmeterError(f"The pseudonym key is too short ({len(key)} bytes)",
                                 f"Use a key of at least {LEAST_BYTES} bytes, made at random.")
        self._key = key

    @classmethod
    def from_file(cls, path: Path) -> Pseudonymizer:
        """Read the site's key, making a new one (readable by its owner alone) on first use.

        Raises
        ------
        PacsmeterError
            It is empty or too short, cannot be made, or belongs to or can be read by somebody else.
        """
        try:
            with contextlib.suppress(FileExistsError):
                path.parent.mkdir(parents=True, exist_ok=True)
                handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(handle, "wb") as file:
                    file.write(secrets.token_hex(32).encode())
                    file.flush()
                    os.fsync(file.fileno())  # pseudonyms made with a key that is lost in a crash are lost with it
        except OSError as error:
            raise PacsmeterError(f"The file of the pseudonym key cannot be made ({error.strerror})",
                                 "Set PACSMETER_KEY_FILE to a file that this user can make.", str(path)) from None
        return cls(read_private(path, "The file of the pseudonym key"))

    @property
    def key_check(self) -> str:
        """Return what tells one key from another and lets no pseudonym be read back: an HMAC of a fixed text."""
        return self.key("key_check", "pacsmeter") or ""

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
