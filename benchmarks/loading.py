"""Loading an export of a million studies, beside DuckDB's own import of the same files."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

PLAIN_IMPORT = """
import duckdb, sys
from pathlib import Path
folder, target = Path(sys.argv[1]), sys.argv[2]
connection = duckdb.connect(target)
connection.execute("SET memory_limit='2GB'; SET preserve_insertion_order=false")
for path in sorted(folder.iterdir()):
    reader = {".parquet": "read_parquet", ".csv": "read_csv", ".gz": "read_csv"}.get(path.suffix)
    if reader:
        name = path.name.split(".")[0]
        connection.execute(f"CREATE TABLE \\"{name}\\" AS SELECT * FROM {reader}('{path}')")
"""


def _timed(command: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """Run a command; return its wall seconds and the peak memory of the largest child so far, in MB."""
    start = time.perf_counter()
    subprocess.run(command, check=True, env={**os.environ, **environment}, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def measure_load(hospital: Path, home: Path) -> list[str]:
    """Load the hospital into an empty home, again unchanged, and import the same files plainly."""
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    plain_seconds, plain_memory = _timed(
        [sys.executable, "-c", PLAIN_IMPORT, str(hospital), str(home / "plain.duckdb")], {})
    pacsmeter = str(Path(sys.executable).with_name("pacsmeter"))
    command = [pacsmeter, "load", str(hospital / "archive.toml"), str(hospital / "ris.toml")]
    rows = [("DuckDB's own import of the same files (the peer)", plain_seconds, plain_memory)]
    for name in ("pacsmeter load: pseudonyms, merge, exams, every check, kept answers, publish",
                 "the same load again, nothing changed"):
        seconds, memory = _timed(command, {"PACSMETER_HOME": str(home)})
        rows.append((name, seconds, memory))
    (home / "plain.duckdb").unlink()
    return [
        "## Load", "", "| work | seconds | times the peer | peak memory so far, MB |", "|---|---:|---:|---:|",
        *(f"| {name} | {seconds:,.1f} | {seconds / plain_seconds:.1f} | {memory:,.0f} |"
          for name, seconds, memory in rows),
    ]
