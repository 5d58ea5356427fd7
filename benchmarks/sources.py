"""Every kind of source, loaded and just read: ``python -m benchmarks.sources [KIND ...] --studies 10000``.

Each run is a process of its own: wall seconds and peak memory are its own. Results are kept in one file, so that a
run of one kind or size replaces its own line alone; the table is made from all of them.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.source_cases import CASES, Prepared

RESULTS = Path(__file__).with_name("sources.json")
TABLE = Path(__file__).with_name("SOURCES.md")


def timed(command: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """Run a command; return its wall seconds and its own peak memory in MB."""
    start = time.perf_counter()
    with subprocess.Popen(command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def measure(kind: str, studies: int, folder: Path, *, once: bool) -> dict[str, float | str | None]:
    """Make a source of one kind and size, read it plainly, load it, and load it again where asked for."""
    home = folder / "home"
    shutil.rmtree(home, ignore_errors=True)
    with CASES[kind].prepared(folder, studies) as source:
        plain_seconds, plain_memory = timed(source.plain, source.environment)
        first, memory = _load(source, home)
        again, again_memory = (None, None) if once else _load(source, home)
        what = source.what
    return {"kind": kind, "studies": studies, "what": what, "plain_seconds": plain_seconds,
            "plain_memory": plain_memory, "seconds": first, "memory": memory, "again_seconds": again,
            "again_memory": again_memory}


def _load(source: Prepared, home: Path) -> tuple[float, float]:
    return timed([sys.executable, "-m", "benchmarks.source_load", source.spec, str(home)], source.environment)


def table(rows: list[dict[str, float | str | None]]) -> str:
    """Write the results as a table."""
    lines = [
        "# Sources: studies a second and peak memory, beside just reading the same", "",
        f"Made by `python -m benchmarks.sources` on {os.cpu_count()} cores. A load reads the source, makes pseudonyms, "
        "merges and counts, into DuckDB (no exams, no checks). Seconds differ from hour to hour; the ratio of a line "
        "is of one run. The second load finds nothing changed.", "",
        "| source | studies | studies/s | seconds | peak MB | just reading | seconds | peak MB | times the reading | "
        "again, seconds | peak MB |",
        "|---|---:|---:|---:|---:|---|---:|---:|---:|---:|---:|",
    ]
    for row in sorted(rows, key=lambda one: (str(one["kind"]), one["studies"])):
        number = {name: float(value or 0) for name, value in row.items() if name not in ("kind", "what")}
        again = f"{number['again_seconds']:,.1f} | {number['again_memory']:,.0f}" if row["again_seconds"] else "– | –"
        lines.append(
            f"| {row['kind']} | {number['studies']:,.0f} | {number['studies'] / number['seconds']:,.0f} | "
            f"{number['seconds']:,.1f} | {number['memory']:,.0f} | {row['what']} | {number['plain_seconds']:,.1f} | "
            f"{number['plain_memory']:,.0f} | {number['seconds'] / number['plain_seconds']:,.1f} | {again} |")
    return "\n".join([*lines, ""])


def _held() -> dict[tuple[str, int], dict[str, float | str | None]]:
    rows = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
    return {(row["kind"], row["studies"]): row for row in rows}


def main() -> None:
    """Measure the kinds asked for, and write the table of all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="*", default=list(CASES))
    parser.add_argument("--studies", type=int, default=10_000)
    parser.add_argument("--once", action="store_true", help="do not load a second time")
    asked = parser.parse_args()
    for kind in asked.kinds:
        with tempfile.TemporaryDirectory(prefix="pacsmeter-bench-") as folder:
            row = measure(kind, asked.studies, Path(folder), once=asked.once)
        rows = list((_held() | {(kind, asked.studies): row}).values())
        RESULTS.write_text(json.dumps(rows, indent=1))
        TABLE.write_text(table(rows))
        print(table([row]).splitlines()[-1], flush=True)


if __name__ == "__main__":
    main()
