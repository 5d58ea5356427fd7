"""A bulk export of a FHIR R4 server: patients, encounters, orders, studies, reports, each type in files of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

RESOURCES_PER_FILE = 100_000
ACCESSION = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "ACSN"}]}
MEDICAL_RECORD = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR"}]}
MODALITIES = ("CT", "MR", "CR", "US", "MG")


def patient(number: int) -> dict[str, Any]:
    """Return one Patient."""
    return {"resourceType": "Patient", "id": f"p{number}", "identifier": [
        {"use": "usual", "type": MEDICAL_RECORD, "system": "urn:hospital", "value": f"P{number:07}"}],
        "name": [{"use": "official", "family": f"FAMILY{number}", "given": ["GIVEN"]}], "gender": "female",
        "birthDate": f"19{number % 80 + 10}-0{number % 9 + 1}-11"}


def exam(number: int, patients: int) -> dict[str, dict[str, Any]]:
    """Return the resources of one exam, by type."""
    ordered = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=number % 200_000)
    started, issued = ordered + timedelta(hours=2), ordered + timedelta(hours=5)
    subject = {"reference": f"Patient/p{number % patients}"}
    return {
        "Encounter": {"resourceType": "Encounter", "id": f"e{number}", "status": "finished", "subject": subject,
                      "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"}},
        "ServiceRequest": {
            "resourceType": "ServiceRequest", "id": f"o{number}", "status": "completed", "intent": "order",
            "identifier": [{"type": ACCESSION, "system": "urn:accessions", "value": f"A{number:09}"}],
            "priority": "routine", "subject": subject, "encounter": {"reference": f"Encounter/e{number}"},
            "code": {"coding": [{"system": "http://loinc.org", "code": "24627-2"}], "text": "CT Chest"},
            "authoredOn": ordered.isoformat(), "occurrenceDateTime": started.isoformat()},
        "ImagingStudy": {
            "resourceType": "ImagingStudy", "id": f"s{number}", "status": "available", "subject": subject,
            "identifier": [{"system": "urn:dicom:uid", "value": f"urn:oid:1.2.3.{number}"}],
            "modality": [{"system": "http://dicom.nema.org/resources/ontology/DCM",
                          "code": MODALITIES[number % len(MODALITIES)]}],
            "basedOn": [{"reference": f"ServiceRequest/o{number}"}], "started": started.isoformat(),
            "numberOfSeries": 2, "numberOfInstances": 300},
        "DiagnosticReport": {
            "resourceType": "DiagnosticReport", "id": f"r{number}", "status": "final", "subject": subject,
            "code": {"text": "CT Chest"}, "basedOn": [{"reference": f"ServiceRequest/o{number}"}],
            "imagingStudy": [{"reference": f"ImagingStudy/s{number}"}], "issued": issued.isoformat()},
    }


def write(folder: Path, studies: int) -> int:
    """Write the export of some exams as NDJSON; return how many resources there are.

    Parameters
    ----------
    folder : Path
    studies : int
        Each has an encounter, an order, a study and a report; there are 4 exams to a patient.
    """
    folder.mkdir(parents=True, exist_ok=True)
    patients = max(studies // 4, 1)
    count = _write_all(folder, "Patient", (patient(number) for number in range(patients)))
    for kind in ("Encounter", "ServiceRequest", "ImagingStudy", "DiagnosticReport"):
        count += _write_all(folder, kind, (exam(number, patients)[kind] for number in range(studies)))
    return count


def _write_all(folder: Path, kind: str, resources: Iterator[dict[str, Any]]) -> int:
    count, file = 0, None
    for resource in resources:
        if count % RESOURCES_PER_FILE == 0:
            if file:
                file.close()
            file = (folder / f"{kind}.{count // RESOURCES_PER_FILE}.ndjson").open("w", encoding="utf-8")
        assert file is not None
        file.write(json.dumps(resource, separators=(",", ":")) + "\n")
        count += 1
    if file:
        file.close()
    return count
