"""Sources: where the numbers come from, and how fresh they are."""

import streamlit as st

from analytics.core.quantity import MINUTES, format_quantity
from analytics.reporting import figures
from analytics.reporting.drawings import drawing
from analytics.ui.empty import empty_state
from analytics.ui.shell import open_page
from analytics.ui.sources import incomplete_transfers, silent_devices
from analytics.ui.tables import show_table
from analytics.ui.widgets import Card, attention_list, headline_row, show_metric, title

WHY = {"source_id": "Source", "reason_code": "Why", "reason": "What is wrong, and what to do",
       "locator": "Record", "seen_at": "Seen"}

with open_page("Sources") as page:
    fresh, loads = page.metric("sources.freshness"), page.metric("sources.loads")
    quarantine = page.metric("sources.quarantine")
    newest = loads.frame.finished_at.max()
    headline_row([  # of what was loaded, whatever is filtered for: nothing to compare
        Card("Sources", f"{fresh.n:,}", "feeding this snapshot"),
        Card("Last load", page.local(newest, "%-d %b %H:%M") if loads.n else "–",
             page.local(newest, "%Y") if loads.n else ""),
        Card("Farthest behind", format_quantity(fresh.headline, MINUTES), "the latest data of any source"),
        Card("Records left out", f"{quarantine.n:,}", "in quarantine, with the reason for each",
             "bad" if quarantine.n else "good"),
    ])
    attention_list(page, "Sources")
    with st.container(border=True):
        title("Freshness", fresh.spec.definition)
        show_table(page, fresh.frame, "Freshness", result=fresh, units={"behind": MINUTES}, labels={
            "source_id": "Source", "last_loaded_at": "Last loaded", "latest_at": "Latest data", "is_demo": "Demo"})
    silent_devices(page)
    incomplete_transfers(page)
    left, right = st.columns(2)
    with left:
        show_metric(page, "sources.clock_offset", drawing(figures.spotlight, "period", "station_name"),
                    said="Median minutes that a device's clock is ahead of the RIS; the farthest off in color")
    with right:
        show_metric(page, "sources.transfer_delay", drawing(figures.spotlight, "period", "station_name"),
                    said="Median from the end of the exam to the archive; the most unusual devices in color")
    with st.container(border=True):
        title("Records left out, and what to do", "Records that could not be used stay here until they can be.")
        if quarantine.n:
            show_table(page, quarantine.frame, "Quarantine", result=quarantine, labels=WHY)
            with st.expander("Each record"):
                every = page.metric("sources.left_out_records")
                show_table(page, every.frame, "Records left out", result=every, hide=("records",), labels=WHY)
        else:
            empty_state("all_well", "Nothing was left out", "Every record of every source could be used.")
    covered = page.metric("sources.coverage")
    if covered.n:
        with st.container(border=True):
            title("Proof that each archive was read whole", covered.spec.definition)
            show_table(page, covered.frame, "Coverage", result=covered, labels={
                "source_id": "Source", "covered_from": "From", "covered_to": "To", "parts": "Ranges asked",
                "read_at": "Asked"})
    with st.container(border=True):
        title("Loads", "The latest first")
        show_table(page, loads.frame, "Loads", result=loads, hide=("load_id", "started_at"),
                   labels={"source_id": "Source"})
