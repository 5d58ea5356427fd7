"""Image quality."""

from analytics.ui.shell import open_page

with open_page("Image quality") as page:
    pass
