"""Real series of GE, Philips and Siemens: what the checks say of them, every finding looked at by hand."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from analytics.checks.runner import run_checks
from analytics.core.findings import Outcome
from analytics.core.pseudonym import Pseudonymizer
from analytics.sources.dicom_folder import DicomFolder
from analytics.sources.load import load_source
from analytics.sources.patient import PatientEdge
from analytics.warehouse.derive import derive_exams
from analytics.warehouse.schema import findings, instances, series
from analytics.warehouse.store import Store

GE_MIXED_STACK = "1.2.826.0.1.3680043.9.4245.3115138630835728997848661150714813892"


def test_real_series_raise_only_what_is_really_there(duck_store: Store, shared_dicom: Path) -> None:
    source = DicomFolder("real", shared_dicom, PatientEdge(Pseudonymizer(b"0123456789abcdef")), "UTC")
    with duck_store.draft() as draft:
        load_source(draft, source)
        derive_exams(draft, "UTC")
        runs = {run.check_id: run for run in run_checks(draft)}
        found = draft.read(sa.select(findings.c.check_id, findings.c.series_instance_uid, findings.c.evidence).where(
            findings.c.category != "image", findings.c.check_id != "DCM103"))
        repeated = draft.count(sa.select(instances.c.series_instance_uid).where(instances.c.modality == "MR").group_by(
            instances.c.series_instance_uid, instances.c.image_position_z).having(sa.func.count() > 1))
        orientations = draft.count(sa.select(series.c.series_instance_uid))
    assert [run.error for run in runs.values() if run.outcome is Outcome.FAILED] == []
    # A head CT of 14 slices of 4 mm below and 14 of 7 mm above, overlapping where they meet.
    assert found.values.tolist() == [[
        "GEO402", GE_MIXED_STACK, "intervals from 1.08 to 7.00 mm, median 4.00 mm"]]
    assert repeated > 50, "fMRI and EPI that repeat their positions were looked at"
    assert runs["GEO401"].denominator >= 8 and orientations >= 12
