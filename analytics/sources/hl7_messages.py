"""A file or folder of HL7 v2 messages as a source: orders, event times, merged patients, read incrementally.

``hl7:///folder`` or ``hl7:folder``. Files may have any extension and hold one message or many, as an interface engine
or `pacsmeter listen` writes them. What may be said after a ``?``:

- ``accession=OBR-18,OBR-3.1`` where the accession number is, in this order; by default IPC-1, OBR-18, OBR-3, ORC-3, and
  SCH-27 in messages of appointments;
- ``id_type=MR`` which of the patient's ids the archive uses (CX.5, table 0203); by default MR, PI, else the first;
- ``charset=8859/1`` the character set (table 0211) where MSH-18 states none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit
from zoneinfo import ZoneInfo

from analytics.core.errors import PacsmeterError
from analytics.core.progress import Progress
from analytics.sources.base import Batch, Coverage, Known, Rejected
from analytics.sources.folder_walk import FolderWalk, Place
from analytics.sources.hl7_files import messages_in
from analytics.sources.hl7_paths import find_patients, first_sent
from analytics.sources.hl7_read import ACCESSION, ID_TYPES, Reading, Told, read_message
from analytics.sources.hl7_read import Place as FieldPlace
from analytics.sources.hl7_rows import Rows, rows_of
from analytics.sources.hl7_terms import codec_of
from analytics.sources.load_known import PARTLY_READ
from analytics.sources.message_files import forgotten, tried
from analytics.sources.open import Options, named_after
from analytics.sources.path_masks import PathMasks
from analytics.warehouse.schema import files

READING = "1"
"""Counted up where messages are read in another way: files with messages that were left out are then tried again."""
_FIELD = re.compile(r"(IPC|OBR|ORC|SCH)-([1-9]\d?)(?:\.([1-9]))?")
Found = tuple[Place, int, int]
"""A file of the walk, its size, and its modified time in ns."""
_SAID = frozenset({"accession", "id_type", "charset"})


class Hl7Messages:
    """A file or folder of HL7 v2 messages; see `analytics.sources.base.Source`.

    Parameters
    ----------
    source_id : str
    start : Path
        The folder, or one file.
    reading : Reading
        How its messages are read.
    is_demo : bool
    """

    kind = "hl7"

    def __init__(self, source_id: str, start: Path, reading: Reading, *, is_demo: bool = False) -> None:
        self.source_id, self.site, self.is_demo = source_id, reading.site, is_demo
        self._start = start.resolve()
        self._base = self._start if self._start.is_dir() else self._start.parent
        self.location = str(self._base)
        self.coverage = Coverage()
        self._reading = reading
        self._rules = f"{READING} {reading.accession} {reading.id_types} {reading.codec}"

    def batches(self, known: Known, progress: Progress) -> Iterator[Batch]:
        """Yield what the messages of new and changed files tell, in the order they were sent, then the files."""
        self.coverage = Coverage()
        if not self._start.exists():
            raise PacsmeterError("There is no such file or folder", "Check that it is mounted.", str(self._start))
        walk, masks = FolderWalk(self._start, self._base), PathMasks(known.files, self._reading.edge.pseudonymizer)
        fresh, unchanged = self._places(walk, masks, known, progress)
        seen = {masks.stored(name) for (_, name), _, _ in fresh} | unchanged
        self.coverage.gone = {path for path in known.files
                              if path not in seen and not walk.could_not_look_at(path, masks)}
        self.coverage.marks |= forgotten(self.coverage.gone, known)
        if unchanged:
            self.coverage.notes["files did not change and were not read again"] = len(unchanged)
        if walk.unreadable:
            yield Batch(files, rows_of(files, []), tuple(walk.rejected(masks)), len(walk.unreadable))
        rows = Rows(self.coverage)
        for done, (place, size, modified) in enumerate(fresh, 1):
            yield from self._file(place[0], masks.stored(place[1]), (size, modified), known, rows)
            if done % 1_000 == 0 or done == len(fresh):
                progress("reading HL7 messages", done, len(fresh))
        yield from rows.given()
        if not walk.unreadable:
            self.coverage.complete |= {files.name}

    def _places(self, walk: FolderWalk, masks: PathMasks, known: Known,
                progress: Progress) -> tuple[list[Found], set[str]]:
        """Return the files to read, and those to pass over, once it is known whom their paths name.

        The last word on an order counts, and a file that is named by a message's id says nothing of when it was sent.
        """
        fresh: list[Found] = []
        unchanged: list[Found] = []
        for found in walk.files():
            (unchanged if self._as_before(masks.stored(found[0][1]), found, known) else fresh).append(found)
        masks.learn((find_patients(place, self._reading.codec) for place, _, _ in fresh), walk.unreadable_names())
        moved = [found for found in unchanged if masks.stored(found[0][1]) not in known.files]
        kept = {masks.stored(found[0][1]) for found in unchanged}
        in_order = sorted(fresh + moved, key=lambda found: (first_sent(found[0][0]), found[0][1]))
        return in_order, kept & known.files.keys()

    def _as_before(self, stored: str, found: Found, known: Known) -> bool:
        """Whether a file need not be read.

        A file with messages that were left out is tried again when it, or the way of reading, has changed, and not by
        every load: its old messages would take the place of what newer ones said of the same order.
        """
        _, size, modified = found
        return (known.files.get(stored) == (size, modified)
                or known.marks.get(tried(stored)) == f"{size} {modified} {self._rules}")

    def _file(self, path: str, stored: str, state: tuple[int, int], known: Known, rows: Rows) -> Iterator[Batch]:
        """Read one file: what its messages tell, then itself."""
        size, modified = state
        status, left_out, now = "read", False, datetime.now(UTC)
        try:
            with Path(path).open("rb") as file:
                for found in messages_in(file):
                    told = read_message(found.raw, self._reading, now) if not found.fault else Told()
                    reasons = told.rejected if not found.fault else {found.fault: found.reason}
                    where = f"{stored}:{found.number}" if found.number else stored
                    rows.reject(Rejected(where, code, reason) for code, reason in reasons.items())
                    status = found.fault if found.fault and not found.number else status
                    left_out = left_out or bool(reasons)
                    rows.take(told)
                    if rows.are_many:
                        yield from rows.given()
        except OSError:
            rows.reject([Rejected(stored, "unreadable", "The file cannot be opened or read; check its permissions.")])
            rows.file(stored, size, modified, PARTLY_READ)
            return
        if left_out and status == "read":
            status = PARTLY_READ
            self.coverage.marks[tried(stored)] = f"{size} {modified} {self._rules}"
        elif tried(stored) in known.marks:
            self.coverage.marks[tried(stored)] = ""
        rows.file(stored, size, modified, status)
        if rows.are_many:
            yield from rows.given()


def open_hl7(named: str, options: Options) -> Hl7Messages:
    """Open a file or folder of messages.

    Parameters
    ----------
    named : str
        ``hl7:///absolute/path`` or ``hl7:relative/path``, percent-encoded where a name holds ``?``, ``#`` or ``%``.
    options : Options

    Raises
    ------
    PacsmeterError
        There is nothing there, or what is said after the ``?`` is not known.
    """
    url = urlsplit(named)
    if url.netloc not in ("", "localhost") or not url.path:
        raise PacsmeterError("The place of the HL7 messages is not a path",
                             "Write hl7:///absolute/folder, or hl7:folder for one below this folder.", "hl7:")
    start = Path(unquote(url.path))
    if not start.exists():
        raise PacsmeterError("There is no such file or folder", "Check its name, and that it is mounted.", str(start))
    said = parse_qs(url.query, keep_blank_values=True)
    if set(said) - _SAID:
        raise PacsmeterError("What stands after the ? is not known for HL7 messages",
                             f"Use one of: {', '.join(sorted(_SAID))}.", "hl7:")
    reading = Reading(options.edge, ZoneInfo(options.zone), options.site, _accession(said),
                      tuple(map(str.upper, _listed(said, "id_type"))) or ID_TYPES, _codec(said))
    return Hl7Messages(options.source_id or named_after(start.resolve().name), start, reading, is_demo=options.is_demo)


def _listed(said: dict[str, list[str]], name: str) -> list[str]:
    return [part.strip() for value in said.get(name, []) for part in value.split(",") if part.strip()]


def _accession(said: dict[str, list[str]]) -> tuple[FieldPlace, ...]:
    places = []
    for text in _listed(said, "accession"):
        place = _FIELD.fullmatch(text.upper())
        if not place:
            raise PacsmeterError("The field of the accession number is not known",
                                 "Name fields of IPC, OBR, ORC or SCH, such as accession=OBR-18,OBR-3.1.", "accession")
        places.append((place[1], int(place[2]), int(place[3] or 1)))
    return (*places, *(ACCESSION if all(name == "SCH" for name, _, _ in places) else ()))


def _codec(said: dict[str, list[str]]) -> str:
    if "charset" not in said:
        return ""
    codec = codec_of(said["charset"])
    if not codec:
        raise PacsmeterError("The character set is not known",
                             "Use a name of HL7 table 0211, such as 8859/1 or UNICODE UTF-8.", "charset")
    return codec
