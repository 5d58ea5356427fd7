"""Finding the messages in a file: one or many, framed (MLLP), in a batch (FHS, BHS), with any line ends.

Nothing is taken apart here but the file: what a message says is `hl7_read`'s.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

START_BLOCK, END_BLOCK = b"\x0b", b"\x1c"
"""Frame of the Minimal Lower Layer Protocol: VT before a message, FS and CR after it (HL7 v2.5.1 appendix C.4)."""
MAX_MESSAGE_BYTES = 64 * 2**20
_CHUNK_BYTES = 2**20
_LONGEST_MARK = 5

_MARK = re.compile(rb"\x0b|\x1c|(?<![^\r\n])(?=(?:MSH|FHS|FTS|BHS|BTS)[^\w\s])")
_ENVELOPE = (b"FHS", b"FTS", b"BHS", b"BTS")
_BLANK = b" \t\r\n\x00\x0c\x1a"
_UTF_8, _UTF_16 = b"\xef\xbb\xbf", (b"\xff\xfe", b"\xfe\xff")

NOT_HL7 = "The file holds no HL7 message (no MSH segment); keep other files elsewhere."
_FAULTS = {
    "not_hl7": NOT_HL7,
    "no_header": "Text stands outside any message; a message begins with MSH.",
    "truncated": "The message is cut off: its frame has no end; ask the sender for it again.",
    "too_large": f"The message is larger than {MAX_MESSAGE_BYTES // 2**20} MB; have it sent without documents.",
    "utf_16": "The file is UTF-16; write it as UTF-8.",
    "empty": "The file is empty; copy it again."}


@dataclass(frozen=True)
class Found:
    """A message of a file, or what stands where one should.

    Attributes
    ----------
    number : from 1; 0 where the file as a whole is meant.
    raw : the message; empty where it cannot be used.
    fault : reason code; empty where the message can be read.
    """

    number: int
    raw: bytes = b""
    fault: str = ""

    @property
    def reason(self) -> str:
        """What is wrong and what to do."""
        return _FAULTS.get(self.fault, "")


def messages_in(file: BinaryIO) -> Iterator[Found]:
    """Yield the messages of a file in their order, and every piece of it that is none.

    Parameters
    ----------
    file : binary file
        Read once, a piece at a time: never more than a message, and that up to `MAX_MESSAGE_BYTES`.
    """
    head = file.read(_CHUNK_BYTES)
    if not head.strip(_BLANK):
        yield Found(0, fault="empty")
        return
    if head[:2] in _UTF_16:
        yield Found(0, fault="utf_16")
        return
    if b"MSH" not in head:
        yield Found(0, fault="not_hl7")
        return
    for number, piece in enumerate(_pieces(file, head.removeprefix(_UTF_8)), 1):
        yield Found(number, *piece)


def _pieces(file: BinaryIO, head: bytes) -> Iterator[tuple[bytes, str]]:
    """Yield what stands between two marks, with its fault."""
    held, framed, skipping, scanned = head, False, False, 0
    while True:
        more = file.read(_CHUNK_BYTES)
        start = 0
        for mark in _MARK.finditer(held, scanned):
            opened = mark.group()
            if not skipping:
                yield from _piece(held[start:mark.start()], cut=framed and opened == START_BLOCK)
            start, skipping = mark.end(), False
            framed = opened == START_BLOCK or (framed and opened != END_BLOCK)
        rest = held[start:]
        if not more:
            if not skipping:
                yield from _piece(rest, cut=framed)
            return
        if len(rest) > MAX_MESSAGE_BYTES and not skipping:
            skipping = True
            yield b"", "too_large"
        held = (rest[-_LONGEST_MARK:] if skipping else rest) + more
        scanned = max(len(held) - len(more) - _LONGEST_MARK, 0)


def _piece(piece: bytes, *, cut: bool) -> Iterator[tuple[bytes, str]]:
    text = piece.strip(_BLANK)
    if not text or text.startswith(_ENVELOPE):
        return
    if not text.startswith(b"MSH"):
        yield b"", "no_header"
    elif cut:
        yield b"", "truncated"
    else:
        yield text, ""
