"""Turnaround with the exams that are still open counted, by Kaplan-Meier."""

from __future__ import annotations

from typing import Any

import pandas as pd
import sqlalchemy as sa

from analytics.core.filters import Filters
from analytics.core.quantity import BUSINESS_MINUTES, EXAMS, MINUTES, PERCENT
from analytics.core.results import MetricResult, MetricSpec
from analytics.metrics.base import METRICS, metric
from analytics.metrics.buckets import DAY, HOUR, rounded_minutes
from analytics.metrics.business_hours import CLOCK, EVERY_MINUTE, Hours, business_hours, spec_of
from analytics.metrics.intervals import BY_ID, Interval
from analytics.metrics.scope import Scope, aggregate
from analytics.metrics.survival import Curve, Estimate, kaplan_meier
from analytics.metrics.turnaround import Group, Judged, groups_of, hour_note
from analytics.metrics.turnaround_words import estimate_words, open_sentence
from analytics.warehouse.expressions import computed_once, count_where, literal
from analytics.warehouse.schema import exams
from analytics.warehouse.store import Warehouse

WITHIN: tuple[float, ...] = (
    5, 10, 15, 20, 30, 45, *(hours * HOUR for hours in (1, 1.5, 2, 3, 4, 6, 8, 12, 18)),
    *(days * DAY for days in (1, 1.5, 2, 3, 4, 5, 7, 10, 14, 21, 28)))
"""Times at which the share that has ended is said, in minutes."""

_CITATION = ("Kaplan and Meier, J Am Stat Assoc 1958;53:457-481; limits: Brookmeyer and Crowley, Biometrics "
             "1982;38:29-41, with Greenwood's variance on the log(-log) scale (Klein and Moeschberger, Survival "
             "Analysis, 2003, 4.3 and 4.5)")
_COUNTED = ("Exams that have ended count at their duration, those still open as lasting at least their age at the "
            "snapshot's instant; cancelled exams, those without a start and impossible intervals (the end before the "
            f"start) are left out and counted. {EVERY_MINUTE}")
_ASSUMES = ("This holds if an exam that is open goes on as others did at its age. Exams that nobody will ever finish, "
            "such as forgotten orders, pull the estimate up: see the oldest ones.")
_EXACT = ("A 90th percentile here is the duration of an exam and not a value between those of two, so that of few "
          "finished exams can differ from the interval's own figure, which is interpolated.")
_ROUNDED = ("Durations are rounded before they are counted, so each is off by no more than half a second up to a day, "
            "half a minute up to a week, 5 minutes up to ten weeks, and 12 hours past them.")


def _measured(interval: Interval) -> str:
    # Not its definition, which says that open exams are not in the median
    return f"{interval.name}: from '{interval.start_label}' to '{interval.end_label}'. Source: {interval.citation}."


class _Counted:
    """The exams of an interval that ended or are open, and how many at each duration of each group."""

    def __init__(self, warehouse: Warehouse, filters: Filters, interval: Interval, hours: Hours,
                 by: Group | None = None, site_zone: str | None = None) -> None:
        self._scope, self._business = Scope(warehouse, filters, exams.c.has_order), business_hours(hours, site_zone)
        judged = Judged(interval, self._scope.as_of, self._business)
        minutes = sa.case((judged.ended, judged.minutes), else_=judged.age)
        self.rows = judged.rows(
            self._scope, sa.or_(judged.ended, judged.open), minutes=minutes, rounded=rounded_minutes(minutes),
            has_ended=sa.case((judged.ended, literal(1)), else_=literal(0)), **groups_of(interval, by, site_zone))
        self.left_out = self._scope.left_out(judged.reasons)
        groups = (by, "rounded") if by else ("rounded",)
        self.counts = warehouse.read(aggregate(computed_once(self.rows), groups, lambda columns: {
            "n": count_where(columns.has_ended == literal(1)), "open": count_where(columns.has_ended == literal(0))}))

    @property
    def exams(self) -> int:
        """Return how many exams are counted, ended and open."""
        return int(self.counts[["n", "open"]].to_numpy().sum())

    @property
    def notes(self) -> tuple[str, ...]:
        """Say what a reader of business hours could take wrongly, where they are chosen."""
        return self._business.notes if self._business else ()

    def spec(self, metric_id: str) -> MetricSpec:
        """Return what a metric is, and which minutes count in it."""
        return spec_of(METRICS[metric_id].spec, self._business)

    @property
    def unit(self) -> str:
        """Return the unit of the minutes."""
        return BUSINESS_MINUTES if self._business else MINUTES


def _curve(counts: pd.DataFrame) -> Curve:
    return kaplan_meier(counts.rounded, counts.n, counts.open)


def _finished(counts: pd.DataFrame) -> Curve:
    return kaplan_meier(counts.rounded, counts.n)


def _figures(counts: pd.DataFrame, unit: str) -> dict[str, Any]:
    all_of_them, finished = _curve(counts), _finished(counts)
    median, p90 = all_of_them.quantile(0.5), all_of_them.quantile(0.9)
    n, still_open = int(counts.n.sum()), int(counts.open.sum())
    return {
        "exams": n + still_open, "n": n, "open": still_open,
        "median": median.value, "median_low": median.low, "median_high": median.high,
        "p90": p90.value, "p90_low": p90.low, "p90_high": p90.high,
        "median_finished": finished.quantile(0.5).value, "p90_finished": finished.quantile(0.9).value,
        "followed": all_of_them.followed,
        "median_said": estimate_words(median, unit), "p90_said": estimate_words(p90, unit),
    }


