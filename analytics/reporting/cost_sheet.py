"""The formulas of one option's sheet: the model of `analytics.costs.options`, written in Excel's own terms.

Each row is one quantity or cost line and each column one year. Inputs are Excel names (`growth_bytes`, `hardware`);
what an option alone decides stands at the head of its sheet: `TIERED`, `RECOMPRESSED`, and the figures of its tier.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

Formula = Callable[["Place"], str]
TIERED, RECOMPRESSED = "$B$3", "$B$4"


@dataclass(frozen=True)
class Cohorts:
    """Where the sheet *Demand* holds its columns, as absolute ranges."""

    cohort: str
    studies: str
    objects: str
    bytes: str
    saved: str
    encodable: str


@dataclass(frozen=True)
class Place:
    """One cell's surroundings: its year's column, the one before, the rows by name, and the demand."""

    column: str
    before: str
    rows: Mapping[str, int]
    cohorts: Cohorts
    first: bool
    last: bool

    def __getitem__(self, name: str) -> str:
        """Return the address of a row in this year."""
        return f"{self.column}{self.rows[name]}"

    def earlier(self, name: str) -> str:
        """Return the address of a row in the year before."""
        return f"{self.before}{self.rows[name]}"

    @property
    def size(self) -> str:
        """Return each cohort's bytes, after recompression where the option recompresses."""
        return f"({self.cohorts.bytes}-{RECOMPRESSED}*{self.cohorts.saved})"

    def age(self, back: int = 0) -> str:
        """Return each cohort's age in whole years at the end of this year, or of one before."""
        return f"({self['year']}-{self.cohorts.cohort}-{back})" if back else f"({self['year']}-{self.cohorts.cohort})"

    def older(self, years: str, back: int = 0) -> str:
        """Return the share of each cohort that is older than a number of years."""
        past = f"({self.age(back)}+1-{years})"
        return f"(({past}>0)*({past}<1)*{past}+({past}>=1))"

    @property
    def gone(self) -> str:
        """Return the share of each cohort that is past its retention."""
        return self.older("retention_years")

    @property
    def cold(self) -> str:
        """Return the share of each cohort that is in the cloud."""
        return f"{TIERED}*({self.older('tier_age_months/12')}-{self.gone})"

    @property
    def leaving(self) -> str:
        """Return the share of each cohort that is deleted from the cloud in this year."""
        return f"{TIERED}*({self.gone}-{self.older('retention_years', 1)})"

    def arriving(self, measure: str) -> str:
        """Return what arrives in this year."""
        return f"SUMPRODUCT(({self.cohorts.cohort}={self['year']})*{measure})"


def _present(at: Place) -> str:
    return f"(({at.cohorts.cohort}<={at['year']})-{at.gone})"


def _after_start(formula: Formula, start: str = "0") -> Formula:
    return lambda at: start if at.first else formula(at)


def _price(figure: str) -> str:
    """Return the cell of an option's sheet that holds a figure of its tier."""
    return {"storage": "$E$3", "retrieval": "$F$3", "transition": "$G$3", "minimum_days": "$H$3",
            "minimum_object": "$I$3", "overhead": "$J$3"}[figure]


def _index(rate: str) -> Formula:
    return lambda at: f"(1+{rate})^MAX({at['year']}-1,0)"


