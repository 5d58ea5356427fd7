"""An export of a FHIR server, bundles or bulk data: orders, and the times of their exams, under SWIM's names.

The folder is one export: references lead from file to file, whichever comes first. So all files are gone through for
what others refer to, and the rows are read of those that are new, changed, or refer to what was not there before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

from analytics.core.errors import PacsmeterError
from analytics.core.progress import Progress
from analytics.sources import fhir_read as fr
from analytics.sources import iso_times
from analytics.sources.base import Batch, Coverage, Known
from analytics.sources.fhir_files import FAULTS, SUFFIXES, resources_in
from analytics.sources.fhir_index import ReferenceIndex
from analytics.sources.fhir_references import References
from analytics.sources.message_files import (
    PATIENTS_PER_FILE,
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
from analytics.warehouse.schema import events, orders

READING = "1"
"""Counted up where resources are read in another way: files with bad records are then tried again."""
NO_TYPE = "records are no FHIR resources, or say only what was deleted, and were passed over"
OTHER_TYPE = "resources are of types that tell of no exam and were passed over"
NO_ACCESSION = ("{} resources have no accession number (an identifier of type ACSN, or of the system that ?accession= "
                "names) and lead to none: they were passed over")
_NAMED_PER_FILE = 10 * PATIENTS_PER_FILE
"""Of a patient several ids and names are looked for in the file's path."""
SHARED = "events of records entered in error are told by another record that stands, and were kept"


