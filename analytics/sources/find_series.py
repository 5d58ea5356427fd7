"""The series of studies by C-FIND, a study at a time: the baseline hierarchical way (PS3.4 2024e C.4.1.2.1)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from analytics.sources.base import Batch, Rejected
from analytics.sources.find_association import FindAssociation, QueryFailed
from analytics.sources.find_identifier import read_match, request
from analytics.sources.query_rows import SERIES_KEYWORDS, Row, batch_of, malformed, no_uid, series_row, uid_of
from analytics.warehouse.schema import series

ROWS_PER_BATCH = 20_000
SERIES_AT_ONCE = 10_000
_SERIES_NUMBERS = range(1, 101)
_FAILURES_IN_A_ROW = 3
FEWER = "studies have fewer series in the archive's answers than the archive says: it cuts its answers short"
UNDECODABLE = "series have text that is not in the character set they name: it was read as far as it goes"
MALFORMED = "series have a date, time or number that cannot be read and was left empty"


class SeriesQueries:
    """Asks for the series of some studies, and keeps them until they are taken.

    Parameters
    ----------
    association : FindAssociation
    zone : str
        IANA zone of times without an offset.
    notes : Counter of str
        Of the load.

    Attributes
    ----------
    failed : studies whose series the archive could not answer; each is in quarantine.
    fewer : studies of which some series could not be had, or could not be used.
    """

    def __init__(self, association: FindAssociation, zone: str, notes: Counter[str]) -> None:
        self.failed: set[str] = set()
        self.fewer: set[str] = set()
        self._association, self._zone, self._notes = association, zone, notes
        self._rows: list[Row] = []
        self._rejected: list[Rejected] = []
        self._taken: set[str] = set()
        self._failures = 0

    def of(self, study: Row, offset: str) -> list[Row]:
        """Return the series of a study.

        Parameters
        ----------
        study : dict
            Its row of ``studies``.
        offset : str
            Its TimezoneOffsetFromUTC.

        Raises
        ------
        PacsmeterError
            The archive cannot be asked, or answers for none of several studies.
        """
        uid = study["study_instance_uid"]
        is_new = uid not in self._taken
        self._taken.add(uid)
        rejected: dict[str, Rejected] = {}
        try:
            found = self._whole(study, offset, rejected)
            self._failures = 0
        except QueryFailed:
            self._failures += 1
            if self._failures == _FAILURES_IN_A_ROW:
                raise
            self.failed.add(uid)
            found, rejected[""] = {}, Rejected(f"series of study {uid}", "not_answered", "The archive does not answer "
                                               "for this study's series; look into its log.")
        if is_new:
            self._rows += found.values()
            self._rejected += rejected.values()
            self.fewer |= {uid} if rejected else set()
        return list(found.values())

    def batches(self) -> Iterator[Batch]:
        """Yield the series that were found since the last time."""
        rejected, self._rejected = tuple(self._rejected), []
        rows, self._rows = self._rows, []
        for start in range(0, max(len(rows), bool(rejected)), ROWS_PER_BATCH):
            some = rows[start:start + ROWS_PER_BATCH]
            yield Batch(series, batch_of(series, some), () if start else rejected, len(some))

    def _whole(self, study: Row, offset: str, rejected: dict[str, Rejected]) -> dict[str, Row]:
        """Return every series by UID: in one answer, else by modality, else by number."""
        expected = study["number_of_series"] or 0
        found, cut = self._asked(study, offset, {}, rejected)
        if not cut and len(found) + len(rejected) >= expected:
            return found
        for modality in (study["modalities_in_study"] or "").split("\\"):
            more, cut = self._asked(study, offset, {"Modality": modality}, rejected) if modality else ({}, False)
            found |= more
            for number in _SERIES_NUMBERS if cut or len(found) + len(rejected) < expected else ():
                found |= self._asked(study, offset, {"Modality": modality, "SeriesNumber": str(number)}, rejected)[0]
                if len(found) + len(rejected) >= expected > 0:
                    return found
        if len(found) + len(rejected) < expected:
            self._notes[FEWER] += 1
            self.fewer.add(study["study_instance_uid"])
        return found

    def _asked(self, study: Row, offset: str, matching: dict[str, str],
               rejected: dict[str, Rejected]) -> tuple[dict[str, Row], bool]:
        uid = study["study_instance_uid"]
        place = f"series of study {uid}"
        answered = self._association.find(
            request("SERIES", {"StudyInstanceUID": uid} | matching, SERIES_KEYWORDS), SERIES_AT_ONCE, place)
        found = {}
        for number, identifier in enumerate(answered.identifiers, 1):
            where = f"{place}, number {number}"
            if identifier is None:
                rejected[str(number)] = Rejected(where, "unreadable", "The archive's record is no dataset that can be "
                                                 "read; have its index checked.")
                continue
            match = read_match(identifier, SERIES_KEYWORDS)
            row = series_row(match.values, uid, offset, self._zone)
            if not uid_of(match.values, "SeriesInstanceUID"):
                rejected[repr(sorted(match.values.items()))] = no_uid(match.values, "SeriesInstanceUID", where)
                continue
            found[row["series_instance_uid"]] = row
            self._notes[UNDECODABLE] += match.undecodable
            self._notes[MALFORMED] += bool(malformed(match.values))
        return found, answered.incomplete
