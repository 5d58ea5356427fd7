"""Network: bytes a minute that arrive at the archive, and the link that carries them now and in some years."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import sqlalchemy as sa

from analytics.core.filters import Filters
from analytics.core.quantity import BYTES, PERCENT
from analytics.core.results import MetricResult, MetricSpec
from analytics.core.settings import load_settings
from analytics.metrics.base import METRICS, metric
from analytics.metrics.scope import Scope, aggregate, undated
from analytics.metrics.storage import SIZE_UNKNOWN, size_known
from analytics.metrics.windows import WHICH_WINDOWS, YEAR_OF_WEEKS, Windows, compared
from analytics.warehouse.expressions import local, total
from analytics.warehouse.schema import exams
from analytics.warehouse.store import Warehouse

RATE, LINK = "MBy/min", "Mbit/s"
BUSY = 0.95
"""Quantile of the days' busiest hours that a link is made for."""
LOAD = 70.0
"""Percent of a link that its busy hour may fill: beyond it queues grow fast."""
YEARS = 3
_HOUR, _MEGA = 60.0, 1e6
_COUNTED = ("Bytes as stored of the studies received in the window, in the hour of the site's clock in which the "
            "archive received each; hours in which nothing came count as 0. Studies without a time of reception or a "
            f"size are left out. {WHICH_WINDOWS}")
_CITATION = ("ITU-T E.600, Terms and definitions of traffic engineering, 1993 (busy hour); bytes are decimal (IEC "
             "80000-13:2008)")
_ASSUMED = ("A study counts in the hour of its one time of reception, so a burst within an hour is not seen. Bytes are "
            "as stored: what is sent uncompressed and compressed by the archive takes more.")


class _Received:
    """The studies received in a window, and their bytes by hour."""

    def __init__(self, warehouse: Warehouse, filters: Filters, site_zone: str | None) -> None:
        day = exams.c.stored_date
        known = Scope(warehouse, filters, exams.c.has_study, day=day, noun="study")
        self.windows: Windows | None = compared(known, None)
        self.warehouse, self.filters = warehouse, filters
        if self.windows:
            filters = filters.where(date_from=self.windows.first, date_to=self.windows.last)
        self.scope = Scope(warehouse, filters, exams.c.has_study, day=day, noun="study")
        hour = sa.extract("hour", local(exams.c.stored_at, site_zone or load_settings().site_zone))
        self.rows = self.scope.rows(
            size_known, size_bytes=exams.c.size_bytes, day=day, hour=sa.cast(hour, sa.Integer),
            weekday=sa.cast(sa.extract("isodow", day), sa.Integer))

    @property
    def days(self) -> int:
        """How many days the window has."""
        return len(self.windows.days(before=False)) if self.windows else 0

    def by_hour(self, dimensions: tuple[str, ...]) -> pd.DataFrame:
        """Return bytes and studies of each hour in which something came."""
        return self.warehouse.read(aggregate(self.rows, dimensions, lambda c: {
            "bytes": total(c.size_bytes), "studies": sa.func.count()}))

    def rates(self, groups: tuple[str, ...]) -> pd.DataFrame:
        """Return each group's mean rate, that of its busy hour, its peak and when that was."""
        hours = self.by_hour((*groups, "day", "hour"))
        lines = [dict(zip(groups, key, strict=True)) | self._rate(part)
                 for key, part in hours.groupby(list(groups), dropna=False)]
        frame = pd.DataFrame(lines, columns=[*groups, "studies", "bytes", "mean", "busy", "peak", "peak_at"])
        frame = frame.astype({"studies": "int64", "bytes": "int64", "peak_at": "datetime64[us]"})
        return frame.sort_values("busy", ascending=False, kind="stable").reset_index(drop=True)

    def _rate(self, hours: pd.DataFrame) -> dict[str, Any]:
        rate = hours.bytes.astype(float) / _MEGA / _HOUR
        busiest = np.zeros(self.days)
        daily = rate.groupby(hours.day).max().to_numpy()
        busiest[:len(daily)] = daily  # a day on which nothing came has a busiest hour of 0
        top = hours.loc[rate.idxmax()]
        return {"studies": hours.studies.sum(), "bytes": hours.bytes.sum(), "mean": rate.sum() / (24 * self.days),
                "busy": float(np.quantile(busiest, BUSY)), "peak": rate.max(),
                "peak_at": pd.Timestamp(top.day) + pd.Timedelta(hours=int(top.hour))}

    def bytes_before(self) -> dict[Any, int]:
        """Return each site's bytes in the earlier window; nothing where what is known begins within it."""
        if self.windows is None:
            return {}
        earlier = Scope(self.warehouse, self.filters.where(
            date_from=self.windows.before_first, date_to=self.windows.before_last), exams.c.has_study,
            day=exams.c.stored_date, noun="study")
        known = Scope(self.warehouse, undated(self.filters), exams.c.has_study, day=exams.c.stored_date).window()
        if known is None or self.windows.uncovered(known[0]):
            return {}
        table = self.warehouse.read(aggregate(earlier.rows(size_known, size_bytes=exams.c.size_bytes), ("site",),
                                              lambda c: {"bytes": total(c.size_bytes)}))
        return dict(zip(table.site, table.bytes.astype(int), strict=True))

    def result(self, metric_id: str, frame: pd.DataFrame, value: str, dimensions: tuple[str, ...],
               units: dict[str, str], notes: tuple[str, ...] = ()) -> MetricResult:
        """Return a metric's answer; its headline is the highest value."""
        said = (f"Received {self.windows}",) if self.windows and len(frame) else ()
        left_out = self.scope.left_out({SIZE_UNKNOWN: sa.not_(size_known)})
        return MetricResult(
            METRICS[metric_id].spec, frame, value, dimensions, int(frame.studies.sum()), self.warehouse.revision,
            {"studies": "{study}", "bytes": BYTES, **dict.fromkeys(("mean", "busy", "peak"), RATE), **units}, left_out,
            self.rows, float(frame[value].max()) if len(frame) else None, (*notes, *said, _ASSUMED))


