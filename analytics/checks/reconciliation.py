"""Reconciliation: do the archive and the RIS tell of the same exams?"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from analytics.checks.base import Check
from analytics.checks.wording import evidence, given, identified, instant, violated
from analytics.core.findings import CheckSpec, Severity
from analytics.warehouse.expressions import literal, minutes_between
from analytics.warehouse.merged_patients import goes_by_now
from analytics.warehouse.schema import exams, orders, studies

_DAY = 24 * 60
_SWF = "IHE Radiology, Scheduled Workflow (SWF)"
_EXAM = (exams.c.source_id, exams.c.study_instance_uid, exams.c.accession_number, exams.c.site, exams.c.modality,
         exams.c.station_name, exams.c.exam_date.label("found_date"))
_SAME_KIND = ({"CR", "DX", "DR", "XR", "RG"}, {"XA", "RF"}, {"PT", "PET"}, {"NM", "PT"}, {"MR", "MRI"}, {"US", "IVUS"})
"""Modalities that an order does not tell apart: which detector, which gantry."""


def _site(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    return sa.func.coalesce(column, literal(""))


class StudyHasAnOrder(Check):
    """Images that nobody ordered, as far as the RIS knows: they may never be reported."""

    spec = CheckSpec(
        id="REC601", name="Every study has an order", severity=Severity.WARNING, category="reconciliation",
        definition="Denominator: studies of sites whose RIS is loaded, dated between its first and last exam, in "
                   "sources that give accession numbers at all. Violated where no order or event of the RIS has the "
                   "study's accession number, or the study has none.",
        citation=f"{_SWF}; IHE Radiology, Patient Information Reconciliation (PIR): unscheduled studies are matched to "
                 "an order afterwards",
        fix_technologist="For an emergency done without an order, ask for the order the same day and link the study.",
        fix_administrator="Work through the list with the RIS: link, or mark as an import or a test. Unmatched studies "
                          "are in no reading list, and are not billed.",
    )

    def candidates(self) -> sa.Select[Any]:
        covered = sa.select(
            _site(exams.c.site).label("site"), sa.func.min(exams.c.exam_date).label("first_date"),
            sa.func.max(exams.c.exam_date).label("last_date"),
        ).where(exams.c.has_order).group_by(_site(exams.c.site)).subquery("covered")
        known = sa.select(exams.c.accession_number).where(
            exams.c.has_order, given(exams.c.accession_number)).distinct().subquery("known")
        gives_numbers = sa.select(studies.c.source_id).where(given(studies.c.accession_number)).distinct()
        joined = exams.join(covered, _site(exams.c.site) == covered.c.site).join(
            known, exams.c.accession_number == known.c.accession_number, isouter=True)
        return sa.select(
            *_EXAM, violated(known.c.accession_number.is_(None)),
            evidence(sa.case((given(exams.c.accession_number), literal("no order has this accession number")),
                             else_=literal("the study has no accession number"))),
        ).select_from(joined).where(
            exams.c.has_study, exams.c.source_id.in_(gives_numbers),
            exams.c.exam_date.between(covered.c.first_date, covered.c.last_date))


class CompletedExamHasImages(Check):
    """An exam that was done and of which the archive has nothing."""

    spec = CheckSpec(
        id="REC602", name="Every completed exam has images", severity=Severity.ERROR, category="reconciliation",
        definition="Denominator: exams of the RIS that are complete (ImagingComplete) and not cancelled, at sites "
                   "whose archive is loaded, after its first study and at least 24 hours before its last was received. "
                   "Violated where no study has the exam's accession number.",
        citation=f"{_SWF}: images of a completed procedure step are stored; SIIM SWIM lexicon 2015-06-18, "
                 "ImagesStoredInArchive RID45871",
        fix_technologist="Look on the device whether the images are still there and send them again today.",
        fix_administrator="Look in the device's queue and the archive's log for that time; search by patient and date "
                          "for a study with another accession number, and reconcile it.",
    )

    def candidates(self) -> sa.Select[Any]:
        received = sa.func.coalesce(exams.c.stored_at, exams.c.exam_at)
        covered = sa.select(
            _site(exams.c.site).label("site"), sa.func.min(received).label("first_at"),
            sa.func.max(received).label("last_at"),
        ).where(exams.c.has_study).group_by(_site(exams.c.site)).subquery("covered")
        done = exams.c.imaging_complete_at
        return sa.select(
            *_EXAM, violated(sa.not_(exams.c.has_study)),
            evidence("complete at ", instant(done), ", no study in the archive"),
        ).select_from(exams.join(covered, _site(exams.c.site) == covered.c.site)).where(
            exams.c.has_order, done >= covered.c.first_at, exams.c.exam_cancelled_at.is_(None),
            minutes_between(done, covered.c.last_at) >= literal(_DAY))


def _ordered() -> sa.Subquery:
    """Return what was ordered, one row an accession number that one order has."""
    return sa.select(
        orders.c.accession_number, sa.func.min(orders.c.modality).label("modality"),
        sa.func.min(orders.c.patient_key).label("patient_key"),
    ).group_by(orders.c.accession_number).having(sa.func.count() == literal(1)).subquery("ordered")


class ModalityIsTheOneOrdered(Check):
    """A CT ordered and an MR stored under its number."""

    spec = CheckSpec(
        id="REC606", name="The study's modality is the one ordered", severity=Severity.WARNING,
        category="reconciliation",
        definition="Denominator: exams with a study and an order that both give a modality. Violated where the ordered "
                   "one is not among the study's, and is not of the same kind (CR and DX; XA and RF; PT and NM).",
        citation=f"{_SWF}: Modality (0008,0060) of the scheduled procedure step is the station's",
        fix_technologist="If the exam was changed, have the order changed before closing it.",
        fix_administrator="An order that was changed and not updated, or images stored under another exam's accession "
                          "number: open both, and move the images if they are another exam's.",
    )

    def candidates(self) -> sa.Select[Any]:
        ordered = _ordered()
        study = sa.select(
            studies.c.source_id, studies.c.study_instance_uid, sa.func.max(studies.c.modality).label("modality"),
            sa.func.max(studies.c.modalities_in_study).label("all"),
        ).group_by(studies.c.source_id, studies.c.study_instance_uid).subquery("study")
        asked, made = ordered.c.modality, study.c.modality
        every = sa.func.concat(literal("\\"), made, literal("\\"), study.c["all"], literal("\\"))
        kinds = [sa.and_(*(term.in_([literal(one) for one in sorted(kind)]) for term in (asked, made)))
                 for kind in _SAME_KIND]
        among = sa.func.replace(every, sa.func.concat(literal("\\"), asked, literal("\\")), literal("")) != every
        joined = exams.join(ordered, exams.c.accession_number == ordered.c.accession_number).join(
            study, sa.and_(exams.c.study_instance_uid == study.c.study_instance_uid,
                           exams.c.source_id == study.c.source_id))
        return sa.select(
            *_EXAM, violated(sa.not_(sa.or_(among, *kinds))), evidence(asked, " ordered, ", made, " stored"),
        ).select_from(joined).where(exams.c.has_study, exams.c.has_order, given(asked), given(made))


class PatientIsTheOneOrderedFor(Check):
    """One patient's order on another patient's images."""

    spec = CheckSpec(
        id="REC607", name="The study's patient is the one ordered for", severity=Severity.ERROR,
        category="reconciliation",
        definition="Denominator: exams with a study and an order whose patients both have an ID that is no "
                   "placeholder. Violated where the two IDs differ, and no source tells that one was merged into the "
                   "other.",
        citation=f"{_SWF}; IHE Radiology, Patient Information Reconciliation (PIR); DICOM PS3.3 2024e, C.7.1.1 Patient "
                 "Module, Patient ID (0010,0020)",
        fix_technologist="Stop reading and tell the PACS administrator: the wrong worklist entry may have been chosen.",
        fix_administrator="Settle whose images they are before anything else; then move the study or correct the "
                          "order, and have the other patient's exam checked too. A merge that no source told of "
                          "shows here as well.",
    )

    def candidates(self) -> sa.Select[Any]:
        ordered = _ordered()
        # An exam has its order's patient where the study has no ID: that says nothing of the study.
        own = sa.exists(sa.select(literal(1)).where(
            studies.c.study_instance_uid == exams.c.study_instance_uid, studies.c.source_id == exams.c.source_id,
            identified(studies.c.patient_key)))
        return sa.select(
            *_EXAM, violated(sa.not_(goes_by_now(ordered.c.patient_key, exams.c.patient_key))),
            evidence("the order is for another patient ID than the study's"),
        ).select_from(exams.join(ordered, exams.c.accession_number == ordered.c.accession_number)).where(
            exams.c.has_study, exams.c.has_order, own, identified(exams.c.patient_key),
            identified(ordered.c.patient_key))
