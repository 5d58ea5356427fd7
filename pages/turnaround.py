"""Turnaround: how fast exams are read; the page Backlog has what waits."""

import streamlit as st

from analytics.metrics.intervals import INTERVALS
from analytics.metrics.turnaround import ACR_COLUMNS
from analytics.reporting import figures
from analytics.reporting.drawings import drawing
from analytics.ui.headlines import turnaround_cards
from analytics.ui.shell import open_page
from analytics.ui.turnaround import against_targets, open_exams
from analytics.ui.widgets import attention_list, choose, show_cards, show_metric

PERIODS = {"month": "Month", "week": "Week", "day": "Day", "quarter": "Quarter", "year": "Year"}
SPLITS = {"priority": "Priority", "modality": "Modality", "site": "Site", "patient_class": "Patient class"}
BUCKETS = {column: label for label, column in ACR_COLUMNS.items()}

with open_page("Turnaround") as page:
    first, second, third = st.columns([1.4, 1.6, 1.6], vertical_alignment="bottom")
    with first:
        interval = choose("Which turnaround", {one.id: one.name for one in INTERVALS}, key="interval", many=True)
    with second:
        period = choose("Period", PERIODS, key="turnaround-period")
    with third:
        by = choose("Compare by", SPLITS, key="turnaround-by")
    show_cards(page, lambda seen: turnaround_cards(seen, interval))
    attention_list(page, "Turnaround")
    show_metric(page, interval, drawing(figures.interval, "period", open_cases="open"),
                said="Median and 90th percentile of finished exams, with the open cases of each period below",
                period=period)
    against_targets(page, interval, by)
    open_exams(page, interval)
    left, right = st.columns(2)
    with left:
        show_metric(page, interval, drawing(figures.lines, "period", by),
                    heading=f"Median by {SPLITS[by].lower()}", key="split", period=period, by=by)
    with right:
        show_metric(page, interval, drawing(figures.shares, "period", BUCKETS, group="acr_class"),
                    heading="Finished within", said="Classes of the ACR General Radiology Improvement Database",
                    key="buckets", period=period)
    show_metric(page, "turnaround.open_cases", drawing(figures.bars, "age", by),
                heading="Open cases of this turnaround, by age so far", interval=interval, by=by)
