"""Consistency."""

from analytics.ui.shell import open_page

with open_page("Consistency") as page:
    pass
