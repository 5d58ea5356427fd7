"""What a cost-benefit appraisal assumes: each figure with its label, unit, limits and source."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

from analytics.core.compression import JPEG_LS_RATIOS as JPEG_LS_RATIOS
from analytics.core.errors import PacsmeterError

KEEP_ALL = 100.0
"""Years of retention that mean: nothing is ever deleted."""

PRIOR_ACCESS: tuple[tuple[float, float], ...] = ((2, 0.48), (3, 0.22), (4, 0.13), (5, 0.09), (6, 0.06), (7, 0.02))
"""Requests for studies older than one year, by age: (up to this age in years, share of those requests)."""

OURS = "assumption – replace with your own"


def _figure(default: float | None, label: str, unit: str, low: float, high: float, source: str = OURS) -> Any:
    return field(default=default, metadata={"label": label, "unit": unit, "low": low, "high": high, "source": source})


@dataclass(frozen=True)
class Assumptions:
    """The figures of an appraisal that are not prices. Shares and rates are fractions: 0.035 is 3.5 %.

    A growth or hardware age that is ``None`` is taken from what was measured.
    """

    horizon_years: int = _figure(7, "Years appraised", "a", 1, 30)
    discount_rate: float = _figure(0.035, "Discount rate", "1/a", 0, 0.5,
                                   "UK HM Treasury Green Book rate; replace with your organization's")
    inflation: float = _figure(0.02, "Inflation of wages, energy, space and services", "1/a", -0.1, 0.5)
    hardware_price_change: float = _figure(0.0, "Yearly change of hardware prices", "1/a", -0.5, 0.5)
    cloud_price_change: float = _figure(0.0, "Yearly change of cloud prices", "1/a", -0.5, 0.5)
    growth_bytes: float | None = _figure(None, "Growth of bytes added", "1/a", -0.5, 2, "measured history")
    growth_objects: float | None = _figure(None, "Growth of images added", "1/a", -0.5, 2, "measured history")
    growth_studies: float | None = _figure(None, "Growth of studies", "1/a", -0.5, 2, "measured history")
    retention_years: float = _figure(KEEP_ALL, f"Years a study is kept ({KEEP_ALL:.0f}: for ever)", "a", 1, KEEP_ALL,
                                     "your retention rule; none is applied by default")
    tier_age_months: float = _figure(24, "Age at which a study moves to the cloud", "mo", 12, 240)
    recalls_per_study: float = _figure(0.2, "Prior studies older than a year recalled for a new study", "1", 0, 20)
    objects_per_image: float = _figure(1.0, "Cloud objects for an image (less where a study is one file)", "1", 0.0001,
                                       10)
    exit_share: float = _figure(0.0, "Share taken back out of the cloud at the end", "1", 0, 1)
    step_tb: float = _figure(10, "Smallest expansion of the array", "TB", 1, 100_000)
    max_fill: float = _figure(0.85, "Fill at which the array is expanded", "1", 0.1, 1)
    refresh_years: int = _figure(5, "Years between hardware refreshes", "a", 1, 30)
    hardware_age_years: int | None = _figure(None, "Age of the array today", "a", 0, 50, "in-service date")

    def __post_init__(self) -> None:
        for one in fields(self):
            value, low, high = getattr(self, one.name), one.metadata["low"], one.metadata["high"]
            if value is None:
                continue
            if not low <= value <= high:
                raise PacsmeterError(
                    f"{one.metadata['label']} is {value:g}; it must be between {low:g} and {high:g}",
                    "Fractions are written as 0.05 for 5 %.", one.name)
            if one.name in ("horizon_years", "refresh_years", "hardware_age_years") and value != value // 1:
                raise PacsmeterError(f"{one.metadata['label']} is {value:g}", "Give a whole number of years.", one.name)
        if self.tier_age_months / 12 > self.retention_years:
            raise PacsmeterError("Studies would be deleted before they move to the cloud",
                                 "Choose a tier age below the retention.", "tier_age_months")

    def to_json(self) -> str:
        """Write the assumptions as JSON that `from_json` reads back the same."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read assumptions from JSON; a figure that no longer exists is an error, not passed over."""
        values = json.loads(text)
        unknown = set(values) - {one.name for one in fields(cls)}
        if unknown:
            raise PacsmeterError(f"The scenario has an assumption that is not known ({sorted(unknown)[0]})",
                                 "It was saved by another version; set it again.", "scenario")
        return cls(**values)
