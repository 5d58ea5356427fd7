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
from analytics.costs.demand import Demand
from analytics.costs.price_book import TIERS, PriceBook

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


def _projected(demand: Demand, assumptions: Assumptions) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return cohorts and uncompressed bytes by modality, measured up to 0 and projected to the horizon."""
    future = pd.RangeIndex(1, int(assumptions.horizon_years) + 1)
    rates = {name: 1 + growth_of(assumptions, demand, name) for name in demand.cohorts.columns}
    powers = pd.DataFrame({name: rate ** future.to_numpy(dtype=float) for name, rate in rates.items()}, index=future)
    plain = pd.DataFrame(np.outer(powers["bytes"], demand.uncompressed.loc[0]), index=future,
                         columns=demand.uncompressed.columns)
    return (pd.concat([demand.cohorts, powers * demand.cohorts.loc[0]]), pd.concat([demand.uncompressed, plain]))


def _stock(demand: Demand, assumptions: Assumptions, option: Option) -> pd.DataFrame:
    """Return what is added, held, cold, deleted and encoded at the end of each year."""
    cohorts, plain = _projected(demand, assumptions)
    ratios = np.array([JPEG_LS_RATIOS.get(str(name), 1.0) for name in plain.columns])
    encodable = plain.to_numpy() * (ratios > 1)
    size = cohorts["bytes"].to_numpy() - option.recompress * (plain.to_numpy() * (1 - 1 / ratios)).sum(axis=1)
    years = np.arange(int(assumptions.horizon_years) + 1)
    ages = years[:, None] - cohorts.index.to_numpy()[None, :]
    present, gone = ages >= 0, older_than(ages, assumptions.retention_years)
    moved = older_than(ages, assumptions.tier_age_months / 12)
    cold = (moved - gone) * (option.tier is not None)
    leaving = np.vstack([np.zeros(len(cohorts)), np.diff(gone, axis=0)]) * (option.tier is not None)
    arriving = cohorts.index.to_numpy()[None, :] == years[:, None]
    objects = cohorts["objects"].to_numpy() * assumptions.objects_per_image
    encoded = encodable.sum(axis=1) * option.recompress
    frame = pd.DataFrame({
        "studies_added": arriving @ cohorts["studies"].to_numpy(), "bytes_added": arriving @ size,
        "bytes_held": (present - gone) @ size, "bytes_cold": cold @ size, "objects_cold": cold @ objects,
        "studies_cold": cold @ cohorts["studies"].to_numpy(), "bytes_deleted_cold": leaving @ size,
        "objects_deleted_cold": leaving @ objects,
        "bytes_encoded": np.where(years == 0, ((present - gone) @ encoded), arriving @ encoded),
    }, index=pd.Index(years, name="year"))
    frame["bytes_on_site"] = frame.bytes_held - frame.bytes_cold
    frame["objects_moved"] = frame.objects_cold.diff().fillna(frame.objects_cold) + frame.objects_deleted_cold
    return frame


def _steps(amount: float) -> float:
    return max(0.0, float(np.ceil(amount - ROUNDING)))


def capacity_today(demand: Demand, assumptions: Assumptions) -> float:
    """Return the capacity that stands today (TB): the one recorded, else the steps that what is held needs."""
    if demand.capacity_bytes is not None:
        return demand.capacity_bytes / TB
    gone = older_than(-demand.cohorts.index.to_numpy(), assumptions.retention_years)
    need = float((demand.cohorts["bytes"] * (1 - gone)).sum()) / TB / assumptions.max_fill
    return _steps(need / assumptions.step_tb) * assumptions.step_tb


def _capacity(stock: pd.DataFrame, demand: Demand, assumptions: Assumptions) -> pd.DataFrame:
    """Return capacity and what is bought (TB, one copy): steps when the array is full, anew at each refresh."""
    step, need = assumptions.step_tb, stock.bytes_on_site / assumptions.max_fill / TB
    age = hardware_age(assumptions, demand)
    capacity, bought, refreshed = [capacity_today(demand, assumptions)], [0.0], [False]
    for year in stock.index[1:]:
        anew = (year + age) % int(assumptions.refresh_years) == 0
        held = 0.0 if anew else capacity[-1]
        more = _steps((need[year] - held) / step) * step
        capacity.append(held + more)
        bought.append(more)
        refreshed.append(anew)
    return pd.DataFrame({"capacity_tb": capacity, "bought_tb": bought, "refreshed": refreshed}, index=stock.index)


def _billed(stock: pd.DataFrame, tier: str, prices: PriceBook) -> pd.Series:
    """Return the bytes a provider charges for: no object below the smallest, and the overhead of each."""
    smallest = stock.objects_cold * prices[f"{tier}_minimum_object"] * KB
    return np.maximum(stock.bytes_cold, smallest) + stock.objects_cold * prices[f"{tier}_overhead"] * KB


def _cloud(frame: pd.DataFrame, tier: str, assumptions: Assumptions, prices: PriceBook,
           index: np.ndarray, opex: np.ndarray) -> dict[str, np.ndarray | pd.Series]:
    years, running = frame.index.to_numpy(), (frame.index > 0).astype(float)
    mean_billed = frame.bytes_billed.rolling(2).mean().fillna(0.0)
    stay = (assumptions.retention_years - assumptions.tier_age_months / 12) * DAYS_A_YEAR
    short_months = max(0.0, prices[f"{tier}_minimum_days"] - stay) / DAYS_A_MONTH
    storage = prices[f"{tier}_storage"]
    return {
        "cloud_migration": np.where(years == 0, frame.bytes_cold / TB * prices["cloud_migration"], 0.0),
        "cloud_transition": frame.objects_moved / 1000 * prices[f"{tier}_transition"] * index,
        "cloud_storage": mean_billed / GB * storage * 12 * index,
        "cloud_retrieval": frame.bytes_recalled / GB * prices[f"{tier}_retrieval"] * index,
        "egress": frame.bytes_recalled / GB * prices["egress"] * index,
        "network_link": running * prices["network_link"] * opex,
        "early_deletion": frame.bytes_deleted_cold / GB * storage * short_months * index,
        "exit": np.where(years == years[-1], frame.bytes_cold / GB * prices["egress"] * assumptions.exit_share, 0.0)
        * index,
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
    frame = stock.join(_capacity(stock, demand, assumptions))
    years = frame.index.to_numpy()
    running, later = (years > 0).astype(float), np.maximum(years - 1, 0)
    opex, hard, cloud = ((1 + rate) ** later for rate in (
        assumptions.inflation, assumptions.hardware_price_change, assumptions.cloud_price_change))
    share = prior_share(assumptions.tier_age_months / 12)
    mean_size = (frame.bytes_cold / frame.studies_cold.where(frame.studies_cold > 0)).fillna(0.0)
    frame["bytes_recalled"] = frame.studies_added * assumptions.recalls_per_study * share * mean_size * running
    frame["bytes_billed"] = _billed(frame, option.tier, prices) if option.tier else 0.0
    installed = frame.capacity_tb * prices["copies"] * running
    watts = prices["array_power"] * prices["pue"]
    lines: dict[str, np.ndarray | pd.Series] = {
        "hardware": frame.bought_tb * prices["copies"] * prices["hardware"] * hard,
        "maintenance": installed * prices["hardware"] * prices["maintenance"] / 100 * hard,
        "power_cooling": installed * watts / 1000 * HOURS_A_YEAR * prices["electricity"] * opex,
        "floor_space": installed * prices["floor_space"] * opex,
        "staff": running * prices["admin_salary"] * opex
        * (prices["onsite_admin"] + (prices["cloud_admin"] if option.tier else 0.0)),
        "onsite_migration": frame.bytes_on_site / TB * frame.refreshed * prices["onsite_migration"] * opex,
        "recompression": (frame.bytes_encoded / TB * prices["recompression"] * opex
                          + np.where(years == 0, prices["recompression_project"], 0.0)) * option.recompress,
    }
    if option.tier:
        lines |= _cloud(frame, option.tier, assumptions, prices, cloud, opex)
    table = pd.DataFrame(lines, index=frame.index).reindex(columns=list(LINES)).fillna(0.0)
    return CashFlow(option, table, frame)
