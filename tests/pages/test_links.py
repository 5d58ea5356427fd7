"""Whatever is chosen on a page, its address brings the same view back in a session that knows nothing of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from analytics.core.settings import Settings
from analytics.costs.assumptions import Assumptions
from analytics.costs.price_book import load_price_book
from analytics.ui import address
from analytics.ui.cost_address import (
    ASSUMED,
    PRICED,
    changed_assumptions,
    changed_prices,
    read_assumptions,
    read_prices,
)
from analytics.ui.navigation import BY_TITLE, COMPARING
from analytics.warehouse.schema import instances
from analytics.warehouse.store import open_store
from tests.pages.conftest import Opened
from tests.pages.test_pages import asked, said, verdict

KINDS = ("multiselect", "button_group", "selectbox", "number_input", "date_input", "text_input")
"""What is chosen first decides what is offered after it, such as the checks of a category."""
NO_VIEW = ("row-", "scenario", "filter-")
"""Ways to a study and to what was saved; the filters have a test of their own."""
ONE_OF_EACH = {"sites": "Northgate", "modalities": "CT", "station_names": "NGHCT1", "patient_classes": "E",
               "priorities": "S"}


def widgets(page: AppTest, *, filters: bool = False) -> dict[str, Any]:
    """Return what a page lets a reader choose, by key."""
    return {widget.key: widget for kind in KINDS for widget in page.get(kind)
            if widget.key and (filters or not widget.key.startswith(NO_VIEW))}


def view(page: AppTest) -> dict[str, Any]:
    """Return what a page shows: its choices, words, charts and tables."""
    return {"choices": {key: widget.value for key, widget in widgets(page, filters=True).items()}, "words": said(page),
            "charts": [json.loads(chart.proto.spec) for chart in page.get("plotly_chart")],
            "tables": [table.value.to_csv() for table in page.dataframe]}


def link(page: AppTest) -> dict[str, Any]:
    return {name: asked(page, name) for name in page.query_params}


def another(widget: Any, offered: dict[str, list[Any]]) -> Any:
    """Return a choice that is not the present one; ``None`` where there is no other."""
    kind = widget.type
    if kind == "number_input":
        return 5 if widget.value is None else widget.value + (1 if widget.value < widget.max else -1)
    if kind == "date_input":
        return widget.value - timedelta(days=40)
    if kind == "text_input":
        return "time"
    if kind == "multiselect":
        return widget.value[:1]
    return next((value for value in offered[widget.key] if value != widget.value), None)


def choose_every(page: AppTest, offered: dict[str, list[Any]], *, leave: tuple[str, ...]) -> list[str]:
    """Set each choice of a page to another one, one after the other; return the keys of those that have another."""
    seen, chosen = [], []
    while left := [key for key in widgets(page) if key not in (*seen, *leave)]:
        seen.append(left[0])
        widget = widgets(page)[left[0]]
        value = another(widget, offered)
        if value is not None:
            widget.set_value(value).run()
            chosen.append(left[0])
        assert not page.exception and not page.warning, left[0]
    return [key for key in chosen if key in widgets(page)]


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Any]]:
    """Give what each list or row of buttons offers, as it is drawn."""
    known: dict[str, list[Any]] = {}
    ask = address.asked

    def noted(name: str, values: Any) -> Any:
        known[name] = list(values)
        return ask(name, values)

    monkeypatch.setattr(address, "asked", noted)
    return known


@pytest.mark.parametrize(("title", "compare"), [
    (title, compare) for title in BY_TITLE for compare in ((False, True) if title in COMPARING else (False,))])
def test_every_choice_of_a_page_is_in_its_link(app: Opened, offered: dict[str, list[Any]], demo_home: Path,
                                               title: str, compare: bool):
    start = {"find": study_with_images(demo_home)} if title == "Study" else {}
    page = app(BY_TITLE[title].file, **start)
    chosen = choose_every(page, offered, leave=("find",) if compare else ("find", "compare"))
    assert set(chosen) <= set(link(page))

    again = app(BY_TITLE[title].file, **link(page))
    assert not again.exception and not again.warning and not page.error
    before, after = view(page), view(again)
    for part in before:
        assert after[part] == before[part], part


def study_with_images(home: Path) -> str:
    warehouse = open_store(Settings(home=home, _env_file=None)).current()  # type: ignore[call-arg]
    return str(warehouse.scalar(sa.select(sa.func.min(instances.c.study_instance_uid)).where(
        instances.c.modality == "MR", instances.c.rows > 0)))


@pytest.mark.parametrize("title", [title for title in BY_TITLE if title not in ("Study", "Definitions")])
def test_every_filter_of_a_page_is_in_its_link(app: Opened, title: str):
    page = app(BY_TITLE[title].file)
    for name, value in ONE_OF_EACH.items():
        page.multiselect(key=f"filter-{name}").set_value([value]).run()
    page.selectbox(key="filter-period").set_value("Chosen dates").run()
    page.date_input(key="filter-dates").set_value((date(2025, 2, 3), date(2026, 8, 4))).run()
    assert sorted(link(page)) == sorted((*ONE_OF_EACH, "date_from", "date_to"))

    again = app(BY_TITLE[title].file, **link(page))
    assert not again.exception and view(again) == view(page)


def test_a_link_brings_assumptions_and_prices_back(app: Opened):
    page = app("pages/costs.py")
    usual = verdict(page)
    page.session_state[ASSUMED] = Assumptions(horizon_years=3, growth_bytes=0.25)
    page.session_state[PRICED] = load_price_book().with_price("hardware", 9.5, "a quote: 7|8", date(2026, 1, 2))
    page.session_state["costs-version"] = 1
    page.run()
    again = app("pages/costs.py", **link(page))
    assert not again.warning and verdict(again) == verdict(page) != usual
    assert again.session_state[ASSUMED] == page.session_state[ASSUMED]
    assert again.session_state[PRICED] == page.session_state[PRICED]


@pytest.mark.parametrize(("name", "text"), [
    (ASSUMED, "nonsense"), (ASSUMED, '{"dragons": 1}'), (ASSUMED, '{"horizon_years": "x"}'), (ASSUMED, "[1]"),
    (ASSUMED, '{"discount_rate": NaN}'), (PRICED, '[["no_such_price", 1, "me", "2026-01-01"]]'), (PRICED, "3"),
    (PRICED, '[["hot_storage", 1, "", "2026-01-01"]]'), (PRICED, '[["hot_storage", 1, "me", 5]]'),
    (ASSUMED, f'{{"discount_rate": {"9" * 400}}}'), (PRICED, "[" * 5_000)])
def test_a_link_whose_money_cannot_be_read_says_so(app: Opened, name: str, text: str):
    page = app("pages/costs.py", **{name: text})
    assert not page.exception and not page.error and "not offered here" in page.warning[0].value
    assert name not in page.query_params


HUGE = "9" * 400


@pytest.mark.parametrize(("read", "text"), [
    *((read_assumptions, text) for text in (
        f'{{"discount_rate": {HUGE}}}', f'{{"dragons": {HUGE}}}', "[" * 100_000, '{"horizon_years": true}',
        '{"horizon_years": null}', '{"horizon_years": "7"}')),
    *((read_prices, text) for text in (
        f'[["hot_storage", {HUGE}, "me", "2026-01-01"]]', "[" * 100_000, "[" * 100_000 + "]" * 100_000,
        '[["hot_storage", true, "me", "2026-01-01"]]', '[["hot_storage", "5", "me", "2026-01-01"]]'))],
    ids=lambda value: getattr(value, "__name__", str(value)[:30]))
def test_what_is_no_number_or_too_much_of_one_cannot_be_read(read: Callable[[str], Any], text: str):
    with pytest.raises(ValueError):
        read(text)


@given(st.builds(Assumptions, horizon_years=st.integers(1, 30), discount_rate=st.floats(0, 0.5),
                 growth_bytes=st.none() | st.floats(-0.5, 2), hardware_age_years=st.none() | st.integers(0, 50)))
def test_assumptions_are_read_as_they_were_written(assumptions: Assumptions):
    text = changed_assumptions(assumptions)
    assert (read_assumptions(text) if text else Assumptions()) == assumptions


@given(st.dictionaries(st.sampled_from([price.id for price in load_price_book()]), st.tuples(
    st.floats(0, 1e9), st.text(min_size=1).filter(str.strip), st.dates()), max_size=3))
def test_prices_are_read_as_they_were_written(changes: dict[str, tuple[float, str, date]]):
    book = load_price_book()
    for price_id, change in changes.items():
        book = book.with_price(price_id, *change)
    text = changed_prices(book)
    assert (read_prices(text) if text else load_price_book()) == book
