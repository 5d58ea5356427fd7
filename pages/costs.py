"""Cost-benefit."""

from analytics.ui.shell import open_page

with open_page("Cost-benefit") as page:
    pass
