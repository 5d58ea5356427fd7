"""Merging a load's staged rows into a table: what was added, changed, unchanged, removed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from analytics.warehouse.engine import Session, bare_table, stage_table
from analytics.warehouse.expressions import last_known
from analytics.warehouse.removals import forget_returned, note_removals
from analytics.warehouse.schema import studies


@dataclass(frozen=True)
class Counts:
    """What a merge did, in rows; ``repeated`` rows came more than once under one key, the last is kept."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    repeated: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(*(getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__))


def _key(table: sa.Table) -> list[str]:
    return [column.name for column in table.primary_key.columns]


def merge_stage(session: Session, table: sa.Table, source_id: str, *, complete: bool, partial: bool = False,
                load_id: str = "") -> Counts:
    """Merge ``stage_<table>`` into ``table`` by its key; the caller holds the transaction.

    A load that gives its id has the studies that go, or become smaller, kept in ``removals`` in the same step.

    Rows are compared column by column (``IS DISTINCT FROM``), so loading the same again changes nothing. A partial
    row gives only what its message says: what it leaves empty stays as an earlier row, or the table, has it.
    """
    stage, key = stage_table(table), _key(table)
    names = [column.name for column in table.columns]
    latest = _single(session, table, _filled(table, stage, key) if partial else _last(table, stage, key))
    same_key = sa.and_(*(table.c[name] == latest.c[name] for name in key))
    rest = [name for name in names if name not in key]
    differs = sa.or_(sa.false(), *(table.c[name].is_distinct_from(latest.c[name]) for name in rest))

    staged, unique = _count(session, stage), _count(session, latest)
    matched = _count_select(session, sa.select(sa.literal(1)).select_from(latest.join(table, same_key)))
    changed = _count_select(session, sa.select(sa.literal(1)).select_from(latest.join(table, same_key)).where(differs))
    removed = 0
    gone = sa.and_(
        table.c.source_id == source_id, ~sa.exists(sa.select(sa.literal(1)).select_from(latest).where(same_key)))
    if complete:
        removed = _count_select(session, sa.select(sa.literal(1)).select_from(table).where(gone))
    noted = bool(load_id) and table is studies
    if noted and (removed or changed):
        note_removals(session, latest, source_id, load_id, complete=complete)
    if removed:
        session.execute(sa.delete(table).where(gone))
    if changed:
        session.execute(sa.delete(table).where(
            sa.exists(sa.select(sa.literal(1)).select_from(latest).where(same_key, differs))))
    if changed or matched < unique:
        missing = ~sa.exists(sa.select(sa.literal(1)).select_from(table).where(same_key))
        fresh = sa.select(*(latest.c[name] for name in names)).where(missing)
        session.execute(sa.insert(table).from_select(names, fresh, include_defaults=False))
    if noted and unique:
        forget_returned(session, latest, source_id)
    session.execute(sa.schema.DropTable(latest, if_exists=True))
    session.execute(sa.schema.DropTable(stage, if_exists=True))
    return Counts(unique - matched, changed, matched - changed, removed, staged - unique)


def _single(session: Session, table: sa.Table, rows: sa.Select[Any]) -> sa.Table:
    """Keep one row of each key, in a table of its own."""
    bare = bare_table(table)
    latest = bare.to_metadata(sa.MetaData(), name=f"latest_{table.name}")
    session.execute(sa.schema.DropTable(latest, if_exists=True))
    session.execute(sa.schema.CreateTable(latest))
    names = [column.name for column in table.columns]
    session.execute(sa.insert(latest).from_select(names, rows, include_defaults=False))
    session.analyze((latest,))  # what is asked of it below is planned blindly without it
    return latest


def _last(table: sa.Table, stage: sa.Table, key: list[str]) -> sa.Select[Any]:
    """Return the last row of each key."""
    rank = sa.func.row_number().over(
        partition_by=[stage.c[name] for name in key], order_by=stage.c.stage_row.desc()
    ).label("rank_in_key")
    names = [column.name for column in table.columns]
    ranked = sa.select(*(stage.c[name] for name in names), rank).subquery()
    return sa.select(*(ranked.c[name] for name in names)).where(ranked.c.rank_in_key == 1)


def _filled(table: sa.Table, stage: sa.Table, key: list[str]) -> sa.Select[Any]:
    """Return one row of each key with the last value that is not empty of each column, else the table's own."""
    def last(name: str) -> sa.ColumnElement[Any]:
        return sa.type_coerce(last_known(stage.c[name], stage.c.stage_row), table.c[name].type).label(name)

    rest = [column.name for column in table.columns if column.name not in key]
    keys = [stage.c[name] for name in key]
    told = sa.select(*keys, *(last(name) for name in rest)).select_from(stage).group_by(*keys).subquery("told")
    same_key = sa.and_(*(told.c[name] == table.c[name] for name in key))
    columns = [told.c[column.name] if column.name in key
               else sa.func.coalesce(told.c[column.name], table.c[column.name]).label(column.name)
               for column in table.columns]
    return sa.select(*columns).select_from(told.outerjoin(table, same_key))


def _count(session: Session, table: sa.Table) -> int:
    return int(session.arrow(sa.select(sa.func.count()).select_from(table)).column(0)[0].as_py())


def _count_select(session: Session, select: sa.Select[Any]) -> int:
    rows = sa.select(sa.func.count()).select_from(select.subquery())
    return int(session.arrow(rows).column(0)[0].as_py())
