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

ALL_RIDS: dict[str, str] = {
    # order and schedule
    "Order": "RID45813", "StatOrder": "RID45941", "OrderReceived": "RID45895", "TimeScheduled": "RID45814",
    "ApptTime": "RID45815", "ProtocolSpecified": "RID45824", "ExamCancelled": "RID45862",
    # patient and room
    "Arrived": "RID45825", "PatientReady": "RID45900", "PatientIn": "RID45897", "PatientOut": "RID45899",
    "RoomAssigned": "RID45934", "RoomAvailable": "RID45935", "RoomCleaned": "RID45936",
    # acquisition
    "ProcedureStart": "RID46001", "FirstImage": "RID46000", "DataAcquired": "RID45826", "ImagingComplete": "RID45847",
    "Transferred": "RID45945", "ImagesPrepared": "RID45914",
    # archive
    "ArchiveCommit": "RID45830", "ImagesStoredInArchive": "RID45871", "PrefetchIssued": "RID45908",
    "PrefetchCompleted": "RID45907", "PatientMerge": "RID45898", "DeleteExam": "RID45856",
    # report
    "Opened": "RID45893", "InterpStarted": "RID45874", "DictationStart": "RID45858", "Dictated": "RID45859",
    "Transcribed": "RID45944", "PrelimPublish": "RID45911", "Reported": "RID45924", "FinalPublish": "RID45865",
    "ReportCorrected": "RID45850", "ResultsViewed": "RID45931", "CritNotification": "RID45854",
    # delays
    "PatientDidNotArrive": "RID45954", "WaitingForRadiologists": "RID45956", "WaitingForTech": "RID45961",
    "SystemDown": "RID45964",
    # resources
    "ModalityScheduledAvailable": "RID45986", "ModalityScheduledUnavailable": "RID45987", "PACSDown": "RID45994",
    "PACSUp": "RID45995",
}
"""SWIM's name to RadLex identifier, of events that no column of ``exams`` holds too: they are kept in ``events``."""
BY_RID: dict[str, str] = {rid: name for name, rid in ALL_RIDS.items()}
"""RadLex identifier to SWIM's name."""
