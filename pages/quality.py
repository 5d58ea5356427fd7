"""Image quality: which images are bad, and which device made them."""

import streamlit as st

from analytics.ui import quality
from analytics.ui.empty import empty_state
from analytics.ui.shell import open_page
from analytics.ui.side_by_side import in_each_view
from analytics.ui.widgets import attention_list, show_cards, title

with open_page("Image quality") as page:
    if not quality.any_measured(page):
        empty_state("no_image", "No image has been measured here",
                    "Load a folder of DICOM files with `pacsmeter load FOLDER`: a sample of its images is measured. "
                    "Where images are loaded, widen the filters.")
        st.stop()
    show_cards(page, quality.quality_cards)
    attention_list(page, "Image quality")
    with st.container(border=True):
        title("Findings, each beside its image", "Errors first, then the latest")
        in_each_view(page, "Findings about images", quality.show_image_findings)
    with st.container(border=True):
        title("Control chart", "Does a device make today the images it made while it was known to be well?")
        quality.control_charts(page)
    with st.container(border=True):
        title("Spread by device", "Median and the middle 80 % of a measure's values; only one algorithm compares")
        quality.spread_by_device(page)
