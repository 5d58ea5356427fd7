"""Volume: how much work there is, where and when."""

import streamlit as st

from analytics.reporting import figures, volume_figures, waterfall
from analytics.reporting.drawings import drawing
from analytics.ui.shell import open_page
from analytics.ui.volume import since_when, year_on_year
from analytics.ui.widgets import attention_list, choose, show_metric, told

PERIODS = {"month": "Month", "week": "Week", "day": "Day", "quarter": "Quarter", "year": "Year"}
VALUES = {"studies": "Studies", "images": "Images", "series": "Series", "bytes": "Bytes"}
LEVELS = {"site modality": "Site and modality", "site": "Site", "modality": "Modality", "site station_name": "Device"}
DAYS = {"from_days": "the calendar: working days", "from_rate": "studies a day"}
SPLITS = {"modality": "Modality", "site": "Site", "station_name": "Device", "description": "Procedure",
          "hours": "Hour of day", "exam_weekday": "Weekday", "priority": "Priority", "patient_class": "Patient class"}

with open_page("Volume") as page:
    attention_list(page, "Volume")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        period = choose("Period", PERIODS, key="volume-period")
        by = choose("Split by", SPLITS, key="volume-by")
        value = choose("Count", VALUES, key="volume-value")
    show_metric(page, "volume.studies_by_period", drawing(volume_figures.by_period, by, value=value),
                heading=f"{VALUES[value]} by {PERIODS[period].lower()} and {SPLITS[by].lower()}", period=period, by=by,
                said="The eight groups with the most studies; all others are one", top=8)
    year_on_year(page)
    since_when(page)
    left, right = st.columns(2)
    with left:
        show_metric(page, "volume.by_modality", drawing(figures.ranked, "modality", value=value),
                    heading=f"{VALUES[value]} by modality")
    with right:
        show_metric(page, "volume.change", drawing(waterfall.drivers, [by]),
                    heading=f"What changed, by {SPLITS[by].lower()}", said=told(page, "volume.change", by=by), by=by)
    level = choose("Drivers by", LEVELS, key="volume-level")
    left, right = st.columns([3, 2])
    with left:
        show_metric(page, "volume.drivers", drawing(waterfall.drivers, level.split()),
                    said=told(page, "volume.drivers"))
    with right:
        show_metric(page, "volume.change_by_days", drawing(waterfall.effects, DAYS),
                    said=told(page, "volume.change_by_days"))
    left, right = st.columns(2)
    with left:
        show_metric(page, "volume.by_site", drawing(figures.ranked, "site", value=value),
                    heading=f"{VALUES[value]} by site")
    with right:
        show_metric(page, "utilization.by_device", drawing(figures.ranked, "station_name", top=8),
                    heading="Busiest devices", said="Hours in use of the hours planned")
    show_metric(page, "volume.hour_by_weekday", drawing(figures.heat_map), heading="Studies by weekday and hour",
                said="Start of the exam, on the site's clock")
    show_metric(page, "volume.by_device", drawing(figures.ranked, "station_name", value=value),
                heading=f"{VALUES[value]} by device", said="The 15 busiest")
