"""What pages ask when they open, asked once when a snapshot is published: the snapshot keeps the answers.

Any other question, such as one with a filter, is asked of the tables. A test opens every page and fails where one asks
the large tables something that is not asked here.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import sqlalchemy as sa

from analytics.checks.results import check_summary, findings_by_device, findings_by_month, studies_with_findings
from analytics.core.errors import PacsmeterError
from analytics.core.fault_log import log_unforeseen
from analytics.core.filters import Filters
from analytics.core.progress import Progress, silent
from analytics.core.settings import Settings
from analytics.costs.demand import measured_demand
from analytics.imaging.measures import MEASURES
from analytics.imaging.quality import charts_available, findings_with_picture, measures_by_device, quality_summary
from analytics.metrics.catalog import METRICS, compute
from analytics.metrics.facets import filter_choices
from analytics.metrics.overview import attention, headlines
from analytics.warehouse.reading import Warehouse
from analytics.warehouse.schema import exams
from analytics.warehouse.store import Draft

ANSWERED_FROM = 200_000
"""Exams from which on answers are kept: a smaller warehouse answers every page at once."""
EVERYTHING = Filters()
Question = Callable[[Warehouse], object]

CHOICES: dict[str, tuple[dict[str, Any], ...]] = {
    "volume.studies_by_period": ({"by": "modality"}, {"by": "modality", "top": 8}),
    "volume.change": ({"by": "modality"},),
    "turnaround.swim_rtat": ({"period": "year"}, {"by": "priority"}),
    "turnaround.open_cases": ({"by": "priority"},),
    "turnaround.breaches": ({"by": "priority"},),
    "turnaround.with_open_cases": ({"by": "priority"},),
    "backlog.at_instant": ({"by": "modality"},),
    "backlog.unread_by_age": ({"by": "priority"},),
    "sources.incomplete_transfers": ({"by": "way", "period": "month"},),
    "sources.silent_devices": ({"out_of_service": True},),
}
"""What a page's choices stand at when it opens, where that is not the metric's own default."""

def _violated_checks(warehouse: Warehouse) -> None:
    """Ask where and when each check that found something did: the page shows one, the reader the next."""
    summary = check_summary(warehouse, EVERYTHING)
    for check_id in summary.check_id[summary.violated > 0]:
        findings_by_device(warehouse, EVERYTHING, check_id)
        findings_by_month(warehouse, EVERYTHING, check_id)


def _measures(warehouse: Warehouse) -> None:
    """Ask which charts and devices there are of each measure of an image."""
    if quality_summary(warehouse, EVERYTHING).images_measured:
        for measure in MEASURES:
            charts_available(warehouse, EVERYTHING, measure.id)
            measures_by_device(warehouse, EVERYTHING, measure.id)


OTHERS: tuple[Question, ...] = (
    filter_choices,
    studies_with_findings,
    lambda warehouse: headlines(warehouse, EVERYTHING),
    lambda warehouse: attention(warehouse, EVERYTHING),
    lambda warehouse: findings_with_picture(warehouse, EVERYTHING),
    _violated_checks,
    _measures,
    lambda warehouse: measured_demand(warehouse, EVERYTHING),
)


def _compute(metric_id: str, options: dict[str, Any], warehouse: Warehouse) -> object:
    return compute(metric_id, warehouse, EVERYTHING, **options)


def questions(site_zone: str) -> Iterator[Question]:
    """Give what pages ask when they open: every metric as it comes and as its page first shows it, and the others."""
    yield from OTHERS
    for metric in METRICS:
        zone = {"site_zone": site_zone} if "site_zone" in inspect.signature(metric.compute).parameters else {}
        for options in ({}, *CHOICES.get(metric.spec.id, ())):
            yield partial(_compute, metric.spec.id, {**zone, **options})


def keep_answers(draft: Draft, settings: Settings, *, answered_from: int = ANSWERED_FROM,
                 progress: Progress = silent) -> None:
    """Ask what pages ask when they open, and keep the answers in the draft: its last step.

    A question that cannot be answered stops nothing: whoever asks it on a page sees why.

    Parameters
    ----------
    draft : Draft
        With everything in it; it cannot be changed after this.
    settings : Settings
    answered_from : int
        Exams from which on it is worth the time.
    progress : Progress
    """
    if draft.count(sa.select(exams.c.exam_id)) < answered_from:
        return
    asked = list(questions(settings.site_zone))
    with draft.answering():
        for place, ask in enumerate(asked):
            progress("answering what pages ask first", place, len(asked))
            try:
                ask(draft)
            except PacsmeterError:
                continue
            except Exception as error:
                log_unforeseen(error, settings.home / "log")
        progress("answering what pages ask first", len(asked), len(asked))
