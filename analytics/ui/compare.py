"""Two periods or two sites side by side: what is compared is chosen once, and every chart of a page shows both."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import streamlit as st

from analytics.core.filters import Filters
from analytics.metrics.facets import Choices
from analytics.metrics.scope import whole_until
from analytics.metrics.windows import YEAR_OF_WEEKS, chosen_days
from analytics.reporting.axes import words
from analytics.ui.choices import choose

_KEY = "compare"
_NOTHING, _BEFORE, _YEAR = "nothing", "before", "year"


@dataclass(frozen=True)
class View:
    """One side of a comparison: what it is called, and its filters."""

    name: str
    filters: Filters


Pair = tuple[View, View]


def pair_of(compared: str, filters: Filters, choices: Choices) -> Pair | None:
    """Return the two sides of a comparison; ``None`` where nothing is compared.

    Parameters
    ----------
    compared : str
        ``before`` (as many days just before), ``year`` (the same weekdays 52 weeks before), or a site's name. Where no
        period is chosen, periods are those of the last 13 whole weeks of the data.
    filters : Filters
        Of the page.
    choices : Choices
        What the snapshot holds.
    """
    if compared in (_BEFORE, _YEAR):
        return _periods(compared, filters, choices)
    if compared not in choices.sites or filters.sites == (compared,):
        return None
    other = filters.where(sites=(compared,), station_names=())
    rest = filters if filters.sites else filters.where(
        sites=tuple(site for site in choices.sites if site != compared))
    here = ", ".join(rest.sites)
    return (View(here, rest), View(compared, other)) if here else None


def _periods(compared: str, filters: Filters, choices: Choices) -> Pair | None:
    if choices.last_date is None:
        return None
    after_last = choices.last_date + timedelta(days=1)
    # a day that is not over would look like a fall
    first, last = chosen_days(filters, min(after_last, whole_until(choices.as_of) or after_last))
    if first > last:
        return None
    length = timedelta(days=(last - first).days + 1)
    shift = YEAR_OF_WEEKS if compared == _YEAR else length
    spans = ((first, last), (first - shift, last - shift))
    this, before = (View(f"{words('exam_date', start)} to {words('exam_date', end)}",
                         filters.where(date_from=start, date_to=end)) for start, end in spans)
    return this, before


def choose_pair(filters: Filters, choices: Choices) -> Pair | None:
    """Let the reader choose what to see beside the page's own view, in the sidebar."""
    offered = {_NOTHING: "Nothing", _BEFORE: "The period just before", _YEAR: "The same weekdays a year before"}
    if len(choices.sites) > 1:
        offered |= {site: site for site in choices.sites if filters.sites != (site,)}
    with st.sidebar:
        return pair_of(choose("Compare this page with", offered, key=_KEY, many=True), filters, choices)
