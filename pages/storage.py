"""Storage: how full the archive is, and when it will be full."""

import streamlit as st

from analytics.metrics.storage_growth import EFFECTS
from analytics.reporting import figures, waterfall
from analytics.reporting.drawings import drawing
from analytics.ui.headlines import storage_cards
from analytics.ui.shell import open_page
from analytics.ui.storage import forecast, how_sure
from analytics.ui.storage_content import content
from analytics.ui.widgets import attention_list, choose, show_cards, show_metric, told

PERIODS = {"month": "Month", "week": "Week", "quarter": "Quarter", "year": "Year"}
DRAWN = {
    "by_modality": drawing(figures.ranked, "modality"),
    "by_transfer_syntax": drawing(figures.ranked, "transfer_syntax_uid"),
    "by_age": drawing(figures.bars, "age"),
    "by_last_access": drawing(figures.bars, "age"),
    "by_tier": drawing(figures.ranked, "storage_tier"),
}

with open_page("Storage") as page:
    show_cards(page, storage_cards)
    attention_list(page, "Storage")
    left, right = st.columns([2, 3])
    with left:
        show_metric(page, "storage.per_archive", drawing(figures.fills), heading="How full each archive is")
        show_metric(page, "storage.fill_distribution", drawing(figures.lines, "month", "archive"),
                    said="By the end of each month")
    with right:
        archive = forecast(page)
    how_sure(page, archive)
    period = choose("Period", PERIODS, key="storage-period")
    show_metric(page, "storage.added_by_period", drawing(figures.bars, "period", "modality"),
                heading=f"Bytes added by {PERIODS[period].lower()} and modality", period=period)
    left, right = st.columns(2)
    with left:
        show_metric(page, "storage.growth", drawing(waterfall.effects, EFFECTS),
                    said=told(page, "storage.growth"))
    with right:
        show_metric(page, "storage.growth", drawing(waterfall.drivers, ["modality"]), key="modality",
                    heading="The same change, by modality", said="A bar leads to its studies of both periods")
    for left, right in (("by_modality", "by_transfer_syntax"), ("by_age", "by_last_access")):
        for column, name in zip(st.columns(2), (left, right), strict=True):
            with column:
                show_metric(page, f"storage.{name}", DRAWN[name])
    show_metric(page, "storage.by_tier", DRAWN["by_tier"])
    content(page, period)
