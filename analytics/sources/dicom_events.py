"""What DICOM objects themselves tell of an exam's events: procedure steps as devices report them, reports as verified.

DICOM PS3.4 2024e, F.7 (Modality Performed Procedure Step), PS3.3 2024e, C.4.13 to C.4.15 (its modules), C.7.3.1
(General Series: the step that an image was made in), C.17.2 (SR Document General: who verified it, and when).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from analytics.core.terms import MPPS_SOP_CLASS, REPORT_SOP_CLASSES
from analytics.sources import dicom_values as dv

KEYWORDS = ("PerformedProcedureStepStartDate", "PerformedProcedureStepStartTime", "PerformedProcedureStepEndDate",
            "PerformedProcedureStepEndTime", "PerformedProcedureStepStatus", "VerificationFlag")
SEQUENCES = ("ScheduledStepAttributesSequence", "VerifyingObserverSequence")

Text = Callable[[str], str]
Nested = Callable[[str, str], list[str]]


def event_columns(sop_class_uid: str | None, text: Text, nested: Nested, zone: str) -> dict[str, Any]:
    """Return the columns of ``instances`` that an object's events are made of.

    Parameters
    ----------
    sop_class_uid : str or None
    text : callable
        Gives the text of an element by its keyword.
    nested : callable
        Gives the texts of an element in the items of a sequence, by both keywords.
    zone : str
        IANA zone of times whose object has no TimezoneOffsetFromUTC.

    Returns
    -------
    dict
        ``performed_start_at``; of an MPPS ``performed_end_at`` once it is completed, the accession number of the first
        scheduled step that has one, and no study or series; of a verified report ``verified_at``, when the first
        observer verified it. A discontinued step made no exam: it has neither start nor end.
    """
    offset = text("TimezoneOffsetFromUTC")

    def instant(what: str) -> datetime | None:
        return dv.instant_of(text(f"{what}Date"), text(f"{what}Time"), offset, zone)

    columns: dict[str, Any] = {"performed_start_at": instant("PerformedProcedureStepStart")}
    if sop_class_uid == MPPS_SOP_CLASS:
        numbers = [*nested("ScheduledStepAttributesSequence", "AccessionNumber"), text("AccessionNumber")]
        status = text("PerformedProcedureStepStatus")
        if status == "DISCONTINUED":
            columns["performed_start_at"] = None
        columns |= {"study_instance_uid": None, "series_instance_uid": None,
                    "accession_number": next(filter(None, numbers), None),
                    "performed_end_at": instant("PerformedProcedureStepEnd") if status == "COMPLETED" else None}
    if sop_class_uid in REPORT_SOP_CLASSES and text("VerificationFlag") == "VERIFIED":
        verified = nested("VerifyingObserverSequence", "VerificationDateTime")
        columns["verified_at"] = _first(dv.date_time_of(one, offset, zone) for one in verified)
    return columns


def _first(instants: Iterable[datetime | None]) -> datetime | None:
    return min((instant for instant in instants if instant is not None), default=None)
