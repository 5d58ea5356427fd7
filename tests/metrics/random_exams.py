"""Random exams, for properties that hold whatever the data."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np

from tests.spec.case import exam

SITES, MODALITIES, DEVICES = ["North", "South", None], ["CT", "MR", "DX", None], ["A", "B", "C", None]
START = dt.datetime(2025, 11, 3, tzinfo=dt.UTC)


def random_exams(seed: int, n: int = 400) -> list[dict[str, Any]]:
    """Make exams over four months with every kind of gap: no site, no size, no report, reversed times."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(n):
        start = START + dt.timedelta(minutes=int(rng.integers(0, 120 * 1440)))
        complete = start + dt.timedelta(minutes=int(rng.integers(-5, 90)))
        reported = complete + dt.timedelta(minutes=float(rng.lognormal(6, 1.5))) if rng.random() < 0.85 else None
        study = bool(rng.random() < 0.95)
        rows.append(exam(
            number, start.strftime("%Y-%m-%d %H:%M") if rng.random() < 0.97 else None, study=study,
            order=bool(rng.random() < 0.9), site=str_or_none(rng.choice(SITES)),
            modality=str_or_none(rng.choice(MODALITIES)), station_name=str_or_none(rng.choice(DEVICES)),
            priority=str(rng.choice(["S", "A", "R"])), patient_class="O",
            number_of_series=int(rng.integers(1, 9)), number_of_instances=int(rng.integers(1, 900)),
            size_bytes=int(rng.integers(1, 10**12)) if rng.random() < 0.9 else None,
            storage_tier=str(rng.choice(["online", "nearline"])), transfer_syntax_uid="1.2.840.10008.1.2.1",
            order_at=start - dt.timedelta(days=2), arrived_at=start - dt.timedelta(minutes=int(rng.integers(-3, 60))),
            procedure_start_at=start, imaging_complete_at=complete, images_prepared_at=complete,
            stored_at=complete + dt.timedelta(minutes=4) if study else None,
            images_stored_at=complete + dt.timedelta(minutes=4),
            last_accessed_at=complete + dt.timedelta(days=1) if rng.random() < 0.5 else None,
            reported_at=reported if reported and reported < START + dt.timedelta(days=125) else None,
        ))
    return rows


def str_or_none(value: object) -> str | None:
    return None if value is None else str(value)
