"""Finding messages in files: framed, in batches, with any line ends, cut off, and beside what is none."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.sources import hl7_files
from analytics.sources.hl7_files import messages_in
from tests.sources.hl7_samples import PID, text

ONE, TWO = (text("ORM^O01", PID, f"ORC|NW||F{number}").strip().encode() for number in (1, 2))
BATCH = b"FHS|^~\\&|RIS\rBHS|^~\\&|RIS\r" + ONE + b"\r" + TWO + b"\rBTS|2\rFTS|1\r"


def found(content: bytes) -> list[tuple[int, bytes, str]]:
    return [(one.number, one.raw, one.fault) for one in messages_in(io.BytesIO(content))]


@pytest.mark.parametrize("content", [
    ONE + b"\r" + TWO, ONE + b"\r\r\n\n" + TWO + b"\r\n\x1a", b"\x0b" + ONE + b"\x1c\r\x0b" + TWO + b"\x1c\r",
    b"\x0b" + ONE + b"\r\x1c\r\n\x0b" + TWO + b"\x1c", b"\xef\xbb\xbf" + ONE + b"\n" + TWO,
    BATCH, BATCH.replace(b"\r", b"\n"), b"\x0b" + BATCH + b"\x1c\r", b"\r\n  " + ONE + b"\x1c\r" + TWO],
    ids=["plain", "blank lines", "framed", "framed, no last CR", "BOM", "batch", "batch, LF", "framed batch", "mixed"])
def test_both_messages_are_found(content: bytes) -> None:
    assert [(number, raw.replace(b"\n", b"\r"), fault) for number, raw, fault in found(content)] == [
        (1, ONE, ""), (2, TWO, "")]


@pytest.mark.parametrize(("content", "expected"), [
    (b"", [(0, "empty")]), (b"\r\n \x00", [(0, "empty")]), (b"hello", [(0, "not_hl7")]),
    (b"DICM" * 9, [(0, "not_hl7")]), (ONE.decode().encode("utf-16"), [(0, "utf_16")]),
    (b"\x0b" + ONE, [(1, "truncated")]), (b"\x0b" + ONE + b"\r\x0b" + TWO + b"\x1c\r", [(1, "truncated"), (2, "")]),
    (b"PID|1\r" + ONE, [(1, "no_header"), (2, "")]),
    (ONE + b"\x1c\rleft\x0b" + TWO + b"\x1c", [(1, ""), (2, "no_header"), (3, "")])])
def test_what_is_no_message_is_named(content: bytes, expected: list[tuple[int, str]]) -> None:
    assert [(number, fault) for number, _, fault in found(content)] == expected
    assert all(one.reason.endswith(".") for one in messages_in(io.BytesIO(content)) if one.fault)


def test_a_message_too_large_is_named_and_the_next_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hl7_files, "MAX_MESSAGE_BYTES", 1_000)
    monkeypatch.setattr(hl7_files, "_CHUNK_BYTES", 256)
    large = ONE + b"\rOBX|1|ED|||" + b"x" * 5_000
    assert [(number, fault) for number, _, fault in found(b"\x0b" + large + b"\x1c\r\x0b" + TWO + b"\x1c\r")] == [
        (1, "too_large"), (2, "")]
    assert [(number, fault) for number, _, fault in found(large + b"\r" + TWO)] == [(1, "too_large"), (2, "")]


SENT = st.lists(st.sampled_from([ONE, TWO, ONE + b"\rOBX|1|TX|||MSH|x MSH"]), min_size=1, max_size=6)


@given(st.integers(1, 400), SENT,
       st.sampled_from([(b"", b"\r"), (b"\x0b", b"\x1c\r"), (b"", b"\n"), (b"\x0bBHS|^~\\&\r", b"\rBTS|1\r\x1c\r")]))
def test_messages_are_the_same_whatever_is_read_at_once(
        size: int, sent: list[bytes], frame: tuple[bytes, bytes]) -> None:
    file = Chunked(b"".join(frame[0] + one + frame[1] for one in sent), size)
    assert [one.raw for one in messages_in(file)] == sent


class Chunked(io.BytesIO):
    """A file that gives less than it is asked for, after the first piece."""

    def __init__(self, content: bytes, size: int) -> None:
        super().__init__(content)
        self._size = size

    def read(self, size: int | None = -1) -> bytes:
        return super().read(self._size if self.tell() else max(self._size, 40))


@given(st.binary(max_size=200))
def test_any_bytes_are_split_without_raising(content: bytes) -> None:
    assert all(bool(raw) != bool(fault) for _, raw, fault in found(b"MSH|" + content + b"\x0bMSH|"))
