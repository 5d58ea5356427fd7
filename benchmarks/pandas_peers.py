"""The main select of each page, once more in pandas: as a peer for its speed, and as a second opinion on its answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pandas as pd
import pyarrow as pa
import sqlalchemy as sa

from analytics.core.filters import Filters
from analytics.core.settings import load_settings
from analytics.metrics.catalog import compute
from analytics.metrics.scope import FIRST_EXAM_DATE, as_of, whole_until
from analytics.metrics.windows import chosen_days
from analytics.warehouse.schema import exams
from analytics.warehouse.store import Warehouse

_NAMES = ("site", "modality", "station_name", "priority", "transfer_syntax_uid")
_INSTANTS = ("images_prepared_at", "images_stored_at", "reported_at", "procedure_start_at", "imaging_complete_at",
             "stored_at", "exam_cancelled_at")
_OTHERS = ("has_study", "has_order", "exam_date", "stored_date", "exam_hour", "exam_weekday", "size_bytes")



@dataclass(frozen=True)
class Peer:
    """One page's main select, in pandas.

    Attributes
    ----------
    metric_id, options : the metric whose first select it is.
    columns : of the metric's frame that it gives as well.
    work : from the exams in memory to that frame.
    """

    page: str
    metric_id: str
    options: dict[str, Any]
    columns: tuple[str, ...]
    work: Callable[[pd.DataFrame], pd.DataFrame]

    def select(self, warehouse: Warehouse) -> sa.Select[Any]:
        """Return the metric's own select: the one whose answer has its dimensions."""
        noted: list[Any] = []
        ask = warehouse.arrow

        def noting(select: Any) -> pa.Table:
            noted.append(select)
            return ask(select)

        warehouse.arrow = noting  # type: ignore[method-assign]
        try:
            found = compute(self.metric_id, warehouse, Filters(), **self.options)
        finally:
            del warehouse.arrow
        return next(select for select in noted
                    if [column.name for column in select.selected_columns][:len(found.dimensions)]
                    == list(found.dimensions))


def _dated(found: pd.DataFrame, day: str = "exam_date") -> pd.Series:
    """Whether each exam has a date that can be."""
    last = pd.Timestamp(found.attrs["last_day"])
    return found[day].between(pd.Timestamp(FIRST_EXAM_DATE), last)


def _minutes(found: pd.DataFrame, start: str, end: str) -> pd.Series:
    return (found[end] - found[start]).dt.total_seconds() / 60


def _month(days: pd.Series) -> pd.Series:
    return days.dt.to_period("M").dt.to_timestamp()


def _grouped(found: pd.DataFrame, by: list[str]) -> Any:
    return found.groupby(by, observed=True, dropna=False)


def _volume(found: pd.DataFrame) -> pd.DataFrame:
    kept = found[found.has_study & _dated(found)]
    return _grouped(kept.assign(period=_month(kept.exam_date)), ["period", "modality"]).agg(
        studies=("has_study", "size"), bytes=("size_bytes", "sum")).reset_index()


def _unread(found: pd.DataFrame) -> pd.DataFrame:
    ready, now = found.images_prepared_at.fillna(found.images_stored_at), found.attrs["as_of"]
    kept = found[found.has_order & _dated(found) & found.reported_at.isna() & found.exam_cancelled_at.isna()
                 & (ready <= now)].assign(minutes=(now - ready).dt.total_seconds() / 60)
    return _grouped(kept, ["site"]).minutes.agg(
        unread="size", median_age="median", over_3_days=lambda values: (values >= 3 * 1440).sum()).reset_index()


def _arriving(found: pd.DataFrame) -> pd.DataFrame:
    first, last = (pd.Timestamp(day) for day in found.attrs["window"])
    kept = found[found.has_study & found.stored_date.between(first, last) & found.size_bytes.notna()]
    hours = kept.stored_at.dt.tz_convert(load_settings().site_zone).dt.hour
    return _grouped(kept.assign(weekday=kept.stored_date.dt.dayofweek + 1, hour=hours), ["weekday", "hour"]).agg(
        studies=("has_study", "size")).reset_index()


def _medians(found: pd.DataFrame) -> pd.DataFrame:
    return _turnaround(found, [])


def _turnaround(found: pd.DataFrame, by: list[str] | None = None) -> pd.DataFrame:
    valid = found.has_order & _dated(found) & found.exam_cancelled_at.isna()
    minutes = _minutes(found, "images_prepared_at", "reported_at")
    kept = found[valid & (minutes >= 0)].assign(minutes=minutes)
    return _grouped(kept.assign(period=_month(kept.exam_date)), ["period", *(["priority"] if by is None else by)]
                    ).minutes.agg(
        n="size", median="median", p90=lambda values: values.quantile(0.9)).reset_index()


