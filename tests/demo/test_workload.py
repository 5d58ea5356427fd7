"""The demo looks like a hospital: mix, growth, weekdays, holidays, sizes, and what is still open."""

from __future__ import annotations

from datetime import date

import holidays
import numpy as np
import pandas as pd
import pytest

from analytics.demo import plan
from analytics.demo.arrivals import day_number, expected, stations_at
from tests.demo.conftest import SCALE, Export

END = pd.Timestamp(plan.END) + pd.Timedelta(days=1)


def test_size_follows_the_scale(export: Export) -> None:
    assert len(export.studies) == pytest.approx(plan.STUDIES_AT_SCALE_1 * SCALE, rel=0.03)


def test_mix_of_modalities_is_the_plan(export: Export) -> None:
    share = export.studies["MODALITY"].value_counts(normalize=True)
    for code, modality in plan.MODALITIES.items():
        assert share[code] == pytest.approx(modality.mix, rel=0.15), code


def test_work_grows(export: Export) -> None:
    days = np.arange(day_number(date(2024, 11, 1)), day_number(date(2026, 10, 31)) + 1)
    exams = expected(days, stations_at(1)).sum(axis=(1, 2))
    assert 1.03 < exams[365:].sum() / exams[:365].sum() < 1.06
    stored = export.studies.groupby(export.studies["RECEIVED"].dt.year)["SIZE_KB"].sum()
    assert 1.10 < stored[2025] / stored[2024] < 1.35


def test_weekends_and_holidays_are_quiet(export: Export) -> None:
    started = export.ris["EXAM_START"].dropna()
    by_day = started.dt.date.value_counts()
    days = pd.Index(pd.date_range(plan.START, plan.END).date)
    by_day = by_day.reindex(days, fill_value=0)
    weekday = np.array([day.weekday() for day in days])
    closed = np.array([day in holidays.country_holidays("GB", subdiv="ENG") for day in days])
    working = by_day[(weekday < 5) & ~closed].mean()
    assert by_day[weekday >= 5].mean() < 0.7 * working
    assert by_day[closed & (weekday < 5)].mean() < 0.7 * working
    assert by_day[date(2025, 12, 25)] < 0.6 * working


def test_outpatients_come_by_day_and_emergencies_at_any_hour(export: Export) -> None:
    hour = export.ris["EXAM_START"].dt.hour
    outpatients, emergencies = hour[export.ris["PAT_CLASS"] == "OUTPATIENT"], hour[export.ris["PAT_CLASS"] == "ED"]
    assert outpatients.dropna().between(7, 20).mean() > 0.98
    assert set(emergencies.dropna().astype(int)) == set(range(24))


@pytest.mark.parametrize(("modality", "low", "high"), [("CT", 90, 260), ("MR", 40, 130), ("DX", 8, 25), ("US", 25, 65)])
def test_sizes_are_sane(export: Export, modality: str, low: float, high: float) -> None:
    size = export.studies.loc[export.studies["MODALITY"] == modality, "SIZE_KB"].median() / 1000
    assert low < size < high


def test_urgent_exams_are_read_first(export: Export) -> None:
    waited = (export.ris["FINAL_REPORT"] - export.ris["READY_TO_READ"]).dt.total_seconds() / 60
    median = waited.groupby(export.ris["URGENCY"]).median()
    assert median["STAT"] < median["URGENT"] < median["ROUTINE"]
    routine = waited[export.ris["URGENCY"] == "ROUTINE"].dropna()
    assert (routine > 28 * 24 * 60).mean() == pytest.approx(plan.READ_LATE, rel=0.25)


def test_some_work_is_open_at_the_end(export: Export) -> None:
    ris = export.ris
    unread = ris["EXAM_END"].notna() & ris["FINAL_REPORT"].isna()
    booked = ris["APPOINTMENT"] > END
    assert 20 < unread.sum() < 0.02 * len(ris)
    assert booked.sum() > 50
    assert ris.loc[booked, "EXAM_START"].isna().all()
    assert 0.02 < ris["CANCELLED"].notna().mean() < 0.06


def test_nothing_has_happened_after_the_end(export: Export) -> None:
    happened = export.ris.select_dtypes("datetime").drop(columns="APPOINTMENT").max()
    assert (happened < END).all()
    assert export.studies["RECEIVED"].max() < END
    assert export.studies["LAST_READ"].max() < END


def test_no_time_falls_into_the_hour_of_a_clock_change(export: Export) -> None:
    times = pd.concat([export.ris[name] for name in export.ris.select_dtypes("datetime")]).dropna()
    times = pd.concat([times, export.studies["RECEIVED"], export.studies["STUDY_DT"]])
    local = times.drop_duplicates().dt.tz_localize(plan.ZONE, ambiguous="NaT", nonexistent="NaT")
    assert local.notna().all()


def test_a_larger_hospital_has_more_scanners_of_the_same_share() -> None:
    assert [station.name for station in stations_at(1)] == [station.name for station in plan.STATIONS]
    large = stations_at(9)
    assert len(large) == 3 * len(plan.STATIONS)
    assert len({station.name for station in large}) == len(large)
    assert sum(s.share for s in large) == pytest.approx(sum(s.share for s in plan.STATIONS))
