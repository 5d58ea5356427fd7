"""Storage: what is held twice, and by whom. Whether a second copy is wanted, nobody here can tell."""

from __future__ import annotations

from typing import Any, Literal

import sqlalchemy as sa

from analytics.core.filters import Filters
from analytics.core.quantity import BYTES, IMAGES, STUDIES
from analytics.core.results import MetricResult, MetricSpec
from analytics.metrics.base import METRICS, metric
from analytics.metrics.scope import Scope, aggregate
from analytics.metrics.storage import stored_in
from analytics.warehouse.expressions import count_where, literal, total
from analytics.warehouse.schema import exams, instances, studies
from analytics.warehouse.store import Warehouse

By = Literal["held", "site", "modality"]
COPY_SIZE_UNKNOWN = "a copy in another source whose size is not known"
FILE_SIZE_UNKNOWN = "an object at several paths whose size is not known at each"
_NOTES = (
    "Held twice is not waste: a second archive, or a vendor-neutral copy, may be the one that a disaster leaves.",
    "Two sources that read one archive in two ways look like two copies; the pair of sources tells.",
    "Not seen: copies below an archive (mirrors, backups, tapes), and a study that was sent again under a new UID.",
)


@metric(MetricSpec(
    "storage.duplicated", "Held twice",
    "Bytes of the further copies of studies that are held more than once. A copy is a study of the same Study Instance "
    "UID in another source than the one that counts for it, with its bytes as that source stores it; or, where the "
    "objects of a source are indexed, an object (SOP Instance UID) of a study that is at more than one path of the "
    "source that counts, the largest file of each not being a copy. Neither is compared pixel by pixel. A copy whose "
    "size is not known is left out, and an object of which one file's is not; the study's other copies count. Filters "
    "select as for what is stored, by the study that counts.",
    BYTES, "neutral", "DICOM PS3.5 2024e, chapter 9 (unique identifiers)"))
def duplicated(warehouse: Warehouse, filters: Filters, by: By = "held") -> MetricResult:
    """Sum the further copies, the largest group first.

    Parameters
    ----------
    by : str
        ``held``: the pair of sources, whichever of them counts, or the source that holds objects at several paths.

    Returns
    -------
    MetricResult
        Columns: the one of ``by``, ``bytes``, ``studies``, ``images`` (in the further copies). ``rows`` has a row for
        each further copy of a study, with ``held`` and the ``size_bytes`` of the copy.
    """
    scope, copies, again = stored_in(warehouse, filters), _in_other_sources(), _at_further_paths()
    of_copy = copies.c.study_instance_uid == exams.c.study_instance_uid
    known = copies.c.size_bytes.is_not(None)
    both = sa.union_all(
        scope.rows(of_copy, known, size_bytes=copies.c.size_bytes, images=copies.c.images,
                   held=_pair(exams.c.source_id, copies.c.source_id)),
        scope.rows(again.c.study_instance_uid == exams.c.study_instance_uid, again.c.source_id == exams.c.source_id,
                   again.c.images > literal(0), size_bytes=again.c.size_bytes, images=again.c.images,
                   held=exams.c.source_id + literal(", at several paths"))).subquery("further_copies")
    rows = sa.select(*both.c)
    frame = warehouse.read(aggregate(rows, (by,), lambda c: {
        "bytes": total(c.size_bytes), "studies": sa.func.count(sa.distinct(c.exam_id)), "images": total(c.images)}))
    frame = frame.sort_values("bytes", ascending=False, kind="stable").reset_index(drop=True)
    return MetricResult(
        METRICS["storage.duplicated"].spec, frame, "bytes", (by,), warehouse.count(_studies_of(rows)),
        warehouse.revision, {"studies": STUDIES, "images": IMAGES}, _left_out(scope, copies, again), rows,
        float(frame.bytes.sum()), _NOTES)


def _studies_of(rows: sa.Select[Any]) -> sa.Select[Any]:
    return sa.select(rows.subquery("copies_of").c.exam_id).distinct()


def _pair(one: sa.ColumnElement[Any], other: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """Name a pair of sources the same whichever of them counts."""
    return sa.case((one < other, one + literal(" and ") + other), else_=other + literal(" and ") + one)


def _left_out(scope: Scope, copies: sa.Subquery, again: sa.Subquery) -> tuple[Any, ...]:
    unsized = sa.select(copies.c.study_instance_uid).where(copies.c.size_bytes.is_(None))
    unsized_files = sa.select(again.c.source_id, again.c.study_instance_uid).where(again.c.unsized > literal(0))
    return scope.left_out({
        COPY_SIZE_UNKNOWN: exams.c.study_instance_uid.in_(unsized),
        FILE_SIZE_UNKNOWN: sa.tuple_(exams.c.source_id, exams.c.study_instance_uid).in_(unsized_files)})


def _known_sum(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    every = sa.func.count(column) == sa.func.count()
    return sa.case((every, sa.cast(sa.func.sum(column), sa.BigInteger)))


def _in_other_sources() -> sa.Subquery:
    """Return each study that another source than the one that counts holds, one row a source and study."""
    elsewhere = studies.join(exams, sa.and_(
        exams.c.study_instance_uid == studies.c.study_instance_uid, exams.c.has_study,
        exams.c.source_id != studies.c.source_id))
    return sa.select(
        studies.c.source_id, studies.c.study_instance_uid, _known_sum(studies.c.size_bytes).label("size_bytes"),
        total(studies.c.number_of_instances).label("images"),
    ).select_from(elsewhere).group_by(studies.c.source_id, studies.c.study_instance_uid).subquery("other_copies")


def _at_further_paths() -> sa.Subquery:
    """Return what the objects of each study take up beyond the largest file of each, one row a source and study.

    ``unsized`` are its objects of which a file's size is not known; ``size_bytes`` and ``images`` are of the others.
    """
    key = (instances.c.source_id, instances.c.study_instance_uid, instances.c.sop_instance_uid)
    size = instances.c.size_bytes
    known = sa.func.count(size) == sa.func.count()
    further = sa.select(
        *key, sa.case((known, sa.cast(sa.func.sum(size) - sa.func.max(size), sa.BigInteger))).label("size_bytes"),
        sa.case((known, sa.func.count() - literal(1)), else_=literal(0)).label("images"),
    ).group_by(*key).having(sa.func.count() > literal(1)).subquery("further_files")
    return sa.select(
        further.c.source_id, further.c.study_instance_uid, total(further.c.size_bytes).label("size_bytes"),
        total(further.c.images).label("images"), count_where(further.c.size_bytes.is_(None)).label("unsized"),
    ).group_by(further.c.source_id, further.c.study_instance_uid).subquery("further_paths")
