"""Anatomy: do body part, side and views agree with what the study says it is?"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from analytics.checks.base import Check
from analytics.checks.regions import regions_by_term, regions_named, side_named, term_of, word
from analytics.checks.wording import evidence, given, in_source_of_files, in_source_that_gives, violated
from analytics.core.findings import CheckSpec, Severity
from analytics.core.terms import PAIRED_BODY_PARTS
from analytics.warehouse.expressions import literal
from analytics.warehouse.schema import instances, series, studies

_SERIES_MODULE = "DICOM PS3.3 2024e, C.7.3.1 General Series Module"
_KEY = ("source_id", "study_instance_uid", "series_instance_uid")
_PROJECTIONS = ("DX", "CR", "MG")
_ONCE = "MATERIALIZED"  # patterns are matched once a text, not again for each row that has it
_VIEWS = tuple((side, view) for side in "RL" for view in ("CC", "MLO"))


def _text(*columns: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    words = [part for column in columns for part in (literal(" "), column)][1:]
    return sa.func.upper(sa.func.concat(*words))


def _descriptions() -> sa.Subquery:
    """Return the description of each study, one row a study."""
    return sa.select(
        studies.c.source_id, studies.c.study_instance_uid, sa.func.max(studies.c.study_description).label("said"),
    ).group_by(studies.c.source_id, studies.c.study_instance_uid).subquery("descriptions")


def _of_study(table: sa.FromClause, other: sa.FromClause) -> sa.ColumnElement[bool]:
    return sa.and_(table.c.source_id == other.c.source_id, table.c.study_instance_uid == other.c.study_instance_uid)


def _image_sides() -> sa.Subquery:
    """Return the side of each series by its images, where they agree."""
    side = sa.func.nullif(instances.c.laterality, literal(""))
    return sa.select(*(instances.c[name] for name in _KEY), sa.func.min(side).label("side")).group_by(
        *(instances.c[name] for name in _KEY)).having(sa.func.min(side) == sa.func.max(side)).subquery("image_sides")


def _sided_series() -> tuple[sa.FromClause, sa.ColumnElement[Any]]:
    """Return series joined to their images' side, and the side that a series has by its own or their word."""
    sides = _image_sides()
    joined = series.join(sides, sa.and_(*(series.c[name] == sides.c[name] for name in _KEY)), isouter=True)
    return joined, sa.func.upper(sa.func.coalesce(sa.func.nullif(series.c.laterality, literal("")), sides.c.side))


def _regions_by_text() -> sa.CTE:
    """Return the regions that each description names. Texts repeat from day to day: each is read once."""
    every = sa.union(*(sa.select(sa.func.upper(column).label("text")).where(given(column)) for column in (
        studies.c.study_description, series.c.series_description, series.c.protocol_name))).subquery("every_text")
    return sa.select(every.c.text, regions_named(every.c.text).label("regions")).cte(
        "regions_by_text").prefix_with(_ONCE)


