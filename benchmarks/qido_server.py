"""A QIDO-RS server of any size whose answers are made as they are asked for: ``python -m benchmarks.qido_server N``.

Study n lies ``n // PER_DAY`` days after the first; each has one series. It honors StudyDate, limit and offset. It
prints its port, and listens on loopback alone.
"""

from __future__ import annotations

import sys
from datetime import date, timedelta
from urllib.parse import parse_qs, urlsplit

from benchmarks.http_server import serve

FIRST = date(2016, 11, 1)
DAYS = 3_650


def per_day(studies: int) -> int:
    """Return how many studies one day has."""
    return -(-studies // DAYS)


def day_of(n: int, studies: int) -> date:
    """Return the date of a study."""
    return FIRST + timedelta(n // per_day(studies))


def numbers(first: date, last: date, studies: int) -> range:
    """Return which studies lie in a range of dates."""
    begin, end = (first - FIRST).days * per_day(studies), ((last - FIRST).days + 1) * per_day(studies)
    return range(max(0, begin), max(0, min(studies, end)))


def _study(n: int, studies: int) -> str:
    day = day_of(n, studies)
    return (
        f'{{"0020000D":{{"vr":"UI","Value":["1.2.826.{n}"]}},"00080020":{{"vr":"DA","Value":["{day:%Y%m%d}"]}},'
        f'"00080030":{{"vr":"TM","Value":["{8 + n % 12:02d}{n % 60:02d}00"]}},'
        f'"00080050":{{"vr":"SH","Value":["A{n}"]}},'
        f'"00080061":{{"vr":"CS","Value":["CT"]}},'
        f'"00100010":{{"vr":"PN","Value":[{{"Alphabetic":"NAME{n // 3}^GIVEN"}}]}},'
        f'"00100020":{{"vr":"LO","Value":["ID{n // 3}"]}},"00100030":{{"vr":"DA","Value":["19600101"]}},'
        f'"00100040":{{"vr":"CS","Value":["F"]}},"00081030":{{"vr":"LO","Value":["CHEST"]}},'
        '"00201206":{"vr":"IS","Value":[1]},"00201208":{"vr":"IS","Value":[2]}}')


def _series(uid: str) -> str:
    return (f'[{{"0020000D":{{"vr":"UI","Value":["{uid}"]}},"0020000E":{{"vr":"UI","Value":["{uid}.1"]}},'
            '"00080060":{"vr":"CS","Value":["CT"]},"0008103E":{"vr":"LO","Value":["AXIAL"]},'
            '"00081010":{"vr":"SH","Value":["CT1"]},"00201209":{"vr":"IS","Value":[2]}}]')


def answer(target: str, studies: int) -> bytes:
    """Return the body that answers a request."""
    parts = urlsplit(target)
    if parts.path.endswith("/series"):
        return _series(parts.path.split("/")[-2]).encode()
    asked = {name.lower(): values[0] for name, values in parse_qs(parts.query).items()}
    first, last = FIRST, FIRST + timedelta(DAYS)
    dates = asked.get("studydate") or asked.get("00080020") or ""
    if dates:
        begin, _, end = dates.partition("-")
        end = end if "-" in dates else begin
        first = date.fromisoformat(begin) if begin else date.min
        last = date.fromisoformat(end) if end else date.max
    found = numbers(max(first, FIRST), min(last, FIRST + timedelta(DAYS)), studies)
    offset, limit = int(asked.get("offset", 0)), int(asked.get("limit", 0)) or studies
    return f"[{','.join(_study(n, studies) for n in found[offset:offset + limit])}]".encode()


if __name__ == "__main__":
    held = int(sys.argv[1])
    serve(lambda target, _body: answer(target, held))
