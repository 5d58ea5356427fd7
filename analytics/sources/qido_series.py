"""The series of studies by QIDO-RS: some studies at once, page by page, else by modality."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from analytics.core.errors import PacsmeterError
from analytics.sources.base import Rejected
from analytics.sources.qido_json import NotText, archive_series_columns, has_bad_text, text_of
from analytics.sources.qido_server import THREADS, NoAnswer, QidoServer
from analytics.sources.query_rows import SERIES_KEYWORDS, Row, malformed, no_uid, series_row, uid_of

AT_ONCE = 1_000
_FAILURES_IN_A_ROW = 3
_CAN_BE_ASKED = re.compile(r"[0-9.]{1,64}")
_KEYWORDS = (*SERIES_KEYWORDS, "TimezoneOffsetFromUTC", "StudyInstanceUID")
FEWER = "studies have fewer series in the server's answers than the server says: it cuts its answers short"
MALFORMED = "series have a date, time or number that cannot be read and was left empty"
UNDECODABLE = "series have text that is not UTF-8: it was read as far as it goes"


@dataclass
class SeriesOf:
    """The series of one study.

    Attributes
    ----------
    rows : by SeriesInstanceUID.
    failed : the server could not answer.
    fewer : some series could not be had, or could not be used.
    """

    rows: dict[str, Row] = field(default_factory=dict)
    rejected: dict[str, Rejected] = field(default_factory=dict)
    notes: Counter[str] = field(default_factory=Counter)
    failed: bool = False
    fewer: bool = False


class SeriesSearch:
    """Asks a server for the series of studies.

    Parameters
    ----------
    server : QidoServer
    fields : sequence of str
        What to return.
    zone : str
        IANA zone of times without an offset.
    """

    def __init__(self, server: QidoServer, fields: Sequence[str], zone: str) -> None:
        self._server, self._fields, self._zone = server, fields, zone
        self._failures = 0

    def of(self, studies: Iterable[tuple[Row, str]]) -> Iterator[SeriesOf]:
        """Yield the series of each study, in their order.

        Parameters
        ----------
        studies : iterable of (dict, str)
            Rows of ``studies``, each with its TimezoneOffsetFromUTC.

        Raises
        ------
        PacsmeterError
            The server cannot be asked, or answers for none of several studies.
        """
        pool = ThreadPoolExecutor(THREADS, "qido")
        try:
            for found in pool.map(lambda one: self._whole(*one), studies):
                self._failures = self._failures + 1 if found.failed else 0
                if self._failures == _FAILURES_IN_A_ROW:
                    raise PacsmeterError("The server answers the question for series with an error, for one study "
                                         "after another", "Look into its log.", found.rejected[""].locator)
                yield found
        finally:
            pool.shutdown(cancel_futures=True)

    def _whole(self, study: Row, offset: str) -> SeriesOf:
        """Return every series: by pages, else by modality."""
        found, expected = SeriesOf(), study["number_of_series"] or 0
        uid = study["study_instance_uid"]
        if not _CAN_BE_ASKED.fullmatch(uid):  # whatever stands there may be a name
            return SeriesOf(rejected={"": Rejected("series of studies without a proper UID", "bad_uid", "A study's "
                            "StudyInstanceUID is no UID, so that its series cannot be asked for; correct it in the "
                            "archive.")}, fewer=True)
        try:
            self._pages(found, study, offset, {}, expected)
            for modality in (study["modalities_in_study"] or "").split("\\"):
                if modality and len(found.rows) + len(found.rejected) < expected:
                    self._pages(found, study, offset, {"Modality": modality}, expected)
        except NoAnswer as failure:
            rejected = Rejected(f"series of study {uid}", "not_answered", "The server does not answer for this study's "
                                f"series ({failure}); look into its log.")
            return SeriesOf(rejected={"": rejected}, failed=True)
        if len(found.rows) + len(found.rejected) < expected:
            found.notes[FEWER] += 1
        found.fewer = len(found.rows) < expected or bool(found.rejected)
        return found

    def _pages(self, found: SeriesOf, study: Row, offset: str, matching: Mapping[str, str], expected: int) -> None:
        """Ask page by page until nothing new comes."""
        taken = 0
        while True:
            before = len(found.rows) + len(found.rejected)
            page = self._server.series(study["study_instance_uid"], matching, self._fields, limit=AT_ONCE, offset=taken)
            for number, record in enumerate(page.records, taken + 1):
                self._read(found, record, study["study_instance_uid"], offset, number)
            taken += len(page.records)
            now = len(found.rows) + len(found.rejected)
            if now == before or (now >= expected > 0 and not page.incomplete):
                return

    def _read(self, found: SeriesOf, record: Any, study_instance_uid: str, offset: str, number: int) -> None:
        place = f"series of study {study_instance_uid}, number {number}"
        try:
            values = text_of(record if isinstance(record, dict) else {}, _KEYWORDS)
        except NotText as bad:
            found.rejected[str(number)] = Rejected(place, "bad_value", f"The record's {bad} is no value that it can "
                                                   "have; correct it in the archive.")
            return
        if values["StudyInstanceUID"] not in ("", study_instance_uid):
            return
        uid = uid_of(values, "SeriesInstanceUID")
        if not uid:
            found.rejected[repr(sorted(values.items()))] = no_uid(values, "SeriesInstanceUID", place)
            return
        if uid not in found.rows:
            found.notes[MALFORMED] += bool(malformed(values))
            found.notes[UNDECODABLE] += has_bad_text(values)
        found.rows[uid] = series_row(values, study_instance_uid, offset, self._zone) | archive_series_columns(
            record, self._zone)
