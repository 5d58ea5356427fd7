"""A load in parts: each part is kept as it comes, and all of them take the place of what was there in one step.

Nobody reads the ``crawled`` tables: what readers see changes when the last part is there. A part and the record of
it are one step, so a load that is cut off at any moment goes on after the last whole one.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pyarrow as pa
import sqlalchemy as sa

from analytics.sources.base import Part, Rejected, Source
from analytics.sources.load_known import OPEN_LOAD
from analytics.warehouse.engine import table_schema
from analytics.warehouse.merge import Counts
from analytics.warehouse.schema import (
    covered_parts,
    crawled_series,
    crawled_studies,
    marks,
    quarantine,
    series,
    studies,
)
from analytics.warehouse.store import Draft, now_utc

CRAWLED: Mapping[sa.Table, sa.Table] = {studies: crawled_studies, series: crawled_series}
_UIDS_AT_ONCE = 1_000


def remember(draft: Draft, source_id: str, values: Mapping[str, str]) -> None:
    """Write marks of a source; an empty value forgets one."""
    if not values:
        return
    draft.execute(sa.delete(marks).where(marks.c.source_id == source_id, marks.c.name.in_(list(values))))
    rows = [{"source_id": source_id, "name": name, "value": value} for name, value in values.items() if value]
    if rows:
        draft.append(marks, pa.RecordBatch.from_pylist(rows, schema=table_schema(marks)))


def append_rows(draft: Draft, source_id: str, table: sa.Table, rows: pa.RecordBatch) -> None:
    """Keep rows of a part; inside the step that ends with `finish_part`."""
    named = rows.append_column("source_id", pa.repeat(source_id, rows.num_rows))
    draft.append(CRAWLED[table], named)


def asked_as(source: Source) -> str:
    """Say what a load in parts asks for, and how: parts that were asked for in another way do not fit to its own."""
    return f"{source.kind} {source.location} {source.site or ''} {getattr(source, 'read_as', '')}"


def finish_part(draft: Draft, source: Source, load_id: str, part: Part) -> None:
    """Write down that a part is whole, and take over what the source says is as it was; in the step of its rows."""
    source_id = source.source_id
    for wanted, tables in ((part.kept_studies, (studies, series)), (part.kept_series, (series,))):
        for table in tables:
            _take_over(draft, source_id, table, wanted)
    draft.execute(sa.delete(covered_parts).where(
        covered_parts.c.source_id == source_id, covered_parts.c.part == part.name))
    row = {"source_id": source_id, "part": part.name, "covered_from": part.first, "covered_to": part.last,
           "records": part.records, "load_id": load_id, "read_at": now_utc()}
    draft.append(covered_parts, pa.RecordBatch.from_pylist([row], schema=table_schema(covered_parts)))
    remember(draft, source_id, {**part.marks, OPEN_LOAD: f"{load_id} {asked_as(source)}"})


def _take_over(draft: Draft, source_id: str, table: sa.Table, uids: tuple[str, ...]) -> None:
    names = [column.name for column in table.columns]
    for start in range(0, len(uids), _UIDS_AT_ONCE):
        kept = sa.select(table).where(table.c.source_id == source_id,
                                      table.c.study_instance_uid.in_(uids[start:start + _UIDS_AT_ONCE]))
        draft.execute(sa.insert(CRAWLED[table]).from_select(names, kept, include_defaults=False))


def _keep_older(draft: Draft, source_id: str, kept_before: date) -> None:
    older = sa.select(studies.c.study_instance_uid).where(
        studies.c.source_id == source_id, studies.c.study_date < kept_before)
    for table, crawled in CRAWLED.items():
        again = sa.exists(sa.select(sa.literal(1)).where(
            crawled.c.source_id == source_id, crawled.c.study_instance_uid == table.c.study_instance_uid))
        draft.execute(sa.insert(crawled).from_select([column.name for column in table.columns], sa.select(table).where(
            table.c.source_id == source_id, table.c.study_instance_uid.in_(older), ~again), include_defaults=False))


def forget_crawl(draft: Draft, source_id: str) -> None:
    """Drop what a crawl that was cut off has read: the archive is no longer as it was, or it is not to be used."""
    with draft.transaction():
        for crawled in CRAWLED.values():
            draft.execute(sa.delete(crawled).where(crawled.c.source_id == source_id))
        remember(draft, source_id, {OPEN_LOAD: ""})


def rejected_before(draft: Draft, source_id: str, load_id: str) -> list[Rejected]:
    """Return what a load that goes on has put in quarantine before it was cut off, summed up by the reason."""
    own = sa.and_(quarantine.c.source_id == source_id, quarantine.c.load_id == load_id)
    found = draft.arrow(sa.select(
        sa.func.min(quarantine.c.locator).label("locator"), quarantine.c.reason_code,
        sa.func.min(quarantine.c.reason).label("reason"), sa.func.count().label("count"),
    ).where(own).group_by(quarantine.c.reason_code))
    return [Rejected(**row) for row in found.to_pylist()]


def dates_crawled(draft: Draft, source_id: str) -> tuple[date | None, date | None]:
    """Return the first and the last study date of what all parts hold."""
    day = crawled_studies.c.study_date
    (row,) = draft.arrow(sa.select(sa.func.min(day).label("first"), sa.func.max(day).label("last")).where(
        crawled_studies.c.source_id == source_id)).to_pylist()
    return row["first"], row["last"]


def finish_crawl(draft: Draft, source_id: str, load_id: str, kept_before: date | None) -> dict[sa.Table, Counts]:
    """Put what all parts hold in the place of what the source held before; one step, held by the caller.

    What the source held of studies from before ``kept_before`` stays: the crawl was not asked to look there.
    """
    counts = {}
    if kept_before:
        _keep_older(draft, source_id, kept_before)
    for table, crawled in CRAWLED.items():
        own = crawled.c.source_id == source_id
        draft.stage_select(table, sa.select(crawled).where(own))
        counts[table] = draft.merge(table, source_id, complete=True, load_id=load_id)
        draft.execute(sa.delete(crawled).where(own))
    draft.execute(sa.delete(covered_parts).where(
        covered_parts.c.source_id == source_id, covered_parts.c.load_id != load_id))
    remember(draft, source_id, {OPEN_LOAD: ""})
    return counts
