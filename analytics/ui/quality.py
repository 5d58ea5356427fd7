"""The parts of the image quality page: findings beside their pictures, control charts, spread by device."""

from __future__ import annotations

from html import escape

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from analytics.checks.catalog import CHECKS
from analytics.imaging.control import control_chart
from analytics.imaging.measures import MEASURES
from analytics.imaging.points import LEAST_BASELINE
from analytics.imaging.quality import charts_available, findings_with_picture, measures_by_device, quality_summary
from analytics.reporting.outlook import control
from analytics.ui.cards import Card
from analytics.ui.choices import choose
from analytics.ui.empty import empty_state
from analytics.ui.images import show_image
from analytics.ui.parts import part, show_part
from analytics.ui.shell import Page
from analytics.ui.side_by_side import in_each_view
from analytics.ui.tables import show_table

_COLUMNS = ["check_id", "severity", "evidence", "found_date", "modality", "station_name", "study_instance_uid",
            "has_picture"]


def quality_cards(page: Page) -> list[Card]:
    """Return how many images were measured, and what became of them."""
    seen = page.read(quality_summary, page.filters)
    return [
        Card("Images measured", f"{seen.images_measured:,}", f"on {seen.devices:,} devices"),
        Card("Out of limits", f"{seen.images_out_of_limits:,}", "found by the checks of images",
             "bad" if seen.images_out_of_limits else "good"),
        Card("Could not be measured", f"{seen.images_unmeasurable:,}", "not decoded, or nothing to measure",
             "bad" if seen.images_unmeasurable else "good"),
        Card("Acquired", page.local(seen.last_acquired_at, "to %-d %b %Y") if seen.last_acquired_at else "–",
             page.local(seen.first_acquired_at, "from %-d %b %Y") if seen.first_acquired_at else ""),
    ]


def any_measured(page: Page) -> bool:
    """Whether images were measured in a view of the page, or could not be."""
    every = [page.read(quality_summary, seen.filters) for seen in page.views]
    return any(seen.images_measured + seen.images_unmeasurable for seen in every)


