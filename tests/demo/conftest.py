"""One demo hospital for all tests: 0.25 of the full size, so that a scanner has its 20 exams a month."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from analytics.demo.hospital import generate
from analytics.demo.truth import Truth

SCALE = 0.25
RIS_TIMES = ("ORDERED", "BOOKED", "APPOINTMENT", "CANCELLED", "ARRIVED", "EXAM_START", "EXAM_END", "IN_PACS",
             "READY_TO_READ", "READ_START", "PRELIM_REPORT", "FINAL_REPORT", "CORRECTED", "VIEWED")


@dataclass(frozen=True)
class Export:
    """A demo's export as data frames, times parsed."""

    folder: Path
    truth: Truth
    studies: pd.DataFrame
    series: pd.DataFrame
    ris: pd.DataFrame
    log: pd.DataFrame

    @property
    def joined(self) -> pd.DataFrame:
        """Studies with their order, each order once: the first study of an accession number takes it."""
        real = self.studies[self.studies["N_IMAGES"].notna() & self.studies["ACC_NO"].notna()]
        first = real.sort_values("STUDY_DT").drop_duplicates("ACC_NO")
        return first.merge(self.ris, on="ACC_NO", suffixes=("", "_RIS"))


@pytest.fixture(scope="session")
def export(tmp_path_factory: pytest.TempPathFactory) -> Export:
    """Make the demo hospital and read its files without pacsmeter."""
    folder = tmp_path_factory.mktemp("demo")
    generate(folder, scale=SCALE)
    studies = pd.read_parquet(folder / "studies.parquet")
    for name in ("STUDY_DT", "RECEIVED", "LAST_READ"):
        studies[name] = pd.to_datetime(studies[name])
    ris = pd.read_csv(folder / "ris.csv.gz", dtype=str)
    for name in RIS_TIMES:
        ris[name] = pd.to_datetime(ris[name])
    log = pd.read_csv(folder / "scanner-log.csv", dtype={"ACC_NO": str}, parse_dates=["BEGAN", "ENDED"])
    return Export(folder, Truth.read(folder / "truth.json"), studies, pd.read_parquet(folder / "series.parquet"), ris,
                  log)