class BodyPartAgrees(Check):
    """The body part that the device wrote is not the one that was examined."""

    spec = CheckSpec(
        id="ANA501", name="Body Part Examined agrees with the description", severity=Severity.WARNING,
        category="anatomy",
        definition="Denominator: series whose Body Part Examined (0018,0015) and whose descriptions (of study, series, "
                   "protocol; English) both name anatomy that the catalog knows; studies where no series gives a body "
                   "part. Violated where no region that the descriptions name is the one of the body part.",
        citation=f"{_SERIES_MODULE}, Body Part Examined (0018,0015); DICOM PS3.16 2024e, annex L; Guld et al., Proc. "
                 "SPIE 4685 (2002): wrong in 15.5 % of 580 images",
        fix_technologist="Choose the protocol of the part you examine: the device takes the body part from it.",
        fix_administrator="List the devices and protocols with the most findings and correct the body part in the "
                          "protocol. Until then do not route, hang or count by body part on them.",
    )

    def candidates(self) -> sa.Select[Any]:
        said = _descriptions()
        text, terms, words = _regions_by_text(), regions_by_term(), sa.func.upper
        of_study, of_series, of_protocol = text.alias("of_study"), text.alias("of_series"), text.alias("of_protocol")
        with_part = sa.select(series.c.study_instance_uid).where(
            _of_study(series, studies), given(series.c.body_part_examined))
        of_all = (series.join(said, _of_study(series, said), isouter=True)
                  .join(terms, term_of(series.c.body_part_examined) == terms.c.term)
                  .join(of_study, words(said.c.said) == of_study.c.text, isouter=True)
                  .join(of_series, words(series.c.series_description) == of_series.c.text, isouter=True)
                  .join(of_protocol, words(series.c.protocol_name) == of_protocol.c.text, isouter=True))
        named: sa.ColumnElement[int] = sa.func.coalesce(of_study.c.regions, literal(0))
        for other in (of_series, of_protocol):
            named = named.bitwise_or(sa.func.coalesce(other.c.regions, literal(0)))
        rows = sa.union_all(
            sa.select(*(series.c[name] for name in _KEY), terms.c.term, terms.c.regions.label("meant"),
                      named.label("named"), _text(said.c.said, series.c.series_description,
                                                  series.c.protocol_name).label("said")).select_from(of_all),
            sa.select(studies.c.source_id, studies.c.study_instance_uid, sa.cast(sa.null(), sa.String), terms.c.term,
                      terms.c.regions, text.c.regions, _text(studies.c.study_description))
            .select_from(studies.join(terms, term_of(studies.c.body_part_examined) == terms.c.term)
                         .join(text, words(studies.c.study_description) == text.c.text)).where(~sa.exists(with_part)),
        ).subquery("rows")
        return sa.select(
            *(rows.c[name] for name in _KEY), violated(rows.c.named.bitwise_and(rows.c.meant) == literal(0)),
            evidence("Body Part Examined is ", rows.c.term, "; described as ", sa.func.trim(rows.c.said)),
        ).where(rows.c.named != literal(0))


class LateralityIsPresent(Check):
    """A knee without a side."""

    spec = CheckSpec(
        id="ANA502", name="Laterality is present on paired anatomy", severity=Severity.WARNING, category="anatomy",
        definition="Denominator: DX, CR and MG series whose Body Part Examined comes in pairs (knee, hand, breast), in "
                   "sources that give a side at all. Violated where neither Laterality (0020,0060) of the series nor "
                   "Image Laterality (0020,0062) of its images is L, R or B.",
        citation=f"{_SERIES_MODULE}, Laterality (0020,0060) Type 2C; DICOM PS3.16 2024e, annex L (paired structures)",
        fix_technologist="Choose the side at the device as well as placing the marker in the beam.",
        fix_administrator="Make the side mandatory in the device's protocols, or split each into a left and a right "
                          "one. Without it priors of the other side come up for comparison.",
    )

    def candidates(self) -> sa.Select[Any]:
        joined, side = _sided_series()
        gives_side = sa.or_(
            in_source_that_gives(series.c.laterality, given(series.c.laterality)),
            in_source_of_files(series.c.source_id))
        said = sa.func.coalesce(side, literal(""))
        return sa.select(
            *(series.c[name] for name in _KEY), series.c.modality, series.c.station_name,
            violated(said.not_in([literal("L"), literal("R"), literal("B")])),
            evidence("no side on ", series.c.body_part_examined),
        ).select_from(joined).where(
            series.c.modality.in_([literal(term) for term in _PROJECTIONS]), gives_side,
            term_of(series.c.body_part_examined).in_([literal(part) for part in sorted(PAIRED_BODY_PARTS)]))


