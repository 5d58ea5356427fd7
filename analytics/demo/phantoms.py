"""Weekly QA images of phantoms on the demo's scanners, and planted bad files and images."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless, RLELossless

from analytics.core.progress import Progress, silent
from analytics.demo import pictures, plan
from analytics.demo.phantom_faults import plant_bad_files
from analytics.demo.phantom_headers import Exposure, Uids, image, save
from analytics.demo.truth import PlantedFault

WEEKS = 40
LAST_MONDAY = plan.END - timedelta(days=plan.END.weekday())
_SPREAD = 0.05
"""Noise and sharpness vary evenly within this share: by so much no week leaves the limits of a control chart."""
_NOTICEABLE = (1 + 2 * _SPREAD) / (1 - _SPREAD)
"""From this factor on even a quiet week of the failing scanner is noisier than any week of a sound one."""


@dataclass(frozen=True)
class Device:
    """A scanner with a weekly phantom image: its noise (HU or gray values) and blur (pixels) when all is well."""

    station: str
    sigma: float
    blur: float


DEVICES = (
    Device("STHCT1", 8.0, 0.8), Device(plan.FAILING.station, 20.0, 0.9), Device("NGHDX1", 60.0, 0.7),
    Device("NGHMG1", 50.0, 0.7), Device("NGHUS1", 5.0, 1.0),
)
BLURRED_WEEK, EXTREME_WEEK = 30, 25
_COMPRESSED = {36: JPEGLSLossless, 37: JPEG2000Lossless, 38: RLELossless}
_PAINT = {"CT": pictures.water, "MR": pictures.uniform, "DX": pictures.steps, "MG": pictures.steps,
          "US": pictures.speckle}


def monday(week: int) -> date:
    """Return the day of a weekly image, 0 to 39; the last is the last Monday of the demo."""
    return LAST_MONDAY - timedelta(weeks=WEEKS - 1 - week)


def noise_factor(station: str, day: date) -> float:
    """Return how many times its usual noise a scanner has on a day: above 1 once it begins to fail."""
    weeks = (day - plan.FAILING.since).days / 7
    failing = station == plan.FAILING.station and weeks > 0
    return (1 + plan.FAILING.noise_percent_per_week / 100) ** weeks if failing else 1.0


def write_phantoms(out: Path, *, seed: int, weeks: int = WEEKS, progress: Progress = silent) -> list[dict[str, Any]]:
    """Write the phantom images and the planted bad files.

    Parameters
    ----------
    out : Path
        Folder for the images; made if it is not there.
    seed : int
        The same seed gives the same bytes.
    weeks : int
        How many of the last weekly images to write.

    Returns
    -------
    list of dict
        One row a file and thing that is wrong with it: ``path`` below ``out``, ``check_id`` (empty where nothing
        is wrong), ``what``, ``study_instance_uid`` where it has one, and of weekly images ``station_name``, ``date``,
        ``sigma`` (HU for CT, else gray values) and ``blur`` (pixels).
    """
    uids, truth = Uids(seed), []
    for done, device in enumerate(DEVICES):
        rng = np.random.default_rng([seed, 3, done])
        for week, row, ds in _weekly(rng, uids, device):
            if week < WEEKS - weeks:
                continue
            save(ds, out / row["path"])
            truth += [row, *_wrong(row, week)]
        progress("Making phantom images", done + 1, len(DEVICES) + 1)
    truth += plant_bad_files(out, np.random.default_rng([seed, 4]), uids, LAST_MONDAY)
    progress("Making phantom images", len(DEVICES) + 1, len(DEVICES) + 1)
    return truth


def image_faults(truth: list[dict[str, Any]]) -> list[PlantedFault]:
    """Return the wrong images as faults: by study, and by path where a file has none."""
    faults: dict[tuple[str, str], PlantedFault] = {}
    for row in truth:
        if row["check_id"]:
            key = "study_instance_uid" if "study_instance_uid" in row else "path"
            kind = "scanner fails" if row.get("station_name") == plan.FAILING.station else row["what"]
            fault = faults.setdefault((row["check_id"], kind), PlantedFault(
                row["check_id"], f"image: {kind}", "planted in the sample images. Row: image or series of the study",
                key, 0.0))
            if row[key] not in fault.keys:
                fault.keys.append(row[key])
    return list(faults.values())


def _weekly(rng: np.random.Generator, uids: Uids, device: Device) -> Iterator[tuple[int, dict[str, Any], Any]]:
    for week in range(WEEKS):
        day = monday(week)
        exposure = Exposure(device.station, datetime.combine(day, time(6, 30)))
        sigma = device.sigma * rng.uniform(1 - _SPREAD, 1 + _SPREAD) * noise_factor(device.station, day)
        blur = device.blur * rng.uniform(1 - _SPREAD, 1 + _SPREAD)
        if device.station == "NGHDX1" and week == BLURRED_WEEK:
            blur *= 4
        ds = image(uids, exposure, _PAINT[exposure.modality](rng, sigma=sigma, blur=blur))
        if exposure.modality == "DX":
            _expose(ds, rng, extreme=week == EXTREME_WEEK)
        if device.station == "NGHUS1" and week in _COMPRESSED:
            ds.compress(_COMPRESSED[week], generate_instance_uid=False)
        yield week, {
            "path": f"{device.station}/{day:%Y%m%d}.dcm", "check_id": "", "what": "weekly QA image",
            "station_name": device.station, "date": day.isoformat(), "sigma": round(float(sigma), 3),
            "blur": round(float(blur), 3), "study_instance_uid": str(ds.StudyInstanceUID),
        }, ds


def _expose(ds: Any, rng: np.random.Generator, *, extreme: bool) -> None:
    """Exposure index within a deviation of 0.8 of its target, but for one extreme: DI = 10 log10(EI / EI_T)."""
    deviation = 4.2 if extreme else float(rng.uniform(-0.8, 0.8))
    index = round(250 * 10 ** (deviation / 10))
    ds.ExposureIndex, ds.TargetExposureIndex = str(index), "250"
    ds.DeviationIndex = f"{10 * np.log10(index / 250):.1f}"


def _wrong(row: dict[str, Any], week: int) -> list[dict[str, Any]]:
    found = []
    if row["station_name"] == "NGHDX1" and week == BLURRED_WEEK:
        found.append({**row, "check_id": "IMG705", "what": "blurred four times as much as usual"})
    if row["station_name"] == "NGHDX1" and week == EXTREME_WEEK:
        found.append({**row, "check_id": "IMG707", "what": "deviation index 4.2"})
    factor = noise_factor(row["station_name"], date.fromisoformat(row["date"]))
    if factor >= _NOTICEABLE:
        found += [{**row, "check_id": check_id, "what": f"scanner fails: {factor:.2f} times its usual noise"}
                  for check_id in ("IMG703", "IMG704")]
    return found
