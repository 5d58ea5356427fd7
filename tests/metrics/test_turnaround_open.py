"""Open exams counted: what is counted, how coarsely, and what is said of it."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from analytics.core.filters import Filters
from analytics.metrics.buckets import DAY, rounded_minutes
from analytics.metrics.catalog import compute
from analytics.metrics.drill import count_behind
from analytics.metrics.intervals import BY_ID, INTERVALS
from analytics.metrics.survival import Estimate
from analytics.metrics.turnaround_words import open_sentence
from analytics.warehouse.schema import exams
from analytics.warehouse.store import Store, Warehouse
from tests.metrics.random_exams import random_exams
from tests.support import build

EVERYTHING = Filters()
RTAT, WAIT = BY_ID["turnaround.swim_rtat"], BY_ID["turnaround.arrival_to_start"]


@pytest.fixture
def random_warehouse(store: Store) -> Warehouse:
    return build(store, {exams: random_exams(2)})


@pytest.mark.parametrize("interval", [one.id for one in INTERVALS])
def test_every_interval_counts_the_same_exams_as_its_own_metric(random_warehouse: Warehouse, interval: str) -> None:
    own = compute(interval, random_warehouse, EVERYTHING)
    counted = compute("turnaround.with_open_cases", random_warehouse, EVERYTHING, interval=interval)

    assert counted.frame.n.sum() == own.n and counted.frame.open.sum() == own.frame.open.sum()
    assert counted.left_out == own.left_out
    assert random_warehouse.count(counted.rows) == counted.n
    if own.n:
        half_a_step = 0.51 / 60 if own.headline < DAY else 0.51
        assert counted.frame.median_finished[0] == pytest.approx(own.headline, abs=half_a_step)


@pytest.mark.parametrize("by", ["site", "modality", "station_name", "patient_class", "priority", "hour"])
def test_groups_make_up_the_whole(random_warehouse: Warehouse, by: str) -> None:
    whole = compute("turnaround.with_open_cases", random_warehouse, EVERYTHING).frame
    split = compute("turnaround.with_open_cases", random_warehouse, EVERYTHING, by=by, site_zone="UTC")

    assert split.dimensions == (by,) and split.frame[by].is_unique
    assert split.frame[["exams", "n", "open"]].sum().tolist() == whole.loc[0, ["exams", "n", "open"]].tolist()


@pytest.mark.parametrize("by", ["site", "hour"])
def test_a_mark_of_a_group_leads_to_its_exams_both_finished_and_open(random_warehouse: Warehouse, by: str) -> None:
    split = compute("turnaround.with_open_cases", random_warehouse, EVERYTHING, by=by, site_zone="UTC")

    for mark in split.frame.to_dict("records"):
        assert count_behind(random_warehouse, split, {by: mark[by]}) == mark["exams"], mark[by]


def test_impossible_intervals_stay_left_out_and_counted(random_warehouse: Warehouse) -> None:
    result = compute("turnaround.with_open_cases", random_warehouse, EVERYTHING, interval="turnaround.exam_duration")
    reversed_ = random_warehouse.count(exams.select().where(
        exams.c.has_order, exams.c.exam_date.is_not(None), exams.c.imaging_complete_at < exams.c.procedure_start_at))

    left_out = {item.reason: item.n for item in result.left_out}
    assert left_out["impossible: 'exam completed' before 'exam started'"] == reversed_ > 0


def test_an_hour_is_that_of_the_site_s_clock(random_warehouse: Warehouse) -> None:
    def by_hour(zone: str) -> dict[int, int]:
        frame = compute("turnaround.with_open_cases", random_warehouse, EVERYTHING, by="hour", site_zone=zone).frame
        return dict(zip(frame.hour, frame.exams, strict=True))

    utc = by_hour("UTC")
    assert by_hour("Etc/GMT-3") == {(hour + 3) % 24: number for hour, number in utc.items()} and len(utc) > 12


@pytest.mark.parametrize(("minutes", "rounded"), [
    (0.0, 0.0), (29.4 / 60, 29 / 60), (29.5 / 60, 0.5), (161.5, 161.5), (1439.75, 1439.75), (DAY + 0.49, DAY),
    (DAY + 0.5, DAY + 1), (DAY + 1.5, DAY + 2), (7 * DAY - 0.4, 7 * DAY), (7 * DAY + 4.9, 7 * DAY),
    (7 * DAY + 5, 7 * DAY + 10), (70 * DAY - 1, 70 * DAY), (70 * DAY + 719, 70 * DAY), (70 * DAY + 720, 71 * DAY),
])
def test_a_duration_is_off_by_half_a_step_at_most(random_warehouse: Warehouse, minutes: float, rounded: float) -> None:
    given = sa.literal_column(f"cast({minutes!r} as double precision)", sa.Double())

    assert random_warehouse.scalar(sa.select(rounded_minutes(given))) == rounded


def test_sentences_say_what_open_exams_change() -> None:
    assert open_sentence(RTAT, 412, Estimate(190.0, 182.0, 198.0), 161.0, 9000.0) == (
        "Counting the 412 exams still open, half are reported within 3 h 10 min (95 %: 3 h 2 min to 3 h 18 min), not "
        "2 h 41 min as the finished ones alone say.")
    assert open_sentence(WAIT, 1, Estimate(20.0, 19.0, 21.0), 20.0, 60.0, 0.9) == (
        "Counting the 1 exam still open, nine in ten get from 'patient arrived' to 'exam started' within 20 min (95 %: "
        "19 min to 21 min), as the finished ones alone say too.")


def test_a_quantile_that_is_not_reached_is_said_in_words_and_never_as_a_number() -> None:
    assert open_sentence(RTAT, 30, Estimate(None, 600.0, None), 161.0, 2880.0) == (
        "The median is not reached (95 %: 10 h or more): counting the 30 exams still open, more than half are still "
        "under way at 2 d, the longest known of any; the finished ones alone say 2 h 41 min.")
    assert open_sentence(RTAT, 2, Estimate(None, None, None), None, 2880.0).endswith("; none has finished.")
    assert "too few to say" in open_sentence(RTAT, 0, Estimate(3.0, None, None), 3.0, 3.0)
