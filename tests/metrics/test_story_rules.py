"""The rules of what changed, on hospitals made for the purpose, on both engines."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analytics.core.filters import Filters
from analytics.metrics.attention_stories import (
    BY_CHANCE,
    LONGER,
    _risen,
    _together,
    clocks_off,
    longer_exams,
    past_backlog,
    slower_site,
)
from analytics.metrics.change_points import step
from analytics.warehouse.schema import exams, studies
from analytics.warehouse.store import Store, Warehouse
from tests.spec.case import exam
from tests.support import build

FIRST = dt.date(2025, 1, 1)
DAYS = 400
"""To 4 February 2026."""
EVERYTHING = Filters()
Of = Callable[[int], float]


def _site(site: str, *, wait: Of = lambda day: 2, minutes: Of = lambda day: 20,
          offset: Of = lambda day: 0) -> tuple[list[Any], list[Any]]:
    """Three exams a day of a site's scanner: hours waited for the report, minutes taken, minutes the clock is off."""
    rows, copies = [], []
    for day in range(DAYS):
        for number in range(3):
            begun = dt.datetime.combine(FIRST + dt.timedelta(days=day), dt.time(9 + number), dt.UTC)
            ended = begun + dt.timedelta(minutes=minutes(day))
            row = exam(0, begun.strftime("%Y-%m-%d %H:%M"), site=site, modality="CT", station_name=f"{site}CT",
                       procedure_start_at=begun, imaging_complete_at=ended, images_prepared_at=ended,
                       images_stored_at=ended, stored_at=ended, study_at=begun + dt.timedelta(minutes=offset(day)),
                       reported_at=ended + dt.timedelta(hours=wait(day)))
            name = f"{site}-{day}-{number}"
            rows.append(row | {"exam_id": name, "study_instance_uid": name, "accession_number": name})
            copies.append({"study_instance_uid": name, "patient_key": row["patient_key"], "source_id": "archive",
                           "study_at": begun + dt.timedelta(minutes=offset(day)), "stored_at": ended})
    return rows, copies


def _hospital(store: Store, *sites: tuple[list[Any], list[Any]]) -> Warehouse:
    return build(store, {exams: [row for rows, _ in sites for row in rows],
                         studies: [row for _, copies in sites for row in copies]})


def _said(rule: Any, warehouse: Warehouse, filters: Filters = EVERYTHING) -> list[str]:
    return [item.sentence for item in rule(warehouse, filters)]


def _leave(day: int) -> bool:
    """Whether the readers are away: 20 July (day 200) to 9 August (day 220)."""
    return 200 <= day <= 220


def test_a_backlog_of_all_sites_and_the_one_site_that_slows_are_told_apart(store: Store) -> None:
    # All wait 20 h while the readers are away, so that the six exams of a day are unread at its end, else 2 h and none.
    # South waits 3 h, half as long again, from Monday, 8 September (day 250) on.
    warehouse = _hospital(store, _site("North", wait=lambda day: 20 if _leave(day) else 2),
                          _site("South", wait=lambda day: 20 if _leave(day) else 2 if day < 250 else 3))
    assert _said(past_backlog, warehouse) == [
        "A backlog stood from 20 Jul 2025 to 9 Aug 2025: exams waited 20 h for their report (median), usually 2 h; "
        "most were unread on 20 Jul 2025: 6, usually 0."]
    said = ("Reports at South take 50 % longer since the week of 8 Sep 2025, the other sites' do not: median 3 h, "
            "before 2 h.")
    assert _said(slower_site, warehouse) == [said]
    # a beginning that the filters choose hides nothing of what was before; an end from before the change does
    assert _said(slower_site, warehouse, Filters(date_from=dt.date(2026, 1, 1))) == [said]
    assert _said(slower_site, warehouse, Filters(date_to=dt.date(2025, 9, 1))) == []


def test_public_holidays_in_a_backlog_are_counted(duck_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    # From 24 December (day 357) to 9 January (day 373). England has
    # Christmas Day, Boxing Day and New Year's Day in it
    monkeypatch.setenv("PACSMETER_HOLIDAYS", "GB-ENG")
    warehouse = _hospital(duck_store, _site("North", wait=lambda day: 20 if 357 <= day <= 373 else 2))
    [said] = _said(past_backlog, warehouse)
    assert said.startswith("A backlog stood from 24 Dec 2025 to 9 Jan 2026, with 3 public holidays in it: exams ")


def test_a_site_that_gets_faster_slows_no_other(duck_store: Store) -> None:
    warehouse = _hospital(duck_store, _site("North", wait=lambda day: 2 if day < 250 else 1), _site("South"))
    assert _said(slower_site, warehouse) == []


def test_an_only_site_is_held_against_its_own_past(duck_store: Store) -> None:
    warehouse = _hospital(duck_store, _site("North", wait=lambda day: 2 if day < 250 else 3))
    assert _said(slower_site, warehouse) == [
        "Reports at North take 50 % longer since the week of 8 Sep 2025: median 3 h, before 2 h."]


def test_a_clock_that_was_set_right_and_drifts_again_is_told_of_since_then(store: Store) -> None:
    # Ahead by 1.4 min a week from day 100 to 199, right until 8 October (day 280, a Wednesday), then 0.7 min a week
    # behind. In January, days 365 to 395, the middle one is day 380: 10 min; February has too few exams to count.
    def offset(day: int) -> float:
        return 0.2 * (day - 100) if 100 <= day < 200 else -0.1 * max(0, day - 280)

    assert _said(clocks_off, _hospital(store, _site("North", offset=offset))) == [
        "NorthCT's clock runs 10 min behind the RIS (median of 93 exams, Jan 2026); it has drifted by 0.7 min a week "
        "since the week of 6 Oct 2025."]


def test_a_device_that_was_repaired_is_not_told_of(duck_store: Store) -> None:
    failing = _hospital(duck_store, _site("North", minutes=lambda day: 20 if day < 250 else 26))
    assert _said(longer_exams, failing) == [
        "CT exams on NorthCT take 30 % longer since the week of 8 Sep 2025: median 26 min, before 20 min."]
    repaired = _hospital(duck_store, _site("North", minutes=lambda day: 26 if 250 <= day < 330 else 20))
    assert _said(longer_exams, repaired) == []


@pytest.mark.parametrize("seed", range(3))
def test_a_rise_that_is_over_is_none_however_clear_it_was(seed: int) -> None:
    weeks, noise = np.arange(104), np.random.default_rng(seed).normal(0, 0.1, 104)
    lasting = _risen(noise + 0.3 * (weeks >= 60), LONGER)
    assert lasting is not None and lasting.first == 60
    # back at the old level in the last six weeks: the step up is still the best one, and far beyond chance
    over = noise + 0.3 * ((weeks >= 60) & (weeks < 98))
    assert (seen := step(over)) is not None and seen.p <= BY_CHANCE
    assert _risen(over, LONGER) is None


def test_a_large_site_counts_for_more_and_a_missing_week_for_nothing() -> None:
    # 0.9 x 1 + 0.1 x 3 = 1.2; where the large one has no figure, the small one's 3 stands
    together = _together(pd.DataFrame({"large": [1.0, np.nan], "small": [3.0, 3.0]}),
                         pd.Series({"large": 90, "small": 10}))
    assert together.tolist() == pytest.approx([1.2, 3.0])


@pytest.mark.parametrize("rule", [clocks_off, longer_exams, past_backlog, slower_site])
def test_an_empty_warehouse_has_no_stories(store: Store, rule: Any) -> None:
    assert _said(rule, build(store, {})) == []
