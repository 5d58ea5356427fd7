"""One study: what is known of it, what happened to it and when, its series, images and findings."""

from __future__ import annotations

from typing import Any

import pandas as pd
import sqlalchemy as sa

from analytics.core.errors import PacsmeterError
from analytics.core.swim import BY_NAME, EVENTS
from analytics.metrics.scope import ROW_COLUMNS
from analytics.warehouse.schema import events, exams, findings, image_measures, instances, series, studies
from analytics.warehouse.store import Warehouse

_ARCHIVE_EVENTS = {
    "study_at": ("StudyTime", "study time, by the device's clock"),
    "stored_at": ("ReceivedByArchive", "received by the archive"),
    "last_accessed_at": ("LastAccess", "last given out by the archive"),
}


def find_studies(warehouse: Warehouse, text: str, limit: int = 50) -> pd.DataFrame:
    """Find exams by Study Instance UID or accession number: the same, else those that begin with it.

    Returns
    -------
    DataFrame
        `ROW_COLUMNS` of each, the latest first; empty where nothing is like it.
    """
    wanted = text.strip()
    chosen = sa.select(*(exams.c[name] for name in ROW_COLUMNS)).order_by(
        exams.c.exam_date.desc(), exams.c.exam_id).limit(limit)
    if not wanted:
        return warehouse.read(chosen.where(sa.false()))
    either = (exams.c.study_instance_uid, exams.c.accession_number)
    same = warehouse.read(chosen.where(sa.or_(*(column == wanted for column in either))))
    if len(same):
        return same
    return warehouse.read(chosen.where(sa.or_(*(column.startswith(wanted, autoescape=True) for column in either))))


def study_facts(warehouse: Warehouse, study_instance_uid: str) -> dict[str, Any]:
    """Return the row of ``exams`` of a study.

    Raises
    ------
    PacsmeterError
        No study has that UID.
    """
    found = warehouse.arrow(sa.select(exams).where(exams.c.study_instance_uid == study_instance_uid)).to_pylist()
    if not found:
        raise PacsmeterError("No study has this UID", "Search by Study Instance UID or accession number.",
                             study_instance_uid)
    return dict(found[0])


def study_copies(warehouse: Warehouse, study_instance_uid: str) -> pd.DataFrame:
    """Return the study as each source holds it, one row a copy, without the pseudonyms of who the patient is."""
    shown = [column for column in studies.columns if column.name not in ("name_key", "birth_date_key")]
    return warehouse.read(sa.select(*shown).where(studies.c.study_instance_uid == study_instance_uid)
                          .order_by(studies.c.source_id))


def study_timeline(warehouse: Warehouse, study_instance_uid: str) -> pd.DataFrame:
    """Return what happened to a study, in order: the RIS's events and what the archive recorded.

    Returns
    -------
    DataFrame
        Columns ``event_at`` (UTC), ``event`` (SWIM's name), ``label``, ``rid``, ``source_id``, ``origin`` (where the
        source has it from), ``counts`` (whether `exams` has this instant: see `analytics.core.precedence`),
        ``minutes_since_first``; repeated events, and what sources say differently, are all there.
    """
    facts = study_facts(warehouse, study_instance_uid)
    lines = [
        {"event_at": row[column], "event": name, "label": label, "rid": "", "source_id": row["source_id"],
         "origin": None, "counts": row[column] in (facts["exam_at"], None if column == "study_at" else facts[column])}
        for row in warehouse.arrow(sa.select(studies).where(
            studies.c.study_instance_uid == study_instance_uid)).to_pylist()
        for column, (name, label) in _ARCHIVE_EVENTS.items() if row[column]
    ]
    told = [event.column for event in EVENTS if event.column != "images_stored_at" and facts[event.column]]
    if facts["has_order"] or told:
        recorded = sa.select(events).where(events.c.accession_number == facts["accession_number"])
        lines += [_event_line(row, facts) for row in warehouse.arrow(recorded).to_pylist()]
    frame = pd.DataFrame(lines, columns=["event_at", "event", "label", "rid", "source_id", "origin", "counts"])
    frame["event_at"] = pd.to_datetime(frame.event_at, utc=True)
    frame = frame.sort_values(["event_at", "event"], kind="stable").reset_index(drop=True)
    frame["minutes_since_first"] = (frame.event_at - frame.event_at.min()).dt.total_seconds() / 60
    return frame


def _event_line(row: dict[str, Any], facts: dict[str, Any]) -> dict[str, Any]:
    known = BY_NAME.get(row["event"])
    return {"event_at": row["event_at"], "event": row["event"], "source_id": row["source_id"],
            "label": known.label if known else row["event"], "rid": known.rid if known else "",
            "origin": row["origin"], "counts": known is not None and facts[known.column] == row["event_at"]}


def study_series(warehouse: Warehouse, study_instance_uid: str) -> pd.DataFrame:
    """Return the series of a study in the order of their number."""
    return warehouse.read(sa.select(series).where(series.c.study_instance_uid == study_instance_uid)
                          .order_by(series.c.series_number, series.c.series_instance_uid, series.c.source_id))


def study_images(warehouse: Warehouse, study_instance_uid: str, limit: int = 1000) -> pd.DataFrame:
    """Return the images of a study, in the order of series and instance number."""
    return warehouse.read(sa.select(instances).where(instances.c.study_instance_uid == study_instance_uid)
                          .order_by(instances.c.series_instance_uid, instances.c.instance_number,
                                    instances.c.sop_instance_uid, instances.c.path).limit(limit))


def study_measures(warehouse: Warehouse, study_instance_uid: str) -> pd.DataFrame:
    """Return what was measured on the images of a study."""
    return warehouse.read(sa.select(image_measures).where(image_measures.c.study_instance_uid == study_instance_uid)
                          .order_by(image_measures.c.sop_instance_uid, image_measures.c.measure))


def study_findings(warehouse: Warehouse, study_instance_uid: str) -> pd.DataFrame:
    """Return the findings about a study, errors first: those that name it, and those that name its accession number."""
    facts = study_facts(warehouse, study_instance_uid)
    about = [findings.c.study_instance_uid == study_instance_uid]
    if facts["has_order"] and facts["accession_number"]:
        about.append(sa.and_(findings.c.study_instance_uid.is_(None),
                             findings.c.accession_number == facts["accession_number"]))
    rank = sa.case((findings.c.severity == "error", 0), (findings.c.severity == "warning", 1), else_=2)
    return warehouse.read(sa.select(findings).where(sa.or_(*about)).order_by(
        rank, findings.c.check_id, findings.c.evidence))
