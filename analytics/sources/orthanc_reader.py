"""Reads studies of an Orthanc, several at once: each with all that Orthanc holds under the same StudyInstanceUID."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from typing import Any

from analytics.sources.base import Rejected
from analytics.sources.orthanc_http import NoAnswer, OrthancServer, in_order
from analytics.sources.orthanc_increment import STUDIES_AT_ONCE, same_uid
from analytics.sources.orthanc_studies import Studies, packed_id, public_id
from analytics.sources.orthanc_study import (
    StudyRows,
    Unexpected,
    read_series,
    rows_of,
    study_date,
    study_row,
    study_uid,
)
from analytics.sources.patient import PatientEdge

_UID = re.compile(r"[0-9.]{1,64}")


@dataclass(frozen=True)
class Read:
    """What came of a study that was asked for.

    Attributes
    ----------
    rows : nothing where there are none, or where they come with another study of the same UID.
    failed : record key of a study that could not be read.
    without_uid : record key of a study that has no StudyInstanceUID; it is read with the others of that kind.
    too_early : whether it is older than what was asked for.
    """

    rows: StudyRows | None = None
    rejected: Rejected | None = None
    failed: str = ""
    without_uid: str = ""
    too_early: bool = False


class Reader:
    """Reads studies.

    Parameters
    ----------
    server, pool, edge
        Of the archive.
    zone : str
        IANA zone of the times in the headers.
    site : str or None
    since : date or None
        First study date that is wanted; studies without a date are wanted in any case.
    studies : Studies
        All that are there: the first of those with the same UID stands for them.
    """

    def __init__(self, server: OrthancServer, pool: ThreadPoolExecutor, edge: PatientEdge, zone: str,
                 site: str | None, since: date | None, studies: Studies) -> None:
        self._server, self._pool, self._edge = server, pool, edge
        self._zone, self._site, self._since, self._studies = zone, site, since, studies

    def read(self, ids: Iterable[bytes]) -> Iterator[Read]:
        """Yield what Orthanc holds of some studies; those that are gone meanwhile are left out."""
        return in_order(self._pool, self._read, self._described(ids))

    def read_without_uid(self, ids: Iterable[bytes]) -> Read:
        """Return the rows of all studies without a StudyInstanceUID, which stand under an empty one."""
        try:
            return Read(self._together(list(self._described(ids))))
        except (NoAnswer, Unexpected):
            return Read(rejected=_rejected("studies without a StudyInstanceUID"))

    def _described(self, ids: Iterable[bytes]) -> Iterator[Mapping[str, Any]]:
        some: list[str] = []
        for one in ids:
            some.append(public_id(one))
            if len(some) == STUDIES_AT_ONCE:
                yield from self._server.contents(some, "Study")
                some = []
        if some:
            yield from self._server.contents(some, "Study")

    def _read(self, study: Mapping[str, Any]) -> Read:
        own = str(study.get("ID"))
        try:
            return self._with_same(own, study)
        except (NoAnswer, Unexpected):
            # Orthanc may fail on what is deleted while it is at it.
            if not self._server.contents([own], "Study"):
                return Read()
        try:
            return self._with_same(own, study)
        except (NoAnswer, Unexpected):
            return Read(rejected=_rejected(self._named(own, study.get("MainDicomTags"))),
                        failed=self._edge.record_key(own) or "")

    def _named(self, own: str, tags: object) -> str:
        uid = str(tags.get("StudyInstanceUID")) if isinstance(tags, Mapping) else ""
        return f"study {uid}" if _UID.fullmatch(uid) else f"study of record {self._edge.record_key(own)}"

    def _with_same(self, own: str, study: Mapping[str, Any]) -> Read:
        uid, studied = study_uid(study), study_date(study)
        if self._since and studied and studied < self._since:
            return Read(too_early=True)
        if not uid:
            return Read(without_uid=self._edge.record_key(own) or "")
        same = same_uid(self._server, uid)
        if own != next((one for one in same if (packed_id(one) or b"\x00") in self._studies), ""):
            return Read()
        others = [one for one in same if one != own]
        return Read(self._together([study, *(self._server.contents(others, "Study") if others else ())]))

    def _together(self, found: list[Mapping[str, Any]]) -> StudyRows:
        held = []
        for study in found:
            held += read_series(self._server, study, study_row(study, self._edge, self._zone), self._zone)
        return rows_of(held, self._site)


def _rejected(locator: str) -> Rejected:
    return Rejected(locator, "unreadable_study", "Orthanc fails on this study, or describes it in a way that is not "
                    "known; look at it in Orthanc Explorer, and at Orthanc's log.")
