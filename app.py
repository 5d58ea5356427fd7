"""Overview: what changed, and what needs attention."""

import streamlit as st

from analytics.reporting import figures
from analytics.reporting.drawings import drawing
from analytics.ui.headlines import show_headlines
from analytics.ui.pinned import pinned_charts
from analytics.ui.shell import open_page
from analytics.ui.widgets import attention_list, show_metric

with open_page("Overview") as page:
    show_headlines(page)
    attention_list(page)
    pinned_charts(page)
    left, right = st.columns(2)
    with left:
        show_metric(page, "volume.studies_by_period", drawing(figures.bars, "period", "modality"),
                    heading="Studies by month", period="month", by="modality")
    with right:
        show_metric(page, "turnaround.swim_rtat",
                    drawing(figures.interval, "period", open_cases="open", height=340),
                    heading="Report turnaround (SWIM)")
    left, right = st.columns(2)
    with left:
        show_metric(page, "storage.per_archive", drawing(figures.fills, height=290),
                    heading="How full each archive is")
    with right:
        show_metric(page, "backlog.unread_by_age",
                    drawing(figures.bars, "age", "priority", height=290),
                    heading="Unread now, by how long they have waited", by="priority")
