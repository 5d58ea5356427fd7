"""The part of Orthanc's REST interface that pacsmeter asks for, in this process; the real one is in tests/services."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

LEVELS = ("patients", "studies", "series", "instances")
KINDS = dict(zip(LEVELS, ("Patient", "Study", "Series", "Instance"), strict=True))
Answer = tuple[int, str, bytes]
Fault = Callable[[], Answer]


def public_id(*parts: str) -> str:
    """Return the public id that Orthanc gives a resource: SHA-1 of the ids from the patient down."""
    digest = hashlib.sha1("|".join(parts).encode(), usedforsecurity=False).hexdigest()
    return "-".join(digest[at:at + 8] for at in range(0, 40, 8))


@dataclass
class Resource:
    """A patient, study, series or instance."""

    level: str
    parent: str
    tags: dict[str, str]
    patient_tags: dict[str, str] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)
    size: int = 0


class FakeOrthanc:
    """An Orthanc 1.10 on loopback.

    Attributes
    ----------
    asked : method and path of each request, in order.
    faults : pattern of method and path, to what is answered in the place of the answer.
    before : pattern of method and path, to what happens before the answer.
    going : resources that are deleted while several are described, on which Orthanc answers 404 for all.
    """

    def __init__(self, user: str = "", password: str = "") -> None:
        self.resources: dict[str, Resource] = {}
        self.changes: list[dict[str, Any]] = []
        self.last = 0
        self.asked: list[str] = []
        self.faults: dict[str, Fault] = {}
        self.before: dict[str, Callable[[], None]] = {}
        self.going: set[str] = set()
        self.system: dict[str, Any] = {"ApiVersion": 16, "Version": "1.10.1", "Name": "fake"}
        self.more_totals: dict[str, int] = {}
        self.login = f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}" if user else ""
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01},
                                        daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def add(self, patient: dict[str, str], study: dict[str, str], series: dict[str, str], instance: str,
            size: int = 100, **metadata: str) -> None:
        """Store an object, and say so in the list of changes."""
        uids = (patient.get("PatientID", ""), study.get("StudyInstanceUID", ""), series.get("SeriesInstanceUID", ""),
                instance)
        parent = ""
        for number, (level, tags) in enumerate(zip(
                LEVELS, (patient, study, series, {"SOPInstanceUID": instance}), strict=True)):
            one = public_id(*uids[:number + 1])
            if one not in self.resources:
                self.resources[one] = Resource(level, parent, tags, patient if level == "studies" else {})
                self.log(f"New{KINDS[level]}", one)
            parent = one
        self.resources[parent].size = size
        self.resources[parent].metadata = {
            "ReceptionDate": "20260705T090000", "TransferSyntax": "1.2.840.10008.1.2.1", **metadata}

    def log(self, kind: str, one: str) -> None:
        """Add to the list of changes."""
        self.last += 1
        self.changes.append({"Seq": self.last, "ChangeType": kind, "ID": one, "Date": "20260705T090000"})

    def delete(self, one: str) -> None:
        """Delete a resource and what is in it: as in Orthanc, its changes go with it, and nothing else is said."""
        parent = self.resources[one].parent
        gone = {it for level in LEVELS for it in self._at(one, level)} - self._above(one)
        for it in gone:
            del self.resources[it]
        self.changes = [change for change in self.changes if change["ID"] not in gone]
        if parent and not self.below(parent):
            self.delete(parent)

    def _above(self, one: str) -> set[str]:
        parent = self.resources[one].parent
        return {parent} | self._above(parent) if parent else set()

    def below(self, one: str) -> list[str]:
        """Return the public ids of what a resource holds."""
        return [child for child, about in self.resources.items() if about.parent == one]

    def _at(self, one: str, level: str) -> list[str]:
        if one not in self.resources:
            return []
        if self.resources[one].level == level:
            return [one]
        if LEVELS.index(self.resources[one].level) > LEVELS.index(level):
            return self._at(self.resources[one].parent, level)
        return [found for child in self.below(one) for found in self._at(child, level)]

    def _describe(self, one: str, metadata: bool = False) -> dict[str, Any]:
        about = self.resources[one]
        described: dict[str, Any] = {"ID": one, "MainDicomTags": about.tags}
        if about.level == "studies":
            described |= {"Type": "Study", "PatientMainDicomTags": about.patient_tags, "Series": self.below(one)}
        if about.level == "series":
            described |= {"Type": "Series", "ParentStudy": about.parent, "Instances": self.below(one)}
        return described | ({"Metadata": about.metadata} if metadata else {})

    def _count(self, some: list[str]) -> dict[str, Any]:
        found = {level: {it for one in some for it in self._at(one, level)} for level in LEVELS}
        return {"CountStudies": len(found["studies"]), "CountSeries": len(found["series"]),
                "CountInstances": len(found["instances"]),
                "DiskSize": str(sum(self.resources[it].size for it in found["instances"]))}

    def answer(self, method: str, path: str, body: bytes, login: str) -> Answer:
        """Answer one request."""
        with self._lock:
            asked = f"{method} {path}"
            self.asked.append(asked)
            for pattern, happens in list(self.before.items()):
                if re.search(pattern, asked):
                    happens()
            for pattern, fault in list(self.faults.items()):
                if re.search(pattern, asked):
                    return fault()
            if login != self.login and self.login:
                return 401, "text/plain", b""
            found = self._found(method, path, body)
        if found is None:
            return 404, "application/json", b'{"HttpStatus": 404}'
        return 200, "application/json", json.dumps(found, indent=3).encode()

    def _found(self, method: str, path: str, body: bytes) -> Any:
        url = urlsplit(path)
        query = {name: values[0] for name, values in parse_qs(url.query, keep_blank_values=True).items()}
        match [part for part in url.path.split("/") if part]:
            case ["system"]:
                return self.system
            case ["statistics"]:
                patients = [one for one, about in self.resources.items() if about.level == "patients"]
                held = self._count(patients)
                held["TotalDiskSize"] = held["DiskSize"]
                return {name: str(int(count) + self.more_totals.get(name, 0)) for name, count in held.items()}
            case ["studies"]:
                return [one for one, about in self.resources.items() if about.level == "studies"]
            case ["changes"]:
                return self._changes(query)
            case ["tools", "lookup"]:
                uid = body.decode().strip()
                return [{"ID": one, "Type": "Study"} for one, about in self.resources.items()
                        if uid and about.level == "studies" and about.tags.get("StudyInstanceUID") == uid]
            case ["tools", "bulk-content"]:
                asked = json.loads(body)
                if self.going & set(asked["Resources"]):
                    return None
                level = next(level for level, kind in KINDS.items() if kind == asked["Level"])
                found = dict.fromkeys(it for one in asked["Resources"] for it in self._at(one, level))
                return [self._describe(one, asked["Metadata"]) for one in found]
            case [("studies" | "series"), one, *rest] if one in self.resources:
                return self._count([one]) if rest == ["statistics"] else [self._describe(it) for it in self.below(one)]
        return None

    def _changes(self, query: dict[str, str]) -> dict[str, Any]:
        if "last" in query:
            return {"Changes": self.changes[-1:], "Done": True, "Last": self.last}
        since, limit = int(query["since"]), int(query["limit"])
        later = [change for change in self.changes if change["Seq"] > since]
        done = len(later) <= limit
        last = later[:limit][-1]["Seq"] if later else self.last
        return {"Changes": later[:limit], "Done": done, "Last": last}


def _handler(orthanc: FakeOrthanc) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, kind, text = orthanc.answer(self.command, self.path, body, self.headers.get("Authorization") or "")
            if not status:
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_POST = do_GET

        def log_message(self, *arguments: Any) -> None:
            """Say nothing."""

    return Handler
