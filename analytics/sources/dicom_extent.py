"""Whether a file is DICOM, and whether it is whole: does it end where its own lengths say."""

from __future__ import annotations

import struct
from typing import BinaryIO

_PIXEL_DATA = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
_DIRECTORY_RECORDS = 0x00041220
UNDEFINED = 0xFFFFFFFF
_SEQUENCE_END = (b"\xfe\xff\xdd\xe0\x00\x00\x00\x00", b"\xff\xfe\xe0\xdd\x00\x00\x00\x00")
_GROUPS_AT_THE_START = (b"\x02\x00", b"\x08\x00", b"\x00\x02", b"\x00\x08")


def looks_like_dicom(file: BinaryIO) -> bool:
    """Whether the file has the preamble's mark, or begins, as old files do, with an element of group 2 or 8."""
    head = file.read(132)
    file.seek(0)
    if head[128:132] == b"DICM":
        return True
    implicit = head[:2] in _GROUPS_AT_THE_START[:2] and head[3:4] == b"\x00" and head[6:8] == b"\x00\x00"
    explicit = head[:2] in _GROUPS_AT_THE_START and head[4:6].isalpha() and head[4:6].isupper()
    return len(head) > 16 and (implicit or explicit)


class Truncated(Exception):
    """The file ends before what its own lengths announce."""


class Watch:
    """Sees each element pass while pydicom reads: where it ends, and where the pixels begin."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file, self._size = file, size
        self.end, self.pixels_at, self.pixel_length = 0, -1, -1
        self.is_directory = False

    def __call__(self, tag: int, vr: str | None, length: int) -> bool:
        at = self._file.tell()
        self.end = -1 if length == UNDEFINED else at + length
        self.is_directory = tag == _DIRECTORY_RECORDS
        if tag in _PIXEL_DATA:
            self.pixels_at, self.pixel_length = at, length
        return tag in _PIXEL_DATA or self.is_directory or self.end > self._size

    def check(self) -> None:
        """Raise where the file ends too early."""
        if self.end == 0 or self.end > self._size:  # nothing after the file meta information, or half an element
            raise Truncated
        if self.pixel_length == UNDEFINED:
            self._walk_fragments()
        elif self.pixels_at < 0 and not self.is_directory:
            self._check_tail()

    def _check_tail(self) -> None:
        """Without pixels the file ends where its last element does."""
        if self.end < 0:
            self._file.seek(max(0, self._size - 8))
            if self._file.read(8) not in _SEQUENCE_END:
                raise Truncated
        elif 0 < self._size - self.end < 8:
            self._file.seek(self.end)
            if self._file.read(8).strip(b"\x00"):
                raise Truncated

    def _walk_fragments(self) -> None:
        """Step from fragment to fragment of encapsulated pixels to their delimiter (PS3.5 A.4)."""
        at = self.pixels_at
        while True:
            self._file.seek(at)
            head = self._file.read(8)
            if len(head) < 8:
                raise Truncated
            group, element, length = struct.unpack("<HHI", head)
            if (group, element) != (0xFFFE, 0xE000):
                return
            at += 8 + length
            if at > self._size:
                raise Truncated
