"""The parts of the generator: the same seed the same bytes, one exam at a time on a scanner, nobody twice."""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.core.errors import PacsmeterError
from analytics.demo import names, plan
from analytics.demo.export import Writer
from analytics.demo.hospital import generate
from analytics.demo.patients import Population, person_names
from analytics.demo.samples import write_sample
from analytics.demo.timeline import Timelines
from tests.support import ROOT


def _digests(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[tuple[int, int | None]]]:
    """Make a demo of 300 studies, and keep what progress was told."""
    folder, heard = tmp_path_factory.mktemp("tiny"), []
    generate(folder, seed=5, scale=0.002, images=False, progress=lambda _, done, total: heard.append((done, total)))
    return folder, heard


def test_same_seed_same_bytes_other_seed_other_bytes(tiny: Any, tmp_path: Path) -> None:
    for seed in (5, 6):
        generate(tmp_path / str(seed), seed=seed, scale=0.002, images=False)
    again, other = _digests(tmp_path / "5"), _digests(tmp_path / "6")
    assert _digests(tiny[0]) == again
    assert again["studies.parquet"] != other["studies.parquet"]
    assert again["ris.csv.gz"] != other["ris.csv.gz"]


def test_data_samples_are_what_the_generator_makes(tmp_path: Path) -> None:
    write_sample(tmp_path)
    kept = _digests(ROOT / "data" / "samples")
    assert kept.pop("README.md")
    assert _digests(tmp_path) == kept


def test_data_samples_are_small() -> None:
    images = [path for path in (ROOT / "data" / "samples" / "images").rglob("*") if path.is_file()]
    assert 10 <= len(images) <= 20
    assert sum(path.stat().st_size for path in images) <= 700_000


def test_source_files_name_files_and_columns_that_exist(tiny: Any) -> None:
    for name in ("archive.toml", "ris.toml"):
        source = tomllib.loads((tiny[0] / name).read_text())
        assert source["is_demo"] is True
        for table in source["tables"].values():
            path = tiny[0] / table["file"]
            columns = (pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)).columns
            assert set(table["columns"].values()) | set(table.get("events", {}).values()) <= set(columns)


def test_scale_must_be_above_zero(tmp_path: Path) -> None:
    with pytest.raises(PacsmeterError, match="scale"):
        generate(tmp_path, scale=0)


def test_progress_goes_from_the_first_month_to_the_last(tiny: Any) -> None:
    assert tiny[1] == [(done, 37) for done in range(1, 38)]


_DAYS = st.lists(st.lists(st.integers(0, 86_399), min_size=1, max_size=30), min_size=1, max_size=4)


@given(days=_DAYS)
def test_a_scanner_makes_one_exam_at_a_time_and_none_before_it_is_due(days: list[list[int]]) -> None:
    timelines = Timelines([plan.STATIONS[0]])
    rng, free = np.random.default_rng(1), 0
    for day, seconds in enumerate(days):
        frame = pd.DataFrame({"station": 0, "desired": sorted(day * 86_400 + second for second in seconds)})
        frame["cancelled"] = False
        timelines.place(rng, frame)
        assert (frame["start"] >= frame["desired"]).all()
        assert frame["start"].iloc[0] >= free
        assert (frame["start"].to_numpy()[1:] >= frame["complete"].to_numpy()[:-1]).all()
        free = frame["complete"].iloc[-1]


def test_nobody_shares_name_and_birth_date_even_where_names_run_out() -> None:
    population = Population(seed=1)
    population.add(np.random.default_rng(1), np.full(names.NAMES * 4, 20_000))
    number = np.arange(len(population))
    name = person_names(population, number).to_pandas()
    assert name.duplicated().any()
    people = pd.DataFrame({"name": name, "born": population.born})
    altered = pd.DataFrame({"name": name, "born": population.altered_birth(number)})
    assert not pd.concat([people, altered]).duplicated().any()
    assert (population.altered_birth(number) <= 20_000).all()


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.parquet"])
def test_a_writer_appends_and_reads_back(tmp_path: Path, name: str) -> None:
    with Writer(tmp_path / name) as writer:
        for part in ([1, 2], [3]):
            writer.write(pa.table({"N": part, "TEXT": ["a,b"] * len(part)}))
    read = pd.read_parquet if name.endswith("parquet") else pd.read_csv
    assert read(tmp_path / name)["N"].tolist() == [1, 2, 3]
    assert writer.rows == 3
