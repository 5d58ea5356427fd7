"""Asking an archive by C-FIND: the association, its timeouts and retries, and what a final status means.

An answer counts only when the archive itself ends it: an association that is dropped, or that falls silent, in the
middle of an answer gives nothing, and the question is asked again.
"""

from __future__ import annotations

import logging
import socket
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from pydicom.dataset import Dataset
from pynetdicom import AE, _config, evt
from pynetdicom.association import Association
from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelFind as STUDY_ROOT  # type: ignore[attr-defined]

from analytics.core.errors import PacsmeterError
from analytics.sources.find_node import Node, NotMade, Timeouts, unknown_host, why_not_made

# pynetdicom writes whole datasets to its log, and its warnings quote values: both hold names.
logging.getLogger("pynetdicom").setLevel(logging.CRITICAL + 1)
warnings.filterwarnings("ignore", module=r"pynetdicom\.")
_config.LOG_HANDLER_LEVEL = "none"
_config.LOG_REQUEST_IDENTIFIERS = _config.LOG_RESPONSE_IDENTIFIERS = False

SUCCESS, CANCELED, PENDING = 0x0000, 0xFE00, (0xFF00, 0xFF01)
PAUSES = (1.0, 5.0)
"""Seconds before the second and the third attempt; there is no fourth."""
_AFTER_CANCEL = 2_000

Responses = Iterator[tuple[Dataset, Dataset | None]]


@dataclass(frozen=True)
class Answered:
    """What came for one question.

    Attributes
    ----------
    identifiers : one dataset a match, still raw; nothing for one that could not be parsed.
    incomplete : the archive says that there is more, or reading was stopped.
    """

    identifiers: list[Dataset | None]
    incomplete: bool = False


class QueryFailed(PacsmeterError):
    """The archive did not answer one question; a narrower one may be answered."""


class _Dropped(Exception):
    """The association ended, or fell silent, before the answer was whole."""


