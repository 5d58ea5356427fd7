"""Files that hold a secret: read only where nobody but the user who runs pacsmeter can read or replace them."""

from __future__ import annotations

import os
import pwd
import stat
from pathlib import Path

from analytics.core.errors import PacsmeterError


def user_name(uid: int) -> str:
    """Return the name of a user of this machine, whatever the environment says it is."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def read_private(path: Path, what: str) -> bytes:
    """Read a file that holds a secret, without the blanks around it.

    Parameters
    ----------
    path : Path
    what : str
        What it is, for errors: ``The file of the pseudonym key``.

    Raises
    ------
    PacsmeterError
        It cannot be read or is empty, is not a file of the user's own, or others can read or change it.
    """
    try:
        with path.open("rb") as file:
            about = os.fstat(file.fileno())  # of the file that is open: a name can be given to another meanwhile
            if not stat.S_ISREG(about.st_mode):
                raise PacsmeterError(f"{what} is not a file", "Name a file.", str(path))
            if about.st_uid != os.geteuid():
                raise PacsmeterError(
                    f"{what} belongs to {user_name(about.st_uid)}, and pacsmeter runs as {user_name(os.geteuid())}",
                    "Run pacsmeter as its owner, or give the file to the user who runs it (chown).", str(path))
            if stat.S_IMODE(about.st_mode) & 0o077:
                raise PacsmeterError(f"{what} can be read or changed by others than its owner",
                                     f"Run: chmod 600 {path}", str(path))
            held = file.read().strip()
    except OSError as error:
        raise PacsmeterError(f"{what} cannot be read ({error.strerror})", "Check its name and its permissions.",
                             str(path)) from None
    if not held:
        raise PacsmeterError(f"{what} is empty", "Put back the one that was there from a backup, or name another.",
                             str(path))
    return held
