"""Two sources of one name: the load of one would take what the other gave for its own, and remove it."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from analytics.core.errors import PacsmeterError
from analytics.sources.base import Source
from analytics.warehouse.schema import sources
from analytics.warehouse.store import Store

_EXPORTS = frozenset({"index_export", "ris_events"})
"""Kinds that are loaded alike: a source file may be corrected from one to the other."""


def refuse_namesakes(store: Store, opened: Sequence[Source], was_named: Sequence[bool]) -> None:
    """Make sure that no source has the name of another, whether loaded with it or before.

    Parameters
    ----------
    store : Store
    opened : sequence of Source
    was_named : sequence of bool
        Whether a user gave each its name, so that another place is the same source that has moved.

    Raises
    ------
    PacsmeterError
    """
    known = _loaded_before(store)
    seen: dict[str, str] = {}
    for source, named in zip(opened, was_named, strict=True):
        own = source.source_id
        kind, location = known.get(own, (source.kind, source.location))
        if own in seen:
            raise _refusal(source, seen[own], "")
        if kind != source.kind and not {kind, source.kind} <= _EXPORTS:
            raise _refusal(source, location, "")
        if location != source.location and not named:
            raise _refusal(source, location, f" Where it is the same that has moved: --id {own}.")
        seen[own] = source.location


def _loaded_before(store: Store) -> dict[str, tuple[str, str]]:
    """Return kind and location of each source; nothing of a snapshot that an earlier version made."""
    if not store.current_revision():
        return {}
    try:
        warehouse = store.current()
    except PacsmeterError:
        return {}
    try:
        held = warehouse.arrow(sa.select(sources.c.source_id, sources.c.kind, sources.c.location)).to_pylist()
    finally:
        warehouse.close()
    return {row["source_id"]: (row["kind"], row["location"]) for row in held}


def _refusal(source: Source, other: str, moved: str) -> PacsmeterError:
    return PacsmeterError(
        f"Another source is called {source.source_id!r} already ({other}), and what it gave would be removed",
        f"Load this one by itself under a name of its own: --id NAME, or source_id in its source file.{moved}",
        source.location)
