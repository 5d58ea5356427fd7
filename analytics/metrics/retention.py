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

Rule = Literal["nhs", "us_mammography", "archive"]
Column = sa.ColumnElement[Any]


@dataclass(frozen=True)
class Dates:
    """What a rule goes by, each as a number (``20260131``).

    Attributes
    ----------
    seen, mammogram : of the patient's latest exam, and latest mammogram.
    expires : that the archive itself gave the study.
    """

    seen: Column
    mammogram: Column
    expires: Column


@dataclass(frozen=True)
class KeptUntil:
    """Which studies a reason is about, and the last day, as a number, on which each is kept for it."""

    applies: Condition
    day: Column


@dataclass(frozen=True)
class RetentionRule:
    """A rule of retention.

    Attributes
    ----------
    population : studies it is about.
    reasons : each reason in words, with the studies it is about and how long it keeps them; the first that lets a
        study go is the one that is named.
    needs_patient, needs_birth_year, needs_expiry : what it cannot be applied without.
    """

    name: str
    citation: str
    population: Condition
    reasons: Callable[[Dates], dict[str, KeptUntil]]
    needs_patient: bool = True
    needs_birth_year: bool = False
    needs_expiry: bool = False


def _number(day: Column) -> Column:
    """Write a date as a number, ``20260131``: years are then added on every engine alike."""
    def part(name: str, weight: int) -> Column:
        return sa.cast(sa.extract(name, day), sa.Integer) * literal(weight)
    return part("year", 10_000) + part("month", 100) + part("day", 1)


def _years(years: int) -> Column:
    return literal(years * 10_000)


def _nhs(dates: Dates) -> dict[str, KeptUntil]:
    # Of a birth the year alone is known: who may have been 17 counts as a child, born on the last day of the year.
    grown = dates.seen / literal(10_000) - exams.c.patient_birth_year >= literal(19)
    screened = sa.func.coalesce(exams.c.modality, literal("")) == literal("MG")
    birthday = (exams.c.patient_birth_year + literal(26)) * literal(10_000) + literal(1231)
    return {
        "adult, last seen more than 8 years ago": KeptUntil(
            sa.and_(grown, sa.not_(screened)), dates.seen + _years(8)),
        "adult, mammography, last seen more than 10 years ago": KeptUntil(
            sa.and_(grown, screened), dates.seen + _years(10)),
        "seen last as a child, past the 26th birthday, and more than 8 years ago": KeptUntil(
            sa.not_(grown), sa.func.greatest(birthday, dates.seen + _years(8), type_=sa.Integer)),
    }


def _us_mammography(dates: Dates) -> dict[str, KeptUntil]:
    taken = _number(exams.c.exam_date)
    return {
        "mammogram of more than 10 years ago": KeptUntil(sa.true(), taken + _years(10)),
        "mammogram of more than 5 years ago, with a later one": KeptUntil(
            dates.mammogram > taken, taken + _years(5)),
    }


def _archive(dates: Dates) -> dict[str, KeptUntil]:
    return {"past the date that the archive gave it": KeptUntil(sa.true(), dates.expires)}


RULES: dict[str, RetentionRule] = {
    "nhs": RetentionRule(
        "NHS England", "NHS Records Management Code of Practice: adults 8 years from last seen, children to their 25th "
        "birthday (26th if last seen at 17), screening 10 years, cancer 30 years", sa.true(), _nhs,
        needs_birth_year=True),
    "us_mammography": RetentionRule(
        "US mammography", "21 CFR 900.12(c)(4)(i): at least 5 years, 10 if no later mammogram is made at the facility, "
        "or longer where a State's law says so", exams.c.modality == literal("MG"), _us_mammography),
    "archive": RetentionRule(
        "Archive's own rule", "The expiration date that the archive itself holds for each study, such as the Study "
        "Expiration Date of dcm4chee-arc", sa.true(), _archive, needs_patient=False, needs_expiry=True),
}


@dataclass(frozen=True)
class Judged:
    """A rule over the exams of a snapshot.

    Attributes
    ----------
    source : ``exams`` with the patient's latest exams beside each.
    population : studies that the rule can be applied to.
    reasons : as `RetentionRule.reasons` gives them.
    last_seen : date of the patient's latest exam; empty where the patient is not known.
    left_out : reason to condition of the rest.
    """

    source: sa.FromClause
    population: Condition
    reasons: dict[str, KeptUntil]
    last_seen: Column
    left_out: dict[str, Condition]

    def due(self, today: int) -> dict[str, Condition]:
        """Return, by the reason, whether a study is past its time on a day (``20260131``)."""
        return {words: sa.and_(kept.applies, kept.day < literal(today)) for words, kept in self.reasons.items()}

    @property
    def kept_until(self) -> Column:
        """Return the last day, as a number, on which a study is kept, if its patient is not seen again."""
        days = [sa.case((kept.applies, kept.day)) for kept in self.reasons.values()]
        return sa.func.least(*days, type_=sa.Integer) if len(days) > 1 else days[0]


