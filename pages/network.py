"""Network: what arrives when, and which link carries it."""

import streamlit as st

from analytics.reporting import figures
from analytics.reporting.drawings import drawing
from analytics.ui.headlines import network_cards
from analytics.ui.shell import open_page
from analytics.ui.widgets import choose, show_cards, show_metric, told

YEARS = {3: "3 years", 1: "1 year", 5: "5 years", 10: "10 years"}

with open_page("Network") as page:
    years, zone = choose("Growth over", YEARS, key="network-years"), page.settings.site_zone
    show_cards(page, lambda seen: network_cards(seen, years, YEARS[years]))
    said = told(page, "network.by_site", years=years, site_zone=zone)
    left, right = st.columns(2)
    with left:
        show_metric(page, "network.by_site", drawing(figures.ranked, "site", value="link_now"), said=said, years=years,
                    site_zone=zone, heading="Link each site needs now")
    with right:
        show_metric(page, "network.by_site", drawing(figures.ranked, "site", value="link_later"), said=said,
                    years=years, site_zone=zone, key="later", heading=f"The same in {YEARS[years]}")
    show_metric(page, "network.by_hour", drawing(figures.heat_map, "hour", "weekday"), site_zone=zone,
                said="On the site's clock, by the time of reception")
    show_metric(page, "network.by_device", drawing(figures.ranked, "station_name"), site_zone=zone, table=True,
                heading="Busy hour of each device", said="The 15 that send most in theirs")
