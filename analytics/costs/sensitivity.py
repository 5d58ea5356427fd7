"""How far a verdict depends on each assumption: one at a time (tornado), and all at once (Monte Carlo)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analytics.core.errors import PacsmeterError
from analytics.costs.appraisal import Appraisal, net_present_value
from analytics.costs.assumptions import Assumptions
from analytics.costs.options import OPTIONS, cash_flow, growth_of
from analytics.costs.price_book import PriceBook

Case = tuple[Assumptions, PriceBook]


@dataclass(frozen=True)
class Driver:
    """One assumption or price that the verdict may depend on.

    Attributes
    ----------
    label : what it is called on the chart.
    scaled : gives the case in which it is multiplied by a factor.
    """

    label: str
    scaled: Callable[[Case, float], Case]


def _assumed(name: str, label: str) -> Driver:
    def scaled(case: Case, factor: float) -> Case:
        changed: dict[str, float] = {name: getattr(case[0], name) * factor}
        return replace(case[0], **changed), case[1]  # type: ignore[arg-type]
    return Driver(label, scaled)


def _priced(label: str, *price_ids: str) -> Driver:
    def scaled(case: Case, factor: float) -> Case:
        return case[0], case[1].scaled(dict.fromkeys(price_ids, factor))
    return Driver(label, scaled)


def drivers(appraisal: Appraisal, option_id: str) -> tuple[Driver, ...]:
    """Return what the net present value of an option can depend on."""
    option = OPTIONS[option_id]
    found = [
        _assumed("growth_bytes", "Growth of bytes added"), _assumed("growth_objects", "Growth of images added"),
        _assumed("discount_rate", "Discount rate"), _priced("Hardware price", "hardware"),
        _priced("Maintenance", "maintenance"), _priced("Electricity", "electricity"),
        _priced("Floor space", "floor_space"), _priced("Salary of an administrator", "admin_salary"),
    ]
    if option.tier:
        found += [
            _assumed("tier_age_months", "Age at which studies move"),
            _assumed("recalls_per_study", "Recalls of priors"),
            _priced("Price of cloud storage", f"{option.tier}_storage"),
            _priced("Price of retrieval", f"{option.tier}_retrieval"), _priced("Price of egress", "egress"),
            _priced("Transition requests", f"{option.tier}_transition"), _priced("Network link", "network_link"),
            _priced("Moving the backlog", "cloud_migration"),
        ]
    if option.recompress:
        found += [_priced("Recompression project", "recompression_project"),
                  _priced("Computing to recompress", "recompression")]
    return tuple(found)


def _fixed(appraisal: Appraisal) -> Case:
    """Return the case with the measured growth written down, so that it can be scaled."""
    rates: Mapping[str, float] = {f"growth_{name}": growth_of(appraisal.assumptions, appraisal.demand, name)
                                  for name in ("bytes", "objects", "studies")}
    return replace(appraisal.assumptions, **rates), appraisal.prices  # type: ignore[arg-type]


def _npv(appraisal: Appraisal, case: Case, option_id: str) -> float:
    assumptions, prices = case
    here, there = (cash_flow(option, appraisal.demand, assumptions, prices).lines.to_numpy().sum(axis=1)
                   for option in (appraisal.baseline.flow.option, OPTIONS[option_id]))
    return net_present_value(assumptions.discount_rate, here - there)


def tornado(appraisal: Appraisal, option_id: str, share: float = 0.2) -> pd.DataFrame:
    """Return the net present value of an option with each main assumption lowered and raised alone.

    Parameters
    ----------
    appraisal : Appraisal
    option_id : str
    share : float
        By how much: 0.2 is 20 % down and up.

    Returns
    -------
    DataFrame
        Columns ``driver``, ``npv_low``, ``npv_high`` (at 1 - share and 1 + share), ``swing``; widest first.
        An assumption that the change would push past its own limits stays as it is on that side.
    """
    case = _fixed(appraisal)
    rows = []
    for driver in drivers(appraisal, option_id):
        low, high = (_npv(appraisal, _within(driver, case, factor), option_id) for factor in (1 - share, 1 + share))
        rows.append({"driver": driver.label, "npv_low": low, "npv_high": high, "swing": abs(high - low)})
    return pd.DataFrame(rows).sort_values("swing", ascending=False, kind="stable", ignore_index=True)


def _within(driver: Driver, case: Case, factor: float) -> Case:
    try:
        return driver.scaled(case, factor)
    except PacsmeterError:
        return case


@dataclass(frozen=True)
class Spread:
    """Where the net present value lies when every main assumption varies at once.

    Attributes
    ----------
    low, median, high : 5th, 50th and 95th percentile.
    pays : share of the draws in which the option pays (net present value above zero).
    draws : how many.
    seed : of the random numbers, so that the same is drawn again.
    """

    low: float
    median: float
    high: float
    pays: float
    draws: int
    seed: int


def monte_carlo(appraisal: Appraisal, option_id: str, share: float = 0.2, draws: int = 300, seed: int = 1) -> Spread:
    """Draw every main assumption from a triangle of ± ``share`` around its value, independently, many times."""
    generator = np.random.default_rng(seed)
    case, chosen = _fixed(appraisal), drivers(appraisal, option_id)
    values = []
    for factors in generator.triangular(1 - share, 1, 1 + share, size=(draws, len(chosen))):
        drawn = case
        for driver, factor in zip(chosen, factors, strict=True):
            drawn = _within(driver, drawn, float(factor))
        values.append(_npv(appraisal, drawn, option_id))
    low, median, high = np.percentile(values, [5, 50, 95])
    return Spread(float(low), float(median), float(high), float(np.mean(np.array(values) > 0)), draws, seed)
