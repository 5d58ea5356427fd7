"""Each story is in the data where and when the truth says."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pandas as pd
import pytest

from analytics.demo import plan
from tests.demo.conftest import Export


def _told(export: Export, name: str) -> dict[str, Any]:
    return next(story for story in export.truth.stories if story["story"] == name)


def test_the_clock_drifts_from_its_date(export: Export) -> None:
    story = _told(export, "scanner clock drifts")
    exams = export.joined[export.joined["STATION"] == story["station_name"]]
    off = (exams["STUDY_DT"] - exams["EXAM_START"]).dt.total_seconds() / 60
    weeks = (exams["EXAM_START"] - pd.Timestamp(story["from"])).dt.days / 7
    sound = off.abs() < 24 * 60
    assert off[sound & (weeks < 0)].abs().max() < 5
    late = off[sound & (weeks > 18)].median() - off[sound & (weeks < 0)].median()
    assert late / weeks[weeks > 18].median() == pytest.approx(story["minutes_per_week"], rel=0.1)


def test_the_failing_scanner_takes_longer_and_repeats(export: Export) -> None:
    story = _told(export, "scanner begins to fail")
    exams = export.joined[export.joined["STATION"] == story["station_name"]]
    since = pd.Timestamp(story["from"])
    before, after = exams["EXAM_START"] < since, exams["EXAM_START"] > since + timedelta(days=story["ramp_days"])
    lasted = (exams["EXAM_END"] - exams["EXAM_START"]).dt.total_seconds()
    assert lasted[after].median() / lasted[before].median() == pytest.approx(story["duration_factor"], abs=0.12)
    repeats = export.series[export.series["DESCRIPTION"].str.endswith("repeat")].groupby("STUDY_UID").size()
    counted = exams["STUDY_UID"].map(repeats).fillna(0)
    assert counted[before].mean() < 0.1
    assert counted[after].mean() == pytest.approx(story["repeats_per_study"], abs=0.3)


def test_the_archive_fills_on_its_date_when_growth_goes_on(export: Export) -> None:
    story = _told(export, "archive fills")
    stored = export.studies[export.studies["HOSPITAL"] == story["site"]]
    daily = (stored.groupby(stored["RECEIVED"].dt.normalize())["SIZE_KB"].sum() * 1000).sort_index()
    end = pd.Timestamp(plan.END)
    last = daily[(daily.index > end - pd.Timedelta(days=365))]
    previous = daily[(daily.index > end - pd.Timedelta(days=730)) & (daily.index <= end - pd.Timedelta(days=365))]
    growth = last.sum() / previous.sum()
    used = story["used_bytes_before"] + daily.sum()
    assert used < story["capacity_bytes"]
    ahead = used + (last * growth).cumsum()
    fills = ahead.index[ahead >= story["capacity_bytes"]][0] + pd.Timedelta(days=365)
    assert abs(fills - pd.Timestamp(story["fills_on"])) <= pd.Timedelta(days=2)
    assert pd.Timedelta(days=120) < pd.Timestamp(story["fills_on"]) - end < pd.Timedelta(days=250)


def test_the_archives_list_says_what_the_story_says(export: Export) -> None:
    story = _told(export, "archive fills")
    archives = pd.read_csv(export.folder / "archives.csv").set_index("ARCHIVE")
    assert archives.loc[story["archive"], "CAPACITY_B"] == story["capacity_bytes"]
    assert len(archives) == len(plan.SITES)


def _routine_wait(export: Export) -> pd.Series:
    ris = export.ris[(export.ris["URGENCY"] == "URGENT") & export.ris["EXAM_TYPE"].isin(["CT", "DX", "CR"])]
    return (ris["FINAL_REPORT"] - ris["READY_TO_READ"]).dt.total_seconds()


def test_reading_slows_at_one_site(export: Export) -> None:
    story = _told(export, "reading slows")
    wait, ris = _routine_wait(export), export.ris
    after = ris["READY_TO_READ"].reindex(wait.index) >= pd.Timestamp(story["from"])
    here = ris["HOSPITAL"].reindex(wait.index) == story["site"]
    assert wait[here & after].median() / wait[here & ~after].median() == pytest.approx(story["factor"], abs=0.2)
    assert wait[~here & after].median() / wait[~here & ~after].median() == pytest.approx(1.0, abs=0.15)


def test_reading_waits_over_the_holidays(export: Export) -> None:
    story = _told(export, "holiday backlog")
    wait, ready = _routine_wait(export), export.ris["READY_TO_READ"]
    ready = ready.reindex(wait.index)
    within = (ready >= pd.Timestamp(story["from"])) & (ready < pd.Timestamp(story["to"]))
    assert wait[within].median() / wait[~within].median() == pytest.approx(story["factor"], rel=0.25)
