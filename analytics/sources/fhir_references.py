"""From a resource to its exam and its patient: own identifiers, contained resources, and references into the export."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from analytics.sources import fhir_read as fr
from analytics.sources.fhir_index import ReferenceIndex
from analytics.sources.message_files import Patient
from analytics.sources.patient import PatientEdge

SUPERSEDED = "versions of resources that were entered in error since, and were passed over"
REPLACED = "earlier versions of ServiceRequest resources were passed over: the latest says priority and appointment"
_STEPS = 2
"""A report leads to its study, and that to its order."""


class References:
    """Follows the references of an export.

    Parameters
    ----------
    index : ReferenceIndex
    edge : PatientEdge
    systems : Systems
    """

    def __init__(self, index: ReferenceIndex, edge: PatientEdge, systems: fr.Systems) -> None:
        self.index, self._edge, self._systems = index, edge, systems

    def add(self, resource: fr.Resource, full_url: str, *, is_fresh: bool) -> None:
        """Take in what others need of a resource."""
        said = self._said(resource)
        updated, taken_back = fr.last_updated(resource), fr.is_taken_back(resource)
        for reference in {fr.own_reference(resource), fr.reference_key(full_url)} - {""}:
            self.index.add(reference, said, updated=updated, taken_back=taken_back, is_fresh=is_fresh)
        if fr.type_of(resource) == "ServiceRequest" and not taken_back and not fr.passed_over(resource):
            for number in said["numbers"]:
                self.index.add(_order(number), True, is_fresh=is_fresh)

    def _said(self, resource: fr.Resource) -> Any:
        kind = fr.type_of(resource)
        if kind == "Patient":
            return self._patient(resource)
        if kind == "Encounter":
            return fr.patient_class(resource)
        numbers, leads = self._own_numbers(resource)
        return {"numbers": numbers, "leads": [] if numbers else [key.hex() for key in leads]}

    def _patient(self, resource: fr.Resource) -> dict[str, Any]:
        return self._columns(fr.patient_id(resource, self._systems), fr.patient_name(resource),
                             fr.birth_date(resource), fr.sex(resource))

    def _columns(self, patient_id: str, name: str = "", born: str = "", sex: str = "") -> dict[str, Any]:
        columns = self._edge.columns(patient_id, name, born, sex)
        return {**columns, "patient_key": columns["patient_key"] or None}

    def named_in(self, resource: fr.Resource) -> Iterator[Patient]:
        """Yield whom a resource names, to compare the path of its file with; never kept."""
        patients = [resource, *fr.dicts(resource.get("contained"))]
        for one in patients:
            if fr.type_of(one) == "Patient":
                yield (fr.patient_id(one, self._systems), fr.patient_name(one), fr.birth_date(one).replace("-", ""))
                yield fr.text(one.get("id")), "", ""
                yield from ((fr.text(other.get("value")), "", "") for other in fr.dicts(one.get("identifier")))
                yield from (("", name, "") for name in fr.patient_names(one))
        for subject in fr.dicts(resource.get("subject")):
            yield fr.reference_key(subject.get("reference")).rpartition("/")[2], "", ""
            identifier = next((fr.text(one.get("value")) for one in fr.dicts(subject.get("identifier"))), "")
            if identifier or fr.text(subject.get("display")):
                yield identifier, fr.text(subject.get("display")), ""

    def _own_numbers(self, resource: fr.Resource) -> tuple[list[str], list[bytes]]:
        """Return the accession numbers that a resource says itself, and where it leads to for more."""
        numbers = list(fr.accession_numbers(resource, self._systems))
        leads: list[bytes] = []
        if not numbers:
            for reference in fr.exam_references(resource):
                key = fr.reference_key(reference.get("reference"))
                inside = fr.contained(resource, key) if key.startswith("#") else None
                numbers += fr.accession_numbers(inside or {"identifier": reference.get("identifier")}, self._systems)
                if key and not key.startswith("#"):
                    leads.append(self.index.key(key))
        return list(dict.fromkeys(numbers)), leads

    def accession_numbers(self, resource: fr.Resource) -> tuple[tuple[str, ...], bool]:
        """Return the accession numbers of a resource's exam, and whether all that it refers to is there."""
        numbers, leads = self._own_numbers(resource)
        is_whole = True
        for _ in range(_STEPS):
            if numbers or not leads:
                break
            found = [self.index.said(key) for key in leads]
            held = [one for one in found if isinstance(one, dict) and "numbers" in one]
            is_whole = is_whole and len(held) == len(found)
            numbers = list(dict.fromkeys(number for one in held for number in one["numbers"]))
            leads = [bytes.fromhex(lead) for one in held for lead in one["leads"]]
        return tuple(numbers), is_whole

    def superseded(self, resource: fr.Resource) -> str:
        """Say that a later version of a resource counts; empty where this one does.

        Earlier versions of an order say what was changed since; those of a report were published in their time.
        """
        own, updated = fr.own_reference(resource), fr.last_updated(resource)
        if own and self.index.is_taken_back(own, updated):
            return SUPERSEDED
        is_order = fr.type_of(resource) == "ServiceRequest"
        return REPLACED if own and is_order and self.index.is_replaced(own, updated) else ""

    def order_columns(self, resource: fr.Resource, number: str) -> tuple[dict[str, Any], bool]:
        """Return what a resource gives of the order of an accession number, and whether its patient is there.

        A ServiceRequest is an order. An ImagingStudy gives its modality to an order of the export, and makes none.
        """
        if fr.type_of(resource) == "ImagingStudy":
            known = fr.modality(resource) and self.index.said(self.index.key(_order(number)))
            return ({"modality": fr.modality(resource)} if known else {}), True
        if fr.type_of(resource) != "ServiceRequest":
            return {}, True
        patient, is_whole = self._subject(resource)
        return {**fr.order_columns(resource), "patient_class": self._patient_class(resource), **patient}, is_whole

    def _subject(self, resource: fr.Resource) -> tuple[dict[str, Any], bool]:
        for subject in fr.dicts(resource.get("subject")):
            key = fr.reference_key(subject.get("reference"))
            inside = fr.contained(resource, key) if key.startswith("#") else None
            if inside:
                return self._patient(inside), True
            found = self.index.said(self.index.key(key)) if key else None
            if isinstance(found, dict) and "patient_key" in found:
                return found, True
            identifier = next((fr.text(one.get("value")) for one in fr.dicts(subject.get("identifier"))), "")
            return (self._columns(identifier) if identifier else {}), not key.startswith(("Patient/", "urn:"))
        return {}, True

    def _patient_class(self, resource: fr.Resource) -> str | None:
        for encounter in fr.dicts(resource.get("encounter")):
            key = fr.reference_key(encounter.get("reference"))
            inside = fr.contained(resource, key) if key.startswith("#") else None
            if inside:
                return fr.patient_class(inside)
            found = self.index.said(self.index.key(key)) if key else None
            return found if isinstance(found, str) else None
        return None

    def stands(self, resource: fr.Resource) -> Iterator[tuple[str, str]]:
        """Yield what a resource tells that was not taken back: accession number and event; empty is any at all."""
        if fr.is_taken_back(resource) or fr.passed_over(resource) or self.superseded(resource):
            return
        numbers, _ = self.accession_numbers(resource)
        for number in numbers:
            yield number, ""
            for time in fr.told_by(resource):
                yield number, time.event


def _order(number: str) -> str:
    return f"accession number {number}"
