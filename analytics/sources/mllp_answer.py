"""The acknowledgment of one HL7 v2 message (ACK: MSH, MSA; HL7 v2.5.1 2.9.2 and 2.13.1)."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime

from analytics.sources.hl7_text import MalformedError, Message

_ENHANCED = {b"AA": b"CA", b"AE": b"CE"}


def answer_to(raw: bytes, *, kept: bool) -> bytes:
    """Return the ACK of a message, without a frame.

    Parameters
    ----------
    raw : bytes
        The message as it came.
    kept : bool
        Whether it is on disk.

    Returns
    -------
    bytes
        MSA-1 (table 0008) is AA where the message is on disk and can be taken apart, else AE; CA and CE where the
        sender asks for accept acknowledgments (MSH-15). MSA-2 is its MSH-10.
    """
    fields = _header(raw)
    separator = fields[0][3:4] or b"|"
    code = b"AA" if kept and len(fields) > 9 and _can_be_read(raw) else b"AE"
    fields += [b""] * (18 - len(fields))
    trigger = fields[8].split(fields[1][:1] or b"^")[1:2]
    kind = (fields[1][:1] or b"^").join([b"ACK", *trigger])
    code = _ENHANCED[code] if fields[14] else code
    msh = [b"MSH", fields[1] or b"^~\\&", fields[4], fields[5], fields[2], fields[3],
           datetime.now(UTC).strftime("%Y%m%d%H%M%S+0000").encode(), b"", kind, uuid.uuid4().hex[:20].encode(),
           fields[10] or b"P", fields[11] or b"2.5.1"]
    msa = [b"MSA", code, fields[9], *([] if kept else [b"The message could not be stored; send it again."])]
    return separator.join(msh) + b"\r" + separator.join(msa) + b"\r"


def _header(raw: bytes) -> list[bytes]:
    """Return the fields of MSH as they came: MSH-n is the one before it in the list."""
    line = re.split(rb"[\r\n]", raw.lstrip(), maxsplit=1)[0][:4096]
    if not line.startswith(b"MSH") or not line[3:4].strip():
        return [b"MSH|"]
    first, *rest = line[4:].split(line[3:4])
    return [line[:4], first, *rest]


def _can_be_read(raw: bytes) -> bool:
    try:
        message = Message(raw.strip())
    except MalformedError:
        return False
    return bool(message.value(message.header, 9))
