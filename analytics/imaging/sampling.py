"""Choosing which images to measure: every week of every device, and the middle of every series first."""

from __future__ import annotations

from typing import Any

import pandas as pd
import sqlalchemy as sa

from analytics.core.terms import NOT_ACQUIRED
from analytics.imaging.measures import algorithm_set
from analytics.warehouse.expressions import literal, period_start
from analytics.warehouse.schema import files, image_measures, instances, series, sources
from analytics.warehouse.store import Warehouse

PER_DEVICE_WEEK = 20
"""Images measured of each device in each week."""
MEASURE_ALL_UP_TO = 2_000
"""With no more images than this in a source, all of them are measured."""
DECODED = "decoded"
"""Id of the row that every sampled image has: 1 where a frame could be decoded, 0 with the reason where not."""
FOLDER = "dicom_folder"

_one = literal(1)
_two = literal(2)


def choose_sample(warehouse: Warehouse, *, per_device_week: int = PER_DEVICE_WEEK,
                  measure_all_up_to: int = MEASURE_ALL_UP_TO) -> pd.DataFrame:
    """Return the images to measure now: the sample, without what these algorithms have measured already.

    A stratum is one device in one ISO week. In each, the middle image of every series comes first, series in the
    order of their UID's MD5 so that the choice is as good as random and yet the same every time. Localizers,
    objects without pixels and derived objects (reports, segmentations) are not sampled.

    Parameters
    ----------
    warehouse : Warehouse or Draft
    per_device_week : int
        Images of each stratum.
    measure_all_up_to : int
        A source with no more images than this is measured whole.

    Returns
    -------
    DataFrame
        ``location`` (folder of the source), ``path`` (relative to it), ``version`` (of the algorithms and of the
        file: what has it was measured) and the identifying columns of ``image_measures``; ordered by source and
        path.
    """
    picked = _ranked(_images())
    chosen = sa.or_(picked.c.in_source <= measure_all_up_to, picked.c.rank_in_stratum <= per_device_week)
    measured = sa.select(_one).where(
        image_measures.c.source_id == picked.c.source_id,
        image_measures.c.sop_instance_uid == picked.c.sop_instance_uid,
        image_measures.c.measure == DECODED, image_measures.c.algorithm == picked.c.version)
    columns = [column for column in picked.columns if column.name not in ("in_source", "rank_in_stratum")]
    return warehouse.read(sa.select(*columns).where(chosen, ~sa.exists(measured))
                          .order_by(picked.c.source_id, picked.c.path))


def _images() -> sa.Subquery:
    """Select one row for each image of the folders that are sources."""
    protocol = sa.func.coalesce(instances.c.protocol_name, series.c.protocol_name, series.c.series_description)
    columns: list[sa.ColumnElement[Any]] = [
        sources.c.location, instances.c.source_id, instances.c.sop_instance_uid, instances.c.path,
        instances.c.study_instance_uid, instances.c.series_instance_uid, instances.c.modality,
        sa.func.coalesce(instances.c.station_name, instances.c.device_serial_number).label("station_name"),
        protocol.label("protocol_name"), instances.c.instance_number,
        sa.func.coalesce(instances.c.acquired_at, instances.c.content_at, instances.c.stored_at).label("acquired_at"),
        sa.func.row_number().over(partition_by=(instances.c.source_id, instances.c.sop_instance_uid),
                                  order_by=instances.c.path).label("copy"),
        sa.cast(sa.func.concat(literal(algorithm_set()), literal("; file "), files.c.size_bytes, literal(" "),
                               files.c.modified_ns), sa.String).label("version"),
    ]
    held = instances.join(sources, sources.c.source_id == instances.c.source_id).outerjoin(
        series, sa.and_(series.c.source_id == instances.c.source_id,
                        series.c.series_instance_uid == instances.c.series_instance_uid,
                        series.c.study_instance_uid == instances.c.study_instance_uid),
    ).outerjoin(files, sa.and_(files.c.source_id == instances.c.source_id, files.c.path == instances.c.path))
    return sa.select(*columns).select_from(held).where(
        sources.c.kind == FOLDER, instances.c.rows > 0, instances.c.has_pixel_data.is_not(sa.false()),
        sa.func.coalesce(instances.c.modality, "").not_in(sorted(NOT_ACQUIRED)),
        sa.func.coalesce(instances.c.image_type, "").not_like("%LOCALIZER%"),
    ).subquery("images")


def _ranked(images: sa.Subquery) -> sa.Subquery:
    """Add to each image its rank in its stratum and how many images its source has."""
    whole = (images.c.source_id, images.c.series_instance_uid)
    place = sa.func.row_number().over(partition_by=whole, order_by=(images.c.instance_number,
                                                                    images.c.sop_instance_uid))
    length = sa.func.count().over(partition_by=whole)
    placed = sa.select(*images.columns, sa.func.abs(_two * place - length - _one).label("from_middle")).where(
        images.c.copy == _one).subquery("placed")
    in_series = sa.func.row_number().over(
        partition_by=(placed.c.source_id, placed.c.series_instance_uid),
        order_by=(placed.c.from_middle, placed.c.sop_instance_uid))
    nearest = sa.select(*placed.columns, in_series.label("rank_in_series")).subquery("nearest")
    stratum = (nearest.c.source_id, nearest.c.modality, nearest.c.station_name,
               period_start(nearest.c.acquired_at, "week"))
    rank = sa.func.row_number().over(partition_by=stratum, order_by=(
        nearest.c.rank_in_series, sa.func.md5(sa.func.coalesce(nearest.c.series_instance_uid, "")),
        nearest.c.sop_instance_uid))
    kept = [nearest.c[name] for name in (
        "location", "source_id", "sop_instance_uid", "path", "study_instance_uid", "series_instance_uid", "modality",
        "station_name", "protocol_name", "acquired_at", "version")]
    return sa.select(*kept, rank.label("rank_in_stratum"),
                     sa.func.count().over(partition_by=nearest.c.source_id).label("in_source")).subquery("picked")
