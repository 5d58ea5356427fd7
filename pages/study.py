"""Study: what happened to one study."""

from analytics.ui.shell import open_page
from analytics.ui.study import choose_study, search, show_study, way_back

with open_page("Study", filtered=False) as page:
    way_back(page)
    uid = choose_study(page, search())
    if uid:
        show_study(page, uid)
