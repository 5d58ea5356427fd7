"""Which source counts where several tell when an event of an exam happened: the rule, as data.

What stands nearest to where an event happens knows best when it happened. A scanner knows when it began and ended, and
says so in its Modality Performed Procedure Step (MPPS); the RIS knows when an exam was ordered and a report signed.
All that is told stays in ``events``; the rule picks what ``exams`` holds, and check TMP309 names where they disagree.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Stage = Literal["ordering", "acquisition", "archiving", "reporting"]
"""Where an event happens: at the RIS's desk, at the scanner, in the archive, at the reading."""


@dataclass(frozen=True)
class Teller:
    """What tells of events: a kind of source, or an object in an archive that carries a time.

    Attributes
    ----------
    name : short and permanent.
    label : the words shown to a person.
    kinds : the kinds of source that it is.
    origin : how ``events.origin`` begins where an object in an archive tells it, whichever source holds the object.
    """

    name: str
    label: str
    kinds: frozenset[str] = frozenset()
    origin: str = ""


MPPS = Teller("mpps", "the device's own report (MPPS)", origin="MPPS (")
IMAGE = Teller("image", "the image's header", origin="image (")
IMAGING_STUDY = Teller("imaging_study", "the images' header (FHIR ImagingStudy)", origin="ImagingStudy.")
SR = Teller("sr", "the structured report in the archive", origin="SR (")
SOLE = Teller("sole", "the event repository (SOLE)", kinds=frozenset({"sole"}))
RIS = Teller("ris", "the RIS", kinds=frozenset({"ris_events", "index_export", "hl7"}))
FHIR = Teller("fhir", "the FHIR server", kinds=frozenset({"fhir"}))
OTHER = Teller("other", "another source")

TELLERS = (MPPS, IMAGE, IMAGING_STUDY, SR, SOLE, RIS, FHIR, OTHER)
IN_OBJECTS = tuple(teller for teller in TELLERS if teller.origin)
"""Tellers that are objects in an archive: what they say makes no order, and no exam of the RIS."""

PRECEDENCE: dict[Stage, tuple[tuple[Teller, ...], ...]] = {
    "ordering": ((RIS,), (SOLE,), (FHIR,)),
    "acquisition": ((MPPS,), (SOLE,), (RIS, FHIR)),
    "archiving": ((SOLE,), (RIS, FHIR)),
    "reporting": ((RIS, FHIR), (SOLE,), (SR,)),
}
"""Tellers of each stage, those that count first at the front; what is not named counts last, an image's header after
the others."""

STAGES: dict[str, Stage] = {
    "Order": "ordering", "TimeScheduled": "ordering", "ApptTime": "ordering", "ExamCancelled": "ordering",
    "Arrived": "ordering",
    "ProcedureStart": "acquisition", "ImagingComplete": "acquisition",
    "ImagesStoredInArchive": "archiving", "ImagesPrepared": "archiving",
    "InterpStarted": "reporting", "PrelimPublish": "reporting", "Reported": "reporting",
    "ReportCorrected": "reporting", "ResultsViewed": "reporting",
}
"""SWIM event to the stage it belongs to."""


def teller_of(kind: str | None, origin: str | None) -> Teller:
    """Return what tells an event, by the kind of its source and where that has it from."""
    for teller in IN_OBJECTS:
        if (origin or "").startswith(teller.origin):
            return teller
    return next((teller for teller in TELLERS if kind in teller.kinds), OTHER)


def rank(event: str, teller: Teller) -> int:
    """Return the place of a teller in the precedence of an event's stage: the lowest counts."""
    places = PRECEDENCE[STAGES[event]]
    for place, tellers in enumerate(places):
        if teller in tellers:
            return place
    return len(places) + (teller in (IMAGE, IMAGING_STUDY))
