"""Which exams an answer covers, the instant it is true at, and what it leaves out and why.

Every metric is the same two selects: ``rows``, one row an exam with its groups as columns, and an aggregate
over them. A mark on a chart therefore leads to just the exams that made it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from analytics.core.filters import Filters
from analytics.core.results import LeftOut
from analytics.core.settings import load_settings
from analytics.warehouse.expressions import conditions as filter_conditions
from analytics.warehouse.expressions import count_where
from analytics.warehouse.schema import Instant, exams, loads
from analytics.warehouse.store import Warehouse

Dimension = Literal["site", "modality", "station_name", "patient_class", "priority"]
Condition = sa.ColumnElement[bool]
Columns = sa.ColumnCollection[str, Any]

ROW_COLUMNS = ("exam_id", "study_instance_uid", "accession_number", "site", "modality", "station_name",
               "patient_class", "priority", "exam_date", "description")
"""What every select of exams carries, besides the groups of its metric."""

FIRST_EXAM_DATE = date(1980, 1, 1)
"""No archive holds a digital exam from before: ACR-NEMA 300 is of 1985. An earlier date is a wrong one."""

_RECORDED_BY_SERVERS = ("stored_at", "reported_at", "imaging_complete_at", "order_at")


def as_of(warehouse: Warehouse) -> datetime | None:
    """Return the instant a snapshot is true at: the last thing that the archive or the RIS recorded.

    The latest archive reception, order, completion or final report that is not later than the end of the last
    load: what a server wrote down can not lie after it was read, so a wrong date in the future does not count.
    Study dates (written by devices) count only where no server wrote down anything, as of an archive that is asked
    by C-FIND alone. Appointments (still to come) are not looked at, nor is the clock of the machine that asks: the
    same snapshot always gives the same answer.

    Returns
    -------
    datetime or None
        In UTC; ``None`` where the snapshot holds no exam.
    """
    loaded = warehouse.scalar(sa.select(sa.func.max(loads.c.finished_at, type_=Instant)))
    latest = [sa.func.max(_not_after(exams.c[name], loaded), type_=Instant).label(name)
              for name in (*_RECORDED_BY_SERVERS, "exam_at")]
    row = warehouse.arrow(sa.select(*latest)).to_pylist()[0]
    by_devices = row.pop("exam_at")
    return max((instant for instant in row.values() if instant is not None), default=by_devices)


def whole_until(now: datetime | None, site_zone: str | None = None) -> date | None:
    """Return the first day on the site's clock that a snapshot may not cover whole: the one its instant falls in.

    A day counts as over in its last hour, so that an export made up to midnight covers its last day.
    """
    if now is None:
        return None
    return (now.astimezone(ZoneInfo(site_zone or load_settings().site_zone)) + timedelta(hours=1)).date()


def _not_after(instant: sa.ColumnElement[Any], bound: datetime | None) -> sa.ColumnElement[Any]:
    return instant if bound is None else sa.case((instant <= sa.literal(bound, Instant), instant))


def aggregate(rows: sa.Select[Any], dimensions: tuple[str, ...],
              values: Callable[[Columns], Mapping[str, sa.ColumnElement[Any]]]) -> sa.Select[Any]:
    """Group a select of exams by its dimensions: one row a group, no dimension gives one row in all."""
    inner = rows.subquery("exam_rows")
    groups = [inner.c[name] for name in dimensions]
    return (sa.select(*groups, *(value.label(name) for name, value in values(inner.c).items()))
            .select_from(inner).group_by(*groups).order_by(*groups))


def undated(filters: Filters) -> Filters:
    """Return the filters without their period."""
    return filters.where(date_from=None, date_to=None)


class Scope:
    """The exams an answer covers: those of a population that the filters select and whose date can be.

    Parameters
    ----------
    warehouse : Warehouse
    filters : Filters
    population : condition
        What is counted at all: studies, orders.
    day : column, optional
        The date that the period is about; ``exam_date`` where not given.
    noun : str
        What one of the population is called in a reason.
    """

    def __init__(self, warehouse: Warehouse, filters: Filters, population: Condition,
                 day: sa.ColumnElement[Any] = exams.c.exam_date, noun: str = "exam") -> None:
        self.warehouse, self.filters, self.noun, self.day = warehouse, filters, noun, day
        self.as_of = as_of(warehouse)
        self._population = [population, *filter_conditions(undated(filters))]
        self._dates = filter_conditions(Filters(filters.date_from, filters.date_to), date_column=day)
        self._early = day < FIRST_EXAM_DATE
        self._late = day > self.last_day if self.last_day else sa.false()

    @property
    def whole_until(self) -> date | None:
        """Return the first day that may not be covered whole."""
        return whole_until(self.as_of)

    @property
    def last_day(self) -> date | None:
        """Return the last date an exam can have: that of the snapshot's instant, and one day for time zones."""
        return self.as_of.date() + timedelta(days=1) if self.as_of else None

    def rows(self, *where: Condition, **columns: sa.ColumnElement[Any]) -> sa.Select[Any]:
        """Return the exams, one row each: `ROW_COLUMNS` and the given columns under their names."""
        kept = [exams.c[name] for name in ROW_COLUMNS if name not in columns]
        return sa.select(*kept, *(column.label(name) for name, column in columns.items())).where(
            *self._population, *self._dates, self.day.is_not(None), sa.not_(self._early), sa.not_(self._late), *where)

    def left_out(self, reasons: Mapping[str, Condition] | None = None) -> tuple[LeftOut, ...]:
        """Count what the population holds and `rows` does not, and what further conditions leave out of it.

        Parameters
        ----------
        reasons : mapping of reason to condition, optional
            Conditions on exams that `rows` would otherwise give.
        """
        inside = sa.and_(self.day.is_not(None), *self._dates)
        counted: dict[str, Condition] = {
            f"{self.noun} without a date": self.day.is_(None),
            f"dated before {FIRST_EXAM_DATE.year}": sa.and_(inside, self._early),
            "dated after the last thing this snapshot knows of": sa.and_(inside, self._late),
        }
        plausible = sa.and_(inside, sa.not_(self._early), sa.not_(self._late))
        counted |= {reason: sa.and_(plausible, condition) for reason, condition in (reasons or {}).items()}
        numbered: list[Any] = [
            count_where(condition).label(f"n{index}") for index, condition in enumerate(counted.values())]
        select: sa.Select[Any] = sa.select(*numbered).select_from(exams).where(*self._population)
        numbers = self.warehouse.arrow(select).to_pylist()[0].values()
        return tuple(LeftOut(reason, int(n)) for reason, n in zip(counted, numbers, strict=True) if n)

    def window(self) -> tuple[date, date] | None:
        """Return the first and the last day that holds an exam; ``None`` where there is none."""
        first_last = aggregate(self.rows(covered_day=self.day), (), lambda c: {
            "first": sa.func.min(c.covered_day, type_=sa.Date), "last": sa.func.max(c.covered_day, type_=sa.Date)})
        row = self.warehouse.arrow(first_last).to_pylist()[0]
        return (row["first"], row["last"]) if row["first"] else None
