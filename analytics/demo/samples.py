"""The excerpt in ``data/samples``: a demo small enough to open and read.

Run ``python -m analytics.demo.samples data/samples`` to make it again.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from analytics.demo import plan
from analytics.demo.hospital import write_export
from analytics.demo.phantoms import BLURRED_WEEK, DEVICES, EXTREME_WEEK, WEEKS, image_faults, monday, write_phantoms
from analytics.demo.truth import Truth

SEED, SCALE = 2026, 0.002
_FILES = {"studies": "studies.csv", "series": "series.csv", "archives": "archives.csv", "ris": "ris.csv"}
_BAD = ("bad/blank.dcm", "bad/clipped.dcm", "bad/empty.dcm", "bad/notes.txt", "bad/truncated.dcm", "bad/IM000001",
        "bad/high-bit.dcm")


def write_sample(out: Path) -> Truth:
    """Write the excerpt: about 300 studies with their series, orders and events, and a dozen small images."""
    truth = write_export(out, _FILES, seed=SEED, scale=SCALE)
    chosen = set(_chosen_images())
    with tempfile.TemporaryDirectory() as folder:
        for row in write_phantoms(Path(folder), seed=SEED):
            if row["path"] in chosen:
                truth.images.append(row)
                target = out / "images" / row["path"]
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(Path(folder, row["path"]), target)
    truth.faults += image_faults(truth.images)
    truth.write(out / "truth.json")
    return truth


def _chosen_images() -> list[str]:
    """The last weekly image of each device, the failing scanner's first, the two odd radiographs, a few bad files."""
    weekly = [(device.station, WEEKS - 1) for device in DEVICES]
    weekly += [(plan.FAILING.station, 0), ("NGHDX1", BLURRED_WEEK), ("NGHDX1", EXTREME_WEEK)]
    return [*(f"{station}/{monday(week):%Y%m%d}.dcm" for station, week in weekly), *_BAD]


if __name__ == "__main__":
    write_sample(Path(sys.argv[1]))
