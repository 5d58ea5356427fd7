"""The only cache: the store opened once, each snapshot once, and answers by question, filters and revision."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, TypeVar, cast

import streamlit as st

from analytics.core.filters import Filters
from analytics.core.results import MetricResult
from analytics.core.settings import Settings, load_settings
from analytics.imaging.decode import may_carry_name
from analytics.imaging.render import thumbnail
from analytics.ledger.ledger import Ledger, open_ledger
from analytics.metrics.catalog import compute
from analytics.warehouse.store import Store, Warehouse, open_store

Answer = TypeVar("Answer")
ANSWERS = 512
"""Answers kept: a page asks about ten, so this is some fifty views of one snapshot."""


@st.cache_resource(show_spinner=False, max_entries=1)
def settings() -> Settings:
    """Return the settings, read once."""
    return load_settings()


@st.cache_resource(show_spinner=False, max_entries=1)
def store() -> Store:
    """Return the store, opened once."""
    return open_store(settings())


@st.cache_resource(show_spinner=False, max_entries=1)
def ledger() -> Ledger:
    """Return the ledger of people's decisions, opened once."""
    return open_ledger(settings())


@st.cache_resource(show_spinner=False, max_entries=2)
def _snapshot(revision: int) -> Warehouse:
    return store().opened(revision)


def warehouse() -> Warehouse:
    """Return the snapshot that is published now; which one that is, is looked up on every call."""
    return _snapshot(store().current_revision())


@st.cache_resource(show_spinner=False, max_entries=ANSWERS)
def _answer(module: str, question: str, revision: int, arguments: tuple[Any, ...],
            named: tuple[tuple[str, Any], ...]) -> Any:
    function = getattr(importlib.import_module(module), question)
    return function(_snapshot(revision), *arguments, **dict(named))


def ask(question: Callable[..., Answer], revision: int, *arguments: Any, **named: Any) -> Answer:
    """Return a function's answer about one snapshot, computed once for its arguments.

    Parameters
    ----------
    question : callable
        Module-level function whose first argument is the warehouse. Its answer is shared: never change it.
    revision : int
        Snapshot to read.
    arguments, named
        Hashable, and part of the key.
    """
    key = tuple(sorted(named.items()))
    return cast(Answer, _answer(question.__module__, question.__name__, revision, arguments, key))


@st.cache_resource(show_spinner=False, max_entries=ANSWERS)
def _metric(metric_id: str, revision: int, filters: Filters, named: tuple[tuple[str, Any], ...]) -> MetricResult:
    return compute(metric_id, _snapshot(revision), filters, **dict(named))


def metric(metric_id: str, revision: int, filters: Filters, **named: Any) -> MetricResult:
    """Return a metric's result for one snapshot and one set of filters; it is shared: never change its frame."""
    return _metric(metric_id, revision, filters, tuple(sorted(named.items())))


@st.cache_data(show_spinner=False, max_entries=256)
def picture(path: str, modified_ns: int, side: int) -> bytes:
    """Return a picture of an image file as PNG, its longer side at most ``side`` pixels; made once for each state."""
    return thumbnail(path, side)


@st.cache_data(show_spinner=False, max_entries=4096)
def picture_may_carry_name(path: str, modified_ns: int) -> bool:
    """Whether a picture of an image file may show a name in its pixels; its header is read once for each state."""
    return may_carry_name(path)


def clear() -> None:
    """Forget everything, such as between tests."""
    st.cache_resource.clear()
    st.cache_data.clear()
