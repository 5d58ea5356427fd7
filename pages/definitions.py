"""Definitions."""

from analytics.ui.shell import open_page

with open_page("Definitions") as page:
    pass
