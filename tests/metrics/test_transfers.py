"""Incomplete transfers: no other ones than the checks find, a mark leads to just them, few exams do not rank first."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from analytics.checks.reconciliation import CompletedExamHasImages
from analytics.core.filters import Filters
from analytics.metrics.catalog import compute
from analytics.metrics.drill import count_behind, studies_behind
from analytics.metrics.sources_arrivals import NOTHING_ARRIVED
from analytics.warehouse.schema import exams
from analytics.warehouse.store import Store
from tests.metrics.random_exams import random_exams
from tests.spec import transfers
from tests.support import build

METRIC = "sources.incomplete_transfers"
EVERYTHING = Filters()


def _lossy(seed: int) -> list[dict[str, Any]]:
    """Random exams, a fifth of those with an order without their study, a tenth of these canceled."""
    rows = random_exams(seed)
    for place, row in enumerate(rows):
        if row["has_order"] and place % 5 == 0:
            row |= {"exam_id": f"order:{place}", "has_study": False, "study_instance_uid": None, "stored_at": None}
        if place % 50 == 0:
            row["exam_cancelled_at"] = row["order_at"]
    return rows


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_did_not_arrive_is_found_by_the_check_as_well(store: Store, seed: int) -> None:
    warehouse = build(store, {exams: _lossy(seed)})
    result = compute(METRIC, warehouse, EVERYTHING)
    missing = set(studies_behind(warehouse, result, {"way": NOTHING_ARRIVED}).accession_number)
    checked = warehouse.read(CompletedExamHasImages().candidates())
    assert len(missing) > 20
    assert missing <= set(checked[checked.violated].accession_number)


@pytest.mark.parametrize("options", [{}, {"by": "way"}, {"period": "month"}, {"by": "way", "period": "week"}])
def test_a_mark_leads_to_just_the_transfers_it_counts(store: Store, options: dict[str, Any]) -> None:
    warehouse = build(store, {exams: _lossy(4)})
    result = compute(METRIC, warehouse, EVERYTHING, **options)
    for row in result.frame.to_dict("records"):
        assert count_behind(warehouse, result, {name: row[name] for name in result.dimensions}) == row["incomplete"]
    assert result.frame.incomplete.sum() == warehouse.count(result.rows) > 0


def test_what_is_expected_and_what_is_left_out_make_the_population(store: Store) -> None:
    rows = _lossy(5)
    result = compute(METRIC, build(store, {exams: rows}), EVERYTHING)
    population = sum(row["has_study"] or (row["has_order"] and "exam_cancelled_at" not in row) for row in rows)
    assert result.n + sum(item.n for item in result.left_out) == population


def test_a_device_of_three_exams_does_not_rank_first_by_chance(store: Store) -> None:
    def exam_of(number: int, station: str, study: bool) -> dict[str, Any]:
        day = dt.date(2026, 1, 1) + dt.timedelta(days=number % 50)
        return transfers.made(number, station, "CT", f"{day} 09:00", study=study)

    small = [exam_of(number, "SMALL", number != 1) for number in range(3)]           # 1 of 3: at least 6 %
    large = [exam_of(100 + number, "LARGE", number % 5 != 0) for number in range(200)]  # 40 of 200: at least 15 %
    last = [transfers.made(999, "LARGE", "CT", "2026-03-10 12:00")]
    frame = compute(METRIC, build(store, {exams: [*small, *large, *last]}), EVERYTHING).frame
    assert list(frame.station_name) == ["LARGE", "SMALL"] and frame.rate[0] < frame.rate[1]


def test_an_archive_that_is_behind_the_ris_has_lost_nothing_yet(store: Store) -> None:
    arrived = [transfers.made(number, "CT1", "CT", f"2026-03-{number:02} 09:00") for number in range(1, 11)]
    later = [transfers.lost(number, "CT1", "CT", f"2026-03-{number:02} 09:00") for number in range(11, 21)]
    result = compute(METRIC, build(store, {exams: [*arrived, *later]}), EVERYTHING)
    assert result.frame.incomplete.sum() == 0
    assert sum(item.n for item in result.left_out) == 11  # and the study of the archive's own last day


def test_whether_counts_were_compared_at_all_is_said(store: Store) -> None:
    notes = compute(METRIC, build(store, transfers.TABLES), EVERYTHING).notes
    assert "An archive marks whether they are complete on 4 of 6 studies; of the others this cannot be told." in notes
    assert "Check REC603 has compared no counts here, so it is not known whether any differ." in notes
