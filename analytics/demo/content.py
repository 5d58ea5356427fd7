"""What an exam leaves in the archive: procedure, series, images, bytes, transfer syntax, tier, last access."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analytics.demo import plan
from analytics.demo.arrivals import DAY, NEVER, NOW, START_DAY, second_of
from analytics.demo.procedures import MAX_SERIES, MG_VIEWS, PROCEDURES
from analytics.demo.timeline import failing_ramp

MODALITY_CODES = tuple(plan.MODALITIES)
_PROCEDURE_MODALITY = np.array([MODALITY_CODES.index(p.modality) for p in PROCEDURES])
_PAIRED = np.array([p.paired for p in PROCEDURES])
_DEMO_YEARS = (plan.END - plan.START).days / 365.25


def add_content(rng: np.random.Generator, frame: pd.DataFrame, stations: list[plan.Station]) -> None:
    """Add procedure, side, series and image counts, size of an image (kB), study time to exams."""
    station = frame["station"].to_numpy()
    modality = np.array([MODALITY_CODES.index(s.modality) for s in stations])[station]
    frame["modality"], frame["site"] = modality, np.array([s.site for s in stations])[station]
    _add_procedure(rng, frame, modality)
    _add_counts(rng, frame, modality, stations)
    _add_study_time(rng, frame, stations)
    _add_access(rng, frame)


def _add_procedure(rng: np.random.Generator, frame: pd.DataFrame, modality: np.ndarray) -> None:
    procedure = np.zeros(len(frame), dtype=np.int64)
    for index in range(len(MODALITY_CODES)):
        rows, choices = np.flatnonzero(modality == index), np.flatnonzero(index == _PROCEDURE_MODALITY)
        weights = np.array([PROCEDURES[choice].weight for choice in choices])
        procedure[rows] = rng.choice(choices, len(rows), p=weights / weights.sum())
    frame["procedure"] = procedure
    frame["side"] = np.where(_PAIRED[procedure], rng.integers(1, 3, len(frame)), 0)


def _years(frame: pd.DataFrame) -> np.ndarray:
    return (frame["desired"].to_numpy() / DAY - START_DAY) / 365.25


def _add_counts(rng: np.random.Generator, frame: pd.DataFrame, modality: np.ndarray,
                stations: list[plan.Station]) -> None:
    kinds = [plan.MODALITIES[code] for code in MODALITY_CODES]

    def of(attribute: str) -> np.ndarray:
        return np.array([getattr(kind, attribute) for kind in kinds])[modality]

    size, years = len(frame), _years(frame)
    extra = rng.poisson(of("series"))
    mammogram = modality == MODALITY_CODES.index("MG")
    planned = np.minimum(np.where(mammogram, MG_VIEWS, 1 + extra), MAX_SERIES - 4)
    ct = modality == MODALITY_CODES.index("CT")
    planned = np.where(ct, np.maximum(planned, 2), planned)

    station = frame["station"].to_numpy()
    failing = np.array([s.name == plan.FAILING.station for s in stations])[station] * failing_ramp(
        frame["desired"].to_numpy())
    repeats = rng.poisson(0.03 + plan.FAILING.repeats_per_study * failing) * ~mammogram
    incomplete = (rng.random(size) < plan.FAILING.incomplete_share * failing) & (planned > 2)
    frame["planned"] = np.where(incomplete, planned // 2, planned)
    frame["series"] = np.minimum(frame["planned"] + repeats, MAX_SERIES)

    images = of("images") * (1 + of("image_growth")) ** years * np.exp(rng.normal(0, of("images_sigma")))
    images = images * frame["series"].to_numpy() / planned
    frame["images"] = np.maximum(np.rint(images).astype(np.int64), frame["series"])
    smaller = np.array([[plan.transfer_syntax(site, code)[1] for code in MODALITY_CODES]
                        for site in range(len(plan.SITES))])[frame["site"], modality]
    image_kb = of("image_kb") / smaller * np.exp(rng.normal(0, 0.18, size))
    tomo = plan.TOMOSYNTHESIS
    share = np.interp(years, (0, _DEMO_YEARS), (tomo["share_at_start"], tomo["share_at_end"]))
    image_kb *= np.where(mammogram & (rng.random(size) < share), tomo["size_factor"], 1.0)
    frame["image_kb"] = image_kb


def _add_study_time(rng: np.random.Generator, frame: pd.DataFrame, stations: list[plan.Station]) -> None:
    """Study time is the scanner's clock: within a minute and a half of the RIS, unless its clock drifts."""
    station = frame["station"].to_numpy()
    offset = np.array([(index * 37) % 180 - 90 for index in range(len(stations))])[station]
    start = frame["start"].to_numpy()
    drifting = np.array([s.name == plan.DRIFT.station for s in stations])[station]
    weeks = np.maximum(start - second_of(plan.DRIFT.since), 0) / (7 * DAY)
    drift = np.where(drifting, weeks * plan.DRIFT.minutes_per_week * 60, 0)
    study = start + offset + drift.astype(np.int64) + rng.integers(-40, 41, len(frame))
    frame["study"] = np.where(start == NEVER, NEVER, study)


def _add_access(rng: np.random.Generator, frame: pd.DataFrame) -> None:
    """Add when the study was last opened (often as a prior, less with age) and on which tier it lies."""
    stored = frame["stored"].to_numpy()
    soon = stored + rng.exponential(4 * DAY, len(frame)).astype(np.int64)
    later = stored + rng.exponential(260 * DAY, len(frame)).astype(np.int64)
    opened = np.where(rng.random(len(frame)) < 0.45, later, soon)
    opened = np.where(opened >= NOW, stored + ((NOW - stored) * rng.random(len(frame))).astype(np.int64), opened)
    frame["opened"] = np.where(stored == NEVER, NEVER, opened)
    frame["nearline"] = (stored < NOW - 540 * DAY) & (opened < NOW - 180 * DAY)


def make_series(rng: np.random.Generator, studies: pd.DataFrame) -> pd.DataFrame:
    """Return one row a series of the studies (by position), whose images and kB add up to the study's."""
    counts = studies["series"].to_numpy()
    study = np.repeat(np.arange(len(studies)), counts)
    first = np.cumsum(counts) - counts
    position = np.arange(len(study)) - first[study]
    weight = rng.gamma(1.5, 1.0, len(study)) + 0.05
    ct = (studies["modality"].to_numpy() == MODALITY_CODES.index("CT"))[study]
    is_report = ct & (position > 0) & (position == counts[study] - 1)
    weight[is_report] = 0
    total = np.bincount(study, weights=weight, minlength=len(studies))
    spare = (studies["images"].to_numpy() - counts)[study]
    images = 1 + np.floor(spare * weight / total[study]).astype(np.int64)
    short = studies["images"].to_numpy() - np.bincount(study, weights=images, minlength=len(studies)).astype(np.int64)
    images[first] += short
    kb = np.maximum(np.rint(images * studies["image_kb"].to_numpy()[study]), 1).astype(np.int64)
    kb[is_report] = 20
    return pd.DataFrame({
        "study": study, "position": position, "images": images, "kb": kb, "is_report": is_report,
        "repeat": (position >= studies["planned"].to_numpy()[study]) & ~is_report,
    })
