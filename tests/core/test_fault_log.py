"""A fault that nobody foresaw: its place in a file, its words nowhere."""

from __future__ import annotations

import logging
import sys
import threading
from pathlib import Path

import pytest

from analytics.core.fault_log import log_unforeseen, places_alone

NAME = "ZWICKERBAUER^ROSWITHA"


def fail() -> None:
    raise ValueError(NAME)


class Broken:
    def __del__(self) -> None:
        fail()


def test_the_log_has_the_place_and_not_the_words(tmp_path: Path) -> None:
    try:
        try:
            fail()
        except ValueError as error:
            raise KeyError(NAME) from error
    except KeyError as error:
        path = log_unforeseen(error, tmp_path, "abcd")
    text = path.read_text()
    assert "KeyError abcd" in text and "test_fault_log.py" in text and NAME not in text


def test_no_thread_destructor_or_library_says_its_words(
        tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    before = threading.excepthook, sys.unraisablehook, logging.lastResort
    logger = logging.Logger("a library")  # without handlers, as one that nobody set up
    with places_alone(tmp_path):
        thread = threading.Thread(target=fail)
        thread.start()
        thread.join()
        broken = Broken()
        del broken
        logger.error("could not read %s", NAME)
    printed = capfd.readouterr()
    assert NAME not in printed.out + printed.err
    text = (tmp_path / "errors.log").read_text()
    assert text.count("UTC ValueError") == 2 and NAME not in text
    assert (threading.excepthook, sys.unraisablehook, logging.lastResort) == before
