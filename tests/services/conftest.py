"""A real Orthanc (Debian's), held to loopback, on its own SQLite index or on PostgreSQL."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import secrets
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.conftest import free_port
from tests.support import need, which

INSTALL = "apt-get install orthanc orthanc-postgresql gcc"
PLUGINS = (Path("/usr/share/orthanc/plugins"), Path("/usr/lib/orthanc"))
_START_SECONDS = 60

# Orthanc 1.10 ignores HttpBindAddresses and listens on every address: the test must not open a port to others.
LOOPBACK_ONLY = r"""
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netinet/in.h>
#include <sys/socket.h>
int bind(int fd, const struct sockaddr *to, socklen_t size) {
  static int (*real)(int, const struct sockaddr *, socklen_t);
  if (!real) real = (int (*)(int, const struct sockaddr *, socklen_t)) dlsym(RTLD_NEXT, "bind");
  struct sockaddr_storage changed = {0};
  __builtin_memcpy(&changed, to, size < sizeof changed ? size : sizeof changed);
  if (to->sa_family == AF_INET) ((struct sockaddr_in *) &changed)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (to->sa_family == AF_INET6) ((struct sockaddr_in6 *) &changed)->sin6_addr = in6addr_loopback;
  return real(fd, (struct sockaddr *) &changed, size);
}
"""


@dataclass
class Server:
    """A running Orthanc.

    Attributes
    ----------
    spec : what a user gives pacsmeter to load it.
    """

    http_port: int
    dicom_port: int
    password: str
    spec: str
    process: subprocess.Popen[bytes]
    run: Callable[[], subprocess.Popen[bytes]]
    log: Path

    def ask(self, path: str, body: bytes | None = None) -> Any:
        """Ask its REST interface; a body is posted."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.http_port}{path}", data=body)
        login = base64.b64encode(f"test:{self.password}".encode()).decode()
        request.add_header("Authorization", f"Basic {login}")
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read() or b"null")

    def store(self, path: Path) -> bool:
        """Store a file; whether Orthanc took it."""
        return self.store_bytes(path.read_bytes())

    def store_bytes(self, content: bytes) -> bool:
        """Store an object; whether Orthanc took it. PostgreSQL under load answers 503: it is asked again."""
        for _ in range(20):
            try:
                self.ask("/instances", content)
                return True
            except urllib.error.HTTPError as error:
                if error.code != 503:
                    return False
        return False

    def stop(self) -> None:
        """Stop it, and wait until it has let its index go."""
        self.process.terminate()
        self.process.wait(30)

    def start_again(self) -> None:
        """Start it on the index it had, after it was stopped or killed."""
        self.process = self.run()
        _wait_until_up(self)


@pytest.fixture(scope="session")
def loopback_only(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build what keeps a server on loopback."""
    compiler = need(which("gcc") or which("cc"), "A C compiler", INSTALL)
    folder = tmp_path_factory.mktemp("loopback")
    (folder / "bind.c").write_text(LOOPBACK_ONLY)
    subprocess.run([compiler, "-shared", "-fPIC", "-o", str(folder / "bind.so"), str(folder / "bind.c"), "-ldl"],
                   check=True)
    return folder / "bind.so"


def _wait_until_up(server: Server) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and server.process.poll() is None:
        with contextlib.suppress(OSError):
            server.ask("/system")
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.process.wait(0.1)
    pytest.fail(f"Orthanc did not start:\n{server.log.read_text()[-3000:]}")


Starter = Callable[..., Server]


@pytest.fixture
def start_orthanc(loopback_only: Path, tmp_path: Path) -> Iterator[Starter]:
    """Give a function that starts an Orthanc on SQLite, or on the PostgreSQL database of a URL, with more settings."""
    program = need(which("Orthanc"), "Orthanc", INSTALL)
    running: list[Server] = []

    def start(postgres_url: str = "", zone: str = "UTC", configuration: dict[str, Any] | None = None) -> Server:
        folder = tmp_path / f"orthanc-{len(running)}"
        folder.mkdir()
        password, ports = secrets.token_hex(8), (free_port(), free_port())
        settings: dict[str, Any] = {
            "Name": "test", "StorageDirectory": str(folder), "IndexDirectory": str(folder), "HttpPort": ports[0],
            "DicomPort": ports[1], "RemoteAccessAllowed": False, "AuthenticationEnabled": True,
            "RegisteredUsers": {"test": password}, "Plugins": [], "DicomAet": "ORTHANC"}
        spec = f"orthanc+sqlite://{folder / 'index'}"
        if postgres_url:
            url = sa.make_url(postgres_url)
            found = [path for place in PLUGINS for path in sorted(place.glob("libOrthancPostgreSQLIndex.so*"))]
            plugin = need(str(found[0]) if found else None, "Orthanc's PostgreSQL plugin", INSTALL)
            settings |= {"Plugins": [plugin], "PostgreSQL": {
                "EnableIndex": True, "EnableStorage": False, "Host": "127.0.0.1", "Port": url.port,
                "Database": url.database, "Username": url.username, "Password": "", "Lock": False}}
            spec = f"orthanc+{url.set(drivername='postgresql').render_as_string(hide_password=False)}"
        (folder / "orthanc.json").write_text(json.dumps(settings | (configuration or {})))
        log = folder / "log"

        def run() -> subprocess.Popen[bytes]:
            with log.open("ab") as out:
                return subprocess.Popen(
                    [program, str(folder / "orthanc.json")], stdout=out, stderr=subprocess.STDOUT,
                    env={**os.environ, "LD_PRELOAD": str(loopback_only), "TZ": zone})

        server = Server(*ports, password, spec, run(), run, log)
        running.append(server)
        _wait_until_up(server)
        return server

    try:
        yield start
    finally:
        for server in running:
            server.process.kill()
            server.process.wait(10)
            shutil.rmtree(tmp_path, ignore_errors=True)
