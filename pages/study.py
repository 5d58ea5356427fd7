"""Study."""

from analytics.ui.shell import open_page

with open_page("Study") as page:
    pass
