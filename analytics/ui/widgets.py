"""What pages are made of: headline cards, the attention list, and a metric's card with all that belongs to it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from analytics.core.errors import PacsmeterError
from analytics.core.results import MetricResult
from analytics.metrics.catalog import METRICS
from analytics.metrics.drill import count_behind, studies_behind
from analytics.reporting.axes import words
from analytics.reporting.scales import same_scale
from analytics.ui.attention import attention_list as attention_list  # a page takes its parts from here
from analytics.ui.cards import Card as Card
from analytics.ui.cards import headline_row as headline_row
from analytics.ui.cards import show_cards as show_cards
from analytics.ui.cards import title as title
from analytics.ui.choices import choose as choose
from analytics.ui.compare import Pair
from analytics.ui.empty import empty_state
from analytics.ui.guard import guarded
from analytics.ui.pins import card_of, pin_control
from analytics.ui.shell import Page
from analytics.ui.side_by_side import view_name
from analytics.ui.tables import show_table

Draw = Callable[[MetricResult], go.Figure]
Said = str | Callable[[Page], str]
"""One line below a heading: the same for every view, or what a view says; see `told`."""
_CHART = {"displayModeBar": False, "scrollZoom": False, "doubleClick": "reset"}


def show_metric(page: Page, metric_id: str, draw: Draw, *, heading: str = "", said: Said = "",
                key: str = "", table: bool = False, **named: Any) -> None:
    """Show a metric's card: chart, the studies behind a clicked mark, what the number means, downloads.

    Parameters
    ----------
    page : Page
    metric_id : str
        The metric; ``named`` are its further arguments.
    draw : callable
        Makes the figure of the result.
    heading : str
        Title of the card; the metric's own name where not given.
    said : str or callable
        One line below it; where a callable, what it says of the view.
    key : str
        Tells two cards of one metric apart.
    table : bool
        Whether the table stands below the chart, and not behind "What this means".
    """
    with st.container(border=True, height="stretch"), guarded(heading or metric_id):
        if page.beside:
            _side_by_side(page, page.beside, metric_id, draw, heading, said, key, named)
        else:
            title(heading or METRICS[metric_id].spec.name, _said_of(page, said))
            result = page.metric(metric_id, **named)
            _answer(page, result, None if result.frame.empty else draw(result), key, table=table,
                    card=card_of(page, metric_id, draw, heading, named))


def _said_of(page: Page, said: Said) -> str:
    return said if isinstance(said, str) else said(page)


def _side_by_side(page: Page, pair: Pair, metric_id: str, draw: Draw, heading: str, said: Said, key: str,
                  named: dict[str, Any]) -> None:
    """Show a metric of two views beside each other, on one scale; each can be pinned as it is."""
    title(heading or METRICS[metric_id].spec.name, said if isinstance(said, str) else "")
    shown: list[tuple[Any, Page, MetricResult, go.Figure | None]] = []
    for column, view in zip(st.columns(2), pair, strict=True):
        with column, guarded(heading or metric_id):
            view_name(view.name)
            seen = page.at(view)
            if not isinstance(said, str):
                title("", said(seen))
            result = seen.metric(metric_id, **named)
            shown.append((column, seen, result, None if result.frame.empty else draw(result)))
    figures = [figure for *_, figure in shown if figure is not None]
    if len(figures) == 2:
        same_scale(*figures)
    for column, seen, result, figure in shown:
        with column, guarded(heading or metric_id):
            _answer(seen, result, figure, f"{key}{seen.side}", table=False,
                    card=card_of(seen, metric_id, draw, heading, named))


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
               units={name: result.units[name] for name in map(str, found.columns) if name in result.units},
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


def told(page: Page, metric_id: str, **named: Any) -> Callable[[Page], str]:
    """Return what says the first thing a result says beside its numbers, such as which windows it compares.

    It is asked of ``page``, or of each of its two views where they are compared.
    """
    def first_note(seen: Page) -> str:
        try:
            return next(iter(seen.metric(metric_id, **named).notes), "")
        except PacsmeterError:
            return ""

    return first_note
