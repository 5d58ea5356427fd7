"""Time: where several sources tell when an event of an exam happened, do they tell the same?"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from analytics.checks.base import Check
from analytics.checks.wording import evidence, instant, number, violated
from analytics.core.findings import CheckSpec, Severity
from analytics.core.precedence import IN_OBJECTS
from analytics.core.swim import EVENTS
from analytics.warehouse.event_times import place_of, told_by_several, told_in
from analytics.warehouse.expressions import literal, minutes_between
from analytics.warehouse.schema import events, exams, sources

_APART_MINUTES = 5
_PLAN = "ApptTime"
_EVENT = ("accession_number", "event")


def _told() -> sa.Subquery:
    """Return the first instant of each event by each that tells it, of the accession numbers that several tell of."""
    origin = told_in(events.c.origin)
    several = told_by_several().subquery("several")
    key = (events.c.accession_number, events.c.event, events.c.source_id, origin)
    return sa.select(
        *key[:3], origin.label("origin"), sa.func.min(events.c.event_at).label("event_at"),
    ).join(several, several.c.accession_number == events.c.accession_number).where(
        events.c.event != literal(_PLAN)).group_by(*key).subquery("told")


def _compared() -> sa.Subquery:
    """Return each event that several tell: by whom and when it counts, and the one farthest from that."""
    told = _told()
    place = place_of(told.c.event, sources.c.kind, told.c.origin)
    ranked = sa.select(*told.columns, sa.func.row_number().over(
        partition_by=[told.c[name] for name in _EVENT], order_by=(place, told.c.source_id, told.c.origin),
    ).label("place")).select_from(told.outerjoin(sources, sources.c.source_id == told.c.source_id)).subquery("ranked")
    used, other = ranked.alias("used"), ranked.alias("other")
    apart = sa.func.abs(minutes_between(used.c.event_at, other.c.event_at))
    pairs = sa.select(
        *(used.c[name] for name in _EVENT), used.c.event_at.label("used_at"), _by(used).label("used_by"),
        other.c.event_at.label("other_at"), _by(other).label("other_by"), apart.label("apart"),
        sa.func.row_number().over(partition_by=[used.c[name] for name in _EVENT],
                                  order_by=(apart.desc(), other.c.place)).label("nearness"),
    ).join_from(used, other, sa.and_(*(used.c[name] == other.c[name] for name in _EVENT))).where(
        used.c.place == literal(1), other.c.place > literal(1)).subquery("pairs")
    return sa.select(pairs).where(pairs.c.nearness == literal(1)).subquery("compared")


def _by(row: sa.FromClause) -> sa.ColumnElement[Any]:
    """Say who tells an event: the source's name, and the object in its archive where one does."""
    in_object = [(row.c.origin == literal(teller.origin), literal(f", {teller.label}")) for teller in IN_OBJECTS]
    return sa.func.concat(row.c.source_id, sa.case(*in_object, else_=literal("")))


class SourcesAgreeOnEvents(Check):
    """RIS, device and archive tell different times of one event: an interval depends on whom one asks."""

    spec = CheckSpec(
        id="TMP309", name="Sources agree on when an event happened", severity=Severity.WARNING, category="temporal",
        definition="Denominator: events of an exam that two or more tell: two sources, or a source and the objects in "
                   "an archive (MPPS, image, structured report). Violated where one of them tells it more than 5 "
                   "minutes from the one that counts. For start and completion the device's own report (MPPS) counts "
                   "before the event repository (SOLE) and the RIS, for reports and orders the RIS counts first. "
                   "Of each the first instant counts. Appointments are not compared: they are plans, and "
                   "change.",
        citation="DICOM PS3.17 2024e, R.6.3 (clocks of unsynchronized devices may be off by 5 to 10 minutes); IHE IT "
                 "Infrastructure, Consistent Time (CT); IHE Radiology, Standardized Operational Log of Events (SOLE)",
        fix_technologist="Start and complete the exam in the RIS when the device does, not at the end of the shift.",
        fix_administrator="The same difference in all exams of one device is a clock or a zone: set both to the "
                          "hospital's NTP server. Differences that vary are times typed by hand: take them from the "
                          "device's MPPS. Until then intervals use the source named as the one that counts.",
    )

    def candidates(self) -> sa.Select[Any]:
        compared = _compared()
        label = sa.case(*((compared.c.event == literal(event.name), literal(event.label)) for event in EVENTS))
        # Of several studies under one accession number one alone carries its events.
        carries = sa.or_(*(
            sa.and_(compared.c.event == literal(event.name), exams.c[event.column] == compared.c.used_at)
            for event in EVENTS))
        return sa.select(
            exams.c.source_id, exams.c.study_instance_uid, exams.c.accession_number, exams.c.site, exams.c.modality,
            exams.c.station_name, exams.c.exam_date.label("found_date"),
            violated(compared.c.apart > literal(_APART_MINUTES)),
            evidence(label, ": ", instant(compared.c.used_at), " by ", compared.c.used_by, " (counts), ",
                     instant(compared.c.other_at), " by ", compared.c.other_by, ", ", number(compared.c.apart, 1),
                     " min apart"),
        ).join_from(exams, compared, sa.and_(exams.c.accession_number == compared.c.accession_number, carries))
