"""Some values of a dataset in Explicit VR Little Endian, as archives keep them in a column (PS3.5 2024e 7.1, 7.5).

pydicom reads some 850 headers a second; an archive has millions. This reads the few values that are asked for, skips
the rest by their lengths, and stops at the last one.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Set
from dataclasses import dataclass, field

from analytics.sources import dicom_values as dv

_LONG = frozenset({b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"})
_UNDEFINED = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_DEEPEST = 16
_CHARACTER_SET = 0x00080005
_short = struct.Struct("<HH2sH").unpack_from
_long = struct.Struct("<I").unpack_from
_item = struct.Struct("<HHI").unpack_from


class Unreadable(Exception):
    """The bytes are no dataset in Explicit VR Little Endian, or end before their lengths say."""


@functools.lru_cache(256)
def _encodings(raw: bytes) -> tuple[str, ...]:
    try:
        return tuple(dv.encodings_of([one.strip() for one in raw.decode("latin-1").strip("\x00 ").split("\\")]))
    except LookupError:
        return ("latin-1",)


@dataclass(frozen=True)
class Attributes:
    """Values of one dataset, as bytes, with the character set they are in.

    Attributes
    ----------
    values : tag, to VR and bytes; of a sequence, its items as they are encoded.
    """

    values: dict[int, tuple[str, bytes]] = field(default_factory=dict)
    encodings: tuple[str, ...] = ("ascii",)

    def text(self, tag: int) -> str:
        """Return the text of a value; empty where there is none."""
        vr, raw = self.values.get(tag, ("", b""))
        return dv.decoded(raw, vr, self.encodings)[0].strip() if raw else ""

    def first_item(self, tag: int, wanted: Set[int]) -> Attributes:
        """Return some values of the first item of a sequence; none where it has no item.

        Raises
        ------
        Unreadable
            The item is damaged.
        """
        raw = self.values.get(tag, ("", b""))[1]
        if len(raw) < 8:
            return Attributes()
        group, element, _ = _item(raw, 0)
        if group << 16 | element != _ITEM:
            return Attributes()
        found = read_attributes(raw[8:], wanted)
        own = _CHARACTER_SET in found.values
        return found if own else Attributes(found.values, self.encodings)


def read_attributes(raw: bytes, wanted: Set[int], *, cut: bool = False) -> Attributes:
    """Return some values of a dataset.

    Parameters
    ----------
    raw : bytes
    wanted : set of int
        Tags, as ``0x00080070``.
    cut : bool
        The bytes are the beginning of a dataset: what is cut off is as if it were not there.

    Raises
    ------
    Unreadable
        They are no such dataset, or end before their lengths say.
    """
    found: dict[int, tuple[str, bytes]] = {}
    last, position, size = max(wanted), 0, len(raw)
    try:
        while position < size:
            group, element, vr, length = _short(raw, position)
            tag = group << 16 | element
            if tag > last:
                break
            position += 8
            if vr in _LONG:
                length = _long(raw, position)[0]
                position += 4
            end = _end(raw, position, vr, length, 0)
            if end > size:
                raise Unreadable
            if tag in wanted or tag == _CHARACTER_SET:
                found[tag] = (vr.decode("latin-1"), raw[position:end])
            position = end
    except (struct.error, Unreadable):
        if not cut:
            raise Unreadable from None
    return Attributes(found, _encodings(found.get(_CHARACTER_SET, ("", b""))[1]))


def _end(raw: bytes, position: int, vr: bytes, length: int, depth: int) -> int:
    """Return where a value ends; a sequence without a length is gone through."""
    if not (vr.isalpha() and vr.isupper()):
        raise Unreadable
    if length != _UNDEFINED:
        return position + length
    if vr != b"SQ" or depth > _DEEPEST:
        raise Unreadable
    while True:
        group, element, length = _item(raw, position)
        position += 8
        tag = group << 16 | element
        if tag == _SEQUENCE_END:
            return position
        if tag != _ITEM:
            raise Unreadable
        position = position + length if length != _UNDEFINED else _end_of_item(raw, position, depth)


def _end_of_item(raw: bytes, position: int, depth: int) -> int:
    while True:
        group, element, vr, length = _short(raw, position)
        position += 8
        if group << 16 | element == _ITEM_END:
            return position
        if vr in _LONG:
            length = _long(raw, position)[0]
            position += 4
        position = _end(raw, position, vr, length, depth + 1)
