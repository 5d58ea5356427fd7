"""Sources: transfers that were not whole, by device, with the way each is known."""

from __future__ import annotations

from typing import Any, Literal

import pandas as pd
import sqlalchemy as sa

from analytics.core.filters import Filters
from analytics.core.quantity import PERCENT, STUDIES
from analytics.core.results import LeftOut, MetricResult, MetricSpec
from analytics.metrics.base import METRICS, metric
from analytics.metrics.proportion import WILSON_CITATION, wilson
from analytics.metrics.scope import Columns, Scope, aggregate
from analytics.metrics.sources_arrivals import (
    COUNTS_CHECK,
    COUNTS_DIFFER,
    IMAGES_CHECK,
    NOTHING_ARRIVED,
    REASONS,
    SAID_INCOMPLETE,
    arrivals,
    population,
)
from analytics.warehouse.expressions import Period, count_where, literal, period_start
from analytics.warehouse.schema import check_runs, exams, studies
from analytics.warehouse.store import Warehouse

_WAYS = {"nothing_arrived": NOTHING_ARRIVED, "said_incomplete": SAID_INCOMPLETE, "counts_differ": COUNTS_DIFFER}
_DEVICE = ("site", "station_name")


@metric(MetricSpec(
    "sources.incomplete_transfers", "Incomplete transfers",
    "Percent of the exams expected in the archive that are not there whole, each counted once, as the first of: "
    "nothing arrived (complete in the RIS (ImagingComplete), not cancelled, and no study has its accession number); "
    "said to be incomplete (the archive's own mark on the study, completeness: partial); counts differ (the study's "
    "number of instances is not the sum of its series'). Expected are all studies, and the exams complete without one "
    "whose site sends at least every second exam of the modality, since the archive's first study of it. Not expected, "
    "and counted: what was complete or received less than 24 hours before the last thing the site's archive received, "
    "and exams whose patient has another study of the same day, site and modality. Beside it the 95 % limits by "
    "Wilson, the lower of which ranks, so that a device of few exams does not stand first by chance; and the studies "
    "with rejected objects, which arrived and were withdrawn: they are no failed transfer and not in the share. An "
    "exam without images counts for the device that was ordered.",
    PERCENT, "lower", f"IHE Radiology, Scheduled Workflow (SWF): images of a completed procedure step are stored; "
    f"{WILSON_CITATION}"))
def incomplete_transfers(warehouse: Warehouse, filters: Filters, by: Literal["device", "way"] = "device",
                         period: Period | None = None) -> MetricResult:
    """Count the transfers that were not whole.

    Parameters
    ----------
    by : {"device", "way"}
        One row a device with the ways as columns, or one row a way.
    period : {"day", "week", "month", "quarter", "year"}, optional
        Of the exam's date; all in one where not given.

    Returns
    -------
    MetricResult
        Columns ``period`` (where asked for), ``site`` and ``station_name`` or ``way``, ``rate`` (percent),
        ``at_least``, ``at_most`` (its limits), ``incomplete``, ``expected``, and by device ``nothing_arrived``,
        ``said_incomplete``, ``counts_differ``, ``rejected``; by device the highest lower limit first. ``rows`` are the
        incomplete exams with their ``way``.
    """
    scope = Scope(warehouse, filters, population())
    when = {"period": period_start(exams.c.exam_date, period)} if period else {}
    every, group = arrivals(scope, **when), _DEVICE if by == "device" else ()
    found = warehouse.read(aggregate(every, (*when, *group), _counts))
    reasons = found[[f"reason_{place}" for place in range(len(REASONS))]].sum()
    frame = found[found.expected > 0].drop(columns=reasons.index).reset_index(drop=True)
    n, incomplete = int(frame.expected.sum()), int(frame.incomplete.sum())
    frame = _ranked(frame) if by == "device" else _by_way(frame, tuple(when))
    inner = every.subquery("expected_exams")
    rows = sa.select(inner).where(inner.c.reason.is_(None), inner.c.way.is_not(None))
    left = (LeftOut(reason, int(count)) for reason, count in zip(REASONS, reasons, strict=True) if count)
    return MetricResult(
        METRICS["sources.incomplete_transfers"].spec, frame, "rate", (*when, *(group or ("way",))), n,
        warehouse.revision, dict.fromkeys(("incomplete", "expected", *_WAYS, "rejected"), STUDIES),
        (*scope.left_out(), *left), rows, 100 * incomplete / n if n else None, _notes(warehouse) if n else ())


def _counts(c: Columns) -> dict[str, sa.ColumnElement[Any]]:
    expected = c.reason.is_(None)
    return {
        "incomplete": count_where(sa.and_(expected, c.way.is_not(None))), "expected": count_where(expected),
        **{name: count_where(sa.and_(expected, c.way == literal(way))) for name, way in _WAYS.items()},
        "rejected": count_where(sa.and_(expected, c.rejected == literal(1))),
        **{f"reason_{place}": count_where(c.reason == literal(place)) for place in range(len(REASONS))},
    }


def _with_limits(frame: pd.DataFrame) -> pd.DataFrame:
    """Add the share of the expected, and its limits, in percent."""
    low, high = wilson(frame.incomplete, frame.expected)
    return frame.assign(rate=(100.0 * frame.incomplete / frame.expected).astype(float), at_least=100 * low,
                        at_most=100 * high)


def _ranked(frame: pd.DataFrame) -> pd.DataFrame:
    return _with_limits(frame).sort_values(["at_least", "incomplete"], ascending=False, kind="stable").reset_index(
        drop=True)


def _by_way(frame: pd.DataFrame, when: tuple[str, ...]) -> pd.DataFrame:
    """Make one row a way of each period; what is expected is the same for all ways."""
    parts = [frame[[*when, "expected"]].assign(way=way, incomplete=frame[name]) for name, way in _WAYS.items()]
    return _with_limits(pd.concat(parts, ignore_index=True))


def _notes(warehouse: Warehouse) -> tuple[str, ...]:
    """Say how this goes with the checks, and which ways are known here at all."""
    marked = warehouse.count(sa.select(studies.c.study_instance_uid).where(
        studies.c.completeness.in_([literal("complete"), literal("partial")])))
    ran = warehouse.count(sa.select(check_runs.c.check_id).where(
        check_runs.c.check_id == literal(COUNTS_CHECK), check_runs.c.outcome != literal("failed"),
        check_runs.c.denominator > literal(0)))
    return (
        f"The same exams as findings of checks {IMAGES_CHECK} (nothing arrived) and {COUNTS_CHECK} (counts differ), no "
        f"further ones; {IMAGES_CHECK} names some that are left out here as well.",
        f"An archive marks whether they are complete on {marked:,} of {warehouse.count(studies):,} studies; of the "
        "others this cannot be told.",
        f"Counts are compared by check {COUNTS_CHECK}." if ran else
        f"Check {COUNTS_CHECK} has compared no counts here, so it is not known whether any differ.")
