"""A folder of IHE SOLE event reports: a log that grows, never one that takes back."""

from __future__ import annotations

from pathlib import Path

from analytics.core.swim import ALL_RIDS
from analytics.warehouse.merge import Counts
from analytics.warehouse.schema import events
from benchmarks.sole_reports import syslog_line
from tests.sources.sites import IDS, NAMES, Expected, Site


def audit_xml(event: str, at: str, accession: str, number: int = 0, *, outcome: str = "0", system: str = "RADLEX",
              attribute: str = "csd-code") -> str:
    """Write the audit message of one event (PS3.15 A.5), about one of the three patients."""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<AuditMessage>
  <EventIdentification EventActionCode="E" EventDateTime="{at}" EventOutcomeIndicator="{outcome}">
    <EventID {attribute}="{ALL_RIDS.get(event, event)}" codeSystemName="{system}" originalText="{event}"/>
  </EventIdentification>
  <ActiveParticipant UserID="RIS" UserIsRequestor="true"/>
  <AuditSourceIdentification AuditSourceID="RIS"/>
  <ParticipantObjectIdentification ParticipantObjectID="1.2.{number}" ParticipantObjectTypeCode="2"
    ParticipantObjectTypeCodeRole="3">
    <ParticipantObjectIDTypeCode {attribute}="110180" codeSystemName="DCM" originalText="Study Instance UID"/>
    <ParticipantObjectDescription><Accession Number="{accession}"/></ParticipantObjectDescription>
  </ParticipantObjectIdentification>
  <ParticipantObjectIdentification ParticipantObjectID="{IDS[number]}" ParticipantObjectTypeCode="1"
    ParticipantObjectTypeCodeRole="1" ParticipantObjectName="{NAMES[number]}">
    <ParticipantObjectIDTypeCode {attribute}="2" codeSystemName="RFC-3881" originalText="Patient Number"/>
  </ParticipantObjectIdentification>
</AuditMessage>"""


def syslog(event: str, at: str, accession: str, number: int = 0) -> str:
    """Write one event as syslog, one line an event but for the line ends in its message."""
    return syslog_line(ALL_RIDS[event], at, audit_xml(event, at, accession, number))


class SoleLog(Site):
    """A collector's log, a file a day; what has been told is never taken back."""

    expected = Expected(
        first={events: 5},
        after_change={events: Counts(added=1, unchanged=5)},
        after_delete={events: Counts(added=1, unchanged=6)})

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.spec = f"sole://{folder}"
        for day in (1, 2, 3):
            (folder / f"sole-{day}.log").write_text("".join(
                syslog(event, f"2026-07-0{day}T{hour:02}:00:00Z", f"A{day}", day - 1)
                for event, hour in (("Order", 8), ("Reported", 12)) if (day, event) != (3, "Reported")))

    def add(self, event: str, hour: int) -> None:
        with (self.folder / "sole-2.log").open("a") as file:
            file.write(syslog(event, f"2026-07-02T{hour}:00:00Z", "A2", 1))

    def change_one(self) -> None:
        self.add("ReportCorrected", 13)

    def delete_one(self) -> None:
        self.add("ExamCancelled", 14)
