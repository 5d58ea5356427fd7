"""The parts of the storage page about what went, what is held twice, and what could be done about what is held."""

from __future__ import annotations

from typing import Any

import streamlit as st

from analytics.metrics.retention import RULES
from analytics.metrics.storage_whatif import COMPRESSED
from analytics.reporting import figures
from analytics.reporting.drawings import Drawing, drawing
from analytics.ui.empty import empty_state
from analytics.ui.guard import guarded
from analytics.ui.shell import Page
from analytics.ui.side_by_side import in_each_view
from analytics.ui.widgets import Said, choose, show_metric, title, told

_DELETED_BY = {"what": "What went", "site": "Site", "modality": "Modality", "source_id": "Source"}
_HELD_BY = {"held": "Sources", "site": "Site", "modality": "Modality"}
_RULES = {name: one.name for name, one in RULES.items()}
_NOTHING_WENT = ("Nothing was found gone", "What is deleted shows from the second load of a source on. The filters and "
                 "the period may leave it out, too.")
_NOT_TWICE = ("Nothing is seen to be held twice", "A second copy shows where two sources hold one study, or a folder "
              "one object at several paths.")
_NOTHING_DUE = ("Nothing is known to be due", "No study is past its time under this rule, or what the rule needs is "
                "not known.")
_NO_ARCHIVE = ("There is no forecast to go by", "It needs an archive of known capacity, and some whole months of it.")


def content(page: Page, period: str) -> None:
    """Show what went in each period and what is held twice, what-ifs, and what is due under a retention rule."""
    left, right = st.columns(2)
    with left:
        by = choose("Deleted, by", _DELETED_BY, key="deleted-by")
        _metric_or_reason(page, "storage.deleted_by_period", drawing(figures.bars, "period", by), _NOTHING_WENT,
                          said="As the loads of each period found it", period=period, by=by,
                          site_zone=page.settings.site_zone)
    with right:
        held_by = choose("Held twice, by", _HELD_BY, key="held-by")
        _metric_or_reason(page, "storage.duplicated", drawing(figures.ranked, held_by), _NOT_TWICE,
                          said="Bytes of the further copies: held twice, which is not waste", by=held_by)
    what_if(page)
    rule = choose("Retention rule", _RULES, key="retention")
    _metric_or_reason(page, "storage.retention_due", drawing(figures.ranked, "reason"), _NOTHING_DUE, table=True,
                      said=told(page, "storage.retention_due", rule=rule), rule=rule)


def _metric_or_reason(page: Page, metric_id: str, draw: Drawing, reason: tuple[str, str], *, said: Said,
                      heading: str = "", table: bool = False, **named: Any) -> None:
    """Show a metric's card; where there is nothing in any view, why that can be."""
    views = tuple(map(page.at, page.beside)) if page.beside else (page,)
    with guarded(heading or metric_id):
        results = [seen.metric(metric_id, **named) for seen in views]
        if any(len(result.frame) for result in results):
            show_metric(page, metric_id, draw, said=said, heading=heading, table=table, **named)
            return
        with st.container(border=True, height="stretch"):
            title(results[0].spec.name)
            empty_state("no_rows", *reason)
            for sentence in results[0].notes:
                st.caption(sentence)
            for item in results[0].left_out:
                st.caption(f"Left out, {item.n:,}: {item.reason}")


def what_if(page: Page) -> None:
    """Ask which rule and which compression, and show what each archive would hold, with what is assumed."""
    title("What if studies went, or were compressed?", "From now on, on the paths of the forecast; nothing is changed")
    left, right = st.columns(2)
    with left:
        rule = choose("Studies go when due under", _RULES, key="whatif-rule")
    with right:
        compress = choose("Compress without loss", {**COMPRESSED, "nothing": "Nothing"}, key="whatif-compress")
    named = {"rule": rule, "compress": compress}
    in_each_view(page, "What if", lambda seen: _sentences(seen, named))
    _metric_or_reason(page, "storage.what_if", drawing(figures.bars, "archive", "scenario", stacked=False), _NO_ARCHIVE,
                      table=True, heading="Held in 5 years", said="At the end of the 60th month ahead", **named)
    in_each_view(page, "What is assumed", lambda seen: _assumed(seen, named))


def _sentences(page: Page, named: dict[str, str]) -> None:
    result = page.metric("storage.what_if", **named)
    for sentence in result.notes[:result.n]:
        st.markdown(sentence)


def _assumed(page: Page, named: dict[str, str]) -> None:
    result = page.metric("storage.what_if", **named)
    if result.n:
        st.markdown("Assumed:\n" + "\n".join(f"- {sentence}" for sentence in result.notes[result.n:]))
