"""Backlog: what waits for a report, when the queue grows, and when it will be read."""

import streamlit as st

from analytics.reporting import figures, queues
from analytics.reporting.drawings import drawing
from analytics.ui.backlog import clearance_cards, one_more_shift, past_instant
from analytics.ui.shell import open_page
from analytics.ui.widgets import attention_list, choose, show_metric, told

SPLITS = {"modality": "Modality", "priority": "Priority", "site": "Site", "patient_class": "Patient class"}

with open_page("Backlog") as page:
    zone = page.settings.site_zone
    clearance_cards(page)
    attention_list(page, "Backlog")
    by = choose("Compare by", SPLITS, key="backlog-by")
    left, right = st.columns(2)
    with left:
        past_instant(page, by)
    with right:
        show_metric(page, "backlog.unread_over_time", drawing(figures.lines, "day"),
                    heading="Unread at the end of each day", site_zone=zone)
    show_metric(page, "backlog.rates", drawing(queues.growth_map), site_zone=zone,
                heading="When the queue grows and when it is read off",
                said=told(page, "backlog.rates", site_zone=zone))
    one_more_shift(page)
