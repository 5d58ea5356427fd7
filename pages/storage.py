"""Storage."""

from analytics.ui.shell import open_page

with open_page("Storage") as page:
    pass