_WHOLE = ("exams", "n", "open")
_MINUTES = ("median", "median_low", "median_high", "p90", "p90_low", "p90_high", "median_finished", "p90_finished",
            "followed")
_WORDS = ("median_said", "p90_said")


def _table(counted: _Counted, by: Group | None) -> pd.DataFrame:
    groups = counted.counts.groupby(by, dropna=False, sort=True) if by else [(None, counted.counts)]
    lines = [({by: None if pd.isna(key) else key} if by else {}) | _figures(part, counted.unit)
             for key, part in groups if len(part)]
    frame = pd.DataFrame(lines, columns=[*([by] if by else []), *_WHOLE, *_MINUTES, *_WORDS])
    return frame.astype(dict.fromkeys(_WHOLE, "int64") | dict.fromkeys(_MINUTES, "float64"))


@metric(MetricSpec(
    "turnaround.with_open_cases", "Turnaround with open exams counted",
    "Minutes within which half, and nine in ten, of the exams pass an interval, estimated by Kaplan-Meier with 95 % "
    f"limits, beside the same of finished exams alone. {_COUNTED} Where the curve does not fall that far, the figure "
    "is not reached and not a number.", MINUTES, "lower", _CITATION))
def with_open_cases(warehouse: Warehouse, filters: Filters, interval: str = "turnaround.swim_rtat",
                    by: Group | None = None, site_zone: str | None = None, hours: Hours = CLOCK) -> MetricResult:
    """Estimate the median and the 90th percentile of an interval, its open exams counted.

    Parameters
    ----------
    interval : str
        Id of its metric.
    by : str, optional
        What to split by.
    site_zone : str, optional
        Of the hours; that of the settings where not given.
    hours : str
        Which minutes count: ``clock``, ``business``, or a site's own business hours, such as ``7:30-19``.

    Returns
    -------
    MetricResult
        Columns ``by``, ``exams`` (``n`` ended + ``open``), ``median`` and ``p90`` (minutes; NaN where not reached) with
        ``_low`` and ``_high`` (NaN where that limit is not reached), ``median_finished`` and ``p90_finished`` (by the
        same rule, of ended exams alone), ``followed`` (the longest of any), ``median_said`` and ``p90_said`` (each
        with its limits in words, or that it is not reached). ``rows`` are the ended and the open exams with their
        ``minutes`` so far. The first two notes are sentences about all exams.
    """
    one = BY_ID[interval]
    counted = _Counted(warehouse, filters, one, hours, by, site_zone)
    whole = counted.counts.groupby("rounded", as_index=False)[["n", "open"]].sum()
    everything, finished = _curve(whole), _finished(whole)
    sentences = [open_sentence(one, int(whole.open.sum()), everything.quantile(share), finished.quantile(share).value,
                               everything.followed, share, counted.unit) for share in (0.5, 0.9)] if len(whole) else []
    units = dict.fromkeys(_WHOLE, EXAMS) | dict.fromkeys((*_MINUTES, "minutes"), counted.unit)
    return MetricResult(
        counted.spec("turnaround.with_open_cases"), _table(counted, by), "median", (by,) if by else (),
        counted.exams, warehouse.revision, units, counted.left_out, counted.rows, everything.quantile(0.5).value,
        (*sentences, _measured(one), *counted.notes, *hour_note(one, by), _ASSUMES, _EXACT, _ROUNDED))


@metric(MetricSpec(
    "turnaround.share_within", "Share finished within a time",
    "Percent of exams that pass an interval within each of a row of times, estimated by Kaplan-Meier with pointwise "
    f"95 % limits, beside the same of finished exams alone. {_COUNTED} Times longer than any exam has been followed "
    "are not said.", PERCENT, "higher", _CITATION))
def share_within(warehouse: Warehouse, filters: Filters, interval: str = "turnaround.swim_rtat",
                 hours: Hours = CLOCK, site_zone: str | None = None) -> MetricResult:
    """Estimate the share of exams that have ended within each of `WITHIN`, the open exams counted.

    Returns
    -------
    MetricResult
        Columns ``within`` (minutes), ``share`` (percent) with ``share_low`` and ``share_high`` (NaN where too few are
        known to say), ``share_finished`` (of the exams that ended).
    """
    one = BY_ID[interval]
    counted = _Counted(warehouse, filters, one, hours, site_zone=site_zone)
    everything, finished = _curve(counted.counts), _finished(counted.counts)
    lines = [_shares(time, everything.ended_within(time), finished) for time in WITHIN if time <= everything.followed]
    frame = pd.DataFrame(lines, columns=["within", "share", "share_low", "share_high", "share_finished"])
    return MetricResult(
        counted.spec("turnaround.share_within"), frame.astype("float64"), "share", (), counted.exams,
        warehouse.revision, dict.fromkeys(("within", "minutes"), counted.unit), counted.left_out, counted.rows,
        notes=(_measured(one), *counted.notes, _ASSUMES, _ROUNDED))


def _shares(time: float, counted: Estimate, finished: Curve) -> dict[str, float | None]:
    alone = finished.ended_within(min(time, finished.followed)).value
    percent = {"share": counted.value, "share_low": counted.low, "share_high": counted.high, "share_finished": alone}
    return {"within": time} | {name: None if value is None else 100.0 * value for name, value in percent.items()}
