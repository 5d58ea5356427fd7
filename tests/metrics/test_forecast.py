"""What a forecast has learnt is kept: one fit a history, whoever asks; and no archive fills on a day that is over."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from analytics.metrics import forecast_outlook
from analytics.metrics.catalog import compute
from analytics.metrics.forecast import History, outlook
from analytics.warehouse.schema import archives, exams
from analytics.warehouse.store import Store
from tests.spec import forecast as forecast_spec
from tests.spec.case import EVERYTHING, exam
from tests.support import build


@pytest.fixture
def history() -> History:
    months = pd.date_range("2025-01-01", periods=14, freq="MS")
    return History("Main", 10**13, 0, months, np.arange(14, dtype="int64") ** 2 * 10**9 + 10**11, 0, 0)


@pytest.fixture
def projected(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count the projections that are made; nothing is known before."""
    made: list[int] = []
    real = forecast_outlook.draw_shared

    def counted(values: np.ndarray, shares: dict[str, float], horizon: int) -> np.ndarray:
        made.append(horizon)
        return real(values, shares, horizon)

    monkeypatch.setattr(forecast_outlook, "draw_shared", counted)
    forecast_outlook._outlook.cache_clear()
    return made


def copied(history: History) -> History:
    return replace(history, months=history.months.copy(), added=history.added.copy())


def test_one_history_is_fitted_once(history: History, projected: list[int]) -> None:
    assert outlook(history) is outlook(copied(history))
    assert len(projected) == 1


def test_threads_that_ask_together_share_one_fit(history: History, projected: list[int]) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(outlook, [copied(history) for _ in range(8)]))

    assert len(projected) == 1 and all(answer is answers[0] for answer in answers)


@pytest.mark.parametrize("change", [
    {"name": "Other"}, {"capacity": 10**12}, {"used_before": 5}, {"earlier": 5}, {"current": 5}, {"gone": 0.5},
    {"months": pd.date_range("2025-02-01", periods=14, freq="MS")}, {"added": np.full(14, 7 * 10**10)}])
def test_a_history_that_says_another_thing_is_fitted_anew(history: History, projected: list[int], change) -> None:
    outlook(history)
    other = replace(history, **change)
    answer = outlook(other)

    assert answer is not None and answer.history is other
    assert len(projected) == 2


def test_what_is_kept_is_bounded_and_cannot_be_changed(history: History) -> None:
    seen = outlook(history)
    assert seen is not None
    with pytest.raises(ValueError, match="read-only"):
        seen.projection.paths[0, 0] = 1
    assert forecast_outlook._outlook.cache_info().maxsize == forecast_outlook.REMEMBERED


@pytest.mark.parametrize(("held", "said"), [
    # 20000 are in use when July begins, and July is to bring 3100. 500 have come in its first 24 days, so that 2600
    # come in 7: the 100 that are free last 0.3 days, and half of 2600 3.5 days. It is 25 July.
    (20_600, "NORTH fills on 25 Jul 2025"), (21_800, "NORTH fills on 28 Jul 2025"),
    (20_500, "NORTH is full."),
])
def test_an_archive_that_is_not_full_does_not_fill_on_a_day_that_is_over(store: Store, held: int, said: str) -> None:
    north = {"site": "North", "modality": "CT"}
    rows = [*forecast_spec.TABLES[exams][:-1],
            exam(7, "2025-07-05 09:00", **north, size_bytes=400, stored_at="2025-07-05 10:00"),
            exam(8, "2025-07-25 09:00", **north, size_bytes=100, stored_at="2025-07-25 10:00")]
    (archive,) = forecast_spec.TABLES[archives]
    warehouse = build(store, {exams: rows, archives: [{**archive, "capacity_bytes": held}]})
    result, what_if = (compute(name, warehouse, EVERYTHING) for name in ("storage.fill_dates", "storage.what_if"))
    assert result.notes[0].startswith(said)
    assert what_if.frame.fills[0] == result.frame["median"][0]
