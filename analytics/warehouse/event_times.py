"""The instants of an exam's events: where several sources tell one event, the one that stands nearest to it counts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from analytics.core.precedence import IN_OBJECTS, OTHER, PRECEDENCE, STAGES, TELLERS, rank, teller_of
from analytics.core.swim import EVENTS
from analytics.warehouse.expressions import literal
from analytics.warehouse.schema import events, sources
from analytics.warehouse.store import Warehouse

Column = sa.ColumnElement[Any]
_BY_NAME = {teller.name: teller for teller in TELLERS}


@dataclass(frozen=True)
class Statement:
    """That a source tells an event, and in which object it has it from where that is one in an archive.

    Attributes
    ----------
    event : SWIM's name.
    origin : how ``events.origin`` begins; empty where the source itself tells it.
    place : the lowest counts; see `analytics.core.precedence.rank`.
    """

    event: str
    source_id: str
    origin: str
    place: int


def told_in(origin: Column) -> Column:
    """Return how an origin begins that names an object in an archive; empty where a source tells the event itself."""
    return sa.case(*((origin.like(literal(f"{teller.origin}%")), literal(teller.origin)) for teller in IN_OBJECTS),
                   else_=literal(""))


def is_told_in_object(origin: Column) -> Column:
    """Whether an object in an archive tells the event: no order and no exam of the RIS comes of it."""
    return sa.func.coalesce(sa.or_(*(origin.like(literal(f"{teller.origin}%")) for teller in IN_OBJECTS)), sa.false())


def place_of(event: Column, kind: Column, origin: Column) -> Column:
    """Return a teller's place among those of an event, by the kind of its source: the lowest counts."""
    teller = sa.case(
        *((origin == literal(one.origin), literal(one.name)) for one in IN_OBJECTS),
        *((kind.in_([literal(each) for each in sorted(one.kinds)]), literal(one.name)) for one in TELLERS if one.kinds),
        else_=literal(OTHER.name))
    stages = {stage: [name for name, its in STAGES.items() if its == stage] for stage in PRECEDENCE}
    return sa.case(*(
        (sa.and_(event.in_([literal(name) for name in names]), teller == literal(one.name)),
         literal(rank(names[0], one)))
        for names in stages.values() for one in TELLERS), else_=literal(len(TELLERS)))


def is_told_by_one(warehouse: Warehouse) -> bool:
    """Whether one source tells every event, and none out of an object in an archive: there is nothing to rank."""
    if warehouse.arrow(sa.select(events.c.source_id).distinct().limit(2)).num_rows > 1:
        return False
    return warehouse.arrow(sa.select(events.c.event).where(is_told_in_object(events.c.origin)).limit(1)).num_rows == 0


def first_told_outside_objects(event: str) -> sa.Subquery:
    """Return when an event happened by everything but the objects in an archive, which a device's clock stamped.

    Returns
    -------
    Subquery
        ``accession_number`` and ``first_at``.
    """
    return sa.select(events.c.accession_number, sa.func.min(events.c.event_at).label("first_at")).where(
        events.c.event == literal(event), sa.not_(is_told_in_object(events.c.origin)),
    ).group_by(events.c.accession_number).subquery("told_outside_objects")


def starts_told_by_devices() -> sa.Subquery:
    """Return the instants at which objects in an archive say that an exam began: a device's clock stamped them.

    Returns
    -------
    Subquery
        ``accession_number`` and ``first_at``, each pair once.
    """
    return sa.select(events.c.accession_number, events.c.event_at.label("first_at")).where(
        events.c.event == literal("ProcedureStart"), is_told_in_object(events.c.origin),
    ).distinct().subquery("device_starts")


def statements(warehouse: Warehouse) -> list[Statement]:
    """Return which source tells which event, those that count first at the front; none where one tells them all."""
    if is_told_by_one(warehouse):  # most sites: two looks at the events are dearer than one
        return []
    kinds = {row["source_id"]: row["kind"] for row in warehouse.arrow(
        sa.select(sources.c.source_id, sources.c.kind)).to_pylist()}
    origin = told_in(events.c.origin)
    told = warehouse.arrow(sa.select(
        events.c.source_id, events.c.event, origin.label("origin")).group_by(
        events.c.source_id, events.c.event, origin)).to_pylist()
    found = [Statement(row["event"], row["source_id"], row["origin"],
                       rank(row["event"], teller_of(kinds.get(row["source_id"]), row["origin"])))
             for row in told if row["event"] in STAGES]
    return sorted(found, key=lambda one: (one.place, one.source_id, one.origin))


def told_by_several() -> sa.Select[Any]:
    """Return the accession numbers that have events from two sources, or from a source and an object in it."""
    origin = told_in(events.c.origin)
    return sa.select(events.c.accession_number).group_by(events.c.accession_number).having(sa.or_(
        sa.func.min(events.c.source_id) != sa.func.max(events.c.source_id),
        sa.func.min(origin) != sa.func.max(origin)))


def is_contested(warehouse: Warehouse) -> bool:
    """Whether several tell of any exam: else there is nothing to rank."""
    return warehouse.arrow(told_by_several().limit(1)).num_rows > 0


def event_times(told: Sequence[Statement], *, contested: bool) -> sa.Subquery:
    """Pivot the events: one row an accession number, one column an event, as `told` ranks who tells them.

    Parameters
    ----------
    told : sequence of Statement
        Those that count first at the front.
    contested : bool
        Whether several of them may tell the same exam; else the rank does not matter, and is not asked for.

    Returns
    -------
    Subquery
        ``accession_number``; ``is_of_ris``, whether anything but an object in an archive tells of it; and the column of
        each event: the first instant that the source which counts gives.
    """
    of_event: Mapping[str, list[Statement]] = defaultdict(list)
    for one in told:
        of_event[one.event].append(one)
    in_objects = any(one.origin for one in told)
    columns: list[sa.Label[Any]] = []
    for event in EVENTS:
        ranked = of_event.get(event.name, []) if contested else []
        columns.append(_first(event.name, ranked, in_objects=in_objects).label(event.column))
    of_ris = sa.func.max(sa.case((is_told_in_object(events.c.origin), literal(0)), else_=literal(1))) == literal(1)
    return sa.select(
        events.c.accession_number, (of_ris if in_objects else sa.true()).label("is_of_ris"), *columns,
    ).group_by(events.c.accession_number).subquery("event_times")


def _first(event: str, ranked: Sequence[Statement], *, in_objects: bool) -> Column:
    """Return the first instant of an event: of the one that counts, where several tell it."""
    is_event = events.c.event == literal(event)
    if len(ranked) < 2:
        return sa.func.min(sa.case((is_event, events.c.event_at)))

    def of(one: Statement) -> Column:
        own = [is_event, events.c.source_id == sa.bindparam(None, one.source_id, unique=True)]
        if in_objects:
            own.append(told_in(events.c.origin) == literal(one.origin))
        return sa.func.min(sa.case((sa.and_(*own), events.c.event_at)))

    return sa.func.coalesce(*(of(one) for one in ranked))
