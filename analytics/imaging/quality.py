"""What the page on image quality and the page of one study ask: counts, devices, findings with their picture."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import sqlalchemy as sa

from analytics.core.errors import PacsmeterError
from analytics.core.filters import Filters
from analytics.core.paths import resolve_path
from analytics.core.pseudonym import Pseudonymizer
from analytics.core.quantity import MISSING, format_quantity
from analytics.imaging.measures import MEASURES
from analytics.imaging.points import LEAST_BASELINE, chart_points
from analytics.imaging.sampling import DECODED, FOLDER
from analytics.warehouse.expressions import conditions, count_where, literal, quantile
from analytics.warehouse.schema import exams, findings, image_measures, instances, sources
from analytics.warehouse.store import Warehouse

CATEGORY, UNMEASURABLE = "image", "IMG708"
UNNAMED_DEVICE = "device not named"


@dataclass(frozen=True)
class QualitySummary:
    """How many images were measured, how many are out of limits, how many could not be measured."""

    images_measured: int
    images_out_of_limits: int
    images_unmeasurable: int
    devices: int
    first_acquired_at: datetime | None
    last_acquired_at: datetime | None


def measured_images(filters: Filters) -> sa.Subquery:
    """Select the measures of images that the filters cover, with the site and class of their exam."""
    day = sa.func.coalesce(exams.c.exam_date, sa.cast(image_measures.c.acquired_at, sa.Date)).label("exam_date")
    rows = sa.select(
        *(column for column in image_measures.columns if column.name not in ("station_name", "protocol_name")),
        sa.func.coalesce(image_measures.c.station_name, exams.c.station_name,
                         literal(UNNAMED_DEVICE)).label("station_name"),
        sa.func.coalesce(image_measures.c.protocol_name, literal("")).label("protocol_name"),
        exams.c.site, exams.c.patient_class, exams.c.priority, day,
    ).select_from(image_measures.outerjoin(exams, exams.c.study_instance_uid == image_measures.c.study_instance_uid))
    every = rows.subquery("every")
    return sa.select(every).where(*conditions(filters, every)).subquery("measured")


def quality_summary(warehouse: Warehouse, filters: Filters) -> QualitySummary:
    """Count the images of the sample: measured, out of limits (any check of images), unmeasurable."""
    rows = measured_images(filters)
    # Sources that deliver values alone have no row on decoding; their images are measured where they have a value.
    by_image = sa.select(
        rows.c.source_id, rows.c.sop_instance_uid, rows.c.station_name,
        count_where(sa.and_(rows.c.measure == literal(DECODED), rows.c.value == literal(0))).label("failed"),
        sa.func.min(rows.c.acquired_at).label("acquired_at"),
    ).group_by(rows.c.source_id, rows.c.sop_instance_uid, rows.c.station_name).subquery("by_image")
    wanted: list[sa.ColumnElement[Any]] = [
        count_where(by_image.c.failed == literal(0)).label("measured"),
        count_where(by_image.c.failed > literal(0)).label("failed"),
        sa.func.count(sa.distinct(by_image.c.station_name)).label("devices"),
        sa.func.min(by_image.c.acquired_at).label("first"), sa.func.max(by_image.c.acquired_at).label("last"),
    ]
    counted = warehouse.arrow(sa.select(*wanted)).to_pylist()[0]
    out = _findings(filters).where(findings.c.check_id != literal(UNMEASURABLE)).with_only_columns(
        findings.c.source_id, findings.c.sop_instance_uid).distinct()
    return QualitySummary(int(counted["measured"]), warehouse.count(out), int(counted["failed"]),
                          int(counted["devices"]), counted["first"], counted["last"])


def measures_by_device(warehouse: Warehouse, filters: Filters, measure: str) -> pd.DataFrame:
    """Return the spread of one measure on each device and protocol.

    Returns
    -------
    DataFrame
        ``station_name``, ``modality``, ``protocol_name``, ``algorithm``, ``unit``, ``images``, ``median``, ``p10``,
        ``p90``; only rows of one algorithm (and kernel) compare.
    """
    rows = measured_images(filters)
    group = [rows.c[name] for name in ("station_name", "modality", "protocol_name", "algorithm", "unit")]
    return warehouse.read(sa.select(
        *group, sa.func.count().label("images"), quantile(rows.c.value, 0.5).label("median"),
        quantile(rows.c.value, 0.1).label("p10"), quantile(rows.c.value, 0.9).label("p90"),
    ).where(rows.c.measure == MEASURES[measure].id, rows.c.value.is_not(None)).group_by(*group).order_by(*group))


def values_of_images(warehouse: Warehouse, filters: Filters, measure: str, limit: int = 5_000) -> pd.DataFrame:
    """Return one measure of every image the filters cover, newest first: for a plot of all of them and for a table.

    Returns
    -------
    DataFrame
        ``acquired_at``, ``value``, ``unit``, ``modality``, ``station_name``, ``protocol_name``, ``algorithm``,
        ``sop_instance_uid``, ``study_instance_uid``; at most ``limit`` rows.
    """
    rows = measured_images(filters)
    names = ("acquired_at", "value", "unit", "modality", "station_name", "protocol_name", "algorithm",
             "sop_instance_uid", "study_instance_uid")
    return warehouse.read(sa.select(*(rows.c[name] for name in names)).where(
        rows.c.measure == MEASURES[measure].id, rows.c.value.is_not(None),
    ).order_by(rows.c.acquired_at.desc(), rows.c.sop_instance_uid).limit(limit))


def charts_available(warehouse: Warehouse, filters: Filters, measure: str) -> pd.DataFrame:
    """Return the control charts of one measure, those with limits and the most points outside them first.

    Returns
    -------
    DataFrame
        ``station_name``, ``modality``, ``protocol_name``, ``points``, ``outside``, ``has_limits``.
    """
    points = chart_points(MEASURES[measure].id)
    group = [points.c.station_name, points.c.modality, points.c.protocol_name]
    wanted = [points.c[name].in_(values) for name, values in (
        ("modality", filters.modalities), ("station_name", filters.station_names)) if values]
    outside = count_where(sa.or_(points.c.value < points.c.lower, points.c.value > points.c.upper)).label("outside")
    return warehouse.read(sa.select(
        *group, sa.func.count().label("points"), outside,
        (count_where(points.c.center.is_not(None)) >= literal(LEAST_BASELINE)).label("has_limits"),
    ).where(*wanted).group_by(*group).order_by(outside.desc(), sa.func.count().desc(), *group))


def _findings(filters: Filters) -> sa.Select[Any]:
    """Select findings about images; the patient's class and the priority are not a finding's, and do not narrow."""
    own = filters.where(patient_classes=(), priorities=())
    return sa.select(findings).where(findings.c.category == literal(CATEGORY),
                                     *conditions(own, findings, findings.c.found_date))


def findings_with_picture(warehouse: Warehouse, filters: Filters, limit: int = 200) -> pd.DataFrame:
    """Return findings about images, errors first and then the newest.

    Returns
    -------
    DataFrame
        The columns of ``findings``, and ``has_picture``: whether `locate` can find the image's file.
    """
    picture = sa.exists(sa.select(literal(1)).select_from(_files()).where(
        instances.c.sop_instance_uid == findings.c.sop_instance_uid))
    rank = sa.case((findings.c.severity == literal("error"), 0), (findings.c.severity == literal("warning"), 1),
                   else_=2)
    return warehouse.read(_findings(filters).add_columns(picture.label("has_picture")).order_by(
        rank, findings.c.found_date.desc(), findings.c.check_id, findings.c.sop_instance_uid).limit(limit))


def image_detail(warehouse: Warehouse, sop_instance_uid: str) -> pd.DataFrame:
    """Return every measure of one image with what it means and where its device's limits are.

    Returns
    -------
    DataFrame
        ``measure``, ``name``, ``value``, ``unit``, ``shown`` (as people write it), ``direction``, ``lower``,
        ``center``, ``upper`` (of the control chart, empty where there is none), ``out_of_limits``, ``message``,
        ``definition``, ``citation``, ``algorithm``; one row a measure.
    """
    rows = warehouse.read(sa.select(image_measures).where(image_measures.c.sop_instance_uid == sop_instance_uid)
                          .order_by(image_measures.c.measure, image_measures.c.source_id))
    rows = rows[rows["measure"].isin([item.id for item in MEASURES])].drop_duplicates("measure")
    told = [_told(warehouse, row) for row in rows.to_dict("records")]
    return pd.DataFrame(told, columns=["measure", "name", "value", "unit", "shown", "direction", "lower", "center",
                                       "upper", "out_of_limits", "message", "definition", "citation", "algorithm"])


def _told(warehouse: Warehouse, row: dict[str, Any]) -> dict[str, Any]:
    item = MEASURES[row["measure"]]
    value = None if pd.isna(row["value"]) else float(row["value"])
    limits = _limits(warehouse, row)
    outside = value is not None and bool(limits) and not limits["lower"] <= value <= limits["upper"]
    return {
        "measure": item.id, "name": item.name, "value": value, "unit": item.unit,
        "shown": format_quantity(value, item.unit) if value is not None else MISSING, "direction": item.direction,
        "lower": limits.get("lower"), "center": limits.get("center"), "upper": limits.get("upper"),
        "out_of_limits": outside, "message": row["message"] if isinstance(row["message"], str) else "",
        "definition": item.definition, "citation": item.citation, "algorithm": row["algorithm"],
    }


def _limits(warehouse: Warehouse, row: dict[str, Any]) -> dict[str, float]:
    """Return the limits of the chart that an image belongs to, empty where it has none."""
    points = chart_points(row["measure"])
    same = [points.c[name] == row[name] for name in ("source_id", "station_name", "modality", "algorithm")]
    protocol = row["protocol_name"] if isinstance(row["protocol_name"], str) else ""
    found = warehouse.arrow(sa.select(points.c.lower, points.c.center, points.c.upper).where(
        *same, points.c.protocol_name == protocol, points.c.lower.is_not(None)).limit(1)).to_pylist()
    return found[0] if found else {}


def _files() -> sa.FromClause:
    return instances.join(sources, sa.and_(sources.c.source_id == instances.c.source_id,
                                           sources.c.kind == literal(FOLDER)))


def images_of_study(warehouse: Warehouse, study_instance_uid: str, limit: int = 200) -> pd.DataFrame:
    """Return the images of a study whose files a folder holds, in the order of series and instance number.

    Returns
    -------
    DataFrame
        ``sop_instance_uid``, ``series_instance_uid``, ``series_description``, ``instance_number``, ``modality``.
    """
    columns = [instances.c[name] for name in ("series_number", "series_instance_uid", "series_description",
                                              "instance_number", "modality", "sop_instance_uid")]
    return warehouse.read(sa.select(*columns).select_from(_files()).where(
        instances.c.study_instance_uid == study_instance_uid, instances.c.rows > 0,
    ).distinct().order_by(*columns[:2], instances.c.instance_number, instances.c.sop_instance_uid).limit(limit))


def locate(warehouse: Warehouse, sop_instance_uid: str, key_file: Path) -> Path:
    """Return the file of an image.

    Parameters
    ----------
    warehouse : Warehouse
    sop_instance_uid : str
    key_file : Path
        The site's pseudonym key: components of the path that name a patient are masked with it.

    Raises
    ------
    PacsmeterError
        No folder that is a source holds the image: its archive was read by its index alone, or the image is gone.
    """
    found = warehouse.arrow(sa.select(sources.c.location, instances.c.path).select_from(_files()).where(
        instances.c.sop_instance_uid == sop_instance_uid).order_by(instances.c.path).limit(1)).to_pylist()
    if not found:
        raise PacsmeterError("No folder that is loaded holds this image",
                             "Load the folder with its DICOM files to see its picture.", sop_instance_uid)
    return resolve_path(Path(found[0]["location"]), found[0]["path"], Pseudonymizer.from_file(key_file))