@metric(MetricSpec(
    "network.by_site", "Link each site needs",
    f"Megabits a second of the link that carries a site's busy hour at {LOAD:g} % of what it can. The busy hour is the "
    f"{100 * BUSY:g}th percentile of the busiest hours of the window's days. Beside it the mean, the busiest hour of "
    f"all and when it was, and the link in {YEARS} years, unless set, if bytes go on growing as from the earlier "
    f"window to this one. {_COUNTED}", LINK, "neutral", _CITATION))
def link_by_site(warehouse: Warehouse, filters: Filters, years: int = YEARS, load: float = LOAD,
                 site_zone: str | None = None) -> MetricResult:
    """Say what link each site needs now and after some years of the growth measured.

    Parameters
    ----------
    years : int
        How many years of growth.
    load : float
        Percent of the link that the busy hour may fill.

    Returns
    -------
    MetricResult
        Columns ``site``, ``studies``, ``bytes``, ``mean``, ``busy``, ``peak`` (MB a minute), ``peak_at`` (start of that
        hour on the site's clock), ``growth`` (percent in 52 weeks; NaN where nothing is known of the earlier window),
        ``link_now``, ``link_later`` (Mbit/s).
    """
    received = _Received(warehouse, filters, site_zone)
    frame, before = received.rates(("site",)), received.bytes_before()
    shift = received.windows.shift.days if received.windows else YEAR_OF_WEEKS.days
    ratios = [now / before[site] if before.get(site) else float("nan")
              for site, now in zip(frame.site, frame.bytes, strict=True)]
    growing = np.array(ratios, dtype=float) ** (YEAR_OF_WEEKS.days / shift)
    frame["growth"] = 100.0 * (growing - 1)
    frame["link_now"] = frame.busy * 8 / 60 / (load / 100)
    frame["link_later"] = frame.link_now * growing ** years
    units = {"growth": PERCENT, "link_now": LINK, "link_later": LINK}
    return received.result("network.by_site", frame, "link_now", ("site",), units, (
        f"A link is filled to {load:g} % in its busy hour; growth is compounded over {years} years.",))


@metric(MetricSpec(
    "network.by_device", "Bytes a minute by device",
    f"Megabytes a minute that a device sends in its busy hour: the {100 * BUSY:g}th percentile of the busiest hours of "
    f"the window's days. Beside it the mean, and the busiest hour of all and when it was. {_COUNTED}",
    RATE, "neutral", _CITATION))
def rate_by_device(warehouse: Warehouse, filters: Filters, site_zone: str | None = None) -> MetricResult:
    """Measure what each device sends: ``site``, ``station_name`` and the rates of `link_by_site`."""
    received = _Received(warehouse, filters, site_zone)
    groups = ("site", "station_name")
    return received.result("network.by_device", received.rates(groups), "busy", groups, {})


@metric(MetricSpec(
    "network.by_hour", "Bytes a minute by weekday and hour",
    "Megabytes a minute that arrive in an hour of the week, the mean over the window's days of that weekday. "
    f"{_COUNTED}",
    RATE, "neutral", _CITATION))
def rate_by_hour(warehouse: Warehouse, filters: Filters, site_zone: str | None = None) -> MetricResult:
    """Measure the mean rate of each hour of the week: ``weekday`` (1 Monday), ``hour``, ``studies``, ``rate``."""
    received = _Received(warehouse, filters, site_zone)
    frame = received.by_hour(("weekday", "hour"))
    days = pd.Series([day.isoweekday() for day in received.windows.days(before=False)] if received.windows else [],
                     dtype="int64").value_counts()
    weekdays = frame.weekday.map(days).astype(float)
    frame["rate"] = frame.pop("bytes").astype(float) / _MEGA / _HOUR / weekdays
    return received.result("network.by_hour", frame, "rate", ("weekday", "hour"), {"rate": RATE})
