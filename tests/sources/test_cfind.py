"""An archive that is asked by C-FIND: every study and series is found, and only what is needed is asked for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from analytics.sources.base import Identity, Known
from analytics.sources.cfind import UNDATED_UNPROVEN, open_cfind
from analytics.sources.crawl import REPEATED
from analytics.sources.find_series import FEWER
from analytics.sources.open import Options
from tests.sources import cfind_reading
from tests.sources.cfind_reading import KnownAs, Read, Start, days
from tests.sources.find_scp import one_series, study

short_pauses = cfind_reading.short_pauses
start = cfind_reading.start
options = cfind_reading.options


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


def test_reading_stops_where_memory_would_grow(start: Start, options: Options, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analytics.sources.cfind.AT_ONCE", 10)
    scp = start(days(25), [one_series(n) for n in range(25)])
    read = Read(open_cfind(scp.spec, options))
    assert len(read.uids) == 25 and read.notes == {UNDATED_UNPROVEN: 1}
    assert scp.associations == 1, "the archive was asked to stop, and the association lives on"


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


def test_studies_alone_are_asked_for_where_no_series_are_wanted(start: Start, options: Options) -> None:
    scp = start(days(4), [one_series(n) for n in range(4)])
    read = Read(open_cfind(scp.spec, replace(options, series=False)))
    assert len(read.uids) == 4 and not read.rows["series"]
