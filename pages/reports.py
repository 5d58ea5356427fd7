"""Reports."""

from analytics.ui.shell import open_page

with open_page("Reports") as page:
    pass
