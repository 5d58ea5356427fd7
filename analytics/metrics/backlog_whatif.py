"""When the backlog clears at the rates of late, and what one more reader shift would change."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from analytics.core.errors import PacsmeterError
from analytics.core.filters import Filters
from analytics.core.quantity import EXAMS, MINUTES, PERCENT, format_quantity
from analytics.core.results import MetricResult, MetricSpec
from analytics.metrics.backlog import as_of_note
from analytics.metrics.backlog_flow import COUNTED, Flow, Queue
from analytics.metrics.backlog_fluid import HORIZON, Reading, days_until, mean_wait
from analytics.metrics.backlog_words import clearance_sentence, days_words
from analytics.metrics.base import METRICS, metric
from analytics.metrics.windows import COMPARED_DAYS
from analytics.warehouse.store import Warehouse

DAYS = 28
WEEKS = (0, 1, 2, 4, 8, 13)
AS_NOW, WITH_SHIFT = "As now", "With the added shift"
PER_DAY, PER_HOUR = "{exam}/d", "{exam}/h"
BUSIEST = 17
"""Hours of the week that are its busiest tenth."""
READERS = 4
_CITATION = ("Fluid queue: Newell, Applications of Queueing Theory, 2nd ed. 1982; M/M/c: Erlang, 1917, as in Gross et "
             "al., Fundamentals of Queueing Theory, 4th ed. 2008")
_SLOW = ("The reading rate is what was reported, not what could have been: where nothing waits, readers idle, and the "
         "queue would clear sooner than said.")
_FORGOTTEN = "Exams that nobody will ever report wait too, so a queue is seldom empty: see the oldest ones."


@dataclass(frozen=True)
class State:
    """A queue now, and its rates of late.

    Attributes
    ----------
    unread : exams that wait at the snapshot's instant.
    arrivals, reads : a day, over the window.
    usual : median of what was unread at the end of each of the last 91 days.
    days : of the window.
    peak : reports an hour in the busiest tenth of the hours of the week.
    last : the last whole day.
    """

    unread: int
    arrivals: float
    reads: float
    usual: float
    days: int
    peak: float
    last: date


def state_of(queue: Queue, days: int) -> State | None:
    """Return a queue's state; ``None`` where nothing is known of its last whole days."""
    if days < 1:
        raise PacsmeterError("A window has at least one day", "Choose 1 day or more; 28 are usual.")
    span = queue.span(Filters(), max(days, COMPARED_DAYS))
    if span is None:
        return None
    flow = queue.flow(span)
    ends = flow.by_day()
    late = ends.tail(days)
    return State(
        queue.warehouse.count(queue.waiting_at(queue.as_of)), float(late.arrived.mean()), float(late.reported.mean()),
        float(ends.unread.tail(COMPARED_DAYS).median()), len(late), _peak(flow), span[1])


def _peak(flow: Flow) -> float:
    hours = flow.by_hour_of_week().nlargest(BUSIEST, "reported")
    return float(hours.reported.sum() / hours.hours.sum())


@metric(MetricSpec(
    "backlog.clearance", "Days until the backlog is at its usual level",
    "Days until the exams unread now are no more than usual (the median of what was unread at the end of each of the "
    f"last {COMPARED_DAYS} days), and until none waits, if exams go on to arrive and to be reported at the mean rates "
    f"of the last whole days ({DAYS}). Not reached where no more is reported than arrives, or within {HORIZON} days. "
    f"{COUNTED} The period of the filters does not apply.", "d", "lower", _CITATION))
def clearance(warehouse: Warehouse, filters: Filters, days: int = DAYS, site_zone: str | None = None) -> MetricResult:
    """Say how long the queue takes to clear.

    Parameters
    ----------
    days : int
        Length of the window that the rates are of.

    Returns
    -------
    MetricResult
        One row: ``unread``, ``arrived_per_day``, ``reported_per_day``, ``net_per_day`` (reported less arrived),
        ``usual``, ``days_to_usual``, ``days_to_zero`` (NaN where not reached). The first note says it in words.
    """
    queue = Queue(warehouse, filters, site_zone)
    state = state_of(queue, days)
    columns = ("unread", "arrived_per_day", "reported_per_day", "net_per_day", "usual", "days_to_usual", "days_to_zero")
    lines = []
    if state:
        net = state.reads - state.arrivals
        lines.append((state.unread, state.arrivals, state.reads, net, state.usual,
                      days_until(state.unread, state.usual, net), days_until(state.unread, 0.0, net)))
    frame = pd.DataFrame(lines, columns=list(columns)).astype(dict.fromkeys(columns[1:], "float64"))
    first = frame.days_to_usual.iloc[0] if len(frame) else np.nan
    said = (clearance_sentence(frame.iloc[0], state.days, state.last),) if state else ()
    return MetricResult(
        METRICS["backlog.clearance"].spec, frame, "days_to_usual", (), state.unread if state else 0,
        warehouse.revision,
        {"unread": EXAMS, "usual": EXAMS, **dict.fromkeys(("arrived_per_day", "reported_per_day", "net_per_day"),
                                                          PER_DAY)},
        queue.scope.left_out(queue.reasons), queue.waiting_at(queue.as_of), None if np.isnan(first) else float(first),
        (*said, _SLOW, _FORGOTTEN, *as_of_note(queue.as_of)))


@metric(MetricSpec(
    "backlog.one_more_shift", "Backlog with one more reader shift",
    f"Exams that would be unread after {', '.join(map(str, WEEKS[1:-1]))} and {WEEKS[-1]} weeks, as now and with an "
    "added reader shift, by a fluid queue read day by day: what waits, and what comes, less what can be read. Beside "
    "it the mean wait of an M/M/c queue where less comes than can be read. A what-if: no forecast. "
    f"{COUNTED} The period of the filters does not apply.", EXAMS, "lower", _CITATION))
