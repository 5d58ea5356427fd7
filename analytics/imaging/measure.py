"""Measuring a sample of the images and keeping the values in the warehouse."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from analytics.core.errors import PacsmeterError
from analytics.core.paths import resolve_path
from analytics.core.progress import Progress, silent
from analytics.core.pseudonym import Pseudonymizer
from analytics.core.settings import Settings
from analytics.imaging.decode import read_image
from analytics.imaging.fanout import Row, local_executor, measure_files
from analytics.imaging.image import Image
from analytics.imaging.measures import MEASURES, NotMeasurable
from analytics.imaging.sampling import DECODED, FOLDER, PER_DEVICE_WEEK, choose_sample
from analytics.warehouse.engine import table_schema
from analytics.warehouse.expressions import literal
from analytics.warehouse.schema import image_measures, instances, sources
from analytics.warehouse.store import Draft

FILES_PER_MERGE = 500
_CARRIED = ("source_id", "sop_instance_uid", "path", "study_instance_uid", "series_instance_uid", "modality",
            "station_name", "protocol_name", "acquired_at")
_one = literal(1)


def measure_file(path: str) -> list[Row]:
    """Measure one file: what a worker does.

    Returns
    -------
    list of dict
        ``measure``, ``value``, ``unit``, ``algorithm``, ``message``; the first says whether the file could be
        decoded. ``again`` there says that the file was out of reach, and is to be tried next time.
    """
    try:
        image = read_image(path)
    except PacsmeterError as error:
        return [unmeasured(f"{error.what}. {error.remedy}", again=isinstance(error.__cause__, OSError))]
    return [{"measure": DECODED, "value": 1.0, "unit": "1", "again": False}, *measure_image(image)]


def unmeasured(message: str, *, again: bool = False) -> Row:
    """Return the row of a file that could not be measured, and whether to try it again next time."""
    return {"measure": DECODED, "value": 0.0, "unit": "1", "message": message, "again": again}


def measure_image(image: Image) -> Iterator[Row]:
    """Yield one row for each measure that applies to the image's modality.

    The reconstruction kernel stands behind the algorithm's name: values of two kernels do not compare.
    """
    kernel = f"; kernel {image.convolution_kernel}" if image.convolution_kernel else ""
    for item in MEASURES:
        if not item.applies_to(image.modality):
            continue
        value, message = None, None
        try:
            value = item.of(image).value
        except NotMeasurable as reason:
            message = str(reason)
        yield {"measure": item.id, "value": value, "unit": item.unit, "algorithm": item.algorithm + kernel,
               "message": message}


def measure_images(draft: Draft, *, settings: Settings, progress: Progress = silent,
                   executor: Executor | None = None, per_device_week: int = PER_DEVICE_WEEK) -> int:
    """Measure the images of the sample that these algorithms have not measured yet.

    Values are merged in batches as they come, so what is done before an interruption stays done. Measures of
    images that their source no longer has are removed.

    Parameters
    ----------
    draft : Draft
    settings : Settings
        ``workers`` says how many processes measure.
    progress : Progress
    executor : Executor, optional
        Where to measure; local processes where not given.
    per_device_week : int
        See `choose_sample`.

    Returns
    -------
    int
        Files measured or found unmeasurable now.
    """
    remove_gone(draft)
    sample = choose_sample(draft, per_device_week=per_device_week)
    if sample.empty:
        return 0
    images = sample.astype(object).where(sample.notna(), None).to_dict("records")
    there, lost = _files_of(images, Pseudonymizer.from_file(settings.pseudonym_key_file))
    _merge(draft, lost)
    paths = [path for _, path in there]
    open_executor = local_executor(settings.workers) if executor is None else lambda: executor
    done = len(lost)
    with closing(measure_files(paths, open_executor, measure_file, unmeasured, workers=settings.workers,
                               owned=executor is None, progress=progress)) as results:
        while batch := list(itertools.islice(results, FILES_PER_MERGE)):
            _merge(draft, ((there[index][0], rows) for index, rows in batch))
            done += len(batch)
    remove_gone(draft)
    return done


def _files_of(images: list[Row], pseudonymizer: Pseudonymizer) -> tuple[list[tuple[Row, str]],
                                                                       list[tuple[Row, list[Row]]]]:
    """Return each image with its file, and the images whose file is out of reach with the row that says why."""
    there, lost = [], []
    for image in images:
        try:
            there.append((image, str(resolve_path(Path(image["location"]), image["path"], pseudonymizer))))
        except PacsmeterError as error:
            lost.append((image, [unmeasured(f"{error.what}. {error.remedy}", again=True)]))
    return there, lost


def _merge(draft: Draft, measured: Iterable[tuple[dict[str, Any], list[Row]]]) -> None:
    by_source: dict[str, list[Row]] = {}
    for image, rows in measured:
        identity = {name: image[name] for name in _CARRIED}
        decoded, *values = rows
        # The version is what marks an image as measured, so one to be tried again goes without.
        decoded["algorithm"] = None if decoded.pop("again") else image["version"]
        by_source.setdefault(image["source_id"], []).extend({**identity, **row} for row in (decoded, *values))
    for source_id, rows in by_source.items():
        draft.stage(image_measures, pa.RecordBatch.from_pylist(rows, schema=table_schema(image_measures)))
        draft.merge(image_measures, source_id)


def remove_gone(draft: Draft) -> None:
    """Remove the measures of images that their folder no longer has, and of measures that no longer exist."""
    held = sa.exists(sa.select(_one).where(
        instances.c.source_id == image_measures.c.source_id,
        instances.c.sop_instance_uid == image_measures.c.sop_instance_uid))
    ours = image_measures.c.source_id.in_(sa.select(sources.c.source_id).where(sources.c.kind == FOLDER))
    failed = image_measures.alias("failed")
    undecoded = sa.exists(sa.select(_one).where(
        failed.c.source_id == image_measures.c.source_id,
        failed.c.sop_instance_uid == image_measures.c.sop_instance_uid,
        failed.c.measure == DECODED, failed.c.value == 0))
    known = [DECODED, *(item.id for item in MEASURES)]
    with draft.transaction():
        draft.execute(sa.delete(image_measures).where(ours, ~held))
        draft.execute(sa.delete(image_measures).where(ours, image_measures.c.measure.not_in(known)))
        draft.execute(sa.delete(image_measures).where(ours, undecoded, image_measures.c.measure != DECODED))
