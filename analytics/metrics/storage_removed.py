"""Storage: what went out of an archive between two loads of it."""

from __future__ import annotations

from typing import Any, Literal

import pandas as pd
import sqlalchemy as sa

from analytics.core.filters import Filters
from analytics.core.quantity import BYTES, IMAGES, STUDIES, format_quantity
from analytics.core.results import LeftOut, MetricResult, MetricSpec
from analytics.core.settings import load_settings
from analytics.metrics.base import METRICS, metric
from analytics.metrics.storage import SIZE_UNKNOWN
from analytics.warehouse.expressions import Period, conditions, literal, local, period_start, total
from analytics.warehouse.removals import FEWER_BYTES, FEWER_IMAGES, GONE
from analytics.warehouse.schema import Instant, exams, loads, removals
from analytics.warehouse.store import Warehouse

By = Literal["what", "site", "modality", "source_id"]
STUDY_GONE, HELD_ELSEWHERE, IMAGES_GONE = "study gone", "study gone, another source holds it", "some images gone"
SMALLER = "became smaller with no image known to be gone, as by compression"
_FIELDS = ("site", "modality", "station_name", "source_id")


@metric(MetricSpec(
    "storage.deleted_by_period", "Deleted by period",
    "Bytes of the studies, and of the images of studies, that a source had at one load and no longer at the next, by "
    "the period of the load that found them gone. The day on which they went is not known: it lies between two loads. "
    "Nor is why: deleted, moved, left out of an export, or no longer readable. Studies and images that come back are "
    "no longer counted; of a study that is back in part, what is still missing is. A corrected patient ID takes "
    "nothing away: of a study filed under several patients, what goes from one counts only as far as what remains "
    "is smaller. What was deleted before the first load of a source was never seen. A study that became smaller with "
    "no image known to be gone is left out, and so is one whose size is not known.",
    BYTES, "neutral", "Record of each load, as the source gave it"))
def deleted_by_period(warehouse: Warehouse, filters: Filters, period: Period = "month", by: By = "what",
                      site_zone: str | None = None) -> MetricResult:
    """Sum what the loads of each period found gone.

    Parameters
    ----------
    by : str
        ``what``: whether the whole study went, whether another source holds it, or some of its images.
    site_zone : str, optional
        IANA zone of the site's clock; that of the settings where not given.

    Returns
    -------
    MetricResult
        Columns ``period``, the one of ``by``, ``bytes``, ``studies``, ``images`` (those whose number is known).
    """
    groups = ("period", by)
    found = _found(warehouse, filters, period, by, site_zone or load_settings().site_zone)
    smaller = found.what_kind == FEWER_BYTES
    counted = found[~smaller & found.size_known]
    frame = counted.groupby(list(groups), dropna=False, sort=True)[["bytes", "studies", "images"]].sum().reset_index()
    left = {SMALLER: int(found.studies[smaller].sum()),
            SIZE_UNKNOWN: int(found.studies[~smaller & ~found.size_known].sum())}
    return MetricResult(
        METRICS["storage.deleted_by_period"].spec, frame, "bytes", groups, int(frame.studies.sum()),
        warehouse.revision, {"studies": STUDIES, "images": IMAGES},
        tuple(LeftOut(reason, n) for reason, n in left.items() if n), None, float(frame.bytes.sum()),
        _notes(warehouse, filters, float(found.bytes[smaller].sum())))


def _found(warehouse: Warehouse, filters: Filters, period: Period, by: By, zone: str) -> pd.DataFrame:
    """Read what was found gone: a row for each period, group, kind, and whether the size is known."""
    found_on = sa.cast(local(loads.c.finished_at, zone), sa.Date)
    kind, elsewhere = removals.c.what, exams.c.exam_id.is_not(None)
    what = sa.case((sa.and_(kind == literal(GONE), elsewhere), literal(HELD_ELSEWHERE)),
                   (kind == literal(GONE), literal(STUDY_GONE)), else_=literal(IMAGES_GONE))
    # An exam with a study has the study's UID as its id: what another source still holds is there
    joined = removals.join(loads, loads.c.load_id == removals.c.load_id).outerjoin(
        exams, sa.and_(exams.c.exam_id == removals.c.study_instance_uid, exams.c.has_study))
    # A removal knows no order: class and priority do not select among them
    known = filters.where(patient_classes=(), priorities=())
    rows = sa.select(
        period_start(found_on, period).label("period"), what.label("what"), kind.label("what_kind"),
        *(removals.c[name] for name in _FIELDS), removals.c.size_bytes.is_not(None).label("size_known"),
        removals.c.size_bytes, removals.c.number_of_instances,
    ).select_from(joined).where(*conditions(known, removals, date_column=found_on)).subquery("found_gone")
    groups: list[sa.ColumnElement[Any]] = [rows.c[name] for name in ("period", by, "what_kind", "size_known")]
    select = sa.select(*groups, total(rows.c.size_bytes).label("bytes"), sa.func.count().label("studies"),
                       total(rows.c.number_of_instances).label("images")).group_by(*groups)
    return warehouse.read(select).astype({"size_known": bool})


def _notes(warehouse: Warehouse, filters: Filters, smaller: float) -> tuple[str, ...]:
    first = warehouse.scalar(sa.select(sa.func.min(loads.c.finished_at, type_=Instant)))
    partly = warehouse.count(sa.select(loads.c.load_id).where(
        loads.c.left_out > literal(0), loads.c.load_id.in_(sa.select(removals.c.load_id))))
    notes = []
    if first:
        notes.append(f"Known from the second load of each source on; the first load of any was on {first:%Y-%m-%d}.")
    if smaller:
        notes.append(f"Studies that {SMALLER}, lost {format_quantity(smaller, BYTES)} in all: not counted here.")
    if partly:
        notes.append(f"{partly:,} of the loads that found studies gone also left out records that they could not use: "
                     "some of these studies may still be in the archive (see Sources).")
    if filters.patient_classes or filters.priorities:
        notes.append("Patient class and priority do not apply: they are not known of what is gone.")
    return tuple(notes)


__all__ = ["FEWER_IMAGES", "HELD_ELSEWHERE", "IMAGES_GONE", "SMALLER", "STUDY_GONE", "deleted_by_period"]
