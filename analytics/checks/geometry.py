"""Geometry: do the slices of a CT or MR series make one stack in space?"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from analytics.checks.base import Check
from analytics.checks.stacks import KEY, in_localizer_series, is_stacked, one_orientation, slices
from analytics.checks.wording import evidence, number, violated
from analytics.core.findings import CheckSpec, Severity
from analytics.warehouse.expressions import literal, quantile
from analytics.warehouse.schema import instances

_PLANE = "DICOM PS3.3 2024e, C.7.6.2 Image Plane Module"
_SAME_PLACE_MM = 0.05
_EVEN = 0.10
_FEWEST_INTERVALS = 3


class SlicePositionsAreUnique(Check):
    """The same slice twice in a series: a volume made of it is wrong."""

    spec = CheckSpec(
        id="GEO401", name="Slice positions are unique within a series", severity=Severity.ERROR, category="geometry",
        definition="Denominator: CT and MR series of at least two single-frame images with Image Position and Image "
                   "Orientation. Violated where some slices occur once and others several times, all with the same "
                   "position, orientation, image type, echo time, acquisition time and content time. The standard "
                   "lets a position repeat for another time point, echo or contrast, so series in which every slice "
                   "repeats equally often (fMRI, diffusion, perfusion) do not violate.",
        citation=f"{_PLANE}, C.7.6.2.1.1 Image Position (0020,0032) and Image Orientation (0020,0037)",
        fix_technologist="Look whether the series was sent twice or a reconstruction was added to it; send the series "
                         "anew under its own number.",
        fix_administrator="Delete the surplus copies after comparing pixels. Copies with other SOP Instance UIDs come "
                          "from an import or router that renumbers what it sends again.",
    )

    def candidates(self) -> sa.Select[Any]:
        i = instances.c
        key = [i[name] for name in KEY]
        position = (i.image_position_x, i.image_position_y, i.image_position_z)
        slots = sa.select(*key, sa.func.count(i.sop_instance_uid.distinct()).label("images")).where(
            is_stacked, i.image_orientation.is_not(None), *(value.is_not(None) for value in position),
        ).group_by(*key, *position, i.image_orientation, i.image_type, i.echo_time, i.acquired_at, i.content_at,
                   ).subquery("slots")
        repeated = sa.func.sum(sa.case((slots.c.images > literal(1), literal(1)), else_=literal(0)))
        per_series = sa.select(
            *(slots.c[name] for name in KEY), sa.func.min(slots.c.images).label("fewest"),
            sa.func.max(slots.c.images).label("most"), repeated.label("repeated"), sa.func.count().label("slots"),
        ).group_by(*(slots.c[name] for name in KEY)).having(
            sa.func.sum(slots.c.images) > literal(1)).subquery("per_series")
        s = per_series.c
        return sa.select(
            *(s[name] for name in KEY), violated(sa.and_(s.fewest == literal(1), s.most > literal(1))),
            evidence(number(s.repeated), " of ", number(s.slots), " slices occur up to ", number(s.most), " times"))


class SliceIntervalsAreEven(Check):
    """A gap in a stack: a slice is missing, or two stacks are in one series."""

    spec = CheckSpec(
        id="GEO402", name="Slice intervals are even: no slice is missing", severity=Severity.WARNING,
        category="geometry",
        definition="Denominator: CT and MR series of single-frame images in one orientation with at least four "
                   "different slice positions, localizers left out. Violated where an interval between neighboring "
                   "slices, along the normal, is more than 10 % off the series' median interval. Positions nearer "
                   "than 0.05 mm are one slice.",
        citation=f"{_PLANE}, C.7.6.2.1.1; the 10 % is this catalog's own, wide enough for rounded positions and "
                 "narrow enough for one missing slice",
        fix_technologist="Compare the number of images with the console and send the series again. Some protocols "
                         "change their interval on purpose: then it is no fault.",
        fix_administrator="Compare with the device or a second archive and fetch the missing images; look for failed "
                          "C-STOREs at that time. Reformats and volumes of such a series are distorted.",
    )

    def candidates(self) -> sa.Select[Any]:
        every = slices()
        key = [every.c[name] for name in KEY]
        even = sa.select(*key).group_by(*key).having(sa.and_(
            one_orientation(every),
            sa.func.min(sa.case((every.c.is_localizer, literal(1)), else_=literal(0))) == literal(0))).subquery("even")
        before = sa.func.lag(every.c.place).over(partition_by=key, order_by=every.c.place)
        gaps = sa.select(*key, (every.c.place - before).label("gap")).subquery("gaps")
        chosen = [gaps.c[name] for name in KEY]
        typical = sa.select(
            *chosen, quantile(gaps.c.gap, 0.5).label("median"), sa.func.max(gaps.c.gap).label("largest"),
            sa.func.min(gaps.c.gap).label("smallest"),
        ).select_from(gaps.join(even, sa.and_(*(gaps.c[name] == even.c[name] for name in KEY)))).where(
            gaps.c.gap >= literal(_SAME_PLACE_MM), sa.not_(in_localizer_series(gaps)),
        ).group_by(*chosen).having(sa.func.count() >= literal(_FEWEST_INTERVALS)).subquery("typical")
        t = typical.c
        return sa.select(
            *(t[name] for name in KEY),
            violated(sa.or_(t.largest > t.median * literal(1 + _EVEN), t.smallest < t.median * literal(1 - _EVEN))),
            evidence("intervals from ", number(t.smallest, 2), " to ", number(t.largest, 2), " mm, median ",
                     number(t.median, 2), " mm"))


class FrameOfReferenceIsOne(Check):
    """Two frames of reference in one series: positions do not compare."""

    spec = CheckSpec(
        id="GEO403", name="A series has one frame of reference", severity=Severity.ERROR, category="geometry",
        definition="Denominator: series of at least two instances with a Frame of Reference UID (0020,0052). Violated "
                   "where they carry more than one.",
        citation="DICOM PS3.3 2024e, C.7.4.1.1.1 Frame of Reference UID: each series has a single one",
        fix_technologist="If the patient was moved off the table and back, start a new series.",
        fix_administrator="Do not let such a series be fused or used for planning; ask the maker of the device or of "
                          "the software that edited it.",
    )

    def candidates(self) -> sa.Select[Any]:
        i = instances.c
        found = sa.select(
            *(i[name] for name in KEY), sa.func.count(i.frame_of_reference_uid.distinct()).label("frames"),
        ).where(sa.func.coalesce(i.frame_of_reference_uid, literal("")) != literal(""),
                i.series_instance_uid.is_not(None),
                ).group_by(*(i[name] for name in KEY)).having(
            sa.func.count(i.sop_instance_uid.distinct()) > literal(1)).subquery("found")
        return sa.select(
            *(found.c[name] for name in KEY), violated(found.c.frames > literal(1)),
            evidence(number(found.c.frames), " frames of reference"))


class OrientationIsOne(Check):
    """A localizer or a reformat inside a stack of slices."""

    spec = CheckSpec(
        id="GEO404", name="A series has one orientation: no localizer is embedded", severity=Severity.WARNING,
        category="geometry",
        definition="Denominator: CT and MR series of at least two single-frame images with position and orientation; "
                   "series that are localizers throughout, by Image Type or description, are left out. Violated where "
                   "a direction cosine differs by more than 0.02 (about one degree).",
        citation=f"{_PLANE}, Image Orientation (0020,0037); C.8.2.1.1.1 Image Type LOCALIZER of CT",
        fix_technologist="Keep scout and reformats in series of their own. Slices angled to each disc, or radial ones, "
                         "belong together: then it is no fault.",
        fix_administrator="Ask for the protocol or export to be changed on that device: viewers sort such a series by "
                          "position and put the scout among the slices.",
    )

    def candidates(self) -> sa.Select[Any]:
        every = slices()
        key = [every.c[name] for name in KEY]
        found = sa.select(
            *key, one_orientation(every).label("one"), sa.func.count(every.c.image_orientation.distinct()).label("n"),
        ).where(sa.not_(in_localizer_series(every))).group_by(*key).having(sa.and_(
            sa.func.count(every.c.sop_instance_uid.distinct()) > literal(1),
            sa.func.min(sa.case((every.c.is_localizer, literal(1)), else_=literal(0))) == literal(0)),
        ).subquery("found")
        return sa.select(
            *(found.c[name] for name in KEY), violated(sa.not_(found.c.one)),
            evidence(number(found.c.n), " orientations"))
