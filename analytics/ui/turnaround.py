"""The parts of the turnaround page: which minutes count, exams still open, targets, and groups beside each other."""

from __future__ import annotations

import streamlit as st

from analytics.core.quantity import EXAMS, format_quantity
from analytics.core.results import MetricResult
from analytics.metrics.business_hours import BUSINESS, CLOCK
from analytics.reporting.drawings import drawing
from analytics.reporting.figures import bars, lines, ranked
from analytics.reporting.open_exams import estimate_of, medians, share_curve
from analytics.ui.guard import guarded
from analytics.ui.shell import Page
from analytics.ui.side_by_side import in_each_view
from analytics.ui.tables import show_table
from analytics.ui.widgets import Card, choose, headline_row, show_metric, title

_METRIC = "turnaround.with_open_cases"
SPLITS = {"priority": "Priority", "modality": "Modality", "site": "Site", "patient_class": "Patient class",
          "hour": "Hour it begins"}
_COUNTED = {CLOCK: "All hours", BUSINESS: "Business hours and holidays"}


def choose_hours() -> str:
    """Let the reader choose which minutes count."""
    return str(choose("Count", _COUNTED, key="turnaround-hours"))


def headed(text: str, hours: str) -> str:
    """Return a heading that says which minutes count, where it is not all of them."""
    return text if hours == CLOCK else f"{text}, in business hours"


def in_words(page: Page, interval: str, hours: str) -> None:
    """Say which minutes count, where it is not all of them."""
    if hours != CLOCK:
        spec = page.metric(interval, period="year", hours=hours).spec
        st.caption(f"{spec.definition[spec.definition.index('Only business hours'):]} What needs attention, and what "
                   "is unread now, stay by the clock.")


def open_exams(page: Page, interval: str, hours: str) -> None:
    """Show what an interval's median and 90th percentile are once its open exams are counted, in words first."""
    with guarded("With the open exams counted"):
        in_each_view(page, "With the open exams counted", lambda seen: _open_counted(seen, interval, hours),
                     stacked=True)
    left, right = st.columns(2)
    with left:
        show_metric(page, "turnaround.share_within", drawing(share_curve), interval=interval, hours=hours,
                    heading=headed("Share finished within a time", hours),
                    said="Estimated by Kaplan-Meier, with the 95 % band")
    with right:
        by = choose("Compare open exams by", SPLITS, key="turnaround-open-by")
        show_metric(page, _METRIC, drawing(medians, by), interval=interval, by=by, key="open", hours=hours,
                    site_zone=page.settings.site_zone,
                    heading=headed(f"Median with open exams, by {SPLITS[by].lower()}", hours),
                    said="The bar is its 95 % interval")


def _open_counted(page: Page, interval: str, hours: str) -> None:
    result = page.metric(_METRIC, interval=interval, hours=hours)
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
        said, limits = estimate_of(row, name, result.spec.unit)
        alone = format_quantity(row[f"{name}_finished"], result.spec.unit)
        counted += [Card(f"{label}, finished alone", alone, finished),
                    Card(f"{label}, open ones counted", said, limits)]
    headline_row(counted)


def against_targets(page: Page, interval: str, by: str, hours: str) -> None:
    """Show who kept the targets of an interval, the exams farthest past theirs, and the times that cannot be."""
    asked = {"interval": interval, "by": by, "hours": hours}
    kept = page.metric("turnaround.breaches", **asked)
    if len(kept.frame):
        drawn = drawing(bars, by, value="kept") if by == "hour" else drawing(ranked, by, value="kept")
        show_metric(page, "turnaround.breaches", drawn, table=True,
                    heading=headed("Targets kept, of the exams that are due", hours),
                    said=lambda seen: _missed(seen.metric("turnaround.breaches", **asked)), **asked)
    else:
        st.caption(kept.notes[-1])
    in_each_view(page, "Exams far past their target", lambda seen: _late_and_impossible(seen, interval, hours))


def _late_and_impossible(page: Page, interval: str, hours: str) -> None:
    worst = page.metric("turnaround.worst", interval=interval, hours=hours)
    if len(worst.frame):
        with st.expander(f"The {len(worst.frame):,} exams farthest past their target"):
            _exams(page, worst, "Farthest past their target")
    impossible = page.metric("turnaround.impossible", interval=interval)
    if impossible.n:
        with st.expander(f"{format_quantity(impossible.n, EXAMS)} exams with impossible times, counted nowhere"):
            cut = f" The {len(impossible.frame):,} farthest are listed." if len(impossible.frame) < impossible.n else ""
            st.caption(f"{impossible.notes[0]} To be put right in the RIS.{cut}")
            _exams(page, impossible, "Impossible times")


def split_by(page: Page, interval: str, by: str, hours: str, period: str) -> None:
    """Show the median of each group over time; by the hour at which it begins, that of each hour of the day."""
    heading = headed(f"Median by {SPLITS[by].lower()}", hours)
    if by == "hour":
        show_metric(page, _METRIC, drawing(bars, by, value="median_finished"), heading=heading, key="split",
                    said="Of finished exams, over the dates chosen", interval=interval, by=by, hours=hours,
                    site_zone=page.settings.site_zone)
    else:
        show_metric(page, interval, drawing(lines, "period", by), heading=heading, key="split", period=period, by=by,
                    hours=hours)


def open_now(page: Page, interval: str, by: str, hours: str) -> None:
    """Show the open cases of an interval by age; by the hour of the day, the ages of each hour."""
    drawn = drawing(bars, "hour", "age") if by == "hour" else drawing(bars, "age", by)
    show_metric(page, "turnaround.open_cases", drawn, interval=interval, by=by, hours=hours,
                heading=headed("Open cases of this turnaround, by age so far", hours))


def _missed(kept: MetricResult) -> str:
    late, overdue, not_due = (int(kept.frame[name].sum()) for name in ("late", "overdue", "not_due"))
    return (f"{late + overdue:,} of {kept.n - not_due:,} exams that are due missed their target: {late:,} ended late, "
            f"{overdue:,} are open and overdue. {kept.notes[-1]}")


def _exams(page: Page, result: MetricResult, name: str) -> None:
    numbers = result.frame.select_dtypes("number").columns
    show_table(page, result.frame, name, studies=True, key=result.spec.id, hide=("exam_id", "study_instance_uid"),
               units={str(column): result.unit_of(str(column)) for column in numbers})
