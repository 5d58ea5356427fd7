"""Silent devices and the rule made of them: who is named, who is not, and up to which day silence counts."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest

from analytics.core.filters import Filters
from analytics.metrics.attention import silent_devices
from analytics.metrics.catalog import compute
from analytics.metrics.drill import count_behind
from analytics.warehouse.schema import exams
from analytics.warehouse.store import Store, Warehouse
from tests.spec.silence import EVERY, TABLES, WEEK, works
from tests.support import build

EVERYTHING = Filters()
METRIC = "sources.silent_devices"
STEADY = works(0, "CT1", "2025-12-01", "2026-03-31")


def _said(warehouse: Warehouse, filters: Filters = EVERYTHING) -> list[str]:
    return [item.sentence for item in silent_devices(warehouse, filters)]


def test_a_device_that_stopped_is_named_with_what_it_did_before(store: Store) -> None:
    warehouse = build(store, TABLES)
    [said] = silent_devices(warehouse, EVERYTHING)
    assert said.sentence.startswith("MR1 has sent nothing for 1")   # 11 or 12 days, by the zone of the site's clock
    assert said.sentence.endswith("days, after 5 studies a week; in the 8 weeks before it missed no working day.")
    assert (said.metric_id, said.filters) == (METRIC, Filters(sites=("North",), station_names=("MR1",)))


@pytest.mark.parametrize(("latest", "weekdays", "days"), [
    ("2026-03-29", EVERY, None), ("2026-03-28", EVERY, 4),   # 31 March is a Tuesday
    ("2026-03-27", WEEK, None), ("2026-03-26", WEEK, 6),     # 2 working days and the weekend between; 3
    ("2026-02-10", EVERY, 50), ("2026-01-20", EVERY, None),  # taken out of service
], ids=["2 days", "3 days", "2 working days", "3 working days", "7 weeks", "10 weeks"])
def test_a_device_is_named_from_its_third_working_day_until_it_is_out_of_service(
        duck_store: Store, latest: str, weekdays: Any, days: int | None) -> None:
    # What arrived on 31 March at 23:30 in UTC did after midnight in London: that day is whole, and the next has begun
    rows = [*STEADY, *works(1000, "MR1", "2025-12-01", latest, weekdays)]
    said = [text.split(",")[0] for text in _said(build(duck_store, {exams: rows}))]
    assert said == ([f"MR1 has sent nothing for {days} days"] if days else [])


def test_a_device_that_rests_as_long_now_and_then_is_not_named(duck_store: Store) -> None:
    rests = [row for row in works(1000, "MR1", "2025-12-01", "2026-03-26")
             if not dt.date(2026, 3, 9) <= row["exam_date"] <= dt.date(2026, 3, 14)]
    assert _said(build(duck_store, {exams: [*STEADY, *rests]})) == []


def test_the_day_looked_at_is_the_end_of_the_period(duck_store: Store) -> None:
    rows = [*STEADY, *works(1000, "MR1", "2025-12-01", "2026-02-10"),
            *works(2000, "MR1", "2026-02-20", "2026-03-31")]
    warehouse = build(duck_store, {exams: rows})
    assert _said(warehouse) == []
    past = Filters(date_from=dt.date(2026, 2, 19), date_to=dt.date(2026, 2, 19))
    assert [text.split(",")[0] for text in _said(warehouse, past)] == ["MR1 has sent nothing for 9 days"]


def test_a_filter_does_not_hide_that_the_archive_went_on(duck_store: Store) -> None:
    warehouse = build(duck_store, {exams: [*STEADY, *works(1000, "MR1", "2025-12-01", "2026-03-20")]})
    assert _said(warehouse, Filters(station_names=("MR1",))) == _said(warehouse) != []


def test_an_archive_that_is_behind_is_not_the_silence_of_its_devices(duck_store: Store) -> None:
    south = works(1000, "XA1", "2025-12-01", "2026-03-20", site="South")
    result = compute(METRIC, build(duck_store, {exams: [*STEADY, *south]}), EVERYTHING)
    assert list(result.frame.state) == ["sending", "sending"]
    assert [note.split(":")[0] for note in result.notes] == ["south is known up to 20 Mar 2026 alone"]


def test_two_devices_of_one_name_are_two(duck_store: Store) -> None:
    south = [row | {"source_id": "north"} for row in works(1000, "CT1", "2025-12-01", "2026-03-20", site="South")]
    warehouse = build(duck_store, {exams: [*STEADY, *south]})
    [said] = silent_devices(warehouse, EVERYTHING)
    assert said.filters.sites == ("South",)
    result = compute(METRIC, warehouse, EVERYTHING)
    assert count_behind(warehouse, result, {"site": "South", "station_name": "CT1"}) == len(south)


def test_devices_that_go_on_at_random_are_not_named(duck_store: Store) -> None:
    # Forty devices, of one to seven days a week, that all go on: with 1 in 10,000 each, none is expected to be named
    rng = np.random.default_rng(11)
    rows: list[dict[str, Any]] = []
    for number in range(40):
        share = 0.15 + 0.85 * number / 40
        rows += [row for row in works(1000 * (number + 1), f"D{number}", "2025-12-01", "2026-03-31")
                 if rng.random() < share]
    result = compute(METRIC, build(duck_store, {exams: [*STEADY, *rows]}), EVERYTHING)
    assert len(result.frame) > 35 and set(result.frame.state) == {"sending"}
