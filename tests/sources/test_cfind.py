"""An archive that is asked by C-FIND: nothing is lost when it cuts, drops, rejects or garbles, and no name is told."""

from __future__ import annotations

import logging
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pynetdicom import AE

from analytics.core.errors import PacsmeterError
from analytics.core.pseudonym import Pseudonymizer
from analytics.core.settings import Settings
from analytics.sources.base import Batch, Identity, Known, KnownStudy, Part, Rejected
from analytics.sources.cfind import MALFORMED, NOT_ANSWERED, UNDATED_UNPROVEN, UNDECODABLE, CFind, open_cfind
from analytics.sources.crawl import REPEATED
from analytics.sources.find_association import FindAssociation, QueryFailed
from analytics.sources.find_identifier import request
from analytics.sources.find_node import Node, Timeouts
from analytics.sources.find_series import FEWER
from analytics.sources.open import Options
from analytics.sources.patient import PatientEdge
from analytics.warehouse.schema import series, studies
from tests.conftest import free_port
from tests.sources.find_scp import PATIENT_ROOT, FindScp, StallingProxy, dataset, one_series, study
from tests.support import ROOT

Start = Callable[..., FindScp]
SHORT = Timeouts(connection=2, association=0.5, answer=0.5, network=0.5)


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analytics.sources.find_association.PAUSES", (0.001, 0.001))


@pytest.fixture
def start() -> Iterator[Start]:
    """Give a function that starts an archive."""
    running: list[FindScp] = []

    def started(*arguments: Any, **more: Any) -> FindScp:
        running.append(FindScp(*arguments, **more))
        return running[-1]

    yield started
    for one in running:
        one.stop()


@pytest.fixture
def options(settings: Settings) -> Options:
    edge = PatientEdge(Pseudonymizer.from_file(settings.pseudonym_key_file))
    return Options(edge, "Europe/Berlin", "archive", "North")


class Read:
    """What a source gave, all of it."""

    def __init__(self, source: CFind, known: Known | None = None) -> None:
        self.rows: dict[str, list[dict[str, Any]]] = {studies.name: [], series.name: []}
        self.rejected: list[Rejected] = []
        self.parts: list[Part] = []
        self.records = 0
        for item in source.batches(known or Known(), lambda *_: None):
            if isinstance(item, Part):
                self.parts.append(item)
                continue
            assert isinstance(item, Batch)
            assert item.rows.num_rows <= 20_000
            self.rows[item.table.name] += item.rows.to_pylist()
            self.rejected += item.rejected
            self.records += item.records_read
        self.notes = +source.coverage.notes
        self.complete = source.coverage.complete

    @property
    def uids(self) -> list[str]:
        return sorted(row["study_instance_uid"] for row in self.rows["studies"])


def days(number: int, first: str = "2026-03-01") -> list[Dataset]:
    """Return a study a day."""
    begin = date.fromisoformat(first)
    return [study(n, (begin + timedelta(days=n)).strftime("%Y%m%d")) for n in range(number)]


def with_timeouts(scp_port: int, options: Options, called: str = "ARCHIVE") -> CFind:
    return CFind(FindAssociation(Node("PACSMETER", called, "127.0.0.1", scp_port), SHORT), options)


def test_studies_and_series_are_read_with_what_the_series_say_of_the_study(start: Start, options: Options) -> None:
    scp = start([study(1, ModalitiesInStudy=["SR", "PT", "CT"], TimezoneOffsetFromUTC="+0100",
                       NumberOfStudyRelatedSeries=3, NumberOfStudyRelatedInstances=15)],
                [one_series(1, 1),
                 one_series(1, 2, Modality="PT", StationName="PET1", NumberOfSeriesRelatedInstances=3),
                 one_series(1, 3, Modality="SR", StationName=None, NumberOfSeriesRelatedInstances=10)])
    read = Read(open_cfind(scp.spec, options))
    (row,) = read.rows["studies"]
    assert (row["modality"], row["station_name"], row["manufacturer"]) == ("PT", "PET1", "ACME")
    assert (row["modalities_in_study"], row["number_of_series"], row["number_of_instances"]) == ("CT\\PT\\SR", 3, 15)
    assert (row["site"], str(row["study_date"]), row["study_at"].isoformat()[:19]) == (
        "North", "2026-07-01", "2026-07-01T09:00:00")
    assert row["patient_birth_year"] == 1950 and row["patient_key"] and row["name_key"]
    first = read.rows["series"][0]
    assert (first["series_instance_uid"], first["series_number"], first["series_at"].isoformat()[:19]) == (
        "1.2.1.1", 1, "2026-07-01T09:01:00")
    assert [row["number_of_instances"] for row in read.rows["series"]] == [2, 3, 10]
    assert read.complete == {"studies", "series"} and not read.notes and not read.rejected


