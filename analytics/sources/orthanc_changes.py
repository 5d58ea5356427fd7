"""What changed in an Orthanc since the last load, by its list of changes, and whether that list can be relied on.

The list tells what came and what was modified. It does not tell what was deleted: neither a study, nor a single image
of one, leaves a trace in it or in the study's LastUpdate (seen on Orthanc 1.10.1). And it can be emptied
(``DELETE /changes``), or belong to another index after a restore.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from analytics.core.errors import PacsmeterError
from analytics.sources.orthanc_http import OrthancServer
from analytics.sources.orthanc_studies import packed_id
from analytics.sources.patient import PatientEdge

_AT_ONCE = 1_000
_SAY_NOTHING = ("Stable", "NewPatient", "Deleted")
"""Changes without news: a study is stable when nothing came for a minute; a new patient has new studies."""


@dataclass(frozen=True)
class Totals:
    """What an Orthanc holds, by its own count."""

    studies: int = 0
    series: int = 0
    instances: int = 0
    size_bytes: int = 0

    def __add__(self, other: Totals) -> Totals:
        return Totals(*(mine + its for mine, its in zip(asdict(self).values(), asdict(other).values(), strict=True)))

    @property
    def counts(self) -> tuple[int, int, int]:
        """Studies, series and images."""
        return self.studies, self.series, self.instances


@dataclass(frozen=True)
class Moment:
    """How an Orthanc stood at one moment.

    Attributes
    ----------
    last : number of the last change.
    anchors : number and pseudonym of the first and the last entry in the list of changes.
    """

    last: int
    anchors: tuple[tuple[int, str], ...]
    totals: Totals


class Changes:
    """The list of changes of one Orthanc."""

    def __init__(self, server: OrthancServer, edge: PatientEdge, location: str) -> None:
        self._server, self._edge, self._location = server, edge, location

    def now(self) -> Moment:
        """Return how the archive stands, before anything else is asked for."""
        page = self._page(last="true")
        first = self._page(since=0, limit=1)
        entries = [*first["Changes"][:1], *page["Changes"][-1:]]
        return Moment(page["Last"], tuple(dict(map(self._anchor, entries)).items()), self.totals())

    def last(self) -> int:
        """Return the number of the last change."""
        return int(self._page(last="true")["Last"])

    def totals(self) -> Totals:
        """Return what the archive holds, by its own count."""
        own = self._server.whole("/statistics", "the totals of the archive")
        try:
            return Totals(*(int(own[name]) for name in
                            ("CountStudies", "CountSeries", "CountInstances", "TotalDiskSize")))
        except (KeyError, TypeError, ValueError):
            raise self._unexpected() from None

    def why_unreliable(self, then: Moment, now: Moment) -> str:
        """Say why the list does not tell all that changed between two moments; empty where it does."""
        if now.last < then.last:
            return "its change numbers went backwards: its index was rebuilt or restored"
        intact = False
        for number, pseudonym in then.anchors:
            entry = self._page(since=number - 1, limit=1)["Changes"][:1]
            if entry and entry[0].get("Seq") == number:
                if self._anchor(entry[0])[1] != pseudonym:
                    return "its list of changes is another one: its index was rebuilt, or this is another Orthanc"
                intact = True
        if now.last == then.last or intact:
            return ""
        return "its list of changes was emptied"

    def studies_changed(self, since: int, until: int) -> Iterator[set[bytes]]:
        """Yield the public ids of studies in which something changed between two numbers; one may come again."""
        while since < until:
            page = self._page(since=since, limit=_AT_ONCE)
            ids = {str(one.get("ID")) for one in page["Changes"]
                   if not str(one.get("ChangeType")).startswith(_SAY_NOTHING)}
            if ids:
                found = {packed_id(one.get("ID")) for one in self._server.contents(sorted(ids), "Study")}
                yield {one for one in found if one}
            if page["Done"]:
                return
            if page["Last"] <= since:
                raise PacsmeterError("Orthanc's list of changes leads nowhere", "Restart Orthanc, and load again.",
                                     self._location)
            since = page["Last"]

    def _page(self, **query: int | str) -> dict[str, Any]:
        page = self._server.whole("/changes", "what changed", **query)
        entries = page.get("Changes")
        if not isinstance(page.get("Last"), int) or not isinstance(entries, list) or not all(
                isinstance(one, dict) for one in entries):
            raise self._unexpected()
        return {"Done": True, **page}

    def _anchor(self, entry: Mapping[str, Any]) -> tuple[int, str]:
        """Return what tells an entry from that of another index; its id is hidden."""
        written = "|".join(str(entry.get(name)) for name in ("Seq", "ID", "ChangeType", "Date"))
        return int(entry.get("Seq") or 0), self._edge.record_key(written) or ""

    def _unexpected(self) -> PacsmeterError:
        return PacsmeterError("The server's answers are not laid out as Orthanc's", "Name the URL of Orthanc's REST "
                              "interface; this version of Orthanc may not be supported.", self._location)
