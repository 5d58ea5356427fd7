"""A bulk export of a FHIR server: three exams of three patients, a file for each type of resource."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from analytics.warehouse.merge import Counts
from analytics.warehouse.schema import events, orders
from tests.sources.sites import BORN, IDS, NAMES, Expected, Site

V2 = "http://terminology.hl7.org/CodeSystem/v2-0203"


def identifier(code: str, value: str) -> dict[str, Any]:
    """Return an identifier of a type of HL7 v2 table 0203."""
    return {"type": {"coding": [{"system": V2, "code": code}]}, "system": f"urn:{code}", "value": value}


def patient(number: int) -> dict[str, Any]:
    """Return one of the three patients, as R4 and R5 have one."""
    family, given = NAMES[number].split("^")
    born = BORN[number]
    return {"resourceType": "Patient", "id": IDS[number].lower(), "identifier": [
                {"use": "old", **identifier("MR", "OLD")}, identifier("MR", IDS[number])],
            "name": [{"use": "nickname", "given": ["x"]}, {"use": "official", "family": family, "given": [given]}],
            "gender": ("female", "male", "other")[number], "birthDate": f"{born[:4]}-{born[4:6]}-{born[6:]}"}


def order(number: int, **values: Any) -> dict[str, Any]:
    """Return the ServiceRequest of one exam (R4)."""
    return {"resourceType": "ServiceRequest", "id": f"o{number}", "status": "active", "intent": "order",
            "identifier": [identifier("PLAC", f"X{number}"), identifier("ACSN", f"A{number}")], "priority": "routine",
            "subject": {"reference": f"Patient/{IDS[number].lower()}", "display": NAMES[number]},
            "encounter": {"reference": f"Encounter/e{number}"},
            "code": {"coding": [{"code": "24627-2", "display": "CT Chest"}], "text": "Chest"},
            "authoredOn": f"2026-07-0{number + 1}T08:00:00Z", **values}


def study(number: int, **values: Any) -> dict[str, Any]:
    """Return the ImagingStudy of one exam (R4)."""
    return {"resourceType": "ImagingStudy", "id": f"s{number}", "status": "available",
            "identifier": [{"system": "urn:dicom:uid", "value": f"urn:oid:1.2.{number}"}],
            "subject": {"reference": f"Patient/{IDS[number].lower()}"},
            "modality": [{"code": "SR"}, {"code": "CT"}], "started": f"2026-07-0{number + 1}T10:00:00+01:00",
            "basedOn": [{"reference": f"ServiceRequest/o{number}"}], **values}


def report(number: int, **values: Any) -> dict[str, Any]:
    """Return the DiagnosticReport of one exam (R4)."""
    return {"resourceType": "DiagnosticReport", "id": f"r{number}", "status": "final", "code": {"text": "CT"},
            "subject": {"reference": f"Patient/{IDS[number].lower()}"},
            "imagingStudy": [{"reference": f"https://server/fhir/ImagingStudy/s{number}/_history/2"}],
            "issued": f"2026-07-0{number + 1}T12:00:00.000Z", **values}


def encounter(number: int) -> dict[str, Any]:
    """Return the Encounter of one exam (R4): ambulatory, inpatient, emergency."""
    return {"resourceType": "Encounter", "id": f"e{number}", "class": {"code": ("AMB", "IMP", "EMER")[number]}}


def write_lines(path: Path, resources: list[dict[str, Any]]) -> None:
    """Write a file of bulk data: one resource a line."""
    path.write_text("".join(json.dumps(one) + "\n" for one in resources))


class FhirExport(Site):
    """A bulk export. What the server marks as entered in error is taken back."""

    expected = Expected(
        first={orders: 3, events: 8},
        after_change={orders: Counts(unchanged=3), events: Counts(added=1, unchanged=8)},
        after_delete={orders: Counts(unchanged=2, removed=1), events: Counts(unchanged=6, removed=3)})

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.spec = f"fhir://{folder}"
        write_lines(folder / "Patient.ndjson", [patient(n) for n in range(3)])
        write_lines(folder / "Encounter.ndjson", [encounter(n) for n in range(3)])
        self.write()

    def write(self, status: str = "", more: tuple[dict[str, Any], ...] = ()) -> None:
        changed = {"status": status} if status else {}
        for make, last in ((order, 3), (study, 3), (report, 2)):
            resources = [make(n, **(changed if n == 1 else {})) for n in range(last)]
            resources += more if make is report else ()
            write_lines(self.folder / f"{resources[0]['resourceType']}.ndjson", resources)

    def change_one(self) -> None:
        """Give the report that was missing."""
        self.write(more=(report(2),))

    def delete_one(self) -> None:
        self.write(status="entered-in-error", more=(report(2),))
