"""Load one source into a warehouse of its own: ``python -m benchmarks.source_load SPEC HOME``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from analytics.core.settings import Settings
from analytics.sources.load import load_source, open_source
from analytics.warehouse.store import open_store


def main(spec: str, home: Path) -> None:
    """Load and publish, without exams and checks."""
    settings = Settings(home=home, site_zone="UTC", _env_file=None)  # type: ignore[call-arg]
    with open_store(settings).draft() as draft:
        print(load_source(draft, open_source(spec, settings, source_id="" if spec.endswith(".toml") else "bench",
                                             series=os.environ.get("PACSMETER_BENCH_SERIES") != "no")))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
