"""An Orthanc's REST interface: asked a bounded number of times, with faults as one clear line.

An Orthanc public id is a SHA-1 of a patient's id and a study's UID: no key protects it. So no error, and no log, holds
the path of a request; errors name what was asked for.
"""

from __future__ import annotations

import base64
import contextlib
import json
import logging
import os
import re
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

import requests

from analytics.core.errors import PacsmeterError
from analytics.core.secrets import Credentials

THREADS = 4
"""Requests that are under way at once, at most: the archive is there for its readers first."""
PAUSES = (0.2, 0.5, 1.0, 2.0, 4.0)
"""Seconds to wait before a request is made again: an Orthanc on PostgreSQL answers 503 under load."""
TIMEOUT = (10, 120)
"""Seconds to wait for a connection, and for the next bytes of an answer."""
ENOUGH = 13
"""The API version that has ``/tools/bulk-content`` (Orthanc 1.9.4, June 2021)."""
UPDATE = "Update Orthanc to 1.9.4 or later, or read its database: orthanc+sqlite or orthanc+postgresql."
_CHUNK_BYTES = 1 << 16
_PUBLIC_ID = re.compile(rb'"([0-9a-f]{8}(?:-[0-9a-f]{8}){4})"')
_AGAIN = frozenset({429, 502, 503, 504})

# urllib3 writes the path of every request, and so public ids, into a log that is set to DEBUG.
logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)


