"""Just read what a source holds, and let it go: the peer of a load: ``python -m benchmarks.source_read HOW WHERE``."""

from __future__ import annotations

import http.client
import json
import sqlite3
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import sqlalchemy as sa

from benchmarks.orthanc_index import READ
from benchmarks.orthanc_server import IMAGES, INSTANCE, SERIES, STUDY, public_id
from benchmarks.qido_server import DAYS, FIRST

_BLOCK = 1 << 20
_ROWS = 20_000
_AT_ONCE = 500


def files(folder: str) -> None:
    """Read every byte of every file."""
    for path in Path(folder).rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                while file.read(_BLOCK):
                    pass


def sqlite(path: str) -> None:
    """Fetch every row that a load of an Orthanc index needs."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    for select in READ:
        cursor = connection.execute(select)
        while cursor.fetchmany(_ROWS):
            pass


def postgres(url: str, *selects: str) -> None:
    """Fetch every row of some selects."""
    with psycopg.connect(sa.make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)) as held:
        for number, select in enumerate(selects):
            with held.cursor(f"read_{number}") as cursor:
                cursor.itersize = _ROWS
                cursor.execute(select.encode())
                for _ in cursor:
                    pass


def _ask(port: str, targets: Iterator[str]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=60)
    for target in targets:
        connection.request("GET", target)
        connection.getresponse().read()


def qido(port: str, studies: str = "0") -> None:
    """Ask for the studies of each day, and for the series of each study; the answers are not parsed."""
    days = (FIRST + timedelta(n) for n in range(DAYS + 1))
    _ask(port, (f"/dicom-web/studies?StudyDate={day:%Y%m%d}" for day in days))
    _ask(port, (f"/dicom-web/studies/1.2.826.{n}/series" for n in range(int(studies))))


def orthanc(port: str, studies: str) -> None:
    """Ask Orthanc what a load asks of each study, one after the other; the answers are not parsed."""
    connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=60)

    def ask(method: str, target: str, body: str = "") -> None:
        connection.request(method, target, body)
        connection.getresponse().read()

    ask("GET", "/studies")
    numbers = range(int(studies))
    for start in numbers[::_AT_ONCE]:
        some = numbers[start:start + _AT_ONCE]
        ask("POST", "/tools/bulk-content", json.dumps(
            {"Resources": [public_id(n, STUDY) for n in some], "Level": "Study", "Metadata": False}))
        for n in some:
            images = [public_id(n, INSTANCE, place) for place in range(IMAGES)]
            ask("POST", "/tools/lookup", f"1.2.826.{n}")
            ask("GET", f"/studies/{public_id(n, STUDY)}/series?expand=true")
            ask("GET", f"/series/{public_id(n, SERIES)}/statistics")
            ask("POST", "/tools/bulk-content", json.dumps({"Resources": images, "Level": "Instance", "Metadata": True}))


if __name__ == "__main__":
    readers = {"files": files, "sqlite": sqlite, "postgres": postgres, "qido": qido, "orthanc": orthanc}
    readers[sys.argv[1]](*sys.argv[2:])
