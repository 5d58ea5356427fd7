"""Image quality: which images are bad, and which device made them."""

import streamlit as st

from analytics.imaging.quality import findings_with_picture, quality_summary
from analytics.ui.empty import empty_state
from analytics.ui.quality import choose_finding, control_charts, spread_by_device
from analytics.ui.shell import open_page
from analytics.ui.widgets import Card, attention_list, headline_row, title

with open_page("Image quality") as page:
    seen = page.read(quality_summary, page.filters)
    if seen.images_measured + seen.images_unmeasurable == 0:
        empty_state("no_image", "No image has been measured here",
                    "Load a folder of DICOM files with `pacsmeter load FOLDER`: a sample of its images is measured. "
                    "Where images are loaded, widen the filters.")
        st.stop()
    headline_row([
        Card("Images measured", f"{seen.images_measured:,}", f"on {seen.devices:,} devices"),
        Card("Out of limits", f"{seen.images_out_of_limits:,}", "found by the checks of images",
             "bad" if seen.images_out_of_limits else "good"),
        Card("Could not be measured", f"{seen.images_unmeasurable:,}", "not decoded, or nothing to measure",
             "bad" if seen.images_unmeasurable else "good"),
        Card("Acquired", page.local(seen.last_acquired_at, "to %-d %b %Y") if seen.last_acquired_at else "–",
             page.local(seen.first_acquired_at, "from %-d %b %Y") if seen.first_acquired_at else ""),
    ])
    attention_list(page, "Image quality")
    with st.container(border=True):
        title("Findings, each beside its image", "Errors first, then the latest")
        found = page.read(findings_with_picture, page.filters)
        if found.empty:
            empty_state("all_well", "No image is out of limits", "Every image measured is within its limits.")
        else:
            choose_finding(page, found)
    with st.container(border=True):
        title("Control chart", "Does a device make today the images it made while it was known to be well?")
        control_charts(page)
    with st.container(border=True):
        title("Spread by device", "Median and the middle 80 % of a measure's values; only one algorithm compares")
        spread_by_device(page)
