"""Overview: what changed, and what needs attention."""

import streamlit as st

from analytics.reporting import figures
from analytics.ui.shell import open_page
from analytics.ui.widgets import attention_list, show_headlines, show_metric

with open_page("Overview") as page:
    show_headlines(page)
    attention_list(page)
    left, right = st.columns(2)
    with left:
        show_metric(page, "volume.studies_by_period", lambda result: figures.bars(result, "period", "modality"),
                    heading="Studies by month", period="month", by="modality")
    with right:
        show_metric(page, "turnaround.swim_rtat",
                    lambda result: figures.interval(result, "period", open_cases="open", height=340),
                    heading="Report turnaround (SWIM)")
    left, right = st.columns(2)
    with left:
        show_metric(page, "storage.per_archive", lambda result: figures.fills(result, height=290),
                    heading="How full each archive is")
    with right:
        show_metric(page, "backlog.unread_by_age",
                    lambda result: figures.bars(result, "age", "priority", height=290),
                    heading="Unread now, by how long they have waited", by="priority")
