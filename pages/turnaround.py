"""Turnaround."""

from analytics.ui.shell import open_page

with open_page("Turnaround") as page:
    pass
