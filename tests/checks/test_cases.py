"""Every check, on its case, on both engines: what passes, what violates, what it does not apply to."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
import pytest
import sqlalchemy as sa

from analytics.checks.catalog import CHECKS
from analytics.checks.runner import run_checks
from analytics.core.findings import CheckRun
from analytics.core.settings import Settings
from analytics.warehouse.schema import check_runs, findings
from analytics.warehouse.store import open_store
from tests.checks.cases import Section, sections, together
from tests.support import build

CASES = sections()
Checked = tuple[dict[str, CheckRun], pd.DataFrame, pd.DataFrame]


@pytest.fixture(scope="module", params=["duckdb", "postgresql"])
def checked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checked]:
    """Load every case into one warehouse and run every check once."""
    settings = Settings(home=tmp_path_factory.mktemp("cases"), _env_file=None)  # type: ignore[call-arg]
    if request.param == "postgresql":
        admin = sa.create_engine(request.getfixturevalue("postgres_server"), isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(sa.text("CREATE DATABASE cases_of_checks"))
        url = admin.url.set(database="cases_of_checks").render_as_string(hide_password=False)
        settings = settings.model_copy(update={"warehouse_url": type(settings.warehouse_url)(url)})
    store = open_store(settings)
    build(store, together(CASES)).close()
    with store.draft() as draft:
        runs = {run.check_id: run for run in run_checks(draft)}
    warehouse = store.current()
    yield runs, warehouse.read(sa.select(check_runs)), warehouse.read(sa.select(findings))
    warehouse.close()


def test_no_check_fails(checked: Checked) -> None:
    assert {run.check_id: run.error for run in checked[0].values() if run.error} == {}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.source_id)
def test_a_case_counts_what_it_says(checked: Checked, case: Section) -> None:
    _, runs, found = checked
    mine = runs[(runs.check_id == case.check_id) & (runs.source_id == case.source_id)]
    counted = [(row.violated, row.denominator) for row in mine.itertuples()]
    assert counted == ([(case.violated, case.denominator)] if case.denominator else [])
    kept = found[(found.check_id == case.check_id) & (found.source_id == case.source_id)]
    assert len(kept) == case.violated
    assert (kept.evidence != "").all()


def test_every_check_says_what_it_is_and_has_a_case() -> None:
    categories = {"DCM": "conformance", "IDN": "identity", "TMP": "temporal", "GEO": "geometry", "ANA": "anatomy",
                  "REC": "reconciliation", "IMG": "image"}
    with_case = {(case.check_id, case.name) for case in CASES if case.denominator}
    for check in CHECKS:
        spec = check.spec
        assert spec.category == categories[spec.id[:3]], spec.id
        for said in (spec.name, spec.definition, spec.citation, spec.fix_technologist, spec.fix_administrator):
            assert len(said) > 10 and said == said.strip(), spec.id
        if spec.category != "image":
            assert spec.definition.startswith("Denominator: ") and " Violated " in spec.definition, spec.id
            assert {(spec.id, "passes"), (spec.id, "violates")} <= with_case, spec.id
    assert {case.check_id for case in CASES} <= {check.spec.id for check in CHECKS}
