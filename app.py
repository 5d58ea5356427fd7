"""Overview: what changed, and what needs attention."""

from analytics.ui.shell import open_page

with open_page("Overview") as page:
    pass
