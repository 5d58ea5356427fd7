"""What a FHIR resource says of an exam: its order, its times, its patient. R4 (4.0.1), R4B and R5 (5.0.0).

Elements and codes are as https://hl7.org/fhir/R4 and https://hl7.org/fhir/R5 define them; where R5 has another type,
both are read. Nothing here raises on what a resource holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from analytics.core.terms import NOT_ACQUIRED
from analytics.sources.hl7_terms import OTHER_SERVICES

Resource = dict[str, Any]

TELLING = frozenset({"ServiceRequest", "ImagingStudy", "DiagnosticReport"})
TARGETS = frozenset({"Patient", "Encounter"}) | TELLING
"""Types that other resources refer to, or that tell of an exam."""

PRIORITIES = {"routine": "R", "urgent": "A", "asap": "A", "stat": "S"}
"""Request priority to ours: urgent is "higher priority than routine", asap is "higher than urgent"; both are A."""
PATIENT_CLASSES = {"AMB": "O", "IMP": "I", "ACUTE": "I", "NONAC": "I", "EMER": "E"}
"""Class of an encounter (v3 ActCode) to HL7 table 0004; the others, such as observation, say neither."""
SEXES = {"male": "M", "female": "F", "other": "O"}

REPORT_EVENTS = {
    "partial": "PrelimPublish", "preliminary": "PrelimPublish", "modified": "PrelimPublish", "final": "Reported",
    "amended": "ReportCorrected", "corrected": "ReportCorrected", "appended": "ReportCorrected"}
"""DiagnosticReport.status to what happened when this version was issued; ``modified`` is R5's changed preliminary."""
TAKEN_BACK = frozenset({"entered-in-error", "cancelled"})
"""Statuses of a DiagnosticReport that take back what it told; of the others, ``entered-in-error`` alone does."""

_ORDERS = frozenset({"order", "original-order", "reflex-order", "filler-order", "instance-order"})
_LABORATORY = frozenset({"108252007", "laboratory"})
_ACCESSION_TYPES = frozenset({"ACSN", "121022"})
"""Type of an identifier that is an accession number: v2-0203 ACSN, or DICOM's code."""


@dataclass(frozen=True)
class Systems:
    """Identifier systems that a site names, where identifiers carry no type.

    Attributes
    ----------
    accession : of accession numbers.
    patient : of the PatientID that the archive uses.
    """

    accession: str = ""
    patient: str = ""


@dataclass(frozen=True)
class Told:
    """A time that a resource gives.

    Attributes
    ----------
    event : SWIM's name.
    at : as it is written.
    origin : the element.
    planned : whether it may lie in the future.
    """

    event: str
    at: Any
    origin: str
    planned: bool = False


def dicts(value: Any) -> Iterator[Resource]:
    """Yield the objects of an element that holds one or several."""
    for one in value if isinstance(value, list) else (value,):
        if isinstance(one, dict):
            yield one


def text(value: Any) -> str:
    """Return an element's text, without NUL and halves of surrogate pairs; nothing where it is none."""
    if not isinstance(value, str):
        return ""
    whole = value if value.isascii() else value.encode("utf-8", "ignore").decode("utf-8")
    return whole.replace("\x00", "").strip()


def type_of(resource: Resource) -> str:
    """Return the type of a resource; nothing where it has none."""
    return text(resource.get("resourceType"))


def own_reference(resource: Resource) -> str:
    """Return what others call a resource: ``Patient/123``; nothing where it has no id."""
    return f"{type_of(resource)}/{text(resource.get('id'))}" if text(resource.get("id")) else ""


def reference_key(reference: Any) -> str:
    """Return a literal reference without its server and version: ``Patient/123``, ``#contained``, ``urn:uuid:…``."""
    written = text(reference)
    if written.startswith(("#", "urn:")):
        return written
    return "/".join(written.partition("?")[0].partition("/_history/")[0].rstrip("/").split("/")[-2:])


def contained(resource: Resource, key: str) -> Resource | None:
    """Return the contained resource that a reference ``#id`` means."""
    return next((one for one in dicts(resource.get("contained")) if f"#{text(one.get('id'))}" == key), None)