def judged(rule: RetentionRule, last_day: date | None) -> Judged:
    """Apply a rule to the exams of a snapshot whose last possible date is given."""
    last = _last_exams(last_day)
    # An equality alone: with a further condition DuckDB compares every exam with every patient.
    source = exams.outerjoin(last, last.c.patient_key == exams.c.patient_key)
    needs: dict[str, Condition] = {SIZE_UNKNOWN: size_known}
    if rule.needs_patient:
        needs["patient not known"] = _patient_known()
    if rule.needs_birth_year:
        needs["year of birth not known"] = exams.c.patient_birth_year.is_not(None)
    if rule.needs_expiry:
        needs["the archive gives no date"] = exams.c.expires_date.is_not(None)
    met, left = rule.population, {}
    for words, need in needs.items():
        left[words] = sa.and_(met, sa.not_(need))
        met = sa.and_(met, need)
    dates = Dates(_number(last.c.last_seen), _number(last.c.last_mammogram), _number(exams.c.expires_date))
    return Judged(source, met, rule.reasons(dates), last.c.last_seen, left)


_NEVER = ("This is a dry run: nothing is deleted. Cancer (30 years), litigation holds and studies needed for teaching "
          "or research cannot be told here; have each list checked by who answers for the records.")


@metric(MetricSpec(
    "storage.retention_due", "Due under a retention rule",
    "Bytes of the studies that are past the time a rule says to keep them, as a dry run: nothing is deleted. The date "
    "last seen is that of the patient's latest exam in this warehouse, at any site. Where the year of birth alone is "
    "known, who may still have been a child counts as one, and birthdays are at the end of the year. The archive's own "
    "rule is the expiration date that it holds for a study: past it means a later day than that. Studies of which what "
    "the rule needs (patient, year of birth, the archive's date) is not known are left out and counted, and are to be "
    "kept.",
    BYTES, "neutral", "; ".join(rule.citation for rule in RULES.values())))
def retention_due(warehouse: Warehouse, filters: Filters, rule: Rule = "nhs") -> MetricResult:
    """Sum the studies that a rule would let go, by the reason.

    Returns
    -------
    MetricResult
        Columns ``reason``, ``studies``, ``bytes``, ``seen_from``, ``seen_to`` (dates last seen; empty where the
        patient is not known, which the archive's own rule does not ask). ``rows`` are the
        studies that are due, each with its ``reason``, ``last_seen`` and ``size_bytes``: the proof.
    """
    scope, chosen = stored_in(warehouse, filters), RULES[rule]
    now = scope.as_of.date() if scope.as_of else date(1, 1, 1)
    found = judged(chosen, scope.last_day)
    due = found.due(now.year * 10_000 + now.month * 100 + now.day)
    rows = scope.rows(
        found.population, sa.or_(*due.values()), size_bytes=exams.c.size_bytes, last_seen=found.last_seen,
        reason=sa.case(*((condition, literal(words)) for words, condition in due.items()))).select_from(found.source)
    frame = warehouse.read(aggregate(rows, ("reason",), lambda c: {
        "studies": sa.func.count(), "bytes": total(c.size_bytes),
        "seen_from": sa.func.min(c.last_seen, type_=sa.Date), "seen_to": sa.func.max(c.last_seen, type_=sa.Date)}))
    frame = frame.sort_values("bytes", ascending=False, kind="stable").reset_index(drop=True)
    return MetricResult(
        METRICS["storage.retention_due"].spec, frame, "bytes", ("reason",), int(frame.studies.sum()),
        warehouse.revision, {"studies": STUDIES}, scope.left_out(found.left_out), rows, float(frame.bytes.sum()),
        (_NEVER, f"{chosen.name}: {chosen.citation}.", f"As of {now:%Y-%m-%d}."))


def _patient_known() -> Condition:
    key = sa.func.coalesce(exams.c.patient_key, literal(""), type_=sa.String)
    return sa.and_(key != literal(""), sa.not_(key.startswith("placeholder-")))


def _last_exams(last_day: date | None) -> sa.Subquery:
    """Return the latest exam and the latest mammogram of each patient who is known; wrong dates do not count."""
    mammogram = sa.case((exams.c.modality == literal("MG"), exams.c.exam_date))
    can_be = [exams.c.exam_date >= FIRST_EXAM_DATE, *([exams.c.exam_date <= last_day] if last_day else [])]
    return sa.select(
        exams.c.patient_key, sa.func.max(exams.c.exam_date, type_=sa.Date).label("last_seen"),
        sa.func.max(mammogram, type_=sa.Date).label("last_mammogram"),
    ).where(*can_be, _patient_known()).group_by(exams.c.patient_key).subquery("last_exams")
