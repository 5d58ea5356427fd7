"""What-ifs of storage against a simulation study by study, and the rules' days against the dry run."""

from __future__ import annotations

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from analytics.core.filters import Filters
from analytics.metrics.catalog import compute
from analytics.metrics.fill_days import months_to_full
from analytics.metrics.forecast import histories, outlook
from analytics.metrics.retention import RULES, judged
from analytics.metrics.storage import stored_in
from analytics.metrics.storage_whatif import HORIZON_MONTHS
from analytics.metrics.whatif_paths import Change, Content, changed_paths
from analytics.warehouse.schema import archives, exams
from analytics.warehouse.store import Store
from tests.metrics.random_exams import random_exams
from tests.spec import retention, storage_whatif
from tests.spec.case import EVERYTHING, exam
from tests.support import build

MONTHS = 8
Study = tuple[int, int, float]
"""Bytes, months it is kept from now on (or from its coming), share of the bytes that compression saves."""
SIZES = st.integers(1, 1000)
STUDIES = st.lists(st.tuples(SIZES, st.integers(0, 12), st.sampled_from([0.0, 0.5, 0.75])), max_size=12)


def by_month(studies: list[Study], weights: list[float]) -> np.ndarray:
    found = np.zeros(MONTHS)
    for (_, kept, _), weight in zip(studies, weights, strict=True):
        if kept < MONTHS:
            found[kept] += weight
    return found


def simulated(held: list[Study], mix: list[Study], fresh: list[int], change: Change) -> list[float]:
    """Keep every study by itself: each month brings its bytes in the proportions of ``mix``."""
    whole = sum(size for size, *_ in mix)
    kept: list[tuple[float, float]] = []  # bytes, month in which it goes
    for size, until, saves in held:
        kept.append((size * (1 - saves * change.compress_old), until))
    used = []
    for month in range(MONTHS):
        for size, until, saves in mix:
            share = fresh[month] * size / whole
            kept.append((share * (1 - saves * change.compress_new), month + until))
        used.append(sum(size for size, goes in kept if not (change.retention and goes <= month)))
    return used


@given(STUDIES, STUDIES.filter(bool), st.lists(SIZES, min_size=MONTHS, max_size=MONTHS), st.integers(0, 50),
       st.booleans(), st.booleans(), st.booleans())
def test_the_arithmetic_of_shares_is_what_becomes_of_every_study(
        held: list[Study], mix: list[Study], fresh: list[int], received: int, retained: bool, new: bool,
        old: bool) -> None:
    change = Change(retained, new, old)
    whole = sum(size for size, *_ in mix)
    content = Content(
        by_month(held, [size for size, *_ in held]), by_month(held, [size * saves for size, _, saves in held]),
        sum(size * saves for size, _, saves in held),
        by_month(mix, [size / whole for size, *_ in mix]),
        by_month(mix, [size * saves / whole for size, _, saves in mix]),
        sum(size * saves for size, _, saves in mix) / whole)
    start = float(sum(size for size, *_ in held)) - received  # what came this month is held, and no path's start
    as_now = start + received + np.cumsum([fresh])[None, :]
    found = changed_paths(as_now, start, received, content, change)
    assert found[0] == pytest.approx(simulated(held, mix, fresh, change), rel=1e-9, abs=1e-6)


def test_a_path_that_falls_below_its_capacity_is_full_when_it_is_next_reached() -> None:
    used = np.array([[12.0, 8.0, 9.0, 13.0], [8.0, 8.0, 12.0, 8.0], [1.0, 2.0, 3.0, 4.0], [11.0, 12.0, 13.0, 14.0]])
    assert months_to_full(used, 8.0, 10.0).tolist() == [0.5, 2.5, np.inf, pytest.approx(2 / 3)]
    assert months_to_full(used[:1], 11.0, 10.0).tolist() == [0.0], "it is full"
    assert months_to_full(np.array([[10.5, 11.0]]), 12.0, 10.0).tolist() == [0.0], "it is full, though less so"
    assert months_to_full(np.array([[7.0, 11.0]]), 11.0, 10.0).tolist() == [1.75], "what is done at once makes room"


@pytest.mark.parametrize(("capacity", "months"), [
    (104, 0.9), (103, 0.85), (102.5, 0.825), (108, 1.5),  # 102 are held when 8 of 10 parts are over, 104 at 9 of 10
    (102, 0.8), (101, 0.4), (100, 0.0), (90, 0.0)])  # full already: when it became so