def last_updated(resource: Resource) -> str:
    """Return meta.lastUpdated as it is written."""
    return next((text(meta.get("lastUpdated")) for meta in dicts(resource.get("meta"))), "")


def _codings(concept: Any) -> Iterator[Resource]:
    """Yield the codings of a Coding, a CodeableConcept (R4) or a CodeableReference (R5), one or several."""
    for one in dicts(concept):
        inner = one.get("concept", one)
        for each in dicts(inner):
            yield from dicts(each["coding"]) if "coding" in each else iter((each,))


def _codes(concept: Any) -> list[str]:
    return [code for coding in _codings(concept) if (code := text(coding.get("code")))]


def is_accession(identifier: Resource, systems: Systems) -> bool:
    """Whether an identifier is an accession number: by the system that the site names, else by its type."""
    if systems.accession:
        return text(identifier.get("system")) == systems.accession
    return any(code in _ACCESSION_TYPES for code in _codes(identifier.get("type")))


def accession_numbers(resource: Resource, systems: Systems) -> tuple[str, ...]:
    """Return the accession numbers among a resource's own identifiers."""
    found = (text(one.get("value")) for one in dicts(resource.get("identifier")) if is_accession(one, systems))
    return tuple(dict.fromkeys(filter(None, found)))


def exam_references(resource: Resource) -> Iterator[Resource]:
    """Yield the references that lead to the exam's order or study: basedOn first, then imagingStudy (R5: study)."""
    if type_of(resource) in ("ImagingStudy", "DiagnosticReport"):
        yield from dicts(resource.get("basedOn"))
    if type_of(resource) == "DiagnosticReport":
        yield from dicts(resource.get("imagingStudy"))
        yield from dicts(resource.get("study"))


def patient_id(resource: Resource, systems: Systems) -> str:
    """Return the PatientID of a Patient.

    The identifier of the system that the site names; else one of type MR (v2-0203), the usual or official one first;
    else the first usual or official one; else the first. Identifiers of use ``old`` or ``temp`` come last.
    """
    uses = {"usual": 0, "official": 1, "": 2, "secondary": 3, "temp": 4, "old": 5}
    ranked = []
    for place, one in enumerate(dicts(resource.get("identifier"))):
        if not text(one.get("value")):
            continue
        named = bool(systems.patient) and text(one.get("system")) == systems.patient
        use = uses.get(text(one.get("use")), 3)
        ranked.append((not named, use >= 4, "MR" not in _codes(one.get("type")), use, place, text(one.get("value"))))
    return min(ranked)[-1] if ranked else ""


def patient_name(resource: Resource) -> str:
    """Return the name of a Patient as DICOM writes it, the official one first: ``FAMILY^GIVEN^MIDDLE``."""
    uses = {"official": 0, "usual": 1, "": 2}
    names = sorted(dicts(resource.get("name")), key=lambda one: uses.get(text(one.get("use")), 3))
    written = [name for one in names if (name := _in_parts(one))]
    return next(iter(written), "") or next((text(one.get("text")) for one in names), "")


def _in_parts(name: Resource) -> str:
    given = name.get("given")
    parts = [text(name.get("family")), *(text(each) for each in (given if isinstance(given, list) else ()))]
    return "^".join(parts) if any(parts) else ""


def patient_names(resource: Resource) -> Iterator[str]:
    """Yield every name of a Patient, in parts and as a text: a maiden name as well."""
    for one in dicts(resource.get("name")):
        yield from filter(None, (_in_parts(one), text(one.get("text"))))


def birth_date(resource: Resource) -> str:
    """Return Patient.birthDate as it is written."""
    return text(resource.get("birthDate"))


def sex(resource: Resource) -> str:
    """Return Patient.gender as Patient's Sex (0010,0040); nothing where it is unknown."""
    return SEXES.get(text(resource.get("gender")), "")


def patient_class(encounter: Resource) -> str | None:
    """Return the class of an Encounter: a Coding in R4, CodeableConcepts in R5."""
    return next((PATIENT_CLASSES[code] for code in _codes(encounter.get("class")) if code in PATIENT_CLASSES), None)


def is_taken_back(resource: Resource) -> bool:
    """Whether a resource says that what it told is not so."""
    status = text(resource.get("status"))
    return status == "entered-in-error" or (type_of(resource) == "DiagnosticReport" and status in TAKEN_BACK)


