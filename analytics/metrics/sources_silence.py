"""Sources: devices that have stopped sending, told from those that rest and those that were taken out of service."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

import pandas as pd
import sqlalchemy as sa

from analytics.core.filters import Filters
from analytics.core.quantity import PERCENT, STUDIES
from analytics.core.results import LeftOut, MetricResult, MetricSpec
from analytics.core.settings import load_settings
from analytics.metrics.base import METRICS, metric
from analytics.metrics.rhythm import LEARNED_DAYS, days_between, rhythm_of
from analytics.metrics.scope import Scope, aggregate, as_of, whole_until
from analytics.metrics.volume import studies_in
from analytics.metrics.working_days import public_holidays
from analytics.warehouse.schema import Instant, exams
from analytics.warehouse.store import Warehouse

SILENT, SENDING, OUT_OF_SERVICE = "silent", "sending", "out of service"
RARE = 1e-4
"""With 30 devices looked at every day, about one false alarm a year."""
FEWEST_DAYS = 5
"""Days with studies from which a rhythm can be learned."""
_DEVICE = ("site", "station_name")
_COLUMNS = (*_DEVICE, "state", "latest", "silent_days", "working_days", "longest_before", "studies_a_week", "chance")
_DAYS = "d"


@metric(MetricSpec(
    "sources.silent_devices", "Silent devices",
    "Days since each device's (Station Name) latest study that are its own working days: whole days, of the weekdays "
    "on which it made a study at least every second time in the eight weeks before that study (every weekday where "
    "there is none such); public holidays go as Sundays. Beside it the days since in all, its longest such silence in "
    "those eight weeks, its studies a week, and the chance of so long a silence for a device that goes on as it did "
    "(from the share of its days with studies, days taken as independent). It is silent where that chance is below 1 "
    "in 10,000 and it has never been silent so long in the eight weeks; out of service, and left out here, after "
    f"{LEARNED_DAYS} days. Silence counts up to the last whole day of which the archive that holds its studies knows: "
    "an archive that is itself behind is told by its freshness. The end of a chosen period is the day looked at; its "
    f"start does not count. Devices with studies on fewer than {FEWEST_DAYS} days of the eight weeks are left out and "
    "counted, and studies that name no device.",
    _DAYS, "lower", "Gelman A et al., Bayesian Data Analysis, 3rd ed. 2013, 2.4 and 2.8 (binomial model, Jeffreys' "
    "prior, prediction); DICOM PS3.3 2024e, C.7.5.1 (Station Name (0008,1010))"))
def silent_devices(warehouse: Warehouse, filters: Filters, out_of_service: bool = False,
                   site_zone: str | None = None) -> MetricResult:
    """Say of each device how long it has been silent, in its own rhythm.

    Parameters
    ----------
    out_of_service : bool
        Whether those that were silent for more than eight weeks are given, and not those in use.

    Returns
    -------
    MetricResult
        Columns ``site``, ``station_name``, ``state`` (silent, sending or out of service), ``latest`` (date),
        ``silent_days``, ``working_days``, ``longest_before`` (days), ``studies_a_week``, ``chance`` (percent); the
        least likely silence first. The headline is the longest silence of a silent device. ``rows`` are all studies
        of the devices.
    """
    known = _known_until(warehouse, site_zone or load_settings().site_zone)
    if not known:
        return _result(warehouse, _frame([]), 0)
    end = min(filters.date_to or date.max, max(day for day, _ in known.values()))
    scope = studies_in(warehouse, filters.where(date_from=None, date_to=end))
    devices = _devices(scope)
    old = (pd.Timestamp(end) - devices.latest).dt.days > LEARNED_DAYS
    retired = [{**row, "state": OUT_OF_SERVICE, "silent_days": (end - row["latest"].date()).days}
               for row in devices[old].to_dict("records")]
    judged, few = _judge(scope, devices[~old], known, end)
    frame = _frame(retired if out_of_service else judged)
    other = (f"in use: a study within {LEARNED_DAYS} days", len(judged) + few) if out_of_service else (
        f"device out of service: no study for more than {LEARNED_DAYS} days", len(retired))
    left = [LeftOut("study that names no device", warehouse.count(scope.rows(exams.c.station_name.is_(None)))),
            LeftOut(*other)]
    if not out_of_service:
        left.append(LeftOut(f"device with studies on fewer than {FEWEST_DAYS} days of its eight weeks", few))
    rows = scope.rows(exams.c.station_name.is_not(None))
    return _result(warehouse, frame, len(frame), (*scope.left_out(), *(item for item in left if item.n)), rows,
                   _behind(devices[~old], known, end))


def silence_in_words(row: Mapping[Any, Any]) -> str:
    """Say of a row of `silent_devices` how long the device is silent, and what it did before."""
    a_week, missed = round(row["studies_a_week"]), int(row["longest_before"])
    rate = "less than 1 study" if row["studies_a_week"] < 1 else "1 study" if a_week == 1 else f"{a_week:,} studies"
    before = "it missed no working day" if not missed else "it missed 1 working day at most" if missed == 1 else (
        f"it missed {missed} working days in a row at most")
    days = int(row["silent_days"])
    return (f"{row['station_name']} has sent nothing for {days} day{'s' if days > 1 else ''}, after {rate} a week; in "
            f"the {LEARNED_DAYS // 7} weeks before {before}.")


def _known_until(warehouse: Warehouse, zone: str) -> dict[str | None, tuple[date, date]]:
    """Return the last day each archive knows of, and its last whole one; no filter applies.

    An archive is asked for itself: one that was read two days before the RIS knows nothing of those two days.
    """
    now = as_of(warehouse)
    at = sa.func.coalesce(exams.c.stored_at, exams.c.exam_at)
    latest = sa.func.max(sa.case((at <= sa.literal(now, Instant), at)), type_=Instant).label("at")
    found = warehouse.arrow(sa.select(exams.c.source_id, latest).where(exams.c.has_study).group_by(
        exams.c.source_id)).to_pylist() if now else []
    return {row["source_id"]: _days_of(row["at"], zone) for row in found if row["at"] is not None}


def _days_of(at: datetime, zone: str) -> tuple[date, date]:
    until = whole_until(at, zone)
    assert until is not None
    last_whole = until - timedelta(days=1)
    return max(pd.Timestamp(at).tz_convert(zone).date(), last_whole), last_whole


def _devices(scope: Scope) -> pd.DataFrame:
    """Return each device's first and latest day with a study, and the archive that holds the latest."""
    rows = scope.rows(exams.c.station_name.is_not(None), source_id=exams.c.source_id)
    found = scope.warehouse.read(aggregate(rows, (*_DEVICE, "source_id"), lambda c: {
        "first": sa.func.min(c.exam_date, type_=sa.Date), "latest": sa.func.max(c.exam_date, type_=sa.Date)}))
    found["first"], found["latest"] = pd.to_datetime(found["first"]), pd.to_datetime(found.latest)
    first = found.groupby(list(_DEVICE), dropna=False)["first"].transform("min")
    return found.assign(first=first).sort_values("latest", kind="stable").drop_duplicates(
        list(_DEVICE), keep="last").reset_index(drop=True)


