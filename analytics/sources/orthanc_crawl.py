"""How far the crawl of an Orthanc is: remembered with each part, so that a load that is cut off goes on from there."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace

from analytics.sources.base import Known
from analytics.sources.orthanc_changes import Moment, Totals
from analytics.sources.orthanc_studies import Counted
from analytics.sources.orthanc_study import StudyRows

CRAWL = "crawl"
"""Mark of a crawl that is not finished."""


def written_moment(moment: Moment) -> str:
    """Write a moment as a mark."""
    return json.dumps(asdict(moment))


def read_moment(mark: str) -> Moment:
    """Read a mark that `written_moment` wrote."""
    found = json.loads(mark)
    return Moment(found["last"], tuple((number, key) for number, key in found["anchors"]), Totals(**found["totals"]))


@dataclass
class Crawl:
    """What a crawl has read so far, whichever load did.

    Attributes
    ----------
    start : how the archive stood when it began.
    whole : whether everything was asked for, and nothing was kept.
    next_prefix : first byte of the ids that come next.
    read : by Orthanc's count.
    ask_again : record keys of studies whose rows cannot be told from what Orthanc counts.
    without_uid : record keys of studies without a StudyInstanceUID, which are read last.
    merged : studies of Orthanc that are no rows of their own.
    left_out : studies that were not read.
    first, last : dates it covers, by ISO 8601; empty where it has found no date.
    """

    start: Moment
    whole: bool = True
    next_prefix: int = 0
    read: Totals = field(default_factory=Totals)
    ask_again: list[str] = field(default_factory=list)
    without_uid: list[str] = field(default_factory=list)
    merged: int = 0
    left_out: int = 0
    first: str = ""
    last: str = ""

    @classmethod
    def resumed(cls, known: Known) -> Crawl | None:
        """Return where a load that was cut off had come to; nothing where none was."""
        if not known.finished or CRAWL not in known.marks:
            return None
        found = json.loads(known.marks[CRAWL])
        return cls(**{**found, "start": read_moment(json.dumps(found["start"])), "read": Totals(**found["read"])})

    def mark(self) -> dict[str, str]:
        """Return what to remember with a part."""
        return {CRAWL: json.dumps(asdict(self))}

    def add(self, rows: StudyRows) -> None:
        """Count what was read."""
        self.read += rows.totals
        self.merged += rows.totals.studies - len(rows.studies)
        if rows.counts_differ:
            self.ask_again += rows.record_keys
        self.cover(*(row["study_date"].isoformat() for row in rows.studies if row["study_date"]))

    def keep(self, counted: Counted) -> None:
        """Count a study that is kept as the last load counted it."""
        self.read += replace(Totals(), studies=1, series=counted[0], instances=counted[1])

    def cover(self, *days: str) -> None:
        """Widen the dates to hold more days."""
        held = sorted(filter(None, (self.first, self.last, *days)))
        self.first, self.last = (held[0], held[-1]) if held else ("", "")
