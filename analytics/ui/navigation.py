"""The pages, in the order of the sidebar."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from analytics.ui.pictures import BRAND


@dataclass(frozen=True)
class Entry:
    """One page: its file, its title, the question it answers."""

    file: str
    title: str
    icon: str
    question: str


SECTIONS: dict[str, tuple[Entry, ...]] = {
    "": (Entry("app.py", "Overview", "space_dashboard", "What changed, and what needs attention?"),),
    "Operations": (
        Entry("pages/volume.py", "Volume", "bar_chart", "How much work is there, where and when?"),
        Entry("pages/turnaround.py", "Turnaround", "timer", "How fast are exams read, and are the targets kept?"),
        Entry("pages/backlog.py", "Backlog", "hourglass_top", "What waits for a report, and when will it be read?"),
        Entry("pages/utilization.py", "Utilization", "schedule", "How busy is each scanner, and what could it take?"),
        Entry("pages/storage.py", "Storage", "database", "How full is the archive, and when will it be full?"),
        Entry("pages/network.py", "Network", "lan", "What arrives when, and which link carries it?"),
    ),
    "Quality": (
        Entry("pages/quality.py", "Image quality", "image_search", "Which images are bad, and which device made them?"),
        Entry("pages/consistency.py", "Consistency", "rule", "Which records contradict the standard or each other?"),
        Entry("pages/study.py", "Study", "person_search", "What happened to one study?"),
    ),
    "Decisions": (
        Entry("pages/costs.py", "Cost-benefit", "payments", "What will storage cost, and which option pays?"),
        Entry("pages/reports.py", "Reports", "description", "What can be handed out?"),
    ),
    "Reference": (
        Entry("pages/sources.py", "Sources", "cable", "Where do the numbers come from, and how fresh are they?"),
        Entry("pages/definitions.py", "Definitions", "menu_book", "What does each number mean?"),
    ),
}
COMPARING = frozenset({"Overview", "Volume", "Turnaround", "Backlog", "Utilization", "Storage", "Network",
                       "Image quality", "Consistency", "Sources"})
"""Pages on which two views can stand side by side. Not these: Study and Definitions have no filters; Reports hands out
a file of one view; Cost-benefit appraises one decision, with one set of assumptions and prices, over what is held
today, and sets its options beside each other itself."""
BY_TITLE: dict[str, Entry] = {entry.title: entry for entries in SECTIONS.values() for entry in entries}


def draw_navigation() -> None:
    """Draw the product's name and a link to each page in the sidebar."""
    with st.sidebar:
        st.html(f'<div class="pm-brand"><img src="{BRAND}" alt="" width="26" height="26"><span>pacsmeter</span></div>')
        for section, entries in SECTIONS.items():
            if section:
                st.html(f'<div class="pm-section">{section}</div>')
            for entry in entries:
                st.page_link(entry.file, label=entry.title, icon=f":material/{entry.icon}:", width="stretch")
