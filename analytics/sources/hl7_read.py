"""One HL7 v2 message: what it tells of orders, event times and merged patients. Pure: bytes in, rows out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from analytics.core.pseudonym import PLACEHOLDER_PREFIX
from analytics.sources import hl7_terms as terms
from analytics.sources.hl7_events import UNABLE_TO_CANCEL, Group, events_of
from analytics.sources.hl7_ids import Identifier, identifiers, preferred, replaced
from analytics.sources.hl7_text import MalformedError, Message, Segment
from analytics.sources.hl7_time import Clock
from analytics.sources.patient import PatientEdge

ORDERS = frozenset({"ORM", "OMI", "OMG"})
RESULTS = frozenset({"ORU"})
MERGES = frozenset({"A18", "A34", "A36", "A40", "A47"})
APPOINTMENTS_CANCELLED = frozenset({"S15", "S17"})
ID_TYPES = ("MR", "PI")
"""Identifier type code (CX.5, table 0203) that is looked for first: medical record number, internal identifier."""

Place = tuple[str, int, int]
ACCESSION: tuple[Place, ...] = (("IPC", 1, 1), ("OBR", 18, 1), ("OBR", 3, 1), ("ORC", 3, 1))
"""Where the accession number is looked for: IPC-1, OBR-18 (IHE radiology), else the filler's number."""
APPOINTMENT_ACCESSION: tuple[Place, ...] = (("SCH", 27, 1),)

UNDECODED = "messages have text that their character set (MSH-18) cannot decode: names and descriptions are left out"
UNUSED = "messages of type {} tell nothing that is used"
OTHER_SERVICE = "orders and results of services that make no images (OBR-24) were passed over"
TWO_KINDS = "merges of ids of two types (MRG-1 and PID-3, component 5), of which the archive uses one, were passed over"
PLACEHOLDER = "merges from or into an id that many patients share were passed over"


@dataclass(frozen=True)
class Reading:
    """How the messages of a source are read.

    Attributes
    ----------
    edge : turns identities into pseudonyms.
    zone : of times without an offset, where MSH-7 has none.
    site : which site the orders belong to; the sending facility (MSH-4) where not given.
    accession : where the accession number is looked for, in this order.
    id_types : identifier type codes of PID-3 that are looked for first.
    codec : of text where MSH-18 states no character set; ASCII where empty.
    """

    edge: PatientEdge
    zone: ZoneInfo
    site: str | None = None
    accession: tuple[Place, ...] = ACCESSION
    id_types: tuple[str, ...] = ID_TYPES
    codec: str = ""


@dataclass
class Told:
    """What one message tells.

    Attributes
    ----------
    orders, merges : rows of ``orders`` and ``patient_merges``; what an order leaves empty it does not say.
    events : rows of ``events``.
    retracted : accession number and SWIM event that are taken back.
    rejected : reason code and reason of what could not be used; the rest of the message is used.
    day : of the message.
    """

    orders: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    merges: list[dict[str, Any]] = field(default_factory=list)
    retracted: list[tuple[str, str]] = field(default_factory=list)
    rejected: dict[str, str] = field(default_factory=dict)
    notes: Counter[str] = field(default_factory=Counter)
    day: date | None = None

    def tell(self, accession: str, event: str, at: datetime, origin: str) -> None:
        """Add an event."""
        self.events.append({"accession_number": accession, "event": event, "event_at": at, "origin": origin})


def read_message(raw: bytes, reading: Reading, now: datetime) -> Told:
    """Read one message; whatever it holds, this does not raise.

    Parameters
    ----------
    raw : bytes
        The message without a frame.
    reading : Reading
    now : datetime
        When it is read: no event is later than the message, or than this, by more than a day.
    """
    told = Told()
    try:
        message = Message(raw, reading.codec)
    except MalformedError as error:
        told.rejected["malformed_message"] = f"{error}; correct it at the sender, and send it again."
        return told
    kind, trigger = (message.value(message.header, 9, component).upper() for component in (1, 2))
    if not kind:
        told.rejected["malformed_message"] = ("The message does not say its type (MSH-9), or is cut off; correct it "
                                              "at the sender, and send it again.")
        return told
    clock = Clock(reading.zone, now, notes=told.notes)
    clock.start(message.value(message.header, 7), message.value(message.header, 7, 2))
    told.day = clock.sent.astimezone(reading.zone).date() if clock.sent else None
    if not message.trusted:
        told.notes[UNDECODED] += 1
    if kind in ORDERS | RESULTS:
        _read_orders(message, clock, kind in RESULTS, reading, told)
    elif kind == "ADT" and trigger in MERGES:
        _read_merges(message, clock, reading, told)
    elif kind == "SIU":
        _read_appointment(message, clock, trigger, reading, told)
    else:
        name = f"{kind}^{trigger}" if trigger else kind
        told.notes[UNUSED.format(name if re.fullmatch(r"[A-Z]{3}(\^[A-Z]\d\d)?", name) else "unknown")] += 1
    _reject_times(clock, told)
    return told


