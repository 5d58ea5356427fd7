"""Geometry: are thickness, timing, tube voltage, matrix and spacing what they can be?"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from analytics.checks.base import Check
from analytics.checks.stacks import KEY, in_localizer_series, is_localizer, is_stacked
from analytics.checks.wording import evidence, number, violated
from analytics.core.findings import CheckSpec, Severity
from analytics.warehouse.expressions import literal
from analytics.warehouse.schema import instances

_POSITIVE = {
    "slice_thickness": "Slice Thickness", "repetition_time": "Repetition Time", "echo_time": "Echo Time",
    "kvp": "KVP",
}
_SAME_SPACING = 0.001


class AcquisitionValuesArePositive(Check):
    """A slice of no thickness, an echo at no time, a tube without voltage."""

    spec = CheckSpec(
        id="GEO405", name="Slice thickness, TR, TE and kVp are positive where they are given", severity=Severity.ERROR,
        category="geometry",
        definition="Denominator: instances with at least one of Slice Thickness (0018,0050), Repetition Time "
                   "(0018,0080), Echo Time (0018,0081), KVP (0018,0060). Violated where one of them is zero or "
                   "negative.",
        citation="DICOM PS3.3 2024e, C.7.6.2 Image Plane Module (0018,0050); C.8.3.1 MR Image Module (0018,0080) "
                 "(0018,0081); C.8.2.1 CT Image Module (0018,0060)",
        fix_technologist="If the value is typed on the device (older X-ray), enter the one used or leave it empty.",
        fix_administrator="Report it to the device's maker: software that computes dose, volumes or relaxation times "
                          "divides by these. An unknown value is left empty, never zero.",
    )

    def candidates(self) -> sa.Select[Any]:
        i = instances.c
        wrong = [(i[name] <= literal(0), sa.func.concat(literal(f"{words} is "), number(i[name], 2)))
                 for name, words in _POSITIVE.items()]
        return sa.select(
            i.source_id, i.study_instance_uid, i.series_instance_uid, i.sop_instance_uid, i.path, i.modality,
            i.station_name, violated(sa.or_(*(condition for condition, _ in wrong))), evidence(sa.case(*wrong)),
        ).where(sa.or_(*(i[name].is_not(None) for name in _POSITIVE)))


class MatrixIsOne(Check):
    """Images of different size or spacing in one CT or MR series."""

    spec = CheckSpec(
        id="GEO406", name="A CT or MR series has one pixel matrix and spacing", severity=Severity.WARNING,
        category="geometry",
        definition="Denominator: CT and MR series of at least two single-frame images with Rows and Columns, "
                   "localizers left out. Violated where Rows, Columns or Pixel Spacing (0028,0030) differ "
                   "between images, spacing by more than 0.1 %.",
        citation="DICOM PS3.3 2024e, C.7.6.3 Image Pixel Module and C.7.6.2 Image Plane Module, Pixel Spacing "
                 "(0028,0030)",
        fix_technologist="Keep each reconstruction, reformat or screen capture in a series of its own.",
        fix_administrator="See which images differ (a capture, a dose page, a rescaled copy) and move them to their "
                          "own series; volumes cannot be built from mixed matrices.",
    )

    def candidates(self) -> sa.Select[Any]:
        i = instances.c
        key = [i[name] for name in KEY]
        spans = [(sa.func.min(i[name]).label(f"least_{name}"), sa.func.max(i[name]).label(f"most_{name}"))
                 for name in ("rows", "columns", "pixel_spacing_row", "pixel_spacing_column")]
        found = sa.select(*key, *(end for span in spans for end in span)).where(
            is_stacked, i.rows.is_not(None), i.columns.is_not(None), sa.not_(is_localizer),
            sa.not_(in_localizer_series(instances)),
        ).group_by(*key).having(sa.func.count(i.sop_instance_uid.distinct()) > literal(1)).subquery("found")
        f = found.c
        spacing = sa.or_(*(f[f"most_{name}"] > f[f"least_{name}"] * literal(1 + _SAME_SPACING)
                           for name in ("pixel_spacing_row", "pixel_spacing_column")))
        matrix = sa.or_(f.least_rows != f.most_rows, f.least_columns != f.most_columns)
        return sa.select(
            *(f[name] for name in KEY), violated(sa.or_(matrix, spacing)),
            evidence("from ", f.least_rows, " x ", f.least_columns, " to ", f.most_rows, " x ", f.most_columns,
                     " pixels; spacing from ", number(f.least_pixel_spacing_row, 3), " to ",
                     number(f.most_pixel_spacing_row, 3), " mm"))
