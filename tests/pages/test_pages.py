"""Every page runs, with data and without, and says what it shows."""

from __future__ import annotations

import ast
import re
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa
from streamlit.testing.v1 import AppTest

from analytics.core.errors import PacsmeterError
from analytics.core.settings import Settings
from analytics.costs.assumptions import Assumptions
from analytics.ui import cache, shell
from analytics.ui.images import HIDDEN
from analytics.ui.navigation import BY_TITLE
from analytics.warehouse.schema import exams, instances
from analytics.warehouse.store import open_store
from tests.pages.conftest import Opened
from tests.support import ROOT

PAGES = [entry.file for entry in BY_TITLE.values()]


def said(test: AppTest) -> str:
    """Return every word on a page."""
    kinds = ("html", "markdown", "caption", "error", "info", "warning")
    return "\n".join(str(element.proto.body) for kind in kinds for element in test.get(kind))


def asked(test: AppTest, name: str) -> list[str]:
    """Return the values of a query parameter in a page's address."""
    value = test.query_params[name]
    return [value] if isinstance(value, str) else list(value)


def test_the_navigation_leads_to_every_page_and_to_nothing_else():
    assert sorted(PAGES) == sorted(["app.py", *(f"pages/{path.name}" for path in (ROOT / "pages").glob("*.py"))])


@pytest.mark.parametrize("file", PAGES)
def test_a_page_imports_only_ours_and_streamlit(file):
    tree = ast.parse((ROOT / file).read_text())
    modules = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    modules |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}

    assert {name.split(".")[0] for name in modules} <= {"analytics", "streamlit", "__future__"}


@pytest.mark.parametrize("file", PAGES)
def test_a_page_shows_the_demo_and_says_that_it_is_one(app: Opened, file):
    page = app(file)

    assert not page.exception and not page.error
    assert "Demo hospital: invented data" in said(page)


@pytest.mark.parametrize("file", PAGES)
def test_a_page_without_data_says_what_to_do(empty_app: Opened, file):
    page = empty_app(file)

    assert not page.exception and not page.error
    assert "pacsmeter load demo" in said(page)


@pytest.mark.parametrize("file", ["app.py", "pages/volume.py", "pages/turnaround.py", "pages/storage.py",
                                  "pages/consistency.py", "pages/quality.py"])
def test_a_page_whose_filters_match_nothing_is_not_a_fault(app: Opened, file):
    page = app(file, sites=["No such site"])

    assert not page.exception
    assert not any("fault in pacsmeter" in error.value for error in page.error)


def test_a_link_brings_the_same_view_back(app: Opened):
    page = app("pages/volume.py", modalities=["CT", "MR"], date_from="2026-01-01", date_to="2026-06-30")

    assert page.multiselect(key="filter-modalities").value == ["CT", "MR"]
    assert page.date_input(key="filter-dates").value == (date(2026, 1, 1), date(2026, 6, 30))


def test_a_filter_is_written_into_the_address_and_kept_on_the_next_page(app: Opened):
    page = app("pages/volume.py")
    page.multiselect(key="filter-modalities").set_value(["CT"]).run()
    assert asked(page, "modalities") == ["CT"]

    page.switch_page("pages/turnaround.py").run()
    assert page.multiselect(key="filter-modalities").value == ["CT"]


def test_a_link_that_cannot_be_read_is_one_sentence(app: Opened):
    page = app("pages/volume.py", date_from="yesterday")

    assert not page.exception and not page.error
    assert "yesterday" in page.warning[0].value


def test_a_preset_sets_the_dates(app: Opened):
    page = app("pages/volume.py")
    page.selectbox(key="filter-period").set_value("Last 13 weeks").run()

    first, last = (date.fromisoformat(asked(page, name)[0]) for name in ("date_from", "date_to"))
    assert (last - first).days == 90


def test_clearing_takes_every_filter_off(app: Opened):
    page = app("pages/volume.py", modalities=["CT"])
    next(button for button in page.button if button.label == "Clear every filter").click().run()

    assert page.multiselect(key="filter-modalities").value == []
    assert "modalities" not in page.query_params


def test_an_accession_number_leads_to_its_study(app: Opened, demo_home: Path):
    warehouse = open_store(Settings(home=demo_home, _env_file=None)).current()  # type: ignore[call-arg]
    uid, accession = warehouse.read(
        sa.select(exams.c.study_instance_uid, exams.c.accession_number)
        .where(exams.c.has_study, exams.c.has_order).order_by(exams.c.exam_id).limit(1)).iloc[0]
    page = app("pages/study.py", find=accession)

    assert not page.exception and not page.error
    assert uid in said(page)


def test_a_search_that_finds_nothing_says_so(app: Opened):
    assert "Nothing begins with that" in said(app("pages/study.py", find="no such number"))


def tables_with(page: AppTest, column: str) -> list[pd.DataFrame]:
    return [table.value for table in page.dataframe if column in table.value]


def test_without_a_study_the_latest_with_findings_are_listed(app: Opened):
    page = app("pages/study.py")
    listed = tables_with(page, "severity")[0]

    assert "Latest studies with findings" in said(page)
    assert listed.severity.iloc[0] == "error" and listed.findings.min() >= 1


