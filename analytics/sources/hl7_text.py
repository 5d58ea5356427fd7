"""The text of one HL7 v2 message: its character set, its segments, and the values in them.

The splitting of segments into fields, repetitions, components and subcomponents is python-hl7's; what that library
does with line ends, escape sequences, several messages and missing fields is not used (docs/adr/0009-hl7.md).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import hl7

from analytics.sources.hl7_terms import codec_of

Segment = Sequence[object]

USED = {"MSH": 18, "EVN": 2, "PID": 8, "MRG": 1, "PV1": 2, "TQ1": 9, "OBX": 14, "AIS": 4,
        "ORC": 99, "OBR": 99, "IPC": 99, "SCH": 99}
"""Segments that are looked at, and how many of their fields; of OBX the first after an OBR, without its text."""
_MOST_SEGMENTS = 2_000

_HEADER = re.compile(r"MSH([^\w\s])([^\w\s]{1,5})\1")
_HEXADECIMAL = re.compile(r"X((?:[0-9A-Fa-f]{2})+)")
_IDENTITY = re.compile(r"(?:^|[\r\n])(PID|MRG)([^\w\s][^\r\n]*)")


class MalformedError(ValueError):
    """The text is no HL7 message; says why, never what it holds."""


def decoded(raw: bytes, default: str = "") -> tuple[str, str, bool]:
    """Return the text of a message, its codec, and whether that decodes all of it.

    Parameters
    ----------
    raw : bytes
    default : str
        Codec where MSH-18 is empty and the message is not ASCII.

    Notes
    -----
    The text is decoded before it is split: in GB 18030 or ISO 2022 a byte of a character may look like a delimiter.
    What cannot be decoded is read as Latin-1, which keeps the delimiters where they are.
    """
    header = re.split(rb"[\r\n]", raw, maxsplit=1)[0]
    fields = header.split(header[3:4]) if len(header) > 4 else []
    stated = fields[17].decode("latin-1") if len(fields) > 17 else ""
    codec = codec_of(stated.split("~")) if stated.strip("~ ") else default or "ascii"
    try:
        if raw.isascii() and b"\x1b" not in raw:
            return raw.decode("ascii"), codec or "ascii", True
        return raw.decode(codec), codec, True
    except (UnicodeError, LookupError):
        return raw.decode("latin-1"), codec or "latin-1", False


def identities_of(raw: bytes, default: str = "") -> Iterator[tuple[str, str, str, str]]:
    """Yield each id, name, birth date of a message's patients as text, with the day of the message; of PID and MRG."""
    text = decoded(raw, default)[0]
    day = text[:text.find("\r") if "\r" in text else None].split(text[3:4] or "|")[6:7]
    for kind, rest in _IDENTITY.findall(text):
        fields = rest.split(rest[0])
        ids = [one for number in ((2, 3, 4, 18, 19) if kind == "PID" else (1, 3, 4))
               for one in _repetitions(fields, number)]
        names = [one for number in ((5, 9) if kind == "PID" else (7,)) for one in _repetitions(fields, number)]
        born = next(iter(_repetitions(fields, 7)), "")[:8] if kind == "PID" else ""
        for one in ids:
            yield one.split("^")[0], "", "", day[0][:8] if day else ""
        for name in names or [""]:
            yield "", name, born, day[0][:8] if day else ""


def _repetitions(fields: list[str], number: int) -> list[str]:
    return fields[number].split("~") if len(fields) > number and fields[number] else []


class Message:
    """One message.

    Parameters
    ----------
    raw : bytes
        Without a frame around it.
    default : str
        Codec of text where MSH-18 states none.

    Attributes
    ----------
    segments : in their order, of those in `USED`.
    trusted : whether its text could be decoded by the character set it states.

    Raises
    ------
    MalformedError
    """

    def __init__(self, raw: bytes, default: str = "") -> None:
        text, self._codec, self.trusted = decoded(raw, default)
        header = _HEADER.match(text)
        if not header:
            raise MalformedError("The MSH segment has no valid delimiters")
        marks = [*header[1], *header[2]]
        self._escape = header[2][2] if len(header[2]) > 2 else "\\"
        self._delimiters = dict(zip("FSRET", [*marks, *"|^~\\&"[len(marks):]], strict=False))
        if len(set(self._delimiters.values())) < 5:
            raise MalformedError("The MSH segment has the same sign for two delimiters")
        try:
            parsed = hl7.parse("\r".join(self._lines(text, header[1])))
        except Exception:  # whatever the library breaks at, it must not say what the message holds
            raise MalformedError("The message cannot be taken apart") from None
        self.segments: list[tuple[str, Segment]] = [(str(segment[0]), segment) for segment in parsed]
        self.header: Segment = self.segments[0][1]

    @staticmethod
    def _lines(text: str, separator: str) -> Iterator[str]:
        """Yield the segments that are used; a line that begins with no segment's name belongs to the one before.

        So a line break in a description, which is forbidden and happens, does not move the fields behind it.
        """
        first_of_results, given = True, 0
        for line in re.split(rf"[\r\n]+(?=[A-Z][A-Z\d]{{2}}{re.escape(separator)})", text):
            name = line[:3]
            if name not in USED or given >= _MOST_SEGMENTS:
                continue
            last = USED[name] + (name != "MSH")  # MSH-1 is the separator itself
            fields = line.split(separator, last)[:last]
            if name == "OBX":
                if not first_of_results:
                    continue
                first_of_results, fields[5:6] = False, [""]
            elif name == "OBR":
                first_of_results = True
            given += 1
            yield re.sub(r"[\r\n]+", "\n", separator.join(fields).strip())

    def all(self, name: str) -> list[Segment]:
        """Return the segments of a name."""
        return [segment for kind, segment in self.segments if kind == name]

    def first(self, name: str) -> Segment | None:
        """Return the first segment of a name."""
        return next((segment for kind, segment in self.segments if kind == name), None)

    def value(self, segment: Segment | None, field: int, component: int = 1, repetition: int = 1,
              subcomponent: int = 1) -> str:
        """Return a value as text, empty where it is not there or is HL7's null (``""``).

        Parameters
        ----------
        segment : sequence or None
        field, component, repetition, subcomponent : int
            From 1, as HL7 counts them; MSH-1 is the field separator.
        """
        if segment is None or len(segment) <= field:
            return ""
        found: object = segment[field]
        for place in (repetition, component, subcomponent):
            if isinstance(found, str):
                found = found if place == 1 else ""
            elif isinstance(found, list):
                found = found[place - 1] if len(found) >= place else ""
        text = found.partition("\n")[0] if isinstance(found, str) else ""
        if self._escape in text:
            text = self._unescaped(text)
        text = text.replace("\x00", "").strip()
        return "" if text == '""' else text

    def repetitions(self, segment: Segment | None, field: int) -> int:
        """Return how often a field is repeated."""
        found = segment[field] if segment is not None and len(segment) > field else None
        return len(found) if isinstance(found, list) else 0

    def _unescaped(self, text: str) -> str:
        """Replace escape sequences (2.7); formatting is a blank, what is not known is left out."""
        parts = text.split(self._escape)
        if len(parts) % 2 == 0:  # an escape character that nothing closes
            parts[-2:] = [self._escape.join(parts[-2:])]
        for place in range(1, len(parts), 2):
            sequence = parts[place]
            hexadecimal = _HEXADECIMAL.fullmatch(sequence)
            if hexadecimal:
                parts[place] = bytes.fromhex(hexadecimal[1]).decode(self._codec, "replace")
            else:
                parts[place] = self._delimiters.get(sequence, " " if sequence.startswith(".") else "")
        return "".join(parts)
