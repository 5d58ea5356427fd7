"""Images against their own device: the checks of control limits, on both engines."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import sqlalchemy as sa

from analytics.checks.catalog import CHECKS
from analytics.checks.runner import run_checks
from analytics.core.findings import Outcome
from analytics.imaging.control import xmr_limits
from analytics.warehouse.schema import findings, image_measures
from analytics.warehouse.store import Store
from tests.support import build

START = dt.datetime(2026, 1, 5, 9, tzinfo=dt.UTC)
STEADY = [39.0, 41.0, 41.0, 41.0, 43.0, 44.0, 41.0, 42.0, 40.0, 41.0]
CHECK_OF = {"noise": "IMG703", "snr": "IMG704", "sharpness": "IMG705"}


def chart(measure: str, values: list[float], station: str, first: int = 0) -> list[dict[str, Any]]:
    return [{"sop_instance_uid": f"{station}.{n}", "series_instance_uid": f"{station}.2.{n}", "measure": measure,
             "study_instance_uid": f"{station}.3.{n}",
             "modality": "CT", "station_name": station, "protocol_name": "HEAD", "algorithm": "a 1", "value": value,
             "acquired_at": START + dt.timedelta(days=n)} for n, value in enumerate(values, first)]


@pytest.mark.parametrize("measure", list(CHECK_OF))
def test_a_device_that_changes_is_found_by_its_own_limits(store: Store, measure: str) -> None:
    # The limits of 20 steady points, by hand: mean 41.3; ranges 12 + 2 + 12 = 26, /19 = 1.3684; 41.3 +- 3.640.
    changed = [*STEADY, *STEADY, 44.9, 45.0, 37.6, 41.0]
    limits = xmr_limits(changed)
    assert limits is not None and (limits.lower, limits.upper) == pytest.approx((37.660, 44.940), abs=1e-3)
    build(store, {image_measures: [
        *chart(measure, changed, "CT1"), *chart(measure, STEADY, "CT2"), *chart(measure, [1.0, 90.0] * 4, "CT3"),
        *chart(measure, [7.0] * 30, "CT4")]}).close()
    with store.draft() as draft:
        run, = run_checks(draft, ids=[CHECK_OF[measure]])
        found = draft.read(sa.select(findings).order_by(findings.c.sop_instance_uid))
    assert (run.outcome, run.violated, run.denominator) == (Outcome.VIOLATED, 2, 24 + 10)
    assert found.sop_instance_uid.tolist() == ["CT1.21", "CT1.22"]
    assert "37.600, limits 37.660 to 44.940, protocol HEAD" in found.evidence.iloc[1]
    assert found.found_date.dt.strftime("%Y-%m-%d").tolist() == ["2026-01-26", "2026-01-27"]


def test_too_few_images_are_not_applicable(store: Store) -> None:
    build(store, {image_measures: chart("noise", STEADY[:9], "CT1")}).close()
    with store.draft() as draft:
        run, = run_checks(draft, ids=["IMG703"])
    assert run.outcome is Outcome.NOT_APPLICABLE


def test_noise_that_passes_for_sharpness_is_no_finding_of_sharpness(store: Store) -> None:
    build(store, {image_measures: [
        *chart("sharpness", [*STEADY, *STEADY, 60.0, 60.0, 20.0], "CT1"),
        *chart("noise", [*STEADY, *STEADY, 60.0, 41.0, 60.0], "CT1")]}).close()
    with store.draft() as draft:
        run_checks(draft, ids=["IMG705"])
        found = draft.read(sa.select(findings.c.sop_instance_uid).order_by(findings.c.sop_instance_uid))
    assert found.sop_instance_uid.tolist() == ["CT1.21", "CT1.22"], "sharper without noise, and duller"


def test_each_image_check_reads_a_measure_that_exists() -> None:
    from analytics.imaging.measures import MEASURES
    from analytics.imaging.sampling import DECODED
    known = [*(item.id for item in MEASURES), DECODED]
    for check in CHECKS:
        if check.spec.category == "image":
            text = str(check.candidates().compile(compile_kwargs={"literal_binds": True}))
            assert any(f"'{name}'" in text for name in known), check.spec.id
