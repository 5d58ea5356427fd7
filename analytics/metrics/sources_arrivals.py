"""Which exams the archive should hold whole by now, and in which way it is known that it does not."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from analytics.metrics.scope import FIRST_EXAM_DATE, Scope
from analytics.warehouse.expressions import count_where, literal, minutes_between, total
from analytics.warehouse.merged_patients import is_a_patient
from analytics.warehouse.schema import Instant, exams, findings, studies

NOTHING_ARRIVED, SAID_INCOMPLETE, COUNTS_DIFFER = "nothing arrived", "said to be incomplete", "counts differ"
COUNTS_CHECK, IMAGES_CHECK, ORDER_CHECK = "REC603", "REC602", "REC601"
DUE_MINUTES = 24 * 60.0
"""As in check REC602: a transfer that is under way is no failed one."""
REASONS = (
    "completed or received less than 24 hours before the last thing that the site's archive received",
    "complete without images, of a modality that its site does not send to the archive as a rule, or that no order "
    "names",
    "complete without images, before the archive's first study of its site and modality",
    "complete without images of its own, while the patient has another study of that day, site and modality: one study "
    f"for several orders, or a wrong accession number (checks {ORDER_CHECK} and {IMAGES_CHECK})",
)
"""Why an exam is not expected in the archive, in the order in which one is given."""
_SAME_KIND = {"CR": "DX", "DR": "DX", "XR": "DX", "RG": "DX", "RF": "XA", "PET": "NM", "PT": "NM", "MRI": "MR",
              "IVUS": "US"}
"""Modalities that an order does not tell apart."""


def performed(table: sa.FromClause = exams) -> sa.ColumnElement[bool]:
    """Whether the RIS says that an exam was done."""
    return sa.and_(table.c.has_order, table.c.imaging_complete_at.is_not(None), table.c.exam_cancelled_at.is_(None))


def population() -> sa.ColumnElement[bool]:
    """Whether an exam is in the archive, or was done."""
    return sa.or_(exams.c.has_study, performed())


def arrivals(scope: Scope, **columns: sa.ColumnElement[Any]) -> sa.Select[Any]:
    """Return the exams of a scope with ``reason`` (its place in `REASONS`; empty where the exam is expected in the
    archive), ``way`` (how it is known that it is not whole there; empty where nothing is known) and ``rejected``.

    What few exams have is asked with IN, and not joined: all are then looked up among the few, on every engine.
    """
    days = _days(scope.as_of)
    archive, usual = _archives(days), _sent_as_a_rule(days)
    lost, done = sa.not_(exams.c.has_study), exams.c.imaging_complete_at
    held = sa.tuple_(exams.c.study_instance_uid, exams.c.source_id)
    rejected = studies.c.rejection_state.in_([literal("partial"), literal("complete")])
    ended = sa.case((lost, done), else_=_received())
    reasons = (
        minutes_between(ended, archive.c.last_at) < literal(DUE_MINUTES), sa.and_(lost, usual.c.first_at.is_(None)),
        sa.and_(lost, done < usual.c.first_at), sa.and_(lost, exams.c.exam_id.in_(_images_elsewhere())))
    way = sa.case(
        (lost, literal(NOTHING_ARRIVED)),
        (held.in_(_studies(studies, studies.c.completeness == literal("partial"))), literal(SAID_INCOMPLETE)),
        (held.in_(_studies(findings, findings.c.check_id == literal(COUNTS_CHECK))), literal(COUNTS_DIFFER)))
    joined = exams.outerjoin(archive, _site() == archive.c.site).outerjoin(
        usual, sa.and_(_site() == usual.c.site, _kind() == usual.c.kind))
    return scope.rows(
        reason=sa.case(*((condition, literal(place)) for place, condition in enumerate(reasons))), way=way,
        rejected=sa.case((held.in_(_studies(studies, rejected)), literal(1)), else_=literal(0)), **columns,
    ).select_from(joined)


def _studies(table: sa.Table, condition: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """Return the few studies of a table that a condition holds for; check REC603 has compared every count already."""
    return sa.select(table.c.study_instance_uid, table.c.source_id).where(
        condition, table.c.study_instance_uid.is_not(None), table.c.source_id.is_not(None))


def _site(table: sa.FromClause = exams) -> sa.ColumnElement[Any]:
    return sa.func.coalesce(table.c.site, literal(""))


def _kind(table: sa.FromClause = exams) -> sa.ColumnElement[Any]:
    alike = ((table.c.modality == literal(name), literal(kind)) for name, kind in _SAME_KIND.items())
    return sa.case(*alike, else_=sa.func.coalesce(table.c.modality, literal("")))


def _received() -> sa.ColumnElement[Any]:
    return sa.func.coalesce(exams.c.stored_at, exams.c.exam_at)


def _days(now: datetime | None) -> sa.CTE:
    """Return of each site, modality and day what was done, what of it has images, and when the archive received some.

    All else that is asked of every exam is asked of this, which is small: one scan.
    """
    known = sa.case((sa.and_(exams.c.has_study, _received() <= sa.literal(now, Instant)), _received()))
    done = sa.case((performed(), exams.c.imaging_complete_at))
    return sa.select(
        exams.c.site, exams.c.modality, exams.c.exam_date,
        sa.func.min(known, type_=Instant).label("first_at"), sa.func.max(known, type_=Instant).label("last_at"),
        sa.func.min(done, type_=Instant).label("first_done_at"), count_where(performed()).label("done"),
        count_where(sa.and_(performed(), exams.c.has_study)).label("arrived"),
    ).where(population(), exams.c.exam_date >= FIRST_EXAM_DATE).group_by(
        exams.c.site, exams.c.modality, exams.c.exam_date).cte("days_of_sites")


def _archives(days: sa.CTE) -> sa.Subquery:
    """Return when the archive of each site last received anything."""
    return sa.select(_site(days).label("site"), sa.func.max(days.c.last_at, type_=Instant).label("last_at")).group_by(
        _site(days)).subquery("archive_of_site")


def _sent_as_a_rule(days: sa.CTE) -> sa.Subquery:
    """Return each site's modalities of which at least every second exam done since its first study has images."""
    first = sa.select(
        _site(days).label("site"), _kind(days).label("kind"), sa.func.min(days.c.first_at, type_=Instant).label(
            "first_at")).group_by(_site(days), _kind(days)).subquery("first_of_kind")
    since = days.join(first, sa.and_(_site(days) == first.c.site, _kind(days) == first.c.kind))
    return sa.select(first.c.site, first.c.kind, first.c.first_at).select_from(since).where(
        days.c.first_done_at >= first.c.first_at).group_by(first.c.site, first.c.kind, first.c.first_at).having(
        literal(2) * total(days.c.arrived) >= total(days.c.done)).subquery("sent_as_a_rule")


def _images_elsewhere() -> sa.Select[Any]:
    """Return exams done without images, whose patient has a study of that day, site and modality all the same."""
    lost, other = exams.alias("lost"), exams.alias("other")
    is_lost = sa.and_(sa.not_(lost.c.has_study), performed(lost), is_a_patient(lost.c.patient_key))
    without = sa.select(lost.c.exam_id, lost.c.patient_key, lost.c.exam_date, _site(lost).label("site"),
                        _kind(lost).label("kind")).where(is_lost).subquery("without_images")
    # Asked with IN first, which is looked up among the few that are lost, never among all studies.
    same_day = sa.tuple_(other.c.patient_key, other.c.exam_date).in_(
        sa.select(lost.c.patient_key, lost.c.exam_date).where(is_lost))
    there = sa.select(other.c.patient_key, other.c.exam_date, _site(other).label("site"), _kind(other).label(
        "kind")).where(other.c.has_study, same_day).distinct().subquery("same_day")
    return sa.select(without.c.exam_id).select_from(without.join(there, sa.and_(
        *(there.c[name] == without.c[name] for name in ("patient_key", "exam_date", "site", "kind")))))
