"""The parts of the volume page that say how the studies changed: year on year, and since when."""

from __future__ import annotations

import streamlit as st

from analytics.reporting import volume_figures
from analytics.reporting.drawings import drawing
from analytics.ui.guard import guarded
from analytics.ui.shell import Page
from analytics.ui.widgets import choose, show_metric

SERIES = {"all": "All studies", "modality": "Modality", "site": "Site", "site modality": "Site and modality",
          "device": "Device"}
FIRST = 6
"""Changes said at once; the others are in a list that opens."""


def year_on_year(page: Page) -> None:
    """Show each month beside the same month a year before, the latest in words."""
    _sentences(page, "Year on year", "volume.year_on_year", most=2)
    show_metric(page, "volume.year_on_year", drawing(volume_figures.years), heading="Year on year",
                said="Each month beside the same month a year before; the change per working day takes out what the "
                     "calendar alone made")


def since_when(page: Page) -> None:
    """Show the weekly series of a choice, and say each change with its date, the latest first."""
    by = choose("Changes of", SERIES, key="volume-changes")
    _sentences(page, "Since when", "volume.change_points", most=FIRST, by=by)
    show_metric(page, "volume.change_points", drawing(volume_figures.changes), heading="Since when",
                said="Studies a working day by week, three years; the thick line is the level, less the time of the "
                     "year; a diamond is a change, its bar the weeks between which it lies", by=by)


def _sentences(page: Page, heading: str, metric_id: str, most: int, **named: str) -> None:
    """Say the first notes of a metric above its chart; where two views are compared, each has its own below."""
    if page.beside:
        return
    with guarded(heading):
        notes = page.metric(metric_id, **named).notes
        st.markdown("\n".join(f"- {sentence}" for sentence in notes[:most]))
        if len(notes) > most:
            with st.expander(f"{len(notes) - most} more"):
                st.markdown("\n".join(f"- {sentence}" for sentence in notes[most:]))