def _durations(found: pd.DataFrame) -> pd.DataFrame:
    minutes = _minutes(found, "procedure_start_at", "imaging_complete_at")
    kept = found[_dated(found) & found.has_order & found.exam_cancelled_at.isna() & found.station_name.notna()
                 & (minutes >= 0) & (minutes < 1440)].assign(minutes=minutes)
    return _grouped(kept, ["site", "station_name"]).minutes.agg(
        exams="size", median_duration="median", busy=lambda values: values.sum() / 60).reset_index()


def _delays(found: pd.DataFrame) -> pd.DataFrame:
    minutes = _minutes(found, "imaging_complete_at", "stored_at")
    kept = found[found.has_study & found.has_order & _dated(found) & (minutes >= 0)].assign(minutes=minutes)
    return _grouped(kept.assign(period=_month(kept.exam_date)), ["period", "site", "station_name"]).minutes.agg(
        n="size", median="median", p90=lambda values: values.quantile(0.9)).reset_index()


def _syntaxes(found: pd.DataFrame) -> pd.DataFrame:
    day = found.stored_date.fillna(found.exam_date)
    kept = found[found.has_study & _dated(found.assign(day=day), "day") & found.size_bytes.notna()]
    return _grouped(kept, ["transfer_syntax_uid"]).size_bytes.agg(bytes="sum", studies="size").reset_index()


PEERS = (
    Peer("Overview", "turnaround.swim_rtat", {}, ("n", "median", "p90"), _medians),
    Peer("Volume", "volume.studies_by_period", {"period": "month", "by": "modality"}, ("studies", "bytes"), _volume),
    Peer("Turnaround", "turnaround.swim_rtat", {"period": "month", "by": "priority"}, ("n", "median", "p90"),
         _turnaround),
    Peer("Backlog", "backlog.unread_now", {}, ("unread", "median_age", "over_3_days"), _unread),
    Peer("Network", "network.by_hour", {}, ("studies",), _arriving),
    Peer("Utilization", "utilization.by_device", {}, ("exams", "median_duration", "busy"), _durations),
    Peer("Sources", "sources.transfer_delay", {}, ("n", "median", "p90"), _delays),
    Peer("Storage", "storage.by_transfer_syntax", {}, ("bytes", "studies"), _syntaxes),
)


def exams_in_memory(warehouse: Warehouse) -> pd.DataFrame:
    """Return the columns of all exams that the peers need, as pandas holds them best: few names as categories."""
    now = as_of(warehouse)
    assert now is not None
    parts: dict[str, pd.Series] = {}
    for name in (*_NAMES, *_INSTANTS, *_OTHERS):
        # A column at a time, in one order: all at once would be in memory twice.
        column = warehouse.arrow(sa.select(exams.c[name]).order_by(sa.literal_column("rowid"))).column(0)
        kept = column.combine_chunks().dictionary_encode() if name in _NAMES else column
        parts[name] = kept.to_pandas(date_as_object=False) if isinstance(kept, pa.ChunkedArray) else pd.Series(
            pd.Categorical.from_codes(kept.indices.fill_null(-1).to_numpy(zero_copy_only=False),
                                      kept.dictionary.to_pylist()))
    frame = pd.DataFrame(parts)
    over = whole_until(now)
    assert over is not None
    frame.attrs |= {"last_day": (now + timedelta(days=1)).date(), "as_of": pd.Timestamp(now),
                    "window": chosen_days(Filters(), over)}
    return frame


def disagreement(peer: Peer, warehouse: Warehouse, given: pd.DataFrame) -> float:
    """Return by how much, relative to the value, pandas and the metric differ at most."""
    asked = compute(peer.metric_id, warehouse, Filters(), **peer.options)
    keys = [name for name in asked.dimensions if name in given]
    ours, theirs = (frame.assign(**{key: frame[key].astype("string") for key in keys}).set_index(keys).sort_index()
                    for frame in (asked.frame, given))
    both = ours.join(theirs, lsuffix="_ours", rsuffix="_theirs", how="outer")
    worst = 0.0
    for name in peer.columns:
        left, right = both[f"{name}_ours"].astype(float), both[f"{name}_theirs"].astype(float)
        worst = max(worst, float(((left - right).abs() / right.abs().clip(lower=1)).fillna(1.0).max()))
    return worst