class LateralityAgrees(Check):
    """Left in the header, right in the description: the way to a wrong-side procedure."""

    spec = CheckSpec(
        id="ANA503", name="Laterality agrees with the description", severity=Severity.ERROR, category="anatomy",
        definition="Denominator: series whose side is L or R, by Laterality (0020,0060) or Image Laterality "
                   "(0020,0062), and whose description names exactly one side; where the series' names none, the "
                   "study's does. Violated where the two sides differ.",
        citation=f"{_SERIES_MODULE}, Laterality (0020,0060); C.7.6.1 General Image Module and C.8.11.7 Mammography "
                 "Image Module, Image Laterality (0020,0062)",
        fix_technologist="Look at the marker in the image and tell the reader and the PACS administrator at once.",
        fix_administrator="Have the technologist say which is right, correct the other, and look whether a report has "
                          "been made on it. Repeats on one device point to a copied protocol.",
    )

    def candidates(self) -> sa.Select[Any]:
        joined, side = _sided_series()
        said = _descriptions()
        rows = sa.select(
            *(series.c[name] for name in _KEY), side.label("side"),
            _text(series.c.series_description).label("of_series"), _text(said.c.said).label("of_study"),
        ).select_from(joined.join(said, _of_study(series, said), isouter=True)).where(
            side.in_([literal("L"), literal("R")])).cte("rows_with_side")
        pairs = sa.select(rows.c.of_series, rows.c.of_study).distinct().subquery("pairs")
        named = sa.select(*pairs.columns, sa.func.coalesce(
            side_named(pairs.c.of_series), side_named(pairs.c.of_study)).label("named")).subquery("named")
        same = sa.and_(rows.c.of_series == named.c.of_series, rows.c.of_study == named.c.of_study)
        return sa.select(
            *(rows.c[name] for name in _KEY), violated(rows.c.side != named.c.named),
            evidence("Laterality is ", rows.c.side, "; described as ",
                     sa.func.trim(sa.func.concat(rows.c.of_series, literal(" / "), rows.c.of_study))),
        ).select_from(rows.join(named, same)).where(named.c.named.in_([literal("L"), literal("R")]))


class ScreeningHasFourViews(Check):
    """A screening mammogram of which a view is missing."""

    spec = CheckSpec(
        id="ANA504", name="A screening mammogram has its four standard views", severity=Severity.WARNING,
        category="anatomy",
        definition="Denominator: MG studies whose description says screening and of which at least one standard view "
                   "is known, from View Position (0018,5101) and the side of the images or the series' descriptions. "
                   "Violated where right or left CC or MLO is missing. After a mastectomy it is no fault.",
        citation="ACR-SBI Practice Parameter for the performance of screening and diagnostic mammography (CC and MLO "
                 "of each breast); DICOM PS3.16 2024e, CID 4014 View for Mammography",
        fix_technologist="Check that all four views left the device before the patient does; note why one was not.",
        fix_administrator="Compare with the device's list: a view that was made and is missing here was lost in "
                          "transfer, or lies under another patient.",
    )

    def candidates(self) -> sa.Select[Any]:
        text = _text(series.c.series_description)
        side_of_text = sa.case(
            *((text.regexp_match(word(rf"{side}[A-Z]*[^A-Z]*(CC|MLO)")), literal(side)) for side in "RL"),
            else_=sa.func.upper(series.c.laterality))
        view_of_text = sa.case(
            (text.regexp_match(word("[LR]?MLO")), literal("MLO")), (text.regexp_match(word("[LR]?CC")), literal("CC")))
        rows = sa.union_all(
            sa.select(series.c.source_id, series.c.study_instance_uid, side_of_text.label("side"),
                      view_of_text.label("view")).where(series.c.modality == literal("MG")),
            sa.select(instances.c.source_id, instances.c.study_instance_uid, sa.func.upper(instances.c.laterality),
                      sa.func.upper(instances.c.view_position)).where(instances.c.modality == literal("MG")),
        ).subquery("rows")
        seen = {f"{side} {view}": sa.func.max(sa.case(
            (sa.and_(rows.c.side == literal(side), rows.c.view == literal(view)), literal(1)), else_=literal(0)))
            for side, view in _VIEWS}
        flags = sa.select(
            rows.c.source_id, rows.c.study_instance_uid, *(flag.label(name) for name, flag in seen.items()),
        ).group_by(rows.c.source_id, rows.c.study_instance_uid).subquery("flags")
        said = _descriptions()
        missing = [flags.c[name] == literal(0) for name in seen]
        return sa.select(
            flags.c.source_id, flags.c.study_instance_uid, violated(sa.or_(*missing)),
            evidence("missing:", *(sa.case((gone, literal(f" {name}")), else_=literal(""))
                                   for gone, name in zip(missing, seen, strict=True))),
        ).select_from(flags.join(said, _of_study(flags, said))).where(
            _text(said.c.said).regexp_match("SCREEN"), sa.not_(sa.and_(*missing)))
