"""What open exams change about a turnaround, said in words."""

from __future__ import annotations

from analytics.core.quantity import BUSINESS_MINUTES, MINUTES, format_quantity
from analytics.metrics.intervals import Interval
from analytics.metrics.survival import Estimate

NOT_REACHED = "not reached"
_SHARES = {0.5: ("half", "more than half are", "The median"),
           0.9: ("nine in ten", "more than one in ten are", "The 90th percentile")}


def done(interval: Interval) -> str:
    """Return what becomes of exams when an interval ends."""
    return "are reported" if interval.end == "reported_at" else f"get from '{interval.start_label}' " \
        f"to '{interval.end_label}'"


def written(minutes: float | None, unit: str = MINUTES) -> str:
    """Write an estimate as people write a duration, or that it is not reached."""
    return NOT_REACHED if minutes is None else format_quantity(minutes, unit)


def limits_words(estimate: Estimate, unit: str = MINUTES) -> str:
    """Write the 95 % limits: ``95 %: 3 h 2 min to 3 h 18 min``; with no upper one, ``95 %: 3 h 2 min or more``."""
    if estimate.low is None:
        return "95 % limits: too few to say"
    low = format_quantity(estimate.low, unit)
    if estimate.high is None:
        return f"95 %: {low} or more"
    return f"95 %: {low} to {format_quantity(estimate.high, unit)}"


def estimate_words(estimate: Estimate, unit: str = MINUTES) -> str:
    """Write an estimate with its limits: ``3 h 10 min (95 %: 3 h 2 min to 3 h 18 min)``, ``not reached (…)``."""
    return f"{written(estimate.value, unit)} ({limits_words(estimate, unit)})"


def open_sentence(interval: Interval, still_open: int, counted: Estimate, finished: float | None, followed: float,
                  fraction: float = 0.5, unit: str = MINUTES) -> str:
    """Say a quantile with the open exams counted beside that of the finished ones alone.

    Parameters
    ----------
    still_open : int
        How many exams are open.
    counted : Estimate
        Of all exams, by Kaplan-Meier.
    finished : float or None
        Of the finished exams alone, in minutes.
    followed : float
        Longest duration or age of any, in minutes.
    fraction : 0.5 or 0.9
    unit : str
        Of the minutes: the clock's, or of business hours.
    """
    share, more, name = _SHARES[fraction]
    within = f"{share} {done(interval)} within"
    if unit == BUSINESS_MINUTES:
        within = f"in business hours, {within}"
    if not still_open:
        return f"No exam is open, so the finished ones say it all: {within} {estimate_words(counted, unit)}."
    counting = f"counting the {still_open:,} exam{'s' if still_open > 1 else ''} still open"
    if counted.value is None:
        beside = "none has finished" if finished is None else \
            f"the finished ones alone say {format_quantity(finished, unit)}"
        return f"{name} is {NOT_REACHED} ({limits_words(counted, unit)}): {counting}, {more} still under way at " \
            f"{format_quantity(followed, unit)}, the longest known of any; {beside}."
    same = written(counted.value, unit) == written(finished, unit)
    beside = "as the finished ones alone say too" if same else \
        f"not {written(finished, unit)} as the finished ones alone say"
    said = f"{counting}, {within} {estimate_words(counted, unit)}, {beside}."
    return said[0].upper() + said[1:]
