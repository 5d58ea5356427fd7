"""A folder of IHE SOLE event reports, as an event repository's syslog collector would keep it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from analytics.core.swim import ALL_RIDS

STEPS = ("Order", "TimeScheduled", "Arrived", "ProcedureStart", "ImagingComplete", "ImagesStoredInArchive",
         "InterpStarted", "Reported")
REPORTS_PER_FILE = 100_000


def audit_message(rid: str, at: str, accession: str, patient_id: str, study: str) -> str:
    """Write one audit message (PS3.15 A.5) on one line."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?><AuditMessage>'
        f'<EventIdentification EventActionCode="E" EventDateTime="{at}" EventOutcomeIndicator="0">'
        f'<EventID csd-code="{rid}" codeSystemName="RADLEX" originalText="step"/></EventIdentification>'
        '<ActiveParticipant UserID="RIS" UserIsRequestor="true"/><AuditSourceIdentification AuditSourceID="RIS"/>'
        f'<ParticipantObjectIdentification ParticipantObjectID="{study}" ParticipantObjectTypeCode="2" '
        'ParticipantObjectTypeCodeRole="3"><ParticipantObjectIDTypeCode csd-code="110180" codeSystemName="DCM" '
        'originalText="Study Instance UID"/><ParticipantObjectDescription>'
        f'<Accession Number="{accession}"/></ParticipantObjectDescription></ParticipantObjectIdentification>'
        f'<ParticipantObjectIdentification ParticipantObjectID="{patient_id}" ParticipantObjectTypeCode="1" '
        'ParticipantObjectTypeCodeRole="1"><ParticipantObjectIDTypeCode csd-code="2" codeSystemName="RFC-3881" '
        'originalText="Patient Number"/></ParticipantObjectIdentification></AuditMessage>')


def syslog_line(rid: str, at: str, message: str) -> str:
    """Write a syslog message (RFC 5424) as SOLE has it."""
    return f"<110>1 {at} ris.hospital.example IHE+SOLE 1234 {rid} - \ufeff{message}\n"


def write(folder: Path, studies: int) -> int:
    """Write the reports of some exams; return how many reports there are.

    Parameters
    ----------
    folder : Path
    studies : int
        Each has eight reports.
    """
    folder.mkdir(parents=True, exist_ok=True)
    first, count = datetime(2026, 1, 1, tzinfo=UTC), 0
    for start in range(0, studies, REPORTS_PER_FILE // len(STEPS)):
        some = range(start, min(start + REPORTS_PER_FILE // len(STEPS), studies))
        with (folder / f"sole-{start:09}.log").open("w", encoding="utf-8") as file:
            for number in some:
                for step, name in enumerate(STEPS):
                    at = (first + timedelta(minutes=number % 200_000 + 20 * step)).isoformat()
                    body = audit_message(ALL_RIDS[name], at, f"A{number:09}", f"P{number % 40_000:07}",
                                         f"1.2.3.{number}")
                    file.write(syslog_line(ALL_RIDS[name], at, body))
                    count += 1
    return count
