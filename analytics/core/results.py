"""What a metric says: its numbers, what they mean, what was left out, and the rows behind them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import pandas as pd

from analytics.core.quantity import format_quantity

Direction = Literal["higher", "lower", "neutral"]


@dataclass(frozen=True)
class MetricSpec:
    """What a metric is, in the words a page, the catalog and a report show.

    Attributes
    ----------
    id : permanent id, dotted: ``volume.studies_by_period``.
    name : noun phrase.
    definition : one sentence in the field's words, with every inclusion and exclusion.
    unit : UCUM unit of the value column.
    direction : which way is better.
    citation : source of the definition, with edition or date.
    rid : SWIM / RadLex id where there is one.
    """

    id: str
    name: str
    definition: str
    unit: str
    direction: Direction
    citation: str
    rid: str = ""

    @property
    def family(self) -> str:
        """Return the part of the id before the dot: ``volume``, ``turnaround``, ``storage``…"""
        return self.id.split(".")[0]


@dataclass(frozen=True)
class LeftOut:
    """Rows a result does not count, and why."""

    reason: str
    n: int


@dataclass(frozen=True)
class MetricResult:
    """A metric's answer for one snapshot and one set of filters.

    Attributes
    ----------
    spec : what the metric is.
    frame : one row a group: the ``dimensions`` columns, then value columns.
    value : name of the value column that ``spec.unit`` belongs to.
    dimensions : the columns of ``frame`` that say which group a row is; each is also a labelled column
        of ``rows``, so a mark on a chart leads to the studies behind it.
    units : UCUM unit of each further value column that is not in ``spec.unit``.
    n : number of rows counted.
    left_out : rows not counted, with the reason for each.
    revision : warehouse snapshot that was read.
    rows : SQLAlchemy select of the exams behind the answer, one row an exam, with the ``dimensions`` as
        labelled columns; ``None`` where the answer is not made of exams.
    headline : one number that says the result, in ``spec.unit``, or None.
    notes : sentences a reader needs beside the number (assumptions, caveats).
    """

    spec: MetricSpec
    frame: pd.DataFrame
    value: str
    dimensions: tuple[str, ...]
    n: int
    revision: int
    units: dict[str, str] = field(default_factory=dict)
    left_out: tuple[LeftOut, ...] = ()
    rows: Any = None
    headline: float | None = None
    notes: tuple[str, ...] = ()

    def unit_of(self, column: str) -> str:
        """Return the UCUM unit of a value column."""
        return self.units.get(column, self.spec.unit)

    def __str__(self) -> str:
        head = format_quantity(self.headline, self.spec.unit)
        left = "; ".join(f"{item.n:,} left out: {item.reason}" for item in self.left_out if item.n)
        return f"{self.spec.name}: {head} (n = {self.n:,}){'; ' + left if left else ''}"

    def _repr_html_(self) -> str:
        return f"<p><b>{self}</b><br>{self.spec.definition}</p>{self.frame.head(20).to_html(index=False)}"