def test_the_first_month_goes_on_from_what_is_held_when_the_snapshot_is(capacity: float, months: float) -> None:
    assert months_to_full(np.array([[106.0, 110.0]]), 100, capacity, received=2, gone=0.8).tolist() == [
        pytest.approx(months)]


def test_as_now_is_the_forecast(duck_store: Store) -> None:
    rng = np.random.default_rng(4)
    months = [(year, month) for year in (2023, 2024) for month in range(1, 13)]
    rows = [exam(index, f"{year}-{month:02}-01 09:00", site="North", modality="CT",
                 size_bytes=int(rng.integers(900, 1300)), stored_at=f"{year}-{month:02}-01 10:00")
            for index, (year, month) in enumerate([*months, (2025, 1)])]
    warehouse = build(duck_store, {exams: rows, archives: [
        {"archive": "NORTH", "site": "North", "capacity_bytes": 60_000, "used_bytes_before": 0}]})
    (history,) = histories(warehouse, EVERYTHING)
    seen = outlook(history, HORIZON_MONTHS)
    assert seen is not None and seen.median is not None
    row = compute("storage.what_if", warehouse, EVERYTHING).frame.iloc[0]
    assert (row.fills.date(), row.fills_early.date(), row.fills_late.date()) == (seen.median, seen.early, seen.late)
    assert row.chance == pytest.approx(seen.chance)
    assert [row.in_1_year, row.in_3_years, row.in_5_years] == pytest.approx(
        [float(np.median(seen.projection.paths[:, month])) for month in (11, 35, 59)])


@pytest.mark.parametrize("rule", RULES)
def test_a_study_is_kept_until_the_day_before_the_dry_run_lets_it_go(store: Store, rule: str) -> None:
    warehouse = build(store, retention.TABLES)
    scope = stored_in(warehouse, EVERYTHING)
    found = judged(RULES[rule], scope.last_day)  # type: ignore[index]
    seen = 0
    for today in (20150101, 20251231, 20260101, 20260311, 20270601, 20271231, 20280101, 20360101):
        due = sa.or_(*found.due(today).values())
        by_reason, by_day = (
            {row["exam_id"] for row in warehouse.arrow(sa.select(exams.c.exam_id).select_from(found.source).where(
                found.population, condition)).to_pylist()}
            for condition in (due, found.kept_until < sa.literal(today)))
        assert by_reason == by_day, today
        seen += len(by_day)
    assert seen, "some are due on some day"


@pytest.mark.parametrize("rule", RULES)
def test_no_rule_frees_more_than_is_held(duck_store: Store, rule: str) -> None:
    warehouse = build(duck_store, {exams: random_exams(seed=3), archives: [
        {"archive": "ALL", "capacity_bytes": 10**15, "used_bytes_before": 0}]})
    frame = compute("storage.what_if", warehouse, Filters(), rule=rule, compress="all").frame
    assert len(frame) == 4
    assert (frame[["in_1_year", "in_3_years", "in_5_years", "freed"]] >= 0).all().all()


OWN, BOTH = "with retention, Archive's own rule", "with retention and compression"


@pytest.mark.parametrize(("capacity", "compress", "said"), [
    (24_100, "all", f"fills on 11 Aug 2025 as now; {BOTH} it fills on 26 May 2026, and in 5 years it holds 116 kB "
                    "less."),
    (24_100, "nothing", f"fills on 11 Aug 2025 as now; {OWN} it fills on 2 Nov 2025, and in 5 years it holds 65.1 kB "
                        "less."),
    (20_000, "all", f"is full; {BOTH} it fills on 17 Feb 2026, and in 5 years it holds 116 kB less."),
    (16_000, "nothing", f"is full; {OWN} it still is, and in 5 years it holds 65.1 kB less."),
    (999_999, "new", f"does not fill within 5 years as now; {BOTH} it does not fill within 5 years, and in 5 years it "
                     "holds 112 kB less."),
])
def test_a_sentence_says_what_would_change(duck_store: Store, capacity: int, compress: str, said: str) -> None:
    (archive,) = storage_whatif.TABLES[archives]
    warehouse = build(duck_store, {**storage_whatif.TABLES, archives: [{**archive, "capacity_bytes": capacity}]})
    result = compute("storage.what_if", warehouse, EVERYTHING, rule="archive", compress=compress)
    assert result.notes[0] == f"NORTH {said}"
