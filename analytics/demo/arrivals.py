"""When patients come: expected exams by day, scanner and patient class, and the hour of each."""

from __future__ import annotations

from datetime import date, timedelta

import holidays
import numpy as np
import pandas as pd

from analytics.demo import plan

DAY = 86_400
NEVER = np.iinfo(np.int64).min
"""Stands for an instant that has not happened; instants are seconds of the site's wall clock since 1970."""

_EPOCH = date(1970, 1, 1)
# Monday to Sunday; outpatients hardly come at weekends, emergencies do every day. Assumptions of this demo.
_WEEKDAY = np.array([[1.05, 1.10, 1.05, 1.05, 1.10, 0.55, 0.50],
                     [1.10, 1.08, 1.05, 1.05, 0.95, 0.10, 0.03],
                     [1.05, 0.98, 0.97, 0.97, 1.00, 1.02, 1.01]])
_WEEKDAY /= _WEEKDAY.mean(axis=1, keepdims=True)
_HOLIDAY = np.array([0.55, 0.02, 0.95])
_MONTH = np.array([1.05, 1.02, 1.03, 0.97, 1.00, 1.00, 0.98, 0.93, 1.01, 1.03, 1.04, 0.94])
# Share of exams by hour, 0 to 23.
_HOUR = np.array([
    [1, 1, 1, 1, 1, 1, 2, 4, 8, 10, 11, 10, 8, 9, 10, 9, 7, 5, 4, 3, 2, 2, 1, 1],
    [0, 0, 0, 0, 0, 0, 0, 2, 10, 13, 13, 12, 8, 11, 12, 11, 8, 3, 1, 0, 0, 0, 0, 0],
    [3, 2, 2, 2, 2, 2, 2, 3, 4, 5, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 6, 6, 5, 4],
], dtype=float)


def day_number(day: date) -> int:
    """Return a date as days since 1970-01-01."""
    return (day - _EPOCH).days


def second_of(day: date) -> int:
    """Return a date's midnight in seconds of the wall clock."""
    return day_number(day) * DAY


START_DAY, END_DAY = day_number(plan.START), day_number(plan.END)
NOW = (END_DAY + 1) * DAY
"""The instant after END: nothing has happened from here on."""


def weekday(days: np.ndarray) -> np.ndarray:
    """Return 0 Monday to 6 Sunday of days since 1970."""
    return (np.asarray(days) + 3) % 7


def public_holidays() -> np.ndarray:
    """Return the public holidays in England over the demo as sorted days since 1970."""
    years = range(plan.START.year, plan.END.year + 2)
    return np.array(sorted(day_number(day) for day in holidays.country_holidays("GB", subdiv="ENG", years=years)))


def clock_change_days() -> np.ndarray:
    """Return the Sundays on which clocks in Europe change: the last of March and of October."""
    found = []
    for year in range(plan.START.year - 1, plan.END.year + 2):
        for month in (3, 10):
            last = date(year, month, 31)
            found.append(day_number(last - timedelta(days=(last.weekday() + 1) % 7)))
    return np.array(found)


def stations_at(scale: float) -> list[plan.Station]:
    """Return the scanners, as many sets as the scale needs; the first set keeps its names."""
    copies = max(1, int(np.ceil(scale / plan.COPIES_PER_SCALE)))
    return [
        plan.Station(f"{s.name}-{copy}" if copy > 1 else s.name, s.site, s.modality, s.manufacturer, s.model,
                     s.share / copies, s.weekends)
        for copy in range(1, copies + 1) for s in plan.STATIONS
    ]


def expected(days: np.ndarray, stations: list[plan.Station]) -> np.ndarray:
    """Return the relative number of exams performed, shaped (day, station, class)."""
    holiday = np.isin(days, public_holidays())
    wd, years = weekday(days), (days - START_DAY) / 365.25
    month = pd.to_datetime(days, unit="D").month.to_numpy() - 1
    by_class = _WEEKDAY[:, wd] * np.where(holiday, _HOLIDAY[:, None], 1.0) * _MONTH[month]
    rate = np.empty((len(days), len(stations), 3))
    for column, station in enumerate(stations):
        modality = plan.MODALITIES[station.modality]
        growth = (1 + modality.growth) ** years
        closed = (holiday | (wd >= 5)) & (not station.weekends)
        base = modality.mix * station.share * np.array(modality.classes)
        if not station.weekends:
            base = base * _WEEKDAY.sum(axis=1) / _WEEKDAY[:, :5].sum(axis=1)
        rate[:, column, :] = (by_class * growth * ~closed).T * base
    return rate


class Arrivals:
    """Draws the exams of a span of days at a scale."""

    def __init__(self, scale: float) -> None:
        self.stations = stations_at(scale)
        whole = expected(np.arange(START_DAY, END_DAY + 1), self.stations)
        self._factor = plan.STUDIES_AT_SCALE_1 * scale / whole.sum()
        self._hour_ends = np.cumsum(_HOUR / _HOUR.sum(axis=1, keepdims=True), axis=1)

    def draw(self, rng: np.random.Generator, first: int, last: int) -> pd.DataFrame:
        """Return the exams ordered for the days first to last: station, class, desired start, cancelled."""
        days = np.arange(first, last + 1)
        cancelled = np.array([plan.CANCELLED[name] for name in plan.CLASSES])
        counts = rng.poisson(expected(days, self.stations) * self._factor / (1 - cancelled))
        day, station, cls = (np.repeat(axis.ravel(), counts.ravel())
                             for axis in np.indices(counts.shape))
        hour = np.empty(len(day), dtype=np.int64)
        for index in range(3):
            chosen = cls == index
            hour[chosen] = np.searchsorted(self._hour_ends[index], rng.random(int(chosen.sum())))
        hour = np.minimum(hour, 23)
        desired = days[day] * DAY + hour * 3600 + rng.integers(0, 3600, len(day))
        frame = pd.DataFrame({"station": station, "cls": cls, "desired": desired,
                              "cancelled": rng.random(len(day)) < cancelled[cls]})
        return frame.sort_values(["station", "desired"], kind="stable", ignore_index=True)
