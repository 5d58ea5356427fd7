"""The instant a snapshot is true at, whole periods, buckets, quantiles, and following marks."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from analytics.core.errors import PacsmeterError
from analytics.core.filters import Filters
from analytics.metrics import turnaround, volume
from analytics.metrics.buckets import DAY, HOUR, REPORT_TIMES, STUDY_AGE, WAITING, Buckets
from analytics.metrics.catalog import compute
from analytics.metrics.drill import count_behind, studies_behind
from analytics.metrics.facets import Device, filter_choices
from analytics.metrics.periods import whole_periods
from analytics.metrics.scope import as_of, whole_until
from analytics.warehouse.expressions import Period, literal
from analytics.warehouse.schema import exams, loads, sources
from analytics.warehouse.store import Store
from tests.metrics.random_exams import random_exams
from tests.spec.case import at, day, exam
from tests.support import build

EVERYTHING = Filters()


def _load(finished: str) -> dict[str, Any]:
    counts = dict.fromkeys(("records_read", "added", "changed", "unchanged", "removed", "left_out"), 0)
    return {"load_id": "L", "source_id": "s", "started_at": at(finished), "finished_at": at(finished),
            "complete": True, **counts}


def test_a_wrong_date_in_the_future_does_not_move_the_snapshots_instant(store: Store) -> None:
    rows = [exam(1, "2026-01-05 09:00", stored_at="2026-01-05 10:00", reported_at="2031-01-01 00:00"),
            exam(2, "2040-01-01 09:00", stored_at="2026-01-06 10:00"),
            exam(3, "2026-03-01 09:00", study=False, appt_time_at="2026-03-01 09:00", order_at="2026-01-06 11:00")]
    assert as_of(build(store, {exams: rows, loads: [_load("2026-02-01 00:00")]})) == at("2026-01-06 11:00")


def test_an_empty_snapshot_has_no_instant(duck_store: Store) -> None:
    assert as_of(build(duck_store, {})) is None


def test_an_archive_that_says_no_reception_is_true_at_its_latest_study(store: Store) -> None:
    rows = [exam(1, "2026-01-05 09:00", order=False), exam(2, "2026-01-06 09:00", order=False),
            exam(3, "2031-01-01 09:00", order=False)]
    assert as_of(build(store, {exams: rows, loads: [_load("2026-02-01 00:00")]})) == at("2026-01-06 09:00")


def test_a_day_is_over_in_its_last_hour_on_the_sites_clock() -> None:
    assert whole_until(at("2026-01-31 22:59"), "UTC") == day("2026-01-31")
    assert whole_until(at("2026-01-31 23:00"), "UTC") == day("2026-02-01")
    # 5 h on 1 February in UTC is 21 h on 31 January in Los Angeles
    assert whole_until(at("2026-02-01 05:00"), "America/Los_Angeles") == day("2026-01-31")


@pytest.mark.parametrize(("period", "start", "end"), [
    ("day", "2026-02-28", "2026-03-01"), ("week", "2026-02-23", "2026-03-02"), ("month", "2026-02-01", "2026-03-01"),
    ("quarter", "2026-01-01", "2026-04-01"), ("year", "2026-01-01", "2027-01-01")])
def test_a_period_is_whole_when_all_its_days_are_covered(period: Period, start: str, end: str) -> None:
    starts, last = pd.Series([pd.Timestamp(start)]), day(end) - dt.timedelta(days=1)

    def whole(filters: Filters, first_open_day: str) -> bool:
        return bool(whole_periods(starts, period, filters, day(first_open_day)).iloc[0])

    assert whole(EVERYTHING, end)
    assert not whole(EVERYTHING, last.isoformat())
    assert whole(Filters(date_from=day(start), date_to=last), end)
    assert not whole(Filters(date_from=day(start) + dt.timedelta(days=1)), end)
    assert not whole(Filters(date_to=last - dt.timedelta(days=1)), end) or period == "day"


@pytest.mark.parametrize("buckets", [REPORT_TIMES, WAITING, STUDY_AGE])
def test_every_number_of_minutes_has_one_bucket(duck_store: Store, buckets: Buckets) -> None:
    warehouse = build(duck_store, {})
    for index, edge in enumerate(buckets.edges):
        below = warehouse.scalar(sa.select(buckets.of(literal(math.nextafter(edge, 0)))))
        at_edge = warehouse.scalar(sa.select(buckets.of(literal(edge))))
        assert (below, at_edge) == buckets.labels[index:index + 2]
    assert warehouse.scalar(sa.select(buckets.of(sa.cast(sa.null(), sa.Double)))) is None
    assert (HOUR, DAY) == (60, 1440)


@given(st.lists(st.sampled_from([*WAITING.labels, None]), max_size=20))
def test_buckets_come_in_their_natural_order_and_none_is_lost(labels: list[str | None]) -> None:
    ordered = WAITING.in_order(pd.DataFrame({"age": pd.Series(labels, dtype=object)}), "age").age.tolist()
    rank = [*WAITING.labels, None]
    assert ordered == sorted(labels, key=rank.index)


@pytest.mark.parametrize("seed", [11, 12])
def test_medians_and_percentiles_are_numpys(store: Store, seed: int) -> None:
    rows = random_exams(seed)
    result = compute("turnaround.acr_grid", build(store, {exams: rows}), EVERYTHING)
    ended: dict[dt.date, list[float]] = {}
    for row in rows:
        start, end = row["imaging_complete_at"], row["reported_at"]
        if row["has_order"] and row["exam_date"] and end and end >= start:
            ended.setdefault(row["exam_date"].replace(day=1), []).append((end - start).total_seconds() / 60)
    assert len(result.frame) >= len(ended) > 2
    for row in result.frame.itertuples():
        minutes = ended.get(row.period.date(), [])
        assert row.n == len(minutes)
        if minutes:
            assert row.median == pytest.approx(np.median(minutes))
            assert row.p90 == pytest.approx(np.quantile(minutes, 0.9))
            assert row.mean == pytest.approx(np.mean(minutes))
    assert result.headline == pytest.approx(np.median(np.concatenate(list(ended.values()))))


@pytest.mark.parametrize("interval", [item.id for item in turnaround.INTERVALS])
def test_ended_open_and_left_out_make_all_orders(duck_store: Store, interval: str) -> None:
    warehouse = build(duck_store, {exams: random_exams(13)})
    result = compute(interval, warehouse, EVERYTHING)
    left = {item.reason: item.n for item in result.left_out}
    orders = warehouse.count(sa.select(exams.c.exam_id).where(exams.c.has_order))
    assert result.n + int(result.frame.open.sum()) + sum(left.values()) == orders
    assert sum(int(result.frame[name].sum()) for name in turnaround.ACR_COLUMNS.values()) == result.n


def test_a_mark_may_come_as_a_chart_gives_it(store: Store) -> None:
    warehouse = build(store, {exams: [
        exam(1, "2026-01-05 09:00", site="North", stored_at="2026-02-01 09:00"), exam(2, "2026-01-06 09:00")]})
    result = volume.studies_by_period(warehouse, EVERYTHING, "month", "site")
    for january in (day("2026-01-01"), pd.Timestamp("2026-01-01"), "2026-01-01", "2026-01-01T00:00:00", np.datetime64(
            "2026-01-01")):
        for nowhere in (None, float("nan"), pd.NA):
            assert count_behind(warehouse, result, {"period": january, "site": "North"}) == 1
            assert studies_behind(warehouse, result, {"period": january, "site": nowhere}).exam_id.tolist() == ["1.2.2"]
    grid = volume.hour_by_weekday(warehouse, EVERYTHING)
    assert count_behind(warehouse, grid, {"exam_weekday": np.int64(1), "exam_hour": 9.0}) == 1


def test_a_mark_that_is_no_group_says_which_there_are(duck_store: Store) -> None:
    warehouse = build(duck_store, {})
    with pytest.raises(PacsmeterError, match="Its groups are: modality"):
        count_behind(warehouse, volume.by_modality(warehouse, EVERYTHING), {"color": "red"})
    with pytest.raises(PacsmeterError, match="not made of single exams"):
        count_behind(warehouse, compute("sources.loads", warehouse, EVERYTHING), {})


def test_the_choices_of_the_filters_are_what_the_snapshot_holds(store: Store) -> None:
    warehouse = build(store, {
        exams: [
            exam(1, "2026-01-05 09:00", site="North", modality="CT", station_name="CT1", priority="S",
                 patient_class="I", stored_at="2026-01-06 09:00"),
            exam(2, "2026-01-04 09:00", site="South", modality="MR", station_name=""),
            exam(3, "1900-01-01 00:00", site="Wrong date"),
        ],
        sources: [{"source_id": "s", "kind": "index_export", "location": "x", "is_demo": True}]})
    choices = filter_choices(warehouse)
    assert choices.sites == ("North", "South") and choices.modalities == ("CT", "MR")
    assert choices.devices == (Device("CT1", "North", "CT"),)
    assert (choices.patient_classes, choices.priorities) == (("I",), ("S",))
    assert (choices.first_date, choices.last_date) == (day("2026-01-04"), day("2026-01-05"))
    assert choices.as_of == at("2026-01-06 09:00") and choices.is_demo
