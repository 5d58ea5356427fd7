"""Storage options and what each costs, year by year.

Year 0 is today, with what is paid once; years 1 to the horizon are the years that follow. Prices are today's
in years 0 and 1 and change yearly after. One model serves every option: keeping on site is the case in which
nothing moves and nothing is recompressed. 1 GB is 10**9 and 1 TB 10**12 bytes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analytics.core.errors import PacsmeterError
from analytics.costs.assumptions import JPEG_LS_RATIOS, PRIOR_ACCESS, Assumptions
from analytics.costs.demand import MEASURES, Demand
from analytics.costs.price_book import TIERS, PriceBook

Years = dict[str, np.ndarray]
"""Quantities or cost lines by name, one value a year."""

GB, TB, KB = 1e9, 1e12, 1e3
HOURS_A_YEAR, DAYS_A_MONTH, DAYS_A_YEAR = 8766.0, 30.4375, 365.25
ROUNDING = 1e-9
"""Steps of hardware are not bought for a rounding error of the arithmetic."""


@dataclass(frozen=True)
class Option:
    """One way to store: whether old studies move to a cloud tier, and whether plain bytes are recompressed."""

    id: str
    title: str
    description: str
    tier: str | None = None
    recompress: bool = False


def _tier(tier: str) -> Option:
    wait = " Bringing a study back takes hours." if tier in ("flexible", "deep") else ""
    return Option(f"tier_{tier}", f"Tier to {TIERS[tier]}", f"Studies past the tier age move to {TIERS[tier]}; "
                  f"the array shrinks at its next refresh.{wait}", tier)


KEEP = Option("keep", "Keep on site", "Expand the arrays when they fill, refresh them on schedule, keep the replica.")
RECOMPRESS = Option("recompress", "Recompress", "Encode what is stored uncompressed in lossless JPEG-LS, once and at "
                    "every arrival; what is compressed already stays as it is.", recompress=True)
BOTH = Option("recompress_tier_instant", "Recompress and tier", "Recompress, and move studies past the tier age to an "
              "instant-retrieval archive.", "instant", True)
OPTIONS: dict[str, Option] = {
    option.id: option for option in (KEEP, *(_tier(tier) for tier in TIERS), RECOMPRESS, BOTH)}
COMPARED: tuple[str, ...] = ("keep", "tier_instant", "recompress", "recompress_tier_instant")
"""The options a report compares unless told otherwise; the first is the baseline."""

LINES: dict[str, str] = {
    "hardware": "Hardware", "maintenance": "Maintenance", "power_cooling": "Power and cooling",
    "floor_space": "Floor space", "staff": "Staff", "onsite_migration": "Moving to new arrays",
    "cloud_migration": "Moving the backlog to the cloud", "cloud_transition": "Transition requests",
    "cloud_storage": "Cloud storage", "cloud_retrieval": "Cloud retrieval", "egress": "Egress",
    "network_link": "Network link", "early_deletion": "Early deletion", "exit": "Exit from the cloud",
    "recompression": "Recompression",
}


@dataclass(frozen=True)
class CashFlow:
    """What an option costs.

    Attributes
    ----------
    lines : cost in the price book's currency; index ``year`` 0 to the horizon, one column a cost line (`LINES`).
    quantities : what the costs rest on, same index: bytes held, on site, in the cloud; capacity; and so on.
    """

    option: Option
    lines: pd.DataFrame
    quantities: pd.DataFrame

    @property
    def cost(self) -> pd.Series:
        """Return the total cost of each year."""
        return self.lines.sum(axis=1)


def older_than(ages: np.ndarray, years: float) -> np.ndarray:
    """Return the share of a one-year cohort that is older than ``years``, evenly spread over its year of age."""
    return np.clip(ages + 1 - years, 0.0, 1.0)


def prior_share(tier_age_years: float) -> float:
    """Return the share of requests for studies older than a year that ask for one older than the tier age."""
    return float(sum(share * np.clip(upto - tier_age_years, 0.0, 1.0) for upto, share in PRIOR_ACCESS))


def growth_of(assumptions: Assumptions, demand: Demand, measure: str) -> float:
    """Return the yearly growth used: the one assumed, else the one measured."""
    assumed = getattr(assumptions, f"growth_{measure}")
    rate = demand.growth[measure].rate if assumed is None else assumed
    if rate is None:
        raise PacsmeterError(
            f"The growth of {measure} cannot be measured: history has {demand.growth[measure].months} whole months",
            "Set the growth by hand, or load at least 13 months.", f"growth_{measure}")
    return float(rate)


def hardware_age(assumptions: Assumptions, demand: Demand) -> int:
    """Return the age of the arrays used, below the refresh interval: what is overdue is refreshed in year 1."""
    age = assumptions.hardware_age_years
    age = demand.hardware_age_years if age is None else age
    return min(int(age or 0), int(assumptions.refresh_years) - 1)


def _projected(demand: Demand, assumptions: Assumptions) -> tuple[np.ndarray, Years, np.ndarray]:
    """Return cohorts, what each holds, and its uncompressed bytes by modality: measured to 0, projected after it."""
    future = np.arange(1, int(assumptions.horizon_years) + 1)
    cohorts = np.concatenate([demand.cohorts.index.to_numpy(), future])
    rates = {name: 1 + growth_of(assumptions, demand, name) for name in MEASURES}
    held = {}
    for name, rate in rates.items():
        known = demand.cohorts[name].to_numpy(dtype=float)
        held[name] = np.concatenate([known, known[-1] * rate ** future.astype(float)])
    plain = demand.uncompressed.to_numpy(dtype=float)
    return cohorts, held, np.vstack([plain, np.outer(rates["bytes"] ** future.astype(float), plain[-1])])


def _stock(demand: Demand, assumptions: Assumptions, option: Option) -> Years:
    """Return what is added, held, cold, deleted and encoded at the end of each year."""
    cohorts, all_of, plain = _projected(demand, assumptions)
    ratios = np.array([JPEG_LS_RATIOS.get(str(name), 1.0) for name in demand.uncompressed.columns])
    size = all_of["bytes"] - option.recompress * (plain * (1 - 1 / ratios)).sum(axis=1)
    encoded = (plain * (ratios > 1)).sum(axis=1) * option.recompress
    objects, studies = all_of["objects"] * assumptions.objects_per_image, all_of["studies"]
    years = np.arange(int(assumptions.horizon_years) + 1)
    ages = years[:, None] - cohorts[None, :]
    arriving, gone = ages == 0, older_than(ages, assumptions.retention_years)
    here, tiered = (ages >= 0) - gone, option.tier is not None
    cold = (older_than(ages, assumptions.tier_age_months / 12) - gone) * tiered
    leaving = np.vstack([np.zeros(len(cohorts)), np.diff(gone, axis=0)]) * tiered
    stock = {
        "studies_added": arriving @ studies, "bytes_added": arriving @ size, "bytes_held": here @ size,
        "bytes_cold": cold @ size, "objects_cold": cold @ objects, "studies_cold": cold @ studies,
        "bytes_deleted_cold": leaving @ size, "objects_deleted_cold": leaving @ objects,
        "bytes_encoded": np.where(years == 0, here @ encoded, arriving @ encoded),
    }
    stock["bytes_on_site"] = stock["bytes_held"] - stock["bytes_cold"]
    stock["objects_moved"] = np.diff(stock["objects_cold"], prepend=0.0) + stock["objects_deleted_cold"]
    return stock


def _steps(amount: float) -> float:
    return max(0.0, float(np.ceil(amount - ROUNDING)))


def capacity_today(demand: Demand, assumptions: Assumptions) -> float:
    """Return the capacity that stands today (TB): the one recorded, else the steps that what is held needs."""
    if demand.capacity_bytes is not None:
        return demand.capacity_bytes / TB
    gone = older_than(-demand.cohorts.index.to_numpy(), assumptions.retention_years)
    need = float((demand.cohorts["bytes"] * (1 - gone)).sum()) / TB / assumptions.max_fill
    return _steps(need / assumptions.step_tb) * assumptions.step_tb


def _capacity(on_site: np.ndarray, demand: Demand, assumptions: Assumptions) -> Years:
    """Return capacity and what is bought (TB, one copy): steps when the array is full, anew at each refresh."""
    step, need = assumptions.step_tb, on_site / assumptions.max_fill / TB
    age = hardware_age(assumptions, demand)
    capacity, bought, refreshed = [capacity_today(demand, assumptions)], [0.0], [False]
    for year in range(1, len(need)):
        anew = (year + age) % int(assumptions.refresh_years) == 0
        held = 0.0 if anew else capacity[-1]
        more = _steps((need[year] - held) / step) * step
        capacity.append(held + more)
        bought.append(more)
        refreshed.append(anew)
    return {"capacity_tb": np.array(capacity), "bought_tb": np.array(bought), "refreshed": np.array(refreshed)}


def _billed(stock: Years, tier: str, prices: PriceBook) -> np.ndarray:
    """Return the bytes a provider charges for: no object below the smallest, and the overhead of each."""
    objects = stock["objects_cold"]
    smallest = objects * prices[f"{tier}_minimum_object"] * KB
    return np.maximum(stock["bytes_cold"], smallest) + objects * prices[f"{tier}_overhead"] * KB


def _recalled(stock: Years, assumptions: Assumptions) -> np.ndarray:
    """Return the bytes of prior studies that are brought back from the cloud in each year."""
    studies = stock["studies_cold"]
    mean_size = np.divide(stock["bytes_cold"], studies, out=np.zeros_like(studies), where=studies > 0)
    share = prior_share(assumptions.tier_age_months / 12)
    recalled = stock["studies_added"] * assumptions.recalls_per_study * share * mean_size
    recalled[0] = 0.0
    return recalled


def _cloud(stock: Years, tier: str, assumptions: Assumptions, prices: PriceBook, index: np.ndarray,
           opex: np.ndarray) -> Years:
    """Return the cost lines that only a cloud has."""
    first, last = np.eye(len(index))[[0, -1]]
    billed = stock["bytes_billed"]
    mean_billed = np.concatenate([[0.0], (billed[1:] + billed[:-1]) / 2])
    stay = (assumptions.retention_years - assumptions.tier_age_months / 12) * DAYS_A_YEAR
    short_months = max(0.0, prices[f"{tier}_minimum_days"] - stay) / DAYS_A_MONTH
    storage = prices[f"{tier}_storage"]
    return {
        "cloud_migration": stock["bytes_cold"] / TB * prices["cloud_migration"] * first,
        "cloud_transition": stock["objects_moved"] / 1000 * prices[f"{tier}_transition"] * index,
        "cloud_storage": mean_billed / GB * storage * 12 * index,
        "cloud_retrieval": stock["bytes_recalled"] / GB * prices[f"{tier}_retrieval"] * index,
        "egress": stock["bytes_recalled"] / GB * prices["egress"] * index,
        "network_link": (1 - first) * prices["network_link"] * opex,
        "early_deletion": stock["bytes_deleted_cold"] / GB * storage * short_months * index,
        "exit": stock["bytes_cold"] / GB * (prices[f"{tier}_retrieval"] + prices["egress"]) * assumptions.exit_share
        * last * index,
    }


def cash_flow(option: Option, demand: Demand, assumptions: Assumptions, prices: PriceBook) -> CashFlow:
    """Compute what an option costs in each year, by cost line.

    Retrieval: new studies x recalls a study x the share of requests past the tier age (prior access by age)
    x the mean size of a study in the cloud. Cloud storage is charged on the mean of the year's start and end.

    Raises
    ------
    PacsmeterError
        Where growth is neither measured nor given.
    """
    stock = _stock(demand, assumptions, option)
    stock |= _capacity(stock["bytes_on_site"], demand, assumptions)
    stock["bytes_recalled"] = _recalled(stock, assumptions)
    years = np.arange(int(assumptions.horizon_years) + 1)
    stock["bytes_billed"] = _billed(stock, option.tier, prices) if option.tier else np.zeros(len(years))
    running, later = (years > 0).astype(float), np.maximum(years - 1, 0)
    opex, hard, cloud = ((1 + rate) ** later for rate in (
        assumptions.inflation, assumptions.hardware_price_change, assumptions.cloud_price_change))
    installed = stock["capacity_tb"] * prices["copies"] * running
    kilowatts = installed * prices["array_power"] * prices["pue"] / 1000
    posts = prices["onsite_admin"] + (prices["cloud_admin"] if option.tier else 0.0)
    project = prices["recompression_project"] * (1 - running)
    lines = {
        "hardware": stock["bought_tb"] * prices["copies"] * prices["hardware"] * hard,
        "maintenance": installed * prices["hardware"] * prices["maintenance"] / 100 * hard,
        "power_cooling": kilowatts * HOURS_A_YEAR * prices["electricity"] * opex,
        "floor_space": installed * prices["floor_space"] * opex,
        "staff": running * prices["admin_salary"] * posts * opex,
        "onsite_migration": stock["bytes_on_site"] / TB * stock["refreshed"] * prices["onsite_migration"] * opex,
        "recompression": (stock["bytes_encoded"] / TB * prices["recompression"] * opex + project) * option.recompress,
    }
    if option.tier:
        lines |= _cloud(stock, option.tier, assumptions, prices, cloud, opex)
    nothing = np.zeros(len(years))
    index = pd.Index(years, name="year")
    table = pd.DataFrame({name: lines.get(name, nothing) for name in LINES}, index=index)
    return CashFlow(option, table, pd.DataFrame(stock, index=index))
