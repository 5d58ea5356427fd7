"""Time: do an exam's workflow events follow each other, and do scanner and RIS tell the same time?"""

from __future__ import annotations

from itertools import combinations
from typing import Any

import sqlalchemy as sa

from analytics.checks.base import Check
from analytics.checks.wording import evidence, identified, instant, number, violated
from analytics.core.findings import CheckSpec, Severity
from analytics.core.swim import BY_COLUMN
from analytics.warehouse.event_times import first_told_outside_objects
from analytics.warehouse.expressions import literal, minutes_between, period_start, quantile
from analytics.warehouse.merged_patients import goes_by_now
from analytics.warehouse.schema import exams, studies

_DAY = 24 * 60
_OVERLAP_MINUTES = 5
_DRIFT_MINUTES = 5
_DRIFT_EXAMS = 20
_ORDERED = ("order_at", "arrived_at", "procedure_start_at", "imaging_complete_at")
_SWIM = "SIIM SWIM lexicon 2015-06-18"
_EXAM = (exams.c.source_id, exams.c.study_instance_uid, exams.c.accession_number, exams.c.site, exams.c.modality,
         exams.c.station_name, exams.c.exam_date.label("found_date"))


def _pair(earlier: sa.Column[Any], later: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """Say two events of an exam with their instants: ``exam started 10:05 before patient arrived 10:20``."""
    return sa.func.concat(
        literal(BY_COLUMN[later.name].label), literal(" "), instant(later), literal(", before "),
        literal(BY_COLUMN[earlier.name].label), literal(" "), instant(earlier))


class EventsFollowTheirOrder(Check):
    """Order, arrival, start, completion, report: an exam's events in an order that cannot be."""

    spec = CheckSpec(
        id="TMP303", name="Workflow events follow their order", severity=Severity.ERROR, category="temporal",
        definition="Denominator: exams with at least two of Order, Arrived, ProcedureStart, ImagingComplete, or with "
                   "ImagingComplete and Reported. Violated where one comes before an event that it follows, or "
                   "the final report lies between the exam's start and its completion. Equal times are fine; a "
                   "report before the start is TMP304.",
        citation=f"{_SWIM}: Order RID45813, Arrived RID45825, ProcedureStart RID46001, ImagingComplete RID45847, "
                 "Reported RID45924; IHE Radiology, Scheduled Workflow (SWF)",
        fix_technologist="Set arrival, start and end when they happen, not at the end of the shift.",
        fix_administrator="Find which step is entered late or by another clock. Exams done before their order (an "
                          "unscheduled patient) need the order's time corrected, or turnaround of them is wrong.",
    )

    def candidates(self) -> sa.Select[Any]:
        pairs = [(exams.c[earlier], exams.c[later]) for earlier, later in combinations(_ORDERED, 2)]
        final, done, start = exams.c.reported_at, exams.c.imaging_complete_at, exams.c.procedure_start_at
        report_early = sa.and_(final < done, sa.or_(start.is_(None), final >= start))
        reversed_pairs = [(later < earlier, _pair(earlier, later)) for earlier, later in pairs]
        known = [sa.and_(earlier.is_not(None), later.is_not(None)) for earlier, later in pairs]
        return sa.select(
            *_EXAM, violated(sa.or_(*(condition for condition, _ in reversed_pairs), report_early)),
            evidence(sa.case(*reversed_pairs, (report_early, _pair(done, final)))),
        ).where(sa.or_(*known, sa.and_(done.is_not(None), final.is_not(None))))


class ReportIsNotOlderThanImages(Check):
    """A report signed before the exam began is another exam's report."""

    spec = CheckSpec(
        id="TMP304", name="The report is not older than the exam's images", severity=Severity.ERROR,
        category="temporal",
        definition="Denominator: exams with ProcedureStart and a preliminary or final report (PrelimPublish, "
                   "Reported). Violated where either report is earlier than the exam's start.",
        citation=f"{_SWIM}: ProcedureStart RID46001, PrelimPublish RID45911, Reported RID45924",
        fix_technologist="If the exam was repeated, close the first order and use a new one for the repeat.",
        fix_administrator="Open report and images side by side: the report may hang on the wrong order, or the images "
                          "were added to an exam that was read already and must be read again.",
    )

    def candidates(self) -> sa.Select[Any]:
        start, final, first = exams.c.procedure_start_at, exams.c.reported_at, exams.c.prelim_publish_at
        report = sa.case((first < final, first), else_=sa.func.coalesce(final, first))
        return sa.select(
            *_EXAM, violated(report < start), evidence("report ", instant(report), ", exam started ", instant(start)),
        ).where(start.is_not(None), report.is_not(None))


class ExamLastsLessThanADay(Check):
    """An exam that was never closed spoils every duration and utilization."""

    spec = CheckSpec(
        id="TMP305", name="An exam lasts less than 24 hours", severity=Severity.WARNING, category="temporal",
        definition="Denominator: exams with ProcedureStart and a later or equal ImagingComplete. Violated where more "
                   "than 24 hours lie between them.",
        citation=f"{_SWIM}: AcquisitionDuration RID45981, from ProcedureStart RID46001 to ImagingComplete RID45847",
        fix_technologist="Complete the exam at the device or in the RIS before the next patient.",
        fix_administrator="Correct the completion from the last image's time. Where a device never sends its MPPS "
                          "completion, mend that: utilization counts the scanner as busy.",
    )

    def candidates(self) -> sa.Select[Any]:
        start, done = exams.c.procedure_start_at, exams.c.imaging_complete_at
        lasted = minutes_between(start, done)
        return sa.select(
            *_EXAM, violated(lasted > literal(_DAY)), evidence("lasted ", number(lasted / literal(60.0), 1), " hours"),
        ).where(done >= start)


class ScannerClockAgrees(Check):
    """A scanner whose clock drifts away from the RIS."""

    spec = CheckSpec(
        id="TMP306", name="The scanner's clock agrees with the RIS", severity=Severity.WARNING, category="temporal",
        definition="Denominator: devices in a calendar month with at least 20 exams that have both the study's time "
                   "(from the scanner) and ProcedureStart (from the RIS; what the device tells itself, as MPPS, does "
                   "not count here). Violated where the median difference is more than 5 minutes either way.",
        citation="DICOM PS3.17 2024e, R.6.3 (clocks of unsynchronized devices may be off by 5 to 10 minutes); IHE IT "
                 "Infrastructure, Consistent Time (CT)",
        fix_technologist="Compare the scanner's clock with the wall at the start of the shift and report a difference.",
        fix_administrator="Set the scanner to the hospital's NTP server and check its zone and summer time. Until it "
                          "is mended, intervals that mix scanner and RIS times are wrong by this much.",
    )

    def candidates(self) -> sa.Select[Any]:
        month = period_start(exams.c.exam_date, "month")
        started = first_told_outside_objects("ProcedureStart")
        off = minutes_between(started.c.first_at, studies.c.study_at)
        device = (exams.c.source_id, exams.c.site, exams.c.modality, exams.c.station_name)
        same_study = sa.and_(exams.c.study_instance_uid == studies.c.study_instance_uid,
                             exams.c.source_id == studies.c.source_id,
                             goes_by_now(studies.c.patient_key, exams.c.patient_key))
        same_exam = exams.c.accession_number == started.c.accession_number
        months = sa.select(
            *device, month.label("found_date"), quantile(off, 0.5).label("minutes_off"),
            sa.func.count().label("exams_seen"),
        ).select_from(exams.join(studies, same_study).join(started, same_exam)).where(
            exams.c.procedure_start_at.is_not(None), studies.c.study_at.is_not(None),
            exams.c.station_name.is_not(None),
        ).group_by(*device, month).having(sa.func.count() >= literal(_DRIFT_EXAMS)).subquery("months")
        minutes = months.c.minutes_off
        return sa.select(
            months.c.source_id, months.c.site, months.c.modality, months.c.station_name, months.c.found_date,
            violated(sa.func.abs(minutes) > literal(_DRIFT_MINUTES)),
            evidence("scanner's clock ", number(sa.func.abs(minutes), 1), " min ",
                     sa.case((minutes > literal(0), literal("ahead of")), else_=literal("behind")),
                     " the RIS (median of ", number(months.c.exams_seen), " exams)"))


class ExamsDoNotOverlap(Check):
    """Two patients on one scanner at one time."""

    spec = CheckSpec(
        id="TMP307", name="Exams on one scanner do not overlap", severity=Severity.WARNING, category="temporal",
        definition="Denominator: exams with ProcedureStart, ImagingComplete and a station, from start to end in less "
                   "than 24 hours, that have one before them on the station. Violated where an exam starts more than 5 "
                   "minutes before the one before it is complete, and the two are of different patients: several "
                   "orders of one patient are often one acquisition.",
        citation=f"{_SWIM}: ModalityUtilization RID45978, ProcedureStart RID46001, ImagingComplete RID45847",
        fix_technologist="Complete the exam before starting the next; start it when the patient is on the table.",
        fix_administrator="See whether one room's exams are booked on another's name, whether a name stands for two "
                          "rooms, or whether exams are completed in one go at the end of the shift.",
    )

    def candidates(self) -> sa.Select[Any]:
        start, done = exams.c.procedure_start_at, exams.c.imaging_complete_at

        def of_exam_before(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
            return sa.func.lag(column).over(
                partition_by=(exams.c.site, exams.c.station_name), order_by=(start, done, exams.c.exam_id))

        in_turn = sa.select(
            *_EXAM, exams.c.patient_key, start.label("started"),
            of_exam_before(done).label("previous_done"),
            of_exam_before(exams.c.patient_key).label("previous_patient"),
        ).where(done >= start, minutes_between(start, done) < literal(_DAY), exams.c.station_name.is_not(None),
                ).subquery("in_turn")
        overlap = minutes_between(in_turn.c.started, in_turn.c.previous_done)
        same_patient = sa.and_(in_turn.c.patient_key == in_turn.c.previous_patient,
                               identified(in_turn.c.patient_key))
        return sa.select(
            *(in_turn.c[column.name] for column in _EXAM),
            violated(sa.and_(overlap > literal(_OVERLAP_MINUTES),
                             sa.not_(sa.func.coalesce(same_patient, sa.false())))),
            evidence("started ", number(overlap), " min before the exam before it on this scanner was complete"),
        ).where(in_turn.c.previous_done.is_not(None))
