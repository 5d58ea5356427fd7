"""The command line as a user meets it: what it prints, its exit status, and one clear line where it fails."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from tests.support import ROOT

COMMANDS = [[], ["demo"], ["load"], ["check"], ["metric", "list"], ["metric", "show"], ["report"], ["status"], ["app"],
            ["warehouse", "list"], ["warehouse", "rollback"], ["identify"], ["audit"]]


def run(*arguments: str, home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command as its own process, away from the checkout."""
    command = [str(Path(sys.executable).with_name("pacsmeter")), *arguments]
    return subprocess.run(command, cwd=home.parent, capture_output=True, text=True,
                          env={**os.environ, "PACSMETER_HOME": str(home), "COLUMNS": "200", **environment})


@pytest.mark.parametrize("command", COMMANDS[1:], ids=" ".join)
def test_help_shows_an_example(command: list[str], tmp_path: Path) -> None:
    done = run(*command, "--help", home=tmp_path)
    assert done.returncode == 0
    assert re.search(rf"Example: .*pacsmeter {' '.join(command)}", done.stdout)


@pytest.mark.parametrize(("arguments", "said"), [
    (["load", "/nowhere/at/all"], "/nowhere/at/all"),
    (["metric", "show", "no.such"], "pacsmeter metric list"),
    (["check", "--id", "XXX999"], "XXX999"),
    (["status"], "pacsmeter load demo"),
    (["warehouse", "rollback"], "no earlier snapshot"),
    (["frobnicate"], "--help"),
    (["metric", "show", "volume.by_modality", "--from", "2026/01/01"], "'--from': '2026/01/01'"),
    (["report", "board", "--out", "x.docx"], "empty"),
])
def test_what_cannot_run_ends_with_2_and_one_line_that_says_what_to_do(
        arguments: list[str], said: str, tmp_path: Path) -> None:
    done = run(*arguments, home=tmp_path / "home")
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    assert len(done.stderr.strip().splitlines()) == 1


def test_check_ends_with_1_only_where_fail_on_asks(demo_home: Path) -> None:
    assert run("check", home=demo_home).returncode == 0
    assert run("check", "--fail-on", "error", home=demo_home).returncode == 1
    table = json.loads(run("check", "--json", home=demo_home).stdout)
    clean = next(row["check_id"] for row in table if row["violated"] == 0)
    assert run("check", "--fail-on", "info", "--id", clean, home=demo_home).returncode == 0


def test_a_metric_is_the_same_as_table_csv_and_json(demo_home: Path) -> None:
    csv = run("metric", "show", "volume.by_modality", "--format", "csv", home=demo_home)
    from_csv = pd.read_csv(io.StringIO(csv.stdout), keep_default_na=False)
    from_json = json.loads(run("metric", "show", "volume.by_modality", "--format", "json", home=demo_home).stdout)
    assert from_csv["modality"].tolist() == [row["modality"] for row in from_json["rows"]]
    assert from_csv["studies"].sum() == sum(row["studies"] for row in from_json["rows"]) > 2000
    table = run("metric", "show", "volume.by_modality", home=demo_home)
    assert table.returncode == 0
    assert f"{from_csv['studies'].max():,}" in table.stdout


def test_filters_narrow_a_metric(demo_home: Path) -> None:
    def studies(*options: str) -> int:
        done = run("metric", "show", "volume.by_modality", "--format", "csv", *options, home=demo_home)
        return int(pd.read_csv(io.StringIO(done.stdout))["studies"].sum())

    assert 0 < studies("--modality", "CT", "--from", "2026-01-01") < studies("--modality", "CT") < studies()


def test_status_says_what_is_loaded(demo_home: Path) -> None:
    done = run("status", home=demo_home)
    assert done.returncode == 0
    for source in ("demo-archive", "demo-ris", "demo-qa-images", "pydicom-samples"):
        assert source in done.stdout


@pytest.mark.parametrize(("report", "name", "begins"), [
    ("board", "board.pdf", b"%PDF"), ("cost_benefit", "costs.xlsx", b"PK"), ("cost_benefit", "costs.pdf", b"%PDF")])
def test_a_report_is_written(report: str, name: str, begins: bytes, demo_home: Path, tmp_path: Path) -> None:
    done = run("report", report, "--out", str(tmp_path / name), home=demo_home)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / name).read_bytes().startswith(begins)


def test_the_samples_load_as_the_readme_says(tmp_path: Path) -> None:
    home = tmp_path / "home"
    samples = ROOT / "data" / "samples"
    first = run("load", str(samples / "archive.toml"), str(samples / "ris.toml"), home=home)
    assert first.returncode == 0, first.stderr
    again = run("load", str(samples / "archive.toml"), str(samples / "ris.toml"), home=home)
    assert again.returncode == 0, again.stderr
    assert run("load", "demo", "--if-empty", home=home).stdout.startswith("Snapshot 2 is loaded already")
    assert run("warehouse", "rollback", home=home).stdout.startswith("Readers see snapshot 1 now")


def test_a_site_that_the_snapshot_does_not_have_is_no_empty_answer(demo_home: Path) -> None:
    done = run("metric", "show", "volume.by_modality", "--site", "Nowhere", home=demo_home)
    assert done.returncode == 2
    assert "'Nowhere'" in done.stderr and "Northgate" in done.stderr


def test_ctrl_c_in_the_middle_of_a_load_is_one_line_and_changes_nothing(tmp_path: Path) -> None:
    samples = ROOT / "data" / "samples"
    command = [str(Path(sys.executable).with_name("pacsmeter")), "load", str(samples / "archive.toml")]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True,
                          env={**os.environ, "PACSMETER_HOME": str(tmp_path / "home")}) as load:
        assert load.stderr is not None
        next(line for line in load.stderr if line.startswith("merging"))
        load.send_signal(signal.SIGINT)
        said = [line for line in load.stderr if not line.endswith("...\n")]
    assert load.returncode == 2
    assert len(said) == 1 and said[0].startswith("pacsmeter: Stopped.")
    assert "empty" in run("status", home=tmp_path / "home").stderr
