"""The parts of the cost-benefit page: what is assumed, what things cost, what each option comes to, saved scenarios."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pandas as pd
import streamlit as st

from analytics.core.errors import PacsmeterError
from analytics.core.filters import Filters
from analytics.core.quantity import format_quantity
from analytics.costs.appraisal import Appraisal, Verdict, appraise
from analytics.costs.assumptions import Assumptions
from analytics.costs.demand import Demand, measured_demand
from analytics.costs.options import OPTIONS
from analytics.costs.price_book import PriceBook, load_price_book, read_price_book
from analytics.costs.sensitivity import Spread, monte_carlo, tornado
from analytics.ledger.ledger import Ledger
from analytics.reporting.money import money_words
from analytics.reporting.report import Scenario
from analytics.ui import address, cache
from analytics.ui.choices import choose_several
from analytics.ui.cost_address import ASSUMED, PRICED
from analytics.ui.reports import offer_report
from analytics.ui.shell import Page
from analytics.ui.widgets import title

_OPTIONS, _VERSION = "costs-options", "costs-version"
_WHOLE = frozenset({"horizon_years", "refresh_years", "hardware_age_years"})
_DEFAULT = ("tier_instant", "recompress", "recompress_tier_instant")


def appraisal_of(warehouse: Any, filters: Filters, assumptions: Assumptions, prices: PriceBook,
                 option_ids: tuple[str, ...]) -> Appraisal:
    """Measure what has to be stored and appraise the options."""
    return appraise(measured_demand(warehouse, filters), assumptions, prices, option_ids)


def swings_of(warehouse: Any, filters: Filters, assumptions: Assumptions, prices: PriceBook,
              option_id: str) -> tuple[pd.DataFrame, Spread]:
    """Say what one option's verdict depends on, and where it lies when everything varies."""
    appraisal = appraisal_of(warehouse, filters, assumptions, prices, ("keep", option_id))
    return tornado(appraisal, option_id), monte_carlo(appraisal, option_id)


def choose_options() -> tuple[str, ...]:
    """Let the reader choose what is compared with keeping on site."""
    others = {name: option.title for name, option in OPTIONS.items() if name != "keep"}
    return ("keep", *choose_several("Compared with keeping on site", others, key=_OPTIONS, usual=_DEFAULT))


def begin_anew() -> None:
    """Let the editors begin from what the session keeps, in the place of what was edited on this page."""
    st.session_state[_VERSION] = st.session_state.get(_VERSION, 0) + 1


def _start(key: str, default: Any) -> tuple[Any, str]:
    """Return what an editor starts from and its key: an editor keeps its own changes while its page is open."""
    version = st.session_state.get(_VERSION, 0)
    editor = f"{key}-editor-{version}"
    if editor not in st.session_state or f"{key}-start" not in st.session_state:
        st.session_state[f"{key}-start"] = st.session_state.get(key, default)
    return st.session_state[f"{key}-start"], editor


def edit_assumptions(demand: Demand) -> Assumptions:
    """Show the assumptions as a table that can be edited, and return them."""
    start, editor = _start(ASSUMED, Assumptions())
    measured = {f"growth_{name}": growth.rate for name, growth in demand.growth.items()}
    measured["hardware_age_years"] = demand.hardware_age_years
    rows = pd.DataFrame([{
        "name": one.name, "label": one.metadata["label"], "value": getattr(start, one.name),
        "measured": measured.get(one.name), "unit": one.metadata["unit"], "source": one.metadata["source"],
    } for one in fields(start)]).astype({"value": float, "measured": float})
    edited = st.data_editor(
        rows, key=editor, hide_index=True, disabled=["label", "measured", "unit", "source"], height=430,
        column_order=["label", "value", "measured", "unit", "source"], column_config={
            "label": st.column_config.TextColumn("Assumption", width="large"),
            "value": st.column_config.NumberColumn("Value", help="Empty: as measured. Fractions: 0.05 is 5 %."),
            "measured": st.column_config.NumberColumn("Measured", format="%.3f"), "unit": "Unit", "source": "Source"})
    values: dict[str, Any] = {str(name): _entered(str(name), value) for name, value in
                              zip(edited["name"], edited["value"], strict=True)}
    empty = [one for one in fields(Assumptions) if values[one.name] is None and one.default is not None]
    if empty:
        raise PacsmeterError(f"{empty[0].metadata['label']} is empty", "Give it a value.", empty[0].name)
    st.session_state[ASSUMED] = Assumptions(**values)
    return st.session_state[ASSUMED]


def _entered(name: str, value: float) -> float | int | None:
    """Return what was entered in a cell: nothing, a whole number where years are counted, or a number."""
    if pd.isna(value):
        return None
    return int(value) if name in _WHOLE and float(value).is_integer() else float(value)


