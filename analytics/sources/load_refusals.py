"""When a load is refused: a source that suddenly holds nothing is a failed export or a disk that is not mounted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from analytics.sources.base import BeginAnew
from analytics.warehouse.schema import (
    archives,
    events,
    files,
    instances,
    orders,
    patient_merges,
    quarantine,
    series,
    studies,
)

if TYPE_CHECKING:
    from analytics.sources.load import Load

GIVEN = (studies, series, instances, orders, events, archives, patient_merges)
"""The tables that sources give rows of."""

MAY_RUN_OUT = {"dcm4chee": (orders, events, patient_merges)}
"""Tables that an archive may well have no row of any more, as long as it has studies: a worklist is worked off."""


def refuse_useless(load: Load) -> None:
    """Raise where a source has nothing that can be used, or would take away all that there was.

    Raises
    ------
    BeginAnew
    """
    if load.kind.rolled_up and load.kind.from_files:
        gone = len(load.source.coverage.gone)
        if gone and gone == len(load.known.files) and not load.staged.get(files):
            raise BeginAnew(f"The folder holds none of the {gone:,} files of the last load",
                                 "Check that it is mounted.", load.source.location)
    if not any(load.holds(table) or load.given(table) for table in GIVEN):
        raise _useless_files(load) if load.kind.from_files else _useless(load)
    for table in GIVEN:
        runs_out = table in MAY_RUN_OUT.get(load.source.kind, ()) and load.given(studies)
        if not load.is_complete(table) or load.given(table) or runs_out:
            continue
        held = _would_go(load, table)
        if held and not load.kind.from_files:
            raise BeginAnew(
                f"The source has no usable row for {table.name}, and {held:,} from the last load would be removed"
                + (f" ({', '.join(f'{n:,} {code}' for code, n in sorted(load.rejected.items()))})"
                   if load.rejected else ""),
                "Check the export and how its columns are read.", load.source.location)


def _would_go(load: Load, table: sa.Table) -> int:
    """Count the rows that would be removed: those of before the first date that a crawl asked for stay."""
    kept_before = load.source.coverage.kept_before
    if not kept_before:
        return load.held(table)
    newer = sa.select(studies.c.study_instance_uid).where(
        studies.c.source_id == load.source_id,
        sa.or_(studies.c.study_date.is_(None), studies.c.study_date >= kept_before))
    return load.draft.count(sa.select(table.c.source_id).where(
        table.c.source_id == load.source_id, table.c.study_instance_uid.in_(newer)))


def _useless_files(load: Load) -> BeginAnew:
    """Say why nothing could be used, and leave no trace of the folder in the draft that others go on from."""
    looked_at = max(load.read, len(load.known.files))
    for table in (files, quarantine):
        load.draft.execute(sa.delete(table).where(table.c.source_id == load.source_id))
    why = "; ".join(f"{load.rejected[code]:,} {code}, such as {one.locator}: {one.reason.rstrip('.')}"
                    for (_, code), one in load.first_of.items())
    what, unit = ("DICOM image", "files") if load.kind.rolled_up else ("record", "records")
    return BeginAnew(f"No {what} could be read: {looked_at:,} {unit} were looked at{f' ({why})' if why else ''}",
                          "Check that this is the right folder and that it is mounted.", load.source.location)


def _useless(load: Load) -> BeginAnew:
    if not load.rejected:
        return BeginAnew("The source holds 0 rows", "Check that the export, or the archive, is the right one.",
                              load.source.location)
    code, count = load.rejected.most_common(1)[0]
    first = next(one for (_, known), one in load.first_of.items() if known == code)
    return BeginAnew(
        f"None of the {load.read:,} rows could be used; most often ({count:,}) {code}, first at {first.locator}: "
        + first.reason, "Check the export and how its columns are read.", load.source.location)
