"""Which studies of an Orthanc have to be asked for again, and the proof that the others are as they were.

Orthanc says what came and what was modified, and nothing of a series or image that was deleted from a study that
stays. So what the last load counted in the studies that are kept, and what Orthanc counts in the others now, must add
up to Orthanc's totals; where it does not, each kept study is counted by Orthanc until the difference is found.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import numpy as np

from analytics.core.progress import Progress
from analytics.sources.base import Known
from analytics.sources.orthanc_changes import Changes, Moment, Totals
from analytics.sources.orthanc_http import NoAnswer, OrthancServer, in_order
from analytics.sources.orthanc_studies import PREFIXES, Counted, Studies, packed_id, public_id
from analytics.sources.orthanc_study import Unexpected, study_uid
from analytics.sources.patient import PatientEdge

RECORDS_AT_ONCE = 1_000
STUDIES_AT_ONCE = 100
_ROUNDS = 10
_YEARS = range(1980, 2100)

NOT_PROVEN = ("times the studies that were kept could not be checked against Orthanc's totals: it was receiving all "
              "the time")
FOUND_CHANGED = "studies lost or gained series or images of which Orthanc's list of changes tells nothing"


def same_uid(server: OrthancServer, uid: str) -> list[str]:
    """Return the public ids of all studies with a StudyInstanceUID."""
    found = server.post("/tools/lookup", "a study by its UID", uid)
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise Unexpected
    return sorted({str(one.get("ID")) for one in found if one.get("Type") == "Study"})


def _key(uid: str) -> int:
    return hash(uid) & (2**63 - 1)


class KnownCounts:
    """Series and images of every study that the last load counted, by a hash of its UID: 16 bytes each."""

    def __init__(self, known: Known) -> None:
        keys, counts = [np.empty(0, np.int64)], [np.empty((0, 2), np.int32)]
        for first, last in _ranges():
            some = known.studies(first, last)
            keys.append(np.fromiter(map(_key, some), np.int64, len(some)))
            counts.append(np.array([(one.number_of_series or 0, one.number_of_instances or 0)
                                    for one in some.values()], np.int32).reshape(-1, 2))
        all_keys = np.concatenate(keys)
        order = np.argsort(all_keys)
        self._keys, self._counts = all_keys[order], np.concatenate(counts)[order]

    def of(self, uid: str) -> Counted | None:
        """Return what was counted in a study; nothing where it is not known."""
        at = int(np.searchsorted(self._keys, _key(uid)))
        if at == len(self._keys) or self._keys[at] != _key(uid):
            return None
        return int(self._counts[at][0]), int(self._counts[at][1])


def _ranges() -> Iterator[tuple[date | None, date | None]]:
    """Yield ranges of study dates that hold every study, none with too many: by years, and those without a date."""
    yield None, None
    yield date.min, date(_YEARS[0], 1, 1) - timedelta(days=1)
    for year in _YEARS:
        yield date(year, 1, 1), date(year, 12, 31)
    yield date(_YEARS[-1] + 1, 1, 1), date.max


class Increment:
    """Finds out which studies have to be asked for again.

    Parameters
    ----------
    server, changes, edge
        Of the archive.
    pool : ThreadPoolExecutor
        Where requests are made.
    known : Known
    always : frozenset of str
        Record keys of studies whose rows cannot be told from what Orthanc counts: they are asked for each time.

    Attributes
    ----------
    studies : every study that is there.
    asked : those to ask for again.
    """

    def __init__(self, server: OrthancServer, changes: Changes, edge: PatientEdge, pool: ThreadPoolExecutor,
                 known: Known, always: frozenset[str]) -> None:
        self._server, self._changes, self._edge, self._pool = server, changes, edge, pool
        self._known, self._always = known, always
        self._counts = KnownCounts(known)
        self._now: dict[bytes, Counted] = {}
        self.studies, self.asked = Studies(), set[bytes]()
        self.notes: Counter[str] = Counter()

    def find(self, then: Moment, now: Moment, progress: Progress) -> None:
        """Fill in `studies` and `asked`.

        Parameters
        ----------
        then, now : Moment
            When the last load began, and how the archive stands.
        progress : Progress
        """
        last = now.last
        fresh = self._changed(then.last, last)
        self._list()
        for _ in range(_ROUNDS):
            self._ask(fresh)
            totals, newest = self._changes.totals(), self._changes.last()
            if newest != last:
                fresh, last = self._changed(last, newest), newest
            elif totals.studies != len(self.studies):
                fresh = set()
                self._list()
            else:
                self._prove(totals, progress)
                return
        self.notes[NOT_PROVEN] += 1

    def _changed(self, since: int, until: int) -> set[bytes]:
        return set().union(*self._changes.studies_changed(since, until))

    def _list(self) -> None:
        """List every study, and find out which of them the last load knows."""
        self.studies = Studies(self._server.study_ids())
        for some in self.studies.chunks(0, PREFIXES - 1, RECORDS_AT_ONCE):
            keys = {self._edge.record_key(public_id(one)) or "": one for one in some}
            for key, uid in self._known.records(list(keys)).items():
                counted = self._counts.of(uid)
                if counted and key not in self._always:
                    self.studies.set_count(keys[key], counted)

    def _ask(self, fresh: set[bytes]) -> None:
        """Take studies, and all that have the same UIDs, among those to ask for, and have Orthanc count them."""
        more = (fresh | set(self.studies.unknown())) - self.asked
        for same in in_order(self._pool, self._same, _by(STUDIES_AT_ONCE, sorted(more))):
            more |= same - self.asked
        self.asked |= more
        for one, counted in in_order(self._pool, self._count, more | fresh):
            if counted:
                self._now[one] = counted
            else:
                self._now.pop(one, None)

    def _same(self, ids: list[bytes]) -> set[bytes]:
        found = set()
        for study in self._server.contents([public_id(one) for one in ids], "Study"):
            try:
                found |= {packed_id(one) for one in same_uid(self._server, study_uid(study))}
            except Unexpected:
                continue
        return {one for one in found if one and one in self.studies}

    def _count(self, one: bytes) -> tuple[bytes, Counted | None]:
        try:
            own = self._server.get(f"/studies/{public_id(one)}/statistics", "the size of a study")
            return one, (int(own["CountSeries"]), int(own["CountInstances"])) if own else None
        except (NoAnswer, KeyError, TypeError, ValueError):
            return one, None

    def _prove(self, totals: Totals, progress: Progress) -> None:
        """Compare with Orthanc's totals, and look for what differs."""
        _, series, images = self.studies.known_total
        for one in self.asked:
            was, now = self.studies.count(one) or (0, 0), self._now.get(one, (0, 0))
            series, images = series - was[0] + now[0], images - was[1] + now[1]
        differing = (totals.series - series, totals.instances - images)
        if differing == (0, 0):
            return
        kept = (one for one in self.studies.of(0, PREFIXES - 1) if one not in self.asked)
        for done, (one, now_held) in enumerate(in_order(self._pool, self._count, kept), 1):
            before = self.studies.count(one)
            if before and before != now_held:
                now = now_held or (0, 0)
                self.asked.add(one)
                self.notes[FOUND_CHANGED] += 1
                differing = differing[0] - now[0] + before[0], differing[1] - now[1] + before[1]
            progress("looking for what was deleted", done, len(self.studies))
            if differing == (0, 0):
                return


def _by(size: int, ids: list[bytes]) -> Iterator[list[bytes]]:
    for start in range(0, len(ids), size):
        yield ids[start:start + size]
