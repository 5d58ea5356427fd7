"""A DICOMweb server asked by QIDO-RS (PS3.18 2024e 10.6), with its faults as one clear line.

dicomweb-client makes the requests, and these of its habits are not followed: it asks again on its own, five times and
for every fault; ``get_remaining`` never ends where a server takes no notice of an offset; and that a server has more,
it says in a log alone. A password or a proxy of the environment's is not taken, and no answer is read without a bound.
"""

from __future__ import annotations

import base64
import logging
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import requests
from dicomweb_client.api import DICOMwebClient

from analytics.core.errors import PacsmeterError
from analytics.core.secrets import Credentials, variable

THREADS = 4
"""Requests that are under way at once, at most: the archive is there for its readers first."""
PAUSES = (0.5, 1.0, 2.0, 4.0)
"""Seconds to wait before a request is made again."""
TIMEOUT = (10, 120)
"""Seconds to wait for a connection, and for the next bytes of an answer."""
MOST_BYTES = 32 * 2**20
"""A larger answer is not read: narrower ranges are asked for."""
_CHUNK_BYTES = 1 << 16
_AGAIN = frozenset({408, 429, 502, 503, 504})
_MORE_REMAIN = "299"

# They write a server's warnings, and every failed attempt with its traceback, into the log; both are dealt with here.
logging.getLogger("dicomweb_client").setLevel(logging.ERROR)
logging.getLogger("retrying").setLevel(logging.CRITICAL)
logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)


class NoAnswer(Exception):
    """The server failed on one question, while it may answer others; it holds the HTTP status, and no value."""


class _TooLong(requests.RequestException):
    """An answer is longer than is read at once."""


@dataclass(frozen=True)
class Answered:
    """The records of an answer as DICOM JSON, and whether the server says that there are more."""

    records: list[Any]
    incomplete: bool = False


class _SignIn(requests.auth.AuthBase):
    """Says who asks, to this server alone: requests takes it away when a server sends it elsewhere."""

    def __init__(self, credentials: Credentials) -> None:
        self._value = ""
        if credentials.token:
            self._value = f"Bearer {credentials.token}"
        elif credentials.user or credentials.password:
            login = base64.b64encode(f"{credentials.user}:{credentials.password}".encode()).decode()
            self._value = f"Basic {login}"

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers.pop("Host", None)  # dicomweb-client leaves the port out
        if self._value:
            request.headers["Authorization"] = self._value
        return request


