"""Every definition in one list: metrics, checks, image measures and prices, each with its source."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import pandas as pd

from analytics.checks.catalog import CHECKS
from analytics.core.quantity import unit_words
from analytics.costs.price_book import load_price_book
from analytics.imaging.measures import MEASURES
from analytics.metrics.catalog import METRICS

_BETTER = {"higher": "Higher is better", "lower": "Lower is better", "neutral": ""}


@dataclass(frozen=True)
class Entry:
    """One definition: what it is called, what it says, where it is from.

    Attributes
    ----------
    details : further lines, each a label and its text.
    """

    kind: str
    id: str
    name: str
    definition: str
    citation: str
    details: tuple[tuple[str, str], ...] = ()

    def says(self, wanted: str) -> bool:
        """Whether every word asked for is in it."""
        text = " ".join((self.kind, self.id, self.name, self.definition, self.citation,
                         *(part for line in self.details for part in line))).lower()
        return all(word in text for word in wanted.lower().split())


def _kept(*lines: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((label, text) for label, text in lines if text)


def _metrics() -> Iterator[Entry]:
    for metric in METRICS:
        spec = metric.spec
        yield Entry("Metric", spec.id, spec.name, spec.definition, spec.citation, _kept(
            ("Unit", unit_words(spec.unit)), ("Direction", _BETTER[spec.direction]), ("RadLex id", spec.rid)))


def _checks() -> Iterator[Entry]:
    for check in CHECKS:
        spec = check.spec
        yield Entry("Check", spec.id, spec.name, spec.definition, spec.citation, _kept(
            ("Severity", spec.severity.value), ("Category", spec.category),
            ("What the technologist does", spec.fix_technologist),
            ("What the administrator does", spec.fix_administrator)))


def _measures() -> Iterator[Entry]:
    for measure in MEASURES:
        yield Entry("Image measure", measure.id, measure.name, measure.definition, measure.citation, _kept(
            ("Unit", unit_words(measure.unit)), ("Direction", _BETTER[measure.direction]),
            ("Algorithm", measure.algorithm), ("Modalities", ", ".join(measure.modalities) or "all")))


def _prices() -> Iterator[Entry]:
    for price in load_price_book():
        yield Entry("Price", price.id, price.item, f"{price.value:,g} {price.unit}. {price.note}".strip(),
                    f"{price.source}, {price.date:%Y-%m-%d}")


def entries() -> tuple[Entry, ...]:
    """Return every definition: metrics, then checks, image measures and prices, each in the order of its id."""
    return (*_metrics(), *_checks(), *_measures(), *_prices())


def as_table(found: tuple[Entry, ...]) -> pd.DataFrame:
    """Return definitions as a table, one row each."""
    rows = [{**asdict(entry), "details": "; ".join(f"{label}: {text}" for label, text in entry.details)}
            for entry in found]
    return pd.DataFrame(rows, columns=["kind", "id", "name", "definition", "details", "citation"])
