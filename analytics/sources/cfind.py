"""An archive, by its DICOM query service: C-FIND at study root, level of studies and series (PS3.4 2024e C.4.1).

Every archive speaks it. It says neither sizes nor when an object was received, and an archive may cut its answers short
without a word: `analytics.sources.crawl` finds out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit
from zoneinfo import ZoneInfo

from analytics.core.errors import PacsmeterError
from analytics.core.progress import Progress
from analytics.sources import dicom_values as dv
from analytics.sources.base import Batch, Coverage, Identity, Known, Part, Rejected
from analytics.sources.crawl import RECENT, UNDATED, Answer, Crawl, Found, Leaf, Query
from analytics.sources.crawl import UNDATED_NOT_ASKED as NO_OFFSET
from analytics.sources.crawl_ranges import FIRST_DAY
from analytics.sources.find_association import FindAssociation, QueryFailed
from analytics.sources.find_identifier import Match, read_match, request
from analytics.sources.find_node import Node
from analytics.sources.find_series import SeriesQueries
from analytics.sources.find_undated import dateless_studies
from analytics.sources.query_rows import (
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
from analytics.warehouse.schema import studies

if TYPE_CHECKING:
    from analytics.sources.open import Options

AT_ONCE = 10_000
"""Studies that one answer is read to: more are asked for in narrower ranges, so that memory stays bounded."""
STUDIES_PER_BATCH = 500
UNDECODABLE = "studies have text that is not in the character set they name: it was read as far as it goes"
MALFORMED = "studies have a date, time or number that cannot be read and was left empty"
NOT_ANSWERED = "questions over more than a day were not answered to the end, and narrower ones were asked"
UNDATED_UNPROVEN = ("crawl may not have found every study without a study date: C-FIND can ask for these only together "
                    "with all others, and nothing proves that the answer was not cut short")
ROUND = frozenset(digit * 10**power for digit in (1, 2, 5) for power in range(1, 7))
"""Numbers that servers are set to answer at most."""
DEFAULT_PORT = 104
_EXAMPLE = "cfind://CALLING@host:104/CALLED"
_AE_TITLE = re.compile(r"[ -\[\]-~]{1,16}")


@dataclass(frozen=True)
class _Study:
    """One match, without its identities: a row, or why there is none."""

    row: Row
    offset: str = ""
    rejected: Rejected | None = None
    undecodable: bool = False
    malformed: bool = False
    dateless: bool = False


class CFind:
    """An archive that is asked by C-FIND; see `analytics.sources.base.Source`.

    Parameters
    ----------
    association : FindAssociation
    edge : PatientEdge
    zone : str
        IANA zone of times without TimezoneOffsetFromUTC.
    """

    kind = "cfind"

    def __init__(self, association: FindAssociation, options: Options) -> None:
        node = association.node
        host = f"[{node.host}]" if ":" in node.host else node.host
        self.location = f"cfind://{quote(node.calling)}@{host}:{node.port}/{quote(node.called)}"
        self.source_id = options.source_id or "cfind"
        self.site, self.is_demo = options.site, options.is_demo
        self.coverage = Coverage()
        self._association, self._edge, self._zone, self._since = association, options.edge, options.zone, options.since
        self._with_series = options.series
        self._everything: Answer | None = None

    @property
    def read_as(self) -> str:
        """What decides about the rows, besides the archive; see `analytics.sources.base.Source`."""
        return f"{self._association.node} {self._edge.birth} {self._zone} {self._since or ''} {self._with_series}"

    def batches(self, known: Known, progress: Progress) -> Iterator[Batch | Part]:
        """Yield what the archive holds, a range of study dates at a time."""
        before = SeriesKnown(known, self._zone, with_series=self._with_series, since=self._since)
        self.coverage, self._everything = Coverage(kept_before=self._since), None
        crawl, dated, read = Crawl(self._ask, limit=AT_ONCE, most=AT_ONCE, pages=False), 0, 0
        try:
            for leaf in crawl.leaves(self._today(), known.finished, self._since):
                if leaf.name == UNDATED and not self._holds_all(dated, one_run=not known.finished):
                    leaf = self._with_dateless(leaf)
                yield from self._part(leaf, before)
                read += len(leaf.found)
                dated += sum(one.study_date is not None for one in leaf.found)
                progress(f"asking {self._association.node.called}", read, None)
        except BaseException:
            self._association.abort()  # it may be in the middle of an answer, which a release would wait for
            raise
        self._association.close()
        crawl.notes.pop(NO_OFFSET, None)
        self.coverage.notes += crawl.notes
        self.coverage.notes[UNDATED_UNPROVEN] += not self._holds_all(dated, one_run=not known.finished)
        self.coverage.marks |= before.end_marks()
        self.coverage.complete |= {"studies", "series"}

    def _today(self) -> date:
        return datetime.now(ZoneInfo(self._zone)).date()

    def _with_dateless(self, leaf: Leaf) -> Leaf:
        """Add the undated studies that the answer for all studies lacks, where the archive lets them be found."""
        found = {one.key: one for one in leaf.found}
        with suppress(QueryFailed):  # not every archive takes a range without a beginning
            found |= dateless_studies(self._answer, lambda one: one.record.dateless)
        return replace(leaf, found=list(found.values()), records=max(leaf.records, len(found)))

    def _holds_all(self, dated: int, *, one_run: bool) -> bool:
        """Whether the answer for all studies can be taken for whole, so that no undated study is missing in it.

        It must hold as many dated studies as were found by their dates, and not be as long as servers' caps are.
        """
        found = self._everything
        if found is None or found.incomplete or len(found.found) in ROUND or self._since or not one_run:
            return False
        return len({one.key for one in found.found if one.study_date and one.study_date >= FIRST_DAY}) >= dated

    def identities(self, study_instance_uid: str) -> list[Identity]:
        """Return who the patients of a study are, as the archive says now.

        Raises
        ------
        PacsmeterError
            The archive cannot be asked.
        """
        keywords = ("StudyInstanceUID", "PatientID", "PatientName", "PatientBirthDate")
        try:
            answered = self._association.find(
                request("STUDY", {"StudyInstanceUID": study_instance_uid}, keywords), AT_ONCE, "one study")
        finally:
            self._association.close()
        found = [read_match(one, keywords).values for one in answered.identifiers if one is not None]
        return [Identity(one["PatientID"], one["PatientName"], one["PatientBirthDate"]) for one in found
                if one["StudyInstanceUID"] == study_instance_uid]

    def _ask(self, query: Query) -> Answer:
        """Answer one question of the crawl."""
        matching = {"StudyDate": query.date_range, "StudyTime": query.time_range,
                    "ModalitiesInStudy": query.modality, "StudyInstanceUID": query.study_instance_uid}
        try:
            answer = self._answer({name: value for name, value in matching.items() if value}, str(query), query.limit)
        except QueryFailed:
            if query.study_instance_uid or (query.first and query.is_one_day):
                raise
            if not self._association.has_answered:  # it may answer nobody like us: one day tells
                self._answer({"StudyDate": f"{self._today():%Y%m%d}"}, "studies of today")
            self.coverage.notes[NOT_ANSWERED] += 1
            answer = Answer([], incomplete=True)
        if query.first is None and not query.study_instance_uid:
            self._everything = answer
        return answer

    def _answer(self, matching: Mapping[str, str], asked: str, limit: int = AT_ONCE) -> Answer:
        answered = self._association.find(request("STUDY", matching, STUDY_KEYWORDS), limit, asked)
        found, unreadable = [], 0
        for number, one in enumerate(answered.identifiers, 1):
            place = f"study {number} of {asked}"
            if one is None:
                unreadable += 1
                found.append(Found(("", f"unreadable {unreadable}"), None, record=_unreadable(place)))
            else:
                found.append(self._found(read_match(one, STUDY_KEYWORDS), place))
        return Answer(found, answered.incomplete)

    def _found(self, match: Match, place: str) -> Found:
        """Make of a match what the crawl compares, and its row; identities end here."""
        values = match.values
        uid = uid_of(values, "StudyInstanceUID")
        if not uid:
            stable = self._edge.record_key("\n".join(values.values()))
            rejected = no_uid(values, "StudyInstanceUID", place)
            return Found(("", stable or ""), None, record=_Study({}, rejected=rejected))
        row = study_row(values, self._edge, self._zone, self.site)
        plain = re.fullmatch(r"\d{8}", values["StudyDate"])
        at = dv.time_of(values["StudyTime"])
        return Found((uid, row["patient_key"]), row["study_date"] if plain else None,
                     at.hour * 60 + at.minute if at else None, frozenset(modalities_of(values)),
                     _Study(row, values["TimezoneOffsetFromUTC"], None, match.undecodable, bool(malformed(values)),
                            dateless=not values["StudyDate"]))

    def _part(self, leaf: Leaf, before: SeriesKnown) -> Iterator[Batch | Part]:
        """Yield the studies of a range, and the series of those that are new or have changed."""
        found: list[_Study] = [one.record for one in leaf.found]
        known = before.taken_over(leaf, (one.row for one in found if not one.rejected))
        asked = SeriesQueries(self._association, self._zone, self.coverage.notes)
        for start in range(0, len(found), STUDIES_PER_BATCH):
            some = found[start:start + STUDIES_PER_BATCH]
            rows = []
            for one in some:
                if one.rejected:
                    continue
                self.coverage.notes[UNDECODABLE] += one.undecodable
                self.coverage.notes[MALFORMED] += one.malformed
                self.coverage.cover(one.row["study_date"], one.row["study_date"])
                said = known.said.get(one.row["study_instance_uid"])
                if said is not None:
                    rows.append(one.row | said)
                else:
                    given = asked.of(one.row, one.offset)
                    rows.append(with_counts(one.row | derived(given), given))
            rejected = tuple(one.rejected for one in some if one.rejected)
            yield Batch(studies, batch_of(studies, rows), rejected, len(some))
            yield from asked.batches()
        kept = known.said.keys() | (asked.failed & known.held)
        yield Part(leaf.name, leaf.records, leaf.first, leaf.last, kept_series=tuple(sorted(kept)),
                   marks=before.part_marks(leaf.name, asked.failed | asked.fewer), is_settled=leaf.name != RECENT)


def _unreadable(place: str) -> _Study:
    return _Study({}, rejected=Rejected(
        place, "unreadable", "The archive's record is no dataset that can be read; have its index checked."))


def open_cfind(named: str, options: Options) -> CFind:
    """Open the archive that a URL names.

    Parameters
    ----------
    named : str
        ``cfind://CALLING@host:port/CALLED``: our own AE title (``PACSMETER`` where not given), where the archive
        listens (port 104 where not given), and its AE title. What is no plain letter is written as in any URL.
    options : Options

    Raises
    ------
    PacsmeterError
        It is no such URL.
    """
    try:
        url = urlsplit(named)
        host, port = url.hostname or "", url.port or DEFAULT_PORT
    except ValueError:
        host, port, url = "", 0, urlsplit("")
    calling, called = unquote(url.username or "PACSMETER").strip(), unquote(url.path.strip("/")).strip()
    if not host or not called or url.password or url.query or url.fragment:
        raise PacsmeterError("The URL does not say who asks which archive", f"Write {_EXAMPLE}; C-FIND knows no "
                             "password.", "cfind://")
    for title in (calling, called):
        if not _AE_TITLE.fullmatch(title):
            raise PacsmeterError("An AE title has 1 to 16 characters of ASCII, and no backslash",
                                 f"Correct it in the URL: {_EXAMPLE}.", f"{calling}@{host}:{port}/{called}")
    return CFind(FindAssociation(Node(calling, called, host, port)), options)