def show_image_findings(page: Page) -> None:
    """List the findings about images; show the chosen one beside its image and its measures."""
    found = page.read(findings_with_picture, page.filters)
    if found.empty:
        empty_state("all_well", "No image is out of limits", "Every image measured is within its limits.")
        return
    names = [CHECKS[one].spec.name if one in CHECKS else one for one in found.check_id]
    # A link names a finding by its check and image: its place in the list is another one with the next snapshot
    ids = [(row.check_id, row.sop_instance_uid) for row in found.itertuples()]
    said = {one: f"{row.check_id} · {name} · {row.station_name or 'device not named'} · {row.evidence}"
            for one, row, name in reversed(list(zip(ids, found.itertuples(), names, strict=True)))}
    first = int(found.has_picture.to_numpy().argmax()) if found.has_picture.any() else 0
    chosen = choose("Finding", {one: said[one] for one in ids}, key=f"finding{page.side}", many=True, usual=ids[first])
    row, name = found.iloc[ids.index(chosen)], names[ids.index(chosen)]
    st.html(f'<div class="pm-item {row.severity}"><span class="dot"></span><span><b>{escape(name)}</b>: not so '
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


@part("quality.control_chart")
def _control_chart(page: Page, measure: str, station: str, protocol: str, chart: str) -> go.Figure | None:
    whole = page.read(control_chart, page.filters, measure, station, protocol)
    item, shown = MEASURES[measure], whole[whole.chart == chart]
    return control(shown, item.name, item.unit) if len(shown) else None


def control_charts(page: Page) -> None:
    """Show the control charts of one measure on one device and protocol, of each view its own where sites differ."""
    left, right = st.columns([1, 2])
    with left:
        measure = choose_measure("control-measure")
    offered = [_charts_of(seen, measure) for seen in page.views]
    if not all(offered) or len({tuple(options) for options in offered}) > 1:
        in_each_view(page, "Control chart", lambda seen: _charts_chosen(
            seen, measure, _choose_device(_charts_of(seen, measure), f"control-chart{seen.side}")))
        return
    with right:
        chosen = _choose_device(offered[0], "control-chart")
    _charts_chosen(page, measure, chosen)


def _charts_of(page: Page, measure: str) -> dict[tuple[str, str], str]:
    """Return the devices and protocols with a control chart, those that are known to be of another site left out."""
    here = set(page.filters.sites)
    elsewhere = {one.station_name for one in page.choices.devices if here and one.site and one.site not in here} - {
        one.station_name for one in page.choices.devices if one.site in here}
    charts = page.read(charts_available, page.filters, measure)
    return {(row.station_name, row.protocol_name): f"{row.station_name} · {row.modality} · "
            f"{row.protocol_name or 'no protocol'} · {row.points:,} series, {row.outside:,} outside"
            for row in charts.itertuples() if row.station_name not in elsewhere}


def _choose_device(options: dict[tuple[str, str], str], key: str) -> tuple[str, str] | None:
    if not options:
        empty_state("no_rows", "No device has values of this measure here", "Choose another measure or widen the "
                    "filters.")
        return None
    chosen: tuple[str, str] = choose("Device and protocol, those with most outside first", options, key=key, many=True)
    return chosen


def _charts_chosen(page: Page, measure: str, chosen: tuple[str, str] | None) -> None:
    if chosen is None:
        return
    item, (station, protocol) = MEASURES[measure], chosen
    wholes = [(seen, seen.read(control_chart, seen.filters, measure, station, protocol)) for seen in page.views]
    for name in dict.fromkeys(chart for _, whole in wholes for chart in sorted(whole.chart.unique())):
        marks = show_part(page, "quality.control_chart", said=name,
                          heading=" · ".join((item.name, station, protocol or "no protocol")), selectable=True,
                          named={"measure": measure, "station": station, "protocol": protocol, "chart": name})
        for seen, whole in wholes:
            _below_chart(seen, whole[whole.chart == name], marks.get(seen.side, {}))
    in_each_view(page, "What a control chart means", lambda seen: _meaning(seen, measure, chosen))


def _below_chart(page: Page, chart: pd.DataFrame, mark: dict[str, str]) -> None:
    if len(chart) and chart.center.isna().all():
        st.caption(f"{len(chart):,} series; limits need {LEAST_BASELINE}.")
    if mark.get("sop_instance_uid"):
        st.page_link("pages/study.py", label="Open its study", icon=":material/arrow_forward:",
                     query_params={"find": mark["study_instance_uid"]})
        show_image(page, mark["sop_instance_uid"])


def _meaning(page: Page, measure: str, chosen: tuple[str, str]) -> None:
    item = MEASURES[measure]
    with st.expander("What this means, and its table"):
        st.markdown(f"**{item.name}.** {item.definition}")
        st.caption("One point a series, by its median image. Limits come from the first 20 series alone: mean ± 2.66 "
                   "mean moving range (Wheeler & Chambers, 2010). Rules of the Western Electric handbook (1956).")
        st.caption(f"Source: {item.citation}")
        whole = page.read(control_chart, page.filters, measure, *chosen)
        show_table(page, whole.drop(columns=["chart"]), f"Control chart of {item.name}", studies=True,
                   units={"value": item.unit, "center": item.unit, "lower": item.unit, "upper": item.unit},
                   hide=("study_instance_uid", "ewma_lower", "ewma_upper", "source_id"))


def spread_by_device(page: Page) -> None:
    """Show the spread of one measure on each device and protocol."""
    measure = choose_measure("spread-measure")
    in_each_view(page, "Spread by device", lambda seen: _spread(seen, measure))


def _spread(page: Page, measure: str) -> None:
    item = MEASURES[measure]
    frame = page.read(measures_by_device, page.filters, measure)
    if frame.empty:
        empty_state("no_rows", "No device has values of this measure here", "Choose another measure.")
        return
    units = dict.fromkeys(("median", "p10", "p90"), item.unit)
    first = ["station_name", "median", "p10", "p90", "images"] if page.side else []  # seen in half the width
    frame = frame[[*first, *(name for name in frame.columns if name not in first)]]
    show_table(page, frame, f"{item.name} by device", units=units, hide=("unit",),
               labels={"protocol_name": "Protocol", "p10": "10th percentile"})
