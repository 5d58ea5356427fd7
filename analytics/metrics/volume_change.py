"""What drove a change of studies: which sites, modalities and devices, and how much of it the calendar made."""

from __future__ import annotations

from datetime import date

import pandas as pd
import sqlalchemy as sa

from analytics.core.filters import Filters
from analytics.core.quantity import STUDIES
from analytics.core.results import MetricResult, MetricSpec
from analytics.core.settings import load_settings
from analytics.metrics.base import METRICS, metric
from analytics.metrics.change_words import days_sentence, drivers_sentence
from analytics.metrics.decomposition import Days, days_and_rate, nested
from analytics.metrics.scope import aggregate, undated
from analytics.metrics.volume import WHAT_COUNTS, studies_in
from analytics.metrics.windows import NOTHING_YET, WHICH_WINDOWS, Against, Windows, compared
from analytics.metrics.working_days import is_working_day, public_holidays
from analytics.warehouse.expressions import count_where, literal
from analytics.warehouse.schema import exams
from analytics.warehouse.store import Warehouse

_LEVELS = ("site", "modality", "station_name")
WORKING, OTHER = "Working day", "Weekend or holiday"


@metric(MetricSpec(
    "volume.drivers", "What drove the change in studies",
    "Studies of a window of days less those of an earlier one, split into sites, within them into modalities, within "
    "them into devices; each level sums exactly to the one above, and exams without a device are a group of their own. "
    "Of the exams that the filters select, a device is new where none up to the end of the earlier window is of its "
    "site, modality and name, and gone where none from the start of the later window on is. "
    f"{WHICH_WINDOWS} {WHAT_COUNTS}",
    STUDIES, "neutral", "Sums of differences, exact by themselves; DICOM PS3.3 2024e, C.7.5.1 (Station Name)"))
def drivers(warehouse: Warehouse, filters: Filters, against: Against | None = None) -> MetricResult:
    """Split the change of studies between two windows into sites, modalities and devices.

    Returns
    -------
    MetricResult
        Columns ``site``, ``modality``, ``station_name``, ``this``, ``before``, ``change``, ``state`` (``new``,
        ``gone`` or empty); the largest change first. The first note says it in words. ``rows`` carries ``window``:
        ``this`` or ``before``.

    Raises
    ------
    PacsmeterError
        See `analytics.metrics.windows.compared`.
    """
    spec = METRICS["volume.drivers"].spec
    windows = compared(studies_in(warehouse, filters), against)
    if windows is None:
        empty = pd.DataFrame({name: [] for name in (*_LEVELS, "this", "before", "change", "state")})
        return MetricResult(spec, empty, "change", _LEVELS, 0, warehouse.revision, notes=(NOTHING_YET,))
    scope = studies_in(warehouse, filters.where(date_from=windows.before_first, date_to=windows.last))
    day = exams.c.exam_date
    rows = scope.rows(sa.or_(windows.in_this(day), windows.in_before(day)), window=windows.window(day))
    known = warehouse.read(aggregate(studies_in(warehouse, undated(filters)).rows(), _LEVELS, lambda c: {
        "this": count_where(windows.in_this(c.exam_date)), "before": count_where(windows.in_before(c.exam_date)),
        "first_date": sa.func.min(c.exam_date, type_=sa.Date), "last_date": sa.func.max(c.exam_date, type_=sa.Date)}))
    first_known = pd.Timestamp(known.first_date.min()).date() if len(known) else None
    frame = _with_states(known, windows)
    leaves = {tuple(None if pd.isna(name) else str(name) for name in row[:3]): (int(row[3]), str(row[4]))
              for row in frame[[*_LEVELS, "change", "state"]].itertuples(index=False)}
    whole = nested(leaves)
    return MetricResult(
        spec, frame, "change", _LEVELS, int(frame.this.sum()), warehouse.revision, {}, scope.left_out(), rows,
        float(whole.change), (" ".join((drivers_sentence(whole), str(windows), *windows.uncovered(first_known))),))


