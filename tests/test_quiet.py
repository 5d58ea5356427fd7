"""What pydicom says of a file quotes its values: it must not reach a terminal or a log."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pydicom
import pytest
from pydicom.data import get_testdata_file

from tests.support import ROOT

LOAD = """
import sys
from pathlib import Path
from analytics.core.settings import Settings
from analytics.imaging.decode import read_image
from analytics.refresh import refresh
from analytics.sources.open import open_source
from analytics.warehouse.store import open_store

settings = Settings(home=Path(sys.argv[1]), _env_file=None)
refresh(open_store(settings), settings, [open_source(sys.argv[2], settings)])
dataset = __import__("pydicom").dcmread(Path(sys.argv[2]) / "a.dcm")
print(dataset.StudyInstanceUID, dataset.PatientName, file=sys.stdout)
"""


def test_no_value_of_a_file_reaches_standard_error(tmp_path: Path) -> None:
    with pytest.warns(UserWarning):
        dataset = pydicom.dcmread(str(get_testdata_file("CT_small.dcm")))
        dataset.PatientName = "Hush" + "X" * 80
        dataset.StudyInstanceUID = "HUSH.1"
    (tmp_path / "files").mkdir()
    pydicom.config.settings.writing_validation_mode = pydicom.config.IGNORE
    try:
        dataset.save_as(tmp_path / "files" / "a.dcm")
    finally:
        pydicom.config.settings.writing_validation_mode = None
    done = subprocess.run([sys.executable, "-c", LOAD, str(tmp_path / "home"), str(tmp_path / "files")], cwd=ROOT,
                          capture_output=True, text=True, check=True)
    assert "HUSH.1" in done.stdout, "the file is as meant"
    assert "hush" not in done.stderr.lower()
    assert "UserWarning" not in done.stderr
