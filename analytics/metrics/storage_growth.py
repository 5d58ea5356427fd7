"""What drove a change of the bytes added: more studies, another mix, more images a study, bigger images."""

from __future__ import annotations

import pandas as pd
import sqlalchemy as sa

from analytics.core.filters import Filters
from analytics.core.quantity import BYTES, IMAGES, STUDIES
from analytics.core.results import MetricResult, MetricSpec
from analytics.metrics.base import METRICS, metric
from analytics.metrics.change_words import growth_sentence
from analytics.metrics.decomposition import Stored, growth
from analytics.metrics.scope import aggregate, undated
from analytics.metrics.storage import SIZE_UNKNOWN, added_on, size_known, stored_in
from analytics.metrics.windows import NOTHING_YET, WHICH_WINDOWS, Against, compared
from analytics.warehouse.expressions import literal, total
from analytics.warehouse.schema import exams
from analytics.warehouse.store import Warehouse

EFFECTS = {"from_studies": "number of studies", "from_mix": "another mix of modalities",
           "from_images": "images per study", "from_image_size": "size of an image"}
"""Each effect's column and its words."""
IMAGES_UNKNOWN = "number of images not known"
images_known = sa.func.coalesce(exams.c.number_of_instances, literal(0)) >= literal(1)
_COLUMNS = ("modality", "bytes_this", "bytes_before", "change", *EFFECTS, "studies_this", "studies_before",
            "images_this", "images_before")


@metric(MetricSpec(
    "storage.growth", "What drove the change in bytes added",
    "Bytes of the studies added in a window of days less those of an earlier one, split exactly into four effects. "
    "Studies: all studies became more or fewer, at the mean share of each modality. Mix: the modalities' shares of the "
    "studies changed. Images per study and size of an image: changed within a modality. Each is the mean over every "
    "order in which studies, images a study and bytes an image can change. A modality that only one window has is all "
    "studies, and shares are of the other modalities' studies. Studies count by the day the archive received them (the "
    "exam date where that is not known); one whose size or number of images is not known is left out. "
    f"{WHICH_WINDOWS}",
    BYTES, "neutral", "Shapley, A value for n-person games, 1953; Sun, Energy Economics 20, 1998"))
def growth_drivers(warehouse: Warehouse, filters: Filters, against: Against | None = None) -> MetricResult:
    """Split the change of bytes added between two windows into studies, mix, images a study and bytes an image.

    Returns
    -------
    MetricResult
        One row a modality, the largest change first: ``bytes_this``, ``bytes_before``, ``change``, the effects
        ``from_studies``, ``from_mix``, ``from_images``, ``from_image_size`` (whole bytes that sum to the change), and
        the studies and images of both windows. The first note says it in words. ``rows`` carries ``window``.

    Raises
    ------
    PacsmeterError
        See `analytics.metrics.windows.compared`.
    """
    spec = METRICS["storage.growth"].spec
    windows = compared(stored_in(warehouse, filters), against)
    if windows is None:
        empty = pd.DataFrame({name: [] for name in _COLUMNS})
        return MetricResult(spec, empty, "change", ("modality",), 0, warehouse.revision,
                            notes=(NOTHING_YET,))
    scope = stored_in(warehouse, filters.where(date_from=windows.before_first, date_to=windows.last))
    inside = sa.or_(windows.in_this(added_on), windows.in_before(added_on))
    rows = scope.rows(inside, size_known, images_known, window=windows.window(added_on), size_bytes=exams.c.size_bytes,
                      number_of_instances=exams.c.number_of_instances, stored_date=exams.c.stored_date)
    found: dict[str, dict[str | None, Stored]] = {"this": {}, "before": {}}
    for row in warehouse.arrow(aggregate(rows, ("window", "modality"), lambda c: {
            "studies": sa.func.count(), "images": total(c.number_of_instances),
            "bytes": total(c.size_bytes)})).to_pylist():
        found[row["window"]][row["modality"]] = Stored(int(row["studies"]), int(row["images"]), int(row["bytes"]))
    frame = _frame(found["before"], found["this"])
    known = stored_in(warehouse, undated(filters)).window()
    said = (_sentence(frame), str(windows), *windows.uncovered(known[0] if known else None))
    left_out = scope.left_out({SIZE_UNKNOWN: sa.and_(inside, sa.not_(size_known)),
                               IMAGES_UNKNOWN: sa.and_(inside, size_known, sa.not_(images_known))})
    return MetricResult(
        spec, frame, "change", ("modality",), int(frame.studies_this.sum()), warehouse.revision,
        {**dict.fromkeys(("studies_this", "studies_before"), STUDIES),
         **dict.fromkeys(("images_this", "images_before"), IMAGES)},
        left_out, rows, float(frame.change.sum()) if len(frame) else None,
        (" ".join(said),))


def _sentence(frame: pd.DataFrame) -> str:
    if frame.empty:
        return "No study of known size in either window."
    return growth_sentence([(words, int(frame[column].sum())) for column, words in EFFECTS.items()],
                           int(frame.change.sum()))


def _frame(before: dict[str | None, Stored], this: dict[str | None, Stored]) -> pd.DataFrame:
    rows = []
    for modality, effects in growth(before, this).items():
        old, new = before.get(modality, Stored()), this.get(modality, Stored())
        rows.append((modality, new.size_bytes, old.size_bytes, new.size_bytes - old.size_bytes, *effects,
                     new.studies, old.studies, new.images, old.images))
    frame = pd.DataFrame(rows, columns=list(_COLUMNS))
    return frame.sort_values("change", key=abs, ascending=False, kind="stable").reset_index(drop=True)
