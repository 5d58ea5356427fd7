"""What the checks find on the demo hospital equals what was planted in it, by the way a site's own data comes in."""

from __future__ import annotations

import datetime as dt

from analytics.checks.catalog import CHECKS
from analytics.checks.recall import compare_with_truth, read_truth
from analytics.core.filters import Filters
from analytics.core.settings import Settings
from analytics.demo.truth import Truth
from analytics.metrics.forecast import histories, outlook
from analytics.warehouse.store import open_warehouse


def test_every_planted_fault_is_found_and_nothing_else_but_its_side_effects(demo_settings: Settings) -> None:
    truth = read_truth(demo_settings.home / "demo" / "truth.json")
    with open_warehouse(demo_settings) as warehouse:
        frame = compare_with_truth(warehouse, truth)
    planted = frame[frame["planted"] > 0]
    missed = planted[planted["recall"] < 100]
    assert missed.empty, missed.to_string()
    strays = frame[frame["false_positives"] > frame["explained"]]
    assert strays.empty, strays.to_string()
    assert set(planted["check_id"]) >= {item.spec.id for item in CHECKS} - {"TMP306"}, "each check has a planted fault"


def test_the_archive_fills_about_when_it_was_made_to(demo_settings: Settings) -> None:
    """The middle of the forecast is within six weeks of the planted date."""
    truth = Truth.read(demo_settings.home / "demo" / "truth.json")
    story = next(item for item in truth.stories if item["story"] == "archive fills")
    planted = dt.date.fromisoformat(story["fills_on"])
    with open_warehouse(demo_settings) as warehouse:
        history = next(item for item in histories(warehouse, Filters()) if item.name == story["archive"])
    seen = outlook(history)
    assert seen is not None and seen.median is not None
    assert abs((seen.median - planted).days) <= 42
