"""Stacks: the single-frame CT or MR images of a series, with the slice that each of them is.

A slice's place is its Image Position projected on the normal of its Image Orientation (DICOM PS3.3 2024e,
C.7.6.2.1.1), in mm.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from analytics.checks.wording import given
from analytics.warehouse.expressions import literal
from analytics.warehouse.schema import instances, series

_DECIMAL = r"[-+]?[0-9]*\.?[0-9]+([eE][-+]?[0-9]+)?"
_SIX_COSINES = rf"^({_DECIMAL}\\){{5}}{_DECIMAL}$"
_LOCALIZER_WORDS = (
    r"(^|[^A-Z])(LOC|LOCALI[SZ]ER|SCOUT|SURVEY|SURVIEW|TOPO|TOPOGRAM|PILOT|3.?PLANE|THREE.?PLANE)([^A-Z]|$)")
_SAME_ORIENTATION = 0.02
COSINES = tuple(f"cosine_{n}" for n in range(1, 7))
KEY = ("source_id", "study_instance_uid", "series_instance_uid")

_CT_IMAGE, _MR_IMAGE = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.4"

is_stacked: sa.ColumnElement[Any] = sa.and_(
    instances.c.modality.in_([literal("CT"), literal("MR")]), given(instances.c.series_instance_uid),
    sa.func.coalesce(instances.c.sop_class_uid, literal(_CT_IMAGE)).in_([literal(_CT_IMAGE), literal(_MR_IMAGE)]),
    sa.func.coalesce(instances.c.number_of_frames, literal(1)) == literal(1))
"""An image that is one slice of a CT or MR series: no enhanced multi-frame object, which keeps its slices inside,
and no secondary capture, such as a dose page."""

is_localizer: sa.ColumnElement[Any] = sa.func.upper(
    sa.func.coalesce(instances.c.image_type, literal(""))).like(literal("%LOCALIZER%"))
"""An image whose Image Type (0008,0008) says that it is a localizer."""


def in_localizer_series(rows: sa.FromClause) -> sa.ColumnElement[bool]:
    """Return whether a series is a localizer by its description or protocol."""
    said = sa.func.upper(sa.func.concat(series.c.series_description, literal(" "), series.c.protocol_name))
    return sa.exists(sa.select(series.c.series_instance_uid).where(
        *(series.c[name] == rows.c[name] for name in KEY), said.regexp_match(_LOCALIZER_WORDS)))


def slices() -> sa.Subquery:
    """Return the slices: key, ``sop_instance_uid``, six cosines and ``place`` in mm along the normal."""
    parts = [
        sa.case((instances.c.image_orientation.regexp_match(_SIX_COSINES), sa.cast(
            sa.func.split_part(instances.c.image_orientation, literal("\\"), literal(n)), sa.Double))).label(name)
        for n, name in enumerate(COSINES, start=1)
    ]
    position = (instances.c.image_position_x, instances.c.image_position_y, instances.c.image_position_z)
    read = sa.select(
        *(instances.c[name] for name in KEY), instances.c.sop_instance_uid, instances.c.modality,
        instances.c.image_orientation, is_localizer.label("is_localizer"),
        *position, *parts).where(is_stacked, *(value.is_not(None) for value in position)).subquery("read")
    row_x, row_y, row_z, column_x, column_y, column_z = (read.c[name] for name in COSINES)
    place = ((row_y * column_z - row_z * column_y) * read.c.image_position_x
             + (row_z * column_x - row_x * column_z) * read.c.image_position_y
             + (row_x * column_y - row_y * column_x) * read.c.image_position_z)
    return sa.select(*read.columns, place.label("place")).where(read.c.cosine_1.is_not(None)).subquery("slices")


def one_orientation(rows: sa.FromClause) -> sa.ColumnElement[bool]:
    """Return whether a group of slices has one orientation, to about a degree; an aggregate."""
    return sa.and_(*(sa.func.max(rows.c[name]) - sa.func.min(rows.c[name]) <= literal(_SAME_ORIENTATION)
                     for name in COSINES))