def _with_states(known: pd.DataFrame, windows: Windows) -> pd.DataFrame:
    """Keep the groups with a study in either window, and say which devices are new and which gone."""
    frame = known[(known.this > 0) | (known.before > 0)].copy()
    named = frame.station_name.notna()
    new = named & (pd.to_datetime(frame.first_date) > pd.Timestamp(windows.before_last))
    gone = named & (pd.to_datetime(frame.last_date) < pd.Timestamp(windows.first))
    frame["change"] = frame.this - frame.before
    frame["state"] = new.map({True: "new", False: ""}).where(~gone, "gone")
    frame = frame.sort_values("change", key=abs, ascending=False, kind="stable").reset_index(drop=True)
    return frame[[*_LEVELS, "this", "before", "change", "state"]]


@metric(MetricSpec(
    "volume.change_by_days", "Calendar and studies a day",
    "Studies of a window of days less those of an earlier one, split exactly into more days (at the mean studies a day "
    "of both windows) and more studies a day (at the mean number of days), for working days and for the others. A "
    "working day is Monday to Friday and no public holiday of the country that PACSMETER_HOLIDAYS names; without it, "
    f"holidays count as working days. {WHICH_WINDOWS} {WHAT_COUNTS}",
    STUDIES, "neutral", "Shapley, A value for n-person games, 1953; Sun, Energy Economics 20, 1998; holidays (Python)"))
def change_by_days(warehouse: Warehouse, filters: Filters, against: Against | None = None) -> MetricResult:
    """Split the change of studies between two windows into days and studies a day.

    Returns
    -------
    MetricResult
        Columns ``day_kind``, ``this``, ``before``, ``change``, ``from_days``, ``from_rate``, ``days_this``,
        ``days_before``; the last two effects sum to the change. The first note says it in words.
    """
    spec = METRICS["volume.change_by_days"].spec
    windows = compared(studies_in(warehouse, filters), against)
    columns = ["day_kind", "this", "before", "change", "from_days", "from_rate", "days_this", "days_before"]
    if windows is None:
        empty = pd.DataFrame({name: [] for name in columns})
        return MetricResult(spec, empty, "change", ("day_kind",), 0, warehouse.revision, notes=(NOTHING_YET,))
    scope = studies_in(warehouse, filters.where(date_from=windows.before_first, date_to=windows.last))
    day = exams.c.exam_date
    country = load_settings().holidays
    closed = public_holidays(country, (*windows.days(before=True), *windows.days(before=False)))
    works = sa.and_(sa.extract("isodow", day) <= literal(5), day.not_in(sorted(closed)))
    rows = scope.rows(sa.or_(windows.in_this(day), windows.in_before(day)), window=windows.window(day),
                      day_kind=sa.case((works, literal(WORKING)), else_=literal(OTHER)))
    found = {row["day_kind"]: row for row in warehouse.arrow(aggregate(rows, ("day_kind",), lambda c: {
        "this": count_where(c.window == "this"), "before": count_where(c.window == "before")})).to_pylist()}
    frame = pd.DataFrame([_kind_of_day(kind, found.get(kind, {}), windows, closed) for kind in (WORKING, OTHER)],
                         columns=columns)
    working = frame.iloc[0]
    said = days_sentence(int(frame.from_days.sum()), int(frame.from_rate.sum()), int(working.days_this),
                         int(working.days_before))
    unknown = () if country else ("Public holidays count as working days: PACSMETER_HOLIDAYS does not say whose.",)
    return MetricResult(
        spec, frame, "change", ("day_kind",), int(frame.this.sum()), warehouse.revision,
        {"days_this": "d", "days_before": "d"}, scope.left_out(), rows, float(frame.change.sum()),
        (" ".join((said, str(windows), *unknown)),))


def _kind_of_day(kind: str, counted: dict[str, int], windows: Windows, closed: set[date]) -> tuple[str | int, ...]:
    days_this, days_before = (
        sum(is_working_day(day, closed) == (kind == WORKING) for day in windows.days(before))
        for before in (False, True))
    this, before = int(counted.get("this", 0)), int(counted.get("before", 0))
    days, rate = days_and_rate(Days(days_before, before), Days(days_this, this))
    return kind, this, before, this - before, days, rate, days_this, days_before
