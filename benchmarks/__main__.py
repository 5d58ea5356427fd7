"""Run the benchmarks: ``python -m benchmarks [--studies 1000000] [--out benchmarks/RESULTS.md]``."""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
from pathlib import Path

from analytics.demo.hospital import generate
from benchmarks.loading import measure_load

STUDIES_AT_SCALE_1 = 150_000


def main() -> None:
    """Generate a hospital of the size asked for, load it, write the table; `benchmarks.scale` opens the pages."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help="where the hospital and the warehouse are kept between runs")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("RESULTS.md"))
    asked = parser.parse_args()
    folder = asked.folder or Path(tempfile.mkdtemp(prefix="pacsmeter-bench-"))
    hospital = folder / f"hospital-{asked.studies}"
    if not (hospital / "truth.json").exists():
        generate(hospital, seed=2026, scale=asked.studies / STUDIES_AT_SCALE_1, images=False)
    lines = [
        "# Benchmarks", "",
        f"Made by `make bench` on {os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}. "
        "Seconds differ from machine to machine and from hour to hour; the ratios are of one run.", "",
        *measure_load(hospital, folder / f"home-{asked.studies}"), "",
        "What pages take: `SCALE.md`.", "",
    ]
    asked.out.write_text("\n".join(lines))
    print("\n".join(lines))


if __name__ == "__main__":
    main()
