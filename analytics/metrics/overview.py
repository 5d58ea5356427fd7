"""The overview: today's figures with how they changed, and what needs attention, most urgent first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

import sqlalchemy as sa

from analytics.core.filters import Filters
from analytics.core.findings import Severity
from analytics.core.quantity import BYTES, EXAMS, MINUTES, PERCENT, STUDIES, format_quantity
from analytics.core.results import Direction
from analytics.metrics import backlog, storage, volume
from analytics.metrics.attention import RULES, Attention
from analytics.metrics.catalog import METRICS, compute
from analytics.warehouse.expressions import conditions
from analytics.warehouse.schema import findings
from analytics.warehouse.store import Warehouse

__all__ = ["Attention", "Headline", "attention", "headlines"]

_URGENCY = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}
_YEAR = timedelta(days=364)


@dataclass(frozen=True)
class Headline:
    """One figure of today.

    Attributes
    ----------
    label : what it is.
    value, unit : the figure, UCUM unit.
    change : in percent against what ``note`` says; ``None`` where there is nothing to compare with.
    direction : which way is better.
    page : title of the page that says more.
    note : the period, and what it is compared with.
    """

    label: str
    value: float | None
    unit: str
    change: float | None
    direction: Direction
    page: str
    note: str = ""

    def __str__(self) -> str:
        return f"{self.label}: {format_quantity(self.value, self.unit)}"


def attention(warehouse: Warehouse, filters: Filters, page: str | None = None) -> list[Attention]:
    """Return what needs attention, errors first; of one page only, where its title is given."""
    rules = RULES.get(page, ()) if page else dict.fromkeys(rule for rules in RULES.values() for rule in rules)
    said = [item for rule in rules for item in rule(warehouse, filters) if page in (None, item.page)]
    return sorted(said, key=lambda item: _URGENCY[item.severity])


def headlines(warehouse: Warehouse, filters: Filters) -> list[Headline]:
    """Return today's figures: studies, report turnaround, unread, stored, fill, errors."""
    return [
        _studies(warehouse, filters), _turnaround(warehouse, filters), _unread(warehouse, filters),
        *_storage(warehouse, filters), _errors(warehouse, filters),
    ]


def _studies(warehouse: Warehouse, filters: Filters) -> Headline:
    chosen = filters.date_from is not None
    long = filters.date_from and filters.date_to and filters.date_to - filters.date_from >= _YEAR
    against: Literal["before", "year"] = "before" if long or (chosen and not filters.date_to) else "year"
    window = filters if chosen and filters.date_to else filters.where(date_from=None)
    result = volume.change(warehouse, window, against=against)
    before = int(result.frame.before.sum())
    percent = 100 * float(result.headline or 0) / before if before else None
    return Headline("Studies", float(result.n), STUDIES, percent, "neutral", "Volume", " ".join(result.notes))


def _turnaround(warehouse: Warehouse, filters: Filters) -> Headline:
    result = compute("turnaround.swim_rtat", warehouse, filters)
    months = result.frame[result.frame.whole & (result.frame.n > 0)].tail(2)
    name, page = "Median report turnaround", "Turnaround"
    if not len(months):
        return Headline(name, result.headline, MINUTES, None, "lower", page, "all exams selected")
    now = months.iloc[-1]
    before = float(months["median"].iloc[0]) if len(months) == 2 else 0.0
    percent = 100 * (float(now["median"]) / before - 1) if before else None
    against = f", against {months.period.iloc[0]:%b %Y}" if percent is not None else ""
    note = f"{METRICS['turnaround.swim_rtat'].spec.name}, {now.period:%b %Y}{against}; {int(now.open):,} still open"
    return Headline(name, float(now["median"]), MINUTES, percent, "lower", page, note)


def _unread(warehouse: Warehouse, filters: Filters) -> Headline:
    result = backlog.unread_now(warehouse, filters)
    old = int(result.frame.over_3_days.sum())
    return Headline("Unread now", result.headline, EXAMS, None, "lower", "Backlog",
                    f"{old:,} for more than 3 days")


def _storage(warehouse: Warehouse, filters: Filters) -> list[Headline]:
    stored = storage.by_modality(warehouse, filters)
    unknown = sum(item.n for item in stored.left_out if item.reason == storage.SIZE_UNKNOWN)
    note = f"{stored.n:,} studies" + (f"; the size of {unknown:,} more is not known" if unknown else "")
    found = [Headline("Stored", stored.headline, BYTES, None, "neutral", "Storage", note)]
    archives = storage.per_archive(warehouse, filters).frame
    if len(archives):
        fullest = archives.sort_values("fill").iloc[-1]
        found.append(Headline("Fullest archive", float(fullest.fill), PERCENT, None, "lower", "Storage",
                              f"{fullest.archive}, {format_quantity(int(fullest.free), BYTES)} free"))
    return found


def _errors(warehouse: Warehouse, filters: Filters) -> Headline:
    narrowed = filters.where(patient_classes=(), priorities=())
    errors = warehouse.count(sa.select(findings.c.check_id).where(
        findings.c.severity == Severity.ERROR.value, *conditions(narrowed, findings, findings.c.found_date)))
    return Headline("Errors found by checks", float(errors), "{finding}", None, "lower", "Consistency",
                    "of severity error: the standard says shall")
