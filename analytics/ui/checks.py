"""What a check says about itself: what should hold, why, and how to fix it, for two readers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from html import escape
from typing import Any

import pandas as pd
import streamlit as st

from analytics.checks.catalog import CHECKS
from analytics.checks.results import Mark, count_findings, findings_by_device, findings_by_month, findings_of
from analytics.core.findings import Outcome
from analytics.reporting.axes import words
from analytics.reporting.checks import by_device, by_month
from analytics.ui.empty import empty_state
from analytics.ui.shell import Page
from analytics.ui.tables import show_table
from analytics.ui.widgets import show_chart, title

_FIRST = ["found_date", "accession_number", "site", "modality", "station_name", "evidence"]
_HIDDEN = ("check_id", "name", "severity", "category", "source_id", "study_instance_uid", "sop_instance_uid")
_KEPT, _KEY, _CLICKED = "chosen-check", "check", "clicked-check"


def choose_check(summary: pd.DataFrame) -> str | None:
    """Let the reader choose a check; a link and a clicked mark can choose it too. ``None`` where none was run."""
    ids = list(summary.check_id)
    if not ids:
        return None
    linked = st.query_params.get(_KEY)
    if linked in CHECKS and linked != st.session_state.get(_KEPT):
        st.session_state[_KEPT] = linked
    if st.session_state.get(_KEPT) not in ids:
        st.session_state[_KEPT] = ids[0]
    st.session_state[_KEY] = st.session_state[_KEPT]

    def copy() -> None:
        st.session_state[_KEPT] = st.query_params[_KEY] = st.session_state[_KEY]

    names = dict(zip(ids, summary.name, strict=True))
    st.selectbox("Check", ids, key=_KEY, format_func=lambda one: f"{one}  ·  {names[one]}", on_change=copy)
    return str(st.session_state[_KEPT])


def take_check(mark: Mapping[str, Any]) -> None:
    """Choose the check that a newly clicked mark stands for."""
    clicked = mark.get(_KEY)
    if clicked and clicked != st.session_state.get(_CLICKED):
        st.session_state[_KEPT] = st.query_params[_KEY] = clicked
    st.session_state[_CLICKED] = clicked


def show_check(check_id: str) -> None:
    """Show what a check says about itself."""
    spec = CHECKS[check_id].spec
    st.html(f'<div class="pm-item {spec.severity}"><span class="dot"></span><span><b class="pm-word">'
            f"{spec.severity.value} · {escape(spec.category)} · {spec.id}</b></span></div>"
            f'<div class="pm-title">{escape(spec.name)}</div>')
    st.markdown(spec.definition)
    technologist, administrator = st.columns(2)
    technologist.markdown(f"**What the technologist does**  \n{spec.fix_technologist}")
    administrator.markdown(f"**What the PACS administrator does**  \n{spec.fix_administrator}")
    st.caption(f"Source: {spec.citation}")


def failed_checks(summary: pd.DataFrame) -> None:
    """Say which checks could not run: what they look for is not known."""
    failed = summary[summary.outcome == Outcome.FAILED.value]
    if len(failed):
        said = "  \n".join(f"`{row.check_id}` {row.name}" for row in failed.itertuples())
        st.warning(f"These checks could not run, so what they look for is not known:  \n{said}",
                   icon=":material/report:")


def show_where(page: Page, check_id: str) -> Mark:
    """Show on which devices and since when a check is violated; return the group of the clicked marks."""
    mark: dict[str, Any] = {}
    state = f"{check_id}-{page.revision}-{hash(page.filters)}"
    devices = page.read(findings_by_device, page.filters, check_id)
    months = page.read(findings_by_month, page.filters, check_id)
    left, right = st.columns(2)
    if int(devices.violated.sum()):
        with left:
            title("By device", "The highest rate first; a click leads to its findings")
            mark |= show_chart(by_device(devices), key=f"device-{state}", selectable=True)
    if int(months.violated.sum()) and len(months) > 1:
        with right:
            title("By month of the exam", "A click leads to its findings")
            mark |= show_chart(by_month(months), key=f"month-{state}", selectable=True)
    return tuple(mark.items())


def show_findings(page: Page, check_id: str, mark: Mark = ()) -> None:
    """List the findings of a check, or those behind the clicked marks, each with a way to its study."""
    rows = page.read(findings_of, check_id, page.filters, mark=mark)
    count = page.read(count_findings, check_id, page.filters, mark)
    if not count:
        empty_state("no_rows", f"No finding of {check_id}", "None where it was looked for; a wider filter may.")
        return
    where = "".join(f" · {_mark_words(name, value)}" for name, value in mark)
    shown = f"; the latest {len(rows):,} of them here" if count > len(rows) else ""
    title(f"{count:,} findings of {check_id}{where}", f"The latest first{shown}. Each leads to its study.")
    show_table(page, rows[_FIRST + [name for name in rows.columns if name not in _FIRST]], f"Findings of {check_id}",
               key=where, studies=True, hide=_HIDDEN)


def _mark_words(name: str, value: Any) -> str:
    return f"{date.fromisoformat(value):%b %Y}" if name == "month" else words(name, value)
