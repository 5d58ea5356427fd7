"""Orders, exam times and merged patients in dcm4chee's database: worklist items, performed procedure steps, merges."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from analytics.core.pseudonym import PLACEHOLDER_PREFIX
from analytics.sources import dicom_values as dv
from analytics.sources.dcm4chee_index import (
    STUDIES_A_PAGE,
    dicomattrs,
    mpps,
    mwl_item,
    patient,
    patient_id,
    patient_ids,
    stream,
    with_patient,
)
from analytics.sources.dcm4chee_rows import Rows, plain

Record = dict[str, Any]
_NO_ACCESSION = "*"
_CANCELED = 5
_IN_PROGRESS, _COMPLETED = 0, 1
_BEGINNING = 4_096
"""Bytes of a performed procedure step that are read: its end is said before its series, which can be many."""

_END_DATE, _END_TIME, _OFFSET = 0x00400250, 0x00400251, 0x00080201
_OF_STEP = frozenset({_END_DATE, _END_TIME, _OFFSET})
_DESCRIPTION, _CODES, _STEPS, _PRIORITY = 0x00321060, 0x00321064, 0x00400100, 0x00401003
_OF_ORDER = frozenset({_DESCRIPTION, _CODES, _STEPS, _PRIORITY})
_CODE_VALUE, _STATION = 0x00080100, 0x00400010
_PRIORITIES = {"STAT": "S", "HIGH": "A", "ROUTINE": "R", "MEDIUM": "R", "LOW": "R"}
"""Requested Procedure Priority (0040,1003), PS3.3 C.4.11, as HL7 has it."""

CANCELED = "orders are canceled in the worklist, and are left out"
OTHER_PATIENT = "accession numbers stand for several patients in the worklist: the first one's order is kept"
NO_ACCESSION = "worklist items and procedure steps have no accession number, and are left out"
NO_START = "procedure steps have no start that can be read"
AMBIGUOUS = "ids of merged patients are another patient's as well, and are not merged"

def order_page(after: tuple[str, int]) -> sa.Select[Any]:
    """Return the select of the worklist items behind an accession number and primary key, with their patients."""
    page = _page(mwl_item, after)
    joined, patients = with_patient(page)
    attrs = sa.select(dicomattrs.c.attrs).where(dicomattrs.c.pk == page.c.dicomattrs_fk).scalar_subquery()
    return sa.select(*page.columns, attrs.label("attrs"), *patients).select_from(joined).order_by(
        page.c.accession_no, page.c.pk)


def step_page(after: tuple[str, int]) -> sa.Select[Any]:
    """Return the select of the performed procedure steps behind an accession number and primary key."""
    page = _page(mpps, after)
    beginning = sa.type_coerce(sa.func.substring(dicomattrs.c.attrs, 1, _BEGINNING), sa.LargeBinary())
    attrs = sa.select(beginning).where(dicomattrs.c.pk == page.c.dicomattrs_fk).scalar_subquery()
    return sa.select(*page.columns, attrs.label("attrs")).order_by(page.c.accession_no, page.c.pk)


def _page(table: sa.TableClause, after: tuple[str, int]) -> sa.Subquery:
    key = sa.tuple_(table.c.accession_no, table.c.pk)
    return sa.select(table).where(key > sa.tuple_(*(sa.literal(value) for value in after)),
                                  table.c.accession_no != _NO_ACCESSION).order_by(
        table.c.accession_no, table.c.pk).limit(STUDIES_A_PAGE).subquery("page")


def _by_accession(connection: sa.Connection, page: Callable[[tuple[str, int]], sa.Select[Any]]
                  ) -> Iterator[tuple[str, Iterator[Record]]]:
    """Yield the records of each accession number together, read a page at a time."""
    def records() -> Iterator[Record]:
        after = ("", -1)
        while True:
            found = [dict(row) for row in connection.execute(page(after)).mappings()]
            yield from found
            if len(found) < STUDIES_A_PAGE:
                return
            after = (found[-1]["accession_no"], found[-1]["pk"])

    return itertools.groupby((record for record in records() if plain(record["accession_no"])),
                             key=lambda record: str(record["accession_no"]).strip())


def without_accession(connection: sa.Connection) -> int:
    """Return how many worklist items and procedure steps belong to no accession number."""
    empty = ("", _NO_ACCESSION)
    return sum(int(connection.scalar(sa.select(sa.func.count()).select_from(table).where(
        table.c.accession_no.in_(empty))) or 0) for table in (mwl_item, mpps))


def order_rows(connection: sa.Connection, rows: Rows) -> Iterator[Record]:
    """Yield a row of ``orders`` for each accession number in the worklist that is not canceled."""
    for accession, items in _by_accession(connection, order_page):
        held = list(items)
        standing = [item for item in held if item["sps_status"] != _CANCELED]
        rows.notes[CANCELED] += not standing
        rows.notes[OTHER_PATIENT] += len({item["patient_fk"] for item in held}) > 1
        if standing:
            yield _order(accession, standing[0], rows)


def _order(accession: str, item: Mapping[str, Any], rows: Rows) -> Record:
    values = rows.attributes(item["attrs"], _OF_ORDER)
    return {
        "accession_number": accession, **rows.patient(item), "site": rows.site,
        "modality": plain(item["modality"]) or None,
        "station_name": rows.first_item(values, _STEPS, _STATION) or None,
        "priority": _PRIORITIES.get(values.text(_PRIORITY)),
        "procedure_code": rows.first_item(values, _CODES, _CODE_VALUE) or None,
        "procedure_description": values.text(_DESCRIPTION) or None,
    }


def event_rows(connection: sa.Connection, rows: Rows) -> Iterator[Record]:
    """Yield when the exam of an accession number began and ended, by its performed procedure steps.

    It began with its first step and ended with its last, and has not ended while one is in progress. A step that was
    discontinued made no exam: it says neither.
    """
    for accession, steps in _by_accession(connection, step_page):
        begun: list[datetime] = []
        ended: list[datetime | None] = []
        for step in steps:
            if step["pps_status"] not in (_IN_PROGRESS, _COMPLETED):
                continue
            values = rows.attributes(step["attrs"], _OF_STEP, cut=True)
            offset = values.text(_OFFSET)
            start = dv.instant_of(plain(step["pps_start_date"]), plain(step["pps_start_time"]), offset, rows.zone)
            rows.notes[NO_START] += start is None
            begun += [start] if start else []
            ended.append(dv.instant_of(values.text(_END_DATE), values.text(_END_TIME), offset, rows.zone)
                         if step["pps_status"] == _COMPLETED else None)
        if begun:
            yield {"accession_number": accession, "event": "ProcedureStart", "event_at": min(begun),
                   "origin": "MPPS (0040,0244)"}
        known = [end for end in ended if end]
        if known and len(known) == len(ended):
            yield {"accession_number": accession, "event": "ImagingComplete", "event_at": max(known),
                   "origin": "MPPS (0040,0250)"}


def _merged_select() -> sa.Select[Any]:
    """Return the select of every id of a merged patient, with the ids of the one that survives at the end."""
    chain = sa.select(patient.c.pk, patient.c.merge_fk.label("last")).where(
        patient.c.merge_fk.is_not(None)).cte("chain", recursive=True)
    onward = patient.alias("onward")
    chain = chain.union(sa.select(chain.c.pk, onward.c.merge_fk).select_from(
        chain.join(onward, onward.c.pk == chain.c.last)).where(onward.c.merge_fk.is_not(None)))
    last = patient.alias("last")
    other, holder = patient_id.alias("other"), patient.alias("holder")
    still_used = sa.exists(sa.select(sa.literal(1)).select_from(
        other.join(holder, holder.c.pk == other.c.patient_fk)).where(
        other.c.pat_id == patient_id.c.pat_id, holder.c.merge_fk.is_(None), holder.c.pk != last.c.pk))
    ids = patient_ids(last)
    several = sa.select(dicomattrs.c.attrs).where(
        dicomattrs.c.pk == last.c.dicomattrs_fk, sa.func.cardinality(ids.c.pat_ids) > 1).scalar_subquery()
    joined = (chain.join(last, sa.and_(last.c.pk == chain.c.last, last.c.merge_fk.is_(None)))
              .join(patient_id, patient_id.c.patient_fk == chain.c.pk).outerjoin(ids, sa.true()))
    return sa.select(patient_id.c.pat_id, still_used.label("still_used"), ids.c.pat_ids,
                     several.label("patient_attrs")).select_from(joined).order_by(patient_id.c.pat_id, patient_id.c.pk)


def merge_rows(connection: sa.Connection, rows: Rows) -> Iterator[Record]:
    """Yield which patient's key goes over to which; ids that tell several patients from each other stay apart."""
    found = (record for part in stream(connection, _merged_select()) for record in part)
    quiet = Rows(rows.edge, rows.zone, rows.site, Counter())
    for merged_id, group in itertools.groupby(found, key=lambda record: str(record["pat_id"]).strip()):
        held = list(group)
        surviving = {rows.edge.patient_key(plain(quiet.patient_id(record))) for record in held}
        merged = rows.edge.patient_key(plain(merged_id))
        surviving.discard(merged)
        if not merged or merged.startswith(PLACEHOLDER_PREFIX) or not surviving:
            continue
        ambiguous = len(surviving) > 1 or any(record["still_used"] for record in held)
        (survivor, *_) = surviving
        if ambiguous or not survivor or survivor.startswith(PLACEHOLDER_PREFIX):
            rows.notes[AMBIGUOUS] += ambiguous
            continue
        yield {"merged_key": merged, "surviving_key": survivor, "merged_at": None}
