"""Reconciliation within the archive's own index: do counts, sizes and names add up?"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from analytics.checks.base import Check
from analytics.checks.sameness import values_in_group
from analytics.checks.wording import evidence, given, number, violated
from analytics.core.findings import CheckSpec, Severity
from analytics.warehouse.expressions import literal
from analytics.warehouse.schema import series, studies

_ROUNDED_BYTES = 1024


def _against_series(column: str) -> sa.Subquery:
    """Return studies with a figure of their own and the sum of their series', where every series gives one."""
    of_series = sa.select(
        series.c.source_id, series.c.study_instance_uid, sa.func.count().label("series_seen"),
        sa.func.sum(series.c[column]).label("summed"),
    ).group_by(series.c.source_id, series.c.study_instance_uid).having(
        sa.func.count(series.c[column]) == sa.func.count()).subquery("of_series")
    # A study stored under two patients has its series in common: neither row is their sum.
    of_study = sa.select(
        studies.c.source_id, studies.c.study_instance_uid, sa.func.max(studies.c[column]).label("own"),
    ).group_by(studies.c.source_id, studies.c.study_instance_uid).having(
        sa.and_(sa.func.count() == literal(1), sa.func.max(studies.c[column]).is_not(None))).subquery("of_study")
    same = sa.and_(of_study.c.source_id == of_series.c.source_id,
                   of_study.c.study_instance_uid == of_series.c.study_instance_uid)
    return sa.select(*of_study.columns, of_series.c.series_seen, sa.cast(of_series.c.summed, sa.BigInteger).label(
        "summed")).select_from(of_study.join(of_series, same)).subquery("compared")


class InstancesAddUp(Check):
    """A study that counts other images than its series do."""

    spec = CheckSpec(
        id="REC603", name="The number of instances equals the sum of the study's series", severity=Severity.ERROR,
        category="reconciliation",
        definition="Denominator: studies with a number of instances, all of whose series have one too. Violated where "
                   "the study's number is not the sum.",
        citation="DICOM PS3.4 2024e, C.6.2.1.2 Study Level: Number of Study Related Instances (0020,1208), and "
                 "C.6.2.1.3 Series Level: Number of Series Related Instances (0020,1209)",
        fix_technologist="If images are missing in the viewer, send the study again while the device has it.",
        fix_administrator="Have the archive count the study anew. If the count stays, compare with the stored files: a "
                          "series that was deleted, or received in part, shows here first.",
    )

    def candidates(self) -> sa.Select[Any]:
        row = _against_series("number_of_instances").c
        return sa.select(
            row.source_id, row.study_instance_uid, violated(row.own != row.summed),
            evidence("study says ", number(row.own), " instances, its ", number(row.series_seen), " series ",
                     number(row.summed)))


class SizesAddUp(Check):
    """A study whose size is not that of its series."""

    spec = CheckSpec(
        id="REC604", name="The study's size equals the sum of its series", severity=Severity.WARNING,
        category="reconciliation",
        definition="Denominator: studies with a size, all of whose series have one too. Violated where the two differ "
                   "by more than 1,024 bytes for each series and the study itself, which rounding to kilobytes "
                   "can make.",
        citation="No standard fixes it: the archive's own index (its size columns) compared with itself",
        fix_technologist="Nothing at the device.",
        fix_administrator="Have the archive compute sizes anew: storage figures and forecasts rest on them. Sizes that "
                          "changed after compression are often updated on one level alone.",
    )

    def candidates(self) -> sa.Select[Any]:
        row = _against_series("size_bytes").c
        return sa.select(
            row.source_id, row.study_instance_uid,
            violated(sa.func.abs(row.own - row.summed) > (row.series_seen + literal(1)) * literal(_ROUNDED_BYTES)),
            evidence("study says ", number(row.own), " bytes, its ", number(row.series_seen), " series ",
                     number(row.summed)))


class InstitutionIsSpelledOneWay(Check):
    """One hospital under several names, so that counts by hospital are split."""

    spec = CheckSpec(
        id="REC605", name="Institution Name is spelled one way on each station", severity=Severity.WARNING,
        category="reconciliation",
        definition="Denominator: stations of a site that write Institution Name (0008,0080). Violated where studies of "
                   "one station carry more than one spelling, blanks and case included.",
        citation="DICOM PS3.3 2024e, C.7.5.1 General Equipment Module, Institution Name (0008,0080)",
        fix_technologist="Do not type the institution's name; report a device that asks for it.",
        fix_administrator="Set one spelling in the device's configuration, and map the old ones in reports. A change "
                          "after a service visit means that the configuration was restored from an old backup.",
    )

    def candidates(self) -> sa.Select[Any]:
        stations = values_in_group(
            {"source_id": studies.c.source_id, "site": studies.c.site, "station_name": studies.c.station_name},
            studies.c.institution_name, studies.c.study_instance_uid, given(studies.c.institution_name),
            given(studies.c.station_name))
        row = stations.c
        return sa.select(
            row.source_id, row.site, row.station_name, row.study_instance_uid,
            violated(row.values_seen > literal(1)),
            evidence(number(row.values_seen), " spellings; the rarest is ", row.rarest, " in ",
                     number(row.rows_with_rarest), " of ", number(row.rows_seen), " studies"))
