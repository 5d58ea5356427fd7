"""The events of an exam, from order to results viewed, as seconds of the site's wall clock."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analytics.demo import plan
from analytics.demo.arrivals import DAY, NEVER, NOW, public_holidays, second_of, weekday

EVENTS = ("order", "scheduled", "appointment", "cancelled_at", "arrived", "start", "complete", "stored", "ready",
          "read_start", "prelim", "reported", "corrected", "viewed")
_INPATIENT, _OUTPATIENT, _EMERGENCY = range(3)
_PRIORITY_OF_CLASS = np.array([[0.10, 0.45, 0.45], [0.0, 0.08, 0.92], [0.70, 0.30, 0.0]])
_SPEED = np.array([0.20, 0.50, 1.0])
_ROUTINE = 2


def _lognormal(rng: np.random.Generator, median: float | np.ndarray, sigma: float, size: int) -> np.ndarray:
    return (median * np.exp(rng.normal(0, sigma, size))).astype(np.int64)


def add_events(rng: np.random.Generator, frame: pd.DataFrame, stations: list[plan.Station]) -> None:
    """Add ``priority`` and every event to exams that have ``start`` and ``complete``; what is not to be is NEVER."""
    size, cls = len(frame), frame["cls"].to_numpy()
    ends = np.cumsum(_PRIORITY_OF_CLASS, axis=1)[cls]
    frame["priority"] = np.minimum((rng.random(size)[:, None] > ends).sum(axis=1), _ROUTINE)
    _add_arrival(rng, frame, cls)
    _add_reading(rng, frame, stations)
    cancelled = frame["cancelled"].to_numpy()
    frame["cancelled_at"] = NEVER
    share = rng.beta(4, 1.5, size)
    until = frame["desired"].to_numpy() + 3600
    order = frame["order"].to_numpy()
    frame["cancelled_at"] = np.where(cancelled, order + (share * (until - order)).astype(np.int64), NEVER)
    for name in EVENTS[4:]:
        frame[name] = np.where(cancelled, NEVER, frame[name])


def _add_arrival(rng: np.random.Generator, frame: pd.DataFrame, cls: np.ndarray) -> None:
    size = len(frame)
    desired = frame["desired"].to_numpy()
    start = np.where(frame["cancelled"], desired, frame["start"])
    appointment = desired // 300 * 300
    waiting = np.where(cls == _EMERGENCY, _lognormal(rng, 20 * 60, 0.7, size), _lognormal(rng, 12 * 60, 0.5, size))
    early = rng.normal(9 * 60, 11 * 60, size).astype(np.int64)
    outpatient = cls == _OUTPATIENT
    arrived = np.where(outpatient, np.minimum(start - 60, appointment - early), start - waiting)
    asked = np.where(cls == _EMERGENCY, rng.exponential(15 * 60, size).astype(np.int64) + 30,
                     _lognormal(rng, 5 * 3600, 0.9, size))
    due = np.minimum(appointment, arrived)
    asked_for = due - _lognormal(rng, 12 * DAY, 0.8, size) - 3600
    in_clinic = asked_for // DAY * DAY + rng.integers(8 * 3600, 18 * 3600, size)
    asked_for = np.where(asked_for // DAY < due // DAY, in_clinic, asked_for)
    order = np.where(outpatient, asked_for, arrived - asked)
    scheduled = order + (rng.random(size) * np.minimum(due - asked_for - 60, 2 * DAY)).astype(np.int64)
    frame["order"], frame["arrived"] = order, arrived
    frame["scheduled"] = np.where(outpatient, scheduled, NEVER)
    frame["appointment"] = np.where(outpatient, appointment, NEVER)


def _reading_delay(rng: np.random.Generator, frame: pd.DataFrame, stations: list[plan.Station]) -> np.ndarray:
    size, station = len(frame), frame["station"].to_numpy()
    medians = np.array([plan.MODALITIES[s.modality].read_minutes for s in stations]) * 60
    site = np.array([s.site for s in stations])[station]
    priority, ready = frame["priority"].to_numpy(), frame["ready"].to_numpy()
    delay = medians[station] * _SPEED[priority] * np.exp(rng.normal(0, 0.8, size))
    slow = (site == plan.SLOW_READING.site) & (ready >= second_of(plan.SLOW_READING.since))
    delay *= np.where(slow, plan.SLOW_READING.factor, 1.0)
    on_leave = (ready >= second_of(plan.BACKLOG.since)) & (ready < second_of(plan.BACKLOG.until))
    delay *= np.where(on_leave & (priority > 0), plan.BACKLOG.factor, 1.0)
    late = (priority == _ROUTINE) & (rng.random(size) < plan.READ_LATE)
    return np.where(late, 28.5 * DAY * np.exp(np.abs(rng.normal(0, 0.3, size))), delay).astype(np.int64)


def _next_working_morning(day: np.ndarray) -> np.ndarray:
    """Return for each day the first later day that is neither weekend nor public holiday."""
    first = int(day.min())
    days = np.arange(first, int(day.max()) + 15)
    working = (weekday(days) < 5) & ~np.isin(days, public_holidays())
    following = np.where(working, days, np.iinfo(np.int64).max)
    following = np.minimum.accumulate(following[::-1])[::-1]
    return following[day - first + 1]


def _add_reading(rng: np.random.Generator, frame: pd.DataFrame, stations: list[plan.Station]) -> None:
    size = len(frame)
    complete = np.where(frame["cancelled"], frame["desired"], frame["complete"])
    frame["stored"] = complete + _lognormal(rng, 6 * 60, 0.6, size) + 20
    frame["ready"] = frame["stored"] + _lognormal(rng, 4 * 60, 0.5, size)
    ready = frame["ready"].to_numpy()
    reported = ready + 60 + _reading_delay(rng, frame, stations)
    hour = reported % DAY // 3600
    asleep = (frame["priority"].to_numpy() == _ROUTINE) & (
        (hour < 8) | (hour >= 20) | (weekday(reported // DAY) >= 5))
    morning = _next_working_morning(reported // DAY - (hour < 8)) * DAY + 8 * 3600
    reported = np.where(asleep, morning + rng.integers(0, 4 * 3600, size), reported)
    spent = np.minimum(_lognormal(rng, 8 * 60, 0.6, size), reported - ready)
    prelim = rng.random(size) < np.array([0.5, 0.05, 0.7])[frame["cls"]]
    frame["prelim"] = np.where(prelim, reported - ((reported - ready) * rng.uniform(0, 0.6, size)).astype(np.int64),
                               NEVER)
    frame["read_start"] = np.maximum(ready, np.where(prelim, frame["prelim"], reported) - spent)
    frame["reported"] = reported
    corrected = rng.random(size) < 0.008
    frame["corrected"] = np.where(corrected, reported + _lognormal(rng, 20 * 3600, 1.0, size), NEVER)
    viewed = rng.random(size) < 0.85
    frame["viewed"] = np.where(viewed, reported + _lognormal(rng, 5 * 3600, 1.2, size), NEVER)
    unread = rng.random(size) < plan.NEVER_READ
    for name in ("prelim", "read_start", "reported", "corrected", "viewed"):
        frame[name] = np.where(unread, NEVER, frame[name])


def settle(frame: pd.DataFrame) -> pd.DataFrame:
    """Leave out what has not been ordered yet, and blank what has not happened yet."""
    for name in EVENTS:
        instant = frame[name].to_numpy()
        frame[name] = np.where((instant >= NOW) & (name != "appointment"), NEVER, instant)
    return frame[frame["order"] != NEVER].reset_index(drop=True)
