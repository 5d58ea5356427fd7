"""The parts of the sources page about devices: which have stopped sending, and whose transfers are not whole."""

from __future__ import annotations

import streamlit as st

from analytics.core.quantity import EXAMS, PERCENT, format_quantity
from analytics.metrics.sources_silence import SILENT
from analytics.reporting import figures
from analytics.reporting.drawings import drawing
from analytics.ui.guard import guarded
from analytics.ui.shell import Page
from analytics.ui.tables import show_table
from analytics.ui.widgets import show_metric

_SILENT, _TRANSFERS = "sources.silent_devices", "sources.incomplete_transfers"
_LABELS = {"latest": "Latest study", "silent_days": "Days since"}


def silent_devices(page: Page) -> None:
    """Show how long each device in use is silent in its own working days, and which were taken out of service."""
    zone = page.settings.site_zone
    show_metric(page, _SILENT, drawing(figures.ranked, "station_name"), said=_stopped, table=True, site_zone=zone,
                heading="Silence of each device, in its own working days")
    if page.beside:
        return
    with guarded("Devices out of service"):
        gone = page.metric(_SILENT, out_of_service=True, site_zone=zone)
        if gone.n:
            with st.expander(f"{gone.n:,} device{'s' if gone.n > 1 else ''} out of service: no study for more than 8 "
                             "weeks"):
                show_table(page, gone.frame[["site", "station_name", "latest", "silent_days"]].sort_values(
                    "silent_days", kind="stable"), "Devices out of service", labels=_LABELS, result=gone,
                    units={"silent_days": "d"})


def incomplete_transfers(page: Page) -> None:
    """Show which devices' exams are not whole in the archive, and in which way by month."""
    left, right = st.columns(2)
    with left:
        show_metric(page, _TRANSFERS, drawing(figures.ranked, "station_name", value="at_least"), said=_not_whole,
                    heading="Transfers not whole, at the least")
    with right:
        show_metric(page, _TRANSFERS, drawing(figures.bars, "period", "way", value="incomplete"), key="ways",
                    by="way", period="month", heading="Transfers not whole, by the way it is known",
                    said="By month of the exam; a bar leads to its exams")


def _stopped(page: Page) -> str:
    frame = page.metric(_SILENT, site_zone=page.settings.site_zone).frame
    names = [str(name) for name in frame.station_name[frame.state == SILENT]]
    if frame.empty:
        return "No device here can be judged: none is in use, or its days with studies are too few."
    sending = len(frame) - len(names)
    if not sending:
        usual = "No other device can be judged."
    else:
        usual = "1 device sends as it usually does." if sending == 1 else (
            f"{sending:,} devices send as they usually do.")
    whose = "its" if len(names) == 1 else "their"
    return f"Silent beyond {whose} usual: {', '.join(names)}. {usual}" if names else usual


def _not_whole(page: Page) -> str:
    result = page.metric(_TRANSFERS)
    if not result.n:
        return "No exam here is one that the archive should hold."
    few = format_quantity(result.headline, PERCENT)
    share = "< 0.1 %" if few == "0.0 %" and result.headline else few
    exams = "exam" if result.n == 1 else "exams"
    return (f"{format_quantity(int(result.frame.incomplete.sum()), EXAMS)} of {format_quantity(result.n, EXAMS)} "
            f"{exams} that the archive should hold ({share}). A bar is the lower 95 % limit of a device's share, so "
            "that few exams do not stand first by chance.")
