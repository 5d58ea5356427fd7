"""Reading IHE SOLE event reports: syslog messages whose body is DICOM's audit message, an event of SWIM in each.

SOLE (IHE Radiology, Standardized Operational Log of Events 1.2, trial implementation of 2018) sends them with ITI-20:
APP-NAME ``IHE+SOLE``, MSGID the event's code. Syslog is RFC 5424, its frames RFC 6587; the body is DICOM PS3.15 A.5,
where a code stands in ``csd-code``, and in older messages in ``code`` (RFC 3881).

Nothing here raises on what a file holds, and nothing says a value of it but a RID.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from typing import BinaryIO
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

MAX_MESSAGE_BYTES = 1 << 20
_CHUNK_BYTES = 1 << 20
_BOM = b"\xef\xbb\xbf"

_FRAME = re.compile(rb"([1-9]\d{0,8}) (?=<\d{1,3}>)")
_LINE_START = re.compile(rb"(?:(?<=\n)|^)(?=<\d{1,3}>[1-9]\d{0,2} )")
_LONGEST_MARK, _LONGEST_OBJECT = 64, 4_096
_XML_END = re.compile(rb"</(?:[\w.-]+:)?AuditMessage\s*>")
_PARAMS = rb'\[[^ \]="]+(?: [^ \]="]+="(?:[^"\\]|\\.)*")*\]'
_HEADER = re.compile(
    rb"<\d{1,3}>[1-9]\d{0,2} (?P<time>\S+) (?P<host>\S+) (?P<app>\S+) (?P<process>\S+) (?P<id>\S+) "
    rb"(?:-|(?:" + _PARAMS + rb")+)(?: (?P<body>.*))?", re.DOTALL)
_RID = re.compile(r"RID\d{1,8}", re.ASCII)
_OBJECT = re.compile(rb"<(?:\w+:)?ParticipantObjectIdentification\b[^>]*>")
_ATTRIBUTE = re.compile(rb'(ParticipantObject(?:ID|Name|TypeCodeRole))\s*=\s*(?:"([^"]*)"|\'([^\']*)\')')

RADLEX = frozenset({"RADLEX", "2.16.840.1.113883.6.256"})
"""How RadLex is named as a code system: by its name, or by its OID (PS3.16 chapter 8)."""
ACCESSION_CODE = "121022"
"""Accession Number, as the type of a participant's id (DICOM PS3.16, DCM)."""

FAULTS: dict[str, str] = {
    "malformed": "The message is no syslog (RFC 5424) with an audit message in it; ask the sender for it again.",
    "bad_xml": "The audit message is damaged or cut off, or is not well-formed XML; ask the sender for it again.",
    "forbidden_xml": "The audit message declares a document type or entities, which none needs; ask who made it.",
    "truncated": "The message is cut off: it is shorter than it says; ask the sender for it again.",
    "too_large": f"The message is larger than {MAX_MESSAGE_BYTES // 2**20} MB; it is no event report.",
    "no_event": "The message has no event code; ask the sender for it again.",
    "no_time": "The message has no time of its event (EventDateTime); ask the sender for it again.",
    "empty": "The file is empty; copy it again.",
}


@dataclass(frozen=True)
class Report:
    """One event report, or what stands where one should.

    Attributes
    ----------
    fault : reason code; empty where the message can be read.
    system : code system of the event: ``RADLEX``, in capitals.
    rid : the event's RadLex identifier; empty where it is none.
    at : EventDateTime as it is written.
    accession_numbers : of the study or studies.
    failed : whether the event did not succeed (EventOutcomeIndicator).
    """

    fault: str = ""
    system: str = ""
    rid: str = ""
    at: str = ""
    accession_numbers: tuple[str, ...] = ()
    failed: bool = False


def messages_in(file: BinaryIO) -> Iterator[tuple[bytes, str]]:
    """Yield the messages of a file, each with its fault: XML, or syslog by octet count (RFC 6587) or by line.

    A syslog message that holds line ends goes on to the next line that begins one.

    Parameters
    ----------
    file : binary file
        Read once, a piece at a time: never more than a message.
    """
    head = file.read(_CHUNK_BYTES).removeprefix(_BOM).lstrip()
    if not head:
        yield b"", "empty"
    elif _FRAME.match(head):
        yield from _by_count(head, file)
    else:
        is_syslog = _LINE_START.match(head) or not head.startswith(b"<")
        yield from _split(head, file, _LINE_START if is_syslog else _XML_END)


