"""Whom the path of a file of HL7 messages names: its components are compared with the patients in its messages."""

from __future__ import annotations

import re
from pathlib import Path

from analytics.sources.folder_walk import Place
from analytics.sources.hl7_files import messages_in
from analytics.sources.hl7_text import identities_of
from analytics.sources.path_identity import NamedFile, identities, names_any

SPOOL_NAME = re.compile(r"received-\d{8}\.hl7")
"""A file of `pacsmeter listen`: its name is a day, whoever was born on it."""


_HEAD_BYTES = 4_096
_HEADER = re.compile(rb"(?:^|[\r\n\x0b])MSH([^\w\s][^\r\n]*)")
_DAY = re.compile(rb"\d{8,14}")


def first_sent(path: str) -> str:
    """Return when the first message of a file says it was sent (MSH-7); nothing where it does not.

    The digits as they are written: they order messages as far as their senders' clocks are of one zone.
    """
    try:
        with Path(path).open("rb") as file:
            header = _HEADER.search(file.read(_HEAD_BYTES))
    except OSError:  # the load itself says that the file cannot be read
        return ""
    fields = header[1].split(header[1][:1]) if header else []
    found = _DAY.match(fields[6]) if len(fields) > 6 else None
    return found[0].decode("ascii").ljust(14, "0") if found else ""


def find_patients(place: Place, codec: str) -> NamedFile:
    """Say which components of a file's path name a patient of its messages.

    Parameters
    ----------
    place : tuple of str
        The file, and its path relative to the source.
    codec : str
        Of text where MSH-18 states no character set.

    Notes
    -----
    A birth date that is the day of the message is not looked for: folders and files are named by days, and children
    are imaged on the day they are born.
    """
    path, name = place
    components = [(depth, part) for depth, part in enumerate(name.split("/")) if not SPOOL_NAME.fullmatch(part)]
    depths: set[int] = set()
    has_identity = False
    try:
        with Path(path).open("rb") as file:
            for found in messages_in(file) if components else ():
                for patient_id, patient_name, born, day in identities_of(found.raw, codec) if found.raw else ():
                    texts = identities(patient_id, patient_name.replace("&", "^"), "" if born == day else born)
                    has_identity = has_identity or bool(texts)
                    depths |= {depth for depth, part in components if depth not in depths and names_any(part, texts)}
    except OSError:  # the load itself says that the file cannot be read
        return NamedFile(name, False, ())
    return NamedFile(name, has_identity or not components, tuple(sorted(depths)))
