"""Conformance of objects: identifiers, numbering and terms that the standard fixes."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from analytics.checks.base import Check
from analytics.checks.terms import MODALITY_TERMS, TRANSFER_SYNTAX_UIDS
from analytics.checks.wording import evidence, given, in_source_of_files, violated
from analytics.core.findings import CheckSpec, Severity
from analytics.core.terms import MPPS_SOP_CLASS
from analytics.warehouse.expressions import literal
from analytics.warehouse.schema import instances, series, studies

UID_PATTERN = r"^(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))*$"
_LONGEST_UID = 64


def _uids(level: str, uid: sa.Column[Any], *others: sa.ColumnElement[Any]) -> sa.Select[Any]:
    return sa.select(uid.table.c.source_id, literal(level).label("level"), uid.label("uid"), *others)


class UIDIsWellFormed(Check):
    """A UID with other characters than digits and dots, a leading zero, or too long."""

    spec = CheckSpec(
        id="DCM104", name="UIDs are well formed", severity=Severity.ERROR, category="conformance",
        definition="Denominator: UIDs of studies, of series in their studies, and of instances. Violated where a UID "
                   "is empty or longer than 64 characters, has anything but digits and dots, or has a component that "
                   "is empty or begins with 0 and is not 0.",
        citation="DICOM PS3.5 2024e, 9.1 UID Encoding Rules; 6.2 Value Representation UI",
        fix_technologist="Report the device or the software that made the images to the PACS administrator; do not "
                         "change a UID by hand.",
        fix_administrator="Have the maker of the device or converter mend how it makes UIDs. Until then let the "
                          "archive coerce them on receipt, once and for every copy, or links break.",
    )

    def candidates(self) -> sa.Select[Any]:
        nothing = sa.cast(sa.null(), sa.String)
        rows = sa.union_all(
            _uids("Study", studies.c.study_instance_uid, studies.c.study_instance_uid,
                  nothing.label("series_instance_uid"), nothing.label("sop_instance_uid")).distinct(),
            _uids("Series", series.c.series_instance_uid, series.c.study_instance_uid,
                  series.c.series_instance_uid, nothing.label("sop_instance_uid")),
            _uids("SOP", instances.c.sop_instance_uid, instances.c.study_instance_uid,
                  instances.c.series_instance_uid, instances.c.sop_instance_uid),
        ).subquery("uids")
        uid, length = rows.c.uid, sa.func.length(rows.c.uid)
        seen = sa.case(
            (uid == literal(""), literal("is empty")),
            (length > literal(_LONGEST_UID), sa.func.concat(literal("has "), length, literal(" characters"))),
            (uid.regexp_match(r"[^0-9.]"), literal("has characters other than digits and dots")),
            else_=literal("has a component that is empty or begins with 0"))
        return sa.select(
            rows.c.source_id, rows.c.study_instance_uid, rows.c.series_instance_uid, rows.c.sop_instance_uid,
            violated(sa.not_(sa.and_(uid.regexp_match(UID_PATTERN), length <= literal(_LONGEST_UID)))),
            evidence(rows.c.level, " Instance UID ", seen))


class InstanceNumberIsUnique(Check):
    """Images of a series that no number tells apart: viewers put them in any order."""

    spec = CheckSpec(
        id="DCM110", name="Instance Number is present and unique in its series", severity=Severity.WARNING,
        category="conformance",
        definition="Denominator: instances whose file was read, or whose number the index gives. Violated where "
                   "Instance Number (0020,0013) is empty, or another SOP Instance UID of the series has the same.",
        citation="DICOM PS3.3 2024e, C.7.6.1 General Image Module, Instance Number (0020,0013): identifies the image",
        fix_technologist="Look whether the series was sent twice, or two reconstructions share one series.",
        fix_administrator="One device: ask its maker to number per series. Many at once: an import or a router that "
                          "made new UIDs stored copies beside the originals.",
    )

    def candidates(self) -> sa.Select[Any]:
        value, uid = instances.c.instance_number, instances.c.sop_instance_uid
        same = (instances.c.source_id, instances.c.series_instance_uid, value)
        return sa.select(
            instances.c.source_id, instances.c.study_instance_uid, instances.c.series_instance_uid, uid,
            instances.c.path, instances.c.modality, instances.c.station_name,
            # Two files of one object are copies, not two images: the smallest and the largest UID are then equal.
            violated(sa.or_(value.is_(None), sa.func.min(uid).over(partition_by=same)
                            != sa.func.max(uid).over(partition_by=same))),
            evidence(sa.case((value.is_(None), literal("Instance Number is empty")),
                             else_=sa.func.concat(literal("another image of the series has number "), value))),
        ).where(given(instances.c.series_instance_uid),
                sa.or_(value.is_not(None), in_source_of_files(instances.c.source_id)))


class SeriesIsOfOneStudyAndModality(Check):
    """One Series Instance UID in two studies, or with two modalities."""

    spec = CheckSpec(
        id="DCM111", name="A series belongs to one study and has one modality", severity=Severity.ERROR,
        category="conformance",
        definition="Denominator: Series Instance UIDs. Violated where one is stored under more than one Study Instance "
                   "UID, or with more than one Modality (0008,0060).",
        citation="DICOM PS3.3 2024e, A.1.2.3 Series IE; C.7.3.1 General Series Module, Modality (0008,0060)",
        fix_technologist="Do not copy a series into another exam at the device; send it there anew.",
        fix_administrator="Find which step changed the study but kept the series UID (a split, a merge, an import) "
                          "and give the copies a new series UID. Viewers show one of the two at random.",
    )

    def candidates(self) -> sa.Select[Any]:
        def rows_of(table: sa.Table) -> sa.Select[Any]:
            return sa.select(table.c.source_id, table.c.series_instance_uid, table.c.study_instance_uid,
                             table.c.modality).where(given(table.c.series_instance_uid))

        rows = sa.union_all(rows_of(series), rows_of(instances)).subquery("rows")
        uid, term = rows.c.study_instance_uid, rows.c.modality
        one = sa.select(
            rows.c.source_id, rows.c.series_instance_uid, sa.func.min(uid).label("study_instance_uid"),
            sa.func.max(uid).label("other_study"), sa.func.min(term).label("first_term"),
            sa.func.max(term).label("last_term"),
        ).group_by(rows.c.source_id, rows.c.series_instance_uid).subquery("one")
        two_studies, two_terms = one.c.study_instance_uid != one.c.other_study, one.c.first_term != one.c.last_term
        return sa.select(
            one.c.source_id, one.c.study_instance_uid, one.c.series_instance_uid,
            violated(sa.or_(two_studies, two_terms)),
            evidence(sa.case((two_studies, sa.func.concat(literal("the series is also in study "), one.c.other_study)),
                             else_=sa.func.concat(literal("modality "), one.c.first_term, literal(" and "),
                                                  one.c.last_term))))


class ModalityIsDefined(Check):
    """A modality that the standard does not know, so that worklists and hanging protocols pass it over."""

    spec = CheckSpec(
        id="DCM112", name="Modality is a defined term", severity=Severity.WARNING, category="conformance",
        definition="Denominator: series with a Modality (0008,0060), and studies with a modality where no series is "
                   "known. Violated where it is not one of the standard's defined terms; retired terms, such as CF, "
                   "violate too.",
        citation="DICOM PS3.3 2024e, C.7.3.1.1.1 Modality, defined terms",
        fix_technologist="Choose the right modality at the device where it can be chosen (digitizers, secondary "
                         "capture stations).",
        fix_administrator="Map the term to a defined one where the device sends it. Rules by modality (routing, "
                          "retention, dose, statistics) do not see such studies.",
    )

    def candidates(self) -> sa.Select[Any]:
        known_series = sa.select(series.c.study_instance_uid).where(series.c.source_id == studies.c.source_id)
        rows = sa.union_all(
            sa.select(series.c.source_id, series.c.study_instance_uid, series.c.series_instance_uid,
                      series.c.modality).where(given(series.c.modality)),
            sa.select(studies.c.source_id, studies.c.study_instance_uid,
                      sa.cast(sa.null(), sa.String).label("series_instance_uid"), studies.c.modality)
            .where(given(studies.c.modality),
                   ~sa.exists(known_series.where(series.c.study_instance_uid == studies.c.study_instance_uid))),
        ).subquery("rows")
        return sa.select(
            *rows.columns, violated(rows.c.modality.not_in([literal(term) for term in MODALITY_TERMS])),
            evidence("Modality is ", rows.c.modality))


class TransferSyntaxIsKnown(Check):
    """An encoding that no viewer is sure to open."""

    spec = CheckSpec(
        id="DCM113", name="The transfer syntax is one the standard knows", severity=Severity.WARNING,
        category="conformance",
        definition="Denominator: transfer syntaxes of each series, as its images or the index give them. Violated "
                   "where the UID is not a transfer syntax of the standard; private ones, such as GE's, violate.",
        citation="DICOM PS3.5 2024e, section 10 and annex A; DICOM PS3.6 2024e, annex A (registry of UIDs)",
        fix_technologist="Ask for the device to be set to a standard transfer syntax before more exams are sent.",
        fix_administrator="Have the archive ask for standard transfer syntaxes in the association, and convert what is "
                          "stored while software that can read it is still there.",
    )

    def candidates(self) -> sa.Select[Any]:
        def rows_of(table: sa.Table) -> sa.Select[Any]:
            return sa.select(table.c.source_id, table.c.study_instance_uid, table.c.series_instance_uid,
                             table.c.transfer_syntax_uid).where(given(table.c.transfer_syntax_uid))

        # A device's report of a step (MPPS) is of no series.
        in_series = sa.func.coalesce(instances.c.sop_class_uid, literal("")) != literal(MPPS_SOP_CLASS)
        rows = sa.union(rows_of(series), rows_of(instances).where(in_series)).subquery("rows")
        uid = rows.c.transfer_syntax_uid
        return sa.select(
            rows.c.source_id, rows.c.study_instance_uid, rows.c.series_instance_uid,
            violated(uid.not_in([literal(known) for known in TRANSFER_SYNTAX_UIDS])),
            evidence("Transfer Syntax UID is ", uid))