def _split(held: bytes, file: BinaryIO, mark: re.Pattern[bytes]) -> Iterator[tuple[bytes, str]]:
    """Yield what stands between two marks; what is too large is passed over."""
    too_large = False
    while True:
        start = 0
        for found in mark.finditer(held):
            piece = held[start:found.end()].strip()
            if piece and not too_large:
                yield piece, ""
            too_large = too_large and found.end() == 0
            start = found.end()
        rest, more = held[start:], file.read(_CHUNK_BYTES)
        if not more:
            if rest.strip() and not too_large:
                yield rest.strip(), ""
            return
        if len(rest) > MAX_MESSAGE_BYTES:
            if not too_large:
                yield b"", "too_large"
            too_large, rest = True, rest[-_LONGEST_MARK:]
        held = rest + more


def _by_count(held: bytes, file: BinaryIO) -> Iterator[tuple[bytes, str]]:
    """Yield messages that each begin with their length in bytes."""
    while True:
        held = held.lstrip(b"\r\n")
        if len(held) < _LONGEST_MARK:
            held += file.read(_CHUNK_BYTES)
        if not held.strip():
            return
        frame = _FRAME.match(held)
        if not frame:
            yield b"", "malformed"
            yield from _split(held, file, _LINE_START)
            return
        length, held = int(frame[1]), held[frame.end():]
        if length > MAX_MESSAGE_BYTES:
            yield b"", "too_large"
            return
        if len(held) < length:
            held += file.read(length - len(held) + _CHUNK_BYTES)
        if len(held) < length:
            yield b"", "truncated"
            return
        yield held[:length].strip(), ""
        held = held[length:]


def read_report(message: bytes) -> Report:
    """Read one message."""
    message_id, body = "", message
    if not message.startswith((b"<?xml", b"<Audit", b"<!")):
        header = _HEADER.fullmatch(message)
        if not header or not (header["body"] or b"").strip():
            return Report("malformed")
        message_id = header["id"].decode("ascii", "replace")
        body = header["body"].strip().removeprefix(_BOM).lstrip()
    try:
        root = fromstring(body, forbid_dtd=True)
    except DefusedXmlException:
        return Report("forbidden_xml")
    except (ParseError, ValueError, LookupError):
        return Report("bad_xml")
    return _report(root, message_id)


def _report(root: Element, message_id: str) -> Report:
    about = next((one for one in root if _tag(one) == "EventIdentification"), None)
    if _tag(root) != "AuditMessage" or about is None:
        return Report("malformed")
    codes = [(_code(one), (one.get("codeSystemName") or "").strip().upper()) for one in about
             if _tag(one) in ("EventID", "EventTypeCode")]
    coded = next(((code, system) for code, system in codes if system in RADLEX or _RID.fullmatch(code)), None)
    if coded is None and _RID.fullmatch(message_id):
        coded = message_id, "RADLEX"
    if coded is None:
        return Report("" if codes else "no_event", codes[0][1] if codes else "")
    if not about.get("EventDateTime"):
        return Report("no_time")
    return Report("", "RADLEX", coded[0] if _RID.fullmatch(coded[0]) else "", about.get("EventDateTime", ""),
                  _accession_numbers(root), (about.get("EventOutcomeIndicator") or "0").strip() != "0")


def _accession_numbers(root: Element) -> tuple[str, ...]:
    """Return the accession numbers of the participating objects, wherever the sender put them."""
    found: dict[str, None] = {}
    for thing in root:
        if _tag(thing) != "ParticipantObjectIdentification":
            continue
        for inside in thing.iter():
            if _tag(inside) == "Accession":
                found[(inside.get("Number") or "").strip()] = None
            elif _tag(inside) == "ParticipantObjectIDTypeCode" and _code(inside) == ACCESSION_CODE:
                found[(thing.get("ParticipantObjectID") or "").strip()] = None
    return tuple(number for number in found if number)


def _tag(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _code(element: Element) -> str:
    return (element.get("csd-code") or element.get("code") or "").strip()


def patients_in(file: BinaryIO, most: int) -> set[tuple[str, str]] | None:
    """Return PatientID and name of the patients that a file speaks of, to compare its path with; never kept.

    Parameters
    ----------
    file : binary file
    most : int
        Nothing is returned where there are more than this.
    """
    found: set[tuple[str, str]] = set()
    held = b""
    while chunk := file.read(_CHUNK_BYTES):
        held = held[-_LONGEST_OBJECT:] + chunk
        for thing in _OBJECT.finditer(held):
            about = {name: unescape((double or single).decode("utf-8", "replace"))
                     for name, double, single in _ATTRIBUTE.findall(thing.group())}
            if about.get(b"ParticipantObjectTypeCodeRole", "").strip() == "1":
                patient_id = about.get(b"ParticipantObjectID", "").partition("^")[0]  # a CX of HL7 v2, in ATNA
                found.add((patient_id, about.get(b"ParticipantObjectName", "")))
        if len(found) > most:
            return None
    return found
