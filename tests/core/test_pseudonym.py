"""Pseudonyms: the same for the same person, nothing without the key."""

from __future__ import annotations

import hashlib
import hmac
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.core.errors import PacsmeterError
from analytics.core.pseudonym import PLACEHOLDER_PREFIX, Pseudonymizer

KEY = b"0123456789abcdef"


def test_a_pseudonym_is_the_documented_hmac() -> None:
    expected = hmac.new(KEY, b"patient\x00A12", hashlib.sha256).hexdigest()[:32]
    assert Pseudonymizer(KEY).key("patient", " a12 ") == expected


@given(st.text(), st.text())
def test_identities_share_a_pseudonym_only_when_they_are_the_same(one: str, other: str) -> None:
    maker = Pseudonymizer(KEY)
    same = one.strip().upper() == other.strip().upper()
    assert (maker.key("name", one) == maker.key("name", other)) == same
    assert maker.key("name", one) is None or maker.key("name", one) != maker.key("patient", one)


def test_another_key_gives_another_pseudonym() -> None:
    assert Pseudonymizer(KEY).key("patient", "A12") != Pseudonymizer(KEY[::-1]).key("patient", "A12")


@pytest.mark.parametrize("identity", ["0", "000000", "UNKNOWN", "n/a", "Test", "99999", "ANONYMOUS", "no id"])
def test_a_placeholder_is_marked(identity: str) -> None:
    assert Pseudonymizer(KEY).patient_key(identity).startswith(PLACEHOLDER_PREFIX)


@pytest.mark.parametrize("identity", ["A000", "10", "TESTER", "999", "UNK1"])
def test_a_real_id_is_not_taken_for_a_placeholder(identity: str) -> None:
    assert not Pseudonymizer(KEY).patient_key(identity).startswith(PLACEHOLDER_PREFIX)


def test_no_id_gives_no_key() -> None:
    assert Pseudonymizer(KEY).patient_key("  ") == ""


def test_the_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "pseudonym.key"
    first = Pseudonymizer.from_file(path).key("patient", "A12")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Pseudonymizer.from_file(path).key("patient", "A12") == first


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "pseudonym.key"
    Pseudonymizer.from_file(path)
    path.chmod(0o644)
    with pytest.raises(PacsmeterError, match="chmod 600"):
        Pseudonymizer.from_file(path)