def could_tell(resource: Resource) -> tuple[str, ...]:
    """Return the events that a resource of this type tells, and so what it takes back; empty is the order itself."""
    return {"ServiceRequest": ("", "Order", "ApptTime"), "ImagingStudy": ("ProcedureStart",),
            "DiagnosticReport": ("PrelimPublish", "Reported", "ReportCorrected")}.get(type_of(resource), ())


def passed_over(resource: Resource) -> str:
    """Say why a resource tells of no exam that was ordered; empty where it does."""
    services = list(_codings(resource.get("category")))
    if any(text(one.get("code")) in _LABORATORY or (
            text(one.get("system")).endswith(("v2-0074", "v2/0074")) and text(one.get("code")) in OTHER_SERVICES)
           for one in services):
        return "resources are of other services than imaging, by their category, and were passed over"
    if type_of(resource) == "ServiceRequest":
        if text(resource.get("intent")) not in _ORDERS or resource.get("doNotPerform") is True:
            return "ServiceRequest resources are proposals, plans or prohibitions, no orders, and were passed over"
        if text(resource.get("status")) == "draft":
            return "ServiceRequest resources are drafts, not ordered yet, and were passed over"
    return ""


def told_by(resource: Resource) -> list[Told]:
    """Return the times that a resource gives of its exam."""
    kind, found = type_of(resource), []
    if kind == "ServiceRequest":
        period = next(dicts(resource.get("occurrencePeriod")), {})
        at, origin = ((resource.get("occurrenceDateTime"), "ServiceRequest.occurrenceDateTime")
                      if "occurrenceDateTime" in resource
                      else (period.get("start"), "ServiceRequest.occurrencePeriod.start"))
        found = [Told("Order", resource.get("authoredOn"), "ServiceRequest.authoredOn"),
                 Told("ApptTime", at, origin, planned=True)]
    elif kind == "ImagingStudy" and text(resource.get("status")) != "cancelled":
        found = [Told("ProcedureStart", resource.get("started"), "ImagingStudy.started")]
    elif kind == "DiagnosticReport" and (event := REPORT_EVENTS.get(text(resource.get("status")))):
        found = [Told(event, resource.get("issued"), "DiagnosticReport.issued")]
    return [one for one in found if one.at is not None]


def not_said(resource: Resource) -> str:
    """Return a note on what a resource leaves unsaid that a reader of the numbers should know; mostly empty."""
    kind, status = type_of(resource), text(resource.get("status"))
    if kind == "ServiceRequest" and status == "revoked":
        return "ServiceRequest resources are revoked: FHIR does not say when, and no cancellation was recorded"
    if kind == "ImagingStudy" and status == "cancelled":
        return "ImagingStudy resources are cancelled: FHIR does not say when, and neither start nor end was recorded"
    if kind == "DiagnosticReport" and status in REPORT_EVENTS and "issued" not in resource:
        return "DiagnosticReport resources do not say when they were issued"
    if kind == "DiagnosticReport" and REPORT_EVENTS.get(status) == "ReportCorrected":
        return "DiagnosticReport resources are corrected: earlier exports alone know when they were first final"
    return ""


def order_columns(resource: Resource) -> dict[str, Any]:
    """Return the columns of ``orders`` that a ServiceRequest gives of itself."""
    concepts = [inner for one in dicts(resource.get("code")) for inner in dicts(one.get("concept", one))]
    codings = [coding for one in concepts for coding in dicts(one.get("coding"))]
    return {
        "priority": PRIORITIES.get(text(resource.get("priority"))),
        "procedure_code": next((code for one in codings if (code := text(one.get("code")))), None),
        "procedure_description": next(filter(None, (
            *(text(one.get("text")) for one in concepts), *(text(one.get("display")) for one in codings))), None)}


def modality(study: Resource) -> str | None:
    """Return the modality of an ImagingStudy: the first that acquires images, of the study or else of its series."""
    series = [one.get("modality") for one in dicts(study.get("series"))]
    found = [code for concept in (study.get("modality"), *series) for code in _codes(concept)]
    return next((code for code in found if code not in NOT_ACQUIRED), None)