def test_a_study_leads_back_to_the_page_before_with_its_filters(app: Opened):
    page = app("pages/volume.py", modalities=["CT"])
    page.switch_page("pages/study.py").run()
    back = next(link.proto for link in page.get("page_link") if link.proto.label == "Back to Volume")

    assert "modalities=CT" in back.query_string


def test_a_row_of_studies_can_be_opened_by_a_link(app: Opened):
    page = app("pages/study.py")
    page.selectbox(key="row-Studies with findings-").set_value(1).run()
    found = page.session_state["study-find"]
    link = next(link.proto for link in page.get("page_link") if link.proto.label == "Open study")

    assert found == "" and re.fullmatch(r"find=[\d.]+", link.query_string)


def test_a_picture_that_may_carry_a_name_waits_behind_a_button(app: Opened, demo_home: Path, monkeypatch):
    warehouse = open_store(Settings(home=demo_home, _env_file=None)).current()  # type: ignore[call-arg]
    uid = warehouse.scalar(sa.select(instances.c.study_instance_uid).where(instances.c.modality == "MR").limit(1))
    before = app("pages/study.py", find=uid)
    monkeypatch.setattr(cache, "may_carry_name", lambda path: True)
    cache.clear()
    page = app("pages/study.py", find=uid)
    buttons = [button for button in page.button if button.label == HIDDEN]

    assert before.get("image") and not page.get("image")
    assert buttons
    buttons[0].click().run()
    assert len(page.get("image")) == 1 and not page.exception
    cache.clear()


def test_definitions_can_be_searched(app: Opened):
    page = app("pages/definitions.py")
    every = len(page.expander)
    page.text_input(key="definitions-search").set_value("ReportTurnAroundTime").run()

    assert 0 < len(page.expander) < every


def verdict(page: AppTest) -> list[str]:
    """Return what each option costs, as the cost-benefit page says it."""
    return next(list(table.value["Total cost"]) for table in page.dataframe if "Total cost" in table.value)


def test_an_assumption_changes_the_verdict(app: Opened):
    page = app("pages/costs.py")
    before = verdict(page)
    other = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).switch_page("pages/costs.py")
    other.session_state["costs-assumptions"] = Assumptions(horizon_years=3)

    assert verdict(other.run()) != before


def test_a_scenario_is_saved_and_taken_up(app: Opened):
    page = app("pages/costs.py")
    page.text_input[0].set_value("Tender")
    page.text_input[1].set_value("KB")
    next(button for button in page.button if button.label == "Save scenario").click().run()

    page.session_state["costs-assumptions"] = Assumptions(horizon_years=3)
    page.selectbox(key="scenario").set_value("Tender").run()
    next(button for button in page.button if button.label == "Take up this scenario").click().run()
    assert not page.exception and not page.error
    assert page.session_state["costs-assumptions"] == Assumptions()


def test_a_report_is_made_and_offered(app: Opened):
    page = app("pages/reports.py")
    page.button(key="report-board-pdf").click().run()

    assert not page.exception and not page.error
    assert any("Download: PDF" in element.proto.label for element in page.get("download_button"))


@pytest.mark.parametrize(("fault", "shown"), [
    (PacsmeterError("The ledger is locked", "Wait, then try again.", "ledger.sqlite"), "Wait, then try again."),
    (ZeroDivisionError("a secret"), "reference"),
])
def test_a_fault_is_one_message_and_never_a_traceback(app: Opened, monkeypatch, fault, shown):
    def broken(*_: object) -> None:
        raise fault

    monkeypatch.setattr(shell, "draw_filters", broken)
    page = app("pages/volume.py")

    assert not page.exception
    assert len(page.error) == 1 and shown in page.error[0].value
    assert "a secret" not in page.error[0].value and "Traceback" not in page.error[0].value


def test_a_fault_is_logged_with_its_place_and_without_its_words(app: Opened, monkeypatch, demo_home: Path, caplog):
    record = "a secret"  # the log quotes lines of code, and this word must not stand in the one that fails

    def broken(*_: object) -> None:
        raise ZeroDivisionError(record)

    monkeypatch.setattr(shell, "draw_filters", broken)
    page = app("pages/volume.py")

    reference = page.error[0].value.split("`")[1]
    written = (demo_home / "log" / "errors.log").read_text()
    assert reference in written and "ZeroDivisionError" in written and "in broken" in written
    assert reference in caplog.text
    assert "a secret" not in written + caplog.text and "Traceback" not in caplog.text


def test_a_new_snapshot_is_shown_without_a_restart(app: Opened, demo_home: Path):
    page = app("pages/sources.py")
    store = open_store(Settings(home=demo_home, _env_file=None))  # type: ignore[call-arg]
    before = store.current_revision()
    assert f"Snapshot {before} " in said(page)

    with store.draft("nothing new"):
        pass
    try:
        assert f"Snapshot {before + 1} " in said(page.run())
    finally:
        store.rollback()
