"""Sources."""

from analytics.ui.shell import open_page

with open_page("Sources") as page:
    pass
