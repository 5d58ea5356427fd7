"""Turnaround: how fast exams are read; the page Backlog has what waits."""

import streamlit as st

from analytics.metrics.intervals import BY_ID, INTERVALS
from analytics.metrics.turnaround import ACR_COLUMNS
from analytics.reporting import figures
from analytics.reporting.drawings import drawing
from analytics.ui.headlines import turnaround_cards
from analytics.ui.shell import open_page
from analytics.ui.turnaround import (
    SPLITS,
    against_targets,
    choose_hours,
    headed,
    in_words,
    open_exams,
    open_now,
    split_by,
)
from analytics.ui.widgets import attention_list, choose, show_cards, show_metric

PERIODS = {"month": "Month", "week": "Week", "day": "Day", "quarter": "Quarter", "year": "Year"}
BUCKETS = {column: label for label, column in ACR_COLUMNS.items()}

with open_page("Turnaround") as page:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        interval = choose("Which turnaround", {one.id: one.name for one in INTERVALS}, key="interval", many=True)
        hours = choose_hours()
        period = choose("Period", PERIODS, key="turnaround-period")
        by = choose("Compare by", SPLITS, key="turnaround-by")
    in_words(page, interval, hours)
    show_cards(page, lambda seen: turnaround_cards(seen, interval, hours))
    attention_list(page, "Turnaround")
    show_metric(page, interval, drawing(figures.interval, "period", open_cases="open"),
                said="Median and 90th percentile of finished exams, with the open cases of each period below",
                heading=headed(BY_ID[interval].name, hours), period=period, hours=hours)
    against_targets(page, interval, by, hours)
    open_exams(page, interval, hours)
    left, right = st.columns(2)
    with left:
        split_by(page, interval, by, hours, period)
    with right:
        show_metric(page, interval, drawing(figures.shares, "period", BUCKETS, group="acr_class"),
                    heading=headed("Finished within", hours), key="buckets", period=period, hours=hours,
                    said="Classes of the ACR General Radiology Improvement Database")
    open_now(page, interval, by, hours)
