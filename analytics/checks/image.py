"""Images: is there a picture, is all of it there, is it exposed as it should be?"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from analytics.checks.base import Check
from analytics.checks.image_limits import (
    CLIPPED_SHARE,
    CONSTANT_SHARE,
    CT_NOISE_LIMITS,
    DEVIATION_ALERT,
    DEVIATION_EXTREME,
)
from analytics.checks.wording import Column, evidence, number, violated
from analytics.core.findings import CheckSpec, Severity
from analytics.imaging.measures.base import PROJECTION
from analytics.imaging.sampling import DECODED
from analytics.warehouse.expressions import literal
from analytics.warehouse.schema import image_measures, instances

_LARGEST_WRITTEN = 1e15


def of_image(rows: sa.FromClause) -> list[Column]:
    """Return what a finding about one measured image carries."""
    names = ("source_id", "study_instance_uid", "series_instance_uid", "sop_instance_uid", "path", "modality",
             "station_name")
    return [*(rows.c[name] for name in names), sa.cast(rows.c.acquired_at, sa.Date).label("found_date")]


def measured(*measures: str) -> sa.ColumnElement[bool]:
    """Return whether a row is a value of one of some measures, and not one too large to be written."""
    return sa.and_(image_measures.c.measure.in_([literal(measure) for measure in measures]),
                   sa.func.abs(image_measures.c.value) < literal(_LARGEST_WRITTEN))


class ImageIsNotBlank(Check):
    """An image that holds one gray value and nothing else."""

    spec = CheckSpec(
        id="IMG701", name="An image is not blank or constant", severity=Severity.ERROR, category="image",
        definition="Denominator: images of the sample that could be measured. Violated where at least "
                   f"{CONSTANT_SHARE} % of the pixels hold one and the same gray value.",
        citation="Histogram of gray values (Gonzalez & Woods, 4th ed. 2018, section 3.3); the limit is this project's",
        fix_technologist="Open the image. If it is blank, look whether the exposure was made and the detector read "
                         "out, and repeat what is missing while the patient is there.",
        fix_administrator="Reject the object. Several from one device: have its detector, its shutter and its export "
                          "looked at; a device that sends test images needs a route of its own.",
    )

    def candidates(self) -> sa.Select[Any]:
        share = image_measures.c.value
        return sa.select(
            *of_image(image_measures), violated(share >= literal(CONSTANT_SHARE)),
            evidence(number(share, 2), " % of the pixels hold one gray value"),
        ).where(measured("dominant_share"))


class GrayValuesAreNotClipped(Check):
    """An image with whole areas at the end of its gray scale: what was there cannot be seen or brought back."""

    spec = CheckSpec(
        id="IMG702", name="Gray values are not clipped", severity=Severity.WARNING, category="image",
        definition="Denominator: images of the sample that could be measured. Violated where areas at the image's "
                   "largest gray value that do not reach its border hold more than "
                   f"{CLIPPED_SHARE:g} % of the pixels; in radiographs ({', '.join(PROJECTION)}) areas at its smallest "
                   "count as well. Elsewhere black is what air, an empty background or a cyst looks like.",
        citation="Saturation of the detector and clipping of the digital scale: AAPM Report 93 (TG-10, 2006); the "
                 "limit is this project's",
        fix_technologist="Look whether the clipped area is anatomy. If so, the exposure or its processing was wrong "
                         "for this patient: ask a radiologist whether it must be repeated.",
        fix_administrator="Compare the device's exposures (IMG707) and processing with a device that does not clip; "
                          "an overexposed or saturated detector and a wrong look-up table look alike here.",
    )

    def candidates(self) -> sa.Select[Any]:
        def share(end: str) -> Column:
            of_end = sa.case((image_measures.c.measure == literal(f"clipped_{end}"), image_measures.c.value))
            return sa.func.coalesce(sa.func.max(of_end), literal(0.0))

        image = of_image(image_measures)
        radiograph = image_measures.c.modality.in_([literal(modality) for modality in PROJECTION])
        return sa.select(
            *image, violated(share("low") + share("high") > literal(CLIPPED_SHARE)),
            evidence(number(share("low"), 2), " % of the pixels clipped dark, ", number(share("high"), 2),
                     " % clipped bright"),
        ).where(sa.or_(measured("clipped_high"), sa.and_(measured("clipped_low"), radiograph))).group_by(
            *(image_measures.c[column.name] for column in image[:-1]), image_measures.c.acquired_at)


class CtNoiseIsBelowItsCategorysLimit(Check):
    """A CT image that is noisier than the measure of inadequate image quality allows for its region."""

    spec = CheckSpec(
        id="IMG706", name="CT global noise is below the limit of its region", severity=Severity.WARNING,
        category="image",
        definition="Denominator: CT images of the sample with a global noise and a Body Part Examined (0018,0015) that "
                   "says one region of CMS1206; other images are not looked at. Violated where the noise is at or "
                   "above the highest limit of the region's categories: "
                   + "; ".join(f"{region} {limit:g} HU" for region, (limit, _) in CT_NOISE_LIMITS.items())
                   + ". The indication decides between categories and is not in the header, so the mildest is taken.",
        citation="CMS1206/CMS1056, Excessive Radiation Dose or Inadequate Image Quality for Diagnostic CT in Adults; "
                 "noise after Christianson et al., AJR 205 (2015) W93, doi:10.2214/AJR.14.13613",
        fix_technologist="Check the patient's centering, the arms, and whether the protocol of the region was chosen. "
                         "Ask the radiologist whether the images answer the question.",
        fix_administrator="With the physicist, compare the protocol's noise index, tube current limits, slice "
                          "thickness and kernel with a scanner whose noise is within the limit. Thin slices and "
                          "sharp kernels are noisy by intent: judge them by the series that is read.",
    )

    def candidates(self) -> sa.Select[Any]:
        part = sa.func.upper(instances.c.body_part_examined)
        limit = sa.case(*((part.in_([literal(term) for term in terms]), literal(limit))
                          for limit, terms in CT_NOISE_LIMITS.values()))
        noise = image_measures.c.value
        image = sa.and_(*(instances.c[name] == image_measures.c[name]
                          for name in ("source_id", "sop_instance_uid", "path")))
        return sa.select(
            *of_image(image_measures), violated(noise >= limit),
            evidence(number(noise, 1), " HU, the limit for ", part, " is ", number(limit, 0), " HU"),
        ).select_from(image_measures.join(instances, image)).where(measured("ct_noise"), limit.is_not(None))


class ExposureIsOnTarget(Check):
    """A radiograph exposed at less than half or more than twice its target."""

    spec = CheckSpec(
        id="IMG707", name="The deviation index is within its action limits", severity=Severity.WARNING,
        category="image",
        definition="Denominator: radiographs of the sample with a deviation index, computed from Exposure Index "
                   "(0018,1411) and Target Exposure Index (0018,1412) or as recorded (0018,1413). Violated where it "
                   f"is beyond {DEVIATION_EXTREME:g} either way: half or twice the exposure that was meant. Past "
                   f"{DEVIATION_ALERT:g} it is worth a look and shows in the device's chart, but is no finding.",
        citation="IEC 62494-1:2008 (exposure index of digital X-ray imaging systems); AAPM TG-116, Med. Phys. 36 "
                 "(2009) 2898-2914, doi:10.1118/1.3121505",
        fix_technologist="Above +3 the patient had twice the dose that was meant, below -3 the image is noisy: check "
                         "the chamber, the collimation and the technique before repeating anything.",
        fix_administrator="If one device is off for all its images, have the automatic exposure control calibrated "
                          "and the target exposure index of each body part reviewed with the physicist.",
    )

    def candidates(self) -> sa.Select[Any]:
        index = image_measures.c.value
        times = sa.cast(sa.func.power(literal(10.0), index / literal(10.0)), sa.Double)
        return sa.select(
            *of_image(image_measures), violated(sa.func.abs(index) > literal(DEVIATION_EXTREME)),
            evidence("deviation index ", number(index, 1), ": ",
                     number(sa.case((index.between(literal(-99.0), literal(99.0)), times)), 2),
                     " times the target exposure"),
        ).where(measured("deviation_index"))


class ImageCanBeMeasured(Check):
    """An image of the sample that could not be decoded: whoever opens it may see nothing either."""

    spec = CheckSpec(
        id="IMG708", name="An image can be decoded and measured", severity=Severity.INFO, category="image",
        definition="Denominator: images that were chosen for the sample. Violated where the file could not be opened "
                   "or its pixel data could not be decoded; the finding says why.",
        citation="DICOM PS3.5 2024e, section 8 and annex A: encoding of pixel data",
        fix_technologist="Try to open the image in the viewer. If it opens there, tell the administrator, who can find "
                         "out what this decoder lacks; if not, the image is lost and may have to be repeated.",
        fix_administrator="Retrieve the object again from its source and compare the two. If whole transfer syntaxes "
                          "fail, the decoder is missing rather than the image broken.",
    )

    def candidates(self) -> sa.Select[Any]:
        # A source of measures that gives no row on decoding has decoded what it measured.
        failed = image_measures.c.value == literal(0)
        return sa.select(
            *of_image(image_measures), violated(failed),
            evidence(sa.func.coalesce(image_measures.c.message, literal("the file could not be measured"))),
        ).where(image_measures.c.measure == literal(DECODED))
