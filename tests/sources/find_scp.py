"""An archive's query service on loopback, by pynetdicom, whose manners a test can choose."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
import warnings
from collections.abc import Iterator
from typing import Any, cast

from pydicom import config
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pynetdicom import AE, evt
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    PatientRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelFind,
    Verification,
)

Response = tuple[int, Dataset | None]


def dataset(**values: Any) -> Dataset:
    """Return a dataset that may hold what no standard allows."""
    made = Dataset()
    for keyword, value in values.items():
        vr = dictionary_VR(keyword)
        made.add(DataElement(keyword, vr, None if vr == "IS" else value, validation_mode=config.IGNORE))
        if vr == "IS" and value is not None:
            made[keyword]._value = str(value)
    return made


def study(number: int, date: str = "20260701", time: str = "100000", **values: Any) -> Dataset:
    """Return a study as an archive answers it; its series come by `one_series`."""
    return dataset(**{
        "SpecificCharacterSet": "ISO_IR 100", "StudyInstanceUID": f"1.2.{number}", "StudyDate": date, "StudyTime": time,
        "AccessionNumber": f"A{number}", "ModalitiesInStudy": "CT", "PatientID": f"P{number}",
        "PatientName": f"NAME{number}^X", "PatientBirthDate": "19500101", "PatientSex": "F",
        "StudyDescription": "HEAD", "NumberOfStudyRelatedSeries": 1, "NumberOfStudyRelatedInstances": 2} | values)


def one_series(number: int, series: int = 1, **values: Any) -> Dataset:
    """Return a series of the study of a number."""
    return dataset(**{
        "StudyInstanceUID": f"1.2.{number}", "SeriesInstanceUID": f"1.2.{number}.{series}", "Modality": "CT",
        "SeriesNumber": series, "StationName": "CT1", "Manufacturer": "ACME", "BodyPartExamined": "HEAD",
        "SeriesDate": "20260701", "SeriesTime": "100100", "NumberOfSeriesRelatedInstances": 2} | values)


class FindScp:
    """A query service that holds some studies and series.

    Attributes
    ----------
    asked : every identifier that was asked for, in order.
    cap : matches after which it ends its answer; with ``says_cap``, by 0xA700.
    aborts_after : matches after which it breaks the association off; ``aborts_times`` times.
    final : status that ends the answers of a level instead of success: ``{"SERIES": 0xC000}``.
    fails_for : studies whose series it is unable to answer.
    refuses : it takes associations, and breaks off at the first question.
    silent : it says nothing more after its first match.
    takes_open_ranges : it answers a range of dates without a beginning; else it is unable to process it.
    empty_dates_match : an absent study date comes before every date, as where it is kept as an empty text.
    """

    def __init__(self, studies: list[Dataset], series: list[Dataset], ae_title: str = "ARCHIVE",
                 *, only: str = "", model: Any = StudyRootQueryRetrieveInformationModelFind) -> None:
        self.studies, self.series = studies, series
        self.asked: list[Dataset] = []
        self.associations = 0
        self.cap, self.says_cap = 0, False
        self.aborts_after, self.aborts_times, self.aborts_level = -1, 0, "STUDY"
        self.final: dict[str, int] = {}
        self.fails_for: set[str] = set()
        self.empty_dates_match, self.refuses, self.takes_open_ranges = False, False, True
        self.honors_cancel, self.canceled = True, 0
        self.silent, self._ended = False, threading.Event()
        entity = AE(ae_title=ae_title)
        entity.add_supported_context(model)
        entity.add_supported_context(Verification)
        entity.require_called_aet = True
        entity.require_calling_aet = [only] if only else []
        entity.network_timeout = 20
        entity.maximum_associations = 1_000
        self.entity = entity
        self._server = cast(Any, entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=[
            (evt.EVT_C_FIND, self._find), (evt.EVT_ACCEPTED, self._accepted), (evt.EVT_CONN_OPEN, _without_delay)]))
        self.port: int = self._server.socket.getsockname()[1]

    def stop(self) -> None:
        """Stop listening, and end what is open."""
        if not self._ended.is_set():
            self._ended.set()
            self._server.shutdown()
            for one in self.entity.active_associations:
                one.abort()

    @property
    def spec(self) -> str:
        """What a user gives pacsmeter to load it."""
        return f"cfind://PACSMETER@127.0.0.1:{self.port}/ARCHIVE"

    def asked_at(self, level: str) -> list[Dataset]:
        """Return what was asked for at a level."""
        return [one for one in self.asked if one.QueryRetrieveLevel == level]

    def _accepted(self, event: evt.Event) -> None:
        self.associations += 1

    def _find(self, event: evt.Event) -> Iterator[Response]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            identifier = event.identifier
            self.asked.append(identifier)
            if self.refuses:
                event.assoc.abort()
                return
            level = identifier.QueryRetrieveLevel
            held = self.studies if level == "STUDY" else self.series
            matches = [one for one in held if all(self._matches(one, element) for element in identifier)]
            if not self.takes_open_ranges and str(identifier.get("StudyDate") or "").startswith("-"):
                yield 0xC002, None
                return
            if level == "SERIES" and identifier.StudyInstanceUID in self.fails_for:
                yield 0xC001, None
                return
            for number, one in enumerate(matches):
                if number and self.silent:
                    self._ended.wait()
                if number == self.aborts_after and self.aborts_times and level == self.aborts_level:
                    self.aborts_times -= 1
                    event.assoc.abort()
                    return
                if event.is_cancelled and self.honors_cancel:
                    self.canceled += 1
                    yield 0xFE00, None
                    return
                if self.cap and number == self.cap:
                    yield (0xA700, None) if self.says_cap else (0x0000, None)
                    return
                yield 0xFF00, one
            yield self.final.get(level, 0x0000), None

    def _matches(self, held: Dataset, element: DataElement) -> bool:
        wanted = str(element.value or "")
        if element.keyword in ("QueryRetrieveLevel", "SpecificCharacterSet") or not wanted:
            return True
        value = held.get(element.keyword)
        if element.keyword == "ModalitiesInStudy":
            return wanted in ([value] if isinstance(value, str) else list(value or []))
        value = str(value or "")
        first, dash, last = wanted.partition("-")
        if dash:
            return (bool(value) or self.empty_dates_match) and first <= value <= last
        return value.startswith(wanted[:-1]) if wanted.endswith("*") else value == wanted


def _without_delay(event: evt.Event) -> None:
    cast(Any, event.assoc.dul.socket).socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


class StallingProxy:
    """Passes an archive's bytes on to one client after the other, and stops for ever in the middle of a message.

    Parameters
    ----------
    port : int
        Of the archive.
    messages : int
        PDUs of the archive to pass on whole; of the next, the first bytes alone.
    """

    def __init__(self, port: int, messages: int) -> None:
        self._port, self._messages = port, messages
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._open: list[socket.socket] = [self._listening]
        threading.Thread(target=self._serve, daemon=True).start()

    def stop(self) -> None:
        """Close everything."""
        for one in self._open:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                archive = socket.create_connection(("127.0.0.1", self._port))
                self._open += [client, archive]
                threading.Thread(target=self._pass, args=(client, archive, 0), daemon=True).start()
                threading.Thread(target=self._pass, args=(archive, client, self._messages), daemon=True).start()

    @staticmethod
    def _pass(giver: socket.socket, taker: socket.socket, messages: int) -> None:
        with contextlib.suppress(OSError):
            stream = giver.makefile("rb")
            for number in itertools.count(1):
                head = stream.read(6)
                if not head:
                    return
                body = stream.read(int.from_bytes(head[2:], "big"))
                if messages and number > messages:
                    taker.sendall((head + body)[:9])
                    return
                taker.sendall(head + body)


PATIENT_ROOT = PatientRootQueryRetrieveInformationModelFind
