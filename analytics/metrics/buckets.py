"""Buckets of an age or a duration, in SQL and in their natural order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
import sqlalchemy as sa

from analytics.warehouse.expressions import literal

HOUR, DAY, YEAR = 60.0, 1440.0, 1440.0 * 365.25


@dataclass(frozen=True)
class Buckets:
    """Half-open ranges of minutes: from each edge, included, to the next, not included.

    Attributes
    ----------
    edges : upper edge of each bucket but the last, in minutes.
    labels : one more than edges, as a person writes them.
    """

    edges: tuple[float, ...]
    labels: tuple[str, ...]

    def of(self, minutes: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        """Return the label of a number of minutes; empty where it is."""
        upto = zip(self.edges, self.labels[:-1], strict=True)
        steps = [(minutes < literal(edge), literal(label)) for edge, label in upto]
        return sa.case((minutes.is_(None), sa.null()), *steps, else_=literal(self.labels[-1]))

    def in_order(self, frame: pd.DataFrame, column: str) -> pd.DataFrame:
        """Sort a frame by its bucket, the shortest first and the unknown last, keeping the order within one."""
        rank = {label: index for index, label in enumerate(self.labels)}
        order = frame[column].map(rank).fillna(len(rank)).argsort(kind="stable")
        return frame.iloc[order].reset_index(drop=True)


def rounded_minutes(minutes: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """Round a duration so that millions of them have few values: to the second up to a day, past it more coarsely.

    Each stays within half a step of itself, see `ROUNDING`.
    """
    # Not round(): the engines round a half differently. Whole seconds by way of 60ths leave no noise behind.
    seconds = minutes * literal(60.0)
    steps = [sa.func.floor(seconds / literal(step) + literal(0.5)) * literal(step) / literal(60.0)
             for _, step in ROUNDING]
    upto = [(minutes < literal(edge), value) for (edge, _), value in zip(ROUNDING[:-1], steps[:-1], strict=True)]
    return sa.type_coerce(sa.case((minutes.is_(None), sa.null()), *upto, else_=steps[-1]), sa.Double)


ROUNDING = ((DAY, 1.0), (7 * DAY, 60.0), (70 * DAY, 600.0), (float("inf"), 60 * DAY))
"""Up to so many minutes, durations are rounded to steps of so many seconds: some 104,000 values to ten weeks, and one
more a day."""
REPORT_TIMES = Buckets((12 * HOUR, 24 * HOUR, 48 * HOUR), ("< 12 h", "12-24 h", "24-48 h", "> 48 h"))
"""Of the ACR General Radiology Improvement Database (GRID), report turnaround."""
WAITING = Buckets((HOUR, 4 * HOUR, 12 * HOUR, DAY, 3 * DAY, 7 * DAY),
                  ("< 1 h", "1-4 h", "4-12 h", "12-24 h", "1-3 d", "3-7 d", "> 7 d"))
STUDY_AGE = Buckets((YEAR, 2 * YEAR, 3 * YEAR, 4 * YEAR, 5 * YEAR, 7 * YEAR, 10 * YEAR),
                    ("< 1 y", "1-2 y", "2-3 y", "3-4 y", "4-5 y", "5-7 y", "7-10 y", "> 10 y"))
LAST_ACCESS = Buckets((30 * DAY, 90 * DAY, YEAR, 2 * YEAR, 5 * YEAR),
                      ("< 30 d", "30-90 d", "90 d-1 y", "1-2 y", "2-5 y", "> 5 y"))