class FindAssociation:
    """An association for study root queries, made when it is needed and made anew when it has died.

    Parameters
    ----------
    node : Node
    timeouts : Timeouts
    pause : callable
        Waits for some seconds.

    Attributes
    ----------
    has_answered : whether the archive ever answered a question.
    """

    def __init__(self, node: Node, timeouts: Timeouts | None = None,
                 pause: Callable[[float], None] = time.sleep) -> None:
        self.node, self._timeouts, self._pause = node, timeouts or Timeouts(), pause
        self._ae = AE(ae_title=node.calling)
        self._ae.add_requested_context(STUDY_ROOT)
        self._ae.connection_timeout, self._ae.acse_timeout = self._timeouts.connection, self._timeouts.association
        self._ae.dimse_timeout, self._ae.network_timeout = self._timeouts.answer, self._timeouts.network
        self._association: Association | None = None
        self._was_made, self._message = False, 0
        self.has_answered = False

    def find(self, identifier: Dataset, limit: int, asked: str) -> Answered:
        """Ask one question, again where the association is dropped.

        Parameters
        ----------
        identifier : Dataset
            Of the request.
        limit : int
            Matches to read at most; no limit where 0.
        asked : str
            What is asked, for errors; never an identity.

        Raises
        ------
        QueryFailed
            The archive dropped it every time, or says that it cannot process it.
        PacsmeterError
            It cannot be reached, rejects the association, or answers with a status of failure.
        """
        for pause in (*PAUSES, 0.0):
            try:
                return self._asked(self._established(), identifier, limit, asked)
            except _Dropped:
                self.abort()
                if pause:
                    self._pause(pause)
        what = f"The archive broke off, or fell silent, {len(PAUSES) + 1} times before its answer was whole"
        if not self.has_answered:
            raise QueryFailed(what, f"Have it allow queries by {self.node.calling} from the address of this computer, "
                              "and look into its log of this time.", f"{self.node}, {asked}")
        raise QueryFailed(what, "Look into its log of this time, and load again: the load goes on where it stopped.",
                          f"{self.node}, {asked}")

    def _asked(self, association: Association, identifier: Dataset, limit: int, asked: str) -> Answered:
        self._message = self._message % 0xFFFF + 1
        found: list[Dataset | None] = []
        before: Dataset | None = None
        responses = self._responses(association, identifier)
        for status, match in responses:
            if status.Status not in PENDING:
                return Answered(found, self._is_cut(int(status.Status), asked))
            if status is before:  # pynetdicom gives a match that it cannot parse twice
                continue
            before = status
            if limit and len(found) == limit:
                self._stop(association, responses)
                return Answered(found, incomplete=True)
            found.append(match)
        raise _Dropped

    def _responses(self, association: Association, identifier: Dataset) -> Responses:
        """Yield the status and the match of each response, to the one that ends the answer."""
        try:
            for status, match in association.send_c_find(identifier, STUDY_ROOT, msg_id=self._message):
                if "Status" not in status:
                    raise _Dropped
                self.has_answered = True
                yield status, match
        except (RuntimeError, OSError):
            raise _Dropped from None

    def _stop(self, association: Association, responses: Responses) -> None:
        """Ask the archive to end its answer; break off where it does not."""
        with suppress(RuntimeError, OSError, _Dropped):
            association.send_c_cancel(self._message, query_model=STUDY_ROOT)
            for number, (status, _) in enumerate(responses):
                if status.Status not in PENDING:
                    return
                if number == _AFTER_CANCEL:
                    break
        self.abort()

    def _is_cut(self, status: int, asked: str) -> bool:
        """Whether a final status (PS3.4 2024e C.4.1.1.4) says that there is more than was answered."""
        if status == SUCCESS:
            return False
        if status == CANCELED or 0xA700 <= status <= 0xA7FF:
            return True
        record = f"{self.node}, {asked}, status 0x{status:04X}"
        if 0xA900 <= status <= 0xA9FF:
            raise QueryFailed("The archive says that the question does not match study root queries",
                              "Ask its vendor which attributes it does not take.", record)
        if 0xC000 <= status <= 0xCFFF:
            raise QueryFailed("The archive says that it is unable to process the question",
                              "Look into its log of this time.", record)
        if status == 0x0124:
            raise PacsmeterError("The archive refuses the query: not authorized",
                                 f"Have {self.node.calling} allowed to query it.", record)
        raise PacsmeterError("The archive ended its answer with a status of failure", "Look into its log of this time.",
                             record)

    def _established(self) -> Association:
        """Return the association; ask for it again where the archive is busy, or was there a moment ago."""
        if self._association and self._association.is_established:
            return self._association
        for pause in (*PAUSES, 0.0):
            found = self._requested()
            if not isinstance(found, NotMade):
                self._association, self._was_made = found, True
                return found
            if not pause or not (found.transient or self._was_made):
                raise found.error
            self._pause(pause)
        raise AssertionError

    def _requested(self) -> Association | NotMade:
        """Ask for an association once."""
        connected: list[bool] = []

        def opened(event: evt.Event) -> None:
            connected.append(True)
            line: socket.socket = event.assoc.dul.socket.socket  # type: ignore[union-attr, assignment]
            # pynetdicom would wait for ever for the rest of a message that has begun, and writes each question in two
            # pieces, of which the second would wait 40 ms for the first one's receipt.
            line.settimeout(self._timeouts.network)
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        node = self.node
        try:
            made = self._ae.associate(node.host, node.port, ae_title=node.called,
                                      evt_handlers=[(evt.EVT_CONN_OPEN, opened)])
        except (OSError, UnicodeError):
            return unknown_host(node)
        return made if made.is_established else why_not_made(node, made, connected=bool(connected))

    def close(self) -> None:
        """Release the association."""
        if self._association:
            self._association.release()
            self._association = None

    def abort(self) -> None:
        """Break the association off."""
        if self._association:
            self._association.abort()
            self._association = None
