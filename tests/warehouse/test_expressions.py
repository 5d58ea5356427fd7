"""Expressions mean the same on both engines as in plain Python."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import sqlalchemy as sa

from analytics.core.filters import Filters
from analytics.warehouse.expressions import (
    conditions,
    count_where,
    local,
    mean,
    minutes_between,
    period_start,
    quantile,
    total,
)
from analytics.warehouse.schema import exams
from analytics.warehouse.store import Store
from tests.support import build

DAYS = [dt.date(2025, 12, 31), dt.date(2026, 1, 1), dt.date(2026, 3, 29), dt.date(2026, 7, 5), dt.date(2026, 7, 6)]
STORED = [dt.datetime(day.year, day.month, day.day, 0, 30, tzinfo=dt.UTC) for day in DAYS]
SIZES = [2**62, 1, None, 3, 5]


def warehouse(store: Store):  # type: ignore[no-untyped-def]
    return build(store, {exams: [
        {"exam_id": str(n), "has_study": True, "has_order": False, "exam_date": day, "stored_at": at,
         "reported_at": at + dt.timedelta(minutes=7 * n, seconds=30), "size_bytes": size,
         "site": "N" if n < 3 else None, "modality": "CT"}
        for n, (day, at, size) in enumerate(zip(DAYS, STORED, SIZES, strict=True))
    ]})


def test_periods_start_on_their_first_day(store: Store) -> None:
    held = warehouse(store)
    for period, code in (("week", "W-SUN"), ("month", "M"), ("quarter", "Q"), ("year", "Y"), ("day", "D")):
        start = period_start(exams.c.exam_date, period)  # type: ignore[arg-type]
        got = held.read(sa.select(start.label("start"), sa.func.count().label("n")).group_by(start).order_by(start))
        expected = pd.Series(pd.to_datetime(DAYS)).dt.to_period(code).dt.start_time.value_counts().sort_index()
        assert got.start.tolist() == expected.index.tolist()
        assert got.n.tolist() == expected.tolist()


def test_quantiles_means_and_minutes_agree_with_numpy(store: Store) -> None:
    waited = minutes_between(exams.c.stored_at, exams.c.reported_at)
    got = warehouse(store).read(sa.select(
        quantile(waited, 0.5).label("median"), quantile(waited, 0.9).label("p90"), mean(waited).label("mean"))).iloc[0]
    values = np.array([7 * n + 0.5 for n in range(5)])
    expected = [np.median(values), np.quantile(values, 0.9), values.mean()]
    assert np.allclose([got["median"], got["p90"], got["mean"]], expected)


def test_sums_of_bytes_keep_their_last_digit_and_missing_is_zero(store: Store) -> None:
    held = warehouse(store)
    assert held.scalar(sa.select(total(exams.c.size_bytes))) == 2**62 + 9
    assert held.scalar(sa.select(total(exams.c.size_bytes)).where(sa.false())) == 0
    frame = held.read(sa.select(exams.c.size_bytes).order_by(exams.c.exam_id))
    assert [None if pd.isna(value) else int(value) for value in frame.size_bytes] == SIZES


def test_the_wall_clock_follows_summer_time(store: Store) -> None:
    wall = local(exams.c.stored_at, "Europe/London")
    got = warehouse(store).read(sa.select(wall.label("wall")).order_by(exams.c.exam_id))
    expected = [at.astimezone(ZoneInfo("Europe/London")).replace(tzinfo=None) for at in STORED]
    assert got.wall.dt.to_pydatetime().tolist() == expected


def test_counting_where_counts_only_the_true(store: Store) -> None:
    assert warehouse(store).scalar(sa.select(count_where(exams.c.size_bytes > 2))) == 3


def test_filters_keep_what_they_name_and_a_missing_site_is_kept_only_when_open(store: Store) -> None:
    held = warehouse(store)

    def kept(filters: Filters) -> int:
        return held.count(sa.select(exams.c.exam_id).where(*conditions(filters)))

    assert kept(Filters()) == 5
    assert kept(Filters(sites=("N",))) == 3
    assert kept(Filters(date_from=dt.date(2026, 1, 1), date_to=dt.date(2026, 7, 5))) == 3
    assert kept(Filters(modalities=("MR", "US"))) == 0