def _judge(scope: Scope, devices: pd.DataFrame, known: Mapping[str | None, tuple[date, date]],
           end: date) -> tuple[list[dict[str, Any]], int]:
    """Judge the silence of devices in use; return them, and how many have too few days for it."""
    if devices.empty:
        return [], 0
    begins = devices.latest.min().date() - timedelta(days=LEARNED_DAYS)
    daily = scope.warehouse.read(aggregate(
        scope.rows(exams.c.exam_date >= begins, exams.c.station_name.is_not(None)), (*_DEVICE, "exam_date"),
        lambda _: {"studies": sa.func.count()}))
    daily["day"] = pd.to_datetime(daily.exam_date).dt.date
    of_device = {_key(part.iloc[0]): part for _, part in daily.groupby(list(_DEVICE), dropna=False)}
    closed = public_holidays(load_settings().holidays, days_between(begins, end))
    judged, few = [], 0
    for row in devices.to_dict("records"):
        part = of_device[_key(row)]
        first, latest = row["first"].date(), row["latest"].date()
        last_day, last_whole = known.get(row["source_id"], (end, end))
        rhythm = rhythm_of(part.day, first, latest, closed)
        if sum(rhythm.used) < FEWEST_DAYS:
            few += 1
            continue
        silence = days_between(latest + timedelta(days=1), min(end, last_whole))
        chance, working = rhythm.chance_of_silence(silence), rhythm.working_days(silence)
        before = part[(part.day < latest) & (part.day >= latest - timedelta(days=LEARNED_DAYS)) & (part.day > first)]
        judged.append({
            **row, "state": SILENT if chance < RARE and working > rhythm.longest else SENDING,
            "silent_days": max(0, (min(end, last_day) - latest).days), "working_days": working,
            "longest_before": rhythm.longest, "studies_a_week": 7 * int(before.studies.sum()) / sum(rhythm.seen),
            "chance": 100 * chance})
    return judged, few


def _key(row: Mapping[Any, Any]) -> tuple[str, str]:
    """Return what tells a device from others; a site that is not named would not be equal to itself."""
    return "" if pd.isna(row["site"]) else str(row["site"]), str(row["station_name"])


def _behind(devices: pd.DataFrame, known: Mapping[str | None, tuple[date, date]], end: date) -> tuple[str, ...]:
    """Name the archives whose last whole day is more than a day behind the day that is looked at."""
    names = sorted({str(name) for name in devices.source_id if name in known
                    and (end - known[name][1]).days > 1})
    return tuple(f"{name} is known up to {known[name][1]:%-d %b %Y} alone: silence of its devices counts up to there."
                 for name in names)


def _frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=list(_COLUMNS)).astype({
        "latest": "datetime64[ns]", "silent_days": "int64", "working_days": "Int64", "longest_before": "Int64",
        "studies_a_week": "float64", "chance": "float64"})
    return frame.sort_values(["chance", "silent_days", "station_name"], ascending=[True, False, True],
                             kind="stable").reset_index(drop=True)


def _result(warehouse: Warehouse, frame: pd.DataFrame, n: int, left_out: tuple[LeftOut, ...] = (),
            rows: sa.Select[Any] | None = None, notes: tuple[str, ...] = ()) -> MetricResult:
    silent = frame.working_days[frame.state == SILENT]
    return MetricResult(
        METRICS["sources.silent_devices"].spec, frame, "working_days", _DEVICE, n, warehouse.revision,
        {"silent_days": _DAYS, "longest_before": _DAYS, "studies_a_week": STUDIES, "chance": PERCENT}, left_out, rows,
        float(silent.max()) if len(silent) else (0.0 if n else None), notes)
