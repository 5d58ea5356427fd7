"""A cost-benefit view in the page's address: the assumptions and prices that are not those that ship."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date

import streamlit as st

from analytics.core.errors import PacsmeterError
from analytics.costs.assumptions import Assumptions
from analytics.costs.price_book import PriceBook, load_price_book
from analytics.ui import address

ASSUMED, PRICED = "costs-assumptions", "costs-prices"
"""Names in the address, and of what the session keeps."""
_UNREADABLE = (PacsmeterError, TypeError, OverflowError, RecursionError)
"""What a text that is not ours raises besides ValueError: a number of 400 digits, brackets without end."""


def changed_assumptions(assumptions: Assumptions) -> str:
    """Write the assumptions that are not those that ship, as JSON; empty where all are."""
    usual = asdict(Assumptions())
    changed = {name: value for name, value in asdict(assumptions).items() if value != usual[name]}
    return json.dumps(changed, sort_keys=True) if changed else ""


def read_assumptions(said: str) -> Assumptions:
    """Read what `changed_assumptions` wrote; ValueError where it is not readable."""
    try:
        usual = asdict(Assumptions())
        changed = {name: None if value is None and usual.get(name) is None else _number(value)
                   for name, value in dict(json.loads(said)).items()}
        return Assumptions.from_json(json.dumps(changed))
    except _UNREADABLE as error:
        raise ValueError(said) from error


def changed_prices(prices: PriceBook) -> str | None:
    """Write the prices that are not those that ship; ``None`` where the book differs in more, and fits no link."""
    shipped = load_price_book()
    usual = {price.id: price for price in shipped}
    changed = [[one.id, one.value, one.source, one.date.isoformat()] for one in prices if one != usual.get(one.id)]
    if not changed:
        return "" if prices == shipped else None
    said = json.dumps(changed)
    try:
        return said if read_prices(said) == prices else None
    except ValueError:
        return None


def read_prices(said: str) -> PriceBook:
    """Read what `changed_prices` wrote; ValueError where it is not readable."""
    try:
        book = load_price_book()
        for price_id, value, source, day in json.loads(said):
            book = book.with_price(price_id, float(_number(value)), str(source), date.fromisoformat(day))
    except _UNREADABLE as error:
        raise ValueError(said) from error
    return book


def _number(value: object) -> int | float:
    """Return a number of JSON, a whole one as such; nothing else is one, though Python takes ``true`` for 1."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(value)
    return int(value) if float(value).is_integer() else value


def take_up() -> bool:
    """Keep in the session what a link says; whether there was something new, so that editors have to begin anew."""
    news = False
    for name, read in ((ASSUMED, read_assumptions), (PRICED, read_prices)):
        if st.query_params.get(name) == st.session_state.get(_own(name)):
            continue  # what this session wrote there itself
        asked = address.entered(name, read)
        if asked is not None:
            st.session_state[name] = asked
            news = True
    return news


def keep(assumptions: Assumptions, prices: PriceBook) -> None:
    """Write to the address what is set; say so where a link cannot hold it."""
    priced = changed_prices(prices)
    for name, said in ((ASSUMED, changed_assumptions(assumptions)), (PRICED, priced or "")):
        address.keep(name, said, "")
        st.session_state[_own(name)] = said or None
    if priced is None:
        st.caption("This price book has other lines than the one that ships: a link does not carry it. Save it as a "
                   "scenario.")


def _own(name: str) -> str:
    return f"{name}-in-address"
