"""HL7 messages made by hand, and what reading them tells."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from analytics.core.pseudonym import Pseudonymizer
from analytics.sources.hl7_read import Reading, Told, read_message
from analytics.sources.patient import PatientEdge
from tests.sources.sites import BORN, IDS, NAMES

EDGE = PatientEdge(Pseudonymizer(b"a key for tests only"))
READING = Reading(EDGE, ZoneInfo("Europe/London"))
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
PID = f"PID|1||{IDS[0]}^^^NORTH^MR||{NAMES[0]}||{BORN[0]}|F"


def text(kind: str, *segments: str, at: str = "20260701080000", charset: str = "") -> str:
    return "\r".join([f"MSH|^~\\&|RIS|NORTH|PACS|X|{at}||{kind}|C1|P|2.5.1||||||{charset}", *segments]) + "\r"


def read(kind: str, *segments: str, reading: Reading = READING, **header: str) -> Told:
    return read_message(text(kind, *segments, **header).encode(), reading, NOW)


def obr(**fields: str) -> str:
    """Return an OBR with fields by number: f3="F1"."""
    values = {int(name[1:]): value for name, value in fields.items()}
    return "|".join(["OBR", *(values.get(number, "") for number in range(1, max(values) + 1))])


def told(found: Told) -> set[tuple[str, str, str]]:
    return {(row["event"], f"{row['event_at']:%m-%d %H:%M}", row["origin"]) for row in found.events}


EXAM = {"f3": "F1", "f4": "CTH^CT head^L", "f18": "A1", "f24": "CT"}
ORDERED = "20260701075900"
