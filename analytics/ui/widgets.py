"""What pages are made of: headline cards, the attention list, and a metric's card with all that belongs to it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Literal

import plotly.graph_objects as go
import streamlit as st

from analytics.core.errors import PacsmeterError
from analytics.core.quantity import format_quantity
from analytics.core.results import MetricResult
from analytics.metrics.catalog import METRICS
from analytics.metrics.drill import count_behind, studies_behind
from analytics.metrics.overview import Attention, Headline, attention, headlines
from analytics.reporting.axes import words
from analytics.reporting.scales import same_scale
from analytics.ui.choices import choose as choose  # a page takes its parts from here
from analytics.ui.compare import Pair
from analytics.ui.empty import empty_state
from analytics.ui.guard import guarded
from analytics.ui.navigation import BY_TITLE
from analytics.ui.pins import card_of, pin_control
from analytics.ui.shell import Page
from analytics.ui.tables import show_table

Feeling = Literal["good", "bad", "flat", ""]
FIRST = 8
"""Things that need attention shown at once."""
Draw = Callable[[MetricResult], go.Figure]
_CHART = {"displayModeBar": False, "scrollZoom": False, "doubleClick": "reset"}


@dataclass(frozen=True)
class Card:
    """One headline: a number in words, and how it changed."""

    name: str
    value: str
    change: str = ""
    feeling: Feeling = ""
    note: str = ""


def headline_row(cards: Sequence[Card]) -> None:
    """Show headlines as a row of cards."""
    drawn = "".join(
        f'<div class="pm-card" title="{escape(card.note)}"><div class="name">{escape(card.name)}</div>'
        f'<div class="value{" small" if len(card.value) > 12 else ""}">{escape(card.value)}</div>'
        + (f'<div class="change {card.feeling}">{escape(card.change)}</div>' if card.change else "")
        + (f'<div class="note">{escape(card.note)}</div>' if card.note else "") + "</div>"
        for card in cards)
    st.html(f'<div class="pm-cards">{drawn}</div>')


def title(text: str, said: str = "") -> None:
    """Write a section's title and, below it, one line about it."""
    st.html(f'<div class="pm-title">{escape(text)}</div>'
            + (f'<div class="pm-sub">{escape(said)}</div>' if said else ""))


def show_headlines(page: Page) -> None:
    """Show today's figures, each with how it changed."""
    headline_row([
        Card(item.label, format_quantity(item.value, item.unit),
             f"{item.change:+.1f} %" if item.change is not None else "", _feeling(item), item.note)
        for item in page.read(headlines, page.filters)])


def _feeling(item: Headline) -> Feeling:
    if item.change is None:
        return ""
    if item.direction == "neutral" or abs(item.change) < 0.05:
        return "flat"
    return "good" if (item.change > 0) == (item.direction == "higher") else "bad"


def attention_list(page: Page, title_of_page: str = "") -> None:
    """Show what needs attention, most urgent first, each with a way to where it is seen.

    Parameters
    ----------
    page : Page
    title_of_page : str
        Of one page, to show only what belongs there; everything where empty.
    """
    with guarded("What needs attention"):
        items = page.read(attention, page.filters, title_of_page or None)
        if not items:
            st.html('<div class="pm-quiet">Nothing here needs attention now.</div>')
            return
        with st.container(border=True, gap="xxsmall"):
            title("What needs attention")
            for place, item in enumerate(items[:FIRST]):
                _attention(page, item, place, title_of_page)
            if len(items) > FIRST:
                with st.expander(f"{len(items) - FIRST} more"):
                    for place, item in enumerate(items[FIRST:], start=FIRST):
                        _attention(page, item, place, title_of_page)


def _attention(page: Page, item: Attention, place: int, here: str) -> None:
    said, way = st.columns([0.84, 0.16], vertical_alignment="center", gap="small")
    said.html(f'<div class="pm-item {item.severity}"><span class="dot"></span><span><b class="pm-word">'
              f"{item.severity.value}</b> {escape(item.sentence)}</span></div>")
    if here != item.page or item.filters != page.filters:
        with way, st.container(horizontal_alignment="right"):
            st.page_link(BY_TITLE[item.page].file, label="Narrow to it" if here == item.page else item.page,
                         icon=":material/arrow_forward:", query_params=item.filters.to_query())


def show_metric(page: Page, metric_id: str, draw: Draw, *, heading: str = "", said: str = "",
                key: str = "", table: bool = False, **named: Any) -> None:
    """Show a metric's card: chart, the studies behind a clicked mark, what the number means, downloads.

    Parameters
    ----------
    page : Page
    metric_id : str
        The metric; ``named`` are its further arguments.
    draw : callable
        Makes the figure of the result.
    heading, said : str
        Title of the card and one line below it; the metric's own name where not given.
    key : str
        Tells two cards of one metric apart.
    table : bool
        Whether the table stands below the chart, and not behind "What this means".
    """
    with st.container(border=True, height="stretch"), guarded(heading or metric_id):
        if page.beside:
            _side_by_side(page, page.beside, metric_id, draw, heading, key, named)
        else:
            card = card_of(page, metric_id, draw, heading, named)
            show_result(page, page.metric(metric_id, **named), draw, heading=heading, said=said, key=key, table=table,
                        card=card)


