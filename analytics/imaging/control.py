"""Control charts of image measures: does a device do today what it did while it was known to be well?

An individuals and moving range chart (XmR) for each device, protocol and algorithm. The limits come from the
first points alone, so a drift cannot widen its own limits. A point is one series, by the image with the median
value: neighboring slices resemble each other, and would make the moving range, and the limits, too small.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pandas as pd
import sqlalchemy as sa
from numpy.typing import ArrayLike, NDArray

from analytics.core.filters import Filters
from analytics.imaging.points import BASELINE, LEAST_BASELINE, RANGE_WIDTH, WIDTH, chart_points
from analytics.warehouse.store import Warehouse

ROBUST_SIGMA = 0.954
"""Median moving range of two normal values in units of their sigma (Wheeler)."""
EWMA_WEIGHT, EWMA_WIDTH = 0.2, 2.7
RUN_LENGTH = 8
BEYOND, RUN = "beyond the limits", f"{RUN_LENGTH} in a row on one side of the center"
TWO_OF_THREE, FOUR_OF_FIVE = "2 of 3 beyond two sigma", "4 of 5 beyond one sigma"
Values = NDArray[np.float64]


@dataclass(frozen=True)
class Limits:
    """Natural process limits of an XmR chart and what they were computed from."""

    center: float
    lower: float
    upper: float
    sigma: float
    range_upper: float
    n: int


def xmr_limits(values: ArrayLike, baseline: int = BASELINE, *, robust: bool = False) -> Limits | None:
    """Compute the limits of an individuals and moving range chart from its first points.

    Center is the baseline's mean, limits are mean +- 2.66 mean moving range, the upper limit of the moving range
    is 3.267 times its mean (Wheeler & Chambers, Understanding Statistical Process Control, 3rd ed. 2010).

    Parameters
    ----------
    values : array_like
        In the order of time.
    baseline : int
        How many of the first points the limits come from.
    robust : bool
        Take sigma as median moving range / 0.954, which one wild point in the baseline does not move.

    Returns
    -------
    Limits or None
        ``None`` with fewer than 10 points, or where the baseline never varies.
    """
    first = np.asarray(values, dtype=np.float64)[:baseline]
    ranges = np.abs(np.diff(first))
    if first.size < LEAST_BASELINE or not ranges.any():
        return None
    sigma = float(np.median(ranges)) / ROBUST_SIGMA if robust else float(ranges.mean()) * WIDTH / 3
    if sigma == 0:
        return None
    center = float(first.mean())
    return Limits(center, center - 3 * sigma, center + 3 * sigma, sigma, RANGE_WIDTH * float(ranges.mean()), first.size)


def ewma(values: ArrayLike, limits: Limits, weight: float = EWMA_WEIGHT, width: float = EWMA_WIDTH) -> pd.DataFrame:
    """Compute the exponentially weighted moving average and its limits, which see small shifts sooner.

    z_i = weight x_i + (1 - weight) z_(i-1) from the center; limits are center +- width sigma
    sqrt(weight / (2 - weight) (1 - (1 - weight)^(2 i))) (Lucas & Saccucci, Technometrics 32 (1990) 1-12).

    Returns
    -------
    DataFrame
        Columns ``ewma``, ``ewma_lower``, ``ewma_upper``; one row a value.
    """
    series = np.asarray(values, dtype=np.float64)
    smooth = pd.Series([limits.center, *series]).ewm(alpha=weight, adjust=False).mean().to_numpy()[1:]
    steps = np.arange(1, series.size + 1)
    half = width * limits.sigma * np.sqrt(weight / (2 - weight) * (1 - (1 - weight) ** (2 * steps)))
    return pd.DataFrame({"ewma": smooth, "ewma_lower": limits.center - half, "ewma_upper": limits.center + half})


def run_rules(values: ArrayLike, limits: Limits) -> list[str]:
    """Say for each point which rule it breaks first, ``''`` for none.

    Rules of the Western Electric handbook (1956): a point beyond three sigma; eight in a row on one side of the
    center; two of three beyond two sigma, or four of five beyond one sigma, on the same side.
    """
    distance = (np.asarray(values, dtype=np.float64) - limits.center) / limits.sigma
    rules = [(BEYOND, np.abs(distance) > 3), (RUN, _either_side(distance, 0, RUN_LENGTH, RUN_LENGTH)),
             (TWO_OF_THREE, _either_side(distance, 2, 2, 3)), (FOUR_OF_FIVE, _either_side(distance, 1, 4, 5))]
    return [next((name for name, broken in rules if broken[index]), "") for index in range(distance.size)]


def _either_side(distance: Values, beyond: float, needed: int, of: int) -> NDArray[np.bool_]:
    """Whether the points up to each, itself one of them, lie beyond a distance often enough on one side."""
    found = np.zeros(distance.size, dtype=bool)
    for side in (distance, -distance):
        out = side > beyond
        counted = np.convolve(out, np.ones(of), mode="full")[: distance.size]
        found |= out & (counted >= needed)
    return found


def control_chart(warehouse: Warehouse, filters: Filters, measure: str, station_name: str,
                  protocol: str | None = None) -> pd.DataFrame:
    """Return the control chart of one measure on one device.

    Parameters
    ----------
    warehouse : Warehouse
    filters : Filters
        Dates and modalities narrow what is shown; the limits come from the first points whatever is shown.
    measure : str
        Id of the measure.
    station_name : str
    protocol : str, optional
        One protocol; where not given, every protocol of the device, each with its own limits.

    Returns
    -------
    DataFrame
        ``chart`` (protocol and algorithm), ``acquired_at``, ``value``, ``unit``, ``center``, ``lower``, ``upper``,
        ``moving_range``, ``range_upper``, ``in_baseline``, ``out_of_limits``, ``rule``, ``ewma``, ``ewma_lower``,
        ``ewma_upper``, ``sop_instance_uid``, ``study_instance_uid``, ``protocol_name``, ``algorithm``; limits are
        empty with fewer than 10 points.
    """
    points = chart_points(measure)
    asked = [points.c.station_name == station_name]
    if protocol is not None:
        asked.append(points.c.protocol_name == protocol)
    if filters.modalities:
        asked.append(points.c.modality.in_(filters.modalities))
    frame = warehouse.read(sa.select(points).where(*asked).order_by(
        points.c.source_id, points.c.modality, points.c.protocol_name, points.c.algorithm, points.c.ordinal))
    kinds = ["source_id", "modality", "protocol_name", "algorithm"]
    charts = [_judged(group.reset_index(drop=True)) for _, group in frame.groupby(kinds, sort=True)]
    whole = pd.concat(charts, ignore_index=True) if charts else _judged(frame)
    day = whole["acquired_at"].dt.date
    shown = pd.Series(True, index=whole.index)
    if filters.date_from:
        shown &= day >= filters.date_from
    if filters.date_to:
        shown &= day <= filters.date_to
    return cast(pd.DataFrame, whole[shown].reset_index(drop=True))


def _judged(chart: pd.DataFrame) -> pd.DataFrame:
    """Add to one chart's points the rules they break and their moving average."""
    values = chart["value"].to_numpy(dtype=np.float64)
    limits = xmr_limits(values)
    judged = chart.assign(chart=chart["protocol_name"].where(chart["protocol_name"] != "", "no protocol")
                          + ", " + chart["algorithm"], rule="", out_of_limits=False)
    averages: dict[str, Any] = dict.fromkeys(("ewma", "ewma_lower", "ewma_upper"), np.nan)
    if limits is not None:
        judged["rule"] = run_rules(values, limits)
        judged["out_of_limits"] = judged["rule"] == BEYOND
        averages = dict(ewma(values, limits).items())
    return judged.assign(**averages)