class FhirResources:
    """A folder, or one file, of FHIR JSON; see `analytics.sources.base.Source`.

    Parameters
    ----------
    source_id : str
    folder : Path
    edge : PatientEdge
    zone : str
        IANA zone of times without an offset, which FHIR forbids and servers send.
    systems : Systems
        Identifier systems that the site names.
    site : str, optional
        Which site the orders belong to.
    is_demo : bool
    """

    kind = "fhir"

    def __init__(self, source_id: str, folder: Path, edge: PatientEdge, zone: str, systems: fr.Systems,
                 site: str | None = None, is_demo: bool = False) -> None:
        self.source_id, self.site, self.is_demo = source_id, site, is_demo
        self.location = f"fhir://{folder}"
        self.coverage = Coverage()
        self._folder, self._edge, self._zone, self._systems = folder, edge, ZoneInfo(zone), systems
        self._now = datetime.now(UTC)
        self._without_accession, self._is_replaced = 0, False

    def batches(self, known: Known, progress: Progress) -> Iterator[Batch]:
        """Yield orders and events of files that are new or changed, then the files themselves."""
        self.coverage, self._now = Coverage(), datetime.now(UTC)
        self._without_accession, self._is_replaced = 0, False
        found = MessageFiles(self._folder, SUFFIXES, known, self._edge.pseudonymizer, f"{READING} {self._systems}")
        with ReferenceIndex() as index:
            references = References(index, self._edge, self._systems)
            self._learn(found, references, progress)
            self._say(found)
            self.coverage.marks |= forgotten(self.coverage.gone, known)
            if unreadable := found.unreadable():
                yield nothing_but(unreadable)
            to_read = list(found.fresh)
            if self._is_replaced or index.changed():
                to_read = sorted((*found.fresh, *found.unchanged), key=lambda file: file.name)
                self.coverage.notes["files were read again: what they refer to has changed"] += len(found.unchanged)
            taken_back: set[tuple[str, str]] = set()
            yield from self._rows(to_read, found, references, taken_back, progress)
            self._take_back(taken_back, (*found.fresh, *found.unchanged), references)
        if self._without_accession and self.coverage.covered_from is None and not known.files:
            raise PacsmeterError(
                f"None of the {self._without_accession:,} requests, studies and reports has an accession number",
                "Name the system of the identifiers that are: fhir:///folder?accession=SYSTEM.", str(self._folder))

    def _learn(self, found: MessageFiles, references: References, progress: Progress) -> None:
        """Go through all files, those that did not change first, for what others refer to."""
        if not found.fresh:
            found.learn(lambda file: ())
            return
        total, done = len(found.fresh) + len(found.unchanged), 0
        for done, file in enumerate(found.unchanged, 1):
            self._index(file, references, is_fresh=False)
            progress("finding what resources refer to", done, total)

        def patients(file: MessageFile) -> Iterable[Patient] | None:
            nonlocal done
            done += 1
            progress("finding what resources refer to", done, total)
            has_targets, named = self._index(file, references, is_fresh=True)
            self._is_replaced |= has_targets and found.was_known(file)
            return named

        found.learn(patients)

    def _index(self, file: MessageFile, references: References, *,
               is_fresh: bool) -> tuple[bool, set[Patient] | None]:
        has_targets, named = False, set[Patient]()
        for one in resources_in(file.path):
            if fr.type_of(one.resource) in fr.TARGETS:
                has_targets |= fr.type_of(one.resource) != "DiagnosticReport"
                references.add(one.resource, one.full_url, is_fresh=is_fresh)
                if len(named) <= _NAMED_PER_FILE:
                    named.update(references.named_in(one.resource))
        return has_targets, named if len(named) <= _NAMED_PER_FILE else None

    def _say(self, found: MessageFiles) -> None:
        self.coverage.gone = found.gone()
        if not found.unreadable():
            self.coverage.complete.add("files")
        for text, count in (("files did not change", len(found.unchanged)),
                            ("files are no JSON by their names and were not opened", found.others)):
            if count:
                self.coverage.notes[text] = count

    def _rows(self, to_read: list[MessageFile], found: MessageFiles, references: References,
              taken_back: set[tuple[str, str]], progress: Progress) -> Iterator[Batch]:
        told = ToldRows([orders, events], self.coverage)
        for done, file in enumerate(to_read, 1):
            record = FileRecord(found.stored(file))
            for one in resources_in(file.path):
                record.read += 1
                if one.fault:
                    record.reject(one.place, one.fault, FAULTS[one.fault])
                    continue
                self._tell(one.resource, one.place, record, told, references, taken_back)
                if told.is_full:
                    yield from told.batches()
            told.finish(file, record)
            found.mark(file, record, self.coverage)
            if told.is_full:
                yield from told.batches()
            progress("reading FHIR resources", done, len(to_read))
        yield from told.batches()

    def _tell(self, resource: fr.Resource, place: str, record: FileRecord, told: ToldRows, references: References,
              taken_back: set[tuple[str, str]]) -> None:
        kind, notes = fr.type_of(resource), self.coverage.notes
        if kind not in fr.TELLING:
            if kind not in fr.TARGETS:
                notes[OTHER_TYPE if kind else NO_TYPE] += 1
            return
        numbers, is_whole = references.accession_numbers(resource)
        if fr.is_taken_back(resource):
            notes[f"{kind} resources are entered in error or cancelled, and what they told is taken back"] += 1
            taken_back.update((number, event) for number in numbers for event in fr.could_tell(resource))
            return
        if why := fr.passed_over(resource) or references.superseded(resource):
            notes[why] += 1
            return
        if note := fr.not_said(resource):
            notes[note] += 1
        if not numbers:
            record.unresolved |= not is_whole
            self._without_accession += 1
            notes[NO_ACCESSION.format(kind)] += 1
            return
        for time in fr.told_by(resource):
            self._tell_time(time, numbers, place, record, told)
        for number in numbers:
            columns, is_whole = references.order_columns(resource, number)
            if columns:
                record.unresolved |= not is_whole
                told.add(orders, {"accession_number": number, "site": self.site, **columns})

    def _tell_time(self, time: fr.Told, numbers: tuple[str, ...], place: str, record: FileRecord,
                   told: ToldRows) -> None:
        when = iso_times.moment(time.at, self._zone, self._now, planned=time.planned)
        if when.fault == "partial":
            self.coverage.notes[iso_times.PARTIAL.format(time.origin)] += 1
        elif when.at is None:
            record.reject(place, when.fault, iso_times.REASONS[when.fault].format(time.origin))
        else:
            self.coverage.notes.update(when.notes)
            for number in numbers:
                told.add(events, {"accession_number": number, "event": time.event, "event_at": when.at,
                                  "origin": time.origin})

    def _take_back(self, taken_back: set[tuple[str, str]], all_files: Iterable[MessageFile],
                   references: References) -> None:
        """Take back what records entered in error told, but for what another record of the export still tells."""
        if not taken_back:
            return
        asked = len(taken_back)
        for file in all_files:
            for one in resources_in(file.path):
                if fr.type_of(one.resource) in fr.TELLING:
                    taken_back -= set(references.stands(one.resource))
        if asked > len(taken_back):
            self.coverage.notes[SHARED] += asked - len(taken_back)
        self.coverage.retracted |= taken_back


def open_fhir(named: str, options: Options) -> FhirResources:
    """Open the source that ``fhir:///folder-or-file`` names.

    ``?accession=SYSTEM`` and ``?patient=SYSTEM`` name the systems of accession numbers and of the archive's PatientID,
    where identifiers carry no type.

    Raises
    ------
    PacsmeterError
        There is no such folder or file, or the URL asks for something else.
    """
    url = urlsplit(named)
    asked: dict[str, Any] = parse_qs(url.query, keep_blank_values=True)
    if unknown := set(asked) - {"accession", "patient"}:
        raise PacsmeterError(f"The URL of a FHIR export has no option {min(unknown)!r}",
                             "There is: accession, patient.", "fhir:")
    folder = folder_of(url, "fhir:///folder")
    if not folder.exists():
        raise PacsmeterError("The folder is not there", "Check its name, and that it is mounted.", str(folder))
    systems = fr.Systems(*(asked.get(name, [""])[-1] for name in ("accession", "patient")))
    return FhirResources(options.source_id or named_after(folder.name), folder, options.edge, options.zone, systems,
                         options.site, options.is_demo)