def _reject_times(clock: Clock, told: Told) -> None:
    if clock.wrong:
        told.rejected["bad_time"] = (f"{', '.join(clock.wrong)} is no time of HL7 (YYYYMMDDHHMM); the rest of the "
                                     "message was used. Correct it at the sender.")
    if clock.nonsense:
        told.rejected["clock_nonsense"] = (
            f"{', '.join(clock.nonsense)} lies more than a day after the message, or before 1990; the rest of the "
            "message was used. Check the sender's clock.")


def _groups(message: Message, clock: Clock, is_result: bool) -> Iterator[Group]:
    """Yield the orders of a message: each begins with ORC, or with OBR where no ORC stands before it."""
    group = Group(message, clock, is_result)
    for name, segment in message.segments:
        if name not in ("ORC", "OBR", "TQ1", "IPC", "OBX"):
            continue
        if "OBR" in group.segments if name == "OBR" else name == "ORC" and {"ORC", "OBR"} & group.segments.keys():
            yield group
            group = Group(message, clock, is_result)
        group.segments.setdefault(name, segment)
    if group.segments:
        yield group


def _read_orders(message: Message, clock: Clock, is_result: bool, reading: Reading, told: Told) -> None:
    about = _about_patient(message, reading)
    for group in _groups(message, clock, is_result):
        if group.text("OBR", 24).upper() in terms.OTHER_SERVICES:
            told.notes[OTHER_SERVICE] += 1
            continue
        accession = _first(group.segments, message, reading.accession)
        if not accession:
            where = ", ".join(f"{name}-{number}" for name, number, _ in reading.accession)
            told.rejected["no_accession"] = (f"An order has no accession number in {where}; if your system keeps it "
                                             "elsewhere, say where: hl7:///folder?accession=OBR-20.")
            continue
        told.orders.append({"accession_number": accession, **about, **_about_exam(group, trusted=message.trusted)})
        for event, at, origin in events_of(group):
            told.tell(accession, event, at, origin)
        if group.text("ORC", 1) == UNABLE_TO_CANCEL:
            told.retracted.append((accession, "ExamCancelled"))
    if not told.orders and not told.rejected and not told.notes[OTHER_SERVICE]:
        told.rejected["malformed_message"] = ("The message holds no order (ORC, OBR), or is cut off; ask the sender "
                                              "for it again.")


def _first(segments: dict[str, Segment], message: Message, places: tuple[Place, ...]) -> str:
    found = (message.value(segments.get(name), number, component) for name, number, component in places)
    return next(filter(None, found), "")


def _about_exam(group: Group, *, trusted: bool) -> dict[str, Any]:
    """Return what an order says of its exam; a text that could not be decoded stays empty."""
    text = group.text
    described = next(filter(None, (text("OBR", 4, component) for component in (2, 5))), None)
    urgency = next(filter(None, (terms.priority(text(*place)) for place in (
        ("TQ1", 9), ("ORC", 7, 6), ("OBR", 27, 6), ("OBR", 5)))), None)
    return {
        "procedure_code": next(filter(None, (text("OBR", 4, component) for component in (1, 4))), None),
        "procedure_description": described if trusted or (described or "").isascii() else None,
        "modality": terms.modality(text("IPC", 5)) or terms.modality(text("OBR", 24)),
        "station_name": text("IPC", 7) or text("IPC", 9) or None,
        "priority": urgency}


