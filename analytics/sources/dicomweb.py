"""An archive, by its DICOMweb service: QIDO-RS for studies and series (PS3.18 2024e 10.6).

A server says neither how many studies it holds nor, mostly, that it cut an answer short: `analytics.sources.crawl`
finds out. Sizes and times of reception come from dcm4chee alone, in private attributes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from analytics.core.errors import PacsmeterError
from analytics.core.progress import Progress
from analytics.core.secrets import Credentials, credentials_for, without_credentials
from analytics.sources import dicom_values as dv
from analytics.sources.base import Batch, Coverage, Identity, Known, Part, Rejected
from analytics.sources.crawl import RECENT, Answer, Crawl, Found, Leaf, Query
from analytics.sources.qido_json import NotText, archive_columns, has_bad_text, text_of
from analytics.sources.qido_series import SeriesOf, SeriesSearch
from analytics.sources.qido_server import NoAnswer, QidoServer
from analytics.sources.query_rows import (
    SERIES_KEYWORDS,
    STUDY_KEYWORDS,
    Row,
    batch_of,
    derived,
    malformed,
    modalities_of,
    no_uid,
    study_row,
    uid_of,
    with_counts,
)
from analytics.sources.series_known import SeriesKnown
from analytics.warehouse.schema import series, studies

if TYPE_CHECKING:
    from analytics.sources.open import Options

STUDIES_PER_BATCH = 500
MALFORMED = "studies have a date, time or number that cannot be read and was left empty"
UNDECODABLE = "studies have text that is not UTF-8: it was read as far as it goes"
NOT_ANSWERED = "questions over more than a day were not answered, and narrower ones were asked"
_EXAMPLE = "dicomweb+https://user@host/dicom-web"
_DCM4CHEE = re.compile(r"/dcm4chee-arc/|/aets/[^/]+/rs\b")


@dataclass(frozen=True)
class _Study:
    """One record, without its identities: a row, or why there is none."""

    row: Row
    offset: str = ""
    rejected: Rejected | None = None
    notes: tuple[str, ...] = ()


class DicomWeb:
    """An archive that is asked by QIDO-RS; see `analytics.sources.base.Source`.

    Parameters
    ----------
    base, location : str
        The service's URL, and how it is shown.
    credentials : Credentials
    options : Options
    """

    kind = "dicomweb"

    def __init__(self, base: str, location: str, credentials: Credentials, options: Options) -> None:
        self.source_id, self.location = options.source_id or "dicomweb", location
        self.site, self.is_demo = options.site, options.is_demo
        self.coverage = Coverage()
        self._base, self._credentials = base, credentials
        self._edge, self._zone, self._since = options.edge, options.zone, options.since
        self._with_series = options.series
        every = _DCM4CHEE.search(base)
        self._fields = {studies: ("all",) if every else STUDY_KEYWORDS, series: ("all",) if every else SERIES_KEYWORDS}

    @property
    def read_as(self) -> str:
        """What decides about the rows, besides the archive; see `analytics.sources.base.Source`."""
        return f"{self._base} {self._edge.birth} {self._zone} {self._since or ''} {self._with_series}"

    def batches(self, known: Known, progress: Progress) -> Iterator[Batch | Part]:
        """Yield what the archive holds, a range of study dates at a time."""
        before = SeriesKnown(known, self._zone, with_series=self._with_series, since=self._since)
        self.coverage = Coverage(kept_before=self._since)
        server = self._server()
        crawl, read = Crawl(lambda query: self._ask(server, query)), 0
        try:
            for leaf in crawl.leaves(datetime.now(ZoneInfo(self._zone)).date(), known.finished, self._since):
                yield from self._part(server, leaf, before)
                read += len(leaf.found)
                progress(f"asking {self.source_id}", read, None)
        finally:
            server.close()
        self.coverage.notes += crawl.notes
        self.coverage.marks |= before.end_marks()
        self.coverage.complete |= {"studies", "series"}

    def identities(self, study_instance_uid: str) -> list[Identity]:
        """Return who the patients of a study are, as the archive says now.

        Raises
        ------
        PacsmeterError
            The archive cannot be asked.
        """
        keywords = ("StudyInstanceUID", "PatientID", "PatientName", "PatientBirthDate")
        server = self._server()
        try:
            answered = server.studies({"StudyInstanceUID": study_instance_uid}, keywords, "one study")
            found = [text_of(one, keywords) for one in answered.records if isinstance(one, dict)]
        except (NoAnswer, NotText):
            raise PacsmeterError("The server cannot say who the patient of this study is", "Look into its log.",
                                 self.location) from None
        finally:
            server.close()
        return [Identity(one["PatientID"], one["PatientName"], one["PatientBirthDate"]) for one in found
                if one["StudyInstanceUID"].strip("\x00 ") == study_instance_uid]

    def _server(self) -> QidoServer:
        return QidoServer(self._base, self.location, self.source_id, self._credentials)

    def _ask(self, server: QidoServer, query: Query) -> Answer:
        """Answer one question of the crawl."""
        matching = {"StudyDate": query.date_range, "StudyTime": query.time_range,
                    "ModalitiesInStudy": query.modality, "StudyInstanceUID": query.study_instance_uid}
        try:
            answered = server.studies({name: value for name, value in matching.items() if value}, self._fields[studies],
                                      str(query), limit=query.limit, offset=query.offset)
        except NoAnswer as failure:
            if query.study_instance_uid or (query.first and query.is_one_day):
                raise PacsmeterError(f"The server cannot answer the question for {query} ({failure})", "Look into its "
                                     "log; the last snapshot stays as it is, and the next load goes on from here.",
                                     self.location) from None
            self.coverage.notes[NOT_ANSWERED] += 1
            return Answer([], incomplete=True)
        return Answer([self._found(one, f"study {query.offset + number} of {query}")
                       for number, one in enumerate(answered.records, 1)], answered.incomplete)

    def _found(self, record: Any, place: str) -> Found:
        """Make of a record what the crawl compares, and its row; identities end here."""
        try:
            values = text_of(record if isinstance(record, dict) else {}, STUDY_KEYWORDS)
            uid = uid_of(values, "StudyInstanceUID")
            rejected = None if uid else no_uid(values, "StudyInstanceUID", place)
        except NotText as bad:
            rejected = Rejected(self._named(record, place), "bad_value", f"The record's {bad} is no value that it can "
                                "have; correct it in the archive.")
        if rejected:
            stable = self._edge.record_key(json.dumps(record, sort_keys=True))
            return Found(("", stable or ""), None, record=_Study({}, rejected=rejected))
        row = study_row(values, self._edge, self._zone, self.site) | archive_columns(record, self._zone)
        at = dv.time_of(values["StudyTime"])
        notes = tuple(note for note, so in ((MALFORMED, malformed(values)), (UNDECODABLE, has_bad_text(values))) if so)
        return Found((uid, row["patient_key"]), row["study_date"] if values["StudyDate"].isdigit() else None,
                     at.hour * 60 + at.minute if at else None, frozenset(modalities_of(values)),
                     _Study(row, values["TimezoneOffsetFromUTC"], None, notes))

    def _named(self, record: Any, place: str) -> str:
        try:
            uid = uid_of(text_of(record, ("StudyInstanceUID",)), "StudyInstanceUID")
        except NotText:
            return place
        return f"study {uid}" if uid else place

    def _part(self, server: QidoServer, leaf: Leaf, before: SeriesKnown) -> Iterator[Batch | Part]:
        """Yield the studies of a range, and the series of those that are new or have changed."""
        found: list[_Study] = [one.record for one in leaf.found]
        known = before.taken_over(leaf, (one.row for one in found if not one.rejected))
        said = known.said
        search = SeriesSearch(server, self._fields[series], self._zone)
        kept = set(said)
        taken: dict[str, SeriesOf] = {}
        fewer: set[str] = set()
        for start in range(0, len(found), STUDIES_PER_BATCH):
            some = found[start:start + STUDIES_PER_BATCH]
            usable = [one for one in some if not one.rejected]
            asked = {one.row["study_instance_uid"]: one for one in usable if one.row["study_instance_uid"] not in said}
            given = dict(zip(asked, search.of((one.row, one.offset) for one in asked.values()), strict=True))
            rows = [self._completed(one, said, given) for one in usable]
            rejected = tuple(one.rejected for one in some if one.rejected)
            yield Batch(studies, batch_of(studies, rows), rejected, len(some))
            fresh = {uid: one for uid, one in given.items() if uid not in taken}
            taken |= dict.fromkeys(given, SeriesOf())
            kept |= {uid for uid, one in fresh.items() if one.failed and uid in known.held}
            fewer |= {uid for uid, one in fresh.items() if one.failed or one.fewer}
            yield from self._series(list(fresh.values()))
        yield Part(leaf.name, leaf.records, leaf.first, leaf.last, kept_series=tuple(sorted(kept)),
                   marks=before.part_marks(leaf.name, fewer), is_settled=leaf.name != RECENT)

    def _completed(self, one: _Study, said: dict[str, Row], given: dict[str, SeriesOf]) -> Row:
        """Add to a study what its series say of it."""
        self.coverage.notes.update(one.notes)
        self.coverage.cover(one.row["study_date"], one.row["study_date"])
        uid = one.row["study_instance_uid"]
        if uid in said:
            return one.row | said[uid]
        rows = list(given[uid].rows.values())
        return with_counts(one.row | derived(rows), rows)

    def _series(self, given: list[SeriesOf]) -> Iterator[Batch]:
        rows = [row for one in given for row in one.rows.values()]
        rejected = tuple(bad for one in given for bad in one.rejected.values())
        for one in given:
            self.coverage.notes += one.notes
        if rows or rejected:
            yield Batch(series, batch_of(series, rows), rejected, len(rows) + len(rejected))


def open_dicomweb(named: str, options: Options) -> DicomWeb:
    """Open the archive that a URL names.

    Parameters
    ----------
    named : str
        ``dicomweb+https://user@host:port/path``: the URL that ``/studies`` follows; `analytics.core.secrets` says where
        a password or a token is taken from.
    options : Options

    Raises
    ------
    PacsmeterError
        It is no such URL.
    """
    try:
        url = urlsplit(named.removeprefix("dicomweb+"))
        whole = bool(url.hostname) and url.port != 0 and not url.query and not url.fragment
    except ValueError:
        whole = False
    if not whole:
        raise PacsmeterError("The URL does not say where the DICOMweb service is", f"Write {_EXAMPLE}.",
                             "dicomweb+https")
    shown = without_credentials(url)
    host = shown.split("://", 1)[1].rpartition("@")[2]
    credentials = credentials_for(url, options.source_id or "dicomweb", options.password)
    return DicomWeb(f"{url.scheme}://{host}", f"dicomweb+{shown}", credentials, options)
