"""Images against their own device: is it as noisy, as clear, as sharp as it used to be?"""

from __future__ import annotations

from typing import Any, ClassVar

import sqlalchemy as sa

from analytics.checks.base import Check
from analytics.checks.image import of_image
from analytics.checks.wording import evidence, number, violated
from analytics.core.findings import CheckSpec, Severity
from analytics.imaging.measures import MEASURES
from analytics.imaging.points import BASELINE, LEAST_BASELINE, chart_points
from analytics.warehouse.expressions import literal

_CITATION = ("Individuals and moving range chart: Wheeler & Chambers, Understanding Statistical Process Control, "
             "3rd ed. (2010); ISO 7870-2:2023. Measure: ")
_LARGEST_WRITTEN = 1e15


def _spec(check_id: str, measure: str, fix_technologist: str, fix_administrator: str, besides: str = "") -> CheckSpec:
    item = MEASURES[measure]
    return CheckSpec(
        id=check_id, name=f"{item.name} is within the control limits of its device", severity=Severity.WARNING,
        category="image",
        definition="Denominator: series of the sample, each by the image that holds the median of its values, on "
                   f"charts with at least {LEAST_BASELINE} points; a chart is one device, protocol, kernel and "
                   f"algorithm. Violated where the value is outside mean +- 2.66 mean moving range of the chart's "
                   f"first {BASELINE} points, on either side: a change is a change. In a process that is stable, "
                   f"about 3 of 1,000 points are. {besides}The measure: {item.definition}",
        citation=_CITATION + item.citation, fix_technologist=fix_technologist, fix_administrator=fix_administrator)


class _WithinControlLimits(Check):
    """The base of the checks of one measure against its device's past."""

    measure: ClassVar[str]

    def outside(self, points: sa.Subquery) -> sa.ColumnElement[bool]:
        """Return whether a point is a violation."""
        return sa.or_(points.c.value < points.c.lower, points.c.value > points.c.upper)

    def candidates(self) -> sa.Select[Any]:
        points = chart_points(self.measure)
        return sa.select(
            *of_image(points), violated(self.outside(points)),
            evidence(f"{MEASURES[self.measure].name.lower()} ", number(points.c.value, 3), ", limits ",
                     number(points.c.lower, 3), " to ", number(points.c.upper, 3), ", protocol ",
                     sa.func.coalesce(sa.func.nullif(points.c.protocol_name, literal("")), literal("not named"))),
        ).where(points.c.lower.is_not(None), sa.func.abs(points.c.value) < literal(_LARGEST_WRITTEN),
                sa.func.abs(points.c.upper) < literal(_LARGEST_WRITTEN))


class NoiseIsWithinControlLimits(_WithinControlLimits):
    """A series much noisier, or much smoother, than its device's others."""

    measure = "noise"
    spec = _spec(
        "IMG703", measure,
        "See whether this patient or technique was unusual (size, implants, a low-dose protocol); if not, tell "
        "whoever looks after the device.",
        "Open the device's control chart. One point: look at the image. A run or a drift: have the coil, the "
        "detector, the tube or the new software version checked, with the phantom.")


class SnrIsWithinControlLimits(_WithinControlLimits):
    """A series with much less, or much more, signal for its noise than its device's others."""

    measure = "snr"
    spec = _spec(
        "IMG704", measure,
        "Check that the coil was plugged in and all its elements were on (MR), and that the exposure was right "
        "for the patient (X-ray).",
        "Open the device's control chart and compare with IMG703: less signal at the same noise is the coil, the "
        "tube or the detector; a step on one day is a software or protocol change.")


class SharpnessIsWithinControlLimits(_WithinControlLimits):
    """A series much more blurred, or much harder, than its device's others."""

    measure = "sharpness"
    spec = _spec(
        "IMG705", measure,
        "Look for the patient's motion; if the image is blurred where the patient was still, tell whoever looks "
        "after the device.",
        "Open the device's control chart. A step on one day is a change of kernel or processing; a slow loss is the "
        "focal spot, the detector or the compression: look at LossyImageCompression of the same images.",
        besides="Noise passes for sharpness: a value above the limit in a series whose noise is above its own limit "
                "belongs to IMG703 and is no violation here. ")

    def outside(self, points: sa.Subquery) -> sa.ColumnElement[bool]:
        """Return whether a point is below its limits, or above them and not because of noise."""
        noise = chart_points("noise")
        noisy = sa.select(noise.c.series_instance_uid).where(
            noise.c.value > noise.c.upper, noise.c.series_instance_uid.is_not(None))
        not_noisy = sa.func.coalesce(points.c.series_instance_uid, literal("")).not_in(noisy)
        return sa.or_(points.c.value < points.c.lower, sa.and_(points.c.value > points.c.upper, not_noisy))
