"""The text of a record in DICOM JSON (PS3.18 2024e F), and what dcm4chee adds to it in private attributes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydicom.datadict import dictionary_VR, tag_for_keyword

from analytics.sources import dicom_values as dv
from analytics.sources.query_rows import Row

CREATOR = "DCM4CHEE Archive 5"
"""Private creator of the attributes of group 7777, by dcm4chee-arc-light issues 327, 1051 and 3723."""
_RECEIVED, _ACCESSED, _EXPIRES, _REJECTION, _COMPLETENESS, _STORAGE, _SIZE_KB, _SIZE_BYTES = (
    0x20, 0x22, 0x23, 0x24, 0x25, 0x28, 0x29, 0x2A)
_SERIES_RECEIVED, _SERIES_SIZE_KB, _SERIES_SIZE_BYTES = 0x30, 0x3F, 0x40
_REJECTION_STATES = {"NONE": "none", "PARTIAL": "partial", "COMPLETE": "complete", "EMPTY": "none"}
_COMPLETENESS_STATES = {"COMPLETE": "complete", "PARTIAL": "partial", "UNKNOWN": "unknown"}
_BYTES_A_KB = 1_000


class NotText(Exception):
    """A value is none that its attribute can have; the keyword says which."""


def text_of(record: Mapping[str, Any], keywords: Iterable[str]) -> dict[str, str]:
    """Return keyword to text; several values are parted by a backslash, groups of a person's name by ``=``.

    Raises
    ------
    NotText
        An element is no element of DICOM JSON, or holds something else than text and numbers.
    """
    return {keyword: _text(record.get(f"{tag_for_keyword(keyword):08X}"), keyword,
                           dictionary_VR(keyword) == "PN") for keyword in keywords}


def _text(element: Any, name: str, is_person: bool = False) -> str:
    if element is None:
        return ""
    values = element.get("Value", []) if isinstance(element, dict) else element
    if values is None:
        return ""
    if not isinstance(values, list):
        raise NotText(name)
    return "\\".join(_one(value, name, is_person) for value in values)


def _one(value: Any, name: str, is_person: bool) -> str:
    if is_person and isinstance(value, dict):
        groups = [value.get(group) or "" for group in ("Alphabetic", "Ideographic", "Phonetic")]
        if not all(isinstance(group, str) for group in groups):
            raise NotText(name)
        return "=".join(map(_whole_text, groups)).rstrip("=")
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise NotText(name)
    if isinstance(value, str):
        return _whole_text(value)
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _whole_text(text: str) -> str:
    """Return text that can be kept: JSON can write halves of characters, and characters that end a text."""
    if text.isascii():
        return text.replace("\x00", "")
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").replace("\x00", "")


def has_bad_text(values: Mapping[str, str]) -> bool:
    """Whether some text was not in UTF-8, which DICOM JSON is written in."""
    return any("\ufffd" in text for text in values.values())


def archive_columns(record: Mapping[str, Any], zone: str) -> Row:
    """Return what a dcm4chee archive says of a study besides DICOM's attributes; nothing for another archive.

    It leaves states out that are as usual: not rejected, complete.
    """
    block = _block(record)
    if not block:
        return {}
    rejection = _private(record, block, _REJECTION) or "NONE"
    completeness = _private(record, block, _COMPLETENESS) or "COMPLETE"
    return {
        "stored_at": dv.date_time_of(_private(record, block, _RECEIVED), "", zone),
        "last_accessed_at": dv.date_time_of(_private(record, block, _ACCESSED), "", zone),
        "expires_date": dv.date_of(_private(record, block, _EXPIRES)),
        "rejection_state": _REJECTION_STATES.get(rejection), "completeness": _COMPLETENESS_STATES.get(completeness),
        "storage_tier": _private(record, block, _STORAGE).split("\\")[0] or None,
        "size_bytes": _size(record, block, _SIZE_KB, _SIZE_BYTES),
    }


def archive_series_columns(record: Mapping[str, Any], zone: str) -> Row:
    """Return what a dcm4chee archive says of a series besides DICOM's attributes."""
    block = _block(record)
    if not block:
        return {}
    return {"stored_at": dv.date_time_of(_private(record, block, _SERIES_RECEIVED), "", zone),
            "size_bytes": _size(record, block, _SERIES_SIZE_KB, _SERIES_SIZE_BYTES)}


def _block(record: Mapping[str, Any]) -> str:
    """Return the first digits of the elements that the private creator reserved: ``10``, mostly."""
    for block in range(0x10, 0x20):
        if _private(record, "00", block) == CREATOR:
            return f"{block:02X}"
    return ""


def _private(record: Mapping[str, Any], block: str, element: int) -> str:
    try:
        return _text(record.get(f"7777{block}{element:02X}"), "").strip()
    except NotText:
        return ""


def _size(record: Mapping[str, Any], block: str, thousands: int, rest: int) -> int | None:
    """Return a size in bytes; nothing where the archive has not summed it up yet, which it writes as less than 0."""
    kilobytes, more = (dv.number_of(_private(record, block, element)) for element in (thousands, rest))
    if kilobytes is None or kilobytes < 0 or (more is not None and not 0 <= more < _BYTES_A_KB):
        return None
    return int(kilobytes * _BYTES_A_KB + (more or 0)) or None
