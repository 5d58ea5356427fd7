"""When an exam was ordered, scheduled, made, reported or cancelled, as HL7 v2 orders and results tell it.

Every instant keeps where it comes from: ``ORC-9``, ``OBR-22``, or ``MSH-7`` where the message alone has a time.
Tables: 0119 (order control, ORC-1), 0038 (order status, ORC-5), 0123 (result status, OBR-25), HL7 v2.5.1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from analytics.sources.hl7_text import Message, Segment
from analytics.sources.hl7_time import Clock

NEW_ORDERS = frozenset({"NW", "SN"})
"""Order control (0119): NW, a new order; SN, a new order of the filler's own that asks for the placer's number."""
CANCELS = frozenset({"CA", "OC", "CR"})
"""Order control (0119): CA, cancel (a request); OC, the filler has cancelled; CR, cancelled as requested."""
UNABLE_TO_CANCEL = "UC"
STATUS_CHANGED = "SC"
SCHEDULED, IN_PROCESS, COMPLETED, CANCELLED = "SC", "IP", "CM", "CA"
"""Order status (0038). A is not here: it says that some results are available, not that anything is scheduled."""
STARTED_RESULTS = frozenset("IARPFC")
"""Result status (0123) of a procedure that has begun: I incomplete, A some results, R not yet verified, P, F, C."""
ENDED_RESULTS = frozenset("RPFC")
PRELIMINARY, FINAL, CORRECTED, NO_RESULT = "P", "F", "C", "X"
REPORTS = {PRELIMINARY: "PrelimPublish", FINAL: "Reported", CORRECTED: "ReportCorrected"}

REQUESTED = "new orders say when the exam is wished for, which is no appointment (ORC-5 is not SC)"
Event = tuple[str, datetime, str]
"""SWIM's name, the instant in UTC, where it comes from."""


@dataclass
class Group:
    """The segments of one order in a message: ORC, OBR and what follows them.

    Attributes
    ----------
    is_result : whether the message tells results (ORU), not orders.
    """

    message: Message
    clock: Clock
    is_result: bool
    segments: dict[str, Segment] = field(default_factory=dict)

    def text(self, name: str, number: int, component: int = 1) -> str:
        """Return a value of one of the order's segments."""
        return self.message.value(self.segments.get(name), number, component)

    def instant(self, name: str, number: int, component: int = 1, *, may_be_ahead: bool = False) -> datetime | None:
        """Return a time of one of the order's segments."""
        where = f"{name}-{number}" + (f".{component}" if component > 1 else "")
        precision = self.text(name, number, 2) if component == 1 else ""
        return self.clock.at(where, self.text(name, number, component), precision, may_be_ahead=may_be_ahead)

    def of_transaction(self) -> tuple[datetime | None, str]:
        """Return when the order was placed or changed: ORC-9, else when the message was made."""
        if self.text("ORC", 9):
            return self.instant("ORC", 9), "ORC-9"
        return self.clock.sent, "MSH-7"


def events_of(group: Group) -> Iterator[Event]:
    """Yield what one order or result tells: of each event at most one instant."""
    for event, at, origin in (*_ordering(group), *_acquisition(group), *_reporting(group)):
        if at is not None:
            yield event, at, origin


def is_cancelled(group: Group) -> bool:
    """Whether the message says that the exam will not be made."""
    return (group.text("ORC", 1) in CANCELS or group.text("ORC", 5) == CANCELLED
            or group.text("OBR", 25) == NO_RESULT)


Told = tuple[str, datetime | None, str]


def _ordering(group: Group) -> Iterator[Told]:
    control, status = group.text("ORC", 1), group.text("ORC", 5)
    if is_cancelled(group):
        at, field_ = group.of_transaction()
        why = f"ORC-1 {control}" if control in CANCELS else f"ORC-5 {status}" if status == CANCELLED else "OBR-25 X"
        if why == "OBR-25 X" and group.text("OBR", 22):
            at, field_ = group.instant("OBR", 22), "OBR-22"
        yield "ExamCancelled", at, f"{why}, {field_}"
        return
    if control in NEW_ORDERS and not group.is_result:
        yield "Order", *group.of_transaction()
    if status == SCHEDULED and control in {*NEW_ORDERS, STATUS_CHANGED}:
        at, field_ = group.of_transaction()
        yield "TimeScheduled", at, f"ORC-5 SC, {field_}"
    if not group.is_result:
        yield from _appointment(group)


def _appointment(group: Group) -> Iterator[Told]:
    """Tell the appointment: OBR-36, or the timing of an order that is scheduled.

    The timing of a new order that is not scheduled (TQ1-7, ORC-7.4, OBR-27.4) is when the placer wishes for the exam.
    """
    if group.text("OBR", 36):
        yield "ApptTime", group.instant("OBR", 36, may_be_ahead=True), "OBR-36"
        return
    for name, number, component in (("TQ1", 7, 1), ("ORC", 7, 4), ("OBR", 27, 4)):
        if not group.text(name, number, component):
            continue
        if group.text("ORC", 1) in NEW_ORDERS and group.text("ORC", 5) != SCHEDULED and "IPC" not in group.segments:
            group.clock.notes[REQUESTED] += 1
            return
        origin = f"{name}-{number}" + (f".{component}" if component > 1 else "")
        yield "ApptTime", group.instant(name, number, component, may_be_ahead=True), origin
        return


def _acquisition(group: Group) -> Iterator[Told]:
    """Tell start and end: OBR-7 and OBR-8, once a status says that the procedure has begun, or ended.

    In an order that has not begun OBR-7 is a wish. A status without OBR-7 tells no start: that an order is in process
    (IP) may mean that the patient has arrived. That it is completed (CM) ends the exam, in an order; in a result it
    says that the report is there.
    """
    status, result = group.text("ORC", 5), group.text("OBR", 25)
    if is_cancelled(group):
        return
    if status in (IN_PROCESS, COMPLETED) or result in STARTED_RESULTS:
        yield "ProcedureStart", group.instant("OBR", 7), "OBR-7"
    if status == COMPLETED or result in ENDED_RESULTS:
        if group.text("OBR", 8):
            yield "ImagingComplete", group.instant("OBR", 8), "OBR-8"
        elif status == COMPLETED and not group.is_result:
            at, field_ = group.of_transaction()
            yield "ImagingComplete", at, f"ORC-5 CM, {field_}"


def _reporting(group: Group) -> Iterator[Told]:
    """Tell the report, by the status of the result: a correction is an event of its own, and moves no other.

    OBX-14 is when the observation was made, which some fill with the exam's own time: it counts where OBR-22 is empty
    and it is later than OBR-7.
    """
    event = REPORTS.get(group.text("OBR", 25))
    if not group.is_result or event is None or is_cancelled(group):
        return
    if group.text("OBR", 22):
        yield event, group.instant("OBR", 22), "OBR-22"
        return
    observed, began = group.instant("OBX", 14), group.instant("OBR", 7)
    if observed is not None and began is not None and observed > max(began, group.instant("OBR", 8) or began):
        yield event, observed, "OBX-14"
        return
    yield event, group.clock.sent, "MSH-7"
