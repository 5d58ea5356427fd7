"""Which exams the archive should hold whole by now, and in which way it is known that it does not."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from analytics.metrics.scope import FIRST_EXAM_DATE, Scope
from analytics.warehouse.expressions import literal, minutes_between
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


def performed() -> sa.ColumnElement[bool]:
    """Whether the RIS says that an exam was done."""
    return sa.and_(exams.c.has_order, exams.c.imaging_complete_at.is_not(None), exams.c.exam_cancelled_at.is_(None))


def population() -> sa.ColumnElement[bool]:
    """Whether an exam is in the archive, or was done."""
    return sa.or_(exams.c.has_study, performed())


def arrivals(scope: Scope, **columns: sa.ColumnElement[Any]) -> sa.Select[Any]:
    """Return the exams of a scope with ``reason`` (its place in `REASONS`; empty where the exam is expected in the
    archive), ``way`` (how it is known that it is not whole there; empty where nothing is known) and ``rejected``."""
    archive, usual = _archives(scope.as_of), _sent_as_a_rule(scope.as_of)
    marked, differing, elsewhere = _marked_studies(), _differing_studies(), _images_elsewhere()
    lost = sa.not_(exams.c.has_study)
    done = sa.case((lost, exams.c.imaging_complete_at), else_=_received())
    not_expected = (
        sa.and_(archive.c.last_at.is_not(None), minutes_between(done, archive.c.last_at) < literal(DUE_MINUTES)),
        sa.and_(lost, usual.c.first_at.is_(None)),
        sa.and_(lost, exams.c.imaging_complete_at < usual.c.first_at),
        sa.and_(lost, elsewhere.c.exam_id.is_not(None)),
    )
    reason = sa.case(*((condition, literal(place)) for place, condition in enumerate(not_expected)))
    way = sa.case((lost, literal(NOTHING_ARRIVED)), (marked.c.partial == literal(1), literal(SAID_INCOMPLETE)),
                  (differing.c.study_instance_uid.is_not(None), literal(COUNTS_DIFFER)))
    joined = exams.outerjoin(archive, _site() == archive.c.site).outerjoin(
        usual, sa.and_(_site() == usual.c.site, _kind() == usual.c.kind))
    for table in (marked, differing):
        joined = joined.outerjoin(table, sa.and_(exams.c.study_instance_uid == table.c.study_instance_uid,
                                                 exams.c.source_id == table.c.source_id))
    joined = joined.outerjoin(elsewhere, exams.c.exam_id == elsewhere.c.exam_id)
    return scope.rows(reason=reason, way=way, rejected=sa.func.coalesce(marked.c.rejected, literal(0)),
                      **columns).select_from(joined)


def _site() -> sa.ColumnElement[Any]:
    return sa.func.coalesce(exams.c.site, literal(""))


def _kind(table: sa.FromClause = exams) -> sa.ColumnElement[Any]:
    alike = ((table.c.modality == literal(name), literal(kind)) for name, kind in _SAME_KIND.items())
    return sa.case(*alike, else_=sa.func.coalesce(table.c.modality, literal("")))


def _received() -> sa.ColumnElement[Any]:
    return sa.func.coalesce(exams.c.stored_at, exams.c.exam_at)


def _plausible(now: datetime | None) -> sa.ColumnElement[bool]:
    return sa.and_(exams.c.has_study, exams.c.exam_date >= FIRST_EXAM_DATE, _received() <= sa.literal(now, Instant))


def _archives(now: datetime | None) -> sa.Subquery:
    """Return when the archive of each site last received anything."""
    return sa.select(_site().label("site"), sa.func.max(_received(), type_=Instant).label("last_at")).where(
        _plausible(now)).group_by(_site()).subquery("archive_of_site")


def _sent_as_a_rule(now: datetime | None) -> sa.Subquery:
    """Return each site's modalities of which at least every second exam done since its first study has images."""
    first = sa.select(
        _site().label("site"), _kind().label("kind"), sa.func.min(_received(), type_=Instant).label("first_at"),
    ).where(_plausible(now)).group_by(_site(), _kind()).subquery("first_of_kind")
    arrived = sa.func.sum(sa.case((exams.c.has_study, literal(1)), else_=literal(0)))
    return sa.select(first.c.site, first.c.kind, first.c.first_at).select_from(exams.join(first, sa.and_(
        _site() == first.c.site, _kind() == first.c.kind))).where(
        performed(), exams.c.imaging_complete_at >= first.c.first_at,
    ).group_by(first.c.site, first.c.kind, first.c.first_at).having(
        literal(2) * arrived >= sa.func.count()).subquery("sent_as_a_rule")


def _marked_studies() -> sa.Subquery:
    """Return the few studies that an archive says were received in part, or have objects rejected."""
    def any_of(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[Any]:
        return sa.func.max(sa.case((condition, literal(1)), else_=literal(0)))

    partial = studies.c.completeness == literal("partial")
    rejected = studies.c.rejection_state.in_([literal("partial"), literal("complete")])
    return sa.select(
        studies.c.source_id, studies.c.study_instance_uid, any_of(partial).label("partial"),
        any_of(rejected).label("rejected"),
    ).where(sa.or_(partial, rejected)).group_by(studies.c.source_id, studies.c.study_instance_uid).subquery("marked")


def _differing_studies() -> sa.Subquery:
    """Return the studies that check REC603 found: it has compared every count already."""
    return sa.select(findings.c.source_id, findings.c.study_instance_uid).where(
        findings.c.check_id == literal(COUNTS_CHECK)).distinct().subquery("differing")


def _images_elsewhere() -> sa.Subquery:
    """Return exams done without images, whose patient has a study of that day, site and modality all the same."""
    lost, other = exams.alias("lost"), exams.alias("other")
    without = sa.select(
        lost.c.exam_id, lost.c.patient_key, lost.c.exam_date, lost.c.site, _kind(lost).label("kind"),
    ).where(sa.not_(lost.c.has_study), lost.c.has_order, lost.c.imaging_complete_at.is_not(None),
            lost.c.exam_cancelled_at.is_(None), is_a_patient(lost.c.patient_key)).subquery("without_images")
    return sa.select(without.c.exam_id).select_from(without.join(other, sa.and_(
        other.c.patient_key == without.c.patient_key, other.c.exam_date == without.c.exam_date,
        _kind(other) == without.c.kind,
        sa.func.coalesce(other.c.site, literal("")) == sa.func.coalesce(without.c.site, literal("")),
    ))).where(other.c.has_study).distinct().subquery("images_elsewhere")