def edit_prices() -> PriceBook:
    """Show the price book as a table that can be edited, and return it; a changed price needs its source."""
    start, editor = _start(PRICED, load_price_book())
    rows = pd.DataFrame([{"id": price.id, "item": price.item, "value": price.value, "unit": price.unit,
                          "source": price.source, "date": price.date, "note": price.note} for price in start])
    edited = st.data_editor(
        rows, key=editor, hide_index=True, disabled=["item", "unit", "note"], height=430,
        column_order=["item", "value", "unit", "source", "date", "note"], column_config={
            "item": st.column_config.TextColumn("Price", width="large"), "value": "Value", "unit": "Unit",
            "source": st.column_config.TextColumn("Source", width="medium"), "note": "Note",
            "date": st.column_config.DateColumn("As of", format="YYYY-MM-DD")})
    book = start
    for old, new in zip(start, edited.itertuples(), strict=True):
        if (old.value, old.source, old.date) != (new.value, new.source, new.date):
            book = book.with_price(old.id, float(new.value), new.source or "", pd.Timestamp(new.date).date())
    st.session_state[PRICED] = book
    return book


def verdict_table(appraisal: Appraisal) -> pd.DataFrame:
    """Return each option's indicators as a finance reader expects them, in words."""
    currency = appraisal.prices.currency

    def row(one: Verdict) -> dict[str, str]:
        base = one is appraisal.baseline
        return {
            "Option": one.flow.option.title, "Total cost": format_quantity(one.total_cost, currency),
            "Present cost": format_quantity(one.present_cost, currency),
            "Net present value": "baseline" if base else format_quantity(one.npv, currency),
            "Internal rate of return": "" if base else f"{100 * one.irr.value:.1f} %" if one.irr.value is not None
            else "none",
            "Payback": "" if base else _years(one.payback_years),
            "Discounted payback": "" if base else _years(one.discounted_payback_years),
            "Benefit-cost ratio": "" if base or one.benefit_cost_ratio is None else f"{one.benefit_cost_ratio:.2f}",
            "Cost a study": format_quantity(one.cost_per_study, currency),
        }

    return pd.DataFrame([row(one) for one in appraisal.verdicts])


def _years(value: float | None) -> str:
    if value is None:
        return "not within the horizon"
    return "at once" if value == 0 else f"{value:.1f} years"


def spread_words(spread: Spread, currency: str) -> str:
    """Say what came of drawing every assumption at random."""
    return (f"With every main assumption drawn at random within ± 20 % ({spread.draws:,} draws), the option pays in "
            f"{100 * spread.pays:.0f} % of them; its net present value lies between "
            f"{money_words(spread.low, currency)} and {money_words(spread.high, currency)} in 9 of 10, "
            f"with {money_words(spread.median, currency)} in the middle.")


def show_downloads(assumptions: Assumptions, prices: PriceBook, option_ids: tuple[str, ...], page: Page) -> None:
    """Offer the appraisal as a PDF and as a workbook with live formulas."""
    scenario = Scenario(assumptions, prices, option_ids)
    with st.container(horizontal=True):
        for form, label in (("xlsx", "Workbook with live formulas"), ("pdf", "Report as PDF")):
            offer_report(page, "cost_benefit", form, label, scenario)


def show_scenarios(option_ids: tuple[str, ...], assumptions: Assumptions, prices: PriceBook) -> None:
    """Let the reader save what is set here under a name, and take up what was saved."""
    ledger: Ledger = cache.ledger()
    title("Scenarios", "What is set on this page, kept under a name. Nothing saved is ever lost.")
    left, right = st.columns(2, vertical_alignment="bottom")
    with left, st.form("save-scenario", border=False):
        name, who = st.columns(2)
        wanted = name.text_input("Name", placeholder="Tender of spring 2027")
        person = who.text_input("Your name or initials")
        if st.form_submit_button("Save scenario"):
            ledger.save_scenario(wanted, prices.to_csv(), assumptions.to_json(), option_ids, person)
            st.success(f"Saved as {wanted}.")
    with right:
        saved = {one.name: one for one in ledger.scenarios()}
        chosen = st.selectbox("Saved scenarios", list(saved), index=None, placeholder="None chosen", key="scenario",
                              format_func=lambda one: f"{one} · {saved[one].saved_by} · {saved[one].saved_at:%Y-%m-%d}")
        if st.button("Take up this scenario", disabled=chosen is None) and chosen:
            scenario = saved[chosen]
            st.session_state[ASSUMED] = Assumptions.from_json(scenario.assumptions)
            st.session_state[PRICED] = read_price_book(scenario.price_book, scenario.name)
            chosen_options = tuple(one for one in scenario.option_ids if one != "keep")
            st.session_state[f"chosen-{_OPTIONS}"] = chosen_options
            address.keep(_OPTIONS, chosen_options, _DEFAULT)
            begin_anew()
            st.rerun()
