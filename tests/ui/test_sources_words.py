"""What the page of the sources says beside its charts, for none, one and several."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pandas as pd
import pytest

from analytics.metrics.sources_silence import SENDING, SILENT
from analytics.ui.shell import Page
from analytics.ui.sources import _not_whole, _stopped


def asked(frame: pd.DataFrame, **result: Any) -> Page:
    answer = SimpleNamespace(frame=frame, **result)
    return cast("Page", SimpleNamespace(
        metric=lambda *_, **__: answer, settings=SimpleNamespace(site_zone="Europe/London")))


@pytest.mark.parametrize(("silent", "sending", "words"), [
    (0, 0, "No device here can be judged: none is in use, or its days with studies are too few."),
    (0, 1, "1 device sends as it usually does."),
    (0, 1200, "1,200 devices send as they usually do."),
    (1, 0, "Silent beyond its usual: A0. No other device can be judged."),
    (1, 1, "Silent beyond its usual: A0. 1 device sends as it usually does."),
    (2, 3, "Silent beyond their usual: A0, A1. 3 devices send as they usually do."),
])
def test_how_devices_send_is_said_for_none_one_and_several(silent: int, sending: int, words: str) -> None:
    states = [SILENT] * silent + [SENDING] * sending
    frame = pd.DataFrame({"station_name": [f"A{number}" for number in range(len(states))], "state": states})
    assert _stopped(asked(frame)) == words


@pytest.mark.parametrize(("incomplete", "expected", "words"), [
    ([], 0, "No exam here is one that the archive should hold."),
    ([1], 1, "1 of 1 exam that the archive should hold (100.0 %). A bar is"),
    ([0, 0], 300, "0 of 300 exams that the archive should hold (0.0 %). A bar is"),
    ([1, 2], 9000, "3 of 9,000 exams that the archive should hold (< 0.1 %). A bar is"),
])
def test_transfers_are_said_for_none_one_and_several(incomplete: list[int], expected: int, words: str) -> None:
    share = 100 * sum(incomplete) / expected if expected else None
    page = asked(pd.DataFrame({"incomplete": incomplete}), n=expected, headline=share)
    assert _not_whole(page).startswith(words)
