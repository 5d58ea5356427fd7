"""An Orthanc archive, by its REST interface: for sites that let nobody at its database.

The rows say what `analytics.sources.orthanc` says of the same archive, but for bytes of attachments to a series, which
count in that series here, and as part of no series there.

The first load asks a few questions for each study and series, and one for every 500 images: 0.1 ms an image on SQLite,
0.7 ms on PostgreSQL (Orthanc 1.10.1), so days for a hundred million images: read the database of so large an archive.
Later loads list the ids of all studies, ask for those in which something changed, and check the rest against Orthanc's
totals. With ``since``, each load asks for every study from that day on.

What is kept in memory are 28 bytes for each study, and the rows of a part.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from analytics.core.errors import PacsmeterError
from analytics.core.progress import Progress
from analytics.core.secrets import Credentials, credentials_for, without_credentials
from analytics.sources.base import Batch, BeginAnew, Coverage, Identity, Known, Part
from analytics.sources.orthanc_changes import Changes, Moment
from analytics.sources.orthanc_crawl import CRAWL, Crawl, read_moment, written_moment
from analytics.sources.orthanc_http import THREADS, NoAnswer, OrthancServer
from analytics.sources.orthanc_increment import Increment, same_uid
from analytics.sources.orthanc_parts import WITHOUT_UID, Parts
from analytics.sources.orthanc_reader import Reader
from analytics.sources.orthanc_studies import Studies
from analytics.sources.orthanc_study import Unexpected, text_of
from analytics.sources.patient import PatientEdge

if TYPE_CHECKING:
    from analytics.sources.open import Options

CHANGED_MEANWHILE = ("times Orthanc's totals were others than what was read, since things changed meanwhile: the next "
                     "load reads those")
MERGED = ("studies more in Orthanc's own count: their patients' IDs differ only in blanks or case, which are one "
          "patient here")
ATTACHED = "bytes are attachments of patients or studies, which no study counts"
_ROWS_MADE_AS = 1
"""To be raised when rows are made another way: then studies that were kept so far are asked for again."""
_MOMENT, _ASK_AGAIN, _READ_AS, _COVERED = "moment", "ask_again", "read_as", "covered"


class OrthancRest:
    """An Orthanc archive; see `analytics.sources.base.Source`.

    Parameters
    ----------
    location : str
        The URL, without a password.
    base : str
        Of its REST interface.
    credentials : Credentials
    edge : PatientEdge
    zone : str
        IANA zone of the times in the headers; reception times are in UTC.
    since : date, optional
        First study date that is wanted.
    """

    kind = "orthanc_rest"

    def __init__(self, source_id: str, location: str, base: str, credentials: Credentials, edge: PatientEdge, zone: str,
                 *, site: str | None = None, is_demo: bool = False, since: date | None = None) -> None:
        self.source_id, self.location, self.site, self.is_demo = source_id, location, site, is_demo
        self.coverage = Coverage()
        self._base, self._credentials, self._edge = base, credentials, edge
        self._zone, self._since = zone, since

    def batches(self, known: Known, progress: Progress) -> Iterator[Batch | Part]:
        """Yield the studies of the archive by the first byte of their public ids, a part for some 2,000 studies."""
        self.coverage = Coverage(kept_before=self._since)
        server = self._server()
        pool = ThreadPoolExecutor(THREADS, "orthanc")
        try:
            yield from self._parts(server, pool, known, progress)
        except NoAnswer:
            raise PacsmeterError("Orthanc answers a question for several studies with an error", "Look into Orthanc's "
                                 "log; the next load goes on from here.", self.location) from None
        finally:
            pool.shutdown(cancel_futures=True)
            server.close()

    def _server(self) -> OrthancServer:
        return OrthancServer(self._base, self.location, self._credentials)

    def _parts(self, server: OrthancServer, pool: ThreadPoolExecutor, known: Known, progress: Progress
               ) -> Iterator[Batch | Part]:
        server.check()
        changes = Changes(server, self._edge, self.location)
        now = changes.now()
        crawl = Crawl.resumed(known) or Crawl(now)
        increment = self._increment(server, changes, pool, known, now, progress)
        if increment:
            crawl.whole = False
            crawl.cover(*known.marks.get(_COVERED, "").split())
            found, asked = increment.studies, increment.asked
            self.coverage.notes += increment.notes
        else:
            found, asked = Studies(server.study_ids()), None
        reader = Reader(server, pool, self._edge, self._zone, self.site, self._since, found)
        parts = Parts(crawl, known, self._edge, found, asked, reader, progress)
        for first, last in found.ranges(crawl.next_prefix):
            yield from parts.part(first, last)
        if WITHOUT_UID not in known.finished:
            yield from parts.without_uid()
        self._finish(crawl, changes)

    def _increment(self, server: OrthancServer, changes: Changes, pool: ThreadPoolExecutor, known: Known,
                   now: Moment, progress: Progress) -> Increment | None:
        """Find what has to be asked for again; nothing where everything has to be."""
        if self._since or _MOMENT not in known.marks or known.marks.get(_READ_AS) != self._read_as:
            return None
        then = read_moment(known.marks[_MOMENT])
        why = changes.why_unreliable(then, now)
        if why:
            self.coverage.notes[f"whole crawl, since Orthanc is not as the last load left it: {why}"] += 1
            return None
        increment = Increment(server, changes, self._edge, pool, known,
                              frozenset(known.marks.get(_ASK_AGAIN, "").split()))
        increment.find(then, now, progress)
        return increment

    @property
    def read_as(self) -> str:
        """What decides about the rows, besides the archive; see `analytics.sources.base.Source`."""
        return f"{self._base} {self._since or ''} {self._read_as}"

    @property
    def _read_as(self) -> str:
        return f"{_ROWS_MADE_AS} {self._edge.birth} {self._zone} {self.site or ''}"

    def _finish(self, crawl: Crawl, changes: Changes) -> None:
        """Compare what was read with Orthanc's own totals, and remember where the next load goes on."""
        notes, start = self.coverage.notes, crawl.start
        last, own = changes.last(), changes.totals()
        if crawl.merged:
            notes[MERGED] = crawl.merged
        more = own.size_bytes - crawl.read.size_bytes
        if crawl.left_out:
            pass  # what was not read cannot be counted
        elif own.counts != crawl.read.counts or (crawl.whole and more < 0):
            if (last, own) == (start.last, start.totals):
                raise BeginAnew(
                    "Orthanc says that it holds {:,} studies, {:,} series and {:,} images, and {:,}, {:,} and {:,} "
                    "could be read, though nothing changed".format(*own.counts, *crawl.read.counts),
                    "Check the index with Orthanc; the last snapshot stays as it is.", self.location)
            notes[CHANGED_MEANWHILE] += 1
        elif crawl.whole and more:
            notes[ATTACHED] = more
        self.coverage.cover(*(date.fromisoformat(day) if day else None for day in (crawl.first, crawl.last)))
        self.coverage.complete |= {"studies", "series"}
        self.coverage.marks |= {
            CRAWL: "", _MOMENT: "" if self._since else written_moment(start), _READ_AS: self._read_as,
            _ASK_AGAIN: " ".join(crawl.ask_again + crawl.without_uid), _COVERED: f"{crawl.first} {crawl.last}".strip()}

    def identities(self, study_instance_uid: str) -> list[Identity]:
        """Return who the patients of a study are, as Orthanc says now.

        Raises
        ------
        PacsmeterError
            The server cannot be asked.
        """
        server = self._server()
        try:
            server.check()
            found = server.contents(same_uid(server, study_instance_uid), "Study")
            return list(dict.fromkeys(Identity(*(text_of(one.get("PatientMainDicomTags"), keyword) for keyword in (
                "PatientID", "PatientName", "PatientBirthDate"))) for one in found))
        except (NoAnswer, Unexpected):
            raise PacsmeterError("Orthanc does not say whose study this is", "Look at it in Orthanc Explorer.",
                                 self.location) from None
        finally:
            server.close()


def open_orthanc_rest(named: str, options: Options) -> OrthancRest:
    """Open the archive that a URL names.

    Parameters
    ----------
    named : str
        ``orthanc+http://user@host:8042`` or ``orthanc+https://…``, with the prefix of a proxy where there is one; the
        password is found by `analytics.core.secrets`.
    options : Options

    Raises
    ------
    PacsmeterError
        It names no server.
    """
    url = _url(named)
    source_id = options.source_id or "orthanc"
    credentials = credentials_for(url, source_id, options.password)
    shown = url._replace(netloc=url.netloc.rpartition("@")[2], query="", fragment="")
    return OrthancRest(source_id, f"orthanc+{without_credentials(url)}", shown.geturl(), credentials, options.edge,
                       options.zone, site=options.site, is_demo=options.is_demo, since=options.since)


def _url(named: str) -> SplitResult:
    try:
        url = urlsplit(named.partition("+")[2])
        if url.hostname and (url.port is None or url.port > 0):
            return url
    except ValueError:
        pass
    raise PacsmeterError("This is not the URL of an Orthanc", "Write it as orthanc+http://user@host:8042; signs such "
                         "as @ or : in a user's name as %40 or %3A.", "the URL of Orthanc")
