"""Retention as a dry run: which studies a rule would let go, and why. Nothing here deletes anything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import sqlalchemy as sa

from analytics.core.filters import Filters
from analytics.core.quantity import BYTES, STUDIES
from analytics.core.results import MetricResult, MetricSpec
from analytics.metrics.base import METRICS, metric
from analytics.metrics.scope import FIRST_EXAM_DATE, Condition, aggregate
from analytics.metrics.storage import SIZE_UNKNOWN, size_known, stored_in
from analytics.warehouse.expressions import literal, total
from analytics.warehouse.schema import exams
from analytics.warehouse.store import Warehouse

Rule = Literal["nhs", "us_mammography"]
Column = sa.ColumnElement[Any]


@dataclass(frozen=True)
class RetentionRule:
    """A rule of retention.

    Attributes
    ----------
    population : studies it is about.
    needs_birth_year : whether it cannot be applied without one.
    reasons : from today's date, the date last seen and the date of the last mammogram (as ``YYYYMMDD`` numbers) to
        the reason in words and the condition that a study is past its time for it.
    """

    name: str
    citation: str
    population: Condition
    needs_birth_year: bool
    reasons: Callable[[int, Column, Column], dict[str, Condition]]


def _number(day: Column) -> Column:
    """Write a date as a number, ``20260131``: years are then added on every engine alike."""
    def part(name: str, weight: int) -> Column:
        return sa.cast(sa.extract(name, day), sa.Integer) * literal(weight)
    return part("year", 10_000) + part("month", 100) + part("day", 1)


def _years_ago(today: int, years: int) -> Column:
    return literal(today - years * 10_000)


def _nhs(today: int, seen: Column, _mammogram: Column) -> dict[str, Condition]:
    # Of a birth the year alone is known: who may have been 17 counts as a child, born on the last day of the year.
    grown = seen / literal(10_000) - exams.c.patient_birth_year >= literal(19)
    screened = exams.c.modality == literal("MG")
    born_past = exams.c.patient_birth_year + literal(26) < literal(today // 10_000)
    return {
        "adult, last seen more than 8 years ago": sa.and_(grown, sa.not_(screened), seen < _years_ago(today, 8)),
        "adult, mammography, last seen more than 10 years ago": sa.and_(grown, screened, seen < _years_ago(today, 10)),
        "seen last as a child, past the 26th birthday, and more than 8 years ago":
            sa.and_(sa.not_(grown), born_past, seen < _years_ago(today, 8)),
    }


def _us_mammography(today: int, _seen: Column, mammogram: Column) -> dict[str, Condition]:
    taken = _number(exams.c.exam_date)
    old = taken < _years_ago(today, 10)
    return {
        "mammogram of more than 10 years ago": old,
        "mammogram of more than 5 years ago, with a later one":
            sa.and_(sa.not_(old), taken < _years_ago(today, 5), mammogram > taken),
    }


RULES: dict[str, RetentionRule] = {
    "nhs": RetentionRule(
        "NHS England", "NHS Records Management Code of Practice: adults 8 years from last seen, children to their 25th "
        "birthday (26th if last seen at 17), screening 10 years, cancer 30 years", sa.true(), True, _nhs),
    "us_mammography": RetentionRule(
        "US mammography", "21 CFR 900.12(c)(4)(i): at least 5 years, 10 if no later mammogram is made at the facility, "
        "or longer where a State's law says so", exams.c.modality == literal("MG"), False, _us_mammography),
}
_NEVER = ("This is a dry run: nothing is deleted. Cancer (30 years), litigation holds and studies needed for teaching "
          "or research cannot be told here; have each list checked by who answers for the records.")


@metric(MetricSpec(
    "storage.retention_due", "Due under a retention rule",
    "Bytes of the studies that are past the time a rule says to keep them, as a dry run: nothing is deleted. The date "
    "last seen is that of the patient's latest exam in this warehouse, at any site. Where the year of birth alone is "
    "known, who may still have been a child counts as one, and birthdays are at the end of the year. Studies whose "
    "patient, or year of birth where the rule needs it, is not known are left out and counted, and are to be kept.",
    BYTES, "neutral", "; ".join(rule.citation for rule in RULES.values())))
def retention_due(warehouse: Warehouse, filters: Filters, rule: Rule = "nhs") -> MetricResult:
    """Sum the studies that a rule would let go, by the reason.

    Returns
    -------
    MetricResult
        Columns ``reason``, ``studies``, ``bytes``, ``seen_from``, ``seen_to`` (dates last seen). ``rows`` are the
        studies that are due, each with its ``reason``, ``last_seen`` and ``size_bytes``: the proof.
    """
    scope, chosen = stored_in(warehouse, filters), RULES[rule]
    now = scope.as_of.date() if scope.as_of else date(1, 1, 1)
    last = _last_exams(scope.last_day)
    seen, mammogram = _number(last.c.last_seen), _number(last.c.last_mammogram)
    reasons = chosen.reasons(now.year * 10_000 + now.month * 100 + now.day, seen, mammogram)
    known, born = _patient_known(), exams.c.patient_birth_year.is_not(None)
    judged = sa.and_(chosen.population, size_known, known, *((born,) if chosen.needs_birth_year else ()))
    same_patient = last.c.patient_key == exams.c.patient_key
    rows = scope.rows(
        judged, same_patient, sa.or_(*reasons.values()), size_bytes=exams.c.size_bytes, last_seen=last.c.last_seen,
        reason=sa.case(*((condition, literal(words)) for words, condition in reasons.items())))
    frame = warehouse.read(aggregate(rows, ("reason",), lambda c: {
        "studies": sa.func.count(), "bytes": total(c.size_bytes),
        "seen_from": sa.func.min(c.last_seen, type_=sa.Date), "seen_to": sa.func.max(c.last_seen, type_=sa.Date)}))
    frame = frame.sort_values("bytes", ascending=False, kind="stable").reset_index(drop=True)
    left: dict[str, Condition] = {
        SIZE_UNKNOWN: sa.and_(chosen.population, sa.not_(size_known)),
        "patient not known": sa.and_(chosen.population, size_known, sa.not_(known))}
    if chosen.needs_birth_year:
        left["year of birth not known"] = sa.and_(chosen.population, size_known, known, sa.not_(born))
    return MetricResult(
        METRICS["storage.retention_due"].spec, frame, "bytes", ("reason",), int(frame.studies.sum()),
        warehouse.revision, {"studies": STUDIES}, scope.left_out(left), rows, float(frame.bytes.sum()),
        (_NEVER, f"{chosen.name}: {chosen.citation}.", f"As of {now:%Y-%m-%d}."))


def _patient_known() -> Condition:
    key = sa.func.coalesce(exams.c.patient_key, literal(""), type_=sa.String)
    return sa.and_(key != literal(""), sa.not_(key.startswith("placeholder-")))


def _last_exams(last_day: date | None) -> sa.Subquery:
    """Return each patient's latest exam and latest mammogram; wrong dates do not count."""
    mammogram = sa.case((exams.c.modality == literal("MG"), exams.c.exam_date))
    can_be = [exams.c.exam_date >= FIRST_EXAM_DATE, *([exams.c.exam_date <= last_day] if last_day else [])]
    return sa.select(
        exams.c.patient_key, sa.func.max(exams.c.exam_date, type_=sa.Date).label("last_seen"),
        sa.func.max(mammogram, type_=sa.Date).label("last_mammogram"),
    ).where(*can_be).group_by(exams.c.patient_key).subquery("last_exams")
