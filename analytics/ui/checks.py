"""The parts of the Consistency page: what each check found, where and since when, and how to fix it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from html import escape
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from analytics.checks.catalog import CHECKS
from analytics.checks.results import (
    Mark,
    check_summary,
    count_findings,
    findings_by_device,
    findings_by_month,
    findings_of,
)
from analytics.core.findings import Outcome
from analytics.reporting import checks as drawn
from analytics.reporting.axes import words
from analytics.ui.cards import Card, title
from analytics.ui.choices import choose
from analytics.ui.empty import empty_state
from analytics.ui.parts import part, show_part
from analytics.ui.shell import Page
from analytics.ui.side_by_side import in_each_view
from analytics.ui.tables import show_table

_FIRST = ["found_date", "accession_number", "site", "modality", "station_name", "evidence"]
_HIDDEN = ("check_id", "name", "severity", "category", "source_id", "study_instance_uid", "sop_instance_uid")
_KEY, _CLICKED = "check", "clicked-check"


def summary_of(page: Page, category: str = "") -> pd.DataFrame:
    """Return what each check found, of one category or all; those of images have a page of their own."""
    every = page.read(check_summary, page.filters)
    return every[every.category == category if category else every.category != "image"]


def check_cards(page: Page) -> list[Card]:
    """Return how many checks were run, and how they ended."""
    summary = summary_of(page)
    counts = summary.groupby("outcome").size()
    return [
        Card("Checks run", f"{len(summary):,}", f"{int(counts.get('not applicable', 0)):,} had nothing to look at"),
        Card("Hold everywhere", f"{int(counts.get('passed', 0)):,}", "no row contradicts them", "good"),
        Card("Have findings", f"{int(counts.get('violated', 0)):,}", "at least one row contradicts them",
             "bad" if counts.get("violated", 0) else "good"),
        Card("Findings", f"{int(summary.violated.sum()):,}",
             f"{int(summary[summary.severity == 'error'].violated.sum()):,} of severity error"),
    ]


@part("checks.rates")
def _rates(page: Page, category: str) -> go.Figure | None:
    summary = summary_of(page, category)
    found = summary[summary.violated > 0].sort_values("rate", ascending=False)
    return drawn.rates(found) if len(found) else None


def show_rates(page: Page, category: str) -> None:
    """Show how often each check with findings is violated; a click chooses the check."""
    def nothing(seen: Page) -> None:
        if int(summary_of(seen, category).denominator.sum()):
            empty_state("all_well", "No check has findings", "Nothing that was looked at contradicts a check here.")
        else:
            empty_state("no_rows", "Nothing was looked at", "Widen the period or take a filter off.")

    marks = show_part(page, "checks.rates", heading="Findings by check", named={"category": category},
                      said="Percent of the rows each check looked at; a click chooses the check", nothing=nothing,
                      selectable=True)
    for side, mark in marks.items():
        _take_check(mark, side)


def _take_check(mark: Mapping[str, Any], side: str) -> None:
    """Choose the check that a newly clicked mark stands for."""
    clicked = mark.get(_KEY)
    if clicked and clicked != st.session_state.get(f"{_CLICKED}{side}"):
        st.query_params[_KEY] = clicked
    st.session_state[f"{_CLICKED}{side}"] = clicked


def every_check(page: Page, category: str) -> None:
    """Show what each check found; in half the width the numbers stand before the words, so that they are seen."""
    summary = summary_of(page, category)
    first = ["check_id", "rate", "violated", "denominator"] if page.side else []
    show_table(page, summary[[*first, *(name for name in summary.columns if name not in first)]], "Checks",
               hide=("error", "category"), units={"rate": "%", "violated": "{row}"})


def choose_check(page: Page, category: str) -> str | None:
    """Let the reader choose one of the checks with findings; a link and a clicked mark can choose it too.

    ``None`` where none was run.
    """
    every = pd.concat([summary_of(seen, category) for seen in page.views])
    worst = every[every.violated > 0].sort_values("rate", ascending=False, kind="stable")
    offered = (worst if len(worst) else every).drop_duplicates("check_id")
    if offered.empty:
        return None
    return str(choose("Check", {row.check_id: f"{row.check_id}  ·  {row.name}" for row in offered.itertuples()},
                      key=_KEY, many=True))


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


@part("checks.by_device")
def _by_device(page: Page, check_id: str) -> go.Figure | None:
    counts = page.read(findings_by_device, page.filters, check_id)
    return drawn.by_device(counts) if int(counts.violated.sum()) else None


@part("checks.by_month")
def _by_month(page: Page, check_id: str) -> go.Figure | None:
    counts = page.read(findings_by_month, page.filters, check_id)
    # One month alone is no course of time, but beside another period it is something to compare
    return drawn.by_month(counts) if int(counts.violated.sum()) and (len(counts) > 1 or page.side) else None


def show_violations(page: Page, check_id: str) -> None:
    """Show on which devices and since when a check is violated, and its findings, or those of the clicked marks."""
    devices, months = (st.container(), st.container()) if page.beside else st.columns(2)
    named = {"check_id": check_id}
    with devices:
        marked = show_part(page, "checks.by_device", heading=f"{check_id} by device", selectable=True, named=named,
                           said="The highest rate first; a click leads to its findings")
    with months:
        in_month = show_part(page, "checks.by_month", heading=f"{check_id} by month of the exam", selectable=True,
                             named=named, said="A click leads to its findings")
    in_each_view(page, "Findings", lambda seen: _findings(
        seen, check_id, tuple({**marked.get(seen.side, {}), **in_month.get(seen.side, {})}.items())))


def _findings(page: Page, check_id: str, mark: Mark) -> None:
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
