"""The parts of the image quality page: findings beside their pictures, control charts, spread by device."""

from __future__ import annotations

from html import escape

import pandas as pd
import streamlit as st

from analytics.checks.catalog import CHECKS
from analytics.imaging.control import control_chart
from analytics.imaging.measures import MEASURES
from analytics.imaging.points import LEAST_BASELINE
from analytics.imaging.quality import charts_available, measures_by_device
from analytics.reporting.outlook import control
from analytics.ui.empty import empty_state
from analytics.ui.images import show_image
from analytics.ui.shell import Page
from analytics.ui.tables import show_table
from analytics.ui.widgets import choose, show_chart

_COLUMNS = ["check_id", "severity", "evidence", "found_date", "modality", "station_name", "study_instance_uid",
            "has_picture"]


def choose_finding(page: Page, found: pd.DataFrame) -> None:
    """List the findings about images; show the chosen one beside its image and its measures."""
    names = [CHECKS[one].spec.name if one in CHECKS else one for one in found.check_id]
    said = [f"{row.check_id} · {name} · {row.station_name or 'device not named'} · {row.evidence}"
            for row, name in zip(found.itertuples(), names, strict=True)]
    first = int(found.has_picture.to_numpy().argmax()) if found.has_picture.any() else 0
    place = st.selectbox("Finding", range(len(found)), index=first, format_func=lambda number: said[number])
    row = found.iloc[place]
    st.html(f'<div class="pm-item {row.severity}"><span class="dot"></span><span><b>{escape(names[place])}</b>: not so '
            f"here. {escape(row.evidence)}</span></div>")
    show_image(page, row.sop_instance_uid)
    with st.expander(f"All {len(found):,} findings as a table"):
        show_table(page, found[_COLUMNS], "Findings about images", studies=True, hide=("study_instance_uid",))


def _measures() -> dict[str, str]:
    """Return the measures by id, the noise first: it is what a failing detector shows."""
    return dict(sorted(((item.id, item.name) for item in MEASURES), key=lambda one: (one[0] != "noise", one[1])))


def choose_measure(key: str) -> str:
    """Let the reader choose a measure, and say what it means."""
    measure = choose("Measure", _measures(), key=key, many=True)
    return str(measure)


def control_charts(page: Page) -> None:
    """Show the control chart of one measure on one device and protocol."""
    left, right = st.columns([1, 2])
    with left:
        measure = choose_measure("control-measure")
    charts = page.read(charts_available, page.filters, measure)
    if charts.empty:
        empty_state("no_rows", "No device has values of this measure here", "Choose another measure or widen the "
                    "filters.")
        return
    options = {(row.station_name, row.protocol_name): f"{row.station_name} · {row.modality} · "
               f"{row.protocol_name or 'no protocol'} · {row.points:,} series, {row.outside:,} outside"
               for row in charts.itertuples()}
    with right:
        station, protocol = choose("Device and protocol, those with most outside first", options, key="control-chart",
                                   many=True)
    item = MEASURES[measure]
    whole = page.read(control_chart, page.filters, measure, station, protocol)
    for name, chart in whole.groupby("chart"):
        if chart.center.isna().all():
            st.caption(f"{name}: {len(chart):,} series; limits need {LEAST_BASELINE}.")
        mark = show_chart(control(chart, item.name, item.unit), key=f"control-{measure}-{station}-{name}",
                          selectable=True)
        if mark.get("sop_instance_uid"):
            st.page_link("pages/study.py", label="Open its study", icon=":material/arrow_forward:",
                         query_params={"find": mark["study_instance_uid"]})
            show_image(page, mark["sop_instance_uid"])
    with st.expander("What this means, and its table"):
        st.markdown(f"**{item.name}.** {item.definition}")
        st.caption("One point a series, by its median image. Limits come from the first 20 series alone: mean ± 2.66 "
                   "mean moving range (Wheeler & Chambers, 2010). Rules of the Western Electric handbook (1956).")
        st.caption(f"Source: {item.citation}")
        show_table(page, whole.drop(columns=["chart"]), f"Control chart of {item.name}", studies=True,
                   units={"value": item.unit, "center": item.unit, "lower": item.unit, "upper": item.unit},
                   hide=("study_instance_uid", "ewma_lower", "ewma_upper", "source_id"))


def spread_by_device(page: Page) -> None:
    """Show the spread of one measure on each device and protocol."""
    measure = choose_measure("spread-measure")
    item = MEASURES[measure]
    frame = page.read(measures_by_device, page.filters, measure)
    if frame.empty:
        empty_state("no_rows", "No device has values of this measure here", "Choose another measure.")
        return
    units = dict.fromkeys(("median", "p10", "p90"), item.unit)
    show_table(page, frame, f"{item.name} by device", units=units, hide=("unit",),
               labels={"protocol_name": "Protocol", "p10": "10th percentile"})