def _side_by_side(page: Page, pair: Pair, metric_id: str, draw: Draw, heading: str, key: str,
                  named: dict[str, Any]) -> None:
    """Show a metric of two views beside each other, on one scale."""
    title(heading or METRICS[metric_id].spec.name)
    shown: list[tuple[Any, Page, MetricResult, go.Figure | None]] = []
    for column, view in zip(st.columns(2), pair, strict=True):
        with column, guarded(heading or metric_id):
            title("", view.name)
            seen = page.at(view)
            result = seen.metric(metric_id, **named)
            shown.append((column, seen, result, None if result.frame.empty else draw(result)))
    figures = [figure for *_, figure in shown if figure is not None]
    if len(figures) == 2:
        same_scale(*figures)
    for place, (column, seen, result, figure) in enumerate(shown):
        with column, guarded(heading or metric_id):
            _answer(seen, result, figure, f"{key}{place}", table=False, card="")


def show_result(page: Page, result: MetricResult, draw: Draw, *, heading: str = "", said: str = "", key: str = "",
                table: bool = False, card: str = "") -> None:
    """Show a result that is already there; see `show_metric`. ``card`` is what pins it to the overview."""
    title(heading or result.spec.name, said)
    _answer(page, result, None if result.frame.empty else draw(result), key, table=table, card=card)


def _answer(page: Page, result: MetricResult, figure: go.Figure | None, key: str, *, table: bool,
            card: str) -> None:
    """Show a result's chart, the studies behind a clicked mark, and what the number means."""
    if figure is None:
        empty_state("no_rows", "No exam matches", "Widen the period or take a filter off.")
        _meaning(page, result, key)
        return
    stem = f"{result.spec.id}-{key}-{_digest(page, result)}"
    chosen = st.plotly_chart(figure, key=f"chart-{stem}", on_select="rerun", selection_mode="points",
                             config=_CHART, alt=str(result))
    mark = _clicked(chosen)
    if mark is not None and result.rows is not None:
        _behind(page, result, mark, stem)
    if table:
        _table(page, result, stem)
    _meaning(page, result, stem, with_table=not table, card=card)


def show_chart(figure: go.Figure, *, key: str | None = None, selectable: bool = False) -> dict[str, Any]:
    """Show a figure that is not a metric's; return what the clicked mark stands for, nothing where none is."""
    if not selectable:
        st.plotly_chart(figure, key=key, config=_CHART)
        return {}
    return _clicked(st.plotly_chart(figure, key=key, on_select="rerun", selection_mode="points", config=_CHART)) or {}


def _digest(page: Page, result: MetricResult) -> str:
    """Tell one state of a chart from another, so that a selection does not outlive what it selected."""
    said = f"{page.revision}|{page.filters}|{result.dimensions}|{len(result.frame)}|{result.frame.iloc[0].to_dict()}"
    return hashlib.blake2s(said.encode(), digest_size=4).hexdigest()


def _clicked(state: Any) -> dict[str, Any] | None:
    points = state.selection.points if state else []
    marks = [point["customdata"] for point in points if isinstance(point.get("customdata"), dict)]
    return marks[0] if marks else None


def _behind(page: Page, result: MetricResult, mark: dict[str, Any], stem: str) -> None:
    group = " · ".join(words(name, value) for name, value in mark.items())
    count = count_behind(page.warehouse, result, mark)
    found = studies_behind(page.warehouse, result, mark)
    found = found[["exam_date", *(name for name in found.columns if name != "exam_date")]]
    more = f", the latest {len(found):,} of them here" if count > len(found) else ""
    title(f"{count:,} studies behind {group or result.spec.name}", f"The rows this mark was made from{more}.")
    show_table(page, found, f"Studies behind {result.spec.name}", studies=True, key=stem,
               hide=("exam_id", "study_instance_uid", *(name for name in result.dimensions if name == "period")))


def _table(page: Page, result: MetricResult, stem: str) -> None:
    numbers = result.frame.select_dtypes("number").columns.difference(list(result.dimensions))
    units = {str(name): result.unit_of(str(name)) for name in numbers}
    show_table(page, result.frame, result.spec.name, units=units, key=stem, result=result)


def _meaning(page: Page, result: MetricResult, stem: str, *, with_table: bool = False, card: str = "",
             ) -> None:
    spec = result.spec
    with st.expander("What this means, and its table"):
        st.markdown(f"**{spec.name}.** {spec.definition}")
        facts = [f"n = {result.n:,}", f"snapshot {result.revision}", f"`{spec.id}`"]
        if spec.direction != "neutral":
            facts.append(f"{spec.direction} is better")
        if spec.rid:
            facts.append(spec.rid)
        st.caption(" · ".join(facts))
        _bullets("Left out", (f"{item.n:,}: {item.reason}" for item in result.left_out))
        _bullets("Note", result.notes)
        st.caption(f"Source: {spec.citation}")
        if with_table and not result.frame.empty:
            _table(page, result, stem)
        if card:
            pin_control(card, stem)


def _bullets(heading: str, items: Iterable[str]) -> None:
    said = list(items)
    if said:
        st.markdown(f"{heading}:\n" + "\n".join(f"- {item}" for item in said))


def told(page: Page, metric_id: str, **named: Any) -> str:
    """Return the first thing a result says beside its numbers, such as which windows it compares."""
    try:
        return next(iter(page.metric(metric_id, **named).notes), "")
    except PacsmeterError:
        return ""


def change_words(now: float | None, before: float | None, unit: str, against: str) -> str:
    """Write how a number changed: ``+4.2 % against the 13 weeks before``."""
    if now is None or before is None or not before:
        return ""
    return f"{100 * (now - before) / abs(before):+.1f} % {against} ({format_quantity(before, unit)})"