QUANTITIES: dict[str, tuple[str, Formula]] = {
    "price_index": ("Index of wages, energy and services", _index("inflation")),
    "hardware_index": ("Index of hardware prices", _index("hardware_price_change")),
    "cloud_index": ("Index of cloud prices", _index("cloud_price_change")),
    "discount": ("Discount factor", lambda at: f"(1+discount_rate)^-{at['year']}"),
    "studies_added": ("Studies added", lambda at: at.arriving(at.cohorts.studies)),
    "bytes_added": ("Bytes added", lambda at: at.arriving(at.size)),
    "bytes_held": ("Bytes held", lambda at: f"SUMPRODUCT({at.size}*{_present(at)})"),
    "bytes_cold": ("Bytes in the cloud", lambda at: f"SUMPRODUCT({at.size}*{at.cold})"),
    "objects_cold": ("Objects in the cloud",
                     lambda at: f"SUMPRODUCT({at.cohorts.objects}*{at.cold})*objects_per_image"),
    "studies_cold": ("Studies in the cloud", lambda at: f"SUMPRODUCT({at.cohorts.studies}*{at.cold})"),
    "bytes_deleted_cold": ("Bytes deleted from the cloud", _after_start(
        lambda at: f"SUMPRODUCT({at.size}*{at.leaving})")),
    "objects_deleted_cold": ("Objects deleted from the cloud", _after_start(
        lambda at: f"SUMPRODUCT({at.cohorts.objects}*{at.leaving})*objects_per_image")),
    "bytes_encoded": ("Bytes recompressed", lambda at: f"{RECOMPRESSED}*" + (
        f"SUMPRODUCT({at.cohorts.encodable}*{_present(at)})" if at.first else at.arriving(at.cohorts.encodable))),
    "bytes_on_site": ("Bytes on site", lambda at: f"{at['bytes_held']}-{at['bytes_cold']}"),
    "objects_moved": ("Objects moved to the cloud", lambda at: at["objects_cold"] if at.first else (
        f"{at['objects_cold']}-{at.earlier('objects_cold')}+{at['objects_deleted_cold']}")),
    "refreshed": ("Hardware refreshed (1: yes)", _after_start(
        lambda at: f"IF(MOD({at['year']}+MIN(hardware_age_years,refresh_years-1),refresh_years)=0,1,0)")),
    "bought_tb": ("Capacity bought, one copy (TB)", _after_start(lambda at: (
        f"MAX(0,ROUNDUP(({at['bytes_on_site']}/max_fill/1E+12-(1-{at['refreshed']})*{at.earlier('capacity_tb')})"
        "/step_tb-0.000000001,0))*step_tb"))),
    "capacity_tb": ("Capacity, one copy (TB)", _after_start(
        lambda at: f"(1-{at['refreshed']})*{at.earlier('capacity_tb')}+{at['bought_tb']}", "capacity_today_tb")),
    "bytes_recalled": ("Bytes recalled from the cloud", _after_start(lambda at: (
        f"IF({at['studies_cold']}>0,{at['studies_added']}*recalls_per_study*prior_share"
        f"*{at['bytes_cold']}/{at['studies_cold']},0)"))),
    "bytes_billed": ("Bytes charged by the cloud", lambda at: (
        f"MAX({at['bytes_cold']},{at['objects_cold']}*{_price('minimum_object')}*1000)"
        f"+{at['objects_cold']}*{_price('overhead')}*1000")),
}
"""Row name to label and formula; the names are the columns of `CashFlow.quantities`, and four indices."""

COSTS: dict[str, Formula] = {
    "hardware": _after_start(lambda at: f"{at['bought_tb']}*copies*hardware*{at['hardware_index']}"),
    "maintenance": _after_start(
        lambda at: f"{at['capacity_tb']}*copies*hardware*maintenance/100*{at['hardware_index']}"),
    "power_cooling": _after_start(
        lambda at: f"{at['capacity_tb']}*copies*array_power*pue/1000*8766*electricity*{at['price_index']}"),
    "floor_space": _after_start(lambda at: f"{at['capacity_tb']}*copies*floor_space*{at['price_index']}"),
    "staff": _after_start(lambda at: f"admin_salary*(onsite_admin+{TIERED}*cloud_admin)*{at['price_index']}"),
    "onsite_migration": _after_start(
        lambda at: f"{at['bytes_on_site']}/1E+12*{at['refreshed']}*onsite_migration*{at['price_index']}"),
    "cloud_migration": lambda at: f"{at['bytes_cold']}/1E+12*cloud_migration" if at.first else "0",
    "cloud_transition": lambda at: f"{at['objects_moved']}/1000*{_price('transition')}*{at['cloud_index']}",
    "cloud_storage": _after_start(lambda at: (
        f"({at['bytes_billed']}+{at.earlier('bytes_billed')})/2/1E+9*{_price('storage')}*12*{at['cloud_index']}")),
    "cloud_retrieval": lambda at: f"{at['bytes_recalled']}/1E+9*{_price('retrieval')}*{at['cloud_index']}",
    "egress": lambda at: f"{at['bytes_recalled']}/1E+9*egress*{at['cloud_index']}",
    "network_link": _after_start(lambda at: f"{TIERED}*network_link*{at['price_index']}"),
    "early_deletion": lambda at: (
        f"{at['bytes_deleted_cold']}/1E+9*{_price('storage')}*MAX(0,{_price('minimum_days')}"
        f"-(retention_years-tier_age_months/12)*365.25)/30.4375*{at['cloud_index']}"),
    "exit": lambda at: (f"{at['bytes_cold']}/1E+9*({_price('retrieval')}+egress)*exit_share*{at['cloud_index']}"
                        if at.last else "0"),
    "recompression": lambda at: f"{at['bytes_encoded']}/1E+12*recompression*{at['price_index']}" + (
        f"+{RECOMPRESSED}*recompression_project" if at.first else ""),
}
"""Cost line to formula, in the order of `analytics.costs.options.LINES`."""
