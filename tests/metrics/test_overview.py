"""The overview and its attention list on data where it is known what they must say."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from analytics.core.filters import Filters
from analytics.core.findings import Severity
from analytics.metrics.attention import Attention
from analytics.metrics.overview import attention, headlines
from analytics.warehouse.schema import archives, check_runs, exams, findings, sources, studies
from analytics.warehouse.store import Store, Warehouse
from tests.metrics.random_exams import random_exams
from tests.spec.case import exam
from tests.support import build

EVERYTHING = Filters()
FIRST = dt.date(2025, 1, 1)


def _daily(days: int, each: int = 3, *, minutes: Any = lambda day: 20, offset: Any = lambda day: 0,
           until: int | None = None, station: str = "CT1", start: int = 0) -> tuple[list[Any], list[Any]]:
    """Exams of one scanner day by day from the first of January, and their studies."""
    rows, copies = [], []
    for day in range(until or days):
        for number in range(each):
            name = f"{station}-{day}-{number}"
            begun = dt.datetime.combine(FIRST + dt.timedelta(days=day), dt.time(9 + number), dt.UTC)
            ended = begun + dt.timedelta(minutes=minutes(day))
            row = exam(start + day * each + number, begun.strftime("%Y-%m-%d %H:%M"), site="North", modality="CT",
                       station_name=station, size_bytes=10**9, storage_tier="online", number_of_instances=1,
                       procedure_start_at=begun, imaging_complete_at=ended, images_prepared_at=ended,
                       images_stored_at=ended, stored_at=ended, study_at=begun + dt.timedelta(minutes=offset(day)),
                       reported_at=ended + dt.timedelta(hours=1))
            row |= {"exam_id": name, "study_instance_uid": name, "accession_number": name}
            rows.append(row)
            copies.append({"study_instance_uid": name, "patient_key": row["patient_key"], "source_id": "archive",
                           "study_at": begun + dt.timedelta(minutes=offset(day)), "stored_at": ended})
    return rows, copies


def _sentences(warehouse: Warehouse, page: str | None = None) -> list[str]:
    return [item.sentence for item in attention(warehouse, EVERYTHING, page)]


def test_a_steady_scanner_in_a_large_archive_needs_no_attention(duck_store: Store) -> None:
    rows, copies = _daily(300)
    warehouse = build(duck_store, {exams: rows, studies: copies, archives: [
        {"archive": "A", "site": "North", "capacity_bytes": 10**15, "used_bytes_before": 0}]})
    assert attention(warehouse, EVERYTHING) == []


def test_an_archive_that_fills_is_said_with_its_day(duck_store: Store) -> None:
    # 300 days from 1 January end in the night to 28 October: nine whole months, 273 days at 3 GB = 819 GB.
    # 3 GB a day fills 1,002 GB after 61 further days: 1 October + 61 days = 1 December.
    rows, copies = _daily(300)
    warehouse = build(duck_store, {exams: rows, studies: copies, archives: [
        {"archive": "North archive", "site": "North", "capacity_bytes": 1002 * 10**9, "used_bytes_before": 0}]})
    [said] = attention(warehouse, EVERYTHING, "Storage")
    assert said.severity is Severity.ERROR
    assert said.sentence == "North archive fills on 1 Dec 2025 (80 %: 1 Dec 2025 – 1 Dec 2025)."


def test_a_clock_that_drifts_is_named_with_how_far(store: Store) -> None:
    rows, copies = _daily(120, offset=lambda day: 0 if day < 60 else 12)
    [said] = attention(build(store, {exams: rows, studies: copies}), EVERYTHING, "Sources")
    # day 60 is Sunday 2 March: the first whole week of it begins on the 3rd
    assert said.sentence == ("CT1's clock runs 12 min ahead of the RIS (median of 90 exams, Apr 2025); "
                             "it jumped by 12 min in the week of 3 Mar 2025.")
    assert said.filters.station_names == ("CT1",)


def test_a_scanner_whose_exams_get_longer_is_named_with_the_week_it_began(store: Store) -> None:
    # 20 minutes until the end of July (day 212), 26 from Friday, 1 August: 30 % longer. The week of 28 July holds more
    # days before than after, so that its median is the old one
    rows, copies = _daily(300, minutes=lambda day: 20 if day < 212 else 26)
    said = _sentences(build(store, {exams: rows, studies: copies}), "Turnaround")
    assert said == ["CT exams on CT1 take 30 % longer since the week of 4 Aug 2025: median 26 min, before 20 min."]


def test_a_scanner_that_falls_silent_is_named(store: Store) -> None:
    steady, _ = _daily(100)
    silent, _ = _daily(100, until=80, station="CT2", start=1000)
    # CT2's last exam is on day 79 and the snapshot ends on day 99
    [said] = attention(build(store, {exams: [*steady, *silent]}), EVERYTHING, "Sources")
    assert said.sentence.startswith("CT2 has sent nothing for 20 days, after ")


def test_findings_are_counted_by_severity_and_page(store: Store) -> None:
    planted = (("DCM104", "error", "conformance", 3), ("IDN201", "error", "identity", 2),
               ("IMG701", "warning", "image", 1))
    found = [{"check_id": check, "severity": severity, "category": category, "evidence": "seen"}
             for check, severity, category, n in planted for _ in range(n)]
    warehouse = build(store, {exams: [], findings: found, check_runs: [
        {"check_id": "TMP301", "outcome": "failed", "violated": 0, "denominator": 0, "error": "no"}]})
    assert _sentences(warehouse) == [
        "5 findings of severity error by 2 checks of consistency; most by DCM104 (3).",
        "1 finding of severity warning by 1 check of image quality; most by IMG701 (1).",
        "1 check could not run, so what they look for is not known.",
    ]


def test_errors_come_first_and_each_leads_to_a_page(duck_store: Store) -> None:
    warehouse = build(duck_store, {
        exams: random_exams(3), sources: [{"source_id": "archive", "kind": "index_export", "location": "x",
                                           "is_demo": True}],
        archives: [{"archive": "A", "site": None, "capacity_bytes": 1, "used_bytes_before": 0}]})
    said = attention(warehouse, EVERYTHING)
    assert [item.severity for item in said] == sorted((item.severity for item in said), key=list(Severity).index)
    assert said and all(isinstance(item, Attention) and item.page and item.sentence.endswith(".") for item in said)


@pytest.mark.parametrize("filters", [
    EVERYTHING, Filters(date_from=dt.date(2025, 12, 1)), Filters(date_to=dt.date(2025, 12, 31)),
    Filters(date_from=dt.date(2025, 12, 1), date_to=dt.date(2025, 12, 31)),
    Filters(date_from=dt.date(2020, 1, 1), date_to=dt.date(2030, 1, 1)), Filters(sites=("Nowhere",)),
])
def test_the_overview_answers_under_every_filter(duck_store: Store, filters: Filters) -> None:
    warehouse = build(duck_store, {exams: random_exams(4)})
    attention(warehouse, filters)
    shown = headlines(warehouse, filters)
    assert {"Studies", "Unread now", "Stored"} <= {item.label for item in shown}


def test_the_overview_of_an_empty_warehouse_says_nothing(store: Store) -> None:
    warehouse = build(store, {})
    assert attention(warehouse, EVERYTHING) == []
    assert all(not item.value for item in headlines(warehouse, EVERYTHING))


def test_sizes_that_nobody_knows_are_not_0_bytes(duck_store: Store) -> None:
    rows = [exam(number, "2026-01-05 09:00", order=False, modality="CT") for number in (1, 2)]
    stored = next(one for one in headlines(build(duck_store, {exams: rows}), EVERYTHING) if one.label == "Stored")
    assert (stored.value, stored.note) == (None, "0 studies; the size of 2 more is not known")