def _about_patient(message: Message, reading: Reading) -> dict[str, Any]:
    """Return who the patient is, as pseudonyms, and what the visit says; empty where the message does not say."""
    pid = message.first("PID")
    patient_id = preferred(identifiers(message, pid, 3), reading.id_types).value
    columns = reading.edge.columns(
        patient_id, _name(message, pid), message.value(pid, 7)[:8], message.value(pid, 8))
    columns["patient_key"] = columns["patient_key"] or None
    return {**columns, "patient_class": terms.patient_class(message.value(message.first("PV1"), 2)),
            "site": reading.site or message.value(message.header, 4) or None}


def _name(message: Message, pid: Segment | None) -> str:
    """Return PID-5 as DICOM writes a name: family, given, middle, prefix, suffix (PS3.5 6.2).

    Of several the alphabetic one (XPN.8 A) or one that does not say (table 0465); of these the legal one (XPN.7 L).
    What its character set cannot decode would be another name, and so another pseudonym: it stays empty.
    """
    places = range(1, message.repetitions(pid, 5) + 1)
    kept = sorted((place for place in places if message.value(pid, 5, 8, place) in ("", "A")),
                  key=lambda place: (message.value(pid, 5, 8, place) != "A", message.value(pid, 5, 7, place) != "L"))
    for place in kept:
        name = "^".join(message.value(pid, 5, component, place) for component in (1, 2, 3, 5, 4)).rstrip("^")
        if name:
            return name if message.trusted or name.isascii() else ""
    return ""


def _read_merges(message: Message, clock: Clock, reading: Reading, told: Told) -> None:
    """Read A18, A34, A36, A40, A47: the id of MRG-1 is no longer used, that of the PID before it stays (3.3.40).

    A36 merges an account as well; A47 corrects an id (3.3.47): the history under the old one is the new one's.
    """
    event = message.first("EVN")
    at = clock.at("EVN-2", message.value(event, 2), message.value(event, 2, 2)) or clock.sent
    surviving: Segment | None = None
    for name, segment in message.segments:
        if name == "PID":
            surviving = segment
        if name != "MRG":
            continue
        gone, there = identifiers(message, segment, 1), identifiers(message, surviving, 3)
        for merged, kept in replaced(gone, there, reading.id_types):
            _tell_merger(merged, kept, at, reading, told)


def _tell_merger(merged: Identifier, kept: Identifier, at: datetime | None, reading: Reading, told: Told) -> None:
    keys = [reading.edge.patient_key(one.value) for one in (merged, kept)]
    if not all(keys):
        told.rejected["no_patient_id"] = ("A merge of patients lacks one of the two ids (PID-3, MRG-1); correct "
                                          "it at the sender, and send it again.")
    elif merged.kind and kept.kind and merged.kind != kept.kind:
        told.notes[TWO_KINDS] += 1
    elif any(key.startswith(PLACEHOLDER_PREFIX) for key in keys):
        told.notes[PLACEHOLDER] += 1
    elif keys[0] != keys[1]:
        told.merges.append({"merged_key": keys[0], "surviving_key": keys[1], "merged_at": at})


def _read_appointment(message: Message, clock: Clock, trigger: str, reading: Reading, told: Told) -> None:
    """Read SIU S12 to S26: the start of the appointment (SCH-11.4, TQ1-7, AIS-4); S15 and S17 take it back."""
    segments = dict(reversed(message.segments))  # the first of each name
    places = tuple(place for place in reading.accession if place[0] == "SCH") or APPOINTMENT_ACCESSION
    accession = _first(segments, message, places)
    if not accession:
        told.rejected["no_accession"] = ("The appointment has no accession number in SCH-27; if your system keeps it "
                                         "elsewhere, say where: hl7:///folder?accession=SCH-26,OBR-18.")
        return
    if trigger in APPOINTMENTS_CANCELLED:
        told.retracted.append((accession, "ApptTime"))
        return
    for name, number, component in (("SCH", 11, 4), ("TQ1", 7, 1), ("AIS", 4, 1)):
        text = message.value(segments.get(name), number, component)
        if text:
            origin = f"{name}-{number}" + (f".{component}" if component > 1 else "")
            at = clock.at(origin, text, may_be_ahead=True)
            if at:
                told.tell(accession, "ApptTime", at, origin)
            return
