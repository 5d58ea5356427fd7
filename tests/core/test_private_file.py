"""Files that hold a secret: their owner's alone, and where no backup of the warehouse takes them along."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydantic import SecretStr

from analytics.core.errors import PacsmeterError
from analytics.core.private_file import read_private
from analytics.core.pseudonym import Pseudonymizer
from analytics.core.settings import Settings

KEY = "0123456789abcdef0123456789abcdef"


def private(path: Path, content: str = KEY) -> Path:
    path.write_text(content)
    path.chmod(0o600)
    return path


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o660, 0o602, 0o610])
def test_what_others_can_read_or_change_is_refused(tmp_path: Path, mode: int) -> None:
    path = private(tmp_path / "secret")
    path.chmod(mode)
    with pytest.raises(PacsmeterError, match="chmod 600"):
        read_private(path, "It")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")
def test_what_belongs_to_somebody_else_is_refused(tmp_path: Path) -> None:
    path = private(tmp_path / "secret")
    os.chown(path, 65534, -1)
    with pytest.raises(PacsmeterError, match="belongs to nobody"):
        Pseudonymizer.from_file(path)


@pytest.mark.parametrize(
    ("content", "said"), [("", "is empty"), ("  \n", "is empty"), ("short", r"too short \(5 bytes")])
def test_a_key_that_is_none_is_refused(tmp_path: Path, content: str, said: str) -> None:
    path = private(tmp_path / "pseudonym.key", content)
    with pytest.raises(PacsmeterError, match=said):
        Pseudonymizer.from_file(path)
    assert path.read_text() == content, "and not made anew: the pseudonyms of the lost one would be lost with it"


@pytest.mark.parametrize("made", ["folder", "dangling"])
def test_a_key_file_that_is_no_file_is_refused(tmp_path: Path, made: str) -> None:
    path = tmp_path / "pseudonym.key"
    path.mkdir() if made == "folder" else path.symlink_to(tmp_path / "nowhere" / "key")
    with pytest.raises(PacsmeterError, match=r"pseudonym\.key"):
        Pseudonymizer.from_file(path)


def test_a_key_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(PacsmeterError, match=r"cannot be made.*PACSMETER_KEY_FILE"):
        Pseudonymizer.from_file(tmp_path / "file" / "below" / "pseudonym.key")


def placed(tmp_path: Path, where: str) -> dict[str, object]:
    """Return settings whose key lies in the warehouse's folder in one way or another."""
    home = tmp_path / "home"
    (home / "warehouse").mkdir(parents=True)
    (tmp_path / "link").symlink_to(home / "warehouse")
    (tmp_path / "linked-file").symlink_to(home / "warehouse" / "the.key")
    return {
        "inside": {"home": home, "key_file": home / "warehouse" / "pseudonym.key"},
        "below": {"home": home, "key_file": home / "warehouse" / "keys" / "pseudonym.key"},
        "through a linked folder": {"home": home, "key_file": tmp_path / "link" / "pseudonym.key"},
        "as a link": {"home": home, "key_file": tmp_path / "linked-file"},
        "by dots": {"home": home, "key_file": home / "x" / ".." / "warehouse" / "pseudonym.key"},
        "the home is the warehouse": {"home": home, "warehouse_url": SecretStr(f"duckdb:///{home}")},
        "the warehouse is linked": {"home": home, "key_file": home / "warehouse" / "pseudonym.key",
                                    "warehouse_url": SecretStr(f"duckdb:///{tmp_path / 'link'}")},
    }[where]


@pytest.mark.parametrize("where", ["inside", "below", "through a linked folder", "as a link", "by dots",
                                   "the home is the warehouse", "the warehouse is linked"])
def test_a_key_in_the_warehouses_folder_is_refused_and_not_made(tmp_path: Path, where: str) -> None:
    settings = Settings(_env_file=None, **placed(tmp_path, where))  # type: ignore[call-arg, arg-type]
    with pytest.raises(PacsmeterError, match="lies in the warehouse's folder"):
        Pseudonymizer.from_file(settings.pseudonym_key_file)
    assert not list(tmp_path.rglob("*.key"))


@pytest.mark.parametrize("more", [{}, {"warehouse_url": SecretStr("postgresql+psycopg://u:p@h/d")}])
def test_a_key_elsewhere_is_taken(tmp_path: Path, more: dict[str, object]) -> None:
    settings = Settings(home=tmp_path / "warehouse-2", _env_file=None, **more)  # type: ignore[call-arg, arg-type]
    assert Pseudonymizer.from_file(settings.pseudonym_key_file).key_check