def test_numbers_the_archive_does_not_say_are_counted_in_the_series(start: Start, options: Options) -> None:
    scp = start([study(1, NumberOfStudyRelatedSeries=None, NumberOfStudyRelatedInstances=None)],
                [one_series(1, 1), one_series(1, 2)])
    (row,) = Read(open_cfind(scp.spec, options)).rows["studies"]
    assert (row["number_of_series"], row["number_of_instances"]) == (2, 4)


@pytest.mark.parametrize(("cap", "says"), [(20, False), (5, True)], ids=["silently", "by 0xA700"])
def test_an_archive_that_caps_its_answers_loses_no_study(start: Start, options: Options, cap: int, says: bool) -> None:
    busy = [study(500 + n, "20260401", f"{6 + n // 4:02}{15 * (n % 4):02}00") for n in range(48)]
    scp = start([*days(60), *busy], [one_series(n) for n in (*range(60), *range(500, 548))])
    scp.cap, scp.says_cap = cap, says
    read = Read(open_cfind(scp.spec, options))
    assert read.uids == sorted(one.StudyInstanceUID for one in scp.studies)
    assert len(read.rows["series"]) == 108
    assert read.notes[UNDATED_UNPROVEN] == 1


def test_an_answer_that_breaks_off_once_is_asked_for_again(start: Start, options: Options) -> None:
    scp = start(days(9), [one_series(n) for n in range(9)])
    scp.aborts_after, scp.aborts_times = 4, 1
    read = Read(open_cfind(scp.spec, options))
    assert len(read.uids) == 9 and not read.notes
    assert scp.associations == 2


def test_answers_that_always_break_off_are_asked_for_in_narrower_ranges(start: Start, options: Options) -> None:
    scp = start(days(30), [one_series(n) for n in range(30)])
    scp.aborts_after, scp.aborts_times = 3, 10_000
    read = Read(open_cfind(scp.spec, options))
    assert len(read.uids) == 30, "what came before the end of an answer that broke off is not the answer"
    assert read.notes[NOT_ANSWERED] > 1 and read.notes[UNDATED_UNPROVEN] == 1


def test_a_day_that_always_breaks_off_is_one_clear_line(start: Start, options: Options) -> None:
    scp = start(days(3), [])
    scp.aborts_after, scp.aborts_times = 0, 10_000
    with pytest.raises(QueryFailed, match=r"broke off.*3 times.*studies 2026-03-01\.\.2026-03-01") as caught:
        Read(open_cfind(scp.spec, options))
    assert caught.value.__cause__ is None


def test_an_archive_that_breaks_off_every_question_from_us_is_one_clear_line_soon(
        start: Start, options: Options) -> None:
    scp = start([], [])
    scp.refuses = True
    with pytest.raises(QueryFailed, match="Have it allow queries by PACSMETER from the address of this computer"):
        Read(open_cfind(scp.spec, options))
    assert scp.associations == 6


def test_an_archive_that_falls_silent_in_an_answer_does_not_hold_the_load_for_ever(
        start: Start, options: Options) -> None:
    scp = start([study(1), study(2)], [])
    scp.silent = True
    with pytest.raises(QueryFailed, match=r"fell silent.*studies 2026-07-01"):
        Read(with_timeouts(scp.port, options))


