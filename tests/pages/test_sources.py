"""The sources page: silent devices, devices out of service, and transfers that are not whole."""

from __future__ import annotations

import re
from pathlib import Path

from analytics.core.filters import Filters
from analytics.core.results import MetricResult
from analytics.core.settings import Settings
from analytics.metrics.catalog import compute
from analytics.warehouse.store import open_store
from tests.pages.conftest import Opened
from tests.pages.test_pages import said


def _asked(demo_home: Path, metric_id: str, **options: object) -> MetricResult:
    store = open_store(Settings(home=demo_home, _env_file=None))  # type: ignore[call-arg]
    return compute(metric_id, store.current(), Filters(), **options)


def test_the_page_says_which_transfers_are_not_whole_as_the_metric_counts_them(app: Opened, demo_home: Path) -> None:
    result = _asked(demo_home, "sources.incomplete_transfers")
    found = re.search(r"([\d,]+) of ([\d,]+) exams that the archive should hold", said(app("pages/sources.py")))

    assert found
    assert [int(number.replace(",", "")) for number in found.groups()] == [result.frame.incomplete.sum(), result.n]
    assert result.frame.incomplete.sum() > 0


def test_the_page_says_how_the_devices_send_and_which_are_out_of_service(app: Opened, demo_home: Path) -> None:
    page = app("pages/sources.py")
    in_use = _asked(demo_home, "sources.silent_devices", site_zone="Europe/London")
    gone = _asked(demo_home, "sources.silent_devices", site_zone="Europe/London", out_of_service=True)

    assert f"{(in_use.frame.state == 'sending').sum():,} devices send as they usually do." in said(page)
    assert any(re.match(r"\d+ devices? out of service", one.label) for one in page.expander) == bool(gone.n)


def test_at_a_past_day_and_for_one_device_the_page_answers(app: Opened) -> None:
    for query in ({"date_to": "2026-09-15"}, {"station_names": "NGHCT1"}, {"sites": "Nowhere"}):
        page = app("pages/sources.py", **query)
        assert not page.exception and not page.error
