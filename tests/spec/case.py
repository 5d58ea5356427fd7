"""A hand-computed table: rows in, numbers out. It is the proof of a metric, and the clearest account of it."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import sqlalchemy as sa

from analytics.core.filters import Filters
from analytics.core.results import MetricResult
from analytics.metrics.catalog import compute
from analytics.warehouse.store import Warehouse
from tests.support import Rows

EVERYTHING = Filters()
Tables = Mapping[sa.Table, Rows]


def at(text: str) -> dt.datetime:
    """Read ``2026-03-02 09:30`` as an instant in UTC, which is the site's clock too."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def exam(number: int, when: str | None, *, study: bool = True, order: bool = True, **columns: Any) -> dict[str, Any]:
    """One row of ``exams``: its instants are given as text, its hour and weekday follow from ``when``."""
    moment = at(when) if when else None
    instants = {name: at(value) if isinstance(value, str) else value
                for name, value in columns.items() if name.endswith("_at")}
    plain = {name: value for name, value in columns.items() if not name.endswith("_at")}
    stored = instants.get("stored_at")
    return {
        "exam_id": f"1.2.{number}" if study else f"order:A{number}",
        "study_instance_uid": f"1.2.{number}" if study else None, "accession_number": f"A{number}",
        "source_id": "archive", "has_study": study, "has_order": order, "patient_key": f"p{number}",
        "exam_at": moment, "exam_date": moment.date() if moment else None,
        "exam_hour": moment.hour if moment else None, "exam_weekday": moment.isoweekday() if moment else None,
        "stored_date": stored.date() if stored else None, **plain, **instants,
    }


@dataclass(frozen=True)
class Case:
    """What a metric says of a family's rows.

    Attributes
    ----------
    expected : rows of the frame, in any order; only the columns named are compared.
    left_out : reason to number; all of them.
    """

    metric_id: str
    expected: Rows
    headline: float | None = None
    n: int | None = None
    left_out: Mapping[str, int] = field(default_factory=dict)
    filters: Filters = EVERYTHING
    options: Mapping[str, Any] = field(default_factory=dict)

    def faults(self, warehouse: Warehouse) -> list[str]:
        """Compute the metric and return how it differs from the table, a line each."""
        result = compute(self.metric_id, warehouse, self.filters, **self.options)
        where = f"{self.metric_id} {dict(self.options) or ''}"
        found = [f"{where}: {line}" for line in self._frame_faults(result)]
        left_out = {item.reason: item.n for item in result.left_out}
        if left_out != dict(self.left_out):
            found.append(f"{where}: left out {left_out}, not {dict(self.left_out)}")
        if self.headline is not None and not _same(result.headline, self.headline):
            found.append(f"{where}: headline {result.headline}, not {self.headline}")
        if self.n is not None and result.n != self.n:
            found.append(f"{where}: n {result.n}, not {self.n}")
        return found

    def _frame_faults(self, result: MetricResult) -> list[str]:
        columns = list(self.expected[0]) if self.expected else []
        missing = set(columns) - set(result.frame.columns)
        if missing:
            return [f"no column {sorted(missing)} among {list(result.frame.columns)}"]
        got = [tuple(_plain(value) for value in row) for row in result.frame[columns].itertuples(index=False)]
        want = [tuple(row[name] for name in columns) for row in self.expected]
        if len(got) != len(want):
            return [f"{len(got)} rows, not {len(want)}: {got}"]
        got.sort(key=str), want.sort(key=str)
        return [f"{dict(zip(columns, a, strict=True))}, not {b}" for a, b in zip(got, want, strict=True)
                if not all(_same(x, y) for x, y in zip(a, b, strict=True))]


def _plain(value: Any) -> Any:
    if value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, pd.Timestamp):
        return value.date() if value.tzinfo is None else value.to_pydatetime()
    return value.item() if hasattr(value, "item") else value


def _same(got: Any, want: Any) -> bool:
    if isinstance(want, float) and got is not None:
        return math.isclose(float(got), want, rel_tol=1e-9, abs_tol=1e-9)
    return bool(got == want)