def one_more_shift(
        warehouse: Warehouse, filters: Filters, reader_hours: float = 4.0, days_a_week: int = 5,
        reports_per_hour: float | None = None, readers: int = READERS, days: int = DAYS,
        site_zone: str | None = None) -> MetricResult:
    """Say what one more reader shift would change.

    Parameters
    ----------
    reader_hours : float
        Hours of the added shift.
    days_a_week : int
        Days on which it is worked, from Monday.
    reports_per_hour : float, optional
        Of the added reader; where not given, those of the busiest tenth of the hours of the week, shared by `readers`.
    readers : int
        How many read at once in those hours; events do not tell.
    days : int
        Length of the window that the rates are of.

    Returns
    -------
    MetricResult
        Columns ``scenario``, ``week``, ``unread``, and of each scenario ``read_per_day``, ``days_to_usual``,
        ``days_to_zero`` (whole days; NaN where not reached), ``utilization``, ``mean_wait`` (NaN where it has none).
        The first note says the difference; the others the assumptions.
    """
    if not (0 <= reader_hours <= 24 and 0 <= days_a_week <= 7 and readers >= 1 and (reports_per_hour or 0) >= 0):
        raise PacsmeterError("No such shift can be worked", "A shift has 0 to 24 hours, a week 0 to 7 days, a "
                             "department at least one reader.")
    queue = Queue(warehouse, filters, site_zone)
    state = state_of(queue, days)
    columns = ["scenario", "week", "unread", "read_per_day", "days_to_usual", "days_to_zero", "utilization",
               "mean_wait"]
    spec, units = METRICS["backlog.one_more_shift"].spec, {
        "week": "wk", "read_per_day": PER_DAY, "days_to_usual": "d", "days_to_zero": "d", "utilization": PERCENT,
        "mean_wait": MINUTES}
    if state is None:
        return MetricResult(spec, pd.DataFrame(columns=columns), "unread", ("scenario", "week"), 0, warehouse.revision,
                            units, queue.scope.left_out(queue.reasons))
    speed = state.peak / readers if reports_per_hour is None else reports_per_hour
    weekday = (state.last + timedelta(days=1)).isoweekday()
    now = Reading(state.unread, state.arrivals, state.reads, weekday=weekday)
    more = Reading(state.unread, state.arrivals, state.reads, reader_hours * speed, days_a_week, weekday)
    lines = [line for name, one in ((AS_NOW, now), (WITH_SHIFT, more)) for line in _lines(name, one, state, readers)]
    frame = pd.DataFrame(lines, columns=columns)
    shift = Shift(reader_hours, days_a_week, speed, readers, reports_per_hour is None)
    notes = (_difference(now, more, state), *_assumptions(state, shift), _SLOW, _FORGOTTEN)
    return MetricResult(
        spec, frame, "unread", ("scenario", "week"), state.unread, warehouse.revision, units,
        queue.scope.left_out(queue.reasons), headline=more.after(7 * WEEKS[-1]), notes=notes)


@dataclass(frozen=True)
class Shift:
    """An added reader shift; ``measured`` says that its speed is that of the department's busiest hours."""

    hours: float
    days_a_week: int
    speed: float
    readers: int
    measured: bool


def _assumptions(state: State, shift: Shift) -> tuple[str, ...]:
    speed = f"{format_quantity(shift.speed, EXAMS)} an hour"
    source = ", as given" if not shift.measured else (
        f": the {format_quantity(state.peak, EXAMS)} reported an hour in the busiest tenth of the hours of the week, "
        f"shared by {shift.readers} reader{'s' * (shift.readers > 1)} (assumed: events do not tell how many read)")
    return (
        f"Arrivals stay as in the {state.days} days to {state.last}: {format_quantity(state.arrivals, EXAMS)} a day on "
        f"every day alike, and reading without the shift too: {format_quantity(state.reads, EXAMS)} a day.",
        f"The added reader works {shift.hours:g} hours on {shift.days_a_week} days a week, from Monday, and reads "
        f"{speed}{source}. No exam is harder than another.",
        "Exams are reported first in, first out; urgent ones would wait less and the others longer.",
        f"The mean wait is that of {shift.readers} alike readers who share the reading evenly around the clock, exams "
        "coming at random (M/M/c): nights without readers add to it. It has none where as much comes as can be read.")


def _lines(name: str, reading: Reading, state: State, readers: int) -> list[tuple[object, ...]]:
    wait = mean_wait(reading.arrivals, reading.capacity, readers) * 1440
    busy = 100 * reading.arrivals / reading.capacity if reading.capacity else np.nan
    shared = (reading.capacity, reading.until(state.usual), reading.until(0.0), busy, wait)
    return [(name, week, reading.after(7 * week), *shared) for week in WEEKS]


def _difference(now: Reading, more: Reading, state: State) -> str:
    usual = format_quantity(state.usual, EXAMS)
    end = 7 * WEEKS[-1]
    return (f"The backlog is at its usual level ({usual}) in {days_words(more.until(state.usual))} with the shift, "
            f"{days_words(now.until(state.usual))} without; empty in {days_words(more.until(0.0))} and "
            f"{days_words(now.until(0.0))}. Unread after {WEEKS[-1]} weeks: "
            f"{format_quantity(round(more.after(end)), EXAMS)} with it, "
            f"{format_quantity(round(now.after(end)), EXAMS)} without.")
