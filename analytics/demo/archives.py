"""The archives' capacity, set so that one fills on its planned date when growth goes on as measured."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
import pyarrow as pa

from analytics.demo import plan
from analytics.demo.arrivals import END_DAY, START_DAY, day_number

_YEAR = 365
_GB = 10**9


class StoredBytes:
    """Bytes that each site's archive received, by day."""

    def __init__(self) -> None:
        self._by_day = np.zeros((len(plan.SITES), END_DAY - START_DAY + 40), dtype=np.int64)

    def add(self, site: np.ndarray, day: np.ndarray, size: np.ndarray) -> None:
        """Count studies received on days since 1970."""
        np.add.at(self._by_day, (site, day - START_DAY), size)

    def total(self, site: int) -> int:
        """Return everything a site's archive received in the demo."""
        return int(self._by_day[site].sum())

    def last_year(self, site: int, years_ago: int = 0) -> np.ndarray:
        """Return a year of daily bytes that ends ``years_ago`` years before END."""
        last = END_DAY - START_DAY + 1 - years_ago * _YEAR
        return self._by_day[site, last - _YEAR:last]

    def growth(self, site: int) -> float:
        """Return the last year's bytes over those of the year before."""
        before = self.last_year(site, 1).sum()
        return float(self.last_year(site).sum() / before) if before else 1.0

    def expected_until(self, site: int, day: int) -> int:
        """Return the bytes expected from END until a day: the same days a year earlier, times the growth."""
        ahead = self.last_year(site)[:day - END_DAY]
        return int(ahead.sum() * self.growth(site))


def archives_table(stored: StoredBytes, scale: float) -> pa.Table:
    """Return the site's list of its archives, one online archive a hospital."""
    rows = []
    for index, site in enumerate(plan.SITES):
        before = round(plan.USED_BEFORE_TB[index] * 1000 * scale) * _GB
        if index == plan.FILLING.site:
            capacity = before + stored.total(index) + stored.expected_until(index, day_number(plan.FILLING.fills_on))
        else:
            capacity = before + 3 * stored.total(index)
        capacity = round(capacity / _GB) * _GB
        rows.append({"ARCHIVE": site.archive, "HOSPITAL": site.name, "TIER": None, "CAPACITY_B": capacity,
                     "USED_BEFORE_B": before, "IN_SERVICE": (plan.START - timedelta(days=700)).strftime("%Y%m%d")})
    return pa.Table.from_pandas(pd.DataFrame(rows), preserve_index=False)


def filling_story(stored: StoredBytes, table: pa.Table) -> dict[str, object]:
    """Return what is known of the archive that fills."""
    site = plan.FILLING.site
    row = table.slice(site, 1).to_pylist()[0]
    return {
        "story": "archive fills", "archive": row["ARCHIVE"], "site": row["HOSPITAL"],
        "fills_on": plan.FILLING.fills_on.isoformat(), "capacity_bytes": row["CAPACITY_B"],
        "used_bytes_before": row["USED_BEFORE_B"], "stored_bytes": stored.total(site),
        "growth_last_year": round(stored.growth(site), 4),
        "definition": "capacity = used before + stored until END + the same days a year earlier x last year's growth",
    }
