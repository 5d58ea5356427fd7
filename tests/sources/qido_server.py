"""A DICOMweb server in this process, on loopback, that answers as well or as badly as servers do."""

from __future__ import annotations

import contextlib
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pydicom.datadict import dictionary_VR, tag_for_keyword

Record = dict[str, Any]


def dicom_json(**values: Any) -> Record:
    """Return a record in DICOM JSON, from keyword to value."""
    record: Record = {}
    for keyword, value in values.items():
        vr = dictionary_VR(keyword)
        many = value if isinstance(value, list) else [] if value == "" else [value]
        record[f"{tag_for_keyword(keyword):08X}"] = {"vr": vr} | ({"Value": [
            {"Alphabetic": one} if vr == "PN" else one for one in many]} if many else {})
    return record


def value_of(record: Record, keyword: str) -> list[Any]:
    element = record.get(f"{tag_for_keyword(keyword):08X}") if isinstance(record, dict) else None
    return list(element.get("Value", [])) if isinstance(element, dict) else []


@dataclass
class Qido:
    """What the server holds, and how it behaves.

    Attributes
    ----------
    cap : records it answers at most, without a word; 0 for no cap.
    warns : whether it says so in a Warning header.
    ignores : parameters it takes no notice of.
    dies_after : answers after which it closes every connection without a word.
    status : of every answer, where it is not to answer.
    body : of every answer, where it is not to be DICOM JSON.
    fails : path and query of questions that are answered by HTTP 500.
    asked : path and query of every question.
    """

    studies: list[Record] = field(default_factory=list)
    series: dict[str, list[Record]] = field(default_factory=dict)
    cap: int = 0
    warns: bool = False
    ignores: frozenset[str] = frozenset()
    dies_after: int = 1_000_000
    cuts_bodies: bool = False
    status: int = 0
    body: bytes | None = None
    fails: str = ""
    times: int = 1
    sign_in: str = ""
    asked: list[str] = field(default_factory=list)
    port: int = 0

    @property
    def spec(self) -> str:
        """What a user gives pacsmeter to load it."""
        return f"dicomweb+http://127.0.0.1:{self.port}/dicom-web"

    def matching(self, path: str, query: dict[str, str]) -> list[Record]:
        one = re.search(r"/studies/([^/]+)/series$", path)
        found = self.series.get(one[1], []) if one else self.studies
        for keyword, wanted in query.items():
            if keyword not in ("limit", "offset", "includefield") and keyword not in self.ignores:
                found = [record for record in found if _matches(value_of(record, keyword), wanted)]
        return [record for record in found for _ in range(self.times)]

    def cut(self, found: list[Record], query: dict[str, str]) -> list[Record]:
        if "offset" not in self.ignores:
            found = found[int(query.get("offset", 0)):]
        caps = [self.cap] if self.cap else []
        if int(query.get("limit", 0)) and "limit" not in self.ignores:
            caps.append(int(query["limit"]))
        return found[:min(caps)] if caps else found


def _matches(values: list[Any], wanted: str) -> bool:
    """Match as servers mostly do: text against text, a range by the alphabet."""
    first, dash, last = wanted.partition("-")
    if not dash:
        return wanted in [str(value) for value in values]
    return any(first <= str(value) <= last for value in values)


class _Handler(BaseHTTPRequestHandler):
    qido: Qido
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self) -> None:
        qido, url = self.qido, urlsplit(self.path)
        qido.asked.append(self.path)
        if len(qido.asked) > qido.dies_after:
            self.close_connection = True
            self.connection.close()
            return
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if qido.sign_in and self.headers.get("Authorization") != qido.sign_in:
            self.answer(401, b"who is there")
        elif qido.status or (qido.fails and re.search(qido.fails, self.path)):
            self.answer(qido.status or 500, b"ZWICKERBAUER^ROSWITHA")
        elif qido.body is not None:
            self.answer(200, qido.body)
        else:
            found = qido.matching(url.path, query)
            given = qido.cut(found, query)
            more = len(given) < len(found) - int(query.get("offset", 0))
            self.answer(200 if given else 204, json.dumps(given).encode() if given else b"",
                        '299 qido: "there are more"' if qido.warns and more else "")

    def answer(self, status: int, body: bytes, warning: str = "") -> None:
        self.send_response(status)
        if warning:
            self.send_header("Warning", warning)
        self.send_header("Content-Type", "application/dicom+json")
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:len(body) // 2] if self.qido.cuts_bodies else body)
        self.wfile.flush()
        self.close_connection |= self.qido.cuts_bodies

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that is closed on purpose is no error of the test."""


def start(qido: Qido) -> _Server:
    """Start a server on an ephemeral port of loopback; its caller shuts it down and closes it."""
    server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"qido": qido}))
    server.daemon_threads = True
    qido.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    return server


def stop(server: _Server) -> None:
    server.shutdown()
    server.server_close()


@contextlib.contextmanager
def serving(qido: Qido) -> Iterator[Qido]:
    """Serve for the length of a block."""
    server = start(qido)
    try:
        yield qido
    finally:
        stop(server)
