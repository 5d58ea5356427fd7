"""The points of control charts and their limits, as one portable select that charts and checks both read."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from analytics.warehouse.expressions import literal
from analytics.warehouse.schema import image_measures

BASELINE = 20
"""Points, the first of each chart, that its limits come from."""
LEAST_BASELINE = 10
"""With fewer points than this a chart has no limits."""
WIDTH, RANGE_WIDTH = 2.66, 3.267
"""Limits in mean moving ranges: 3 / 1.128 for a value, D4 of two values for a range (Wheeler & Chambers)."""

_CARRIED = ("source_id", "sop_instance_uid", "study_instance_uid", "series_instance_uid", "path", "modality",
            "measure", "algorithm", "unit", "acquired_at", "value")


def chart_points(measure: str) -> sa.Subquery:
    """Select the points of every control chart of one measure.

    A chart is one source, device, modality, protocol and algorithm. A point is a series, by the image that holds
    the median of its values (the lower of two). Images without a device, a time or a value have no point.

    Parameters
    ----------
    measure : str
        Id of the measure.

    Returns
    -------
    Subquery
        The columns of an image's measure, with ``ordinal`` (1 is the oldest), ``in_baseline``, ``moving_range``,
        ``points`` (of the chart), ``center``, ``lower``, ``upper``, ``range_upper``. The last four are empty where
        the chart has fewer than 10 points or its baseline never varies.
    """
    series = _medians(measure)
    chart = [series.c[name] for name in ("source_id", "station_name", "modality", "protocol_name", "algorithm")]

    def in_time(function: sa.Function[Any]) -> sa.Over[Any]:
        return function.over(partition_by=chart, order_by=(series.c.acquired_at, series.c.sop_instance_uid))

    ordered = sa.select(
        *series.columns, in_time(sa.func.row_number()).label("ordinal"),
        sa.func.abs(series.c.value - in_time(sa.func.lag(series.c.value))).label("moving_range"),
    ).subquery("ordered")
    same_chart = [ordered.c[column.name] for column in chart]
    first = ordered.c.ordinal <= literal(BASELINE)

    def over_baseline(column: sa.ColumnElement[Any]) -> sa.ColumnElement[float]:
        return sa.cast(sa.func.avg(sa.case((first, column))).over(partition_by=same_chart), sa.Double)

    based = sa.select(
        *ordered.columns, first.label("in_baseline"), sa.func.count().over(partition_by=same_chart).label("points"),
        over_baseline(ordered.c.value).label("baseline_mean"),
        over_baseline(ordered.c.moving_range).label("mean_range"),
    ).subquery("based")
    usable = sa.and_(based.c.points >= literal(LEAST_BASELINE), based.c.mean_range > literal(0.0))

    def limit(value: sa.ColumnElement[Any]) -> sa.ColumnElement[float]:
        return sa.cast(sa.case((usable, value)), sa.Double)

    half = literal(WIDTH) * based.c.mean_range
    kept = [column for column in based.columns if column.name not in ("baseline_mean", "mean_range")]
    return sa.select(
        *kept, limit(based.c.baseline_mean).label("center"), limit(based.c.baseline_mean - half).label("lower"),
        limit(based.c.baseline_mean + half).label("upper"),
        limit(literal(RANGE_WIDTH) * based.c.mean_range).label("range_upper"),
    ).subquery("points")


def _medians(measure: str) -> sa.Subquery:
    """Select for each series the image that holds the median of its values."""
    kind = [image_measures.c[name] for name in ("source_id", "station_name", "modality", "protocol_name", "algorithm")]
    group = [*kind, sa.func.coalesce(image_measures.c.series_instance_uid, image_measures.c.sop_instance_uid)]
    rank = sa.func.row_number().over(partition_by=group,
                                     order_by=(image_measures.c.value, image_measures.c.sop_instance_uid))
    ranked = sa.select(
        *(image_measures.c[name] for name in _CARRIED), image_measures.c.station_name,
        sa.func.coalesce(image_measures.c.protocol_name, literal("")).label("protocol_name"),
        rank.label("rank_in_series"), sa.func.count().over(partition_by=group).label("in_series"),
    ).where(
        image_measures.c.measure == literal(measure), image_measures.c.value.is_not(None),
        image_measures.c.acquired_at.is_not(None), sa.func.coalesce(image_measures.c.station_name, literal("")) != "",
    ).subquery("ranked")
    twice = literal(2) * ranked.c.rank_in_series
    middle = sa.or_(twice == ranked.c.in_series, twice == ranked.c.in_series + literal(1))
    names = [column.name for column in ranked.columns if column.name not in ("rank_in_series", "in_series")]
    return sa.select(*(ranked.c[name] for name in names)).where(middle).subquery("medians")
