"""The parts of the Study page: what is known of one study, what happened to it, its series, images and findings."""

from __future__ import annotations

from typing import Any

import streamlit as st

from analytics.checks.results import studies_with_findings
from analytics.core.quantity import BYTES, IMAGES, MINUTES, SERIES, format_quantity
from analytics.core.terms import PATIENT_CLASSES, PRIORITIES, TRANSFER_SYNTAXES
from analytics.imaging.quality import images_of_study
from analytics.metrics.study import (
    find_studies,
    study_copies,
    study_facts,
    study_findings,
    study_images,
    study_series,
    study_timeline,
)
from analytics.reporting.axes import label_of, modality_words
from analytics.reporting.timeline import timeline
from analytics.ui.empty import empty_state
from analytics.ui.identify import who_is_this
from analytics.ui.images import show_images
from analytics.ui.navigation import BY_TITLE
from analytics.ui.shell import LAST, Page
from analytics.ui.tables import show_table
from analytics.ui.widgets import Card, headline_row, title

_FIND, _KEPT = "find", "study-find"
_OURS = ("study_instance_uid", "source_id", "patient_key")


def _search_changed() -> None:
    st.session_state[_KEPT] = st.session_state[_FIND].strip()
    if st.session_state[_KEPT]:
        st.query_params[_FIND] = st.session_state[_KEPT]
    elif _FIND in st.query_params:
        del st.query_params[_FIND]


def search() -> str:
    """Draw the search box and return what is looked for; a link to this page can say it."""
    linked = st.query_params.get(_FIND, "")
    st.session_state[_KEPT] = linked or st.session_state.get(_KEPT, "")
    st.session_state[_FIND] = st.session_state[_KEPT]
    st.text_input("Study Instance UID or accession number", key=_FIND, on_change=_search_changed,
                  placeholder="1.2.840… or an accession number, or how it begins")
    return str(st.session_state[_KEPT])


def choose_study(page: Page, wanted: str) -> str | None:
    """Return the UID of the one study that is looked for; else show what is like it, or how to search."""
    if not wanted:
        _latest_with_findings(page)
        return None
    found = page.read(find_studies, wanted)
    if found.empty:
        empty_state("no_rows", "Nothing begins with that", "Look for typing errors, or search by the other number.")
        return None
    if len(found) > 1:
        title(f"{len(found):,} exams match", "Open the one you mean.")
        show_table(page, found, "Exams found", studies=True, hide=("exam_id", "study_instance_uid"))
        return None
    uid = found.study_instance_uid.iloc[0]
    if not isinstance(uid, str):
        empty_state("no_image", f"Order {found.accession_number.iloc[0]} has no images",
                    "The RIS knows this order, and no archive holds a study of its accession number: it is still to "
                    "come, was not done, or was sent under another number.")
        return None
    return uid


def _latest_with_findings(page: Page) -> None:
    found = page.read(studies_with_findings)
    if found.empty:
        empty_state("all_well", "No study has findings",
                    "Write a Study Instance UID or an accession number above, or follow a mark on any chart here.")
        return
    with st.container(border=True):
        title("Latest studies with findings", "Those with an error first, then the latest; of all sites and dates")
        show_table(page, found, "Studies with findings", studies=True, hide=("study_instance_uid",),
                   labels={"severity": "Worst severity"})


def way_back(page: Page) -> None:
    """Lead back to the page the reader came from, with its filters."""
    last = st.session_state.get(LAST)
    if last:
        st.page_link(BY_TITLE[last].file, label=f"Back to {last}", icon=":material/arrow_back:",
                     query_params=page.filters.to_query())


def show_study(page: Page, uid: str) -> None:
    """Show everything about one study."""
    facts = page.read(study_facts, uid)
    findings = page.read(study_findings, uid)
    _headlines(page, facts, len(findings))
    who_is_this(page, uid)
    _findings(page, findings)
    with st.container(border=True):
        title("What happened", "Each event, and how long after the one before it. Times are the site's.")
        events = page.read(study_timeline, uid)
        if events.empty:
            empty_state("no_rows", "No event is recorded", "Neither the archive nor the RIS gave a time for it.")
        else:
            # Not to be pinned: the overview is of many exams, and one study is no figure of a hospital
            st.plotly_chart(timeline(events, page.settings.site_zone), config={"displayModeBar": False},
                            alt="Timeline of the study's events")
            with st.expander("Its table"):
                show_table(page, events, "Events", units={"minutes_since_first": MINUTES}, labels={
                    "source_id": "Source", "origin": "Where it has it from", "counts": "Counts"})
    with st.container(border=True):
        title("Images", "Those whose files are within reach, and what was measured on them")
        show_images(page, page.read(images_of_study, uid))
    headers = page.read(study_images, uid)
    if len(headers):
        with st.container(border=True):
            title("What the headers say", "One row an image, as its file has it")
            show_table(page, headers, "Headers", hide=(*_OURS, "path", "has_pixel_data", "station_name"))
    with st.container(border=True):
        title("Series")
        show_table(page, page.read(study_series, uid), "Series", hide=_OURS)
    with st.container(border=True):
        title("As each source holds it", "One row a copy; who the patient is is not kept here.")
        show_table(page, page.read(study_copies, uid), "Copies", hide=("study_instance_uid", "patient_key"))


def _headlines(page: Page, facts: dict[str, Any], findings: int) -> None:
    exam_at = page.local(facts["exam_at"]) if facts["exam_at"] else "–"
    syntax = TRANSFER_SYNTAXES.get(facts["transfer_syntax_uid"] or "")
    said = [facts["site"], facts["station_name"], PATIENT_CLASSES.get(facts["patient_class"] or ""),
            PRIORITIES.get(facts["priority"] or "")]
    title(facts["description"] or modality_words(facts["modality"] or ""),
          " · ".join(item for item in said if item) + f" · accession {facts['accession_number'] or '–'}")
    headline_row([
        Card("Exam", exam_at, modality_words(facts["modality"] or "–")),
        Card("In the archive", f"{format_quantity(facts['number_of_series'], SERIES)} · "
             f"{format_quantity(facts['number_of_instances'], IMAGES)}", "series · images"),
        Card("Size", format_quantity(facts["size_bytes"], BYTES), syntax.name if syntax else ""),
        Card("Turnaround", _turnaround(facts), "ready to read to final report"),
        Card("Findings", f"{findings:,}", "of the checks", "bad" if findings else "good"),
    ])
    st.caption(f"Study Instance UID `{facts['study_instance_uid']}`")


def _turnaround(facts: dict[str, Any]) -> str:
    start, end = facts["images_prepared_at"], facts["reported_at"]
    return format_quantity((end - start).total_seconds() / 60, MINUTES) if start and end else "not reported"


def _findings(page: Page, findings: Any) -> None:
    if findings.empty:
        return
    with st.container(border=True):
        title("What the checks found", "Follow the check's id on the Consistency page for how to fix it")
        show_table(page, findings, "Findings of this study",
                   hide=("source_id", "study_instance_uid", "accession_number", "site", "modality", "station_name"),
                   labels={"check_id": "Check", "evidence": label_of("what_was_seen")})
