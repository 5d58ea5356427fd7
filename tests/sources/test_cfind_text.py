"""What an archive writes into its answers by C-FIND: read, left empty or quarantined, and no name is told."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset

from analytics.core.errors import PacsmeterError
from analytics.sources.cfind import MALFORMED, UNDECODABLE, open_cfind
from analytics.sources.open import Options
from tests.sources import cfind_reading
from tests.sources.cfind_reading import Read, Start, days
from tests.sources.find_scp import dataset, one_series, study
from tests.support import ROOT

short_pauses = cfind_reading.short_pauses
start = cfind_reading.start
options = cfind_reading.options


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