def test_a_message_that_stops_in_its_middle_does_not_hold_the_load_for_ever(start: Start, options: Options) -> None:
    proxy = StallingProxy(start([study(1)], []).port, messages=1)
    association = FindAssociation(Node("PACSMETER", "ARCHIVE", "127.0.0.1", proxy.port), SHORT)
    try:
        with pytest.raises(QueryFailed, match="broke off"):
            association.find(request("STUDY", {}, ["StudyInstanceUID"]), 0, "all studies")
    finally:
        association.abort()
        proxy.stop()


def test_an_archive_that_dies_between_two_answers_is_one_clear_line(start: Start, options: Options) -> None:
    scp = start(days(3), [one_series(n) for n in range(3)])
    source = open_cfind(scp.spec, options)
    items = source.batches(Known(), lambda *_: None)
    next(items)
    scp.stop()
    with pytest.raises(PacsmeterError, match=f"Nothing answers at 127.0.0.1:{scp.port}"):
        list(items)
    assert not source.coverage.complete


def test_reading_stops_where_memory_would_grow(start: Start, options: Options, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analytics.sources.cfind.AT_ONCE", 10)
    scp = start(days(25), [one_series(n) for n in range(25)])
    read = Read(open_cfind(scp.spec, options))
    assert len(read.uids) == 25 and read.notes == {UNDATED_UNPROVEN: 1}
    assert scp.associations == 1, "the archive was asked to stop, and the association lives on"


def test_an_archive_that_does_not_stop_when_asked_is_left(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analytics.sources.find_association._AFTER_CANCEL", 5)
    scp = start(days(100), [])
    scp.honors_cancel = False
    association = FindAssociation(Node("PACSMETER", "ARCHIVE", "127.0.0.1", scp.port), SHORT)
    for limit, incomplete in ((10, True), (0, False)):
        answered = association.find(request("STUDY", {}, ["StudyInstanceUID"]), limit, "all studies")
        assert (len(answered.identifiers), answered.incomplete) == (limit or 100, incomplete)
    association.close()
    assert scp.associations == 2


@pytest.mark.parametrize(("scp", "spec", "said"), [
    ({}, "cfind://PACSMETER@127.0.0.1:{port}/OTHER", r"called AE title not recognized.*does not answer to OTHER"),
    ({"only": "KNOWN"}, "cfind://PACSMETER@127.0.0.1:{port}/ARCHIVE",
     r"calling AE title not recognized.*PACSMETER to ARCHIVE at 127.0.0.1.*list of known nodes hold PACSMETER"),
    ({"model": PATIENT_ROOT}, "cfind://PACSMETER@127.0.0.1:{port}/ARCHIVE", "no acceptable presentation context"),
    ({}, "cfind://PACSMETER@no..such:{port}/ARCHIVE", r"The host no\.\.such is not known"),
], ids=["called", "calling", "context", "host"])
def test_why_there_is_no_association_is_said_in_plain_words(
        start: Start, options: Options, scp: dict[str, Any], spec: str, said: str) -> None:
    archive = start([study(1)], [], **scp)
    with pytest.raises(PacsmeterError, match=said):
        Read(open_cfind(spec.format(port=archive.port), options))
    assert archive.associations == (1 if "model" in scp else 0)


def test_where_nothing_listens_is_said(options: Options) -> None:
    port = free_port()
    with pytest.raises(PacsmeterError, match=f"Nothing answers at 127.0.0.1:{port}.*firewall"):
        Read(open_cfind(f"cfind://127.0.0.1:{port}/ARCHIVE", options))


def test_what_listens_and_says_nothing_is_said(options: Options) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute, pytest.raises(PacsmeterError, match="gives no answer"):
        Read(with_timeouts(mute.getsockname()[1], options))


def test_what_listens_and_speaks_something_else_is_said(options: Options) -> None:
    class Other(StallingProxy):
        def _serve(self) -> None:
            client, _ = self._listening.accept()
            client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            self._open.append(client)

    other = Other(0, 0)
    with pytest.raises(PacsmeterError, match="gives no answer to an association request, or breaks it off"):
        Read(with_timeouts(other.port, options))
    other.stop()


def test_an_archive_that_is_busy_is_asked_again(start: Start, options: Options) -> None:
    scp = start([study(1)], [one_series(1)])
    scp.entity.maximum_associations = 1
    other = AE("OTHER")
    other.add_requested_context("1.2.840.10008.1.1")
    held = other.associate("127.0.0.1", scp.port, ae_title="ARCHIVE")
    waited: list[float] = []

    def pause(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 3:
            held.release()
            for one in scp.entity.active_associations:
                one.join(5)

    association = FindAssociation(Node("PACSMETER", "ARCHIVE", "127.0.0.1", scp.port), SHORT, pause)
    with pytest.raises(PacsmeterError, match="too busy"):
        association.find(request("STUDY", {}, ["StudyInstanceUID"]), 0, "all studies")
    assert len(waited) == 2
    assert len(association.find(request("STUDY", {}, ["StudyInstanceUID"]), 0, "all studies").identifiers) == 1
    association.close()


@pytest.mark.parametrize(("status", "said"), [
    (0xA900, "does not match"), (0xC123, "unable to process.*0xC123"), (0x0124, "not authorized"),
    (0x0122, "status of failure.*0x0122")])
def test_what_a_final_status_means_is_said(start: Start, options: Options, status: int, said: str) -> None:
    scp = start([study(1)], [one_series(1)])
    scp.final = {"STUDY": status}
    with pytest.raises(PacsmeterError, match=said):
        Read(open_cfind(scp.spec, options))


def test_studies_whose_series_are_not_answered_are_quarantined_and_asked_again_next_time(
        start: Start, options: Options) -> None:
    scp = start(days(5), [one_series(n) for n in range(5)])
    scp.fails_for = {"1.2.3"}
    read = Read(open_cfind(scp.spec, options))
    assert len(read.uids) == 5 and len(read.rows["series"]) == 4
    assert [(one.locator, one.reason_code) for one in read.rejected] == [("series of study 1.2.3", "not_answered")]
    known = KnownAs({f"1.2.{n}": (1, 2) for n in range(5)})
    known.marks = {name: value for part in read.parts for name, value in part.marks.items() if value}
    assert list(known.marks.values()) == ["1.2.3"]
    again = Read(open_cfind(scp.spec, options), known)
    assert "1.2.3" in again.parts[0].kept_series, "what was known of its series is not lost"
    scp.fails_for = set()
    again = Read(open_cfind(scp.spec, options), known)
    assert [row["series_instance_uid"] for row in again.rows["series"]] == ["1.2.3.1"]


def test_an_archive_that_answers_no_series_at_all_is_an_error(start: Start, options: Options) -> None:
    scp = start(days(5), [one_series(n) for n in range(5)])
    scp.final = {"SERIES": 0xC000}
    with pytest.raises(PacsmeterError, match=r"unable to process.*series of study 1\.2\.2"):
        Read(open_cfind(scp.spec, options))


def test_series_beyond_the_cap_are_asked_for_by_modality_and_number(start: Start, options: Options) -> None:
    found = [one_series(1, n, Modality="CT" if n < 7 else "SR") for n in range(1, 9)]
    scp = start([study(1, ModalitiesInStudy=["CT", "SR"], NumberOfStudyRelatedSeries=8)], found)
    scp.cap = 3
    read = Read(open_cfind(scp.spec, options))
    assert len(read.rows["series"]) == 8 and FEWER not in read.notes
    scp.series = [one_series(1, n, SeriesNumber=None) for n in range(1, 9)]
    read = Read(open_cfind(scp.spec, options))
    assert len(read.rows["series"]) == 3 and read.notes[FEWER] == 1
    assert list(read.parts[0].marks.values()) == ["1.2.1"]


@dataclass(frozen=True)
class Carried(KnownStudy):
    """A study as it stood, with what its series said of it."""

    modality: str | None = "CT"
    station_name: str | None = "CT1"
    manufacturer: str | None = "ACME"
    manufacturer_model_name: str | None = None
    body_part_examined: str | None = "HEAD"


@dataclass(frozen=True)
class Counted:
    """A study as it stood, without what its series said of it."""

    study_instance_uid: str
    number_of_series: int
    number_of_instances: int


class KnownAs(Known):
    """Studies with their numbers of series and instances."""

    made: Any = Carried

    def __init__(self, numbers: dict[str, tuple[int, int]]) -> None:
        super().__init__()
        self.numbers = numbers

    def studies(self, first: date | None, last: date | None) -> dict[str, KnownStudy]:
        return {uid: self.made(uid, *numbers) for uid, numbers in self.numbers.items()} if first else {}


def test_only_the_series_of_new_and_changed_studies_are_asked_for(start: Start, options: Options) -> None:
    scp = start(days(4), [one_series(n) for n in range(4)])
    read = Read(open_cfind(scp.spec, options), KnownAs({"1.2.0": (1, 2), "1.2.1": (1, 7), "1.2.2": (1, 2)}))
    assert sorted(one.StudyInstanceUID for one in scp.asked_at("SERIES")) == ["1.2.1", "1.2.3"]
    assert read.parts[0].kept_series == ("1.2.0", "1.2.2") and len(read.uids) == 4
    assert [row["station_name"] for row in read.rows["studies"]] == ["CT1"] * 4


def test_finished_parts_are_not_asked_for_again(start: Start, options: Options) -> None:
    scp = start(days(4), [one_series(n) for n in range(4)])
    known = Known()
    known.finished = frozenset(part.name for part in Read(open_cfind(scp.spec, options)).parts)
    assert Read(open_cfind(scp.spec, options), known).uids == []


def test_an_unknown_character_set_costs_no_record(start: Start, options: Options) -> None:
    scp = start([study(1, SpecificCharacterSet="ISO_IR 999", PatientName="M\u00fcller^X"), study(2)],
                [one_series(1), one_series(2)])
    read = Read(open_cfind(scp.spec, options))
    assert read.uids == ["1.2.1", "1.2.2"] and not read.rejected
    assert read.notes == {UNDECODABLE: 1}


def test_one_name_is_one_pseudonym_whatever_character_set_it_is_in(start: Start, options: Options) -> None:
    scp = start([study(n, SpecificCharacterSet=named, PatientName="M\u00fcller^X") for n, named in
                 enumerate(("ISO_IR 100", "ISO_IR 192", "ISO 2022 IR 100"))], [])
    read = Read(open_cfind(scp.spec, options))
    assert len({row["name_key"] for row in read.rows["studies"]}) == 1 and not read.notes[UNDECODABLE]


def test_values_that_cannot_be_read_are_left_empty_and_counted(start: Start, options: Options) -> None:
    scp = start([study(1, StudyTime="9999", NumberOfStudyRelatedSeries="many", NumberOfStudyRelatedInstances="-3",
                       PatientBirthDate="19501399", PatientSex="FEMALE")],
                [one_series(1, SeriesNumber="first")])
    read = Read(open_cfind(scp.spec, options))
    (row,) = read.rows["studies"]
    assert (row["study_at"], row["patient_sex"], row["birth_date_key"]) == (None, None, None)
    assert (row["number_of_series"], row["number_of_instances"]) == (1, 2)
    assert read.notes[MALFORMED] == 1 and not read.rejected


@pytest.mark.parametrize(("uid", "code"), [("", "no_uid"), ("1.2.*", "bad_uid"), ("1.2\\1.3", "bad_uid")])
def test_a_record_without_a_usable_uid_is_quarantined_and_the_rest_used(
        start: Start, options: Options, uid: str, code: str) -> None:
    scp = start([*days(3), study(9, StudyInstanceUID=uid)], [one_series(n) for n in range(3)])
    read = Read(open_cfind(scp.spec, options))
    assert len(read.uids) == 3 and read.records == 4 + 3
    (one,) = read.rejected
    assert (one.reason_code, one.locator.startswith("study 4 of studies ")) == (code, True)


def test_a_match_without_values_is_quarantined(start: Start, options: Options) -> None:
    scp = start([*days(3), dataset(StudyDate="20260301", StudyInstanceUID=None)], [one_series(n) for n in range(3)])
    read = Read(open_cfind(scp.spec, options))
    assert len(read.uids) == 3 and [one.reason_code for one in read.rejected] == ["no_uid"]


def test_a_match_that_is_no_dataset_is_quarantined(
        start: Start, options: Options, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def decode(stream: Any, *syntax: bool) -> Dataset:
        if b"1.2.1\x00" in stream.getvalue():
            raise ValueError("NAME1^X is no VR")
        return real(stream, *syntax)

    from pynetdicom import association as module

    real = module.decode
    scp = start(days(3), [one_series(n) for n in range(3)])
    monkeypatch.setattr(module, "decode", decode)
    read = Read(open_cfind(scp.spec, options))
    assert read.uids == ["1.2.0", "1.2.2"]
    assert [(one.reason_code, one.locator[:11]) for one in read.rejected] == [("unreadable", "study 2 of ")]
    assert "NAME1" not in caplog.text, "pynetdicom logs what it cannot read"


def test_undated_studies_are_found_where_the_answer_for_all_is_whole(start: Start, options: Options) -> None:
    scp = start([*days(3), study(7, "", ""), study(8, "UNKNOWN")], [])
    read = Read(open_cfind(scp.spec, options))
    assert read.uids == ["1.2.0", "1.2.1", "1.2.2", "1.2.7", "1.2.8"] and UNDATED_UNPROVEN not in read.notes
    scp.cap, scp.says_cap = 2, True
    read = Read(open_cfind(scp.spec, options))
    assert {"1.2.0", "1.2.1", "1.2.2"} <= set(read.uids) and read.notes[UNDATED_UNPROVEN] == 1


def test_undated_studies_beyond_the_cap_are_found_where_an_absent_date_is_kept_as_an_empty_text(
        start: Start, options: Options) -> None:
    undated = [study(100 + n, "", ModalitiesInStudy="CT" if n < 9 else "XX", PatientID=f"{n}P") for n in range(12)]
    scp = start([*days(30), *undated], [one_series(n) for n in range(30)])
    scp.cap, scp.says_cap, scp.empty_dates_match = 5, True, True
    read = Read(open_cfind(scp.spec, options))
    assert read.uids == sorted(one.StudyInstanceUID for one in scp.studies)
    (part,) = [part for part in read.parts if part.first is None]
    assert part.records == 12 and read.notes[UNDATED_UNPROVEN] == 1


def test_an_archive_that_takes_no_open_range_is_read_all_the_same(start: Start, options: Options) -> None:
    scp = start([*days(9), study(100, "")], [one_series(n) for n in range(9)])
    scp.cap, scp.says_cap, scp.takes_open_ranges = 5, True, False
    read = Read(open_cfind(scp.spec, options))
    assert len(read.uids) == 9 and read.notes[UNDATED_UNPROVEN] == 1


def test_a_round_number_of_studies_does_not_prove_that_none_is_missing(start: Start, options: Options) -> None:
    for number, unproven in ((19, 0), (20, 1)):
        scp = start(days(number), [one_series(n) for n in range(number)])
        assert Read(open_cfind(scp.spec, options)).notes[UNDATED_UNPROVEN] == unproven


def test_an_answer_that_holds_each_study_ten_times_gives_each_once(start: Start, options: Options) -> None:
    scp = start(days(3) * 10, [one_series(n) for n in range(3)] * 10)
    read = Read(open_cfind(scp.spec, options))
    assert len(read.uids) == 3 and len(read.rows["series"]) == 3
    assert read.notes == {REPEATED: 27}


def test_a_study_of_two_patients_is_two_studies_with_their_series_once(start: Start, options: Options) -> None:
    scp = start([study(1), study(1, PatientID="OTHER")], [one_series(1)])
    read = Read(open_cfind(scp.spec, options))
    assert read.uids == ["1.2.1", "1.2.1"] and len(read.rows["series"]) == 1
    assert {row["station_name"] for row in read.rows["studies"]} == {"CT1"}


def test_who_a_patient_is_can_be_asked(start: Start, options: Options) -> None:
    scp = start([study(1, PatientName="M\u00fcller^X"), study(2)], [])
    source = open_cfind(scp.spec, options)
    assert source.identities("1.2.1") == [Identity("P1", "M\u00fcller^X", "19500101")]
    assert source.identities("1.2.9") == []


def test_no_name_reaches_a_log_a_warning_or_an_error(
        start: Start, options: Options, caplog: pytest.LogCaptureFixture, recwarn: pytest.WarningsRecorder) -> None:
    scp = start([study(1, PatientName="HUSH^" + "X" * 90, PatientID="HUSH" * 30, StudyDate="HUSH",
                       PatientBirthDate="HUSH", StudyInstanceUID="HUSH*"),
                 study(2, PatientName="HUSH^A^B^C^D^E^F=B=C=D", PatientSex="HUSH")], [])
    source = open_cfind(scp.spec, options)
    with caplog.at_level(logging.DEBUG):
        read = Read(source)
        scp.final = {"STUDY": 0xC000}
        with pytest.raises(PacsmeterError) as caught:
            Read(source)
    said = "\n".join([caplog.text, str(caught.value), repr(read.rows), repr(read.rejected), repr(read.notes),
                      *(str(one.message) for one in recwarn if "find_scp" not in one.filename)])
    assert "HUSH" not in said.upper()


QUIET = """
import sys
from pathlib import Path
from analytics.core.settings import Settings
from analytics.refresh import refresh
from analytics.sources.open import open_source
from analytics.warehouse.store import open_store

settings = Settings(home=Path(sys.argv[1]), _env_file=None)
refresh(open_store(settings), settings, [open_source(sys.argv[2], settings)])
"""


def test_no_value_reaches_a_terminal(start: Start, tmp_path: Path) -> None:
    scp = start([study(1, PatientName="HUSH^" + "X" * 90, SpecificCharacterSet="HUSH SET", PatientBirthDate="HUSH",
                       StudyTime="HUSH", PatientID="HUSH" * 30)], [one_series(1, SeriesNumber="HUSH")])
    done = subprocess.run([sys.executable, "-c", QUIET, str(tmp_path / "home"), scp.spec], cwd=ROOT,
                          capture_output=True, text=True, check=True)
    assert len(scp.asked_at("SERIES")) == 1
    assert "hush" not in (done.stdout + done.stderr).lower() and "Warning" not in done.stderr


@pytest.mark.parametrize("spec", [
    "cfind:///ARCHIVE", "cfind://host:104", "cfind://host:104/", "cfind://host:99999/ARCHIVE",
    "cfind://PACSMETER:secret@host:104/ARCHIVE", "cfind://SEVENTEENLETTERSX@host/ARCHIVE", "cfind://host/A%5CB",
    "cfind://host/ARCHIVE?x=1"])
def test_a_url_that_is_none_is_refused_without_its_password(options: Options, spec: str) -> None:
    with pytest.raises(PacsmeterError, match=r"cfind://CALLING@host:104/CALLED") as caught:
        open_cfind(spec, options)
    assert "secret" not in str(caught.value)


def test_a_url_says_who_asks_whom(options: Options) -> None:
    source = open_cfind("cfind://MY%20AE@Host.example/ARCHIVE%20ONE", options)
    assert source._association.node == Node("MY AE", "ARCHIVE ONE", "host.example", 104)
    assert source.location == "cfind://MY%20AE@host.example:104/ARCHIVE%20ONE"
    assert open_cfind(source.location, options)._association.node == source._association.node


def test_studies_alone_are_asked_for_where_no_series_are_wanted(start: Start, options: Options) -> None:
    scp = start(days(4), [one_series(n) for n in range(4)])
    read = Read(open_cfind(scp.spec, replace(options, series=False)))
    assert len(read.uids) == 4 and not read.rows["series"]
