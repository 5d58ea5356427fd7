"""What each archive has taken in, month by month, as a forecast learns from it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
import sqlalchemy as sa
from numpy.typing import NDArray

from analytics.core.filters import Filters
from analytics.metrics.archives import archive_of, read_archives
from analytics.metrics.scope import aggregate
from analytics.metrics.storage import added_on, size_known, stored_in
from analytics.warehouse.expressions import period_start, total
from analytics.warehouse.schema import exams
from analytics.warehouse.store import Warehouse

_MONTH = pd.DateOffset(months=1)


@dataclass(frozen=True)
class History:
    """What one archive, or all together, has taken in, month by month.

    Attributes
    ----------
    name : of the archive, or ``all archives``.
    capacity, used_before : bytes.
    months : first day of each whole month that the forecast learns from.
    added : bytes added in each of them.
    earlier : bytes added before them (a first month that is not whole).
    current : bytes added so far in the month that is not over.
    gone : part of that month that is over.
    """

    name: str
    capacity: int
    used_before: int
    months: pd.DatetimeIndex
    added: NDArray[np.int64]
    earlier: int
    current: int
    gone: float = 0.0

    @property
    def content(self) -> tuple[object, ...]:
        """Return everything the history says, as a key: equal where two histories say the same."""
        return (self.name, self.capacity, self.used_before, self.earlier, self.current, self.gone,
                tuple(self.months), tuple(self.added.tolist()))

    @property
    def used(self) -> NDArray[np.int64]:
        """Return the bytes in use at the end of each month."""
        return self.used_before + self.earlier + np.cumsum(self.added)

    @property
    def a_day(self) -> NDArray[np.float64]:
        """Return the bytes added a day in each month, which its length does not sway."""
        return self.added / self.months.days_in_month.to_numpy()

    @property
    def start(self) -> pd.Timestamp:
        """Return the first day that is forecast."""
        return self.months[-1] + _MONTH


def histories(warehouse: Warehouse, filters: Filters) -> list[History]:
    """Return the history of each archive that serves the sites filtered for, and whose studies have sizes."""
    known = read_archives(warehouse, filters)
    scope = stored_in(warehouse, Filters())
    rows = scope.rows(size_known, size_bytes=exams.c.size_bytes, added_on=added_on,
                      month=period_start(added_on, "month"),
                      archive=archive_of(read_archives(warehouse, Filters())))
    table = warehouse.read(aggregate(rows, ("archive", "month"), lambda c: {
        "added": total(c.size_bytes), "first_day": sa.func.min(c.added_on, type_=sa.Date)}))
    found = []
    for archive in known:
        mine = table[table.archive == archive.name]
        if len(mine) and scope.whole_until:
            found.append(_history(archive.name, archive.capacity_bytes, archive.used_bytes_before, mine,
                                  scope.whole_until))
    return found


def _history(name: str, capacity: int, used_before: int, table: pd.DataFrame, first_open_day: date) -> History:
    month_now = pd.Timestamp(first_open_day).to_period("M").to_timestamp()
    added = table.set_index("month").added.astype("int64")
    first = table.month.min()
    begins_whole = (table.first_day.min() - first).days < 3
    learnt_from = first if begins_whole else first + _MONTH
    months = pd.date_range(learnt_from, month_now - _MONTH, freq="MS")
    return History(
        name, capacity, used_before, months, added.reindex(months, fill_value=0).to_numpy(),
        int(added[added.index < min(learnt_from, month_now)].sum()), int(added[added.index >= month_now].sum()),
        (pd.Timestamp(first_open_day) - month_now).days / month_now.days_in_month)


def together(found: list[History]) -> History:
    """Add the histories of several archives up, over the months that all of them cover.

    An archive that held something before its index begins took that in over months that nobody knows, so that the
    months begin with the latest such index. One that held nothing took nothing in before: it covers them all.
    """
    known = [item.months for item in found if len(item.months)]
    if not known or any(item.used_before and not len(item.months) for item in found):
        months = found[0].months[:0]
    else:
        begins = max((item.months[0] for item in found if item.used_before), default=min(known, key=min)[0])
        months = pd.date_range(begins, known[0][-1], freq="MS")
    added = np.sum([_taken_in(item, months) for item in found], axis=0, dtype="int64")
    return History("all archives", sum(item.capacity for item in found), sum(item.used_before for item in found),
                   months, added, sum(item.earlier + int(item.added.sum()) for item in found) - int(added.sum()),
                   sum(item.current for item in found), found[0].gone)


def _taken_in(history: History, months: pd.DatetimeIndex) -> NDArray[np.int64]:
    """Return the bytes added in each of some months that lie within what a history covers."""
    added = pd.Series(history.added, history.months).reindex(months, fill_value=0)
    if not history.used_before and len(months):
        # What came in its first month, that is not whole, is all that came in it
        first = (history.months[0] if len(history.months) else months[-1] + _MONTH) - _MONTH
        added[months == first] += history.earlier
    return added.to_numpy(dtype="int64")
