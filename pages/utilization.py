"""Utilization: how busy each scanner is, and what it could take."""

import streamlit as st

from analytics.reporting import figures
from analytics.reporting.drawings import drawing
from analytics.ui.headlines import utilization_cards
from analytics.ui.shell import open_page
from analytics.ui.widgets import choose, show_cards, show_metric, told

HOURS = {(8, 18): "8 to 18", (7, 19): "7 to 19", (8, 20): "8 to 20", (9, 17): "9 to 17", (0, 24): "Day and night"}
TURNOVER = {5.0: "5 min", 0.0: "None", 10.0: "10 min", 15.0: "15 min"}

with open_page("Utilization") as page:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        opens, closes = choose("Staffed, Monday to Friday", HOURS, key="staffed")
        turnover = choose("Turnover between exams", TURNOVER, key="turnover")
    asked = {"opens": opens, "closes": closes, "turnover": turnover, "site_zone": page.settings.site_zone}
    show_cards(page, lambda seen: utilization_cards(seen, **asked))
    said = told(page, "utilization.staffed", **asked)
    left, right = st.columns(2)
    with left:
        show_metric(page, "utilization.staffed", drawing(figures.ranked, "station_name", top=30), said=said, **asked)
    with right:
        show_metric(page, "utilization.staffed", drawing(figures.ranked, "station_name", value="slots", top=30),
                    heading="Further exams that would fit into the gaps", said=said, key="slots", **asked)
    show_metric(page, "utilization.staffed", drawing(figures.ranked, "station_name", value="outside"), key="out",
                heading="Hours of exams outside staffed hours", said="Evenings, weekends and holidays; the 15 highest",
                table=True, **asked)
    show_metric(page, "utilization.by_procedure", drawing(figures.ranked, "what", value="extra"), table=True,
                heading="Hours that exams took more than at other devices", said="Of the same procedure; the table has "
                "each")
    show_metric(page, "utilization.duration_by_period", drawing(figures.spotlight, "period", "station_name"),
                said="The devices that ended farthest from the usual in color")
    show_metric(page, "volume.hour_by_weekday", drawing(figures.heat_map), heading="Studies by weekday and hour",
                said="Start of the exam, on the site's clock")
