"""Demand measured in the warehouse, on both engines, against a table worked by hand."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from analytics.core.errors import PacsmeterError
from analytics.core.filters import Filters
from analytics.costs.demand import fit_growth, measured_demand
from analytics.warehouse.schema import archives, exams
from analytics.warehouse.store import Store
from tests.support import build

PLAIN, PACKED = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.4.70"


def exam(number: int, day: str | None, size: int | None = 100, modality: str = "CT", syntax: str | None = PLAIN,
         stored: str | None = None, **more: Any) -> dict[str, Any]:
    date = None if day is None else dt.date.fromisoformat(day)
    kept = date if stored is None else dt.date.fromisoformat(stored)
    at = None if kept is None else dt.datetime(kept.year, kept.month, kept.day, 12, tzinfo=dt.UTC)
    return {"exam_id": str(number), "stored_at": at, "has_study": True, "has_order": False, "modality": modality,
            "exam_date": date, "stored_date": kept, "size_bytes": size, "number_of_instances": 10,
            "transfer_syntax_uid": syntax, "site": "North", **more}


HISTORY = [
    exam(1, "2026-06-30"), exam(2, "2025-07-01", 50, "MR"),                  # cohort 0: both ends of its year
    exam(3, "2025-06-30", 30, syntax=PACKED), exam(4, "2024-07-01", 20, "MR"),      # cohort -1
    exam(5, "2024-06-30", 7),                                                # cohort -2
    exam(6, "2026-06-01", None, number_of_instances=None),                   # no size, no count
    exam(7, "2031-01-01", 5, stored="2025-06-30"),                           # a clock in the future: age by arrival
    exam(8, None, 3), exam(9, "2026-06-01", 1000, has_study=False),          # no date; an order without a study
]


def test_bytes_images_and_studies_by_age_and_encoding(store: Store) -> None:
    got = measured_demand(build(store, {exams: HISTORY}), Filters())
    assert got.as_of == dt.date(2026, 6, 30)
    assert got.cohorts.index.tolist() == [-2, -1, 0]
    assert got.cohorts.bytes.tolist() == [7, 55, 150]
    assert got.cohorts.studies.tolist() == [1, 3, 3]
    assert got.cohorts.objects.tolist() == [10, 30, 20]
    assert got.uncompressed["CT"].tolist() == [7, 5, 100]
    assert got.uncompressed["MR"].tolist() == [0, 20, 50]
    assert got.by_modality.bytes.to_dict() == {"CT": 142, "MR": 70}
    assert [item.n for item in got.left_out] == [1, 1, 1]
    assert got.capacity_bytes is None
    assert got.growth["bytes"].rate is None


def test_filters_keep_what_they_name(store: Store) -> None:
    warehouse = build(store, {exams: HISTORY})
    assert measured_demand(warehouse, Filters(modalities=("MR",))).bytes_held == 70
    earlier = measured_demand(warehouse, Filters(date_to=dt.date(2025, 6, 30)))
    assert (earlier.as_of, earlier.bytes_held) == (dt.date(2025, 6, 30), 62)
    with pytest.raises(PacsmeterError, match="nothing to cost"):
        measured_demand(warehouse, Filters(modalities=("XA",)))


def test_arrays_give_capacity_age_and_what_was_there_before_the_index(store: Store) -> None:
    arrays = [{"archive": "A", "site": "North", "capacity_bytes": 900, "used_bytes_before": 424,
               "in_service_date": dt.date(2023, 1, 1)},
              {"archive": "B", "site": "South", "capacity_bytes": 100, "used_bytes_before": 1}]
    warehouse = build(store, {exams: HISTORY, archives: arrays})
    north = measured_demand(warehouse, Filters(sites=("North",)))
    assert (north.capacity_bytes, north.hardware_age_years) == (900, 3)
    assert north.cohorts.loc[-3].tolist() == [14, 120, 424], "twice the bytes measured: twice the studies and images"
    assert measured_demand(warehouse, Filters()).capacity_bytes == 1000
    assert measured_demand(warehouse, Filters(modalities=("CT",))).capacity_bytes is None


def test_growth_is_fitted_to_whole_months_only(store: Store) -> None:
    first = dt.date(2024, 1, 1)
    rows = []
    for month in range(30):
        year, index = divmod(month, 12)
        size = round(1e9 * 1.21 ** (month / 12))
        rows.append(exam(month, dt.date(first.year + year, index + 1, 15).isoformat(), size))
    rows.append(exam(99, "2026-07-02", 1))       # the month that has only begun
    rows.append(exam(98, "2019-03-01", 1))       # one stray study from years before
    got = measured_demand(build(store, {exams: rows}), Filters())
    growth = got.growth["bytes"]
    assert growth.months == 30
    assert growth.rate == pytest.approx(0.21, abs=1e-6)
    assert growth.low is not None and growth.high is not None and growth.low <= growth.rate <= growth.high
    assert got.growth["studies"].rate == pytest.approx(0)


def test_growth_of_a_noisy_history_has_an_interval_that_holds_the_truth() -> None:
    noise = np.random.default_rng(7).normal(0, 0.05, 36)
    got = fit_growth(pd.Series(np.exp(np.arange(36) * np.log(1.3) / 12 + noise)))
    assert got.low is not None and got.high is not None
    assert got.low < 0.3 < got.high
    assert got.high - got.low < 0.1


def test_twelve_months_are_too_few_to_fit() -> None:
    assert fit_growth(pd.Series(np.ones(12))).rate is None
    assert fit_growth(pd.Series(np.ones(13))).rate == pytest.approx(0)


def test_a_stray_old_study_does_not_age_the_bytes_from_before_the_index(store: Store) -> None:
    arrays = [{"archive": "A", "site": "North", "capacity_bytes": 9000, "used_bytes_before": 400}]
    year = [exam(100 * back + n, f"{2026 - back}-03-{n + 1:02}") for back in range(2) for n in range(20)]
    stray = [exam(900, "1997-01-01"), exam(901, "2024-03-01")]     # a wrong date, and one year before the index begins
    got = measured_demand(build(store, {exams: [*year, *stray], archives: arrays}), Filters())
    assert got.cohorts.bytes[-1] == got.cohorts.bytes[0] == 2000
    assert got.cohorts.bytes[-2] == 100 + 400, "from just before the first full year, not from before 1997"
    assert got.cohorts.bytes[:-3].sum() == 100


def test_the_interval_of_a_short_history_is_student_s() -> None:
    logs = np.array([0.0, 0.3, 0.1, 0.2, 0.5, 0.3, 0.4, 0.2, 0.6, 0.7, 0.5, 0.8, 0.6])
    slope = sm.OLS(logs, sm.add_constant(np.arange(13.0))).fit().conf_int(0.05)[1]
    got = fit_growth(pd.Series(np.exp(logs)))
    assert (got.low, got.high) == pytest.approx(tuple(np.expm1(12 * slope)))
