"""Reports: what can be handed out."""

import streamlit as st

from analytics.reporting.report import REPORTS
from analytics.ui.reports import offer_report
from analytics.ui.shell import open_page
from analytics.ui.widgets import title

with open_page("Reports") as page:
    st.caption("A report covers what the filters above select, and says so on its last page, with the snapshot it was "
               "made from, every definition, and what was left out.")
    for column, report in zip(st.columns(2), REPORTS.values(), strict=False):
        with column, st.container(border=True, height="stretch"):
            title(report.title, report.description)
            with st.container(horizontal=True):
                for form in report.formats:
                    offer_report(page, report.id, form)
