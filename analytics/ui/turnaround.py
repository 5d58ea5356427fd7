"""The part of the turnaround page about exams that are still open."""

from __future__ import annotations

import streamlit as st

from analytics.core.quantity import EXAMS, MINUTES, format_quantity
from analytics.core.results import MetricResult
from analytics.reporting.drawings import drawing
from analytics.reporting.figures import ranked
from analytics.reporting.open_exams import estimate_of, medians, share_curve
from analytics.ui.guard import guarded
from analytics.ui.shell import Page
from analytics.ui.side_by_side import in_each_view
from analytics.ui.tables import show_table
from analytics.ui.widgets import Card, choose, headline_row, show_metric, title

_METRIC = "turnaround.with_open_cases"
_SPLITS = {"priority": "Priority", "modality": "Modality", "patient_class": "Patient class", "site": "Site",
           "hour": "Hour of day"}


def open_exams(page: Page, interval: str) -> None:
    """Show what an interval's median and 90th percentile are once its open exams are counted, in words first."""
    with guarded("With the open exams counted"):
        in_each_view(page, "With the open exams counted", lambda seen: _open_counted(seen, interval), stacked=True)
    left, right = st.columns(2)
    with left:
        show_metric(page, "turnaround.share_within", drawing(share_curve), interval=interval,
                    said="Estimated by Kaplan-Meier, with the 95 % band")
    with right:
        by = choose("Compare open exams by", _SPLITS, key="turnaround-open-by")
        show_metric(page, _METRIC, drawing(medians, by), interval=interval, by=by, key="open",
                    site_zone=page.settings.site_zone, heading=f"Median with open exams, by {_SPLITS[by].lower()}",
                    said="The bar is its 95 % interval")


def _open_counted(page: Page, interval: str) -> None:
    result = page.metric(_METRIC, interval=interval)
    if result.frame.empty:
        return
    title("With the exams still open counted", "An exam that is not finished has lasted at least so long; leaving "
          "it out makes turnaround look better than it is.")
    for sentence in result.notes[:2]:
        st.markdown(sentence)
    row = result.frame.iloc[0]
    finished = f"of {format_quantity(int(row['n']), EXAMS)} finished exams"
    counted = []
    for name, label in (("median", "Median"), ("p90", "90th percentile")):
        said, limits = estimate_of(row, name)
        counted += [Card(f"{label}, finished alone", format_quantity(row[f"{name}_finished"], MINUTES), finished),
                    Card(f"{label}, open ones counted", said, limits)]
    headline_row(counted)


def against_targets(page: Page, interval: str, by: str) -> None:
    """Show who kept the targets of an interval, the exams farthest past theirs, and the times that cannot be."""
    kept = page.metric("turnaround.breaches", interval=interval, by=by)
    if len(kept.frame):
        show_metric(page, "turnaround.breaches", drawing(ranked, by, value="kept"), interval=interval, by=by,
                    table=True, heading="Targets kept, of the exams that are due",
                    said=lambda seen: _missed(seen.metric("turnaround.breaches", interval=interval, by=by)))
    else:
        st.caption(kept.notes[-1])
    in_each_view(page, "Exams far past their target", lambda seen: _late_and_impossible(seen, interval))


def _late_and_impossible(page: Page, interval: str) -> None:
    worst = page.metric("turnaround.worst", interval=interval)
    if len(worst.frame):
        with st.expander(f"The {len(worst.frame):,} exams farthest past their target"):
            _exams(page, worst, "Farthest past their target")
    impossible = page.metric("turnaround.impossible", interval=interval)
    if impossible.n:
        with st.expander(f"{format_quantity(impossible.n, EXAMS)} exams with impossible times, counted nowhere"):
            cut = f" The {len(impossible.frame):,} farthest are listed." if len(impossible.frame) < impossible.n else ""
            st.caption(f"{impossible.notes[0]} To be put right in the RIS.{cut}")
            _exams(page, impossible, "Impossible times")


def _missed(kept: MetricResult) -> str:
    late, overdue, not_due = (int(kept.frame[name].sum()) for name in ("late", "overdue", "not_due"))
    return (f"{late + overdue:,} of {kept.n - not_due:,} exams that are due missed their target: {late:,} ended late, "
            f"{overdue:,} are open and overdue. {kept.notes[-1]}")


def _exams(page: Page, result: MetricResult, name: str) -> None:
    numbers = result.frame.select_dtypes("number").columns
    show_table(page, result.frame, name, studies=True, key=result.spec.id, hide=("exam_id", "study_instance_uid"),
               units={str(column): result.unit_of(str(column)) for column in numbers})
