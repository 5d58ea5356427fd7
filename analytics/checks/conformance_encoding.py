"""Conformance of encoding: do an object's pixels, text and values agree with what its header says?"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from analytics.checks.base import Check
from analytics.checks.terms import ALWAYS_LOSSY_UIDS
from analytics.checks.wording import evidence, given, in_source_of_files, number, violated
from analytics.core.findings import CheckSpec, Severity
from analytics.warehouse.expressions import literal
from analytics.warehouse.schema import instances

_NATIVE = tuple(literal(f"1.2.840.10008.1.2{suffix}") for suffix in ("", ".1", ".1.99", ".2"))
_SUBSAMPLED = tuple(literal(term) for term in ("YBR_FULL_422", "YBR_PARTIAL_422"))
_BITS_OF_PADDING = 16
_INSTANCE = tuple(instances.c[name] for name in (
    "source_id", "study_instance_uid", "series_instance_uid", "sop_instance_uid", "path", "modality", "station_name"))


def _read_or_given(column: sa.Column[Any]) -> sa.ColumnElement[bool]:
    """What was found in a header counts where the header was read; nothing found is then a pass."""
    return sa.or_(column.is_not(None), in_source_of_files(instances.c.source_id))


class PixelDataLengthMatches(Check):
    """Pixels that are cut short, or a header that describes another image."""

    spec = CheckSpec(
        id="DCM105", name="The length of the pixel data matches rows, columns, frames, samples and bits",
        severity=Severity.ERROR, category="conformance",
        definition="Denominator: instances with uncompressed Pixel Data (7FE0,0010), its length and its dimensions. "
                   "Violated where the length is not Rows x Columns x Number of Frames x Samples per Pixel x "
                   "Bits Allocated, in bytes padded to an even length. YBR_FULL_422 counts two samples a pixel.",
        citation="DICOM PS3.5 2024e, 8.1.1 Pixel Data encoding of related data elements and 7.1.1 (even length); "
                 "DICOM PS3.3 2024e, C.7.6.3 Image Pixel Module",
        fix_technologist="Send the image again from the device; if it looks torn or black there too, repeat the "
                         "reconstruction.",
        fix_administrator="Compare with the device's copy. A cut transfer is mended by sending again; a converter or "
                          "anonymizer that changed the matrix but not the pixels must be mended first.",
    )

    def candidates(self) -> sa.Select[Any]:
        i = instances.c
        samples = sa.case((sa.and_(i.samples_per_pixel == literal(3), i.photometric_interpretation.in_(_SUBSAMPLED)),
                           literal(2)), else_=sa.func.coalesce(i.samples_per_pixel, literal(1)))
        factors = (i.rows, i.columns, sa.func.coalesce(i.number_of_frames, literal(1)), samples, i.bits_allocated)
        # Doubles hold every true product exactly, and a senseless one does not overflow.
        bits: sa.ColumnElement[Any] = sa.cast(literal(1), sa.Double)
        for factor in factors:
            bits = bits * sa.cast(factor, sa.Double)
        spare = sa.cast(i.pixel_data_length, sa.Double) * literal(8.0) - bits
        needed = sa.func.ceil(bits / literal(float(_BITS_OF_PADDING))) * literal(2.0)
        return sa.select(
            *_INSTANCE,
            violated(sa.or_(spare < literal(0.0), spare >= literal(float(_BITS_OF_PADDING)),
                            i.pixel_data_length % literal(2) == literal(1))),
            evidence("pixel data has ", number(i.pixel_data_length), " bytes where ", number(needed), " are needed (",
                     i.rows, " x ", i.columns, ", ", factors[2], " frames, ", samples, " samples, ",
                     i.bits_allocated, " bits)"),
        ).where(i.pixel_data_length.is_not(None), i.rows.is_not(None), i.columns.is_not(None),
                i.bits_allocated.is_not(None), i.transfer_syntax_uid.in_(_NATIVE))


class BitsAgree(Check):
    """Bits that do not agree: gray values come out wrong, and differently in each viewer."""

    spec = CheckSpec(
        id="DCM106", name="Bits Allocated, Bits Stored and High Bit agree", severity=Severity.ERROR,
        category="conformance",
        definition="Denominator: instances with Bits Allocated (0028,0100), Bits Stored (0028,0101) and High Bit "
                   "(0028,0102). Violated where Bits Stored is below 1 or above Bits Allocated, High Bit is not Bits "
                   "Stored less 1, or Bits Allocated is neither 1 nor a multiple of 8.",
        citation="DICOM PS3.5 2024e, 8.1.1; DICOM PS3.3 2024e, C.7.6.3 Image Pixel Module",
        fix_technologist="Report it with an example: measured values (HU, SUV, exposure) of such an image are not to "
                         "be relied on.",
        fix_administrator="Find the device or software that writes it and have it mended by the maker; images from old "
                          "ones with packed 12 bits need converting before they are migrated.",
    )

    def candidates(self) -> sa.Select[Any]:
        allocated, stored, high = instances.c.bits_allocated, instances.c.bits_stored, instances.c.high_bit
        return sa.select(
            *_INSTANCE,
            violated(sa.or_(stored < literal(1), stored > allocated, high != stored - literal(1),
                            sa.and_(allocated != literal(1), allocated % literal(8) != literal(0)))),
            evidence("Bits Allocated ", allocated, ", Bits Stored ", stored, ", High Bit ", high),
        ).where(allocated.is_not(None), stored.is_not(None), high.is_not(None))


class TextCanBeDecoded(Check):
    """Names and descriptions that show as question marks."""

    spec = CheckSpec(
        id="DCM107", name="Text can be decoded by its Specific Character Set", severity=Severity.ERROR,
        category="conformance",
        definition="Denominator: instances whose header was read. Violated where an element holds text that Specific "
                   "Character Set (0008,0005), or the default repertoire where it is absent, cannot decode.",
        citation="DICOM PS3.3 2024e, C.12.1.1.2 Specific Character Set; DICOM PS3.5 2024e, 6.1",
        fix_technologist="Do not retype a name to make it fit; report the device with an example.",
        fix_administrator="Set the character set of the device and of its worklist to one that holds the names used "
                          "here (UTF-8 is ISO_IR 192). A name that cannot be read cannot be matched to its patient.",
    )

    def candidates(self) -> sa.Select[Any]:
        text = instances.c.undecodable_text
        return sa.select(
            *_INSTANCE, violated(given(text)),
            evidence("cannot be decoded by ", sa.func.coalesce(
                sa.func.nullif(instances.c.specific_character_set, literal("")), literal("the default repertoire")),
                ": ", text),
        ).where(_read_or_given(text))


class ValuesConformToTheirVR(Check):
    """Values in a form that their type does not allow."""

    spec = CheckSpec(
        id="DCM108", name="Values conform to their value representation", severity=Severity.ERROR,
        category="conformance",
        definition="Denominator: instances whose header was read. Violated where a value has characters or a length "
                   "that its value representation does not allow: a date with dashes, a decimal string over 16 "
                   "characters, an age without its unit.",
        citation="DICOM PS3.5 2024e, 6.2 Value Representation, table 6.2-1",
        fix_technologist="Nothing at the device unless the value is typed there: then use the form the field asks for.",
        fix_administrator="Tell the maker which attribute is malformed. Strict receivers refuse such objects, so try a "
                          "migration with a few before all of them.",
    )

    def candidates(self) -> sa.Select[Any]:
        malformed = instances.c.malformed_values
        return sa.select(*_INSTANCE, violated(given(malformed)), evidence("malformed: ", malformed)).where(
            _read_or_given(malformed))


class LossyFlagAgrees(Check):
    """An image that has lost something and does not say so."""

    spec = CheckSpec(
        id="DCM109", name="Lossy Image Compression agrees with the transfer syntax", severity=Severity.ERROR,
        category="conformance",
        definition="Denominator: images in a transfer syntax that always loses (JPEG baseline and extended, MPEG, "
                   "HEVC), and images that carry both Lossy Image Compression (0028,2110) and a ratio (0028,2112). "
                   "Violated where the first do not say 01, or the second say 00 with a ratio above 1.",
        citation="DICOM PS3.3 2024e, C.7.6.1.1.5 Lossy Image Compression: once lossy, the value is 01 for ever",
        fix_technologist="Nothing at the device; measure and compare such images with care.",
        fix_administrator="Set the flag where the archive or router compresses. Some countries and the mammography "
                          "rules ask that a reader can see that an image has been lossy.",
    )

    def candidates(self) -> sa.Select[Any]:
        flag, ratio = instances.c.lossy_image_compression, instances.c.lossy_image_compression_ratio
        lossy = instances.c.transfer_syntax_uid.in_([literal(uid) for uid in ALWAYS_LOSSY_UIDS])
        said = sa.func.coalesce(flag, literal(""))
        return sa.select(
            *_INSTANCE,
            violated(sa.or_(sa.and_(lossy, said != literal("01")),
                            sa.and_(said == literal("00"), ratio > literal(1.0)))),
            evidence("Lossy Image Compression is ", sa.case((said == literal(""), literal("missing")), else_=said),
                     sa.case((lossy, sa.func.concat(literal(" in "), instances.c.transfer_syntax_uid)),
                             else_=sa.func.concat(literal(" with a ratio of "), number(ratio, 1)))),
        ).where(sa.func.coalesce(instances.c.has_pixel_data, sa.true()),
                sa.or_(lossy, sa.and_(given(flag), ratio.is_not(None))))
