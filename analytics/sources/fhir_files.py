"""Finding the resources in a file of FHIR JSON: one a line (bulk export), a bundle, or one alone.

Nothing is taken apart here but the file: what a resource says is `fhir_read`'s.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast

import ijson

SUFFIXES = tuple(f"{suffix}{packed}" for suffix in (".json", ".ndjson", ".jsonl") for packed in ("", ".gz"))
MAX_RESOURCE_BYTES = 64 * 2**20
_BOM = b"\xef\xbb\xbf"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")

FAULTS: dict[str, str] = {
    "bad_json": "It is no JSON, or is cut off; export it again: one resource a line as .ndjson, one document as .json.",
    "bad_encoding": "It is not UTF-8, as FHIR's JSON shall be; export it again.",
    "too_large": f"It is larger than {MAX_RESOURCE_BYTES // 2**20} MB; export it without documents.",
    "truncated": "The compressed file is damaged or cut off; copy it again.",
    "empty": "The file is empty; export it again.",
    "unreadable": "The file cannot be opened or read; check its permissions and its disk.",
}


@dataclass(frozen=True)
class Found:
    """A resource of a file, or what stands where one should.

    Attributes
    ----------
    place : number of the line or of the bundle's entry; empty where the file as a whole is meant.
    resource : as it is written; empty where there is none.
    full_url : what other resources of the bundle may call it.
    fault : reason code; empty where it could be read.
    """

    place: str
    resource: dict[str, Any] = field(default_factory=dict)
    full_url: str = ""
    fault: str = ""


def resources_in(path: Path) -> Iterator[Found]:
    """Yield the resources of a file in their order, and everything in it that is none.

    Parameters
    ----------
    path : Path
        Read once, a resource at a time.
    """
    name = path.name.lower()
    try:
        with path.open("rb") as raw:
            file = cast(IO[bytes], gzip.GzipFile(fileobj=raw) if name.endswith(".gz") else raw)
            yield from _document(file) if name.removesuffix(".gz").endswith(".json") else _lines(file)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        yield Found("", fault="truncated")
    except OSError:
        yield Found("", fault="unreadable")


def _lines(file: IO[bytes]) -> Iterator[Found]:
    number = 0
    while line := file.readline(MAX_RESOURCE_BYTES + 1):
        number += 1
        if len(line) > MAX_RESOURCE_BYTES:
            yield Found(str(number), fault="too_large")
            while line and not line.endswith(b"\n"):
                line = file.readline(MAX_RESOURCE_BYTES)
            continue
        if number == 1:
            line = line.removeprefix(_BOM)
        if line.strip():
            yield from _parsed(line, str(number))
    if not number:
        yield Found("", fault="empty")


def _parsed(text: bytes, place: str) -> Iterator[Found]:
    try:
        resource = json.loads(text.decode("utf-8"))
    except UnicodeDecodeError:
        yield Found(place, fault="bad_encoding")
    except (ValueError, RecursionError):
        yield Found(place, fault="bad_json")
    else:
        yield from _unpacked(resource, place)


def _unpacked(resource: Any, place: str) -> Iterator[Found]:
    """Yield a resource, or the entries of a bundle that stands in a line or in a bundle."""
    if not isinstance(resource, dict):
        yield Found(place, fault="bad_json")
    elif resource.get("resourceType") == "Bundle":
        entries = resource.get("entry")
        for number, entry in enumerate(entries if isinstance(entries, list) else (), 1):
            yield from _entry(entry, f"{place} entry {number}")
    else:
        yield Found(place, resource)


def _entry(entry: Any, place: str) -> Iterator[Found]:
    """Yield what an entry of a bundle holds; one that only says what was deleted holds a resource without a type."""
    if not isinstance(entry, dict):
        yield Found(place, fault="bad_json")
        return
    full_url, resource = entry.get("fullUrl"), entry.get("resource", {})
    for found in _unpacked(resource, place):
        yield Found(found.place, found.resource, full_url if isinstance(full_url, str) else "", found.fault)


def _document(file: IO[bytes]) -> Iterator[Found]:
    """Yield the entries of a bundle as they come; a document without entries is one resource."""
    head = file.read(4)
    if head[:2] in _UTF_16:
        yield Found("", fault="bad_encoding")
        return
    file.seek(len(_BOM) if head.startswith(_BOM) else 0)
    number = 0
    try:
        for entry in ijson.items(file, "entry.item", use_float=True):
            number += 1
            yield from _entry(entry, str(number))
    except (ijson.JSONError, ValueError, RecursionError) as error:
        text = str(error).lower()
        is_empty = not number and not head.strip()
        yield Found("", fault="empty" if is_empty else "bad_encoding" if "utf" in text else "bad_json")
        return
    if number:
        return
    file.seek(len(_BOM) if head.startswith(_BOM) else 0)
    text_of_one = file.read(MAX_RESOURCE_BYTES + 1)
    if len(text_of_one) > MAX_RESOURCE_BYTES:
        yield Found("", fault="too_large")
        return
    for found in _parsed(text_of_one, "1"):
        yield Found("" if found.fault else found.place, found.resource, fault=found.fault)