_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def in_order(pool: ThreadPoolExecutor, work: Callable[[_Item], _Result], items: Iterable[_Item]) -> Iterator[_Result]:
    """Yield the results of some work in the order of the items; few are under way, or wait, at once."""
    waiting: deque[Future[_Result]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > 2 * THREADS:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for one in waiting:
            one.cancel()


class NoAnswer(Exception):
    """Orthanc itself failed on one resource (HTTP 5xx, or 400), while others may be in order; it holds no value."""


class OrthancServer:
    """The REST interface of one Orthanc; safe to be asked from several threads.

    Parameters
    ----------
    base : str
        ``https://host:8042/prefix``, without user and password.
    location : str
        What errors name.
    credentials : Credentials
    """

    def __init__(self, base: str, location: str, credentials: Credentials) -> None:
        self._base, self._location = base.rstrip("/"), location
        self._session = requests.Session()
        # Neither a proxy nor a password of the environment's: both would see patients, or be seen by others.
        self._session.trust_env = False
        self._session.verify = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE") or True
        adapter = requests.adapters.HTTPAdapter(pool_connections=1, pool_maxsize=THREADS, pool_block=True)
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, adapter)
        if credentials.token:
            self._session.headers["Authorization"] = f"Bearer {credentials.token}"
        elif credentials.user or credentials.password:
            login = base64.b64encode(f"{credentials.user}:{credentials.password}".encode()).decode()
            self._session.headers["Authorization"] = f"Basic {login}"

    def close(self) -> None:
        """Let the connections go."""
        self._session.close()

    def check(self) -> None:
        """See that an Orthanc that is new enough answers.

        Raises
        ------
        PacsmeterError
        """
        about = self._object(self.get("/system", "what it is"))
        if not isinstance(about.get("ApiVersion"), int) or "Version" not in about:
            raise self._no_orthanc()
        if about["ApiVersion"] < ENOUGH:
            raise PacsmeterError("This Orthanc is too old to be read by its REST interface", UPDATE, self._location)
        self.contents([], "Study")

    def get(self, path: str, what: str, **query: int | str) -> Any:
        """Ask for something; nothing where it is not there (any more).

        Raises
        ------
        NoAnswer
            Orthanc failed on this one resource.
        PacsmeterError
            It cannot be reached, does not let this user in, or is no Orthanc; ``what`` says what was asked for.
        """
        with self._asked("GET", path, what, params=query) as answer:
            return None if answer is None else self._json(answer, what)

    def post(self, path: str, what: str, body: str | Mapping[str, Any]) -> Any:
        """Ask a question that changes nothing; see `get`."""
        data = body if isinstance(body, str) else json.dumps(body)
        with self._asked("POST", path, what, data=data.encode()) as answer:
            return None if answer is None else self._json(answer, what)

    def contents(self, ids: Sequence[str], level: str, *, metadata: bool = False) -> list[dict[str, Any]]:
        """Return what Orthanc says of resources, or of those of another level above or below them, each once.

        Resources that are not there any more are left out.

        Parameters
        ----------
        ids : sequence of str
            Public ids of resources of any level.
        level : str
            ``Study``, ``Series`` or ``Instance``.
        metadata : bool
            Whether reception date and transfer syntax of instances are given too.
        """
        found = self.post("/tools/bulk-content", "several resources at once",
                          {"Resources": list(ids), "Level": level, "Metadata": metadata})
        if found is None and ids:
            # One of them was deleted while Orthanc was at it (seen on PostgreSQL).
            middle = len(ids) // 2
            return [one for some in (ids[:middle], ids[middle:]) if some and len(ids) > 1
                    for one in self.contents(some, level, metadata=metadata)]
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            raise self._no_orthanc()
        return found

    def study_ids(self) -> Iterator[bytes]:
        """Yield the public id of every study as 20 bytes: one answer, so one moment of the archive."""
        with self._asked("GET", "/studies", "all studies", stream=True) as answer:
            if answer is None:
                raise self._no_orthanc()
            rest, first, last = b"", b"", b""
            try:
                for chunk in answer.iter_content(_CHUNK_BYTES):
                    rest += chunk
                    end = 0
                    for match in _PUBLIC_ID.finditer(rest):
                        self._refuse_other(rest[end:match.start()])
                        yield bytes.fromhex(match[1].decode().replace("-", ""))
                        end = match.end()
                    rest = rest[end:]
                    last = rest.strip()[-1:] or last
                    first = first or chunk.strip()[:1]
                    if len(rest) > _CHUNK_BYTES:
                        raise self._no_orthanc()
            except requests.RequestException:
                raise self._lost() from None
            self._refuse_other(rest)
            if (first, last) != (b"[", b"]"):
                raise PacsmeterError("The answer of the server breaks off in the list of all studies",
                                     "Load again; if it stays so, look for a proxy that cuts long answers.",
                                     self._location)

    def _refuse_other(self, between: bytes) -> None:
        if between.strip(b" \t\r\n,[]"):
            raise self._no_orthanc()

    @contextlib.contextmanager
    def _asked(self, method: str, path: str, what: str, *, stream: bool = False,
               **request: Any) -> Iterator[requests.Response | None]:
        """Make a request, again where the server is busy or the connection broke; nothing where it says 404."""
        with contextlib.closing(self._answer(method, path, stream, request)) as answer:
            if answer.status_code == 404:
                yield None
                return
            self._refuse_status(answer.status_code, what)
            yield answer

    def _answer(self, method: str, path: str, stream: bool, request: dict[str, Any]) -> requests.Response:
        for pause in (*PAUSES, None):
            failure = self._busy()
            try:
                answer = self._session.request(method, self._base + path, stream=stream, timeout=TIMEOUT,
                                               allow_redirects=False, **request)
                if answer.status_code not in _AGAIN:
                    return answer
                answer.close()
            except requests.exceptions.SSLError:
                raise PacsmeterError("The server's certificate is not trusted", "Name a file with the certificate of "
                                     "who signed it in REQUESTS_CA_BUNDLE.", self._location) from None
            except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError):
                failure = self._lost()
            except (requests.RequestException, ValueError):
                raise PacsmeterError("The server cannot be asked", "Check its URL.", self._location) from None
            if pause is not None:
                time.sleep(pause)
        raise failure

    def _refuse_status(self, status: int, what: str) -> None:
        if status == 200:
            return
        if status == 401:
            raise PacsmeterError("Orthanc refuses the user or the password", "Check both: they are among Orthanc's "
                                 "RegisteredUsers.", self._location)
        if status == 403:
            raise PacsmeterError(f"Orthanc does not let this user ask for {what}", "Allow this user to read "
                                 "studies, series, instances, changes, statistics and tools.", self._location)
        if status == 400 or status >= 500:
            raise NoAnswer
        raise self._no_orthanc()

    def _json(self, answer: requests.Response, what: str) -> Any:
        try:
            return json.loads(answer.content)
        except ValueError:
            if answer.headers.get("Content-Type", "").startswith("text/html"):
                raise self._no_orthanc() from None
            raise PacsmeterError(f"The answer of the server to the question for {what} is no whole JSON", "Load again; "
                                 "if it stays so, look for a proxy that cuts answers.", self._location) from None

    def _object(self, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self._no_orthanc()
        return value

    def whole(self, path: str, what: str, **query: int | str) -> dict[str, Any]:
        """Ask for something that every Orthanc has.

        Raises
        ------
        PacsmeterError
            It has not, or fails on it.
        """
        try:
            return self._object(self.get(path, what, **query))
        except NoAnswer:
            raise PacsmeterError(f"Orthanc answers the question for {what} with an error", "Look into Orthanc's log.",
                                 self._location) from None

    def _no_orthanc(self) -> PacsmeterError:
        return PacsmeterError("The server is no Orthanc, or does not answer as one", "Name the URL of Orthanc's REST "
                              "interface, such as orthanc+http://user@host:8042.", self._location)

    def _lost(self) -> PacsmeterError:
        return PacsmeterError("Orthanc does not answer", "Check that it runs and can be reached from here; the last "
                              "snapshot stays as it is, and the next load goes on from here.", self._location)

    def _busy(self) -> PacsmeterError:
        return PacsmeterError(f"Orthanc was too busy to answer, asked {len(PAUSES) + 1} times", "Load again when it is "
                              "quiet: the load goes on from here.", self._location)
