"""Workflow events under the names and RadLex RIDs of the SIIM SWIM lexicon.

Source: SIIM Workflow Initiative in Medicine (SWIM) term list, 2015-06-18; IHE SOLE profile uses the same.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class WorkflowEvent:
    """One step of an imaging exam whose instant is recorded.

    Attributes
    ----------
    name : SWIM's own name, as stored in ``events.event``.
    rid : RadLex identifier.
    column : column of ``exams`` that holds this event's instant (UTC).
    label : the words shown to a person.
    """

    name: str
    rid: str
    column: str
    label: str


EVENTS: tuple[WorkflowEvent, ...] = (
    WorkflowEvent("Order", "RID45813", "order_at", "ordered"),
    WorkflowEvent("TimeScheduled", "RID45814", "time_scheduled_at", "scheduling done"),
    WorkflowEvent("ApptTime", "RID45815", "appt_time_at", "appointment"),
    WorkflowEvent("ExamCancelled", "RID45862", "exam_cancelled_at", "cancelled"),
    WorkflowEvent("Arrived", "RID45825", "arrived_at", "patient arrived"),
    WorkflowEvent("ProcedureStart", "RID46001", "procedure_start_at", "exam started"),
    WorkflowEvent("ImagingComplete", "RID45847", "imaging_complete_at", "exam completed"),
    WorkflowEvent("ImagesStoredInArchive", "RID45871", "images_stored_at", "images in archive"),
    WorkflowEvent("ImagesPrepared", "RID45914", "images_prepared_at", "ready to read"),
    WorkflowEvent("InterpStarted", "RID45874", "interp_started_at", "reading started"),
    WorkflowEvent("PrelimPublish", "RID45911", "prelim_publish_at", "preliminary report"),
    WorkflowEvent("Reported", "RID45924", "reported_at", "final report"),
    WorkflowEvent("ReportCorrected", "RID45850", "report_corrected_at", "report corrected"),
    WorkflowEvent("ResultsViewed", "RID45931", "results_viewed_at", "results viewed"),
)
BY_NAME: dict[str, WorkflowEvent] = {event.name: event for event in EVENTS}
BY_COLUMN: dict[str, WorkflowEvent] = {event.column: event for event in EVENTS}
