"""The filter bar: what it can be set to comes from the snapshot, what it is set to lives in the session."""

from __future__ import annotations

from datetime import date, timedelta

import streamlit as st

from analytics.core.errors import PacsmeterError
from analytics.core.filters import Filters
from analytics.core.terms import PATIENT_CLASSES, PRIORITIES
from analytics.metrics.facets import Choices

_STATE = "filters"
_FIELDS = ("date_from", "date_to", "sites", "modalities", "station_names", "patient_classes", "priorities")
ALL, CUSTOM = "All dates", "Chosen dates"


def presets(last: date) -> dict[str, tuple[date, date]]:
    """Return the periods offered by name: first and last day of each, counted back from the last day of the data."""
    month = last.replace(day=1)
    month_before = (month - timedelta(days=1)).replace(day=1)
    return {
        "Last 30 days": (last - timedelta(days=29), last),
        "Last 13 weeks": (last - timedelta(days=90), last),
        "Last 52 weeks": (last - timedelta(days=363), last),
        "This month": (month, last),
        "Last month": (month_before, month - timedelta(days=1)),
        "This year": (date(last.year, 1, 1), last),
        "Last year": (date(last.year - 1, 1, 1), date(last.year - 1, 12, 31)),
    }


def current() -> Filters:
    """Return the filters of this session; a link that was followed here sets them first."""
    held: Filters = st.session_state.get(_STATE, Filters())
    asked = {name: st.query_params.get_all(name) for name in _FIELDS if name in st.query_params}
    if asked and asked != held.to_query():
        try:
            held = Filters.from_query(asked)
        except PacsmeterError as error:
            st.warning(f"{error.what}. {error.remedy} All dates are shown.", icon=":material/link_off:")
            held = Filters()
    st.session_state[_STATE] = held
    return held


def _write(filters: Filters) -> None:
    """Keep filters in the session and mirror them to the page's address."""
    st.session_state[_STATE] = filters
    query = filters.to_query()
    for name in _FIELDS:
        if name in query:
            if st.query_params.get_all(name) != query[name]:
                st.query_params[name] = query[name]
        elif name in st.query_params:
            del st.query_params[name]


def _copy(name: str) -> None:
    held: Filters = st.session_state[_STATE]
    _write(held.where(**{name: tuple(st.session_state[f"filter-{name}"])}))


def _copy_period(last: date) -> None:
    chosen = st.session_state["filter-period"]
    held: Filters = st.session_state[_STATE]
    if chosen == CUSTOM:
        st.session_state["filter-custom"] = True
        return
    st.session_state["filter-custom"] = False
    first, until = presets(last).get(chosen, (None, None))
    _write(held.where(date_from=first, date_to=until))


def _copy_dates() -> None:
    chosen = st.session_state["filter-dates"]
    if len(chosen) == 2:
        _write(st.session_state[_STATE].where(date_from=chosen[0], date_to=chosen[1]))


def _clear() -> None:
    st.session_state["filter-custom"] = False
    _write(Filters())


def _choice(name: str, label: str, options: tuple[str, ...], held: tuple[str, ...],
            names: dict[str, str] | None = None) -> None:
    # A link can name what this snapshot does not hold; it stays visible, so that it can be taken off.
    offered = [*options, *(value for value in held if value not in options)]
    st.session_state[f"filter-{name}"] = list(held)
    st.multiselect(label, offered, key=f"filter-{name}", on_change=_copy, args=(name,), placeholder="All",
                   format_func=lambda value: (names or {}).get(value, value))


def _period(choices: Choices, held: Filters) -> None:
    last = choices.last_date or date(2000, 1, 1)
    named = presets(last)
    dates = (held.date_from, held.date_to)
    known = next((name for name, span in named.items() if span == dates), ALL if dates == (None, None) else CUSTOM)
    if st.session_state.get("filter-custom"):
        known = CUSTOM
    st.session_state["filter-period"] = known
    st.selectbox("Period", [ALL, *named, CUSTOM], key="filter-period", on_change=_copy_period, args=(last,))
    if known == CUSTOM:
        st.session_state["filter-dates"] = (held.date_from or choices.first_date or last, held.date_to or last)
        st.date_input("First and last exam date", key="filter-dates", on_change=_copy_dates, format="YYYY-MM-DD")


def draw_filters(choices: Choices) -> Filters:
    """Draw the filter bar and return what it is set to."""
    held = current()
    _write(held)
    devices = tuple(sorted({
        device.station_name for device in choices.devices
        if (not held.sites or device.site in held.sites)
        and (not held.modalities or device.modality in held.modalities)}))
    by_date = st.session_state.get("filter-custom") or (
        (held.date_from, held.date_to) not in {(None, None), *presets(choices.last_date or date(2000, 1, 1)).values()})
    # Two whole dates need more room than a period's name.
    period, sites, modalities, stations, more = st.columns(
        [1.5, 1.25, 1.2, 1.1, 0.8] if by_date else [1.15, 1.1, 1.2, 1.3, 0.85], vertical_alignment="bottom")
    with period:
        _period(choices, held)
    with sites:
        _choice("sites", "Site", choices.sites, held.sites)
    with modalities:
        _choice("modalities", "Modality", choices.modalities, held.modalities)
    with stations:
        _choice("station_names", "Device", devices, held.station_names)
    count = len(held.patient_classes) + len(held.priorities)
    with more, st.popover(f"More ({count})" if count else "More", width="stretch", icon=":material/tune:"):
        _choice("patient_classes", "Patient class", choices.patient_classes, held.patient_classes, PATIENT_CLASSES)
        _choice("priorities", "Priority", choices.priorities, held.priorities, PRIORITIES)
        st.button("Clear every filter", on_click=_clear, width="stretch", disabled=held == Filters())
    return held
