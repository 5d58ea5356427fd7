"""The named turnaround intervals: which two events each lies between, and who defined it.

There is never one turnaround time: a figure says which of these it uses.
"""

from __future__ import annotations

from dataclasses import dataclass

from analytics.core.swim import BY_COLUMN
from analytics.metrics.business_hours import EVERY_MINUTE

_SWIM = "SIIM SWIM lexicon, 2015-06-18"


@dataclass(frozen=True)
class Interval:
    """The time from one workflow event of an exam to another.

    Attributes
    ----------
    id : of its metric.
    start, end : columns of ``exams``.
    passed : columns of later events: where one is known and the end is not, the end happened and was not
        recorded, so the case is not open.
    is_report : it ends with the final report, so targets apply.
    """

    id: str
    name: str
    start: str
    end: str
    citation: str
    rid: str = ""
    passed: tuple[str, ...] = ()
    is_report: bool = False

    @property
    def start_label(self) -> str:
        """Return the words for the event it starts with."""
        return BY_COLUMN[self.start].label

    @property
    def end_label(self) -> str:
        """Return the words for the event it ends with."""
        return BY_COLUMN[self.end].label

    @property
    def definition(self) -> str:
        """Return what is measured, in words, with what is left out."""
        first, last = BY_COLUMN[self.start], BY_COLUMN[self.end]
        return (f"Minutes from {first.name} ({first.label}) to {last.name} ({last.label}), the first of each, of exams "
                "with both, by exam date. Exams still open stand beside it and are not in the median; cancelled exams "
                f"and impossible intervals (the end before the start) are left out and counted. {EVERY_MINUTE}")


INTERVALS: tuple[Interval, ...] = (
    Interval("turnaround.swim_rtat", "Report turnaround (SWIM)", "images_prepared_at", "reported_at",
             f"{_SWIM}: ReportTurnAroundTime = Reported - ImagesPrepared", "RID45976", is_report=True),
    Interval("turnaround.acr_grid", "Report turnaround (ACR GRID)", "imaging_complete_at", "reported_at",
             "ACR General Radiology Improvement Database: exam completion to final report signature", is_report=True),
    Interval("turnaround.nhs", "Report turnaround (NHS England)", "procedure_start_at", "reported_at",
             "NHS England, Diagnostic imaging reporting turnaround times, 2023-08-09: examination to verified report "
             "(maximum four weeks)", is_report=True),
    Interval("turnaround.order_to_report", "Order to report", "order_at", "reported_at",
             f"{_SWIM}: Order (RID45813) to Reported (RID45924)"),
    Interval("turnaround.arrival_to_start", "Patient wait", "arrived_at", "procedure_start_at",
             f"{_SWIM}: PatientWait = ProcedureStart - Arrived", "RID45979",
             passed=("imaging_complete_at", "images_prepared_at", "reported_at")),
    Interval("turnaround.exam_duration", "Exam duration", "procedure_start_at", "imaging_complete_at",
             f"{_SWIM}: AcquisitionDuration, ProcedureStart to ImagingComplete", "RID45981",
             passed=("images_prepared_at", "reported_at")),
    Interval("turnaround.complete_to_stored", "Modality to archive", "imaging_complete_at", "images_stored_at",
             f"{_SWIM}: Modality->PACS, ImagingComplete to ImagesStoredInArchive", "RID45983",
             passed=("images_prepared_at", "reported_at")),
    Interval("turnaround.stored_to_prelim", "Stored to preliminary report", "images_stored_at", "prelim_publish_at",
             f"{_SWIM}: ImagesStoredInArchive (RID45871) to PrelimPublish (RID45911)", passed=("reported_at",)),
    Interval("turnaround.prelim_to_final", "Preliminary to final report", "prelim_publish_at", "reported_at",
             f"{_SWIM}: PrelimPublish (RID45911) to Reported (RID45924)"),
)
BY_ID: dict[str, Interval] = {interval.id: interval for interval in INTERVALS}

TARGETS_MINUTES: dict[str, float] = {"S": 60.0, "A": 720.0, "R": 5760.0}
"""Longest time to a final report by priority (HL7 table 0485): 1 h, 12 h, 4 days.

Wait Time Alliance (Canada), radiology benchmarks: maximum report turnaround of priority 1, 2 and 3-4. A site
has its own: pass them as ``targets``."""
TARGETS_CITATION = "Wait Time Alliance (Canada), radiology benchmarks: stat 1 h, urgent 12 h, routine 4 days"
