"""Time: do a study's dates fit its patient and its receipt by the archive?"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from analytics.checks.base import Check
from analytics.checks.wording import evidence, instant, number, violated
from analytics.core.findings import CheckSpec, Severity
from analytics.warehouse.expressions import literal, minutes_between
from analytics.warehouse.schema import studies

_DAY = 24 * 60
_AGE_TOLERANCE_YEARS = 2


def _year(date: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    return sa.cast(sa.extract("year", date), sa.Integer)


class StudyIsNotAfterReceipt(Check):
    """A study dated later than the archive received it cannot be."""

    spec = CheckSpec(
        id="TMP301", name="The study's time is not after the archive received it", severity=Severity.ERROR,
        category="temporal",
        definition="Denominator: studies with a Study Date and Time (0008,0020) (0008,0030) and the archive's time of "
                   "receipt. Violated where the study is more than 24 hours later than its receipt; smaller "
                   "differences are a clock's or a time zone's and belong to TMP306.",
        citation="DICOM PS3.3 2024e, C.7.2.1 General Study Module: Study Date and Time are when the study started",
        fix_technologist="Look at the date the device shows and have it set right before the next patient.",
        fix_administrator="Correct the study's date from its order, and have the device keep time by NTP (IHE "
                          "Consistent Time). A date in the future keeps a study at the top of every worklist.",
    )

    def candidates(self) -> sa.Select[Any]:
        late = minutes_between(studies.c.stored_at, studies.c.study_at)
        return sa.select(
            studies.c.source_id, studies.c.study_instance_uid, violated(late > literal(_DAY)),
            evidence("study time ", instant(studies.c.study_at), ", received ", instant(studies.c.stored_at)),
        ).where(studies.c.study_at.is_not(None), studies.c.stored_at.is_not(None))


class StudyIsNotBeforeBirth(Check):
    """A study dated before its patient was born."""

    spec = CheckSpec(
        id="TMP302", name="The study is not before the patient's birth", severity=Severity.ERROR, category="temporal",
        definition="Denominator: studies with a Study Date (0008,0020) and a year of birth (of Patient's Birth Date, "
                   "0010,0030). Violated where the study's year is before the year of birth.",
        citation="DICOM PS3.3 2024e, C.7.1.1 Patient Module and C.7.2.1 General Study Module",
        fix_technologist="Check the birth date and the device's date; one of them is wrong.",
        fix_administrator="Correct the one that is wrong. A study date in 1900, 1970 or 1980 is a device whose clock "
                          "lost its battery; a birth after 2000 of an old patient is a two-digit year misread.",
    )

    def candidates(self) -> sa.Select[Any]:
        day = sa.func.coalesce(studies.c.study_date, sa.cast(studies.c.study_at, sa.Date))
        return sa.select(
            studies.c.source_id, studies.c.study_instance_uid, violated(_year(day) < studies.c.patient_birth_year),
            evidence("study in ", sa.cast(_year(day), sa.String), ", born in ",
                     sa.cast(studies.c.patient_birth_year, sa.String)),
        ).where(day.is_not(None), studies.c.patient_birth_year.is_not(None))


class AgeAgreesWithBirthDate(Check):
    """The age written in the study and the age that follows from the birth date differ."""

    spec = CheckSpec(
        id="TMP308", name="The patient's age agrees with the birth date", severity=Severity.WARNING,
        category="temporal",
        definition="Denominator: studies with Patient's Age (0010,1010), a Study Date and a year of birth. Violated "
                   "where the age differs by more than 2 years from the study's year less the year of birth.",
        citation="DICOM PS3.3 2024e, C.7.2.2 Patient Study Module, Patient's Age (0010,1010)",
        fix_technologist="Check the birth date with the patient; age sets dose and reference values on many devices.",
        fix_administrator="If one device is often wrong, its age field is typed rather than computed: take it from the "
                          "worklist. If one patient, the study may be under the wrong one.",
    )

    def candidates(self) -> sa.Select[Any]:
        day = sa.func.coalesce(studies.c.study_date, sa.cast(studies.c.study_at, sa.Date))
        expected = _year(day) - studies.c.patient_birth_year
        return sa.select(
            studies.c.source_id, studies.c.study_instance_uid,
            violated(sa.func.abs(studies.c.patient_age_years - expected) > literal(_AGE_TOLERANCE_YEARS)),
            evidence("age ", number(studies.c.patient_age_years, 1), " written; ",
                     sa.cast(expected, sa.String), " by the birth date"),
        ).where(day.is_not(None), studies.c.patient_birth_year.is_not(None),
                studies.c.patient_age_years.is_not(None))