class QidoServer:
    """One DICOMweb server; safe to be asked from several threads.

    Parameters
    ----------
    base : str
        ``https://host/dicom-web``, without user and password.
    location : str
        What errors name.
    source_id : str
        Names the variable of the password in errors.
    credentials : Credentials
    """

    def __init__(self, base: str, location: str, source_id: str, credentials: Credentials) -> None:
        self._location, self._source_id = location, source_id
        self._session = requests.Session()
        self._session.trust_env, self._session.max_redirects = False, 3
        self._session.verify = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE") or True
        self._session.auth = _SignIn(credentials)
        adapter = requests.adapters.HTTPAdapter(pool_connections=1, pool_maxsize=THREADS, pool_block=True)
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, adapter)
        self._heard = threading.local()
        self._client = DICOMwebClient(base.rstrip("/"), session=self._session, callback=self._read, timeout=TIMEOUT)
        self._client.set_http_retry_params(retry=False)

    def close(self) -> None:
        """Let the connections go."""
        self._session.close()

    def studies(self, matching: Mapping[str, str], fields: Sequence[str], what: str, *, limit: int = 0,
                offset: int = 0) -> Answered:
        """Search for studies.

        Parameters
        ----------
        matching : mapping of str to str
            Keyword to the value or range to match.
        fields : sequence of str
            What to return besides what every server does.
        what : str
            What is asked for, as errors name it.
        limit, offset : int
            0 says neither: ``limit=0`` means all to some servers, and nothing to others.

        Raises
        ------
        NoAnswer
            The server failed on this question.
        PacsmeterError
            It cannot be reached, does not let this user in, or does not speak QIDO-RS.
        """
        return self._asked(what, lambda: self._client.search_for_studies(
            limit=limit or None, offset=offset or None, fields=list(fields), search_filters=dict(matching)))

    def series(self, study_instance_uid: str, matching: Mapping[str, str], fields: Sequence[str], *, limit: int = 0,
               offset: int = 0) -> Answered:
        """Search for the series of a study; see `studies`."""
        return self._asked(f"series of study {study_instance_uid}", lambda: self._client.search_for_series(
            study_instance_uid, limit=limit or None, offset=offset or None, fields=list(fields),
            search_filters=dict(matching)))

    def _read(self, response: requests.Response, *_: Any, **__: Any) -> None:
        """Read an answer as it comes, up to a bound, and hear what its header says about more."""
        self._heard.more = response.headers.get("Warning", "").lstrip().startswith(_MORE_REMAIN)
        parts, size = [], 0
        for part in response.iter_content(_CHUNK_BYTES):
            parts.append(part)
            size += len(part)
            if size > MOST_BYTES:
                response.close()
                raise _TooLong
        response._content = b"".join(parts)

    def _asked(self, what: str, ask: Callable[[], Any]) -> Answered:
        failure: Exception = self._lost()
        for pause in (*PAUSES, None):
            try:
                self._heard.more = False
                return self._records(ask(), what)
            except _TooLong:
                return Answered([], incomplete=True)
            except requests.HTTPError as error:
                status = error.response.status_code if error.response is not None else 0
                failure = self._refused(status, what)
                if status not in _AGAIN:
                    raise failure from None
            except requests.exceptions.SSLError:
                raise PacsmeterError("The server's certificate is not trusted", "Name a file with the certificate of "
                                     "who signed it in REQUESTS_CA_BUNDLE.", self._location) from None
            except requests.exceptions.ReadTimeout:
                raise NoAnswer(f"no answer within {TIMEOUT[1]} s") from None
            except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError):
                failure = self._lost()
            except requests.exceptions.JSONDecodeError:
                raise self._undecodable(what) from None
            except (requests.RequestException, ValueError):
                raise PacsmeterError("The server cannot be asked", "Check its URL.", self._location) from None
            if pause is not None:
                time.sleep(pause)
        raise failure

    def _records(self, answered: Any, what: str) -> Answered:
        """See that an answer is DICOM JSON; one bad record among others is dealt with by who reads them."""
        if not isinstance(answered, list) or (answered and not any(
                isinstance(one, dict) and any(len(tag) == 8 for tag in one) for one in answered)):
            raise self._undecodable(what)
        return Answered(answered, self._heard.more)

    def _refused(self, status: int, what: str) -> Exception:
        if status == 401:
            return PacsmeterError("The server refuses the user, the password or the token", "Check them, and "
                                  f"{variable('PASSWORD', self._source_id)} or {variable('TOKEN', self._source_id)}.",
                                  self._location)
        if status == 403:
            return PacsmeterError(f"The server does not let this user ask for {what}", "Allow this user to search for "
                                  "studies and series.", self._location)
        if status in (404, 405, 410, 501):
            return PacsmeterError(f"The server has no QIDO-RS there (HTTP {status})", "Name the URL that /studies "
                                  "follows, such as dicomweb+https://host/dicom-web.", self._location)
        return NoAnswer(f"HTTP {status}")

    def _undecodable(self, what: str) -> PacsmeterError:
        return PacsmeterError(f"The answer of the server to the question for {what} is no whole DICOM JSON", "Load "
                              "again; if it stays so, check the URL, and look for a proxy that cuts answers.",
                              self._location)

    def _lost(self) -> PacsmeterError:
        return PacsmeterError("The server does not answer", "Check that it runs and can be reached from here; the last "
                              "snapshot stays as it is, and the next load goes on from here.", self._location)
