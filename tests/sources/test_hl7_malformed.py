"""HL7 messages that are broken: each is named with its reason, none breaks the reader, none is quoted."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.core.swim import BY_NAME
from analytics.sources.hl7_read import Told, read_message
from tests.sources.hl7_samples import EDGE, EXAM, NOW, PID, READING, obr, read, text, told
from tests.sources.sites import IDS, NAMES, SECRETS


@pytest.mark.parametrize("raw", [
    b"", b"MSH", b"MSH|", b"MSH|^~\\&", b"MSH|^~\\&|RIS|NORTH", b"MSH|||||||||ORM^O01",
    b"MSH|^^^^|a|b|c|d|e||ORM^O01|1", b"MSHX^~\\&|a|b", b"PID|1||X", b"\x00\x01\x02",
    text("ORM^O01").encode(), text("ORM^O01", PID).encode()])
def test_what_is_no_message_is_rejected_with_its_reason(raw: bytes) -> None:
    assert read_message(raw, READING, NOW).rejected.keys() == {"malformed_message"}


@pytest.mark.parametrize("ends", ["\r", "\n", "\r\n", "\n\r", "\r\r"])
def test_segments_may_end_in_any_way(ends: str) -> None:
    whole = text("ORM^O01", PID, "PV1|1|I", "ORC|NW||F1||||||20260701075900", obr(**EXAM), "OBX|1|TX|||a\nb\nORC")
    found = read_message(whole.rstrip("\r").replace("\r", ends).encode(), READING, NOW)
    assert (told(found), found.orders[0]["patient_class"]) == ({("Order", "07-01 06:59", "ORC-9")}, "I")


def test_a_line_break_inside_a_value_moves_no_field() -> None:
    obr_segment = "OBR|1||F1|C1^CT\nhead|" + "|" * 13 + "A7"
    (row,) = read("ORM^O01", f"PID|1||{IDS[0]}\nnoise|x", "ORC|NW||F1", obr_segment).orders
    assert (row["accession_number"], row["procedure_description"]) == ("A7", "CT")
    assert row["patient_key"] == EDGE.patient_key(IDS[0])


def test_other_delimiters() -> None:
    whole = text("ORM^O01", f"PID|1||{IDS[0]}^^^N^MR~Z||{NAMES[0]}", "ORC|NW||F1", "OBR|1||F1|C^a \\T\\ b")
    other = whole.translate(str.maketrans("|^~\\&", "$%*?@"))
    (row,) = read_message(other.encode(), READING, NOW).orders
    assert (row["patient_key"], row["procedure_description"]) == (EDGE.patient_key(IDS[0]), "a @ b")


BASE = text("ORU^R01", PID, "PV1|1|O", "ORC|NW|P1|F1||CM||^^^20260702093000^^S||20260701075900",
            obr(**EXAM, f7="20260701063000", f22="20260701074500", f25="F"), "OBX|1|TX|||a||||||F|||20260701074000",
            charset="8859/1").encode()


def check_sound(found: Told) -> None:
    for row in found.events:
        assert row["event"] in BY_NAME and row["accession_number"] and row["event_at"].tzinfo is not None
        assert row["event_at"].year >= 1990
    said: Any = (found.rejected, dict(found.notes), [row["origin"] for row in found.events])
    assert [secret for secret in SECRETS if secret in str(said)] == []


@given(st.binary(max_size=300))
def test_any_bytes_are_read_without_raising(raw: bytes) -> None:
    check_sound(read_message(raw, READING, NOW))
    check_sound(read_message(b"MSH|^~\\&|" + raw, READING, NOW))


@given(st.data())
def test_a_mutated_message_is_read_without_raising(data: st.DataObject) -> None:
    raw = bytearray(BASE)
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(raw)))
        kind = data.draw(st.sampled_from(["cut", "insert", "replace", "double"]))
        if kind == "cut":
            del raw[place:place + data.draw(st.integers(1, 40))]
        elif kind == "insert":
            raw[place:place] = data.draw(st.binary(min_size=1, max_size=6) | st.sampled_from(
                [b"|", b"^", b"~", b"\\", b"&", b"\r", b"\x1b$B", b"\\X4\\", b"\\.sp99999999\\", b'""', b"\x00"]))
        elif kind == "replace":
            raw[place:place + 1] = bytes([data.draw(st.integers(0, 255))])
        else:
            raw[place:place] = raw[place:place + 50]
    check_sound(read_message(bytes(raw), READING, NOW))


def test_the_parser_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        read("ORM^O01", f"PID|1||X1||\\Q{NAMES[0]}\\^\\XZZ\\^\\\\", "ORC|NW||F1")
    assert caplog.text == ""
