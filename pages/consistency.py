"""Consistency: which records contradict the standard or each other."""

import streamlit as st

from analytics.checks.catalog import FAMILIES
from analytics.checks.results import check_summary
from analytics.reporting import checks as drawn
from analytics.ui.checks import choose_check, failed_checks, show_check, show_findings, show_where, take_check
from analytics.ui.empty import empty_state
from analytics.ui.shell import open_page
from analytics.ui.tables import show_table
from analytics.ui.widgets import Card, attention_list, choose, headline_row, show_chart, title

CATEGORIES = {"": "All", **{name: name.capitalize() for name in FAMILIES if name != "image"}}

with open_page("Consistency") as page:
    every = page.read(check_summary, page.filters)
    summary = every[every.category != "image"]
    counts = summary.groupby("outcome").size()
    headline_row([
        Card("Checks run", f"{len(summary):,}", f"{int(counts.get('not applicable', 0)):,} had nothing to look at"),
        Card("Hold everywhere", f"{int(counts.get('passed', 0)):,}", "no row contradicts them", "good"),
        Card("Have findings", f"{int(counts.get('violated', 0)):,}", "at least one row contradicts them",
             "bad" if counts.get("violated", 0) else "good"),
        Card("Findings", f"{int(summary.violated.sum()):,}",
             f"{int(summary[summary.severity == 'error'].violated.sum()):,} of severity error"),
    ])
    attention_list(page, "Consistency")
    failed_checks(summary)
    category = choose("Category", CATEGORIES, key="check-category")
    summary = summary[summary.category.isin([category] if category else summary.category)]
    found = summary[summary.violated > 0].sort_values("rate", ascending=False)
    with st.container(border=True):
        title("Findings by check", "Percent of the rows each check looked at; a click chooses the check")
        if not int(summary.denominator.sum()):
            empty_state("no_rows", "Nothing was looked at", "Widen the period or take a filter off.")
        elif found.empty:
            empty_state("all_well", "No check has findings", "Nothing that was looked at contradicts a check here.")
        else:
            take_check(show_chart(drawn.rates(found), key=f"rates-{page.revision}", selectable=True))
    with st.container(border=True):
        title("Every check", "Violated rows out of those looked at; where none applies there is no rate")
        show_table(page, summary, "Checks", hide=("error", "category"), units={"rate": "%", "violated": "{row}"})
    check_id = choose_check(found if len(found) else summary)
    if check_id:
        with st.container(border=True):
            show_check(check_id)
            show_findings(page, check_id, show_where(page, check_id))
