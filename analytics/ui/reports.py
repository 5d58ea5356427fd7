"""Offering a report: made when it is asked for, then there to download."""

from __future__ import annotations

import streamlit as st

from analytics.core.filters import Filters
from analytics.reporting.report import MEDIA_TYPES, Scenario, make_report
from analytics.ui import cache
from analytics.ui.guard import guarded
from analytics.ui.shell import Page
from analytics.warehouse.store import Warehouse

_WORDS = {"pdf": "PDF", "xlsx": "Excel workbook"}


def report_of(warehouse: Warehouse, filters: Filters, report_id: str, form: str, scenario: Scenario | None) -> bytes:
    """Make a report of a snapshot with this installation's settings."""
    return make_report(report_id, form, warehouse, filters, cache.settings(), scenario=scenario)


def offer_report(page: Page, report_id: str, form: str, label: str = "", scenario: Scenario | None = None) -> None:
    """Show a button that makes a report, and once it is made one that downloads it.

    Parameters
    ----------
    form : str
        ``pdf`` or ``xlsx``.
    scenario : Scenario, optional
        What a cost-benefit report appraises.
    """
    label, wanted = label or _WORDS[form], (page.revision, page.filters, scenario)
    key = f"report-{report_id}-{form}"
    if st.session_state.get(f"{key}-wanted") != wanted:
        if not st.button(f"Make: {label}", key=key, icon=":material/draft:"):
            return
        st.session_state[f"{key}-wanted"] = wanted
    with guarded(label), st.spinner(f"Making: {label} …"):
        made = page.read(report_of, page.filters, report_id, form, scenario)
        st.download_button(f"Download: {label} ({len(made) / 1000:,.0f} kB)", made, f"{report_id}.{form}",
                           MEDIA_TYPES[form], key=f"{key}-download", type="primary", icon=":material/download:",
                           on_click="ignore")
