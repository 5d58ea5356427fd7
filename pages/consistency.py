"""Consistency: which records contradict the standard or each other."""

import streamlit as st

from analytics.checks.catalog import FAMILIES
from analytics.ui import checks
from analytics.ui.shell import open_page
from analytics.ui.side_by_side import in_each_view
from analytics.ui.widgets import attention_list, choose, show_cards, title

CATEGORIES = {"": "All", **{name: name.capitalize() for name in FAMILIES if name != "image"}}

with open_page("Consistency") as page:
    show_cards(page, checks.check_cards)
    attention_list(page, "Consistency")
    checks.failed_checks(checks.summary_of(page))
    category = choose("Category", CATEGORIES, key="check-category")
    with st.container(border=True):
        checks.show_rates(page, category)
    with st.container(border=True):
        title("Every check", "Violated rows out of those looked at; where none applies there is no rate")
        in_each_view(page, "Every check", lambda seen: checks.every_check(seen, category))
    check_id = checks.choose_check(page, category)
    if check_id:
        with st.container(border=True):
            checks.show_check(check_id)
            checks.show_violations(page, check_id)
