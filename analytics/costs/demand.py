"""What has to be stored: bytes, images and studies by age, and how fast they grow, measured in the warehouse."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import sqlalchemy as sa
from scipy.stats import linregress
from scipy.stats import t as student

from analytics.core.errors import PacsmeterError
from analytics.core.filters import Filters
from analytics.core.results import LeftOut
from analytics.core.terms import TRANSFER_SYNTAXES
from analytics.metrics.scope import as_of
from analytics.warehouse.expressions import conditions, count_where, literal, period_start, total
from analytics.warehouse.schema import archives, exams
from analytics.warehouse.store import Warehouse

OLDEST = 25
"""Years of study age told apart; what is older counts with the oldest."""
LONGEST_FIT = 60
"""Months of history a growth is fitted to at most."""
MEASURES = ("studies", "objects", "bytes")


@dataclass(frozen=True)
class Growth:
    """Yearly growth fitted to monthly totals, as a fraction, with its 95 % interval.

    Least squares on the logarithm of complete months. ``None`` where history is shorter than 13 months.
    """

    rate: float | None
    low: float | None
    high: float | None
    months: int


@dataclass(frozen=True)
class Demand:
    """What has to be stored, by cohort of age.

    Attributes
    ----------
    as_of : last day of the data.
    cohorts : columns ``studies``, ``objects`` (DICOM instances), ``bytes``; index ``cohort``: 0 the twelve
        months up to ``as_of``, -1 the twelve before.
    uncompressed : bytes in uncompressed transfer syntaxes; same index, one column a modality.
    by_modality : columns ``studies``, ``objects``, ``bytes``; index ``modality``: everything held.
    growth : yearly growth of each of ``studies``, ``objects``, ``bytes``.
    capacity_bytes : capacity of the arrays, ``None`` where no archive is recorded.
    hardware_age_years : whole years since the arrays went into service, ``None`` where not recorded.
    """

    as_of: dt.date
    cohorts: pd.DataFrame
    uncompressed: pd.DataFrame
    by_modality: pd.DataFrame
    growth: dict[str, Growth]
    capacity_bytes: float | None = None
    hardware_age_years: int | None = None
    revision: int = 0
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def bytes_held(self) -> float:
        """Return the bytes held today."""
        return float(self.cohorts["bytes"].sum())


def _years_before(day: dt.date, years: int) -> dt.date:
    return day.replace(year=day.year - years, day=min(day.day, 28)) if day.month == 2 else day.replace(
        year=day.year - years)


def _cohort(day: sa.ColumnElement[Any], as_of: dt.date) -> sa.ColumnElement[int]:
    """Return 0 for the twelve months up to a day, -1 for the twelve before, and so on."""
    starts = [(day > sa.literal_column(f"DATE '{_years_before(as_of, years)}'", sa.Date), literal(1 - years))
              for years in range(1, OLDEST)]
    return sa.case(*starts, else_=literal(1 - OLDEST))


# A study cannot have been made after it was stored: a later exam date is a fault of the device's clock.
_DAY = sa.case((exams.c.exam_date > exams.c.stored_date, exams.c.stored_date),
               else_=sa.func.coalesce(exams.c.exam_date, exams.c.stored_date))


def fit_growth(monthly: pd.Series) -> Growth:
    """Fit yearly growth to monthly totals.

    Parameters
    ----------
    monthly : Series
        Totals of complete months in order, without gaps.

    Returns
    -------
    Growth
        exp(12 x slope) - 1 of a straight line through the logarithms of the months, going back to the first
        month that holds less than a tenth of a usual one (median of the last twelve), at most `LONGEST_FIT`.
    """
    values = monthly.to_numpy(dtype=float)[-LONGEST_FIT:]
    usual = float(np.median(values[-12:])) if values.size else 0.0
    thin = np.flatnonzero(values < usual / 10)
    values = values[thin[-1] + 1:] if thin.size else values
    if values.size < 13 or usual <= 0:
        return Growth(None, None, None, int(values.size))
    line = linregress(np.arange(values.size), np.log(values))
    half = float(student.ppf(0.975, values.size - 2)) * line.stderr
    low, rate, high = (float(np.expm1(12 * slope)) for slope in (line.slope - half, line.slope, line.slope + half))
    return Growth(rate, low, high, int(values.size))


def _totals() -> list[sa.ColumnElement[Any]]:
    return [sa.func.count().label("studies"), total(exams.c.number_of_instances).label("objects"),
            total(exams.c.size_bytes).label("bytes")]


def _monthly(warehouse: Warehouse, where: list[sa.ColumnElement[bool]], as_of: dt.date) -> pd.DataFrame:
    """Return the totals of complete months, a missing month as zero."""
    month = period_start(_DAY, "month")
    columns = [month.label("month"), *_totals()]
    frame = warehouse.read(sa.select(*columns).where(*where).group_by(month).order_by(month))
    months = pd.PeriodIndex(pd.to_datetime(frame.pop("month")), freq="M")
    last = pd.Period(as_of, freq="M")
    last = last if (as_of + dt.timedelta(days=1)).day == 1 else last - 1
    wanted = pd.period_range(last - LONGEST_FIT + 1, last, freq="M")
    frame = frame.set_axis(months)
    first_whole = months.min() + 1 if len(months) else last
    return frame.reindex(wanted[wanted >= first_whole], fill_value=0)


def _as_of(warehouse: Warehouse, filters: Filters) -> dt.date:
    """Return the day the snapshot is true at, or the end of the period asked for where that is earlier."""
    instant = as_of(warehouse)
    found = instant.date() if instant else warehouse.scalar(sa.select(sa.func.max(exams.c.exam_date)))
    if found is None:
        raise _nothing()
    return min(found, filters.date_to) if filters.date_to else found


def _nothing() -> PacsmeterError:
    return PacsmeterError("No study in the archive matches the filters, so there is nothing to cost",
                          "Widen the filters or load a source.")


def _uncompressed() -> sa.ColumnElement[bool]:
    plain = [syntax.uid for syntax in TRANSFER_SYNTAXES.values() if not syntax.compressed]
    return sa.func.coalesce(exams.c.transfer_syntax_uid, literal("")).in_([literal(uid) for uid in plain])


def _arrays(warehouse: Warehouse, filters: Filters, as_of: dt.date) -> tuple[float, float | None, int | None]:
    """Return bytes from before the index, capacity, and age of the arrays that serve the sites asked for."""
    if any((filters.modalities, filters.station_names, filters.patient_classes, filters.priorities,
            filters.date_from)):
        return 0.0, None, None
    where = [archives.c.site.in_(filters.sites)] if filters.sites else []
    columns: list[sa.ColumnElement[Any]] = [
        sa.func.count().label("n"), total(archives.c.used_bytes_before).label("before"),
        total(archives.c.capacity_bytes).label("capacity"), sa.func.min(archives.c.in_service_date).label("since")]
    row = warehouse.read(sa.select(*columns).where(*where)).iloc[0]
    if row.n == 0:
        return 0.0, None, None
    age = None if pd.isna(row.since) else max(0, (as_of - pd.Timestamp(row.since).date()).days // 365)
    return float(row.before), float(row.capacity) or None, age


def measured_demand(warehouse: Warehouse, filters: Filters) -> Demand:
    """Measure what has to be stored: studies in the archive by age, modality and encoding, and their growth.

    A study's age counts from its exam date, or from the day it was stored where that is earlier or the only
    one known. Bytes are as stored.

    Raises
    ------
    PacsmeterError
        Where no study matches the filters.
    """
    where = [exams.c.has_study, *conditions(filters, date_column=_DAY)]
    last = _as_of(warehouse, filters)
    cohort, modality = _cohort(_DAY, last), sa.func.coalesce(exams.c.modality, literal("unknown"))
    uncompressed = _uncompressed()
    columns = [cohort.label("cohort"), modality.label("modality"), uncompressed.label("plain"), *_totals()]
    select = sa.select(*columns).where(*where, _DAY.is_not(None)).group_by(cohort, modality, uncompressed)
    frame = warehouse.read(select).astype(dict.fromkeys(MEASURES, float))
    if frame.empty:
        raise _nothing()
    faulty: list[sa.ColumnElement[Any]] = [
        count_where(exams.c.size_bytes.is_(None)).label("unsized"), count_where(_DAY.is_(None)).label("undated"),
        count_where(exams.c.number_of_instances.is_(None)).label("uncounted")]
    faults = warehouse.read(sa.select(*faulty).where(*where)).iloc[0]
    before, capacity, age = _arrays(warehouse, filters, last)
    cohorts = frame.groupby("cohort")[list(MEASURES)].sum()
    cohorts = cohorts.reindex(range(int(min(cohorts.index.min(), 0)), 1), fill_value=0.0)
    notes = []
    if before > 0:
        cohorts = _with_earlier(cohorts, before)
        notes.append("Bytes stored before the index begins have no known age; they count as of the year before its "
                     "first full one, with as many images and studies a byte as the rest.")
    plain = frame[frame.plain].pivot_table(index="cohort", columns="modality", values="bytes", aggfunc="sum")
    monthly = _monthly(warehouse, [*where, sa.literal(last) >= _DAY], last)
    return Demand(
        as_of=last, cohorts=cohorts, uncompressed=plain.reindex(cohorts.index).fillna(0.0),
        by_modality=frame.groupby("modality")[list(MEASURES)].sum().sort_values("bytes", ascending=False),
        growth={name: fit_growth(monthly[name]) for name in MEASURES},
        capacity_bytes=capacity, hardware_age_years=age, revision=warehouse.revision, notes=tuple(notes),
        left_out=(LeftOut("studies whose size is not known: counted, with no bytes", int(faults.unsized)),
                  LeftOut("studies whose number of images is not known: counted, with none", int(faults.uncounted)),
                  LeftOut("studies without any date: not counted", int(faults.undated))))


def _with_earlier(cohorts: pd.DataFrame, before: float) -> pd.DataFrame:
    """Add the bytes from before the index, with images and studies in proportion, to the year before it begins."""
    held = cohorts.sum()
    share = before / held["bytes"] if held["bytes"] else 0.0
    year = _index_begins(cohorts["studies"]) - 1
    whole = cohorts.reindex(range(min(year, int(cohorts.index.min())), 1), fill_value=0.0).rename_axis("cohort")
    whole.loc[year] += [held["studies"] * share, held["objects"] * share, before]
    return whole


def _index_begins(studies: pd.Series) -> int:
    """Return the cohort the index begins with: the first of those up to today that hold a tenth of the latest.

    A few studies of wrong dates, or of another archive, from decades before do not make the index older: all that
    was stored before it would then count as that old, and as past its retention.
    """
    thin = studies.index[studies < studies.iloc[-1] / 10]
    return int(thin.max()) + 1 if len(thin) else int(studies.index.min())
