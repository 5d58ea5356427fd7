"""IHE SOLE event reports that an event repository, or a syslog collector, keeps in files: events under SWIM's names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from analytics.core.errors import PacsmeterError
from analytics.core.progress import Progress
from analytics.core.swim import BY_RID
from analytics.sources import iso_times
from analytics.sources.base import Batch, Coverage, Known
from analytics.sources.message_files import (
    PATIENTS_PER_FILE,
    UNREADABLE,
    FileRecord,
    MessageFile,
    MessageFiles,
    Patient,
    ToldRows,
    folder_of,
    forgotten,
    nothing_but,
)
from analytics.sources.open import Options, named_after
from analytics.sources.patient import PatientEdge
from analytics.sources.sole_read import FAULTS, Report, messages_in, patients_in, read_report
from analytics.warehouse.schema import events

SUFFIXES = (".log", ".syslog", ".txt", ".xml", ".msg")
ORIGIN = "SOLE EventDateTime"
READING = f"1 {len(BY_RID)}"
"""Another where reports are read in another way, or more events are known: bad records are then tried again."""


class SoleReports:
    """A folder, or one file, of event reports; see `analytics.sources.base.Source`.

    Parameters
    ----------
    source_id : str
    folder : Path
    edge : PatientEdge
    zone : str
        IANA zone of times without an offset.
    site : str, optional
    is_demo : bool
    """

    kind = "sole"

    def __init__(self, source_id: str, folder: Path, edge: PatientEdge, zone: str, site: str | None = None,
                 is_demo: bool = False) -> None:
        self.source_id, self.site, self.is_demo = source_id, site, is_demo
        self.location = f"sole://{folder}"
        self.coverage = Coverage()
        self._folder, self._edge, self._zone = folder, edge, ZoneInfo(zone)
        self._now = datetime.now(UTC)

    def batches(self, known: Known, progress: Progress) -> Iterator[Batch]:
        """Yield the events of files that are new or changed, then the files themselves."""
        self.coverage, self._now = Coverage(), datetime.now(UTC)
        found = MessageFiles(self._folder, SUFFIXES, known, self._edge.pseudonymizer, READING)
        found.learn(_patients)
        self.coverage.gone = found.gone()
        self.coverage.marks |= forgotten(self.coverage.gone, known)
        if unreadable := found.unreadable():
            yield nothing_but(unreadable)
        else:
            self.coverage.complete.add("files")
        for text, count in (("files did not change and were not opened again", len(found.unchanged)),
                            ("files are no event reports by their names and were not opened", found.others)):
            if count:
                self.coverage.notes[text] = count
        told = ToldRows([events], self.coverage)
        for done, file in enumerate(found.fresh, 1):
            record = FileRecord(found.stored(file))
            for _ in self._read(file, record, told):
                yield from told.batches()
            told.finish(file, record)
            found.mark(file, record, self.coverage)
            if told.is_full:
                yield from told.batches()
            progress("reading event reports", done, len(found.fresh))
        yield from told.batches()

    def _read(self, file: MessageFile, record: FileRecord, told: ToldRows) -> Iterator[None]:
        """Read a file; stop wherever there is a batch to give."""
        unknown: Counter[str] = Counter()
        try:
            with file.path.open("rb") as opened:
                for message, fault in messages_in(opened):
                    record.read += 1
                    report = Report(fault) if fault else read_report(message)
                    self._tell(report, record, told, unknown)
                    if told.is_full:
                        yield
        except OSError:
            record.reject("", UNREADABLE, "The file cannot be opened or read; check its permissions and its disk.")
        for rid, count in unknown.items():
            self.coverage.notes[f"events {rid} are not known under a name of SWIM"] += count
            record.reject(f"event {rid}", "unknown_event", f"SWIM's lexicon, as known here, has no event {rid}; its "
                          "reports were left out.", count)

    def _tell(self, report: Report, record: FileRecord, told: ToldRows, unknown: Counter[str]) -> None:
        place, notes = str(record.read), self.coverage.notes
        if report.fault:
            record.reject(place, report.fault, FAULTS[report.fault])
        elif report.system != "RADLEX":
            notes["audit messages are no events of SOLE (another code system) and were passed over"] += 1
        elif not report.rid:
            record.reject(place, "no_event", FAULTS["no_event"])
        elif report.failed:
            notes["events are reported as failed (EventOutcomeIndicator) and did not happen"] += 1
        elif report.rid not in BY_RID:
            unknown[report.rid] += 1
        else:
            when = iso_times.moment(report.at, self._zone, self._now, planned=BY_RID[report.rid] == "ApptTime")
            if when.at is None:
                code = "bad_instant" if when.fault == "partial" else when.fault
                record.reject(place, code, iso_times.REASONS[code].format("EventDateTime"))
                return
            notes.update(when.notes)
            if not report.accession_numbers:
                notes["events name no accession number, and belong to no exam: they were passed over"] += 1
            for number in report.accession_numbers:
                told.add(events, {"accession_number": number, "event": BY_RID[report.rid], "event_at": when.at,
                                  "origin": ORIGIN})


def _patients(file: MessageFile) -> Iterable[Patient] | None:
    try:
        with file.path.open("rb") as opened:
            found = patients_in(opened, PATIENTS_PER_FILE)
    except OSError:
        return ()
    return None if found is None else [(patient_id, name, "") for patient_id, name in found]


def open_sole(named: str, options: Options) -> SoleReports:
    """Open the source that ``sole:///folder-or-file`` names.

    Raises
    ------
    PacsmeterError
        There is no such folder or file.
    """
    url = urlsplit(named)
    if url.query:
        raise PacsmeterError("The URL of event reports takes no options", "Write it as sole:///folder.", "sole:")
    folder = folder_of(url, "sole:///folder")
    if not folder.exists():
        raise PacsmeterError("The folder is not there", "Check its name, and that it is mounted.", str(folder))
    return SoleReports(options.source_id or named_after(folder.name), folder, options.edge, options.zone,
                       options.site, options.is_demo)
